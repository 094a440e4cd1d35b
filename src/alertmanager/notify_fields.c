#include "alertmanager/notify_fields.h"

#include "alertmanager/notify_template.h"

void notify_fields_init(struct notify_fields *f, const struct send_request *req, struct strbuf *out)
{
	*f = (struct notify_fields){.req = req};
	json_init(&f->j, out);
}

struct slice notify_fields_expand(struct notify_fields *f, struct slice text)
{
	struct slice out;
	if (f->rc)
		return SL_EMPTY;
	f->rc = notify_template_text(f->req, text, &out, &f->err);
	return f->rc ? SL_EMPTY : out;
}

void notify_fields_raw(struct notify_fields *f, const char *key, struct slice text)
{
	json_key(&f->j, key);
	json_string(&f->j, text);
}

void notify_fields_text(struct notify_fields *f, const char *key, struct slice text)
{
	notify_fields_raw(f, key, notify_fields_expand(f, text));
}

void notify_fields_text_if(struct notify_fields *f, const char *key, struct slice text)
{
	struct slice out = notify_fields_expand(f, text);
	if (out.len > 0)
		notify_fields_raw(f, key, out);
}
