/* The embedded alert router: what Alertmanager is to Prometheus, inside the process. Alerts go in by
 * router_put_alerts() (from the rules, through an adapter of main, and from POST /api/v2/alerts); they are
 * merged by fingerprint (alert_store.h), routed (route.h), collected in groups (dispatch.h, alert_group.h),
 * and each group that is due is pushed through the notification pipeline (notify_pipeline.h) to its receiver.
 *
 * Time comes from the scheduler's clock alone, so a test of a day runs in a blink. Nothing blocks: a delivery
 * is an asynchronous call of net/http_client.h, and its retry is a timer.
 *
 * A configuration is a generation: router_reload() builds the routing tree, the receivers and the inhibition
 * index anew, re-routes what is stored, and lets the old generation go when its last delivery has ended. The
 * notification log survives, so that nobody is told twice.
 *
 * Owned by main. All functions may be called from any thread. Lock: ROUTER, held for memory work only. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "model/alert.h"
#include "model/matcher.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct am_config;
struct http_client;
struct label_regex;
struct router;
struct scheduler;
struct silence_store;

struct router_options {
	struct scheduler *scheduler; /* borrowed; must outlive the router */
	struct http_client *http;    /* taken over, freed by router_free(); named "Alertmanager/<version>" */
	const char *external_url;    /* "http://host:9093", without a trailing slash; copied */
	int64_t retention_ms;        /* of silences that ended and of the notification log; 0: 120 h */
};

/* A router without configuration: it stores alerts and notifies nobody. */
struct router *router_new(const struct router_options *opt);
/* Starts nothing new, ends what runs, frees. Takes NULL. */
void router_free(struct router *r);

/* Makes `config` the one in force. It lives in `arena`, which the router takes over on success and frees when
 * the generation ends. ERR_*: nothing has changed and the arena is still the caller's. */
MUST_CHECK int router_reload(
    struct router *r, const struct am_config *config, struct arena *arena, struct err *err);
/* Whether a configuration is in force. */
bool router_is_configured(struct router *r);

/* Takes copies of what it keeps. starts_at_ms 0: now; ends_at_ms 0: now + resolve_timeout. An alert that
 * router_check_alert() refuses is left out and counted. */
void router_put_alerts(struct router *r, const struct alert *alerts, size_t n, int64_t now_ms);
/* ERR_INVALID with Alertmanager's text: no labels, bad names, end before start, bad UTF-8. */
MUST_CHECK int router_check_alert(const struct alert *alert, struct err *err);

/* --- what the API shows ----------------------------------------------------------------------------------- */
enum routed_state { ROUTED_ACTIVE, ROUTED_SUPPRESSED, ROUTED_UNPROCESSED };

struct router_filter {
	bool active, silenced, inhibited, muted; /* false hides such alerts (muted: groups) */
	const struct matcher *const *matchers;   /* against the labels; all of them */
	size_t n_matchers;
	const struct label_regex *receiver;             /* anchored, against the receiver's name; NULL: any */
	const struct matcher *const *receiver_matchers; /* against the labels of the receiver */
	size_t n_receiver_matchers;
};
#define ROUTER_FILTER_ALL                                                                                    \
	((struct router_filter){.active = true, .silenced = true, .inhibited = true, .muted = true})

struct routed_alert {
	struct alert alert; /* updated_at_ms filled */
	uint64_t fingerprint;
	const struct slice *receivers; /* names */
	size_t n_receivers;
	enum routed_state state;
	const struct slice *silenced_by, *inhibited_by,
	    *muted_by; /* silence ids; fingerprints as hex; interval names */
	size_t n_silenced_by, n_inhibited_by, n_muted_by;
};

struct routed_group {
	const struct labels *labels; /* those the group was made by */
	const struct labels *route_labels;
	struct slice receiver;
	const struct routed_alert *alerts;
	size_t n_alerts;
};

struct receiver_view {
	struct slice name;
	const struct labels *labels; /* always with name */
};

/* Snapshots; all of it lives in the arena, which also holds the references. Resolved alerts are not listed.
 * Alerts come by fingerprint, groups by labels and then receiver, receivers in the order of the file. */
void router_list_alerts(struct router *r, const struct router_filter *f, int64_t now_ms, struct arena *arena,
    const struct routed_alert **out, size_t *n);
void router_list_groups(struct router *r, const struct router_filter *f, int64_t now_ms, struct arena *arena,
    const struct routed_group **out, size_t *n);
void router_list_receivers(struct router *r, const struct router_filter *f, struct arena *arena,
    const struct receiver_view **out, size_t *n);

/* The text of the configuration in force with secrets hidden, copied to the arena; "" without one. */
struct slice router_config_text(struct router *r, struct arena *arena);
/* When router_new() was called. */
int64_t router_started_ms(const struct router *r);
/* The silences the router obeys. Borrowed: as long as the router. */
struct silence_store *router_silences(struct router *r);
