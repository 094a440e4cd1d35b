/* The engine against the reference evaluator (tests/lib/reference_promql.h): random expressions over random data have to give
 * the same values, bit for bit where the engine promises it, the same errors, the same warnings and infos, with any number of
 * threads.
 *
 * DIFF_COUNT expressions (5,000 unless set); `make check-promql-fuzz` asks for 200,000. A difference is printed with all that
 * repeats it. What of the language gave results is counted and, over 100,000, has to be all of it; DIFF_COVERAGE=1 prints every
 * number. */
#include "tests/lib/test.h"

#include "base/double_text.h"
#include "base/thread_pool.h"
#include "base/vec.h"
#include "promql/series_notation.h"
#include "tests/lib/promql_coverage.h"
#include "tests/lib/promql_generator.h"
#include "tests/lib/reference_promql.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	DEFAULT_COUNT = 5000,
	COVERING_COUNT = 100000,
	QUESTIONS_PER_DATA = 50,
	DEFAULT_STEP_MS = 60000,
	MAX_SHOWN = 10
};

/* Numbers of threads that have to give the same. */
static const unsigned thread_counts[] = {1, 2, 4};
#define POOLS ARRAY_LEN(thread_counts)

struct run {
	struct test_random random;
	struct mem_store *store;
	struct arena *arena; /* of the data set and its questions */
	struct promql_data data;
	struct thread_pool *pools[POOLS];
	uint64_t seed; /* of the data set */
	size_t asked, errors, empty, differ;
	struct promql_coverage coverage;
};

/* --- one side's answer -------------------------------------------------------------------------------------------------- */

struct answer {
	int rc;
	struct err err;
	struct query_result *result; /* NULL after an error */
};

static struct promql_options options_of(const struct promql_question *q, struct thread_pool *pool)
{
	return (struct promql_options){
	    .default_step_ms = DEFAULT_STEP_MS,
	    .parse = {true, true, true},
	    .delayed_name_removal = q->delayed_name_removal,
	    .use_start_timestamps = q->use_start_timestamps,
	    .type_and_unit_labels = q->type_and_unit_labels,
	    .pool = pool,
	    .parallel_samples = 1,
	};
}

static struct promql_query query_of(const struct run *run, const struct promql_question *q)
{
	return (struct promql_query){
	    .store = mem_store_queryable(run->store),
	    .text = q->text,
	    .start_ms = q->start_ms,
	    .end_ms = q->end_ms,
	    .step_ms = q->step_ms,
	    .lookback_ms = q->lookback_ms,
	};
}

static void ask_engine(
    const struct run *run, const struct promql_question *q, struct thread_pool *pool, struct answer *a)
{
	struct promql_options options = options_of(q, pool);
	struct promql_engine *engine = promql_engine_new(&options);
	struct promql_query query = query_of(run, q);
	*a = (struct answer){0};
	a->rc = promql_engine_run(engine, &query, &a->result, &a->err);
	promql_engine_free(engine);
}

static void ask_reference(struct run *run, const struct promql_question *q, struct answer *a)
{
	struct promql_options options = options_of(q, NULL);
	struct promql_query query = query_of(run, q);
	*a = (struct answer){0};
	a->rc = reference_promql_run(&options, &query, &run->coverage, &a->result, &a->err);
}

/* --- values ------------------------------------------------------------------------------------------------------------- */

static const double tolerance = 1e-12;

static bool same_bits(double a, double b)
{
	return memcmp(&a, &b, sizeof(a)) == 0 || (isnan(a) && isnan(b));
}

static bool close_to(double a, double b)
{
	if (same_bits(a, b) || a == b)
		return true;
	if (!isfinite(a) || !isfinite(b))
		return false;
	return fabs(a - b) <= tolerance * fmax(fabs(a), fabs(b)) || fabs(a - b) < DBL_MIN;
}

static bool all_close(const double *a, const double *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!close_to(a[i], b[i]))
			return false;
	return true;
}

static bool same_spans(
    const struct histogram_span *a, uint32_t n_a, const struct histogram_span *b, uint32_t n_b)
{
	return n_a == n_b && (n_a == 0 || memcmp(a, b, n_a * sizeof(*a)) == 0);
}

