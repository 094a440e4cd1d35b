/* A notification as templates see it: the data behind the dot, with the types of Alertmanager's (label maps that sort
 * alertname first, lists of alerts with .Firing and .Resolved), and as JSON. */
#pragma once

#include "alertmanager/notification.h"
#include "base/json.h"
#include "template/value.h"

/* Borrowed; fields are computed as they are asked for. */
struct template_value notify_data_root(const struct notification *n);

/* Any template value as Go's encoding/json writes it; our own types by their members. `arena` is scratch memory. */
void notify_data_json(struct json *j, const struct template_value *v, struct arena *arena);

/* A member of an object, escaped as Go does (json_key() escapes less). */
void notify_json_key(struct json *j, struct slice key);
void notify_json_labels(struct json *j, const struct labels *ls);
/* The alert as it stands in payloads. */
void notify_json_alert(struct json *j, const struct notified_alert *a);
