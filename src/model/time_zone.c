/* Reads TZif files (RFC 8536): the 64-bit block of version 2 and later, or the 32-bit block of version 1; behind the
 * last transition the rule in the file's footer holds, a POSIX TZ text ("CET-1CEST,M3.5.0,M10.5.0/3"). */
#include "model/time_zone.h"

#include "base/fs.h"

#include <stdlib.h>

enum { MAX_FILE_BYTES = 1 << 20, HEADER_BYTES = 44, SECONDS_PER_DAY = 86400 };

struct zone_type {
	int32_t offset_s;
	struct slice name;
};

/* "M3.5.0/2": the week-th weekday of a month; or a day of the year, counted from 0 with leap days ('0') or from 1
 * without ('J'). */
struct rule_date {
	char kind; /* 'M', 'J' or '0' */
	int32_t month, week, weekday, day;
	int32_t time_s;
};

struct zone_rule {
	bool is_set, has_dst;
	struct zone_type standard, summer;
	struct rule_date start, end; /* of summer time */
};

struct time_zone {
	const int64_t *transitions;
	const uint8_t *indexes; /* of the type that holds from a transition on */
	size_t n_transitions;
	const struct zone_type *types;
	size_t n_types;
	struct zone_rule rule;
};

/* --- the calendar ------------------------------------------------------------------------------------------------ */
static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static bool is_leap(int64_t y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int32_t days_in_month(int64_t year, int32_t month)
{
	static const int32_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days since 1970 of a date, in the proleptic Gregorian calendar: years start in March, eras have 400 years. */
static int64_t days_of_date(int64_t y, int32_t m, int32_t d)
{
	y -= m <= 2;
	int64_t era = floor_div(y, 400), year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void date_of_days(int64_t days, struct civil_time *c)
{
	int64_t z = days + 719468, era = floor_div(z, 146097), day_of_era = z - era * 146097;
	int64_t year_of_era =
	    (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t m = (5 * day_of_year + 2) / 153;
	c->day = (int32_t)(day_of_year - (153 * m + 2) / 5 + 1);
	c->month = (int32_t)(m < 10 ? m + 3 : m - 9);
	c->year = (int32_t)(year_of_era + era * 400 + (c->month <= 2));
}

/* --- the footer's rule ------------------------------------------------------------------------------------------- */
static bool take(struct slice *s, char c)
{
	if (s->len == 0 || s->ptr[0] != c)
		return false;
	*s = slice_from(*s, 1);
	return true;
}

static bool take_number(struct slice *s, int32_t *out)
{
	int32_t v = 0;
	size_t n = 0;
	while (n < s->len && n < 5 && s->ptr[n] >= '0' && s->ptr[n] <= '9')
		v = v * 10 + (s->ptr[n++] - '0');
	*s = slice_from(*s, n);
	*out = v;
	return n > 0;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool take_time(struct slice *s, int32_t *out)
{
	int32_t sign = take(s, '-') ? -1 : 1, h, m = 0, sec = 0;
	if (sign > 0)
		take(s, '+');
	if (!take_number(s, &h) || (take(s, ':') && !take_number(s, &m)) ||
	    (take(s, ':') && !take_number(s, &sec)))
		return false;
	*out = sign * (h * 3600 + m * 60 + sec);
	return true;
}

static bool take_name(struct slice *s, struct slice *out)
{
	bool is_quoted = take(s, '<');
	size_t n = 0;
	while (n < s->len &&
	       (is_quoted ? s->ptr[n] != '>' : ((s->ptr[n] | 32) >= 'a' && (s->ptr[n] | 32) <= 'z')))
		n++;
	*out = slice_of(s->ptr, n);
	*s = slice_from(*s, n);
	return n > 0 && (!is_quoted || take(s, '>'));
}

static bool take_date(struct slice *s, struct rule_date *d)
{
	d->time_s = 2 * 3600;
	bool ok;
	if (take(s, 'M')) {
		d->kind = 'M';
		ok = take_number(s, &d->month) && take(s, '.') && take_number(s, &d->week) && take(s, '.') &&
		     take_number(s, &d->weekday);
		ok = ok && d->month >= 1 && d->month <= 12 && d->week >= 1 && d->week <= 5 && d->weekday <= 6;
	} else {
		d->kind = take(s, 'J') ? 'J' : '0';
		ok = take_number(s, &d->day) && d->day <= 366;
	}
	return ok && (!take(s, '/') || take_time(s, &d->time_s));
}

/* The sign of a POSIX offset is that of west. */
static bool parse_rule(struct slice s, struct zone_rule *r)
{
	int32_t west;
	if (!take_name(&s, &r->standard.name) || !take_time(&s, &west))
		return false;
	r->standard.offset_s = -west;
	if (s.len == 0)
		return r->is_set = true;
	if (!take_name(&s, &r->summer.name))
		return false;
	r->summer.offset_s = r->standard.offset_s + 3600;
	if (s.len > 0 && s.ptr[0] != ',') {
		if (!take_time(&s, &west))
			return false;
		r->summer.offset_s = -west;
	}
	r->has_dst = take(&s, ',') && take_date(&s, &r->start) && take(&s, ',') && take_date(&s, &r->end);
	return r->is_set = r->has_dst;
}

/* Seconds since 1970, on the wall clock, at which the rule's date falls in that year. */
static int64_t rule_moment(const struct rule_date *d, int64_t year)
{
	int64_t day;
	if (d->kind != 'M') {
		day = days_of_date(year, 1, 1) + d->day;
		if (d->kind == 'J')
			day += is_leap(year) && d->day >= 60 ? 0 : -1;
	} else {
		int64_t first = days_of_date(year, d->month, 1);
		int64_t weekday = (first % 7 + 11) % 7; /* 1970-01-01 was a Thursday */
		int64_t at = (d->weekday - weekday + 7) % 7 + (d->week - 1) * 7;
		if (at >= days_in_month(year, d->month))
			at -= 7;
		day = first + at;
	}
	return day * SECONDS_PER_DAY + d->time_s;
}

static const struct zone_type *type_by_rule(const struct zone_rule *r, int64_t t)
{
	if (!r->has_dst)
		return &r->standard;
	struct civil_time c;
	date_of_days(floor_div(t + r->standard.offset_s, SECONDS_PER_DAY), &c);
	int64_t start = rule_moment(&r->start, c.year) - r->standard.offset_s;
	int64_t end = rule_moment(&r->end, c.year) - r->summer.offset_s;
	bool is_summer = start < end ? t >= start && t < end : t >= start || t < end;
	return is_summer ? &r->summer : &r->standard;
}

/* --- the file ---------------------------------------------------------------------------------------------------- */
struct tz_counts {
	size_t isut, isstd, leap, time, type, chars;
};

static uint32_t be32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;
	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static int64_t be_time(const char *p, size_t width)
{
	if (width == 4)
		return (int32_t)be32(p);
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

static bool read_header(struct slice s, struct tz_counts *c)
{
	if (s.len < HEADER_BYTES || memcmp(s.ptr, "TZif", 4) != 0)
		return false;
	size_t *fields[] = {&c->isut, &c->isstd, &c->leap, &c->time, &c->type, &c->chars};
	for (size_t i = 0; i < 6; i++) {
		*fields[i] = be32(s.ptr + 20 + 4 * i);
		if (*fields[i] > MAX_FILE_BYTES)
			return false;
	}
	return c->type > 0 && c->type <= 256;
}

static size_t block_bytes(const struct tz_counts *c, size_t width)
{
	return HEADER_BYTES + c->time * (width + 1) + c->type * 6 + c->chars + c->leap * (width + 4) +
	       c->isstd + c->isut;
}

static bool read_types(struct arena *arena, const char *p, const struct tz_counts *c, struct time_zone *z)
{
	struct zone_type *types = ARENA_ARRAY(arena, struct zone_type, c->type);
	const char *names = p + 6 * c->type;
	for (size_t i = 0; i < c->type; i++) {
		size_t at = (unsigned char)p[6 * i + 5];
		if (at >= c->chars)
			return false;
		size_t len = slice_find(slice_of(names + at, c->chars - at), '\0');
		types[i] = (struct zone_type){(int32_t)be32(p + 6 * i), slice_of(names + at, len)};
	}
	z->types = types;
	z->n_types = c->type;
	return true;
}

static bool read_block(
    struct arena *arena, struct slice s, const struct tz_counts *c, size_t width, struct time_zone *z)
{
	if (s.len < block_bytes(c, width))
		return false;
	const char *p = s.ptr + HEADER_BYTES;
	int64_t *times = ARENA_ARRAY(arena, int64_t, c->time);
	uint8_t *indexes = ARENA_ARRAY(arena, uint8_t, c->time);
	for (size_t i = 0; i < c->time; i++) {
		times[i] = be_time(p + i * width, width);
		indexes[i] = (uint8_t)p[c->time * width + i];
		if (indexes[i] >= c->type || (i > 0 && times[i] < times[i - 1]))
			return false;
	}
	z->transitions = times;
	z->indexes = indexes;
	z->n_transitions = c->time;
	return read_types(arena, p + c->time * (width + 1), c, z);
}

static bool read_file(struct arena *arena, struct slice s, struct time_zone *z)
{
	struct tz_counts c;
	if (!read_header(s, &c))
		return false;
	if (s.ptr[4] < '2')
		return read_block(arena, s, &c, 4, z);
	size_t first = block_bytes(&c, 4);
	if (first > s.len)
		return false;
	s = slice_from(s, first);
	if (!read_header(s, &c) || !read_block(arena, s, &c, 8, z))
		return false;
	struct slice footer = slice_from(s, block_bytes(&c, 8));
	if (take(&footer, '\n'))
		parse_rule(slice_of(footer.ptr, slice_find(footer, '\n')), &z->rule);
	return true;
}

/* Names stay below the folder: no "..", no absolute path. */
static bool is_safe_name(struct slice name)
{
	if (name.len == 0 || name.len > 100 || name.ptr[0] == '/')
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool ok = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
			  (c && strchr("_-+/", c));
		if (!ok)
			return false;
	}
	return true;
}

int time_zone_load(struct arena *arena, struct slice name, const struct time_zone **out, struct err *err)
{
	struct time_zone *z = ARENA_NEW(arena, struct time_zone);
	*z = (struct time_zone){.rule = {.is_set = true, .standard = {0, SL("UTC")}}};
	bool is_local = slice_eq(name, SL("Local"));
	if (name.len == 0 || slice_eq(name, SL("UTC"))) {
		*out = z;
		return 0;
	}
	if (!is_local && !is_safe_name(name))
		return err_set(err, ERR_NOT_FOUND, "unknown time zone %" SL_FMT, SL_ARG(name));
	const char *path = is_local ? "/etc/localtime"
				    : arena_printf(arena, "/usr/share/zoneinfo/%" SL_FMT, SL_ARG(name)).ptr;
	struct strbuf sb;
	strbuf_init(&sb, MAX_FILE_BYTES);
	int rc = fs_read_file(fs_real(), path, &sb, err);
	struct slice content = rc == 0 ? arena_slice(arena, strbuf_slice(&sb)) : SL_EMPTY;
	strbuf_done(&sb);
	if (rc && is_local) {
		*out = z; /* a machine without a local zone lives in UTC */
		return 0;
	}
	if (rc || !read_file(arena, content, z))
		return err_set(err, ERR_NOT_FOUND, "unknown time zone %" SL_FMT, SL_ARG(name));
	*out = z;
	return 0;
}

static const struct zone_type *type_at(const struct time_zone *z, int64_t t)
{
	if (z->n_transitions == 0 || t < z->transitions[0])
		return z->n_types > 0 ? &z->types[0] : &z->rule.standard;
	if (t >= z->transitions[z->n_transitions - 1] && z->rule.is_set)
		return type_by_rule(&z->rule, t);
	size_t low = 0, high = z->n_transitions; /* transitions[low] <= t < transitions[high] */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		*(z->transitions[middle] <= t ? &low : &high) = middle;
	}
	return &z->types[z->indexes[low]];
}

int32_t time_zone_offset(const struct time_zone *z, int64_t unix_s, struct slice *name)
{
	static const struct zone_type utc = {0, SL_INIT("UTC")};
	const struct zone_type *type = z ? type_at(z, unix_s) : &utc;
	if (name)
		*name = type->name;
	return type->offset_s;
}

struct civil_time time_zone_civil(const struct time_zone *z, int64_t unix_s)
{
	int64_t t = unix_s + time_zone_offset(z, unix_s, NULL);
	int64_t days = floor_div(t, SECONDS_PER_DAY);
	int32_t second = (int32_t)(t - days * SECONDS_PER_DAY);
	struct civil_time c = {.hour = second / 3600, .minute = second / 60 % 60, .second = second % 60};
	date_of_days(days, &c);
	c.weekday = (int32_t)((days % 7 + 11) % 7);
	c.days_in_month = days_in_month(c.year, c.month);
	return c;
}
