/* /federate: the newest sample of each series that matches, in the text format. Upstream: web/federate.go. */
#include "web/web_priv.h"

#include "base/counters.h"
#include "base/double_text.h"
#include "base/utf8.h"
#include "config/config_file.h"
#include "model/label_builder.h"
#include "model/stale_marker.h"
#include "promql/parse.h"

#include <inttypes.h>
#include <stdlib.h>

enum { FEDERATE_ARENA_BYTES = 1 << 30, DEFAULT_LOOKBACK_MS = 300000 };

struct line {
	struct slice name;           /* of the metric */
	const struct labels *labels; /* with the external ones */
	int64_t t_ms;
	double v;
};
VEC_DEFINE(line_vec, struct line);

struct federation {
	struct web *web;
	struct arena *arena;
	struct querier *querier;
	struct select_hints hints;
	struct config_generation *config; /* NULL: none */
	struct line_vec lines;
	struct sample_column column;
	bool allows_utf8; /* the client takes names outside the old charset */
};

/* What a federated series carries: its own labels, external ones where they are absent, and always an `instance`, so that
 * the one who scrapes this does not put ours there. */
static const struct labels *full_labels(struct federation *f, const struct labels *own)
{
	struct label_builder b;
	label_builder_init(&b, f->arena, own);
	label_builder_del(&b, SL(LABEL_NAME));
	const struct labels *external = f->config ? f->config->config->global.external_labels : NULL;
	if (!external)
		external = &labels_empty;
	LABELS_EACH (l, external)
		if (!labels_has(own, l->name))
			label_builder_set(&b, l->name, l->value);
	return label_builder_labels(&b);
}

/* Adds the newest sample of one series, if there is one that is no stale marker and no histogram (which the text format
 * cannot carry). */
static int add_series(struct federation *f, struct series_set *set, size_t i, struct err *err)
{
	const struct labels *own = set->ops->labels(set, i, f->arena);
	struct slice name = labels_metric_name(own);
	if (name.len == 0)
		return 0;
	sample_column_reset(&f->column);
	int rc = set->ops->read(set, i, &f->column, err);
	if (rc || f->column.n == 0)
		return rc;
	size_t last = f->column.n - 1;
	if ((f->column.h && f->column.h[last]) || is_stale(f->column.v[last]))
		return 0;
	struct line line = {
	    .name = name, .labels = full_labels(f, own), .t_ms = f->column.t[last], .v = f->column.v[last]};
	line_vec_push(&f->lines, line);
	return 0;
}

static int add_selector(struct federation *f, struct slice text, struct err *err)
{
	const struct matcher *const *matchers;
	size_t n;
	struct series_set *set;
	int rc = promql_parse_selector(f->arena, text, &matchers, &n, err);
	if (rc ||
	    (rc = f->querier->ops->select(f->querier, f->arena, matchers, n, true, &f->hints, &set, err)))
		return rc;
	for (size_t i = 0; rc == 0 && i < set->n; i++)
		rc = arena_overflowed(f->arena) ? err_set(err, ERR_LIMIT, "too many series match")
						: add_series(f, set, i, err);
	return rc;
}

/* --- writing ----------------------------------------------------------------------------------------------------- */

static int by_name_then_labels(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int c = slice_cmp(x->name, y->name);
	return c ? c : labels_cmp(x->labels, y->labels);
}

static bool same_series(const struct line *a, const struct line *b)
{
	return slice_eq(a->name, b->name) && labels_eq(a->labels, b->labels);
}

/* For clients of the old charset, each other character becomes '_'. */
static void put_underscored(struct strbuf *out, struct slice name, bool may_colon)
{
	bool is_first = true;
	for (; name.len; is_first = false) {
		size_t len;
		uint32_t ch = utf8_decode(name, &len);
		bool is_letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_' ||
				 (may_colon && ch == ':');
		strbuf_addch(out, is_letter || (!is_first && ch >= '0' && ch <= '9') ? (char)ch : '_');
		name = slice_from(name, len);
	}
}

static void put_escaped(struct strbuf *out, struct slice s)
{
	strbuf_addch(out, '"');
	for (size_t i = 0; i < s.len; i++) {
		char ch = s.ptr[i];
		if (ch == '\n')
			strbuf_adds(out, "\\n");
		else if (ch == '"' || ch == '\\')
			strbuf_addf(out, "\\%c", ch);
		else
			strbuf_addch(out, ch);
	}
	strbuf_addch(out, '"');
}

static void put_metric_name(const struct federation *f, struct strbuf *out, struct slice name)
{
	if (metric_name_valid_legacy(name))
		strbuf_add_slice(out, name);
	else if (f->allows_utf8)
		put_escaped(out, name);
	else
		put_underscored(out, name, true);
}

