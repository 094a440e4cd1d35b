/* sum, avg, count, min, max, group, stddev, stdvar. Each group has a row of accumulators, one per step, in columns; rows of
 * values are folded into the row of their group, a whole row at a time. Values of histograms go a slower way beside. */
#include "promql/aggregate.h"
#include "promql/columns.h"
#include "promql/kahan.h"

#include <string.h>

struct fold {
	struct aggregation *a;
	uint32_t steps, words;
	/* accumulators, groups x steps */
	double *x;      /* sum, minimum, maximum, mean */
	double *c;      /* compensation, M2 of the variance */
	double *n;      /* how many: avg, count, stddev, stdvar */
	uint8_t *means; /* avg: the plain sum would overflow, x is a mean */
	uint64_t *seen; /* floats; groups x words */
	/* histograms; NULL until the first */
	struct histogram_sum **sums;
	uint64_t *seen_histograms, *broken;
	bool ignored_histogram;
	unsigned notes;
	size_t run; /* of a->runs: the one that comes */
};

/* --- floats ------------------------------------------------------------------------------------------------------------- */

static void add_to_sum(double *sum, double *c, double x)
{
	struct kahan k = {*sum, *c};

	kahan_add(&k, x);
	*sum = k.sum;
	*c = k.c;
}

static void fold_sum(struct fold *f, size_t at, struct row r)
{
	double *sum = f->x + at, *c = f->c + at;

	for (uint32_t w = 0; w < f->words; w++) {
		uint64_t bits = r.present[w];
		uint32_t first = w * COLUMN_BLOCK;
		if (bits == ~UINT64_C(0)) {
			column_add_block(sum + first, c + first, r.v + first);
			continue;
		}
		for (; bits; bits &= bits - 1) {
			uint32_t k = first + (uint32_t)__builtin_ctzll(bits);
			add_to_sum(&sum[k], &c[k], r.v[k]);
		}
	}
}

/* The mean of the first n-1 values and x, when their sum overflows. */
static void add_to_mean(struct fold *f, size_t i, double x)
{
	double n = f->n[i], q = (n - 1) / n;
	struct kahan k = {q * f->x[i], q * f->c[i]};

	kahan_add(&k, x / n);
	f->x[i] = k.sum;
	f->c[i] = k.c;
}

static void fold_avg(struct fold *f, size_t at, struct row r)
{
	BITS_EACH(k, r.present, f->words)
	{
		size_t i = at + k;
		double x = r.v[k];
		f->n[i]++;
		if (f->n[i] == 1) {
			f->x[i] = x;
			continue;
		}
		if (f->means[i]) {
			add_to_mean(f, i, x);
			continue;
		}
		struct kahan next = {f->x[i], f->c[i]};
		kahan_add(&next, x);
		if (likely(!isinf(next.sum))) {
			f->x[i] = next.sum;
			f->c[i] = next.c;
			continue;
		}
		f->means[i] = true;
		f->x[i] /= f->n[i] - 1;
		f->c[i] /= f->n[i] - 1;
		add_to_mean(f, i, x);
	}
}

static void fold_count(struct fold *f, size_t at, struct row r)
{
	BITS_EACH(k, r.present, f->words)
	f->n[at + k]++;
}

static void fold_min(struct fold *f, size_t at, struct row r)
{
	const uint64_t *seen = f->seen + at / f->steps * f->words;

	BITS_EACH(k, r.present, f->words)
	{
		double x = r.v[k], *best = &f->x[at + k];
		if (!bit_get(seen, k) || *best > x || isnan(*best))
			*best = x;
	}
}

static void fold_max(struct fold *f, size_t at, struct row r)
{
	const uint64_t *seen = f->seen + at / f->steps * f->words;

	BITS_EACH(k, r.present, f->words)
	{
		double x = r.v[k], *best = &f->x[at + k];
		if (!bit_get(seen, k) || *best < x || isnan(*best))
			*best = x;
	}
}

static void fold_variance(struct fold *f, size_t at, struct row r)
{
	BITS_EACH(k, r.present, f->words)
	{
		size_t i = at + k;
		double x = r.v[k], n = ++f->n[i];
		if (n == 1) {
			f->x[i] = x;
			f->c[i] = isfinite(x) ? 0 : NAN;
			continue;
		}
		double delta = x - f->x[i];
		f->x[i] += delta / n;
		f->c[i] += delta * (x - f->x[i]);
	}
}

/* --- histograms --------------------------------------------------------------------------------------------------------- */

static void want_histograms(struct fold *f)
{
	struct arena *arena = f->a->eval->arena;
	size_t words = f->a->n_groups * f->words + 1;

	if (f->sums)
		return;
	f->sums = ARENA_ARRAY(arena, struct histogram_sum *, f->a->n_groups * f->steps + 1);
	f->seen_histograms = ARENA_ARRAY(arena, uint64_t, words);
	f->broken = ARENA_ARRAY(arena, uint64_t, words);
}

static void note_broken(struct fold *f, size_t row)
{
	annotate_row_notes(&f->a->eval->notes, f->a->where, NOTE_MIXED_SCHEMAS,
	    labels_metric_name(source_labels(f->a->below, row)), "aggregation");
}

