#include "alertmanager/notify_funcs.h"

#include "alertmanager/notify_data.h"
#include "base/utf8.h"
#include "model/time_zone.h"
#include "net/url.h"
#include "template/go_time.h"
#include "template/template_call.h"
#include "template/template_funcs.h"

enum { MAX_ROUTE_LABEL_DEPTH = 32, MAX_OUTPUT_BYTES = 16 << 20 };

static int want_time(const struct template_value *v, struct err *err)
{
	if (v->kind == TV_TIME)
		return 0;
	return err_set(
	    err, ERR_INVALID, "wrong type for value; expected time.Time; got %s", template_type_name(v));
}

/* --- text -------------------------------------------------------------------------------------------------------- */
FUNC(func_trim_space)
{
	(void)x, (void)n;
	struct slice s = SL_EMPTY;
	int rc = template_want_text(&args[0], &s, err);
	if (rc == 0)
		*out = template_text(slice_trim(s));
	return rc;
}

FUNC(func_join)
{
	(void)n;
	struct slice separator = SL_EMPTY, item = SL_EMPTY;
	int rc = template_want_text(&args[0], &separator, err);
	if (rc == 0 && args[1].kind != TV_LIST)
		rc = err_set(err, ERR_INVALID, "wrong type for value; expected []string; got %s",
		    template_type_name(&args[1]));
	struct strbuf sb = STRBUF_INIT;
	for (size_t i = 0; rc == 0 && i < args[1].as.list.n; i++) {
		rc = template_want_text(&args[1].as.list.v[i], &item, err);
		if (rc == 0 && i > 0)
			strbuf_add_slice(&sb, separator);
		if (rc == 0)
			strbuf_add_slice(&sb, item);
	}
	if (rc == 0)
		*out = template_take_text(x, &sb);
	strbuf_done(&sb);
	return rc;
}

FUNC(func_string_slice)
{
	struct slice text;
	for (size_t i = 0; i < n; i++) {
		int rc = template_want_text(&args[i], &text, err);
		if (rc)
			return rc;
	}
	struct template_value *v = ARENA_ARRAY(template_exec_arena(x), struct template_value, n);
	for (size_t i = 0; i < n; i++)
		v[i] = args[i];
	*out = template_list(v, n);
	return 0;
}

FUNC(func_safe_url)
{
	(void)x, (void)n;
	struct slice s = SL_EMPTY;
	int rc = template_want_text(&args[0], &s, err);
	if (rc)
		return rc;
	*out = template_text(s);
	out->is_safe = true;
	return 0;
}

/* Go refuses an escape that is none; url_decode() would keep it. */
static bool has_bad_escape(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] != '%')
			continue;
		for (size_t k = 1; k <= 2; k++) {
			char c = i + k < s.len ? s.ptr[i + k] : '\0';
			bool is_hex = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f');
			if (!is_hex)
				return true;
		}
	}
	return false;
}

FUNC(func_url_unescape)
{
	(void)n;
	struct slice s = SL_EMPTY;
	int rc = template_want_text(&args[0], &s, err);
	if (rc)
		return rc;
	if (has_bad_escape(s))
		return err_set(err, ERR_INVALID, "invalid URL escape in \"%" SL_FMT "\"", SL_ARG(s));
	*out = template_text(url_decode(s, true, template_exec_arena(x)));
	return 0;
}

/* --- base64, of the URL-safe alphabet ---------------------------------------------------------------------------- */
static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

FUNC(func_base64_encode)
{
	(void)n;
	struct slice s = SL_EMPTY;
	int rc = template_want_text(&args[0], &s, err);
	if (rc)
		return rc;
	struct strbuf sb = STRBUF_INIT;
	for (size_t i = 0; i < s.len; i += 3) {
		uint32_t group = (uint32_t)(unsigned char)s.ptr[i] << 16;
		group |= i + 1 < s.len ? (uint32_t)(unsigned char)s.ptr[i + 1] << 8 : 0;
		group |= i + 2 < s.len ? (uint32_t)(unsigned char)s.ptr[i + 2] : 0;
		strbuf_addch(&sb, base64_digits[group >> 18]);
		strbuf_addch(&sb, base64_digits[group >> 12 & 63]);
		strbuf_addch(&sb, i + 1 < s.len ? base64_digits[group >> 6 & 63] : '=');
		strbuf_addch(&sb, i + 2 < s.len ? base64_digits[group & 63] : '=');
	}
	*out = template_take_text(x, &sb);
	return 0;
}

