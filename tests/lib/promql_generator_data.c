#include "tests/lib/promql_generator.h"

#include "model/label_builder.h"
#include "model/stale_marker.h"
#include <math.h>

enum { LABEL_A = 3, LABEL_B = 3 };

struct maker {
	struct test_random *r;
	struct mem_store *store;
	struct arena *arena;
	struct promql_data *data;
	size_t samples; /* of a series without gaps */
};

static bool chance(struct maker *m, unsigned percent)
{
	return test_random_below(m->r, 100) < percent;
}

static const char *pick(struct maker *m, const char *const *of, size_t n)
{
	return of[test_random_below(m->r, n)];
}

/* --- times -------------------------------------------------------------------------------------------------------------- */

/* Where the samples of one series lie and which of them are missing. */
struct presence {
	int64_t offset_ms;
	bool jitters;
	unsigned lost_percent;
	size_t from, to;         /* alive */
	size_t gap_from, gap_to; /* away in between */
	bool marks_end;          /* with a stale marker */
};

static struct presence presence_make(struct maker *m)
{
	struct presence p = {.to = m->samples};
	if (chance(m, 40))
		p.offset_ms = (int64_t)test_random_below(m->r, (uint64_t)m->data->interval_ms);
	p.jitters = chance(m, 25);
	p.lost_percent = chance(m, 25) ? 20 : chance(m, 30) ? 3 : 0;
	if (chance(m, 30))
		p.from = test_random_below(m->r, m->samples);
	if (chance(m, 30))
		p.to = p.from + test_random_below(m->r, m->samples - p.from + 1);
	if (chance(m, 30)) {
		p.gap_from = test_random_below(m->r, m->samples);
		p.gap_to = p.gap_from + test_random_below(m->r, 40);
	}
	p.marks_end = chance(m, 60);
	return p;
}

static int64_t sample_time(struct maker *m, const struct presence *p, size_t i)
{
	int64_t t_ms = m->data->start_ms + p->offset_ms + (int64_t)i * m->data->interval_ms;
	if (p->jitters)
		t_ms += (int64_t)test_random_below(m->r, (uint64_t)m->data->interval_ms / 4);
	return t_ms;
}

static bool is_alive(struct maker *m, const struct presence *p, size_t i)
{
	return i >= p->from && i < p->to && !(i >= p->gap_from && i < p->gap_to) &&
	       !chance(m, p->lost_percent);
}

/* Whether the series says at i that it ended. */
static bool marks_stale(const struct presence *p, size_t i)
{
	return p->marks_end &&
	       ((i == p->to && i > p->from) || (i == p->gap_from && p->gap_to > i && i > p->from));
}

/* --- floats ------------------------------------------------------------------------------------------------------------- */

enum shape { SHAPE_SMALL, SHAPE_REAL, SHAPE_WILD, SHAPE_CONSTANT, SHAPE_COUNTER, SHAPE_FINE_COUNTER, SHAPES };

static double wild(struct maker *m)
{
	static const double values[] = {0, -0.0, 1, -1, 1e300, -1e300, 1.7e308, 5e-324, 1e-9, 1e17, 0.1, 1e6};
	if (chance(m, 30))
		return values[test_random_below(m->r, sizeof(values) / sizeof(values[0]))];
	return chance(m, 50) ? (double)NAN : chance(m, 50) ? (double)INFINITY : -(double)INFINITY;
}

static double next_value(struct maker *m, enum shape shape, double v)
{
	switch (shape) {
	case SHAPE_SMALL:
		return (double)test_random_below(m->r, 7) - 2;
	case SHAPE_REAL:
		return (test_random_unit(m->r) - 0.4) * 1000;
	case SHAPE_WILD:
		return chance(m, 20) ? wild(m) : (test_random_unit(m->r) - 0.5) * 10;
	case SHAPE_CONSTANT:
		return chance(m, 2) ? v + 1 : v;
	case SHAPE_COUNTER:
		return chance(m, 4) ? (double)test_random_below(m->r, 5)
				    : v + (double)test_random_below(m->r, 20);
	case SHAPE_FINE_COUNTER:
		return chance(m, 3) ? 0 : v + test_random_unit(m->r) * 3;
	case SHAPES:
		break;
	}
	return v;
}

