#include "tests/tsdb/operations.h"

#include "model/stale_marker.h"

/* --- values ------------------------------------------------------------------------------------------------------ */

double next_float(struct run *r, struct slot *s)
{
	if (one_in(r, 60))
		return double_from_bits(STALE_NAN_BITS);
	if (s->kind == ANY_BITS)
		return double_from_bits(test_random_u64(&r->random));
	if (s->kind == CONSTANT)
		return s->value = one_in(r, 100) ? (double)below(r, 5) : s->value;
	if (s->kind == COUNTER)
		return s->value = one_in(r, 50) ? 0 : s->value + (double)below(r, 100);
	if (s->kind == DECIMAL)
		return s->value = (double)below(r, 100000) / 100;
	return s->value = test_random_unit(&r->random) * 1e6 - 5e5;
}

static double next_count(struct run *r, enum kind kind, double before)
{
	return before + (kind == FLOAT_HISTOGRAM ? test_random_unit(&r->random) * 9 : (double)below(r, 9));
}

static void fill_side(
    struct run *r, enum kind kind, const struct histogram *before, bool is_positive, struct histogram *h)
{
	uint32_t n = is_positive ? h->n_pos : h->n_neg;
	const double *old = before ? (is_positive ? before->pos : before->neg) : NULL;
	double *counts = ARENA_ARRAY(r->arena, double, n + 1);
	for (uint32_t i = 0; i < n; i++)
		h->count += counts[i] = next_count(r, kind, old ? old[i] : 0);
	*(is_positive ? &h->pos : &h->neg) = counts;
}

static const struct histogram_span *some_spans(struct run *r, uint32_t *n_spans, uint32_t *n_buckets)
{
	*n_spans = (uint32_t)below(r, 4);
	struct histogram_span *spans = ARENA_ARRAY(r->arena, struct histogram_span, *n_spans + 1);
	*n_buckets = 0;
	for (uint32_t i = 0; i < *n_spans; i++) {
		int32_t offset = (int32_t)below(r, 6) - (i == 0 ? 5 : 0);
		spans[i] = (struct histogram_span){offset + (i > 0), 1 + (uint32_t)below(r, 4)};
		*n_buckets += spans[i].length;
	}
	return spans;
}

static void custom_layout(struct run *r, struct histogram *h)
{
	h->schema = HISTOGRAM_CUSTOM_SCHEMA;
	h->n_custom = 1 + (uint32_t)below(r, 6);
	double *bounds = ARENA_ARRAY(r->arena, double, h->n_custom);
	for (uint32_t i = 0; i < h->n_custom; i++)
		bounds[i] = (i ? bounds[i - 1] : 0) + 0.25 * (double)(1 + below(r, 9));
	h->custom = bounds;
	struct histogram_span *span = ARENA_NEW(r->arena, struct histogram_span);
	span->length = h->n_pos = h->n_custom + 1;
	h->pos_spans = span;
	h->n_pos_spans = 1;
}

static void new_layout(struct run *r, enum kind kind, struct histogram *h)
{
	if (kind == CUSTOM_HISTOGRAM) {
		custom_layout(r, h);
		return;
	}
	h->schema = (int32_t)below(r, 13) - 4;
	h->zero_threshold = one_in(r, 2) ? 0.001 : 0;
	h->pos_spans = some_spans(r, &h->n_pos_spans, &h->n_pos);
	h->neg_spans = some_spans(r, &h->n_neg_spans, &h->n_neg);
}

/* As a writer sends them: the next one of a counter that grows, seldom one that began anew or has other buckets. A writer
 * knows what it sent before, and says so. */
static struct histogram *next_histogram(struct run *r, struct slot *s)
{
	struct histogram *h = ARENA_NEW(r->arena, struct histogram), *before = s->histogram;
	*h = (struct histogram){0};
	if (!before || one_in(r, 20)) {
		new_layout(r, s->kind, h);
		before = NULL;
	} else {
		*h = *before;
		h->count = 0;
		if (one_in(r, 30))
			before = NULL;
	}
	h->hint = s->histogram && one_in(r, 2) ? (before ? HINT_NOT_RESET : HINT_UNKNOWN)
					       : (s->kind == CUSTOM_HISTOGRAM ? HINT_GAUGE : HINT_UNKNOWN);
	fill_side(r, s->kind, before, true, h);
	fill_side(r, s->kind, before, false, h);
	h->zero_count = h->schema == HISTOGRAM_CUSTOM_SCHEMA
			    ? 0
			    : next_count(r, s->kind, before ? before->zero_count : 0);
	h->count += h->zero_count;
	h->sum = one_in(r, 100) ? double_from_bits(STALE_NAN_BITS) : (double)below(r, 1000) / 8;
	return h;
}

