#include "template/template_funcs.h"

#include "base/double_text.h"
#include "base/letter_case.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "model/duration.h"
#include "model/label_regex.h"
#include "net/url.h"
#include "template/go_time.h"
#include "template/template_call.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* --- numbers ------------------------------------------------------------------------------------------------------------ */

static int humanized(struct template_exec *x, const struct template_value *arg,
    void (*how)(struct strbuf *out, double v), struct template_value *out, struct err *err)
{
	double v;
	int rc = template_to_float(arg, &v, err);
	if (rc)
		return rc;
	struct strbuf sb = STRBUF_INIT;
	how(&sb, v);
	*out = template_take_text(x, &sb);
	return 0;
}

FUNC(func_humanize)
{
	(void)n;
	return humanized(x, args, template_humanize, out, err);
}

FUNC(func_humanize_1024)
{
	(void)n;
	return humanized(x, args, template_humanize_1024, out, err);
}

FUNC(func_humanize_duration)
{
	(void)n;
	return humanized(x, args, template_humanize_duration, out, err);
}

static void humanize_percentage(struct strbuf *out, double v)
{
	v *= 100;
	if (isfinite(v))
		strbuf_addf(out, "%.4g%%", v);
	else
		strbuf_addf(out, "%s%%", isnan(v) ? "NaN" : v < 0 ? "-Inf" : "+Inf");
}

FUNC(func_humanize_percentage)
{
	(void)n;
	return humanized(x, args, humanize_percentage, out, err);
}

/* Seconds as a Go time; what does not fit 64 bits of nanoseconds is refused. */
static int time_of_seconds(double v, struct template_value *out, struct err *err)
{
	double ns = v * 1e9;
	if (!(ns > -0x1p63 && ns < 0x1p63)) {
		char text[DOUBLE_TEXT_MAX];
		size_t len = double_to_go_g(v, text);
		return err_set(err, ERR_INVALID,
		    "%.*s cannot be represented as a nanoseconds timestamp since it overflows int64",
		    (int)len, text);
	}
	int64_t total = (int64_t)ns;
	int64_t s = total / 1000000000, rest = total % 1000000000;
	if (rest < 0) {
		s--;
		rest += 1000000000;
	}
	*out = (struct template_value){.kind = TV_TIME, .as.time = {s, (int32_t)rest}};
	return 0;
}

FUNC(func_to_time)
{
	(void)x;
	(void)n;
	double v;
	int rc = template_to_float(args, &v, err);
	return rc ? rc : time_of_seconds(v, out, err);
}

FUNC(func_humanize_timestamp)
{
	(void)n;
	double v;
	int rc = template_to_float(args, &v, err);
	if (rc)
		return rc;
	struct strbuf sb = STRBUF_INIT;
	if (!isfinite(v)) {
		template_humanize(&sb, v);
	} else {
		struct template_value t;
		rc = time_of_seconds(v, &t, err);
		if (rc)
			return rc;
		/* Floats carry about microseconds here: Prometheus cuts to milliseconds on the way. */
		t.as.time.ns -= t.as.time.ns % 1000000;
		go_time_print(&sb, t.as.time.s, t.as.time.ns);
	}
	*out = template_take_text(x, &sb);
	return 0;
}

FUNC(func_to_duration)
{
	(void)x;
	(void)n;
	double v;
	int rc = template_to_float(args, &v, err);
	if (rc == 0)
		*out = template_duration_ns((int64_t)(v * 1e9));
	return rc;
}

FUNC(func_parse_duration)
{
	(void)x;
	(void)n;
	struct slice s = SL_EMPTY;
	int64_t ms;
	int rc = template_want_text(args, &s, err);
	bool negative = rc == 0 && s.len && s.ptr[0] == '-';
	if (rc == 0)
		rc = duration_parse(negative ? slice_from(s, 1) : s, &ms, err);
	if (rc == 0)
		*out = template_float((negative ? -1.0 : 1.0) * (double)ms / 1000);
	return rc;
}

/* --- text ----------------------------------------------------------------------------------------------------------------- */

/* Upper-cases the first letter of each word and leaves the rest. */
static void title(struct strbuf *out, struct slice s)
{
	bool in_word = false;
	while (s.len) {
		size_t n;
		char text[4];
		uint32_t rune = utf8_decode(s, &n);
		bool is_word = letter_is_word(rune) || (rune == '\'' && in_word);
		if (is_word && !in_word)
			strbuf_add(out, text, utf8_encode(letter_upper(rune), text));
		else
			strbuf_add(out, s.ptr, n);
		in_word = is_word;
		s = slice_from(s, n);
	}
}

