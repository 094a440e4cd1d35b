#include "alertmanager/mute_time.h"

#include "model/time_zone.h"

static bool in_ranges(const struct int_ranges *r, int32_t x)
{
	if (r->n == 0)
		return true;
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].begin <= x && x <= r->v[i].end)
			return true;
	return false;
}

/* The end of a range of times does not belong to it. */
static bool in_times(const struct int_ranges *r, int32_t minute)
{
	if (r->n == 0)
		return true;
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].begin <= minute && minute < r->v[i].end)
			return true;
	return false;
}

/* Negative days count from the end of this month; a range that begins behind the month's end never matches. */
static bool in_days(const struct int_ranges *r, int32_t day, int32_t days_in_month)
{
	if (r->n == 0)
		return true;
	for (size_t i = 0; i < r->n; i++) {
		int32_t begin = r->v[i].begin, end = r->v[i].end;
		begin = begin < 0 ? days_in_month + begin + 1 : begin;
		end = end < 0 ? days_in_month + end + 1 : end;
		if (begin <= day && day <= end)
			return true;
	}
	return false;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

bool time_interval_contains(const struct time_interval *t, int64_t now_ms)
{
	struct civil_time c = time_zone_civil(t->zone, floor_div(now_ms, 1000));
	return in_times(&t->times, c.hour * 60 + c.minute) &&
	       in_days(&t->days_of_month, c.day, c.days_in_month) && in_ranges(&t->months, c.month) &&
	       in_ranges(&t->weekdays, c.weekday) && in_ranges(&t->years, c.year);
}

bool mute_time_contains(const struct am_time_interval *t, int64_t now_ms)
{
	for (size_t i = 0; i < t->n_intervals; i++)
		if (time_interval_contains(&t->intervals[i], now_ms))
			return true;
	return false;
}