static void fold_histogram(struct fold *f, size_t group, size_t row, uint32_t k, const struct histogram *h)
{
	struct arena *arena = f->a->eval->arena;
	struct histogram_sum **sum = &f->sums[group * f->steps + k];
	uint64_t *broken = f->broken + group * f->words;
	unsigned notes = 0;

	if (f->a->agg->op == AGG_AVG)
		h = histogram_scale(arena, h, HISTOGRAM_MEAN_SCALE);
	bit_set(f->seen_histograms + group * f->words, k);
	f->n[group * f->steps + k]++;
	if (bit_get(broken, k))
		return;
	if (*sum == NULL) {
		*sum = histogram_sum_new(arena, histogram_copy(arena, h));
		return;
	}
	if (!histogram_sum_add(*sum, h, &notes)) {
		bit_set(broken, k);
		note_broken(f, row);
	}
	f->notes |= notes & HISTOGRAM_NOTE_RESET_CONFLICT ? NOTE_RESET_CONFLICT : 0u;
	f->notes |= notes & HISTOGRAM_NOTE_BOUNDS_RECONCILED ? NOTE_BOUNDS_RECONCILED : 0u;
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */

static bool takes_histograms(enum aggregate_op op)
{
	return op == AGG_SUM || op == AGG_AVG || op == AGG_COUNT || op == AGG_GROUP;
}

static void fold_floats(struct fold *f, size_t group, struct row r)
{
	size_t at = group * f->steps;
	uint64_t *seen = f->seen + group * f->words;

	switch ((int)f->a->agg->op) {
	case AGG_SUM:
		fold_sum(f, at, r);
		break;
	case AGG_AVG:
		fold_avg(f, at, r);
		break;
	case AGG_COUNT:
		fold_count(f, at, r);
		break;
	case AGG_MIN:
		fold_min(f, at, r);
		break;
	case AGG_MAX:
		fold_max(f, at, r);
		break;
	case AGG_STDDEV:
	case AGG_STDVAR:
		fold_variance(f, at, r);
		break;
	default:
		break;
	}
	for (uint32_t w = 0; w < f->words; w++)
		seen[w] |= r.present[w];
}

/* A row with histograms: the floats of it alone are folded as floats. */
static void fold_mixed(struct fold *f, size_t group, size_t row, struct row r)
{
	enum aggregate_op op = f->a->agg->op;
	uint64_t *floats = ARENA_ARRAY(f->a->eval->arena, uint64_t, f->words);

	memcpy(floats, r.present, f->words * sizeof(*floats));
	BITS_EACH(k, r.present, f->words)
	{
		if (r.h[k] == NULL)
			continue;
		if (op == AGG_SUM || op == AGG_AVG) {
			want_histograms(f);
			fold_histogram(f, group, row, k, r.h[k]);
		}
		f->ignored_histogram |= !takes_histograms(op);
		if (op != AGG_COUNT && op != AGG_GROUP)
			bit_clear(floats, k);
	}
	fold_floats(f, group, (struct row){r.v, floats, NULL});
}

/* --- one step ----------------------------------------------------------------------------------------------------------- */

/* Neighbours of one group at the one step there is: values and words of presence stand side by side. */
struct column_run {
	double *v;
	uint64_t *present;
	uint32_t n;
};

static void sum_column(struct fold *f, size_t at, struct column_run r)
{
	struct kahan k = {f->x[at], f->c[at]};

	for (uint32_t i = 0; i < r.n; i++) {
		if (likely(r.present[i]))
			kahan_add(&k, r.v[i]);
	}
	f->x[at] = k.sum;
	f->c[at] = k.c;
}

static uint64_t count_column(struct column_run r)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < r.n; i++)
		n += r.present[i];
	return n;
}

static bool has_column(struct column_run r)
{
	for (uint32_t i = 0; i < r.n; i++) {
		if (r.present[i])
			return true;
	}
	return false;
}

static void fold_column(struct fold *f, size_t group, struct column_run r)
{
	switch ((int)f->a->agg->op) {
	case AGG_SUM:
		sum_column(f, group, r);
		f->seen[group] |= has_column(r);
		return;
	case AGG_COUNT: {
		uint64_t n = count_column(r);
		f->n[group] += (double)n;
		f->seen[group] |= n > 0;
		return;
	}
	case AGG_GROUP:
		f->seen[group] |= has_column(r);
		return;
	default:
		break;
	}
	for (uint32_t i = 0; i < r.n; i++) {
		if (r.present[i])
			fold_floats(f, group, (struct row){r.v + i, r.present + i, NULL});
	}
}

