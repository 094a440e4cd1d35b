/* Most samples are small integers and short decimals such as 0.25. For those the digits come from integer
 * arithmetic: v = m / 10^k with m below 10^15 and k up to 6. Decimals of at most 15 digits are each nearest
 * to a double of their own, so if the correctly rounded quotient m / 10^k is v again, and k is the smallest
 * for which that holds, then m's digits are the shortest ones. All other values go to double-conversion.
 *
 * Reading is the mirror image: m of at most 2^53 and a power of ten of at most 10^22 are both exact doubles,
 * so one multiplication or division rounds once and correctly (Clinger 1990). */
#include "base/double_text.h"

#include "base/double_slow.h"

#include <math.h>

enum { MAX_DIGITS = 20, FAST_DECIMALS = 6, EXACT_POWERS = 22, MAX_EXPONENT = 100000 };

static const double powers[EXACT_POWERS + 1] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* 0.digits * 10^point; zero is the digit 0 with point 1. */
struct decimal {
	char digits[MAX_DIGITS];
	int n;
	int point;
};

static void digits_of_integer(uint64_t m, int decimals, struct decimal *d)
{
	char text[MAX_DIGITS];
	int n = 0;
	for (; m; m /= 10)
		text[n++] = (char)('0' + m % 10);
	d->point = n - decimals;
	d->n = n;
	for (int i = 0; i < n; i++)
		d->digits[i] = text[n - 1 - i];
	while (d->n > 1 && d->digits[d->n - 1] == '0')
		d->n--;
}

/* `v` is finite and positive. */
static bool short_decimal(double v, struct decimal *d)
{
	for (int k = 0; k <= FAST_DECIMALS; k++) {
		double scaled = v * powers[k];
		if (scaled >= 1e15)
			return false;
		double m = (double)(int64_t)(scaled + 0.5); /* no call into libm */
		if (fabs(scaled - m) <= scaled * 0x1p-50 && m > 0 &&
		    m / powers[k] == v) { /* the cheap test spares divisions */
			digits_of_integer((uint64_t)m, k, d);
			return true;
		}
	}
	return false;
}

static void to_decimal(double v, struct decimal *d)
{
	if (v == 0) {
		*d = (struct decimal){.digits = "0", .n = 1, .point = 1};
		return;
	}
	if (!short_decimal(v, d))
		d->n = double_slow_digits(v, d->digits, &d->point);
}

static size_t put_special(double v, char *out)
{
	const char *text = isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf";
	size_t n = strlen(text);
	memcpy(out, text, n);
	return n;
}

static char *put_f(char *p, const struct decimal *d)
{
	int i = 0;
	if (d->point <= 0)
		*p++ = '0';
	for (; i < d->point; i++)
		*p++ = i < d->n ? d->digits[i] : '0';
	if (d->n <= d->point)
		return p;
	*p++ = '.';
	for (int zeros = d->point; zeros < 0; zeros++)
		*p++ = '0';
	while (i < d->n)
		*p++ = d->digits[i++];
	return p;
}

static char *put_e(char *p, const struct decimal *d)
{
	*p++ = d->digits[0];
	if (d->n > 1) {
		*p++ = '.';
		memcpy(p, d->digits + 1, (size_t)d->n - 1);
		p += d->n - 1;
	}
	int exponent = d->point - 1;
	*p++ = 'e';
	*p++ = exponent < 0 ? '-' : '+';
	if (exponent < 0)
		exponent = -exponent;
	if (exponent >= 100)
		*p++ = (char)('0' + exponent / 100);
	*p++ = (char)('0' + exponent / 10 % 10);
	*p++ = (char)('0' + exponent % 10);
	return p;
}

/* The exponent form is taken below 10^low and from 10^high on. */
static size_t print(double v, int low, int high, char *out)
{
	if (!isfinite(v))
		return put_special(v, out);
	char *p = out;
	if (signbit(v))
		*p++ = '-';
	struct decimal d;
	to_decimal(fabs(v), &d);
	int exponent = d.point - 1;
	p = exponent < low || exponent >= high ? put_e(p, &d) : put_f(p, &d);
	return (size_t)(p - out);
}

