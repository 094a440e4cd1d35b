#include "config/time_interval.h"

#include "model/time_zone.h"
#include <stdlib.h>

VEC_DEFINE(int_range_vec, struct int_range);

static const char *const weekday_names[] = {
    "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
static const char *const month_names[] = {"january", "february", "march", "april", "may", "june", "july",
    "august", "september", "october", "november", "december"};

/* --- parts ------------------------------------------------------------------------------------------------------- */
static int32_t find_name(struct slice s, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq_nocase(s, slice_cstr(names[i])))
			return (int32_t)i;
	return -1;
}

static bool parse_int(struct slice s, int32_t *out)
{
	bool is_negative = s.len > 0 && s.ptr[0] == '-';
	size_t i = is_negative || (s.len > 0 && s.ptr[0] == '+');
	if (i == s.len || s.len - i > 6)
		return false;
	int32_t v = 0;
	for (; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		v = v * 10 + (s.ptr[i] - '0');
	}
	*out = is_negative ? -v : v;
	return true;
}

static struct slice lower(struct arena *arena, struct slice s)
{
	char *text = arena_strdup(arena, s);
	for (size_t i = 0; i < s.len; i++)
		if (text[i] >= 'A' && text[i] <= 'Z')
			text[i] = (char)(text[i] | 32);
	return slice_of(text, s.len);
}

/* One end of a range; reports what is wrong with it. */
typedef bool (*end_parser)(struct config_ctx *ctx, const struct yaml_node *at, struct slice s, int32_t *out);

static bool parse_weekday(struct config_ctx *ctx, const struct yaml_node *at, struct slice s, int32_t *out)
{
	*out = find_name(s, weekday_names, ARRAY_LEN(weekday_names));
	if (*out < 0)
		config_error(ctx, at,
		    "%" SL_FMT " is not a valid weekday (a full English name would be right)",
		    SL_ARG(lower(ctx->arena, s)));
	return *out >= 0;
}

static bool parse_month(struct config_ctx *ctx, const struct yaml_node *at, struct slice s, int32_t *out)
{
	int32_t named = find_name(s, month_names, ARRAY_LEN(month_names));
	if (named >= 0) {
		*out = named + 1;
		return true;
	}
	if (parse_int(s, out))
		return true;
	config_error(ctx, at,
	    "%" SL_FMT " is not a valid month (a full English name or a number would be right)",
	    SL_ARG(lower(ctx->arena, s)));
	return false;
}

static bool parse_day(struct config_ctx *ctx, const struct yaml_node *at, struct slice s, int32_t *out)
{
	if (!parse_int(s, out)) {
		config_error(ctx, at,
		    "%" SL_FMT " is not a valid day of the month (1 to 31, or -31 to -1 would be right)",
		    SL_ARG(s));
		return false;
	}
	if (*out != 0 && *out >= -31 && *out <= 31)
		return true;
	config_error(ctx, at,
	    "%d is not a valid day of the month: out of range (1 to 31, or -31 to -1 would be right)", *out);
	return false;
}

static bool parse_year(struct config_ctx *ctx, const struct yaml_node *at, struct slice s, int32_t *out)
{
	if (parse_int(s, out))
		return true;
	config_error(ctx, at, "%" SL_FMT " is not a valid year", SL_ARG(s));
	return false;
}

/* --- ranges ------------------------------------------------------------------------------------------------------ */
struct range_kind {
	end_parser parse;
	const char *noun; /* for the message about the order */
};

static bool check_order(struct config_ctx *ctx, const struct yaml_node *at, const struct range_kind *kind,
    const struct int_range *r)
{
	if (kind->parse != parse_day) {
		if (r->begin <= r->end)
			return true;
		config_error(ctx, at,
		    "start %s cannot be before end %s (a range does not wrap around: write two)", kind->noun,
		    kind->noun);
		return false;
	}
	if (r->begin < 0 && r->end > 0) {
		config_error(ctx, at, "end day must be negative if start day is negative");
		return false;
	}
	/* The shortest month decides which orders can never match. */
	int32_t begin = r->begin < 0 ? 28 + r->begin : r->begin, end = r->end < 0 ? 28 + r->end : r->end;
	if (begin <= end)
		return true;
	config_error(ctx, at, "end day %d is always before start day %d", r->end, r->begin);
	return false;
}

static bool parse_range(
    struct config_ctx *ctx, const struct yaml_node *at, const struct range_kind *kind, struct int_range *out)
{
	struct slice text;
	if (!config_decode_string(ctx, at, &text))
		return false;
	size_t colon = slice_find(text, ':');
	struct slice begin = slice_trim(slice_of(text.ptr, colon));
	if (!kind->parse(ctx, at, begin, &out->begin))
		return false;
	out->end = out->begin;
	if (colon < text.len && !kind->parse(ctx, at, slice_trim(slice_from(text, colon + 1)), &out->end))
		return false;
	return check_order(ctx, at, kind, out);
}

struct range_list {
	const struct range_kind *kind;
	struct int_range_vec vec;
};