/* When the counter of a sample began: sometimes known, sometimes nonsense. */
static int64_t start_of(struct maker *m, int64_t t_ms, int64_t before_ms, int64_t start_ms, bool was_reset)
{
	if (!m->data->starts || chance(m, 10))
		return 0;
	if (was_reset)
		return before_ms + (int64_t)test_random_below(m->r, (uint64_t)(t_ms - before_ms) + 1);
	return chance(m, 3) ? t_ms - (int64_t)test_random_below(m->r, 100000) : start_ms;
}

static void add_floats(struct maker *m, const struct labels *ls, enum shape shape)
{
	struct presence p = presence_make(m);
	double v = shape >= SHAPE_COUNTER ? (double)test_random_below(m->r, 100) : 1;
	int64_t before_ms = m->data->start_ms - m->data->interval_ms, start_ms = before_ms;
	for (size_t i = 0; i < m->samples; i++) {
		int64_t t_ms = sample_time(m, &p, i);
		double next = next_value(m, shape, v);
		if (marks_stale(&p, i)) {
			mem_store_add(m->store, ls, t_ms, double_from_bits(STALE_NAN_BITS), NULL);
			continue;
		}
		if (!is_alive(m, &p, i))
			continue;
		start_ms = start_of(m, t_ms, before_ms, start_ms, next < v);
		v = next;
		mem_store_add_started(m->store, ls, t_ms, v, NULL, shape >= SHAPE_COUNTER ? start_ms : 0);
		before_ms = t_ms;
	}
}

static const struct labels *labels_ab(struct maker *m, const char *name, size_t a, size_t b)
{
	static const char *const as[] = {"x", "y", "z"}, *const bs[] = {"1", "2", "10"};
	return labels_of(m->arena, "__name__", name, "a", as[a], "b", bs[b], NULL);
}

/* The label sets of g, k and the counters are the same, now and then without some. */
static void add_family(struct maker *m, const char *name, enum shape shape)
{
	for (size_t a = 0; a < LABEL_A; a++)
		for (size_t b = 0; b < LABEL_B; b++)
			if (!chance(m, 15))
				add_floats(m, labels_ab(m, name, a, b), chance(m, 85) ? shape : SHAPE_SMALL);
}

static void add_odd_ones(struct maker *m)
{
	add_floats(m, labels_of(m->arena, "__name__", "g", "a", "x", NULL), SHAPE_SMALL);
	add_floats(m, labels_of(m->arena, "__name__", "g", NULL), SHAPE_REAL);
	add_floats(m, labels_of(m->arena, "__name__", "one", NULL), SHAPE_SMALL);
	add_floats(m, labels_of(m->arena, "__name__", "wild", "a", "x", "b", "1", NULL), SHAPE_WILD);
	add_floats(m, labels_of(m->arena, "__name__", "wild", "a", "y", "b", "2", NULL), SHAPE_WILD);
	add_floats(m, labels_of(m->arena, "__name__", "wild", "a", "y", "b", "10", NULL), SHAPE_WILD);
	add_floats(m, labels_of(m->arena, "__name__", "t_total", "__type__", "counter", "a", "x", NULL),
	    SHAPE_COUNTER);
	add_floats(m,
	    labels_of(m->arena, "__name__", "t_total", "__type__", "gauge", "__unit__", "s", "a", "x", NULL),
	    SHAPE_COUNTER);
}

/* --- classic histograms --------------------------------------------------------------------------------------------------- */

static const char *const bounds[] = {"-1", "0", "0.1", "1", "10", "+Inf"};

static void add_classic(struct maker *m, const char *a)
{
	struct presence p = presence_make(m);
	double counts[sizeof(bounds) / sizeof(bounds[0])] = {0};
	size_t first = chance(m, 70) ? 2 : test_random_below(m->r, 3), n = sizeof(bounds) / sizeof(bounds[0]);
	size_t end = chance(m, 85) ? n : n - 1;
	bool falls = chance(m, 30);
	const char *le_of_last =
	    chance(m, 90) ? bounds[n - 1] : pick(m, (const char *const[]){"", "many", "Inf"}, 3);
	for (size_t i = 0; i < m->samples; i++) {
		int64_t t_ms = sample_time(m, &p, i);
		double more = 0;
		bool alive = is_alive(m, &p, i);
		for (size_t k = first; k < end; k++) {
			more += (double)test_random_below(m->r, 4);
			counts[k] += more;
			if (falls && chance(m, 5))
				counts[k] /= 2;
			if (alive)
				mem_store_add(m->store,
				    labels_of(m->arena, "__name__", "lat_bucket", "a", a, "le",
					k == n - 1 ? le_of_last : bounds[k], NULL),
				    t_ms, counts[k], NULL);
		}
		if (chance(m, 2))
			for (size_t k = 0; k < n; k++)
				counts[k] = 0;
	}
}