FUNC(func_base64_decode)
{
	(void)n;
	struct slice s = SL_EMPTY;
	int rc = template_want_text(&args[0], &s, err);
	if (rc)
		return rc;
	size_t padding = 0;
	while (padding < 2 && padding < s.len && s.ptr[s.len - 1 - padding] == '=')
		padding++;
	struct strbuf sb = STRBUF_INIT;
	uint32_t bits = 0, n_bits = 0;
	bool is_good = s.len % 4 == 0;
	for (size_t i = 0; is_good && i < s.len - padding; i++) {
		const char *digit = s.ptr[i] ? strchr(base64_digits, s.ptr[i]) : NULL;
		is_good = digit != NULL;
		bits = is_good ? bits << 6 | (uint32_t)(digit - base64_digits) : 0;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			strbuf_addch(&sb, (char)(bits >> n_bits & 255));
		}
	}
	*out = template_take_text(x, &sb);
	return is_good ? 0 : err_set(err, ERR_INVALID, "illegal base64 data");
}

/* --- lists and maps ---------------------------------------------------------------------------------------------- */
FUNC(func_list)
{
	(void)err;
	struct template_value *v = ARENA_ARRAY(template_exec_arena(x), struct template_value, n);
	for (size_t i = 0; i < n; i++)
		v[i] = args[i];
	*out = template_list(v, n);
	return 0;
}

FUNC(func_append)
{
	if (args[0].kind != TV_LIST)
		return err_set(err, ERR_INVALID, "wrong type for value; expected []interface {}; got %s",
		    template_type_name(&args[0]));
	size_t before = args[0].as.list.n;
	struct template_value *v = ARENA_ARRAY(template_exec_arena(x), struct template_value, before + n - 1);
	for (size_t i = 0; i < before; i++)
		v[i] = args[0].as.list.v[i];
	for (size_t i = 1; i < n; i++)
		v[before + i - 1] = args[i];
	*out = template_list(v, before + n - 1);
	return 0;
}

FUNC(func_dict)
{
	if (n % 2)
		return err_set(err, ERR_INVALID, "dict expects an even number of arguments");
	struct template_entry *v = ARENA_ARRAY(template_exec_arena(x), struct template_entry, n / 2);
	for (size_t i = 0; i < n / 2; i++) {
		if (args[2 * i].kind != TV_STRING)
			return err_set(err, ERR_INVALID, "dict keys must be strings");
		v[i] = (struct template_entry){args[2 * i].as.text, args[2 * i + 1]};
	}
	*out = template_map(v, n / 2, false);
	return 0;
}

FUNC(func_to_json)
{
	(void)n, (void)err;
	struct strbuf sb = STRBUF_INIT;
	struct json j;
	json_init(&j, &sb);
	notify_data_json(&j, &args[0], template_exec_arena(x));
	*out = template_take_text(x, &sb);
	return 0;
}

/* --- time -------------------------------------------------------------------------------------------------------- */
FUNC(func_now)
{
	(void)args, (void)n, (void)err;
	const struct notify_env *env = template_exec_user(x);
	*out = template_time_ms(env->now_ms);
	return 0;
}

FUNC(func_since)
{
	(void)n;
	const struct notify_env *env = template_exec_user(x);
	int rc = want_time(&args[0], err);
	if (rc == 0)
		*out = template_duration_ns(
		    (env->now_ms - args[0].as.time.s * 1000) * 1000000 - args[0].as.time.ns);
	return rc;
}

FUNC(func_date)
{
	(void)n;
	struct slice layout = SL_EMPTY;
	int rc = template_want_text(&args[0], &layout, err);
	if (rc == 0)
		rc = want_time(&args[1], err);
	if (rc)
		return rc;
	struct strbuf sb = STRBUF_INIT;
	go_time_format(&sb, layout, args[1].as.time.s, args[1].as.time.ns);
	*out = template_take_text(x, &sb);
	return 0;
}