size_t double_to_json(double v, char *out)
{
	return print(v, -6, 21, out);
}

size_t double_to_shortest_f(double v, char *out)
{
	return print(v, -MAX_EXPONENT, MAX_EXPONENT, out);
}

size_t double_to_shortest_e(double v, char *out)
{
	return print(v, MAX_EXPONENT, MAX_EXPONENT, out);
}

size_t double_to_go_g(double v, char *out)
{
	return print(v, -4, 6, out);
}

/* --- reading ---------------------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool parse_special(struct slice s, bool has_sign, bool is_negative, double *v)
{
	if (slice_eq_nocase(s, SL("inf")) || slice_eq_nocase(s, SL("infinity"))) {
		*v = is_negative ? -HUGE_VAL : HUGE_VAL;
		return true;
	}
	if (has_sign || !slice_eq_nocase(s, SL("nan")))
		return false;
	*v = (double)NAN;
	return true;
}

/* What a scan of digits[.digits][e[+-]digits] gave. */
struct scan {
	uint64_t m;      /* the first 19 significant digits */
	int significant; /* how many digits there are from the first that is not 0 */
	int exponent;    /* of 10, when m holds all digits */
	bool is_long;    /* more decimals than `exponent` counts */
};

/* Reads digits, counted as decimals when `is_fraction`; returns how many. */
static size_t scan_digits(const char **p, const char *end, bool is_fraction, struct scan *s)
{
	const char *start = *p;
	for (; *p < end && is_digit(**p); ++*p) {
		if (s->significant < 19)
			s->m = s->m * 10 + (uint64_t)(**p - '0');
		if (s->m && s->significant <= 19)
			s->significant++;
		if (!is_fraction)
			continue;
		if (s->exponent > -MAX_EXPONENT)
			s->exponent--;
		else
			s->is_long = true;
	}
	return (size_t)(*p - start);
}

static bool scan_exponent(const char **p, const char *end, struct scan *s)
{
	if (*p == end || (**p != 'e' && **p != 'E'))
		return true;
	bool is_negative = false;
	if (++*p < end && (**p == '+' || **p == '-'))
		is_negative = *(*p)++ == '-';
	if (*p == end)
		return false;
	int e = 0;
	for (; *p < end && is_digit(**p); ++*p)
		if (e < MAX_EXPONENT)
			e = e * 10 + (**p - '0');
	s->exponent += is_negative ? -e : e;
	return true;
}

static bool scan_number(struct slice s, struct scan *scan)
{
	const char *p = s.ptr, *end = s.ptr + s.len;
	size_t n = scan_digits(&p, end, false, scan);
	if (p < end && *p == '.') {
		p++;
		n += scan_digits(&p, end, true, scan);
	}
	return n > 0 && scan_exponent(&p, end, scan) && p == end;
}

static bool exact(const struct scan *s, double *v)
{
	if (s->is_long || s->significant > 19 || s->m > UINT64_C(1) << 53 || s->exponent < -EXACT_POWERS ||
	    s->exponent > EXACT_POWERS)
		return false;
	double m = (double)s->m;
	*v = s->exponent < 0 ? m / powers[-s->exponent] : m * powers[s->exponent];
	return true;
}

bool double_parse(struct slice s, double *v)
{
	bool has_sign = s.len && (s.ptr[0] == '+' || s.ptr[0] == '-');
	bool is_negative = has_sign && s.ptr[0] == '-';
	if (has_sign)
		s = slice_from(s, 1);
	if (s.len == 0)
		return false;
	if (!is_digit(s.ptr[0]) && s.ptr[0] != '.')
		return parse_special(s, has_sign, is_negative, v);
	struct scan scan = {0};
	if (!scan_number(s, &scan))
		return false;
	double x = 0;
	if (scan.m && !exact(&scan, &x))
		x = double_slow_parse(s.ptr, s.len);
	if (isinf(x))
		return false;
	*v = is_negative ? -x : x;
	return true;
}
