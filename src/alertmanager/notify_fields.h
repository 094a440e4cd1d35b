/* Writing a JSON body from templated fields: each is expanded as it is written, and the first error stops the rest, so
 * that a sender checks once at the end. */
#pragma once

#include "alertmanager/receiver.h"
#include "base/json.h"

struct notify_fields {
	const struct send_request *req;
	struct json j;
	int rc; /* of the first failure */
	struct err err;
};

void notify_fields_init(struct notify_fields *f, const struct send_request *req, struct strbuf *out);
/* The text expanded; empty after an error. */
struct slice notify_fields_expand(struct notify_fields *f, struct slice text);
/* A member with the expanded text; the second leaves an empty one out. */
void notify_fields_text(struct notify_fields *f, const char *key, struct slice text);
void notify_fields_text_if(struct notify_fields *f, const char *key, struct slice text);
/* A member with text as it is. */
void notify_fields_raw(struct notify_fields *f, const char *key, struct slice text);