/* --- native histograms ---------------------------------------------------------------------------------------------------- */

/* What the samples of a series have in common. */
struct native {
	int32_t schema; /* or custom */
	enum histogram_hint hint;
	int32_t offset;
	uint32_t buckets;
	double counts[6], negative[3], zero, sum;
	double zero_threshold;
	bool has_negative;
	bool is_float; /* counts are no whole numbers */
};

static struct native native_make(struct maker *m, bool custom)
{
	struct native n = {
	    .schema = custom ? HISTOGRAM_CUSTOM_SCHEMA : (int32_t)test_random_below(m->r, 4) - 1};
	n.hint = chance(m, 30) ? HINT_GAUGE : HINT_UNKNOWN;
	n.offset = custom ? 0 : (int32_t)test_random_below(m->r, 4) - 2;
	n.buckets =
	    custom ? 1 + (uint32_t)test_random_below(m->r, 4) : 1 + (uint32_t)test_random_below(m->r, 6);
	n.has_negative = !custom && chance(m, 30);
	n.is_float = chance(m, 25);
	n.zero_threshold = custom ? 0 : chance(m, 50) ? 0.001 : 0.1;
	return n;
}

static double observed(struct maker *m, const struct native *n, uint64_t below)
{
	double whole = (double)test_random_below(m->r, below);
	return n->is_float ? whole * test_random_unit(m->r) : whole;
}

static void native_observe(struct maker *m, struct native *n)
{
	bool gauge = n->hint == HINT_GAUGE;
	for (uint32_t i = 0; i < n->buckets; i++)
		n->counts[i] = (gauge ? 0 : n->counts[i]) + observed(m, n, 5);
	for (uint32_t i = 0; n->has_negative && i < 3; i++)
		n->negative[i] = (gauge ? 0 : n->negative[i]) + observed(m, n, 3);
	if (n->schema != HISTOGRAM_CUSTOM_SCHEMA)
		n->zero = (gauge ? 0 : n->zero) + observed(m, n, 2);
	n->sum += (test_random_unit(m->r) - 0.2) * 10;
}

static void native_reset(struct native *n)
{
	for (size_t i = 0; i < 6; i++)
		n->counts[i] = 0;
	for (size_t i = 0; i < 3; i++)
		n->negative[i] = 0;
	n->zero = n->sum = 0;
}

static double total(const struct native *n)
{
	double count = n->zero;
	for (uint32_t i = 0; i < n->buckets; i++)
		count += n->counts[i];
	for (uint32_t i = 0; n->has_negative && i < 3; i++)
		count += n->negative[i];
	return count;
}

/* The store copies it. */
static void add_native_sample(struct maker *m, const struct labels *ls, int64_t t_ms, const struct native *n)
{
	static const double custom[2][4] = {{0.1, 1, 10, 100}, {0.1, 2, 10, 50}};
	struct histogram_span span = {n->offset, n->buckets}, negative = {0, 3};
	struct histogram h = {
	    .hint = n->hint,
	    .schema = n->schema,
	    .zero_threshold = n->zero_threshold,
	    .zero_count = n->zero,
	    .count = total(n),
	    .sum = n->sum,
	    .n_pos_spans = 1,
	    .n_pos = n->buckets,
	    .pos_spans = &span,
	    .pos = n->counts,
	};
	if (n->has_negative) {
		h.n_neg_spans = 1;
		h.n_neg = 3;
		h.neg_spans = &negative;
		h.neg = n->negative;
	}
	if (n->schema == HISTOGRAM_CUSTOM_SCHEMA) {
		h.n_custom = 4;
		h.custom = custom[chance(m, 8)];
	} else if (chance(m, 1)) {
		/* Observations of NaN are in no bucket. */
		h.sum = (double)NAN;
		h.count += 2;
	}
	mem_store_add(m->store, ls, t_ms, 0, &h);
}

static void add_stale_histogram(struct maker *m, const struct labels *ls, int64_t t_ms)
{
	struct histogram h = {.sum = double_from_bits(STALE_NAN_BITS)};
	mem_store_add(m->store, ls, t_ms, 0, &h);
}