/* The wall clock's time there. Times carry no zone here, so a layout that prints one still prints UTC. */
FUNC(func_tz)
{
	(void)n;
	struct slice name = SL_EMPTY;
	const struct time_zone *zone;
	int rc = template_want_text(&args[0], &name, err);
	if (rc == 0)
		rc = want_time(&args[1], err);
	if (rc == 0)
		rc = time_zone_load(template_exec_arena(x), name, &zone, err);
	if (rc)
		return ERR_INVALID;
	*out = args[1];
	out->as.time.s += time_zone_offset(zone, args[1].as.time.s, NULL);
	return 0;
}

static int parse_date(
    const struct template_value *args, struct template_value *out, bool must, struct err *err)
{
	struct slice layout = SL_EMPTY, text = SL_EMPTY;
	int rc = template_want_text(&args[0], &layout, err);
	if (rc == 0)
		rc = template_want_text(&args[1], &text, err);
	if (rc)
		return rc;
	struct template_value v = template_time_ms(0);
	rc = go_time_parse(layout, text, &v.as.time.s, &v.as.time.ns, err);
	if (rc && must)
		return rc;
	if (rc)
		v = template_time_ms(-62135596800000);
	*out = v;
	return 0;
}

FUNC(func_to_date)
{
	(void)x, (void)n;
	return parse_date(args, out, false, err);
}

FUNC(func_must_to_date)
{
	(void)x, (void)n;
	return parse_date(args, out, true, err);
}

/* --- labels of the route ----------------------------------------------------------------------------------------- */
FUNC(func_route_labels)
{
	(void)n;
	struct notify_env *env = template_exec_user(x);
	const struct config_pairs *pairs = env->notification->route_label_templates;
	struct slice name = SL_EMPTY;
	int rc = template_want_text(&args[0], &name, err);
	if (rc)
		return rc;
	*out = template_text(SL_EMPTY);
	for (size_t i = 0; i < pairs->n; i++) {
		if (!slice_eq(pairs->v[i].name, name))
			continue;
		if (env->route_label_depth == MAX_ROUTE_LABEL_DEPTH)
			return err_set(
			    err, ERR_INVALID, "route label \"%" SL_FMT "\" refers to itself", SL_ARG(name));
		struct strbuf sb;
		strbuf_init(&sb, MAX_OUTPUT_BYTES);
		env->route_label_depth++;
		rc = notify_expand(env, pairs->v[i].value, false, template_exec_arena(x), &sb, err);
		env->route_label_depth--;
		*out = template_take_text(x, &sb);
		return rc;
	}
	return 0;
}

static const struct template_func funcs[] = {
    {"append", 1, TEMPLATE_VARIADIC, func_append},
    {"base64decode", 1, 1, func_base64_decode},
    {"base64encode", 1, 1, func_base64_encode},
    {"date", 2, 2, func_date},
    {"dict", 0, TEMPLATE_VARIADIC, func_dict},
    {"join", 2, 2, func_join},
    {"list", 0, TEMPLATE_VARIADIC, func_list},
    {"mustToDate", 2, 2, func_must_to_date},
    {"now", 0, 0, func_now},
    {"routeLabels", 1, 1, func_route_labels},
    {"safeUrl", 1, 1, func_safe_url},
    {"since", 1, 1, func_since},
    {"stringSlice", 0, TEMPLATE_VARIADIC, func_string_slice},
    {"toDate", 2, 2, func_to_date},
    {"toJson", 1, 1, func_to_json},
    {"trimSpace", 1, 1, func_trim_space},
    {"tz", 2, 2, func_tz},
    {"urlUnescape", 1, 1, func_url_unescape},
};

const struct template_funcs notify_template_funcs = {funcs, ARRAY_LEN(funcs), &template_general_funcs};

int notify_expand(struct notify_env *env, struct slice text, bool escape_html, struct arena *arena,
    struct strbuf *out, struct err *err)
{
	struct template_set *set = template_set_clone(arena, env->set);
	int rc = template_parse(set, SL_EMPTY, text, err);
	if (rc)
		return rc;
	struct template_value root = notify_data_root(env->notification);
	struct template_options options = {
	    .user = env, .missing_key = TEMPLATE_MISSING_ZERO, .escape_html = escape_html};
	return template_exec(set, SL_EMPTY, &root, &options, arena, out, err);
}
