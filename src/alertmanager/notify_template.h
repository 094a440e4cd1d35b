/* Texts of receivers: templates expanded with the data of a notification, secrets read from their files, payloads built
 * from a description in the configuration. */
#pragma once

#include "alertmanager/receiver.h"
#include "base/json.h"
#include "config/config_alertmanager.h"

struct template_set;

/* The default templates, then those of the files of `templates:`, later definitions replacing earlier ones. All in the
 * arena. ERR_INVALID names the file. */
MUST_CHECK int notify_templates_load(
    struct arena *arena, const struct am_config *config, const struct template_set **out, struct err *err);

/* `text` expanded; the result lives in the request's arena. Text without an action is returned as it is. */
MUST_CHECK int notify_template_text(
    const struct send_request *req, struct slice text, struct slice *out, struct err *err);
/* The same with HTML's special characters escaped in what actions print. */
MUST_CHECK int notify_template_html(
    const struct send_request *req, struct slice text, struct slice *out, struct err *err);
/* The inline value, or the content of the file without white space around it, expanded. ERR_IO, ERR_NOT_FOUND or
 * ERR_LIMIT when the file cannot be read. */
MUST_CHECK int notify_template_secret(
    const struct send_request *req, const struct am_secret *secret, struct slice *out, struct err *err);
/* The labels of the route, expanded one after another in the order of their names. Fills n->route_labels. */
MUST_CHECK int notify_template_route_labels(
    const struct send_request *req, struct notification *n, struct err *err);
/* The YAML value as JSON, with each string expanded; what a value expands to is YAML again: a number, a list, ... */
MUST_CHECK int notify_template_payload(
    const struct send_request *req, const struct yaml_node *payload, struct strbuf *out, struct err *err);
/* The same as one value of a document that is being written; on an error what was written is of no use. */
MUST_CHECK int notify_template_json(
    const struct send_request *req, const struct yaml_node *node, struct json *j, struct err *err);
