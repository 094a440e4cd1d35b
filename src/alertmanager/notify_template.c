#include "alertmanager/notify_template.h"

#include "alertmanager/notify_data.h"
#include "alertmanager/notify_defaults.h"
#include "alertmanager/notify_funcs.h"
#include "base/double_text.h"
#include "base/fs.h"
#include <glob.h>
#include <stdlib.h>

enum {
	MAX_SECRET_BYTES = 1 << 20,
	MAX_TEMPLATE_FILE_BYTES = 8 << 20,
	MAX_OUTPUT_BYTES = 16 << 20,
	MAX_PAYLOAD_DEPTH = 60,
};

/* --- loading ----------------------------------------------------------------------------------------------------- */
/* A file is a template itself, under its own name without the folder. */
static int load_file(struct arena *arena, struct template_set *set, const char *path, struct err *err)
{
	struct strbuf sb;
	strbuf_init(&sb, MAX_TEMPLATE_FILE_BYTES);
	const char *slash = strrchr(path, '/');
	struct slice name = arena_slice(arena, slice_cstr(slash ? slash + 1 : path));
	int rc = fs_read_file(fs_real(), path, &sb, err);
	if (rc == 0)
		rc = template_parse(set, name, strbuf_slice(&sb), err);
	strbuf_done(&sb);
	if (rc)
		err_prefix(err, "template file %s: ", path);
	return rc;
}

/* A pattern that matches nothing is no error; files come sorted. */
static int load_glob(struct arena *arena, struct template_set *set, struct slice pattern, struct err *err)
{
	glob_t found = {0};
	int rc = 0;
	if (glob(arena_strdup(arena, pattern), 0, NULL, &found) == 0)
		for (size_t i = 0; rc == 0 && i < found.gl_pathc; i++)
			rc = load_file(arena, set, found.gl_pathv[i], err);
	globfree(&found);
	return rc;
}

int notify_templates_load(
    struct arena *arena, const struct am_config *config, const struct template_set **out, struct err *err)
{
	struct template_set *set = template_set_new(arena, &notify_template_funcs);
	int rc = notify_defaults_parse(set, err);
	for (size_t i = 0; rc == 0 && i < config->templates.n; i++)
		rc = load_glob(arena, set, config->templates.v[i], err);
	if (rc == 0)
		*out = set;
	return rc;
}

/* --- texts ------------------------------------------------------------------------------------------------------- */
static bool has_action(struct slice s)
{
	for (size_t i = 0; i + 1 < s.len; i++)
		if (s.ptr[i] == '{' && s.ptr[i + 1] == '{')
			return true;
	return false;
}

static int expand(const struct send_request *req, const struct notification *n, struct slice text,
    bool escape_html, struct slice *out, struct err *err)
{
	if (!has_action(text)) {
		*out = text;
		return 0;
	}
	struct notify_env env = {.notification = n, .set = req->templates, .now_ms = n->now_ms};
	struct strbuf sb;
	strbuf_init(&sb, MAX_OUTPUT_BYTES);
	int rc = notify_expand(&env, text, escape_html, req->arena, &sb, err);
	if (rc == 0)
		*out = arena_slice(req->arena, strbuf_slice(&sb));
	strbuf_done(&sb);
	return rc;
}

int notify_template_text(
    const struct send_request *req, struct slice text, struct slice *out, struct err *err)
{
	return expand(req, req->notification, text, false, out, err);
}

int notify_template_html(
    const struct send_request *req, struct slice text, struct slice *out, struct err *err)
{
	return expand(req, req->notification, text, true, out, err);
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
		int rc = expand(req, n, pairs->v[i].value, false, &l[len].value, err);
		if (rc) {
			err_prefix(err, "route label %" SL_FMT ": ", SL_ARG(pairs->v[i].name));
			return rc;
		}
		len += l[len].value.len > 0;
	}
	n->route_labels = labels_from_sorted(req->arena, l, len);
	return 0;
}

/* --- payloads ---------------------------------------------------------------------------------------------------- */
struct payload {
	const struct send_request *req;
	struct json j;
	struct err *err;
};

static bool is_any_of(struct slice s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq_cstr(s, words[i]))
			return true;
	return false;
}

