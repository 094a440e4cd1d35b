/* Inhibition: while a source alert fires, target alerts with the same values of the `equal` labels stay unsaid.
 *
 * An index makes the question cheap. Each rule keeps its tuples, one for each combination of values of its equal
 * labels; an alert that matches a side of the rule is linked to its tuple once, when it is first seen:
 *
 *   rule -> tuple (cluster="a") -> one-sided sources, two-sided sources      <- link <- alert_entry
 *
 * Asking is then a walk over the alert's own links, and each step ends at the first source that still fires. A source
 * that has run out is taken from the list as it is met, so a walk never meets it twice. Sources that match the target
 * side too are listed apart: they do not inhibit an alert that matches both sides.
 *
 * One index a configuration generation. Everything is guarded by the router's lock. */
#pragma once

#include "alertmanager/alert_store.h"
#include "config/config_alertmanager.h"

struct inhibit_index;

/* `config` is borrowed. */
struct inhibit_index *inhibit_index_new(const struct am_config *config);
/* All entries must have been forgotten. Takes NULL. */
void inhibit_index_free(struct inhibit_index *x);

/* The entry has a new version: links it when it has no links yet, lists it where it is a firing source. */
void inhibit_note(struct inhibit_index *x, struct alert_entry *e, int64_t now_ms);
/* Takes its links back. */
void inhibit_forget(struct inhibit_index *x, struct alert_entry *e);

/* The alert that inhibits `e` now, or NULL. */
const struct alert_entry *inhibit_find(const struct alert_entry *e, int64_t now_ms);
