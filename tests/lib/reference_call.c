/* Functions of instant vectors and scalars: those that take an element and give one. */
#include "tests/lib/reference_priv.h"

#include <math.h>
#include <string.h>

/* --- mathematics -------------------------------------------------------------------------------------------------------- */

static double sign(double v)
{
	return v < 0 ? -1 : v > 0 ? 1 : v;
}

static double degrees(double v)
{
	return v * 180 / M_PI;
}

static double radians(double v)
{
	return v * M_PI / 180;
}

static double round_to(double v, double nearest)
{
	double inverse = 1 / nearest;
	return floor(v * inverse + 0.5) / inverse;
}

static double (*math_function(enum function_id id))(double)
{
	static const struct {
		enum function_id id;
		double (*f)(double);
	} table[] = {
	    {FN_ABS, fabs},
	    {FN_CEIL, ceil},
	    {FN_FLOOR, floor},
	    {FN_EXP, exp},
	    {FN_SQRT, sqrt},
	    {FN_LN, log},
	    {FN_LOG2, log2},
	    {FN_LOG10, log10},
	    {FN_SGN, sign},
	    {FN_SIN, sin},
	    {FN_COS, cos},
	    {FN_TAN, tan},
	    {FN_ASIN, asin},
	    {FN_ACOS, acos},
	    {FN_ATAN, atan},
	    {FN_SINH, sinh},
	    {FN_COSH, cosh},
	    {FN_TANH, tanh},
	    {FN_ASINH, asinh},
	    {FN_ACOSH, acosh},
	    {FN_ATANH, atanh},
	    {FN_DEG, degrees},
	    {FN_RAD, radians},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].id == id)
			return table[i].f;
	return NULL;
}

/* --- dates -------------------------------------------------------------------------------------------------------------- */

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t days_of_month(int64_t year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return days[month - 1] + (month == 2 && is_leap(year));
}

struct date {
	int64_t year, day_of_year; /* 1.. */
	int month;                 /* 1.. */
	int64_t day, weekday, hour, minute;
};

/* Counted out from 1970; what is far is brought near: 400 years have 146097 days, which is a number of whole weeks. Times
 * before the year -292277022399 are where Go's clock, which counts from there without a sign, comes round to. */
static struct date date_of(int64_t seconds)
{
	__int128 t = seconds;
	if (t + (__int128)INT64_C(9223371904444128000) < 0)
		t += (__int128)1 << 64;
	int64_t days = (int64_t)(t / 86400), rest = (int64_t)(t % 86400);
	if (rest < 0) {
		rest += 86400;
		days--;
	}
	struct date d = {.hour = rest / 3600, .minute = rest / 60 % 60};
	d.weekday = ((days % 7) + 4 + 7) % 7;
	int64_t cycles = days / 146097;
	days -= cycles * 146097;
	if (days < 0) {
		days += 146097;
		cycles--;
	}
	d.year = 1970;
	while (days >= 365 + is_leap(d.year))
		days -= 365 + is_leap(d.year++);
	d.day_of_year = days + 1;
	for (d.month = 1; days >= days_of_month(d.year, d.month); d.month++)
		days -= days_of_month(d.year, d.month);
	d.day = days + 1;
	d.year += cycles * 400;
	return d;
}

static bool date_part(enum function_id id, int64_t seconds, double *out)
{
	struct date d = date_of(seconds);
	switch ((int)id) {
	case FN_MINUTE:
		*out = (double)d.minute;
		return true;
	case FN_HOUR:
		*out = (double)d.hour;
		return true;
	case FN_DAY_OF_WEEK:
		*out = (double)d.weekday;
		return true;
	case FN_DAY_OF_MONTH:
		*out = (double)d.day;
		return true;
	case FN_DAY_OF_YEAR:
		*out = (double)d.day_of_year;
		return true;
	case FN_DAYS_IN_MONTH:
		*out = (double)days_of_month(d.year, d.month);
		return true;
	case FN_MONTH:
		*out = d.month;
		return true;
	case FN_YEAR:
		*out = (double)d.year;
		return true;
	}
	return false;
}

