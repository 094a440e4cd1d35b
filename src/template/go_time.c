/* Calendar arithmetic over days since 1970 (the civil-from-days algorithm of Howard Hinnant, "chrono-compatible low-level date
 * algorithms"), and Go's layouts: a layout is an example, the reference time Mon Jan 2 15:04:05 MST 2006 written as wanted. */
#include "template/go_time.h"

#include "base/attr.h"

#include <inttypes.h>
#include <stdbool.h>

static const char *const month_names[] = {"January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December"};
static const char *const day_names[] = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

enum token {
	T_NONE,
	T_LONG_MONTH,
	T_MONTH,
	T_NUM_MONTH,
	T_ZERO_MONTH,
	T_LONG_WEEKDAY,
	T_WEEKDAY,
	T_DAY,
	T_SPACE_DAY,
	T_ZERO_DAY,
	T_ZERO_YEAR_DAY,
	T_HOUR,
	T_HOUR12,
	T_ZERO_HOUR12,
	T_MINUTE,
	T_ZERO_MINUTE,
	T_SECOND,
	T_ZERO_SECOND,
	T_LONG_YEAR,
	T_YEAR,
	T_PM,
	T_SMALL_PM,
	T_ZONE_NAME,
	T_Z_COLON,
	T_Z,
	T_NUM_COLON,
	T_NUM,
	T_NUM_HOURS,
	T_FRACTION_ZERO, /* .000 */
	T_FRACTION_NINE, /* .999 */
};

