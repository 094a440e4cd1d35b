#include "scrape/interval_stats.h"

#include "model/duration.h"

#include <stdlib.h>

void interval_stats_init(struct interval_stats *s)
{
	*s = (struct interval_stats){0};
	lock_init(&s->lock, LOCK_POOL, "interval_stats");
}

void interval_stats_done(struct interval_stats *s)
{
	interval_row_vec_done(&s->rows);
	lock_done(&s->lock);
}

/* Few different intervals are in use at once. */
static struct interval_row *row_of(struct interval_stats *s, int64_t interval_ms)
{
	VEC_EACH (struct interval_row, r, &s->rows)
		if (r->interval_ms == interval_ms)
			return r;
	struct interval_row *r = interval_row_vec_add(&s->rows);
	r->interval_ms = interval_ms;
	return r;
}

void interval_stats_add(struct interval_stats *s, int64_t interval_ms, double seconds)
{
	lock_take(&s->lock);
	struct interval_row *r = row_of(s, interval_ms);
	r->newest[r->count++ % INTERVAL_NEWEST] = seconds;
	r->sum += seconds;
	lock_release(&s->lock);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void collect_row(const struct interval_row *r, struct metrics_writer *w)
{
	static const struct {
		double q;
		const char *text;
	} quantiles[] = {{0.01, "0.01"}, {0.05, "0.05"}, {0.5, "0.5"}, {0.9, "0.9"}, {0.99, "0.99"}};
	struct strbuf interval = STRBUF_INIT;
	duration_print(&interval, r->interval_ms);
	size_t n = r->count < INTERVAL_NEWEST ? r->count : INTERVAL_NEWEST;
	double sorted[INTERVAL_NEWEST];
	memcpy(sorted, r->newest, n * sizeof(sorted[0]));
	qsort(sorted, n, sizeof(sorted[0]), by_value);
	for (size_t i = 0; i < ARRAY_LEN(quantiles); i++)
		metrics_sample(w, "", sorted[(size_t)(quantiles[i].q * (double)(n - 1))], "interval",
		    strbuf_cstr(&interval), "quantile", quantiles[i].text, NULL);
	metrics_sample(w, "_sum", r->sum, "interval", strbuf_cstr(&interval), NULL);
	metrics_sample(w, "_count", (double)r->count, "interval", strbuf_cstr(&interval), NULL);
	strbuf_done(&interval);
}

void interval_stats_collect(struct interval_stats *s, struct metrics_writer *w)
{
	lock_take(&s->lock);
	metrics_family(
	    w, "prometheus_target_interval_length_seconds", "summary", "Actual intervals between scrapes.");
	VEC_EACH (struct interval_row, r, &s->rows)
		collect_row(r, w);
	lock_release(&s->lock);
}