/* As the processor converts: what is no 64-bit number becomes the smallest. */
static int64_t to_seconds(double v)
{
	return v >= -0x1p63 && v < 0x1p63 ? (int64_t)v : INT64_MIN;
}

static int date_of_steps(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table *out)
{
	double v = 0;
	int rc = 0;
	for (size_t k = 0; rc == 0 && k < times->n; k++) {
		(void)date_part(e->call.func->id, ref_time(times, k) / 1000, &v);
		rc = ref_table_put(r, out, k, &labels_empty, false, v, NULL);
	}
	return rc;
}

/* --- element by element ------------------------------------------------------------------------------------------------- */

static double limited(double v, double low, double high)
{
	return ref_max(low, ref_min(high, v));
}

/* The value for a float at a step; false: none. */
static bool of_float(const struct call *c, double v, const double *s, double *out)
{
	enum function_id id = c->func->id;
	double (*f)(double) = math_function(id);
	if (f)
		*out = f(v);
	else if (id == FN_CLAMP)
		*out = limited(v, s[0], s[1]);
	else if (id == FN_CLAMP_MIN)
		*out = limited(v, s[0], (double)INFINITY);
	else if (id == FN_CLAMP_MAX)
		*out = limited(v, -(double)INFINITY, s[0]);
	else if (id == FN_ROUND)
		*out = round_to(v, c->n_args > 1 ? s[0] : 1);
	else
		return date_part(id, to_seconds(v), out);
	return id != FN_CLAMP || !(s[1] < s[0]);
}

static int of_elements(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table *out)
{
	struct ref_table *in;
	double *params[2] = {NULL, NULL};
	int rc = ref_vector(r, e->call.args[0], times, &in);
	for (size_t i = 1; rc == 0 && i < e->call.n_args; i++)
		rc = ref_scalar(r, e->call.args[i], times, &params[i - 1]);
	for (size_t i = 0; rc == 0 && i < in->n; i++) {
		const struct labels *labels = in->rows[i].labels;
		bool drop_name = in->rows[i].drop_name;
		ref_drop_name(r, &labels, &drop_name);
		for (size_t k = 0; rc == 0 && k < times->n; k++) {
			double s[2] = {params[0] ? params[0][k] : 0, params[1] ? params[1][k] : 0}, v;
			const struct ref_cell *c = &in->rows[i].cells[k];
			if (c->present && !c->h && of_float(&e->call, c->v, s, &v))
				rc = ref_table_put(r, out, k, labels, drop_name, v, NULL);
		}
	}
	return rc;
}

static int vector_of_scalar(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table *out)
{
	double *v;
	int rc = ref_scalar(r, e->call.args[0], times, &v);
	for (size_t k = 0; rc == 0 && k < times->n; k++)
		rc = ref_table_put(r, out, k, &labels_empty, false, v[k], NULL);
	return rc;
}

/* --- timestamps --------------------------------------------------------------------------------------------------------- */

/* Of a bare selector: the times of its samples, or of the beginnings of their counters. */
static int times_of_samples(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table *out)
{
	const struct selector *sel = &expr_unparen(e->call.args[0])->selector;
	bool starts = e->call.func->id == FN_START_TIMESTAMP;
	struct ref_series_list list;
	int rc = ref_select(r, sel->matchers, sel->n_matchers, &list);
	for (size_t i = 0; rc == 0 && i < list.n; i++) {
		const struct ref_series *s = &list.v[i];
		const struct labels *labels = s->labels;
		bool drop_name = false;
		ref_drop_name(r, &labels, &drop_name);
		for (size_t k = 0; rc == 0 && k < times->n; k++) {
			long newest = ref_newest(r, s, ref_shifted(r, &sel->shift, ref_time(times, k)));
			if (newest < 0 || (starts && !r->options->use_start_timestamps))
				continue;
			int64_t found = starts ? s->p[newest].start_ms : s->p[newest].t_ms;
			rc = ref_table_put(r, out, k, labels, drop_name, (double)found / 1000, NULL);
		}
	}
	return rc;
}