static bool same_histogram(const struct histogram *x, const struct histogram *y)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	const struct histogram *a = histogram_compact(arena, x), *b = histogram_compact(arena, y);
	bool same = a->schema == b->schema && a->hint == b->hint &&
		    close_to(a->zero_threshold, b->zero_threshold) &&
		    close_to(a->zero_count, b->zero_count) && close_to(a->count, b->count) &&
		    close_to(a->sum, b->sum) && a->n_custom == b->n_custom &&
		    all_close(a->custom, b->custom, a->n_custom) &&
		    same_spans(a->pos_spans, a->n_pos_spans, b->pos_spans, b->n_pos_spans) &&
		    same_spans(a->neg_spans, a->n_neg_spans, b->neg_spans, b->n_neg_spans) &&
		    all_close(a->pos, b->pos, a->n_pos) && all_close(a->neg, b->neg, a->n_neg);
	arena_free(arena);
	return same;
}

static const struct histogram *histogram_at(const struct result_series *s, size_t i)
{
	return s->h ? s->h[i] : NULL;
}

static bool same_point(const struct result_series *a, const struct result_series *b, size_t i, bool exact)
{
	const struct histogram *x = histogram_at(a, i), *y = histogram_at(b, i);
	if (a->t_ms[i] != b->t_ms[i] || (x != NULL) != (y != NULL))
		return false;
	if (x)
		return same_histogram(x, y);
	return exact ? same_bits(a->v[i], b->v[i]) : close_to(a->v[i], b->v[i]);
}

static bool same_series(const struct result_series *a, const struct result_series *b, bool exact)
{
	if (!labels_eq(a->labels, b->labels) || a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!same_point(a, b, i, exact))
			return false;
	return true;
}

/* --- results ------------------------------------------------------------------------------------------------------------ */

static int by_labels(const void *a, const void *b)
{
	return labels_cmp(
	    ((const struct result_series *)a)->labels, ((const struct result_series *)b)->labels);
}

/* Equal values may stand in any order: only their sequence counts. */
static bool same_order(const struct query_result *a, const struct query_result *b, bool exact)
{
	for (size_t i = 0; i < a->n_series; i++) {
		const struct result_series *x = &a->series[i], *y = &b->series[i];
		bool same =
		    exact ? same_bits(x->v[0], y->v[0]) || x->v[0] == y->v[0] : close_to(x->v[0], y->v[0]);
		if (!same)
			return false;
	}
	return true;
}

static const char *compare_results(
    const struct promql_question *q, struct query_result *a, struct query_result *b)
{
	bool exact = !q->long_windows;
	if (a->kind != b->kind)
		return "kind of result";
	if (!slice_eq(a->string, b->string))
		return "string";
	if (a->n_series != b->n_series)
		return "number of series";
	if (q->is_ordered && !same_order(a, b, exact))
		return "order";
	if (a->kind == QUERY_VECTOR) {
		qsort(a->series, a->n_series, sizeof(*a->series), by_labels);
		qsort(b->series, b->n_series, sizeof(*b->series), by_labels);
	}
	for (size_t i = 0; i < a->n_series; i++)
		if (!same_series(&a->series[i], &b->series[i], exact))
			return "values";
	return NULL;
}

static bool same_texts(const struct slice *a, size_t n_a, const struct slice *b, size_t n_b)
{
	bool same = n_a == n_b;
	for (size_t i = 0; same && i < n_a; i++) {
		bool found = false;
		for (size_t k = 0; k < n_b && !found; k++)
			found = slice_eq(a[i], b[k]);
		same = found;
	}
	return same;
}

/* Which two series of a match group are told depends on the order of groups, which no one promises. */
static bool same_error(const struct err *a, const struct err *b)
{
	const char *x = strstr(a->msg, " hand-side of the operation: ["),
		   *y = strstr(b->msg, " hand-side of the operation: [");
	if (!x || !y)
		return strcmp(a->msg, b->msg) == 0;
	return x - a->msg == y - b->msg && strncmp(a->msg, b->msg, (size_t)(x - a->msg)) == 0;
}

