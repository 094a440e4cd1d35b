#include "model/histogram.h"
#include "model/stale_marker.h"
#include "tests/lib/test.h"

#include <math.h>

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = arena_new(ARENA_NO_LIMIT);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* --- a naive model: a dense array of counts by index ------------------------------------------------------------------------ */

enum { LOW = -40, HIGH = 40, RANGE = HIGH - LOW + 1 };

struct dense {
	int schema;
	double zero_threshold, zero, count, sum;
	double pos[RANGE], neg[RANGE];
};

static void fill_side(const double *dense, const struct histogram_span **spans, uint32_t *n_spans,
    const double **counts, uint32_t *n)
{
	struct histogram_span *sp = ARENA_ARRAY(arena, struct histogram_span, RANGE);
	double *v = ARENA_ARRAY(arena, double, RANGE);
	uint32_t used = 0, buckets = 0;
	int next = 0;
	for (int i = LOW; i <= HIGH; i++) {
		if (dense[i - LOW] == 0)
			continue;
		if (used == 0 || i != next) {
			sp[used].offset = i - (used == 0 ? 0 : next);
			used++;
		}
		sp[used - 1].length++;
		v[buckets++] = dense[i - LOW];
		next = i + 1;
	}
	*spans = sp;
	*n_spans = used;
	*counts = v;
	*n = buckets;
}

static struct histogram *of_dense(const struct dense *d)
{
	struct histogram *h = ARENA_NEW(arena, struct histogram);
	h->schema = d->schema;
	h->zero_threshold = d->zero_threshold;
	h->zero_count = d->zero;
	h->count = d->count;
	h->sum = d->sum;
	fill_side(d->pos, &h->pos_spans, &h->n_pos_spans, &h->pos, &h->n_pos);
	fill_side(d->neg, &h->neg_spans, &h->n_neg_spans, &h->neg, &h->n_neg);
	return h;
}

/* Whole counts, so that sums are exact. */
static struct dense random_dense(struct test_random *r, int schema)
{
	struct dense d = {.schema = schema, .zero_threshold = 0.001, .zero = (double)test_random_below(r, 5)};
	d.count = d.zero;
	for (int i = 0; i < RANGE; i++) {
		d.pos[i] = test_random_below(r, 3) ? 0 : (double)(1 + test_random_below(r, 9));
		d.neg[i] = test_random_below(r, 4) ? 0 : (double)(1 + test_random_below(r, 9));
		d.count += d.pos[i] + d.neg[i];
	}
	d.sum = (double)test_random_below(r, 1000);
	return d;
}

static void dense_reduce(struct dense *d, int schema)
{
	for (; d->schema > schema; d->schema--) {
		struct dense to = *d;
		memset(to.pos, 0, sizeof(to.pos));
		memset(to.neg, 0, sizeof(to.neg));
		for (int i = LOW; i <= HIGH; i++) {
			int half = (int)ceil(i / 2.0);
			to.pos[half - LOW] += d->pos[i - LOW];
			to.neg[half - LOW] += d->neg[i - LOW];
		}
		*d = to;
	}
}

static void dense_add(struct dense *x, struct dense y, double sign)
{
	int schema = x->schema < y.schema ? x->schema : y.schema;
	dense_reduce(x, schema);
	dense_reduce(&y, schema);
	x->schema = schema;
	for (int i = 0; i < RANGE; i++) {
		x->pos[i] += sign * y.pos[i];
		x->neg[i] += sign * y.neg[i];
	}
	x->zero += sign * y.zero;
	x->count += sign * y.count;
	x->sum += sign * y.sum;
}

static void check_equal(const char *name, const struct histogram *got, const struct histogram *want)
{
	struct strbuf g = STRBUF_INIT, w = STRBUF_INIT;
	histogram_print(&g, got);
	histogram_print(&w, want);
	check_slice(name, strbuf_slice(&g), strbuf_slice(&w));
	strbuf_done(&g);
	strbuf_done(&w);
	check_true(name, histogram_eq(got, want));
}

