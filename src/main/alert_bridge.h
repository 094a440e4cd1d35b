/* From the rules to the router inside this process: what Prometheus's notifier does on the way, without HTTP. External
 * labels are added where an alert lacks them, then alert_relabel_configs run; an alert that loses all labels is dropped.
 * Thread-safe. */
#pragma once

#include "config/config_check.h"
#include "rules/alert_sink.h"

struct alert_bridge;
struct router;

/* `router` is borrowed. The caller frees; free takes NULL. */
struct alert_bridge *alert_bridge_new(struct router *router);
void alert_bridge_free(struct alert_bridge *b);
/* The generation whose labels and rules count from now on; a reference is kept. */
void alert_bridge_set_config(struct alert_bridge *b, struct config_generation *g);
struct alert_sink *alert_bridge_sink(struct alert_bridge *b);