/* An unquoted scalar as what it is; false: it is text. */
static bool write_typed(struct json *j, const struct yaml_node *node)
{
	static const char *const yes[] = {"true", "True", "TRUE"}, *const no[] = {"false", "False", "FALSE"};
	double number;
	if (node->is_quoted || node->text.len == 0)
		return false;
	if (is_any_of(node->text, yes, ARRAY_LEN(yes)) || is_any_of(node->text, no, ARRAY_LEN(no))) {
		json_bool(j, is_any_of(node->text, yes, ARRAY_LEN(yes)));
		return true;
	}
	bool starts_as_number = strchr("-+.0123456789", node->text.ptr[0]) != NULL;
	if (!starts_as_number || !double_parse(node->text, &number))
		return false;
	json_double(j, number);
	return true;
}

/* A value that came out of a template: as it stands, nothing in it is expanded again. */
static void write_plain(struct json *j, const struct yaml_node *node, unsigned depth)
{
	if (depth > MAX_PAYLOAD_DEPTH) {
		json_null(j);
		return;
	}
	switch (node->kind) {
	case YAML_NULL:
		json_null(j);
		return;
	case YAML_SCALAR:
		if (!write_typed(j, node))
			json_string(j, node->text);
		return;
	case YAML_LIST:
		json_array_begin(j);
		for (size_t i = 0; i < node->n; i++)
			write_plain(j, node->items[i], depth + 1);
		json_array_end(j);
		return;
	case YAML_MAP:
		json_object_begin(j);
		for (size_t i = 0; i < node->n; i++) {
			notify_json_key(j, node->keys[i]->text);
			write_plain(j, node->items[i], depth + 1);
		}
		json_object_end(j);
		return;
	}
}

/* What the text expands to is YAML again, unless that is a text. */
static int write_expanded(struct payload *p, struct slice text, unsigned depth)
{
	struct slice s;
	struct yaml_node *value;
	int rc = notify_template_text(p->req, text, &s, p->err);
	if (rc)
		return rc;
	bool is_yaml = slice_trim(s).len > 0 && yaml_parse(s, p->req->arena, &value, NULL) == 0;
	if (is_yaml && value->kind != YAML_SCALAR)
		write_plain(&p->j, value, depth);
	else if (!is_yaml || !write_typed(&p->j, value))
		json_string(&p->j, s);
	return 0;
}

struct payload_pair {
	struct slice key;
	const struct yaml_node *value;
};

static int pair_order(const void *a, const void *b)
{
	return slice_cmp(((const struct payload_pair *)a)->key, ((const struct payload_pair *)b)->key);
}

static int write_payload(struct payload *p, const struct yaml_node *node, unsigned depth);

/* Keys are expanded too, and sorted, as Go writes a map. */
static int write_map(struct payload *p, const struct yaml_node *node, unsigned depth)
{
	struct payload_pair *v = ARENA_ARRAY(p->req->arena, struct payload_pair, node->n);
	for (size_t i = 0; i < node->n; i++) {
		v[i].value = node->items[i];
		int rc = notify_template_text(p->req, node->keys[i]->text, &v[i].key, p->err);
		if (rc)
			return rc;
	}
	if (node->n > 1)
		qsort(v, node->n, sizeof(*v), pair_order);
	json_object_begin(&p->j);
	for (size_t i = 0; i < node->n; i++) {
		notify_json_key(&p->j, v[i].key);
		int rc = write_payload(p, v[i].value, depth + 1);
		if (rc)
			return rc;
	}
	json_object_end(&p->j);
	return 0;
}

static int write_payload(struct payload *p, const struct yaml_node *node, unsigned depth)
{
	if (depth > MAX_PAYLOAD_DEPTH)
		return err_set(p->err, ERR_LIMIT, "the payload is nested too deeply");
	switch (node->kind) {
	case YAML_NULL:
		json_null(&p->j);
		return 0;
	case YAML_SCALAR:
		return !node->is_quoted && write_typed(&p->j, node) ? 0
								    : write_expanded(p, node->text, depth);
	case YAML_MAP:
		return write_map(p, node, depth);
	case YAML_LIST:
		break;
	}
	json_array_begin(&p->j);
	for (size_t i = 0; i < node->n; i++) {
		int rc = write_payload(p, node->items[i], depth + 1);
		if (rc)
			return rc;
	}
	json_array_end(&p->j);
	return 0;
}

int notify_template_json(
    const struct send_request *req, const struct yaml_node *node, struct json *j, struct err *err)
{
	struct payload p = {.req = req, .j = *j, .err = err};
	int rc = write_payload(&p, node, j->depth);
	*j = p.j;
	return rc;
}

int notify_template_payload(
    const struct send_request *req, const struct yaml_node *payload, struct strbuf *out, struct err *err)
{
	struct json j;
	json_init(&j, out);
	int rc = notify_template_json(req, payload, &j, err);
	strbuf_addch(out, '\n');
	return rc;
}