static int timestamps(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table *out)
{
	struct ref_table *in;
	if (expr_unparen(e->call.args[0])->kind == EXPR_SELECTOR)
		return times_of_samples(r, e, times, out);
	int rc = ref_vector(r, e->call.args[0], times, &in);
	for (size_t i = 0; rc == 0 && e->call.func->id == FN_TIMESTAMP && i < in->n; i++) {
		const struct labels *labels = in->rows[i].labels;
		bool drop_name = in->rows[i].drop_name;
		ref_drop_name(r, &labels, &drop_name);
		for (size_t k = 0; rc == 0 && k < times->n; k++)
			if (in->rows[i].cells[k].present)
				rc = ref_table_put(
				    r, out, k, labels, drop_name, (double)ref_time(times, k) / 1000, NULL);
	}
	return rc;
}

/* --- absence ------------------------------------------------------------------------------------------------------------ */

/* A label has the value that one = matcher gives it; a second matcher of it takes it away again. */
const struct labels *ref_absent_labels(struct reference *r, const struct expr *arg)
{
	arg = expr_unparen(arg);
	if (arg->kind != EXPR_SELECTOR && arg->kind != EXPR_RANGE_SELECTOR)
		return &labels_empty;
	const struct selector *sel = &arg->selector;
	struct label *kept = ARENA_ARRAY(r->arena, struct label, sel->n_matchers + 1);
	size_t n = 0;
	for (size_t i = 0; i < sel->n_matchers; i++) {
		const struct matcher *m = sel->matchers[i];
		size_t same = 0;
		for (size_t k = 0; k < sel->n_matchers; k++)
			same += slice_eq(sel->matchers[k]->name, m->name);
		if (m->op == MATCH_EQUAL && same == 1 && !slice_eq(m->name, SL(LABEL_NAME)))
			kept[n++] = (struct label){m->name, m->value};
	}
	const struct labels *labels = &labels_empty;
	/* The names are different, so that this cannot fail. */
	return labels_from_pairs(r->arena, kept, n, &labels, r->err) ? &labels_empty : labels;
}

static int absent(
    struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table *out)
{
	struct ref_table *in;
	const struct labels *labels = ref_absent_labels(r, e->call.args[0]);
	int rc = ref_vector(r, e->call.args[0], times, &in);
	for (size_t k = 0; rc == 0 && k < times->n; k++) {
		bool found = false;
		for (size_t i = 0; i < in->n; i++)
			found |= in->rows[i].cells[k].present;
		if (!found)
			rc = ref_table_put(r, out, k, labels, false, 1, NULL);
	}
	return rc;
}

/* --- all ---------------------------------------------------------------------------------------------------------------- */

static bool has_range(const struct call *c)
{
	for (size_t i = 0; i < c->n_args; i++)
		if (c->args[i]->type == TYPE_MATRIX)
			return true;
	return false;
}

int ref_call(struct reference *r, const struct expr *e, const struct ref_times *times, struct ref_table **out)
{
	double unused;
	if (has_range(&e->call))
		return ref_range_call(r, e, times, out);
	if (strncmp(e->call.func->name, "histogram_", 10) == 0)
		return ref_histogram_call(r, e, times, out);
	*out = ref_table_new(r, times);
	switch ((int)e->call.func->id) {
	case FN_LABEL_REPLACE:
	case FN_LABEL_JOIN:
		return ref_label_call(r, e, times, out);
	case FN_INFO:
		return ref_info_call(r, e, times, out);
	case FN_SORT:
	case FN_SORT_DESC:
	case FN_SORT_BY_LABEL:
	case FN_SORT_BY_LABEL_DESC:
		return ref_sort(r, e, times, out);
	case FN_ABSENT:
		return absent(r, e, times, *out);
	case FN_VECTOR:
		return vector_of_scalar(r, e, times, *out);
	case FN_TIMESTAMP:
	case FN_START_TIMESTAMP:
		return timestamps(r, e, times, *out);
	}
	if (e->call.n_args == 0 && date_part(e->call.func->id, 0, &unused))
		return date_of_steps(r, e, times, *out);
	return of_elements(r, e, times, *out);
}