static void put_label(
    const struct federation *f, struct strbuf *out, char before, struct slice name, struct slice value)
{
	strbuf_addch(out, before);
	if (label_name_valid_legacy(name))
		strbuf_add_slice(out, name);
	else if (f->allows_utf8)
		put_escaped(out, name);
	else
		put_underscored(out, name, false);
	strbuf_addch(out, '=');
	put_escaped(out, value);
}

/* `instance=""` has its place among the sorted names, though a label set cannot hold it. */
static void put_labels(
    const struct federation *f, struct strbuf *out, const struct line *l, bool name_is_inside)
{
	static const struct slice instance = SL_INIT("instance");
	bool owes_instance = !labels_has(l->labels, instance);
	char before = name_is_inside ? ',' : '{';
	LABELS_EACH (label, l->labels) {
		if (owes_instance && slice_cmp(label->name, instance) > 0) {
			put_label(f, out, before, instance, SL_EMPTY);
			owes_instance = false;
			before = ',';
		}
		put_label(f, out, before, label->name, label->value);
		before = ',';
	}
	if (owes_instance)
		put_label(f, out, before, instance, SL_EMPTY);
	strbuf_addch(out, '}');
}

static void put_line(const struct federation *f, struct strbuf *out, const struct line *l)
{
	char text[DOUBLE_TEXT_MAX];
	bool name_is_inside = f->allows_utf8 && !metric_name_valid_legacy(l->name);
	if (name_is_inside)
		strbuf_addch(out, '{');
	put_metric_name(f, out, l->name);
	put_labels(f, out, l, name_is_inside);
	strbuf_addch(out, ' ');
	strbuf_add(out, text, double_to_go_g(l->v, text));
	strbuf_addf(out, " %" PRId64 "\n", l->t_ms);
}

static void put_lines(struct federation *f, struct strbuf *out)
{
	if (f->lines.len)
		qsort(f->lines.v, f->lines.len, sizeof(f->lines.v[0]), by_name_then_labels);
	const struct line *before = NULL;
	VEC_EACH (struct line, l, &f->lines) {
		if (before && same_series(before, l))
			continue;
		if (!before || !slice_eq(before->name, l->name)) {
			strbuf_adds(out, "# TYPE ");
			put_metric_name(f, out, l->name);
			strbuf_adds(out, " untyped\n");
		}
		put_line(f, out, l);
		before = l;
	}
}

/* --- the request ------------------------------------------------------------------------------------------------- */

static int open_querier(struct federation *f, struct err *err)
{
	const struct web_deps *d = &f->web->deps;
	int64_t now_ms = clock_now_ms(f->web->options.clock);
	int64_t lookback_ms = d->lookback_ms ? d->lookback_ms : DEFAULT_LOOKBACK_MS;
	f->hints = (struct select_hints){
	    .start_ms = now_ms - lookback_ms + 1, .end_ms = now_ms, .newest_only = true};
	return d->queryable->open(d->queryable, f->hints.start_ms, now_ms, &f->querier, err);
}

static int federate(struct federation *f, struct http_request *req, struct strbuf *out, struct err *err)
{
	int rc = open_querier(f, err);
	struct slice text;
	for (size_t k = 0; rc == 0 && http_req_param_at(req, "match[]", k, &text); k++)
		rc = add_selector(f, text, err);
	if (rc == 0)
		put_lines(f, out);
	return rc;
}

static bool contains(struct slice s, const char *word)
{
	return s.len && memmem(s.ptr, s.len, word, strlen(word)) != NULL;
}

static void reply_error(struct http_request *req, int rc, struct err *err)
{
	if (rc != ERR_INVALID)
		counter_add(M_WEB_FEDERATION_ERRORS, 1);
	char *text = xasprintf("%s\n", err->msg);
	http_reply_text(req, rc == ERR_INVALID ? 400 : rc == ERR_UNAVAILABLE ? 503 : 500, text);
	free(text);
}

void page_federate(struct web *web, struct http_request *req)
{
	struct federation f = {.web = web, .arena = arena_new(FEDERATE_ARENA_BYTES)};
	f.allows_utf8 = contains(http_req_header(req, "Accept"), "escaping=allow-utf-8");
	f.config = web->deps.config.get ? web->deps.config.get(web->deps.config.arg) : NULL;
	sample_column_init(&f.column, f.arena);
	struct strbuf out = STRBUF_INIT;
	struct err err = {0};
	int rc = federate(&f, req, &out, &err);
	if (rc == 0)
		http_reply(req, 200,
		    f.allows_utf8 ? "text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8"
				  : "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
		    &out);
	else
		reply_error(req, rc, &err);
	strbuf_done(&out);
	sample_column_done(&f.column);
	line_vec_done(&f.lines);
	if (f.querier)
		f.querier->ops->close(f.querier);
	config_generation_unref(f.config);
	arena_free(f.arena);
}