/* NULL, or what is different. */
static const char *compare(const struct promql_question *q, const struct answer *a, const struct answer *b)
{
	if (a->rc || b->rc)
		return a->rc == b->rc && same_error(&a->err, &b->err) ? NULL : "error";
	const char *what = compare_results(q, a->result, b->result);
	if (what)
		return what;
	if (!same_texts(
		a->result->warnings, a->result->n_warnings, b->result->warnings, b->result->n_warnings))
		return "warnings";
	if (!same_texts(a->result->infos, a->result->n_infos, b->result->infos, b->result->n_infos))
		return "infos";
	return NULL;
}

/* --- telling ------------------------------------------------------------------------------------------------------------ */

static void print_value(struct strbuf *out, double v, const struct histogram *h)
{
	char text[DOUBLE_TEXT_MAX];
	if (h)
		series_notation_print_histogram(out, h);
	else
		strbuf_add(out, text, double_to_shortest_e(v, text));
}

static void print_series(
    struct strbuf *out, const struct result_series *s, const struct result_series *other, bool exact)
{
	labels_print(out, s->labels);
	for (size_t i = 0; i < s->n; i++) {
		bool differs = !other || !labels_eq(s->labels, other->labels) || i >= other->n ||
			       !same_point(s, other, i, exact);
		if (!differs && s->n > 1)
			continue;
		strbuf_adds(out, " ");
		print_value(out, s->v[i], histogram_at(s, i));
		strbuf_addf(out, "@%lld", (long long)s->t_ms[i]);
	}
	strbuf_addf(out, " (%zu points)\n", s->n);
}

static const struct result_series *find_series(const struct query_result *r, const struct labels *labels)
{
	for (size_t i = 0; i < r->n_series; i++)
		if (labels_eq(r->series[i].labels, labels))
			return &r->series[i];
	return NULL;
}

/* Of a result, what the other one has not. */
static void print_answer(
    struct strbuf *out, const char *who, const struct answer *a, const struct answer *other, bool exact)
{
	strbuf_addf(out, "  %s: ", who);
	if (a->rc) {
		strbuf_addf(out, "%s: %s\n", err_code_name(a->rc), a->err.msg);
		return;
	}
	strbuf_addf(out, "%zu series\n", a->result->n_series);
	for (size_t i = 0; !other->rc && i < a->result->n_series; i++) {
		const struct result_series *s = &a->result->series[i];
		const struct result_series *same = find_series(other->result, s->labels);
		if (!same || !same_series(s, same, exact))
			print_series(out, s, same, exact);
	}
	for (size_t i = 0; i < a->result->n_warnings; i++)
		strbuf_addf(out, "    %" SL_FMT "\n", SL_ARG(a->result->warnings[i]));
	for (size_t i = 0; i < a->result->n_infos; i++)
		strbuf_addf(out, "    %" SL_FMT "\n", SL_ARG(a->result->infos[i]));
}

static void report(struct run *run, const struct promql_question *q, const char *what,
    const struct answer *got, const struct answer *want)
{
	struct strbuf out = STRBUF_INIT;
	run->differ++;
	if (run->differ > MAX_SHOWN)
		return;
	strbuf_addf(&out, "%s differ (TEST_SEED=%llu DIFF_COUNT=%d): %" SL_FMT "\n", what,
	    (unsigned long long)run->seed, QUESTIONS_PER_DATA, SL_ARG(q->text));
	strbuf_addf(&out, "  from %lld to %lld step %lld lookback %lld%s%s%s%s, data from %lld\n",
	    (long long)q->start_ms, (long long)q->end_ms, (long long)q->step_ms, (long long)q->lookback_ms,
	    q->delayed_name_removal ? ", delayed name removal" : "",
	    q->use_start_timestamps ? ", start timestamps" : "",
	    q->type_and_unit_labels ? ", type labels" : "", q->long_windows ? ", long windows" : "",
	    (long long)run->data.start_ms);
	print_answer(&out, "engine", got, want, !q->long_windows);
	print_answer(&out, "reference", want, got, !q->long_windows);
	print_error("%s", strbuf_cstr(&out));
	strbuf_done(&out);
}

