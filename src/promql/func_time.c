/* Parts of dates, in UTC, of values that are seconds since the epoch. */
#include "promql/func_time.h"

#include "promql/eval.h"
#include "promql/func_math.h"
#include <math.h>

enum { SECONDS_PER_DAY = 86400 };

/* A day of the proleptic Gregorian calendar. */
struct civil_day {
	int64_t year;
	int month, day; /* 1-based */
};

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static bool is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int64_t year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days before January 1st of the year, counted from year 0. */
static int64_t days_before_year(int64_t year)
{
	int64_t y = year - 1;
	return year * 365 + floor_div(y, 4) - floor_div(y, 100) + floor_div(y, 400) + 1;
}

/* `day` counts from 1970-01-01; *of_year is 0-based. */
static struct civil_day civil_from_days(int64_t day, int *of_year)
{
	int64_t from_zero = day + days_before_year(1970);
	struct civil_day d = {.year = floor_div(from_zero * 400, 146097), .month = 1};

	while (days_before_year(d.year + 1) <= from_zero)
		d.year++;
	while (days_before_year(d.year) > from_zero)
		d.year--;
	int left = *of_year = (int)(from_zero - days_before_year(d.year));
	while (left >= days_in_month(d.year, d.month))
		left -= days_in_month(d.year, d.month++);
	d.day = left + 1;
	return d;
}

/* As Go converts on amd64: what does not fit becomes the smallest number. */
static int64_t to_int64(double v)
{
	return v >= -0x1p63 && v < 0x1p63 ? (int64_t)v : INT64_MIN;
}

/* From January 1st of the year -292277022399 to 1970-01-01, in days. */
static const int64_t days_before_epoch = INT64_C(106751989634770);

double date_part(enum function_id id, double seconds)
{
	/* Go counts seconds from that year on, without a sign, so that the smallest number (NaN, say) comes round to the year
	 * 292277026596. */
	uint64_t s = (uint64_t)to_int64(seconds) + (uint64_t)days_before_epoch * SECONDS_PER_DAY;
	int64_t day = (int64_t)(s / SECONDS_PER_DAY) - days_before_epoch,
		of_day = (int64_t)(s % SECONDS_PER_DAY);
	int of_year;

	if (id == FN_MINUTE)
		return (double)(of_day / 60 % 60);
	if (id == FN_HOUR)
		return (double)(of_day / 3600);
	if (id == FN_DAY_OF_WEEK)
		return (double)(day + 4 - floor_div(day + 4, 7) * 7); /* 1970-01-01 was a Thursday */
	struct civil_day d = civil_from_days(day, &of_year);
	if (id == FN_DAY_OF_YEAR)
		return of_year + 1;
	if (id == FN_DAY_OF_MONTH)
		return d.day;
	if (id == FN_MONTH)
		return d.month;
	return id == FN_YEAR ? (double)d.year : days_in_month(d.year, d.month);
}

bool date_function(enum function_id id)
{
	return id == FN_MINUTE || id == FN_HOUR || id == FN_DAY_OF_WEEK || id == FN_DAY_OF_YEAR ||
	       id == FN_DAY_OF_MONTH || id == FN_MONTH || id == FN_YEAR || id == FN_DAYS_IN_MONTH;
}

struct date_call {
	enum function_id id;
};

static void apply_date(void *arg, struct tile *t, size_t first)
{
	const struct date_call *c = arg;
	(void)first;

	tile_drop_histograms(t);
	for (uint32_t r = 0; r < t->rows; r++) {
		struct row row = tile_row(t, r);
		BITS_EACH(k, row.present, t->words)
		row.v[k] = date_part(c->id, row.v[k]);
	}
}

/* Without argument: of the time of evaluation. */
static int date_of_steps(
    struct eval *e, enum function_id id, const struct grid *grid, struct source **out, struct err *err)
{
	struct source *s = source_matrix_new(e, grid, 1);
	if (s == NULL)
		return query_limits_no_memory(err);
	struct row r = tile_row(s->all, 0);
	for (uint32_t k = 0; k < grid->n; k++)
		r.v[k] = date_part(id, (double)grid_time_ms(grid, k) / 1000);
	bits_fill(r.present, grid->n);
	s->cache[0] = &labels_empty;
	s->unique = s->unique_nameless = true;
	*out = s;
	return 0;
}

int eval_date(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	struct date_call *c = ARENA_NEW(e->arena, struct date_call);
	struct source *below;

	c->id = x->call.func->id;
	if (x->call.n_args == 0)
		return date_of_steps(e, c->id, grid, out, err);
	int rc = eval_vector(e, x->call.args[0], grid, &below, err);
	if (rc)
		return rc;
	*out = source_map_new(below, apply_date, c, true);
	return source_merge_same(out, err);
}