/* Longer spellings stand before their prefixes. */
static const struct {
	const char *text;
	enum token token;
} tokens[] = {
    {"January", T_LONG_MONTH},
    {"Jan", T_MONTH},
    {"Monday", T_LONG_WEEKDAY},
    {"Mon", T_WEEKDAY},
    {"MST", T_ZONE_NAME},
    {"2006", T_LONG_YEAR},
    {"_2006", T_NONE}, /* an underscore, then the year */
    {"_2", T_SPACE_DAY},
    {"002", T_ZERO_YEAR_DAY},
    {"01", T_ZERO_MONTH},
    {"02", T_ZERO_DAY},
    {"03", T_ZERO_HOUR12},
    {"04", T_ZERO_MINUTE},
    {"05", T_ZERO_SECOND},
    {"06", T_YEAR},
    {"15", T_HOUR},
    {"1", T_NUM_MONTH},
    {"2", T_DAY},
    {"3", T_HOUR12},
    {"4", T_MINUTE},
    {"5", T_SECOND},
    {"PM", T_PM},
    {"pm", T_SMALL_PM},
    {"Z07:00", T_Z_COLON},
    {"Z0700", T_Z},
    {"-07:00", T_NUM_COLON},
    {"-0700", T_NUM},
    {"-07", T_NUM_HOURS},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ".000", ",999": a fraction, when no digit follows. */
static size_t fraction_length(struct slice s)
{
	if (s.len < 2 || (s.ptr[0] != '.' && s.ptr[0] != ',') || (s.ptr[1] != '0' && s.ptr[1] != '9'))
		return 0;
	size_t n = 1;
	while (n < s.len && s.ptr[n] == s.ptr[1])
		n++;
	return n < s.len && is_digit(s.ptr[n]) ? 0 : n;
}

/* The token at the start of `s`; *len is its length (1 when it is plain text). */
static enum token next_token(struct slice s, size_t *len)
{
	size_t fraction = fraction_length(s);
	if (fraction) {
		*len = fraction;
		return s.ptr[1] == '0' ? T_FRACTION_ZERO : T_FRACTION_NINE;
	}
	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		struct slice text = slice_cstr(tokens[i].text);
		if (!slice_starts(s, text))
			continue;
		*len = tokens[i].token == T_NONE ? 1 : text.len;
		return tokens[i].token;
	}
	*len = 1;
	return T_NONE;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t days_from_civil(int64_t y, int m, int d)
{
	y -= m <= 2;
	int64_t era = floor_div(y, 400);
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

void go_time_date(int64_t s, struct go_date *out)
{
	int64_t days = floor_div(s, 86400), rest = s - days * 86400;
	int64_t z = days + 719468;
	int64_t era = floor_div(z, 146097);
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	out->day = (int)(doy - (153 * mp + 2) / 5 + 1);
	out->month = (int)(mp < 10 ? mp + 3 : mp - 9);
	out->year = yoe + era * 400 + (out->month <= 2);
	out->hour = (int)(rest / 3600);
	out->minute = (int)(rest / 60 % 60);
	out->second = (int)(rest % 60);
	out->weekday = (int)(((days + 4) % 7 + 7) % 7);
	out->year_day = (int)(days - days_from_civil(out->year, 1, 1) + 1);
}

static void print_fraction(struct strbuf *out, char separator, int32_t ns, size_t digits, bool trim)
{
	char text[16];
	int32_t rest = ns;
	for (size_t i = 9; i > 0; i--, rest /= 10)
		text[i - 1] = (char)('0' + rest % 10);
	if (digits > 9)
		digits = 9;
	while (trim && digits && text[digits - 1] == '0')
		digits--;
	if (!digits)
		return;
	strbuf_addch(out, separator);
	strbuf_add(out, text, digits);
}

static void print_token(
    struct strbuf *out, enum token t, struct slice text, const struct go_date *d, int32_t ns)
{
	int hour12 = d->hour % 12 ? d->hour % 12 : 12;
	switch (t) {
	case T_NONE:
		strbuf_add_slice(out, text);
		return;
	case T_LONG_MONTH:
		strbuf_adds(out, month_names[d->month - 1]);
		return;
	case T_MONTH:
		strbuf_add(out, month_names[d->month - 1], 3);
		return;
	case T_NUM_MONTH:
		strbuf_addf(out, "%d", d->month);
		return;
	case T_ZERO_MONTH:
		strbuf_addf(out, "%02d", d->month);
		return;
	case T_LONG_WEEKDAY:
		strbuf_adds(out, day_names[d->weekday]);
		return;
	case T_WEEKDAY:
		strbuf_add(out, day_names[d->weekday], 3);
		return;
	case T_DAY:
		strbuf_addf(out, "%d", d->day);
		return;
	case T_SPACE_DAY:
		strbuf_addf(out, "%2d", d->day);
		return;
	case T_ZERO_DAY:
		strbuf_addf(out, "%02d", d->day);
		return;
	case T_ZERO_YEAR_DAY:
		strbuf_addf(out, "%03d", d->year_day);
		return;
	case T_HOUR:
		strbuf_addf(out, "%02d", d->hour);
		return;
	case T_HOUR12:
		strbuf_addf(out, "%d", hour12);
		return;
	case T_ZERO_HOUR12:
		strbuf_addf(out, "%02d", hour12);
		return;
	case T_MINUTE:
		strbuf_addf(out, "%d", d->minute);
		return;
	case T_ZERO_MINUTE:
		strbuf_addf(out, "%02d", d->minute);
		return;
	case T_SECOND:
		strbuf_addf(out, "%d", d->second);
		return;
	case T_ZERO_SECOND:
		strbuf_addf(out, "%02d", d->second);
		return;
	case T_LONG_YEAR:
		strbuf_addf(out, "%04" PRId64, d->year);
		return;
	case T_YEAR:
		strbuf_addf(out, "%02d", (int)((d->year % 100 + 100) % 100));
		return;
	case T_PM:
		strbuf_adds(out, d->hour >= 12 ? "PM" : "AM");
		return;
	case T_SMALL_PM:
		strbuf_adds(out, d->hour >= 12 ? "pm" : "am");
		return;
	case T_ZONE_NAME:
		strbuf_adds(out, "UTC");
		return;
	case T_Z_COLON:
	case T_Z:
		strbuf_addch(out, 'Z');
		return;
	case T_NUM_COLON:
		strbuf_adds(out, "+00:00");
		return;
	case T_NUM:
		strbuf_adds(out, "+0000");
		return;
	case T_NUM_HOURS:
		strbuf_adds(out, "+00");
		return;
	case T_FRACTION_ZERO:
	case T_FRACTION_NINE:
		print_fraction(out, text.ptr[0], ns, text.len - 1, t == T_FRACTION_NINE);
		return;
	}
}

void go_time_format(struct strbuf *out, struct slice layout, int64_t s, int32_t ns)
{
	struct go_date d;
	go_time_date(s, &d);
	while (layout.len) {
		size_t n;
		enum token t = next_token(layout, &n);
		print_token(out, t, slice_of(layout.ptr, n), &d, ns);
		layout = slice_from(layout, n);
	}
}

void go_time_print(struct strbuf *out, int64_t s, int32_t ns)
{
	go_time_format(out, SL("2006-01-02 15:04:05.999999999 -0700 MST"), s, ns);
}

/* --- reading --------------------------------------------------------------------------------------------------------- */

struct reading {
	struct slice rest;
	int64_t year;
	int month, day, hour, minute, second, year_day, offset_s;
	int32_t ns;
	bool has_pm, is_pm;
};

/* Between `min` and `max` digits. */
static bool read_number(struct slice *s, size_t min, size_t max, int *out)
{
	size_t n = 0;
	int v = 0;
	while (n < max && n < s->len && is_digit(s->ptr[n]))
		v = v * 10 + (s->ptr[n++] - '0');
	if (n < min)
		return false;
	*s = slice_from(*s, n);
	*out = v;
	return true;
}

static bool read_name(struct slice *s, const char *const *names, size_t n_names, size_t length, int *out)
{
	for (size_t i = 0; i < n_names; i++) {
		struct slice name = slice_cstr(names[i]);
		if (length && length < name.len)
			name.len = length;
		if (s->len < name.len || !slice_eq_nocase(slice_of(s->ptr, name.len), name))
			continue;
		*s = slice_from(*s, name.len);
		*out = (int)i;
		return true;
	}
	return false;
}

static bool read_offset(struct slice *s, bool colon, bool hours_only, int *offset_s)
{
	int h, m = 0;
	if (!s->len || (s->ptr[0] != '+' && s->ptr[0] != '-'))
		return false;
	int sign = s->ptr[0] == '-' ? -1 : 1;
	*s = slice_from(*s, 1);
	if (!read_number(s, 2, 2, &h))
		return false;
	if (colon && (!s->len || s->ptr[0] != ':'))
		return false;
	if (colon)
		*s = slice_from(*s, 1);
	if (!hours_only && !read_number(s, 2, 2, &m))
		return false;
	*offset_s = sign * (h * 3600 + m * 60);
	return h < 24 && m < 60;
}

static bool read_fraction(struct slice *s, size_t digits, bool exact, int32_t *ns)
{
	if (!s->len || (s->ptr[0] != '.' && s->ptr[0] != ','))
		return !exact;
	size_t n = 0;
	int32_t v = 0;
	while (n + 1 < s->len && is_digit(s->ptr[n + 1])) {
		if (n < 9)
			v = v * 10 + (s->ptr[n + 1] - '0');
		n++;
	}
	if (n == 0 || (exact && n != digits))
		return false;
	for (size_t i = n; i < 9; i++)
		v *= 10;
	*ns = v;
	*s = slice_from(*s, n + 1);
	return true;
}

static bool in_range(int v, int lo, int hi)
{
	return v >= lo && v <= hi;
}

static bool read_pm(struct reading *r)
{
	if (r->rest.len < 2)
		return false;
	struct slice word = slice_of(r->rest.ptr, 2);
	r->has_pm = true;
	r->is_pm = slice_eq_nocase(word, SL("pm"));
	bool good = r->is_pm || slice_eq_nocase(word, SL("am"));
	r->rest = slice_from(r->rest, 2);
	return good;
}

static bool read_zone_name(struct reading *r)
{
	size_t n = 0;
	while (n < r->rest.len && r->rest.ptr[n] >= 'A' && r->rest.ptr[n] <= 'Z')
		n++;
	r->rest = slice_from(r->rest, n);
	return n >= 3;
}

static bool read_token(struct reading *r, enum token t, struct slice text)
{
	int ignored;
	struct slice *s = &r->rest;
	switch (t) {
	case T_NONE:
		if (!slice_starts(*s, text))
			return false;
		*s = slice_from(*s, text.len);
		return true;
	case T_LONG_MONTH:
	case T_MONTH:
		if (!read_name(s, month_names, 12, t == T_MONTH ? 3 : 0, &r->month))
			return false;
		r->month++;
		return true;
	case T_LONG_WEEKDAY:
	case T_WEEKDAY:
		return read_name(s, day_names, 7, t == T_WEEKDAY ? 3 : 0, &ignored);
	case T_NUM_MONTH:
	case T_ZERO_MONTH:
		return read_number(s, t == T_ZERO_MONTH ? 2 : 1, 2, &r->month) && in_range(r->month, 1, 12);
	case T_SPACE_DAY:
		if (s->len && s->ptr[0] == ' ')
			*s = slice_from(*s, 1);
		return read_number(s, 1, 2, &r->day);
	case T_DAY:
	case T_ZERO_DAY:
		return read_number(s, t == T_ZERO_DAY ? 2 : 1, 2, &r->day);
	case T_ZERO_YEAR_DAY:
		return read_number(s, 3, 3, &r->year_day);
	case T_HOUR:
		return read_number(s, 1, 2, &r->hour) && in_range(r->hour, 0, 23);
	case T_HOUR12:
	case T_ZERO_HOUR12:
		return read_number(s, t == T_ZERO_HOUR12 ? 2 : 1, 2, &r->hour) && in_range(r->hour, 0, 12);
	case T_MINUTE:
	case T_ZERO_MINUTE:
		return read_number(s, t == T_ZERO_MINUTE ? 2 : 1, 2, &r->minute) &&
		       in_range(r->minute, 0, 59);
	case T_SECOND:
	case T_ZERO_SECOND:
		return read_number(s, t == T_ZERO_SECOND ? 2 : 1, 2, &r->second) &&
		       in_range(r->second, 0, 59) && read_fraction(s, 0, false, &r->ns);
	case T_LONG_YEAR:
		if (!read_number(s, 4, 4, &ignored))
			return false;
		r->year = ignored;
		return true;
	case T_YEAR:
		if (!read_number(s, 2, 2, &ignored))
			return false;
		r->year = ignored >= 69 ? 1900 + ignored : 2000 + ignored;
		return true;
	case T_PM:
	case T_SMALL_PM:
		return read_pm(r);
	case T_ZONE_NAME:
		return read_zone_name(r);
	case T_Z_COLON:
	case T_Z:
		if (s->len && s->ptr[0] == 'Z') {
			*s = slice_from(*s, 1);
			return true;
		}
		return read_offset(s, t == T_Z_COLON, false, &r->offset_s);
	case T_NUM_COLON:
	case T_NUM:
	case T_NUM_HOURS:
		return read_offset(s, t == T_NUM_COLON, t == T_NUM_HOURS, &r->offset_s);
	case T_FRACTION_ZERO:
		return r->ns != 0 || read_fraction(s, text.len - 1, true, &r->ns);
	case T_FRACTION_NINE:
		return read_fraction(s, 0, false, &r->ns);
	}
	return false;
}

static int days_in_month(int64_t year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month == 2 && leap ? 29 : days[month - 1];
}

int go_time_parse(struct slice layout, struct slice text, int64_t *s, int32_t *ns, struct err *err)
{
	struct reading r = {.rest = text, .year = 0, .month = 1, .day = 1};
	for (struct slice l = layout; l.len;) {
		size_t n;
		enum token t = next_token(l, &n);
		struct slice want = slice_of(l.ptr, n), before = r.rest;
		if (!read_token(&r, t, want))
			return err_set(err, ERR_INVALID,
			    "parsing time \"%" SL_FMT "\" as \"%" SL_FMT "\": cannot parse \"%" SL_FMT
			    "\" as \"%" SL_FMT "\"",
			    SL_ARG(text), SL_ARG(layout), SL_ARG(before), SL_ARG(want));
		l = slice_from(l, n);
	}
	if (r.rest.len)
		return err_set(err, ERR_INVALID, "parsing time \"%" SL_FMT "\": extra text: \"%" SL_FMT "\"",
		    SL_ARG(text), SL_ARG(r.rest));
	if (r.day < 1 || r.day > days_in_month(r.year, r.month))
		return err_set(
		    err, ERR_INVALID, "parsing time \"%" SL_FMT "\": day out of range", SL_ARG(text));
	if (r.has_pm)
		r.hour = r.hour % 12 + (r.is_pm ? 12 : 0);
	int64_t days = r.year_day ? days_from_civil(r.year, 1, 1) + r.year_day - 1
				  : days_from_civil(r.year, r.month, r.day);
	*s = days * 86400 + r.hour * 3600 + r.minute * 60 + r.second - r.offset_s;
	*ns = r.ns;
	return 0;
}