static void add_range(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	struct range_list *list = arg;
	struct int_range r;
	if (parse_range(ctx, item, list->kind, &r))
		int_range_vec_push(&list->vec, r);
}

static void take_ranges(struct config_ctx *ctx, struct int_range_vec *vec, struct int_ranges *out)
{
	out->n = vec->len;
	out->v = ARENA_ARRAY(ctx->arena, struct int_range, vec->len);
	if (vec->len > 0)
		memcpy(out->v, vec->v, vec->len * sizeof(*out->v));
	int_range_vec_done(vec);
}

static void decode_ranges(struct config_ctx *ctx, const struct yaml_node *node, const char *what,
    const struct range_kind *kind, void *field)
{
	struct range_list list = {.kind = kind};
	config_decode_list(ctx, node, what, add_range, &list);
	take_ranges(ctx, &list.vec, field);
}

static void decode_weekdays(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	static const struct range_kind kind = {parse_weekday, "day"};
	decode_ranges(ctx, node, "weekdays", &kind, field);
}

static void decode_days(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	static const struct range_kind kind = {parse_day, "day"};
	decode_ranges(ctx, node, "days_of_month", &kind, field);
}

static void decode_months(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	static const struct range_kind kind = {parse_month, "month"};
	decode_ranges(ctx, node, "months", &kind, field);
}

static void decode_years(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	static const struct range_kind kind = {parse_year, "year"};
	decode_ranges(ctx, node, "years", &kind, field);
}

/* --- times of day ------------------------------------------------------------------------------------------------ */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "HH:MM" from 00:00 to 24:00. */
static bool parse_minute(struct config_ctx *ctx, const struct yaml_node *at, struct slice s, int32_t *out)
{
	const char *p = s.ptr;
	bool ok =
	    s.len == 5 && is_digit(p[0]) && is_digit(p[1]) && p[2] == ':' && is_digit(p[3]) && is_digit(p[4]);
	if (ok) {
		int32_t hour = (p[0] - '0') * 10 + (p[1] - '0'), minute = (p[3] - '0') * 10 + (p[4] - '0');
		*out = hour * 60 + minute;
		ok = minute < 60 && *out <= 24 * 60;
	}
	if (!ok)
		config_error(ctx, at,
		    "couldn't parse timestamp %" SL_FMT
		    ", invalid format ('HH:MM', in quotes, would be right)",
		    SL_ARG(s));
	return ok;
}

struct time_range_text {
	struct slice start, end;
};

static const struct config_field time_range_fields[] = {
    {"start_time", CONFIG_STRING, offsetof(struct time_range_text, start)},
    {"end_time", CONFIG_STRING, offsetof(struct time_range_text, end)},
};

static void add_time_range(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	struct time_range_text text = {0};
	struct int_range r;
	if (!config_decode(ctx, item, "times", time_range_fields, ARRAY_LEN(time_range_fields), &text))
		return;
	if (text.start.len == 0 || text.end.len == 0) {
		config_error(ctx, item, "both start and end times must be provided");
		return;
	}
	const struct yaml_node *start = yaml_get(item, "start_time"), *end = yaml_get(item, "end_time");
	if (!parse_minute(ctx, start, text.start, &r.begin) || !parse_minute(ctx, end, text.end, &r.end))
		return;
	if (r.begin >= r.end)
		config_error(ctx, item,
		    "start time cannot be equal or greater than end time (a range does not pass midnight: "
		    "write two)");
	else
		int_range_vec_push(arg, r);
}

static void decode_times(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct int_range_vec vec = {0};
	config_decode_list(ctx, node, "times", add_time_range, &vec);
	take_ranges(ctx, &vec, field);
}

static void decode_location(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct slice name;
	struct err err;
	if (!config_decode_string(ctx, node, &name))
		return;
	const struct time_zone **zone = field;
	if (time_zone_load(ctx->arena, name, zone, &err))
		config_error(
		    ctx, node, "%s (a name of the tz database as \"Europe/Berlin\" would be right)", err.msg);
}

static const struct config_field interval_fields[] = {
    {"times", CONFIG_CUSTOM, offsetof(struct time_interval, times), .decode = decode_times},
    {"weekdays", CONFIG_CUSTOM, offsetof(struct time_interval, weekdays), .decode = decode_weekdays},
    {"days_of_month", CONFIG_CUSTOM, offsetof(struct time_interval, days_of_month), .decode = decode_days},
    {"months", CONFIG_CUSTOM, offsetof(struct time_interval, months), .decode = decode_months},
    {"years", CONFIG_CUSTOM, offsetof(struct time_interval, years), .decode = decode_years},
    {"location", CONFIG_CUSTOM, offsetof(struct time_interval, zone), .decode = decode_location},
};

bool time_interval_decode(struct config_ctx *ctx, const struct yaml_node *node, struct time_interval *out)
{
	*out = (struct time_interval){0};
	return config_decode(ctx, node, "time_interval", interval_fields, ARRAY_LEN(interval_fields), out);
}