static int mapped(struct template_exec *x, const struct template_value *arg,
    void (*how)(struct strbuf *out, struct slice s), struct template_value *out, struct err *err)
{
	struct slice s = SL_EMPTY;
	int rc = template_want_text(arg, &s, err);
	if (rc)
		return rc;
	struct strbuf sb = STRBUF_INIT;
	how(&sb, s);
	*out = template_take_text(x, &sb);
	return 0;
}

FUNC(func_title)
{
	(void)n;
	return mapped(x, args, title, out, err);
}

FUNC(func_to_upper)
{
	(void)n;
	return mapped(x, args, letter_case_upper, out, err);
}

FUNC(func_to_lower)
{
	(void)n;
	return mapped(x, args, letter_case_lower, out, err);
}

FUNC(func_url_query_escape)
{
	(void)n;
	return mapped(x, args, url_query_escape, out, err);
}

FUNC(func_safe_html)
{
	(void)x;
	(void)n;
	struct slice s = SL_EMPTY;
	int rc = template_want_text(args, &s, err);
	if (rc == 0) {
		*out = template_text(s);
		out->is_safe = true;
	}
	return rc;
}

FUNC(func_match)
{
	(void)x;
	(void)n;
	struct slice pattern = SL_EMPTY, s = SL_EMPTY;
	int rc = template_want_text(&args[0], &pattern, err);
	if (rc == 0)
		rc = template_want_text(&args[1], &s, err);
	struct label_regex *re = NULL;
	if (rc == 0)
		rc = label_regex_new(pattern, &re, err);
	if (rc == 0)
		*out = template_bool(label_regex_search(re, s));
	label_regex_free(re);
	return rc;
}

FUNC(func_re_replace_all)
{
	(void)n;
	struct slice text[3];
	struct label_regex *re;
	for (size_t i = 0; i < 3; i++) {
		int rc = template_want_text(&args[i], &text[i], err);
		if (rc)
			return rc;
	}
	int rc = label_regex_new(text[0], &re, err);
	if (rc)
		return rc;
	struct strbuf sb = STRBUF_INIT;
	label_regex_replace_all(re, text[2], text[1], &sb);
	label_regex_free(re);
	*out = template_take_text(x, &sb);
	return 0;
}

