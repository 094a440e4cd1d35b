#include "alertmanager/notify_template.h"

#include "base/fs.h"
#include "base/json.h"

enum { MAX_SECRET_BYTES = 1 << 20 };

int notify_templates_load(
    struct arena *arena, const struct am_config *config, const struct template_set **out, struct err *err)
{
	(void)arena;
	(void)config;
	(void)err;
	*out = NULL;
	return 0;
}

static bool has_action(struct slice s)
{
	for (size_t i = 0; i + 1 < s.len; i++)
		if (s.ptr[i] == '{' && s.ptr[i + 1] == '{')
			return true;
	return false;
}

int notify_template_text(
    const struct send_request *req, struct slice text, struct slice *out, struct err *err)
{
	(void)req;
	if (has_action(text))
		return err_set(err, ERR_UNSUPPORTED, "templates are not implemented yet");
	*out = text;
	return 0;
}

int notify_template_secret(
    const struct send_request *req, const struct am_secret *secret, struct slice *out, struct err *err)
{
	if (secret->value.len > 0 || secret->file.len == 0)
		return notify_template_text(req, secret->value, out, err);
	struct strbuf sb;
	strbuf_init(&sb, MAX_SECRET_BYTES);
	int rc = fs_read_file(fs_real(), arena_strdup(req->arena, secret->file), &sb, err);
	struct slice text = rc ? SL_EMPTY : arena_slice(req->arena, slice_trim(strbuf_slice(&sb)));
	strbuf_done(&sb);
	return rc ? rc : notify_template_text(req, text, out, err);
}

int notify_template_route_labels(const struct send_request *req, struct notification *n, struct err *err)
{
	const struct config_pairs *pairs = n->route_label_templates;
	struct label *l = ARENA_ARRAY(req->arena, struct label, pairs->n);
	size_t len = 0;
	for (size_t i = 0; i < pairs->n; i++) {
		l[len].name = pairs->v[i].name;
		int rc = notify_template_text(req, pairs->v[i].value, &l[len].value, err);
		if (rc)
			return err_prefix(err, "route label %" SL_FMT ": ", SL_ARG(pairs->v[i].name)), rc;
		len += l[len].value.len > 0;
	}
	n->route_labels = labels_from_sorted(req->arena, l, len);
	return 0;
}

int notify_template_payload(
    const struct send_request *req, const struct yaml_node *payload, struct strbuf *out, struct err *err)
{
	(void)req;
	(void)payload;
	(void)out;
	return err_set(err, ERR_UNSUPPORTED, "webhook payloads of one's own are not implemented yet");
}
