/* Durations and times as text: Prometheus's durations, Go's, and RFC 3339. The calendar is the proleptic
 * Gregorian one, computed with the days-from-civil formula, so that no time zone database is asked. */
#include "model/duration.h"

#include "base/utf8.h"

#include <inttypes.h>
#include <stdio.h>

#define NS_PER_MS INT64_C(1000000)

struct unit {
	const char *name;
	uint64_t factor;
};

/* --- Prometheus durations --------------------------------------------------------------------------------- */

/* From the largest to the smallest, which is the order they must be written in; in milliseconds. */
static const struct unit units[] = {
    {"y", UINT64_C(365) * 86400000},
    {"w", UINT64_C(7) * 86400000},
    {"d", 86400000},
    {"h", 3600000},
    {"m", 60000},
    {"s", 1000},
    {"ms", 1},
};

/* Upstream counts in nanoseconds of 63 bits; what does not fit there is out of range here too. */
static const uint64_t max_ms = (uint64_t)INT64_MAX / 1000000;

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int quoted_error(struct err *err, const char *before, struct slice s)
{
	struct strbuf q = STRBUF_INIT;
	utf8_quote_go(&q, s);
	int rc = err_set(err, ERR_INVALID, "%s%" SL_FMT, before, SL_ARG(strbuf_slice(&q)));
	strbuf_done(&q);
	return rc;
}

static int unknown_unit(struct err *err, const char *before, struct slice unit, struct slice s)
{
	struct strbuf q = STRBUF_INIT;
	strbuf_adds(&q, before);
	utf8_quote_go(&q, unit);
	strbuf_adds(&q, " in duration ");
	utf8_quote_go(&q, s);
	int rc = err_set(err, ERR_INVALID, "%" SL_FMT, SL_ARG(strbuf_slice(&q)));
	strbuf_done(&q);
	return rc;
}

/* Takes the digits at the front; false when there are none or when they pass 64 bits. */
static bool take_digits(struct slice *s, uint64_t *v)
{
	size_t i = 0;
	*v = 0;
	for (; i < s->len && is_digit(s->ptr[i]); i++)
		if (__builtin_mul_overflow(*v, 10u, v) ||
		    __builtin_add_overflow(*v, (uint64_t)(s->ptr[i] - '0'), v))
			return false;
	*s = slice_from(*s, i);
	return i > 0;
}

static struct slice take_unit(struct slice *s)
{
	size_t i = 0;
	while (i < s->len && !is_digit(s->ptr[i]))
		i++;
	struct slice unit = slice_of(s->ptr, i);
	*s = slice_from(*s, i);
	return unit;
}

/* The index of `name` in units, or -1. */
static int find_unit(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (slice_eq_cstr(name, units[i].name))
			return (int)i;
	return -1;
}

int duration_parse(struct slice s, int64_t *ms, struct err *err)
{
	if (s.len == 0)
		return err_set(err, ERR_INVALID, "empty duration string");
	if (slice_eq(s, SL("0"))) {
		*ms = 0;
		return 0;
	}
	uint64_t total = 0;
	int last = -1;
	for (struct slice rest = s; rest.len > 0;) {
		uint64_t v;
		if (!take_digits(&rest, &v))
			return quoted_error(err, "not a valid duration string: ", s);
		struct slice name = take_unit(&rest);
		if (name.len == 0)
			return quoted_error(err, "not a valid duration string: ", s);
		int u = find_unit(name);
		if (u < 0)
			return unknown_unit(err, "unknown unit ", name, s);
		if (u <= last)
			return quoted_error(err, "not a valid duration string: ", s);
		last = u;
		if (v > max_ms / units[u].factor || (total += v * units[u].factor) > max_ms)
			return err_set(err, ERR_INVALID, "duration out of range");
	}
	*ms = (int64_t)total;
	return 0;
}

int duration_parse_signed(struct slice s, int64_t *ms, struct err *err)
{
	if (s.len < 2 || s.ptr[0] != '-')
		return duration_parse(s, ms, err);
	int64_t positive;
	int rc = duration_parse(slice_from(s, 1), &positive, err);
	if (rc == 0)
		*ms = -positive;
	return rc;
}

void duration_print(struct strbuf *out, int64_t ms)
{
	if (ms == 0) {
		strbuf_adds(out, "0s");
		return;
	}
	uint64_t left = ms < 0 ? -(uint64_t)ms : (uint64_t)ms;
	if (ms < 0)
		strbuf_addch(out, '-');
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		/* Years and weeks only when nothing is left over: 90d is clearer than 12w6d. */
		bool only_exact = i < 2;
		if (left < units[i].factor || (only_exact && left % units[i].factor != 0))
			continue;
		strbuf_addf(out, "%" PRIu64 "%s", left / units[i].factor, units[i].name);
		left %= units[i].factor;
	}
}