static void arithmetic_like_dense_arrays(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	for (int round = 0; round < 300; round++) {
		arena_reset(arena);
		struct dense x = random_dense(&r, (int)test_random_below(&r, 4));
		struct dense y = random_dense(&r, (int)test_random_below(&r, 4));
		const struct histogram *hx = of_dense(&x), *hy = of_dense(&y);
		unsigned notes = 0;
		struct dense sum = x, difference = x, reduced = x;
		dense_add(&sum, y, 1);
		dense_add(&difference, y, -1);
		dense_reduce(&reduced, 0);
		check_equal("add", histogram_add(arena, hx, hy, &notes), of_dense(&sum));
		check_equal("sub", histogram_sub(arena, hx, hy, &notes), of_dense(&difference));
		check_equal("reduce", histogram_reduce(arena, hx, 0), of_dense(&reduced));
		check_equal("compact", histogram_compact(arena, hx), hx);
		check_equal("scaled back", histogram_divide(arena, histogram_scale(arena, hx, 4), 4), hx);
		check_int("notes", notes, 0);
		struct histogram_sum *s = histogram_sum_new(arena, hx);
		for (int i = 0; i < 3; i++)
			assert_true(histogram_sum_add(s, hy, &notes));
		check_equal("sum", histogram_sum_result(s, arena),
		    histogram_add(arena,
			histogram_add(arena, histogram_add(arena, hx, hy, &notes), hy, &notes), hy, &notes));
		check_equal("mean", histogram_sum_mean(s, arena, 4),
		    histogram_divide(arena, histogram_sum_result(s, arena), 4));
		/* More of everything is no reset; less of something is. */
		struct histogram *grown = histogram_add(arena, hx, hx, &notes);
		assert_false(histogram_detect_reset(grown, hx));
		assert_true(histogram_detect_reset(hx, grown));
	}
}

static void walking_both_ways(void **state)
{
	(void)state;
	struct test_random r;
	test_random_init(&r);
	for (int round = 0; round < 100; round++) {
		arena_reset(arena);
		struct dense d = random_dense(&r, (int)test_random_below(&r, 9));
		d.zero_threshold = 0x1p-42; /* below all buckets */
		const struct histogram *h = of_dense(&d);
		struct histogram_bucket up[2 * RANGE + 1], b;
		struct histogram_walk w;
		size_t n = 0;
		double total = 0;
		histogram_walk_init(&w, h);
		while (histogram_walk_next(&w, &up[n])) {
			assert_true(up[n].lower < up[n].upper);
			assert_true(n == 0 || up[n].lower >= up[n - 1].upper);
			total += up[n++].count;
		}
		check_double("all are counted", total, d.count);
		histogram_walk_init_reverse(&w, h);
		while (histogram_walk_prev(&w, &b)) {
			assert_true(n > 0);
			n--;
			check_double("lower", b.lower, up[n].lower);
			check_double("count", b.count, up[n].count);
		}
		check_int("as many", n, 0);
	}
}

/* --- tables -------------------------------------------------------------------------------------------------------------------- */

static const struct histogram_span two_spans[] = {{-1, 2}, {1, 1}};
static const double three[] = {1, 2, 4};
static const struct histogram sample = {
    .schema = 0,
    .zero_threshold = 0.001,
    .zero_count = 1,
    .count = 11,
    .sum = 18.4,
    .n_pos_spans = 2,
    .n_pos = 3,
    .pos_spans = two_spans,
    .pos = three,
    .n_neg_spans = 1,
    .n_neg = 2,
    .neg_spans = (const struct histogram_span[]){{0, 2}},
    .neg = (const double[]){1, 2},
};

static struct histogram custom(
    const double *bounds, uint32_t n_bounds, const double *counts, uint32_t n, double count, double sum)
{
	struct histogram_span *span = ARENA_NEW(arena, struct histogram_span);
	span->length = n;
	return (struct histogram){.schema = HISTOGRAM_CUSTOM_SCHEMA,
	    .count = count,
	    .sum = sum,
	    .custom = bounds,
	    .n_custom = n_bounds,
	    .pos_spans = span,
	    .n_pos_spans = 1,
	    .pos = counts,
	    .n_pos = n};
}