/* `floats_percent` of the samples are floats; layouts change now and then. */
static void add_natives(struct maker *m, const struct labels *ls, bool custom, unsigned floats_percent)
{
	struct presence p = presence_make(m);
	struct native n = native_make(m, custom);
	enum histogram_hint hint = n.hint;
	bool hints = chance(m, 20), changes = chance(m, 30);
	for (size_t i = 0; i < m->samples; i++) {
		int64_t t_ms = sample_time(m, &p, i);
		if (marks_stale(&p, i)) {
			add_stale_histogram(m, ls, t_ms);
			continue;
		}
		if (!is_alive(m, &p, i))
			continue;
		if (chance(m, 4))
			native_reset(&n);
		if (changes && chance(m, 3))
			n = native_make(m, chance(m, 90) ? custom : !custom);
		native_observe(m, &n);
		if (hints && hint != HINT_GAUGE)
			n.hint = (enum histogram_hint)test_random_below(m->r, 3);
		if (chance(m, floats_percent))
			mem_store_add(m->store, ls, t_ms, (double)test_random_below(m->r, 100), NULL);
		else
			add_native_sample(m, ls, t_ms, &n);
	}
}

static void add_native_families(struct maker *m)
{
	for (size_t a = 0; a < LABEL_A; a++) {
		add_natives(m, labels_ab(m, "nh", a, 0), false, 0);
		add_natives(m, labels_ab(m, "nh", a, 1), chance(m, 10), 0);
		add_natives(m, labels_ab(m, "nc", a, 0), true, 0);
		add_natives(m, labels_ab(m, "mix", a, a), chance(m, 50), 50);
	}
	add_floats(m, labels_ab(m, "mix", 0, 1), SHAPE_SMALL);
	/* Beside classic buckets of the same labels. */
	if (chance(m, 30))
		add_natives(m, labels_of(m->arena, "__name__", "lat_bucket", "a", "x", NULL), false, 0);
}

/* --- info metrics --------------------------------------------------------------------------------------------------------- */

static void add_info(struct maker *m)
{
	static const char *const instances[] = {"i1", "i2"};
	for (size_t i = 0; i < 2; i++) {
		add_floats(m,
		    labels_of(m->arena, "__name__", "up", "instance", instances[i], "job", "j", NULL),
		    SHAPE_CONSTANT);
		add_floats(m,
		    labels_of(m->arena, "__name__", "target_info", "data", "old", "instance", instances[i],
			"job", "j", NULL),
		    SHAPE_CONSTANT);
		add_floats(m,
		    labels_of(m->arena, "__name__", "build_info", "instance", instances[i], "job", "j",
			"version", pick(m, (const char *const[]){"1", "2"}, 2), NULL),
		    SHAPE_CONSTANT);
	}
	if (chance(m, 5))
		add_natives(m,
		    labels_of(m->arena, "__name__", "sizes_info", "instance", chance(m, 70) ? "i2" : "i3",
			"job", "j", NULL),
		    false, 50);
	if (chance(m, 30))
		add_floats(m,
		    labels_of(m->arena, "__name__", "target_info", "data", "new", "instance", "i1", "job",
			"j", NULL),
		    SHAPE_CONSTANT);
}

/* --- all ---------------------------------------------------------------------------------------------------------------- */

void promql_data_make(
    struct test_random *r, struct mem_store *store, struct arena *arena, struct promql_data *out)
{
	static const int64_t intervals_ms[] = {15000, 30000, 60000};
	struct maker m = {.r = r, .store = store, .arena = arena, .data = out};
	*out = (struct promql_data){.interval_ms = intervals_ms[test_random_below(r, 3)]};
	out->starts = chance(&m, 30);
	/* Near the epoch, too, where look-backs reach below 0. */
	out->start_ms =
	    chance(&m, 30) ? 0 : INT64_C(1600000000000) + (int64_t)test_random_below(r, 100000000);
	m.samples = 60 + test_random_below(r, 100);
	out->end_ms = out->start_ms + (int64_t)m.samples * out->interval_ms;
	add_family(&m, "g", SHAPE_REAL);
	add_family(&m, "k", SHAPE_SMALL);
	add_family(&m, "c_total", SHAPE_COUNTER);
	add_family(&m, "f_count", SHAPE_FINE_COUNTER);
	add_odd_ones(&m);
	add_classic(&m, "x");
	add_classic(&m, "y");
	add_native_families(&m);
	add_info(&m);
}