/* --- Go durations ----------------------------------------------------------------------------------------- */

static const struct unit go_units[] = {
    {"ns", 1},
    {"us", 1000},
    {"\u00b5s", 1000},
    {"\u03bcs", 1000},
    {"ms", 1000000},
    {"s", 1000000000},
    {"m", UINT64_C(60000000000)},
    {"h", UINT64_C(3600000000000)},
};

static struct slice go_unit_text(struct slice s)
{
	size_t n = 0;
	while (n < s.len && !is_digit(s.ptr[n]) && s.ptr[n] != '.')
		n++;
	return slice_of(s.ptr, n);
}

/* 0: no such unit. */
static uint64_t go_unit_factor(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(go_units); i++)
		if (slice_eq_cstr(name, go_units[i].name))
			return go_units[i].factor;
	return 0;
}

/* "12.5" in front: whole part, and the fraction as numerator and scale. */
static bool go_number(struct slice *s, uint64_t *whole, uint64_t *fraction, double *scale)
{
	size_t before = s->len;
	*whole = *fraction = 0;
	*scale = 1;
	bool any = s->len > 0 && is_digit(s->ptr[0]);
	if (any && !take_digits(s, whole))
		return false;
	if (s->len == 0 || s->ptr[0] != '.')
		return any;
	*s = slice_from(*s, 1);
	for (; s->len > 0 && is_digit(s->ptr[0]); *s = slice_from(*s, 1)) {
		any = true;
		if (*fraction < (uint64_t)INT64_MAX / 10 - 1) {
			*fraction = *fraction * 10 + (uint64_t)(s->ptr[0] - '0');
			*scale *= 10;
		}
	}
	return any && before > s->len;
}

static int go_invalid(struct err *err, struct slice s)
{
	return quoted_error(err, "time: invalid duration ", s);
}

int go_duration_parse(struct slice s, int64_t *ns, struct err *err)
{
	struct slice rest = s;
	bool negative = rest.len > 0 && rest.ptr[0] == '-';
	if (rest.len > 0 && (rest.ptr[0] == '-' || rest.ptr[0] == '+'))
		rest = slice_from(rest, 1);
	if (slice_eq(rest, SL("0"))) {
		*ns = 0;
		return 0;
	}
	if (rest.len == 0)
		return go_invalid(err, s);
	uint64_t total = 0;
	while (rest.len > 0) {
		uint64_t whole, fraction;
		double scale;
		if (!go_number(&rest, &whole, &fraction, &scale))
			return go_invalid(err, s);
		if (rest.len == 0 || is_digit(rest.ptr[0]) || rest.ptr[0] == '.')
			return quoted_error(err, "time: missing unit in duration ", s);
		struct slice unit = go_unit_text(rest);
		uint64_t factor = go_unit_factor(unit);
		if (factor == 0)
			return unknown_unit(err, "time: unknown unit ", unit, s);
		rest = slice_from(rest, unit.len);
		uint64_t v;
		if (__builtin_mul_overflow(whole, factor, &v))
			return go_invalid(err, s);
		v += (uint64_t)((double)fraction * ((double)factor / scale));
		if (__builtin_add_overflow(total, v, &total) || total > (uint64_t)INT64_MAX)
			return go_invalid(err, s);
	}
	*ns = negative ? -(int64_t)total : (int64_t)total;
	return 0;
}

/* v / unit with up to nine digits of fraction, without trailing zeros. */
static void print_fraction(struct strbuf *out, uint64_t v, uint64_t unit)
{
	strbuf_addf(out, "%" PRIu64, v / unit);
	uint64_t rest = v % unit;
	if (rest == 0)
		return;
	strbuf_addch(out, '.');
	while (rest > 0) {
		unit /= 10;
		strbuf_addch(out, (char)('0' + rest / unit));
		rest %= unit;
	}
}

void go_duration_print(struct strbuf *out, int64_t ns)
{
	if (ns == 0) {
		strbuf_adds(out, "0s");
		return;
	}
	uint64_t v = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	if (ns < 0)
		strbuf_addch(out, '-');
	if (v < 1000000000) {
		uint64_t unit = v < 1000 ? 1 : v < 1000000 ? 1000 : 1000000;
		print_fraction(out, v, unit);
		strbuf_adds(out, unit == 1 ? "ns" : unit == 1000 ? "\u00b5s" : "ms");
		return;
	}
	uint64_t minutes = v / UINT64_C(60000000000);
	if (minutes >= 60)
		strbuf_addf(out, "%" PRIu64 "h", minutes / 60);
	if (minutes > 0)
		strbuf_addf(out, "%" PRIu64 "m", minutes % 60);
	print_fraction(out, v % UINT64_C(60000000000), 1000000000);
	strbuf_addch(out, 's');
}

/* --- RFC 3339
 * ----------------------------------------------------------------------------------------------------------
 */