static void printing(void **state)
{
	(void)state;
	struct strbuf sb = STRBUF_INIT;
	histogram_print(&sb, &sample);
	check_str("exponential", strbuf_slice(&sb),
	    "{count:11, sum:18.4, [-2,-1):2, [-1,-0.5):1, [-0.001,0.001]:1, (0.25,0.5]:1, (0.5,1]:2, "
	    "(2,4]:4}");
	struct histogram h = custom((const double[]){1, 5}, 2, (const double[]){1, 0, 2}, 3, 3, 7);
	strbuf_reset(&sb);
	histogram_print(&sb, &h);
	check_str("custom", strbuf_slice(&sb), "{count:3, sum:7, [-Inf,1]:1, (5,+Inf]:2}");
	strbuf_done(&sb);
	check_int("sample size", histogram_sample_size(&sample), (168 + 8 * (2 + 1 + 3 + 2) + 8) / 16);
}

static void bounds(void **state)
{
	(void)state;
	static const struct {
		int32_t schema, index;
		double upper;
	} table[] = {
	    {0, 0, 1},
	    {0, 1, 2},
	    {0, -1, 0.5},
	    {1, 1, 1.414213562373095},
	    {3, -1, 0.9170040432046711},
	    {8, 256, 2},
	    {-1, 1, 4},
	    {-4, -1, 0x1p-16},
	    {0, 1024, 0x1.fffffffffffffp1023},
	    {0, 1025, HUGE_VAL},
	    {-4, 64, 0x1.fffffffffffffp1023},
	    {-4, 65, HUGE_VAL},
	    {0, -1074, 0x1p-1074},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		check_double(
		    "upper", histogram_bucket_upper(table[i].schema, table[i].index), table[i].upper);
}

static void zero_buckets_are_widened(void **state)
{
	(void)state;
	/* y's zero bucket reaches into x's (0.5,1], which goes into the zero bucket as a whole. */
	struct histogram x = sample, y = {.schema = 0, .zero_threshold = 0.75, .zero_count = 10, .count = 10};
	x.n_neg = x.n_neg_spans = 0;
	x.count = 8;
	unsigned notes = 0;
	struct strbuf sb = STRBUF_INIT;
	histogram_print(&sb, histogram_add(arena, &x, &y, &notes));
	check_str("widened", strbuf_slice(&sb), "{count:18, sum:18.4, [-1,1]:14, (2,4]:4}");
	strbuf_done(&sb);
	assert_true(histogram_detect_reset(&x, &y));
}

static void custom_bounds_are_reconciled(void **state)
{
	(void)state;
	struct histogram x =
	    custom((const double[]){1, 2, 3, 4}, 4, (const double[]){1, 2, 3, 4, 5}, 5, 15, 1);
	struct histogram y =
	    custom((const double[]){2, 3.5, 4}, 3, (const double[]){10, 20, 30, 40}, 4, 100, 2);
	unsigned notes = 0;
	struct strbuf sb = STRBUF_INIT;
	histogram_print(&sb, histogram_add(arena, &x, &y, &notes));
	check_str(
	    "common bounds", strbuf_slice(&sb), "{count:115, sum:3, [-Inf,2]:13, (2,4]:57, (4,+Inf]:45}");
	check_int("note", notes, HISTOGRAM_NOTE_BOUNDS_RECONCILED);
	strbuf_done(&sb);
	assert_null(histogram_add(arena, &x, &sample, &notes));
	assert_false(histogram_detect_reset(&y, &x));
	assert_true(histogram_detect_reset(&x, &y));
	assert_true(histogram_detect_reset(&sample, &x));
}

static void hints(void **state)
{
	(void)state;
	static const struct {
		enum histogram_hint x, y, want;
		unsigned notes;
	} table[] = {
	    {HINT_RESET, HINT_RESET, HINT_RESET, 0},
	    {HINT_GAUGE, HINT_RESET, HINT_GAUGE, 0},
	    {HINT_NOT_RESET, HINT_GAUGE, HINT_GAUGE, 0},
	    {HINT_UNKNOWN, HINT_RESET, HINT_UNKNOWN, 0},
	    {HINT_NOT_RESET, HINT_UNKNOWN, HINT_UNKNOWN, 0},
	    {HINT_RESET, HINT_NOT_RESET, HINT_UNKNOWN, HISTOGRAM_NOTE_RESET_CONFLICT},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct histogram x = sample, y = sample;
		unsigned notes = 0;
		x.hint = table[i].x;
		y.hint = table[i].y;
		check_int("hint", histogram_add(arena, &x, &y, &notes)->hint, table[i].want);
		check_int("notes", notes, table[i].notes);
		check_int("a hint decides", histogram_detect_reset(&x, &y), table[i].x == HINT_RESET);
	}
	check_int("negative factor", histogram_scale(arena, &sample, -1)->hint, HINT_GAUGE);
}

static void estimates(void **state)
{
	(void)state;
	struct histogram c =
	    custom((const double[]){5, 10, 15, 20}, 4, (const double[]){1, 6, 4, 3, 1}, 5, 15, 172.5);
	static const struct {
		double q, want;
	} quantiles[] = {{0, 0}, {0.5, 10.625}, {1, 20}, {-1, -HUGE_VAL}, {2, HUGE_VAL}};
	for (size_t i = 0; i < ARRAY_LEN(quantiles); i++)
		check_double("quantile", histogram_quantile(&c, quantiles[i].q), quantiles[i].want);
	assert_true(isnan(histogram_quantile(&c, nan(""))));
	check_double("zero bucket", histogram_quantile(&sample, 3.5 / 11), 0);
	check_double("exponential", histogram_quantile(&sample, 9.0 / 11), 2.8284271247461903);
	check_double("all", histogram_fraction(&sample, -HUGE_VAL, HUGE_VAL), 1);
	check_double("below 0", histogram_fraction(&sample, -HUGE_VAL, 0), 3.5 / 11);
	check_double("half of a bucket", histogram_fraction(&c, 0, 7.5), 4.0 / 15);
	check_double("nothing", histogram_fraction(&c, 3, 3), 0);
	struct histogram empty = {.schema = 0};
	assert_true(isnan(histogram_quantile(&empty, 0.5)));
	assert_true(isnan(histogram_fraction(&empty, 0, 1)));
	check_double("behind everything", histogram_fraction(&sample, 1e9, HUGE_VAL), 0);
	const double some[] = {0.5};
	struct histogram_span span = {1, 1};
	struct histogram below_zero = {
	    .count = -1, .sum = 1, .n_pos_spans = 1, .n_pos = 1, .pos_spans = &span, .pos = some};
	check_double("a difference of histograms", histogram_quantile(&below_zero, 0.99), 2);
	struct histogram with_nan = c;
	with_nan.sum = (double)NAN;
	with_nan.count = 30;
	check_double("of all observations, NaN or not", histogram_fraction(&with_nan, 0, 7.5), 4.0 / 30);
	unsigned keeps_nothing = 0;
	struct histogram *trimmed = histogram_trim(arena, &c, (double)NAN, true);
	for (uint32_t i = 0; i < trimmed->n_pos; i++)
		keeps_nothing += trimmed->pos[i] != 0;
	check_int("nothing is below NaN", keeps_nothing, 0);
	check_double("nor counted", trimmed->count, 0);
	const double two[] = {2}, none[] = {0};
	struct histogram_span first = {1, 1};
	struct histogram positive = {.zero_threshold = 1,
	    .zero_count = 4,
	    .count = 6,
	    .sum = 5,
	    .n_pos_spans = 1,
	    .n_neg_spans = 1,
	    .n_pos = 1,
	    .n_neg = 1,
	    .pos_spans = &first,
	    .neg_spans = &first,
	    .pos = two,
	    .neg = none};
	check_double(
	    "empty buckets below do not count", histogram_trim(arena, &positive, 0, false)->zero_count, 4);
	struct histogram even = custom((const double[]){1, 3}, 2, (const double[]){0, 4}, 2, 4, 8);
	check_double("no spread", histogram_stdvar(&even), 0);
}

static void staleness(void **state)
{
	(void)state;
	struct histogram h = {.sum = double_from_bits(STALE_NAN_BITS)};
	assert_true(histogram_is_stale(&h));
	h.sum = double_from_bits(NORMAL_NAN_BITS);
	assert_false(histogram_is_stale(&h));
	assert_true(histogram_eq(&h, &h));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

TEST_MAIN("histogram", CASE(arithmetic_like_dense_arrays), CASE(walking_both_ways), CASE(printing),
    CASE(bounds), CASE(zero_buckets_are_widened), CASE(custom_bounds_are_reconciled), CASE(hints),
    CASE(estimates), CASE(staleness))