struct model_value next_value(struct run *r, struct slot *s)
{
	bool is_histogram = s->kind == MIXED ? one_in(r, 3) : s->kind >= INTEGER_HISTOGRAM && !one_in(r, 40);
	if (is_histogram)
		return (struct model_value){.is_there = true, .h = next_histogram(r, s)};
	return (struct model_value){.is_there = true, .v = next_float(r, s)};
}

struct model_value late_value(struct run *r, struct slot *s)
{
	struct model_value v = next_value(r, s);
	if (v.h && v.h->hint == HINT_NOT_RESET) {
		struct histogram *h = ARENA_NEW(r->arena, struct histogram);
		*h = *v.h;
		h->hint = HINT_UNKNOWN;
		v.h = h;
	}
	return v;
}

/* --- series ------------------------------------------------------------------------------------------------------ */

const struct labels *new_labels(struct run *r, const char *name, unsigned n)
{
	struct arena *a = r->arena;
	return labels_of(a, "__name__", name, "job", arena_printf(a, "job%u", n % 3).ptr, "pod",
	    arena_printf(a, "p%u", n).ptr, n % 4 ? "zone" : "az", arena_printf(a, "z%u", n % 5).ptr, NULL);
}

void new_slot(struct run *r, struct slot *s)
{
	static const char *const names[] = {"up", "requests_total", "load", "latency"};
	unsigned n = r->n_series++;
	*s = (struct slot){.kind = (enum kind)(n % KINDS),
	    .last_lo = INT64_MIN,
	    .last_hi = INT64_MIN,
	    .key = {n + 1, n * UINT64_C(0x9e3779b97f4a7c15)}};
	s->series = sample_model_series(r->model, new_labels(r, names[n % ARRAY_LEN(names)], n));
}

/* --- what is asked for ------------------------------------------------------------------------------------------- */

struct slot *some_slot(struct run *r)
{
	return &r->slots[below(r, SLOTS)];
}

const struct matcher *some_matcher(struct run *r)
{
	static const struct {
		enum match_op op;
		const char *name, *value;
	} some[] = {
	    {MATCH_EQUAL, "__name__", "up"},
	    {MATCH_EQUAL, "__name__", "load"},
	    {MATCH_NOT_EQUAL, "__name__", "burst"},
	    {MATCH_REGEX, "__name__", "up|latency"},
	    {MATCH_NOT_REGEX, "__name__", "u.*"},
	    {MATCH_EQUAL, "zone", ""},
	    {MATCH_NOT_EQUAL, "zone", ""},
	    {MATCH_REGEX, "zone", "z[12]|"},
	    {MATCH_NOT_REGEX, "zone", "z[12]|"},
	    {MATCH_REGEX, "zone", ".*"},
	    {MATCH_REGEX, "az", ".+"},
	    {MATCH_EQUAL, "job", "job1"},
	    {MATCH_REGEX, "pod", "p1.*"},
	    {MATCH_REGEX, "pod", "p[0-9]"},
	    {MATCH_REGEX, "pod", ".*7"},
	    {MATCH_EQUAL, "nothing", "x"},
	    {MATCH_NOT_EQUAL, "nothing", "x"},
	};
	size_t i = below(r, ARRAY_LEN(some));
	const struct matcher *out;
	struct err err;
	int rc = one_in(r, 4) ? matcher_new(r->arena, MATCH_EQUAL, SL("pod"),
				    labels_get(some_slot(r)->series->labels, SL("pod")), &out, &err)
			      : matcher_new(r->arena, some[i].op, slice_cstr(some[i].name),
				    slice_cstr(some[i].value), &out, &err);
	check_ok("matcher", rc, &err);
	return out;
}

static void some_range(struct run *r, int64_t *min, int64_t *max)
{
	int64_t reach = one_in(r, 3) ? 12 * HOUR_MS : one_in(r, 2) ? 2 * HOUR_MS : 10 * MINUTE_MS;
	*min = r->now_ms - (int64_t)below(r, (uint64_t)reach);
	*max = *min + (int64_t)below(r, (uint64_t)reach);
	if (one_in(r, 10))
		*min = INT64_MIN;
	if (one_in(r, 5))
		*max = INT64_MAX;
	const struct slot *s = some_slot(r);
	if (one_in(r, 5) && s->last_hi != INT64_MIN)
		*max = s->last_hi - (int64_t)below(r, 2);
}

struct model_query some_query(struct run *r, const struct matcher *matchers[MATCHERS_MAX])
{
	struct model_query q = {
	    .matchers = matchers, .n_matchers = below(r, MATCHERS_MAX + 1), .keep_from_ms = r->keep_from_ms};
	for (size_t i = 0; i < q.n_matchers; i++)
		matchers[i] = some_matcher(r);
	some_range(r, &q.min_t_ms, &q.max_t_ms);
	return q;
}