static void fold_column_tile(struct fold *f, size_t first, const struct tile *t)
{
	const struct aggregation *a = f->a;
	uint32_t r = 0, n;

	while (f->run < a->n_runs && a->runs && a->runs[f->run].first + a->runs[f->run].n <= first)
		f->run++;
	for (; r < t->rows; r += n) {
		uint32_t group = 0;
		n = t->rows - r;
		if (a->runs) {
			const struct series_run *run = &a->runs[f->run];
			uint32_t left = run->first + run->n - (uint32_t)(first + r);
			group = run->group;
			f->run += left <= n;
			n = left < n ? left : n;
		} else if (a->group) {
			group = a->group[first + r];
			for (n = 1; r + n < t->rows && a->group[first + r + n] == group;)
				n++;
		}
		fold_column(f, group, (struct column_run){t->v + r, t->present + r, n});
	}
}

static int fold_tile(void *arg, size_t first, const struct tile *t, struct err *err)
{
	struct fold *f = arg;
	(void)err;

	if (t->steps == 1 && t->h == NULL)
		fold_column_tile(f, first, t);
	else
		aggregation_expand_runs(f->a);
	for (uint32_t r = 0; r < t->rows && (t->steps > 1 || t->h); r++) {
		struct row row = tile_row(t, r);
		uint32_t group = aggregation_group(f->a, first + r);
		if (row.h)
			fold_mixed(f, group, first + r, row);
		else
			fold_floats(f, group, row);
	}
	aggregation_mark(f->a, first, t);
	return 0;
}

/* --- results ------------------------------------------------------------------------------------------------------------ */

static double finish_float(const struct fold *f, size_t i)
{
	switch ((int)f->a->agg->op) {
	case AGG_SUM:
		return f->x[i] + f->c[i];
	case AGG_AVG:
		return f->means[i] ? f->x[i] + f->c[i] : f->x[i] / f->n[i] + f->c[i] / f->n[i];
	case AGG_COUNT:
		return f->n[i];
	case AGG_GROUP:
		return 1;
	case AGG_STDVAR:
		return f->c[i] / f->n[i];
	case AGG_STDDEV:
		return sqrt(f->c[i] / f->n[i]);
	default:
		return f->x[i];
	}
}

static void finish_histograms(struct fold *f, struct tile *out, uint32_t g)
{
	struct arena *arena = f->a->eval->arena;
	struct row r;

	tile_want_histograms(out);
	r = tile_row(out, g);
	BITS_EACH(k, f->seen_histograms + g * f->words, f->words)
	{
		size_t i = (size_t)g * f->steps + k;
		if (bit_get(r.present, k)) {
			bit_clear(r.present, k);
			annotate_warning(&f->a->eval->notes, f->a->where,
			    "encountered a mix of histograms and floats for aggregation");
			continue;
		}
		if (bit_get(f->broken + g * f->words, k))
			continue;
		struct histogram *h = f->a->agg->op == AGG_AVG
					  ? histogram_sum_mean(f->sums[i], arena, f->n[i])
					  : histogram_sum_result(f->sums[i], arena);
		if (f->a->agg->op == AGG_AVG)
			h = histogram_scale(arena, h, 1 / HISTOGRAM_MEAN_SCALE);
		r.h[k] = histogram_compact(arena, h);
		bit_set(r.present, k);
	}
}

static void finish(struct fold *f, struct tile *out)
{
	struct annotations *notes = &f->a->eval->notes;

	for (uint32_t g = 0; g < f->a->n_groups; g++) {
		struct row r = tile_row(out, g);
		memcpy(r.present, f->seen + g * f->words, f->words * sizeof(*r.present));
		BITS_EACH(k, r.present, f->words)
		r.v[k] = finish_float(f, (size_t)g * f->steps + k);
		if (f->sums)
			finish_histograms(f, out, g);
	}
	if (f->ignored_histogram)
		annotate_info(notes, f->a->where, "ignored histogram in %s aggregation",
		    aggregate_op_text(f->a->agg->op));
	annotate_row_notes(notes, f->a->where, f->notes, SL_EMPTY, "aggregation");
}

static double *column(struct fold *f)
{
	size_t n = f->a->n_groups * f->steps;
	double *v = arena_try_alloc(f->a->eval->arena, n, sizeof(*v));

	if (v)
		memset(v, 0, n * sizeof(*v));
	return v;
}

static int make_accumulators(struct fold *f, struct err *err)
{
	struct arena *arena = f->a->eval->arena;

	f->x = column(f);
	f->c = column(f);
	f->n = column(f);
	f->seen = ARENA_ARRAY(arena, uint64_t, f->a->n_groups * f->words + 1);
	if (f->a->agg->op == AGG_AVG)
		f->means = ARENA_ARRAY(arena, uint8_t, f->a->n_groups * f->steps + 1);
	return f->x && f->c && f->n ? 0 : query_limits_no_memory(err);
}

int aggregate_fold(struct aggregation *a, struct source **out, struct err *err)
{
	struct fold f = {.a = a, .steps = a->grid->n, .words = bit_words(a->grid->n)};

	aggregation_assign(a, a->grid->n == 1);
	int rc = make_accumulators(&f, err);
	if (rc == 0)
		rc = source_drain(a->below, fold_tile, &f, err);
	if (rc)
		return rc;
	struct source *s = aggregation_result(a);
	if (s == NULL)
		return query_limits_no_memory(err);
	finish(&f, s->all);
	*out = s;
	return 0;
}