/* The host of "host:port", "[v6]:port"; false: there is no port. */
static bool split_port(struct slice s, struct slice *host, struct slice *port)
{
	size_t colon = s.len;
	while (colon > 0 && s.ptr[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return false;
	*host = slice_of(s.ptr, colon - 1);
	*port = slice_from(s, colon);
	bool bracketed = host->len >= 2 && host->ptr[0] == '[' && host->ptr[host->len - 1] == ']';
	if (bracketed)
		*host = slice_of(host->ptr + 1, host->len - 2);
	return bracketed || slice_find(*host, ':') == host->len;
}

FUNC(func_strip_port)
{
	(void)x;
	(void)n;
	struct slice s = SL_EMPTY, host, port;
	int rc = template_want_text(args, &s, err);
	if (rc == 0)
		*out = template_text(split_port(s, &host, &port) ? host : s);
	return rc;
}

static bool is_ip(struct slice host)
{
	char text[INET6_ADDRSTRLEN], binary[16];
	if (host.len >= sizeof(text))
		return false;
	memcpy(text, host.ptr, host.len);
	text[host.len] = '\0';
	return inet_pton(AF_INET, text, binary) == 1 || inet_pton(AF_INET6, text, binary) == 1;
}

FUNC(func_strip_domain)
{
	(void)n;
	struct slice s = SL_EMPTY, host, port;
	int rc = template_want_text(args, &s, err);
	if (rc)
		return rc;
	bool has_port = split_port(s, &host, &port);
	if (!has_port)
		host = s;
	*out = template_text(s);
	if (is_ip(host))
		return 0;
	struct strbuf sb = STRBUF_INIT;
	strbuf_add(&sb, host.ptr, slice_find(host, '.'));
	if (has_port)
		strbuf_addf(&sb, ":%" SL_FMT, SL_ARG(port));
	*out = template_take_text(x, &sb);
	return 0;
}

/* --- containers ------------------------------------------------------------------------------------------------------------ */

FUNC(func_args)
{
	(void)err;
	struct arena *arena = template_exec_arena(x);
	struct template_entry *entries = ARENA_ARRAY(arena, struct template_entry, n);
	for (size_t i = 0; i < n; i++)
		entries[i] = (struct template_entry){arena_printf(arena, "arg%zu", i), args[i]};
	*out = template_map(entries, n, false);
	return 0;
}

struct sorted {
	struct slice key;
	size_t at;
	struct template_value value;
};

static int compare_sorted(const void *p, const void *q)
{
	const struct sorted *a = p, *b = q;
	int c = slice_cmp(a->key, b->key);
	return c ? c : (a->at > b->at) - (a->at < b->at);
}

/* --- samples of a query ----------------------------------------------------------------------------------------------------- */

static int sample_get(struct template_exec *x, const struct template_value *self, struct slice name,
    const struct template_value *args, size_t n, struct template_value *out, struct err *err)
{
	const struct template_sample *s = self->as.object;
	(void)args;
	(void)n;
	(void)err;
	if (slice_eq(name, SL("Labels")))
		*out = template_labels(template_exec_arena(x), s->labels);
	else if (slice_eq(name, SL("Value")) && s->histogram)
		*out = (struct template_value){.kind = TV_HISTOGRAM, .as.histogram = s->histogram};
	else if (slice_eq(name, SL("Value")))
		*out = template_float(s->value);
	else
		return ERR_NOT_FOUND;
	return 0;
}

static const struct template_class sample_class = {"*template.sample", sample_get, NULL};
static const struct template_class result_class = {"template.queryResult", NULL, NULL};

static int want_sample(const struct template_value *v, const struct template_sample **out, struct err *err)
{
	if (v->kind != TV_OBJECT || v->class != &sample_class) {
		err_set(err, ERR_INVALID, "wrong type for value; expected *template.sample; got %s",
		    template_type_name(v));
		return ERR_INVALID;
	}
	*out = v->as.object;
	return 0;
}

FUNC(func_query)
{
	(void)n;
	const struct template_env *env = template_exec_user(x);
	struct arena *arena = template_exec_arena(x);
	struct slice expr = SL_EMPTY;
	struct template_sample *samples;
	size_t count;
	int rc = template_want_text(args, &expr, err);
	if (rc)
		return rc;
	if (!env || !env->query)
		return err_set(err, ERR_INVALID, "no queries can be run here");
	rc = env->query(env->query_arg, expr, env->now_ms, arena, &samples, &count, err);
	if (rc)
		return rc;
	struct template_value *v = ARENA_ARRAY(arena, struct template_value, count);
	for (size_t i = 0; i < count; i++)
		v[i] = template_object(&sample_class, &samples[i]);
	*out = template_list(v, count);
	out->class = &result_class;
	return 0;
}

FUNC(func_first)
{
	(void)x;
	(void)n;
	if (args->kind != TV_LIST)
		return err_set(err, ERR_INVALID,
		    "wrong type for value; expected template.queryResult; got %s", template_type_name(args));
	if (!args->as.list.n)
		return err_set(err, ERR_INVALID, "first() called on vector with no elements");
	*out = args->as.list.v[0];
	return 0;
}

FUNC(func_value)
{
	(void)n;
	const struct template_sample *s = NULL;
	int rc = want_sample(args, &s, err);
	return rc ? rc : sample_get(x, args, SL("Value"), NULL, 0, out, err);
}

FUNC(func_label)
{
	(void)x;
	(void)n;
	const struct template_sample *s = NULL;
	struct slice name = SL_EMPTY;
	int rc = template_want_text(&args[0], &name, err);
	if (rc == 0)
		rc = want_sample(&args[1], &s, err);
	if (rc == 0)
		*out = template_text(labels_get(s->labels, name));
	return rc;
}

FUNC(func_strvalue)
{
	(void)x;
	(void)n;
	const struct template_sample *s = NULL;
	int rc = want_sample(args, &s, err);
	if (rc == 0)
		*out = template_text(labels_get(s->labels, SL("__value__")));
	return rc;
}

FUNC(func_sort_by_label)
{
	(void)n;
	struct slice name = SL_EMPTY;
	int rc = template_want_text(&args[0], &name, err);
	if (rc)
		return rc;
	if (args[1].kind != TV_LIST)
		return err_set(err, ERR_INVALID,
		    "wrong type for value; expected template.queryResult; got %s",
		    template_type_name(&args[1]));
	size_t count = args[1].as.list.n;
	struct arena *arena = template_exec_arena(x);
	struct sorted *sorted = ARENA_ARRAY(arena, struct sorted, count);
	for (size_t i = 0; i < count; i++) {
		const struct template_sample *s;
		rc = want_sample(&args[1].as.list.v[i], &s, err);
		if (rc)
			return rc;
		sorted[i] = (struct sorted){labels_get(s->labels, name), i, args[1].as.list.v[i]};
	}
	if (count)
		qsort(sorted, count, sizeof(*sorted), compare_sorted);
	struct template_value *v = ARENA_ARRAY(arena, struct template_value, count);
	for (size_t i = 0; i < count; i++)
		v[i] = sorted[i].value;
	*out = template_list(v, count);
	out->class = &result_class;
	return 0;
}

/* --- environment -------------------------------------------------------------------------------------------------------------- */

FUNC(func_now)
{
	(void)args;
	(void)n;
	(void)err;
	const struct template_env *env = template_exec_user(x);
	*out = template_float(env ? (double)env->now_ms / 1000 : 0);
	return 0;
}

FUNC(func_external_url)
{
	(void)args;
	(void)n;
	(void)err;
	const struct template_env *env = template_exec_user(x);
	*out = template_text(env ? env->external_url : SL_EMPTY);
	return 0;
}

FUNC(func_path_prefix)
{
	(void)args;
	(void)n;
	const struct template_env *env = template_exec_user(x);
	struct url u;
	int rc = url_parse(env ? env->external_url : SL_EMPTY, &u, err);
	if (rc == 0)
		*out = template_text(u.path);
	return rc;
}

static int link_to(struct template_exec *x, const struct template_value *arg, const char *tab,
    struct template_value *out, struct err *err)
{
	struct slice expr = SL_EMPTY;
	int rc = template_want_text(arg, &expr, err);
	if (rc)
		return rc;
	struct strbuf sb = STRBUF_INIT;
	strbuf_adds(&sb, "/graph?g0.expr=");
	url_query_escape(&sb, expr);
	strbuf_addf(&sb, "&g0.tab=%s", tab);
	*out = template_take_text(x, &sb);
	return 0;
}

FUNC(func_graph_link)
{
	(void)n;
	return link_to(x, args, "0", out, err);
}

FUNC(func_table_link)
{
	(void)n;
	return link_to(x, args, "1", out, err);
}

/* --- tables ------------------------------------------------------------------------------------------------------------------- */

static const struct template_func general[] = {
    {"args", 0, TEMPLATE_VARIADIC, func_args},
    {"humanize", 1, 1, func_humanize},
    {"humanize1024", 1, 1, func_humanize_1024},
    {"humanizeDuration", 1, 1, func_humanize_duration},
    {"humanizePercentage", 1, 1, func_humanize_percentage},
    {"humanizeTimestamp", 1, 1, func_humanize_timestamp},
    {"match", 2, 2, func_match},
    {"parseDuration", 1, 1, func_parse_duration},
    {"reReplaceAll", 3, 3, func_re_replace_all},
    {"safeHtml", 1, 1, func_safe_html},
    {"sortByLabel", 2, 2, func_sort_by_label},
    {"stripDomain", 1, 1, func_strip_domain},
    {"stripPort", 1, 1, func_strip_port},
    {"title", 1, 1, func_title},
    {"toDuration", 1, 1, func_to_duration},
    {"toLower", 1, 1, func_to_lower},
    {"toTime", 1, 1, func_to_time},
    {"toUpper", 1, 1, func_to_upper},
    {"urlQueryEscape", 1, 1, func_url_query_escape},
};

static const struct template_func prometheus[] = {
    {"externalURL", 0, 0, func_external_url},
    {"first", 1, 1, func_first},
    {"graphLink", 1, 1, func_graph_link},
    {"label", 2, 2, func_label},
    {"now", 0, 0, func_now},
    {"pathPrefix", 0, 0, func_path_prefix},
    {"query", 1, 1, func_query},
    {"strvalue", 1, 1, func_strvalue},
    {"tableLink", 1, 1, func_table_link},
    {"value", 1, 1, func_value},
};

const struct template_funcs template_general_funcs = {general, ARRAY_LEN(general), NULL};
const struct template_funcs template_prometheus_funcs = {
    prometheus, ARRAY_LEN(prometheus), &template_general_funcs};
