#include "promql/duration_summary.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BOX_NS       (INT64_C(2) * 60 * 1000000000)
#define SMALLEST_NS  1000.0 /* what is shorter is in the first bucket */
#define BUCKET_WIDTH 1.05

static const double bounds_s[HISTOGRAM_BOUNDS] = {0.01, 0.1, 1, 10};

/* Empties the boxes whose time has come again. */
static void turn(struct duration_summary *d, int64_t now_ns)
{
	int64_t box = now_ns / BOX_NS;

	if (box - d->box >= SUMMARY_BOXES) {
		memset(d->boxes, 0, sizeof(d->boxes));
		d->box = box;
	}
	while (d->box < box)
		memset(d->boxes[++d->box % SUMMARY_BOXES], 0, sizeof(d->boxes[0]));
}

static size_t bucket_of(int64_t ns)
{
	if ((double)ns <= SMALLEST_NS)
		return 0;
	size_t b = (size_t)(log((double)ns / SMALLEST_NS) / log(BUCKET_WIDTH)) + 1;
	return b < SUMMARY_BUCKETS ? b : SUMMARY_BUCKETS - 1;
}

void duration_summary_add(struct duration_summary *d, int64_t now_ns, int64_t ns)
{
	turn(d, now_ns);
	d->boxes[d->box % SUMMARY_BOXES][bucket_of(ns)]++;
	d->count++;
	d->sum_s += (double)ns / 1e9;
	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++)
		d->histogram[i] += (double)ns / 1e9 <= bounds_s[i];
}

static uint64_t count_in(const struct duration_summary *d, size_t bucket)
{
	uint64_t n = 0;

	for (size_t i = 0; i < SUMMARY_BOXES; i++)
		n += d->boxes[i][bucket];
	return n;
}

double duration_summary_quantile(struct duration_summary *d, int64_t now_ns, double q)
{
	uint64_t all = 0, sum = 0;
	size_t b = 0;

	turn(d, now_ns);
	for (size_t i = 0; i < SUMMARY_BUCKETS; i++)
		all += count_in(d, i);
	if (all == 0)
		return NAN;
	uint64_t rank = (uint64_t)ceil(q * (double)all);
	for (; b < SUMMARY_BUCKETS - 1; b++) {
		sum += count_in(d, b);
		if (sum >= rank)
			break;
	}
	/* The middle of the bucket. */
	return b == 0 ? SMALLEST_NS / 1e9 : SMALLEST_NS / 1e9 * pow(BUCKET_WIDTH, (double)b - 0.5);
}

void duration_summary_put(
    struct duration_summary *d, int64_t now_ns, struct metrics_writer *w, const char *slice)
{
	static const struct {
		const char *text;
		double q;
	} quantiles[] = {{"0.5", 0.5}, {"0.9", 0.9}, {"0.99", 0.99}};

	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		metrics_sample(w, "", duration_summary_quantile(d, now_ns, quantiles[i].q), "slice", slice,
		    "quantile", quantiles[i].text, NULL);
	metrics_sample(w, "_sum", d->sum_s, "slice", slice, NULL);
	metrics_sample(w, "_count", (double)d->count, "slice", slice, NULL);
}

void duration_summary_put_histogram(
    const struct duration_summary *d, struct metrics_writer *w, const char *slice)
{
	static const char *const texts[HISTOGRAM_BOUNDS] = {"0.01", "0.1", "1", "10"};

	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++)
		metrics_sample(w, "_bucket", (double)d->histogram[i], "slice", slice, "le", texts[i], NULL);
	metrics_sample(w, "_bucket", (double)d->count, "slice", slice, "le", "+Inf", NULL);
	metrics_sample(w, "_sum", d->sum_s, "slice", slice, NULL);
	metrics_sample(w, "_count", (double)d->count, "slice", slice, NULL);
}
