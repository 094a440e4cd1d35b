/* Numbers for people, to the letter of Prometheus's template functions. */
#include "base/double_text.h"
#include "template/template_funcs.h"

#include <math.h>
#include <stdio.h>

/* Go's %.4g: C's, but for NaN and infinities and their signs. */
static void print_4g(struct strbuf *out, double v)
{
	if (isnan(v))
		strbuf_adds(out, "NaN");
	else if (isinf(v))
		strbuf_adds(out, v < 0 ? "-Inf" : "+Inf");
	else
		strbuf_addf(out, "%.4g", v);
}

static bool is_plain(double v)
{
	return v == 0 || isnan(v) || isinf(v);
}

void template_humanize(struct strbuf *out, double v)
{
	static const char *const large[] = {"k", "M", "G", "T", "P", "E", "Z", "Y"};
	static const char *const small[] = {"m", "u", "n", "p", "f", "a", "z", "y"};
	const char *prefix = "";
	if (is_plain(v)) {
		print_4g(out, v);
		return;
	}
	if (fabs(v) >= 1) {
		for (size_t i = 0; i < ARRAY_LEN(large) && fabs(v) >= 1000; i++) {
			prefix = large[i];
			v /= 1000;
		}
	} else {
		for (size_t i = 0; i < ARRAY_LEN(small) && fabs(v) < 1; i++) {
			prefix = small[i];
			v *= 1000;
		}
	}
	print_4g(out, v);
	strbuf_adds(out, prefix);
}

void template_humanize_1024(struct strbuf *out, double v)
{
	static const char *const prefixes[] = {"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"};
	const char *prefix = "";
	if (!is_plain(v) && fabs(v) > 1)
		for (size_t i = 0; i < ARRAY_LEN(prefixes) && fabs(v) >= 1024; i++) {
			prefix = prefixes[i];
			v /= 1024;
		}
	print_4g(out, v);
	strbuf_adds(out, prefix);
}

static void print_whole_seconds(struct strbuf *out, double v)
{
	const char *sign = v < 0 ? "-" : "";
	int64_t s = (int64_t)fabs(v);
	long long days = s / 86400, hours = s / 3600 % 24, minutes = s / 60 % 60, seconds = s % 60;
	if (days)
		strbuf_addf(out, "%s%lldd %lldh %lldm %llds", sign, days, hours, minutes, seconds);
	else if (hours)
		strbuf_addf(out, "%s%lldh %lldm %llds", sign, hours, minutes, seconds);
	else
		strbuf_addf(out, "%s%lldm %llds", sign, minutes, seconds);
}

void template_humanize_duration(struct strbuf *out, double v)
{
	static const char *const prefixes[] = {"m", "u", "n", "p", "f", "a", "z", "y"};
	const char *prefix = "";
	if (isnan(v) || isinf(v)) {
		print_4g(out, v);
		return;
	}
	if (v == 0) {
		strbuf_adds(out, "0s");
		return;
	}
	if (fabs(v) >= 60 && fabs(v) < 9e18) {
		print_whole_seconds(out, v);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(prefixes) && fabs(v) < 1; i++) {
		prefix = prefixes[i];
		v *= 1000;
	}
	print_4g(out, v);
	strbuf_addf(out, "%ss", prefix);
}
