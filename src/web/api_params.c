/* Parameters of the API, with the texts of upstream's web/api/v1. */
#include "web/api_call.h"

#include "base/double_text.h"
#include "base/utf8.h"
#include "model/duration.h"

#include <math.h>

struct slice api_param(struct api_call *c, const char *name)
{
	struct slice s;
	return http_req_param(c->req, name, &s) ? s : SL_EMPTY;
}

bool api_has_param(struct api_call *c, const char *name)
{
	return api_param(c, name).len > 0;
}

static int wrong_param(struct err *err, const char *name)
{
	return err_prefix(err, "invalid parameter \"%s\": ", name);
}

static const char *quoted(struct arena *arena, struct slice s)
{
	struct strbuf sb = STRBUF_INIT;
	utf8_quote_go(&sb, s);
	const char *copy = arena_strdup(arena, strbuf_slice(&sb));
	strbuf_done(&sb);
	return copy;
}

/* Seconds to milliseconds: the fraction is rounded, half away from zero; what no clock can mean is cut. */
static bool seconds_to_ms(double s, int64_t *t_ms)
{
	double whole;
	double fraction = modf(s, &whole);
	if (!isfinite(s))
		return false;
	double ms = whole * 1000 + round(fraction * 1000);
	*t_ms = ms <= (double)API_MIN_MS ? API_MIN_MS : ms >= (double)API_MAX_MS ? API_MAX_MS : (int64_t)ms;
	return true;
}

int api_parse_time(struct arena *arena, struct slice s, int64_t *t_ms, struct err *err)
{
	double seconds;
	if (double_parse(s, &seconds) && seconds_to_ms(seconds, t_ms))
		return 0;
	if (rfc3339_parse(s, t_ms, NULL) == 0)
		return 0;
	/* What the API itself prints for the two ends of time, which RFC 3339 cannot say. */
	if (slice_eq(s, SL("-292273086-05-16T16:47:06Z"))) {
		*t_ms = API_MIN_MS;
		return 0;
	}
	if (slice_eq(s, SL("+292277025-08-18T07:12:54.999999999Z"))) {
		*t_ms = API_MAX_MS;
		return 0;
	}
	return err_set(err, ERR_INVALID, "cannot parse %s to a valid timestamp", quoted(arena, s));
}

int api_parse_duration(struct arena *arena, struct slice s, int64_t *ms, struct err *err)
{
	static const double max_ns = 0x1p63;
	double seconds;
	if (double_parse(s, &seconds)) {
		double ns = seconds * 1e9;
		if (!(fabs(ns) <= max_ns))
			return err_set(err, ERR_INVALID,
			    "cannot parse %s to a valid duration. It overflows int64", quoted(arena, s));
		*ms = (int64_t)(ns / 1e6);
		return 0;
	}
	if (duration_parse(s, ms, NULL) == 0)
		return 0;
	return err_set(err, ERR_INVALID, "cannot parse %s to a valid duration", quoted(arena, s));
}

int api_param_time(struct api_call *c, const char *name, int64_t *t_ms, struct err *err)
{
	int rc = api_parse_time(c->arena, api_param(c, name), t_ms, err);
	return rc ? wrong_param(err, name) : 0;
}

int api_param_duration(struct api_call *c, const char *name, int64_t *ms, struct err *err)
{
	int rc = api_parse_duration(c->arena, api_param(c, name), ms, err);
	return rc ? wrong_param(err, name) : 0;
}

int api_param_time_or(struct api_call *c, const char *name, int64_t def_ms, int64_t *t_ms, struct err *err)
{
	struct slice s = api_param(c, name);
	if (s.len == 0) {
		*t_ms = def_ms;
		return 0;
	}
	if (api_parse_time(c->arena, s, t_ms, err) == 0)
		return 0;
	err_prefix(err, "invalid time value for '%s': ", name);
	return wrong_param(err, name);
}

int api_param_range(struct api_call *c, int64_t *start_ms, int64_t *end_ms, struct err *err)
{
	int rc = api_param_time_or(c, "start", API_MIN_MS, start_ms, err);
	return rc ? rc : api_param_time_or(c, "end", API_MAX_MS, end_ms, err);
}

bool api_parse_count(struct slice s, double *v)
{
	bool has_sign = s.len > 1 && (s.ptr[0] == '-' || s.ptr[0] == '+');
	struct slice digits = slice_from(s, has_sign);
	for (size_t i = 0; i < digits.len; i++)
		if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
			return false;
	return double_parse(s, v) && fabs(*v) < 0x1p63;
}

int api_param_limit(struct api_call *c, uint64_t *limit, struct err *err)
{
	struct slice s = api_param(c, "limit");
	double v = 0;
	if (s.len && !api_parse_count(s, &v))
		return err_set(err, ERR_INVALID,
		    "invalid parameter \"limit\": strconv.Atoi: parsing %s: invalid syntax",
		    api_quoted(c, s));
	if (v < 0)
		return err_set(err, ERR_INVALID, "invalid parameter \"limit\": limit must be non-negative");
	*limit = (uint64_t)v;
	return 0;
}

static bool has_non_empty(const struct matcher_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		if (!matcher_matches_empty(set->v[i]))
			return true;
	return false;
}

int api_param_matchers(struct api_call *c, struct matcher_set_vec *out, struct err *err)
{
	struct slice text;
	for (size_t k = 0; http_req_param_at(c->req, "match[]", k, &text); k++) {
		struct matcher_set set;
		if (promql_parse_selector(c->arena, text, &set.v, &set.n, err))
			return wrong_param(err, "match[]");
		matcher_set_vec_push(out, set);
	}
	VEC_EACH (struct matcher_set, set, out)
		if (!has_non_empty(set))
			return err_set(err, ERR_INVALID,
			    "invalid parameter \"match[]\": match[] must contain at least one non-empty "
			    "matcher");
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Behind an underscore: "_" means itself, "2e_" the code point. How many bytes were taken; 0: no escape. */
static size_t unescape_one(struct slice s, uint32_t *rune)
{
	enum { MAX_HEX = 6 };
	*rune = '_';
	if (s.len && s.ptr[0] == '_')
		return 1;
	uint32_t v = 0;
	for (size_t i = 0; i < s.len && i <= MAX_HEX; i++) {
		if (s.ptr[i] == '_' && i > 0) {
			*rune = v;
			return v > 0x10ffff || (v >= 0xd800 && v < 0xe000) ? 0 : i + 1;
		}
		int digit = hex_digit(s.ptr[i]);
		if (digit < 0)
			return 0;
		v = v * 16 + (uint32_t)digit;
	}
	return 0;
}

struct slice api_unescape_name(struct arena *arena, struct slice name)
{
	if (!slice_starts(name, SL("U__")))
		return name;
	char *out = arena_alloc(arena, name.len + 4), *p = out;
	for (struct slice rest = slice_from(name, 3); rest.len;) {
		char ch = rest.ptr[0];
		rest = slice_from(rest, 1);
		if (ch != '_') {
			*p++ = ch;
			continue;
		}
		uint32_t rune;
		size_t taken = unescape_one(rest, &rune);
		if (!taken)
			return name;
		p += utf8_encode(rune, p);
		rest = slice_from(rest, taken);
	}
	return slice_of(out, (size_t)(p - out));
}