/* Whether two answers of the engine are the same in everything, order too. */
static bool identical(const struct answer *a, const struct answer *b)
{
	if (a->rc || b->rc)
		return a->rc == b->rc && strcmp(a->err.msg, b->err.msg) == 0;
	bool same = a->result->n_series == b->result->n_series;
	for (size_t i = 0; same && i < a->result->n_series; i++)
		same = same_series(&a->result->series[i], &b->result->series[i], true);
	return same &&
	       same_texts(
		   a->result->warnings, a->result->n_warnings, b->result->warnings, b->result->n_warnings) &&
	       same_texts(a->result->infos, a->result->n_infos, b->result->infos, b->result->n_infos);
}

/* The number of threads must not show, to the bit. */
static const char *compare_threads(
    const struct run *run, const struct promql_question *q, const struct answer *alone)
{
	bool same = true;
	for (size_t i = 0; same && i < POOLS; i++) {
		struct answer threads;
		ask_engine(run, q, run->pools[i], &threads);
		same = identical(&threads, alone);
		query_result_free(threads.result);
	}
	return same ? NULL : "answers with threads";
}

/* --- asking ------------------------------------------------------------------------------------------------------------- */

static void ask(struct run *run)
{
	struct promql_question q;
	struct answer want, got;
	promql_question_make(&run->random, run->arena, &run->data, &q);
	if (getenv("DIFF_VERBOSE"))
		print_message("# %" SL_FMT "\n", SL_ARG(q.text));
	ask_reference(run, &q, &want);
	run->asked++;
	run->errors += want.rc != 0;
	run->empty += want.rc == 0 && want.result->n_series == 0;
	ask_engine(run, &q, NULL, &got);
	const char *what = compare_threads(run, &q, &got);
	if (!what)
		what = compare(&q, &got, &want);
	if (what)
		report(run, &q, what, &got, &want);
	query_result_free(got.result);
	query_result_free(want.result);
}

/* A data set of its own seed, and some questions about it. */
static void ask_about_new_data(struct run *run, size_t n)
{
	run->seed = run->random.state;
	mem_store_clear(run->store);
	arena_reset(run->arena);
	promql_data_make(&run->random, run->store, run->arena, &run->data);
	for (size_t i = 0; i < n; i++)
		ask(run);
}

/* Whatever the language has, enough questions have asked for, and found something. */
static void check_coverage(const struct run *run)
{
	struct strbuf text = STRBUF_INIT;
	promql_coverage_print(&run->coverage, &text, getenv("DIFF_COVERAGE") != NULL);
	fputs(strbuf_cstr(&text), stdout);
	strbuf_reset(&text);
	size_t missing = promql_coverage_missing(&run->coverage, &text);
	if (missing > 0)
		print_message("# never with a result: %s\n", strbuf_cstr(&text));
	if (run->asked >= COVERING_COUNT)
		check_int("parts of the language that gave no result", missing, 0);
	strbuf_done(&text);
}

static void test_engine_is_reference(void **state)
{
	const char *wanted = getenv("DIFF_COUNT");
	size_t count = wanted ? strtoul(wanted, NULL, 10) : DEFAULT_COUNT;
	struct run run = {.store = mem_store_new(), .arena = arena_new(ARENA_NO_LIMIT)};
	(void)state;

	test_random_init(&run.random);
	for (size_t i = 0; i < POOLS; i++)
		run.pools[i] = thread_pool_new("test", thread_counts[i]);
	while (run.asked < count) {
		size_t left = count - run.asked;
		ask_about_new_data(&run, left < QUESTIONS_PER_DATA ? left : QUESTIONS_PER_DATA);
	}
	for (size_t i = 0; i < POOLS; i++)
		thread_pool_free(run.pools[i]);
	arena_free(run.arena);
	mem_store_free(run.store);
	print_message("# %zu expressions: %zu errors, %zu without result, %zu different\n", run.asked,
	    run.errors, run.empty, run.differ);
	check_coverage(&run);
	check_int("differences between engine and reference", run.differ, 0);
}

TEST_MAIN("differential", cmocka_unit_test(test_engine_is_reference))