struct civil {
	int64_t year;
	unsigned month, day;
};

/* Days since 1970-01-01, in eras of 400 years that begin in March, so that the leap day is the last of its
 * year. */
static int64_t days_of(struct civil c)
{
	int64_t y = c.month <= 2 ? c.year - 1 : c.year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year =
	    (153 * ((int64_t)c.month + (c.month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)c.day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

static struct civil civil_of(int64_t days)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t doe = days - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	unsigned month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	return (struct civil){
	    yoe + era * 400 + (month <= 2), month, (unsigned)(doy - (153 * mp + 2) / 5 + 1)};
}

static void print_ms_fraction(struct strbuf *out, unsigned ms, int digits)
{
	char text[10];
	snprintf(text, sizeof(text), "%03u000000", ms);
	if (digits < 0) {
		digits = 3;
		while (digits > 0 && text[digits - 1] == '0')
			digits--;
	}
	if (digits == 0)
		return;
	strbuf_addch(out, '.');
	strbuf_add(out, text, (size_t)(digits > 9 ? 9 : digits));
}

void rfc3339_print(struct strbuf *out, int64_t t_ms, int digits)
{
	int64_t s = t_ms / 1000;
	int64_t ms = t_ms % 1000;
	if (ms < 0) {
		ms += 1000;
		s--;
	}
	int64_t days = s / 86400;
	int64_t in_day = s % 86400;
	if (in_day < 0) {
		in_day += 86400;
		days--;
	}
	struct civil c = civil_of(days);
	strbuf_addf(out, "%04" PRId64 "-%02u-%02uT%02d:%02d:%02d", c.year, c.month, c.day,
	    (int)(in_day / 3600), (int)(in_day / 60 % 60), (int)(in_day % 60));
	print_ms_fraction(out, (unsigned)ms, digits);
	strbuf_addch(out, 'Z');
}

/* Exactly n digits at *at. */
static bool fixed(struct slice s, size_t *at, size_t n, int64_t *v)
{
	if (s.len - *at < n)
		return false;
	*v = 0;
	for (size_t end = *at + n; *at < end; ++*at) {
		if (!is_digit(s.ptr[*at]))
			return false;
		*v = *v * 10 + (s.ptr[*at] - '0');
	}
	return true;
}

static bool one_of(struct slice s, size_t *at, const char *chars)
{
	return *at < s.len && s.ptr[*at] != '\0' && strchr(chars, s.ptr[*at]) && ++*at;
}

static bool parse_offset(struct slice s, size_t *at, int64_t *seconds)
{
	*seconds = 0;
	if (one_of(s, at, "Zz"))
		return true;
	bool behind = *at < s.len && s.ptr[*at] == '-';
	int64_t h, m;
	if (!one_of(s, at, "+-") || !fixed(s, at, 2, &h) || !one_of(s, at, ":") || !fixed(s, at, 2, &m) ||
	    h > 23 || m > 59)
		return false;
	*seconds = (h * 3600 + m * 60) * (behind ? -1 : 1);
	return true;
}

/* Milliseconds of ".123456"; further digits are cut. */
static bool parse_fraction(struct slice s, size_t *at, int64_t *ms)
{
	*ms = 0;
	if (!one_of(s, at, ".,"))
		return true;
	size_t start = *at;
	for (int64_t weight = 100; *at < s.len && is_digit(s.ptr[*at]); ++*at, weight /= 10)
		*ms += (s.ptr[*at] - '0') * weight;
	return *at > start;
}

static bool day_exists(int64_t y, int64_t m, int64_t d)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
	return m >= 1 && m <= 12 && d >= 1 && d <= days[m - 1] + (m == 2 && leap);
}

int rfc3339_parse(struct slice s, int64_t *t_ms, struct err *err)
{
	size_t at = 0;
	int64_t y, mo, d, h, mi, sec, ms, offset;
	bool ok = fixed(s, &at, 4, &y) && one_of(s, &at, "-") && fixed(s, &at, 2, &mo) &&
		  one_of(s, &at, "-") && fixed(s, &at, 2, &d) && one_of(s, &at, "Tt") &&
		  fixed(s, &at, 2, &h) && one_of(s, &at, ":") && fixed(s, &at, 2, &mi) &&
		  one_of(s, &at, ":") && fixed(s, &at, 2, &sec) && parse_fraction(s, &at, &ms) &&
		  parse_offset(s, &at, &offset) && at == s.len;
	if (!ok || !day_exists(y, mo, d) || h > 23 || mi > 59 || sec > 59)
		return quoted_error(err, "not an RFC 3339 time like 2026-01-01T00:00:00Z: ", s);
	int64_t days = days_of((struct civil){y, (unsigned)mo, (unsigned)d});
	*t_ms = (days * 86400 + h * 3600 + mi * 60 + sec - offset) * 1000 + ms;
	return 0;
}
