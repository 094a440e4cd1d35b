/* What is said to a receiver: the alerts of one flush as one integration sees them, and what payloads and templates
 * derive from them. Made anew for each attempt, because an alert may resolve while a delivery is retried. Lives in the
 * attempt's arena. */
#pragma once

#include "alertmanager/alert_store.h"
#include "alertmanager/notify_log.h"
#include "config/decode.h"

struct notified_alert {
	const struct alert *alert; /* its end is only valid when is_resolved */
	uint64_t fingerprint;
	bool is_resolved;
};

struct notification {
	struct slice receiver; /* regular-expression characters escaped, as Alertmanager shows it */
	struct slice group_key;
	const struct labels *group_labels;
	const struct config_pairs *route_label_templates;
	const struct labels *route_labels; /* rendered */
	struct slice external_url;
	enum notify_reason reason;
	int64_t now_ms;
	const struct notified_alert *alerts;
	size_t n_alerts;
};

/* "firing" when any alert fires, else "resolved". */
const char *notification_status(const struct notification *n);
/* Pairs that all the alerts share. */
const struct labels *notification_common_labels(const struct notification *n, struct arena *arena);
const struct labels *notification_common_annotations(const struct notification *n, struct arena *arena);
/* The name as Go's regexp.QuoteMeta writes it. */
struct slice notification_quote_receiver(struct arena *arena, struct slice name);
