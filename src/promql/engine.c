#include "promql/engine.h"

#include "base/lock.h"
#include "base/xmalloc.h"
#include "promql/parse.h"
#include "promql/prepare.h"
#include "promql/result_build.h"
#include "promql/sample_account.h"
#include <string.h>

struct promql_engine {
	struct promql_options options;
	_Atomic int64_t default_step_ms;
	struct lock lock; /* leaf: guards running */
	struct cond slot_free;
	unsigned running;
};

static void set_defaults(struct promql_options *o)
{
	if (o->max_samples == 0)
		o->max_samples = 50 * 1000 * 1000;
	if (o->max_query_bytes == 0)
		o->max_query_bytes = (size_t)1 << 30;
	if (o->timeout_ms <= 0)
		o->timeout_ms = 2 * 60 * 1000;
	if (o->lookback_ms <= 0)
		o->lookback_ms = 5 * 60 * 1000;
	if (o->default_step_ms <= 0)
		o->default_step_ms = 60 * 1000;
	if (o->max_concurrent == 0)
		o->max_concurrent = 20;
	if (o->parallel_samples == 0)
		o->parallel_samples = 50 * 1000;
	if (o->clock == NULL)
		o->clock = clock_real();
}

struct promql_engine *promql_engine_new(const struct promql_options *options)
{
	struct promql_engine *e = xcalloc(1, sizeof(*e));

	e->options = *options;
	set_defaults(&e->options);
	e->default_step_ms = e->options.default_step_ms;
	lock_init(&e->lock, LOCK_POOL, "promql slots");
	cond_init(&e->slot_free);
	return e;
}

void promql_engine_free(struct promql_engine *e)
{
	if (e == NULL)
		return;
	cond_done(&e->slot_free);
	lock_done(&e->lock);
	free(e);
}

void promql_engine_set_default_step(struct promql_engine *e, int64_t step_ms)
{
	if (step_ms > 0)
		e->default_step_ms = step_ms;
}

unsigned promql_engine_running(const struct promql_engine *e)
{
	return __atomic_load_n(&e->running, __ATOMIC_RELAXED);
}

const char *promql_error_type(int code)
{
	switch (code) {
	case ERR_INVALID:
		return "bad_data";
	case ERR_TIMEOUT:
		return "timeout";
	case ERR_CANCELED:
		return "canceled";
	default:
		return "execution";
	}
}

/* --- slots -------------------------------------------------------------------------------------------------------------- */

enum { WAIT_SLICE_MS = 100 };

static bool is_canceled(const struct promql_query *q)
{
	return q->canceled && atomic_load(q->canceled);
}

/* Waits for one of the slots. Waiting counts against the time of the query. */
static int take_slot(
    struct promql_engine *e, const struct promql_query *q, int64_t deadline_ns, struct err *err)
{
	int rc = 0;

	lock_take(&e->lock);
	while (rc == 0 && e->running >= e->options.max_concurrent) {
		if (is_canceled(q))
			rc = err_set(err, ERR_CANCELED, "query was canceled in query queue");
		else if (clock_mono_ns(e->options.clock) > deadline_ns)
			rc = err_set(err, ERR_TIMEOUT, "query timed out in query queue");
		else
			cond_wait_ms(&e->slot_free, &e->lock, WAIT_SLICE_MS);
	}
	if (rc == 0)
		e->running++;
	lock_release(&e->lock);
	return rc;
}

static void give_slot(struct promql_engine *e)
{
	lock_take(&e->lock);
	e->running--;
	cond_signal(&e->slot_free);
	lock_release(&e->lock);
}

/* --- running ------------------------------------------------------------------------------------------------------------ */

static int check_query(const struct promql_query *q, struct err *err)
{
	if (q->step_ms < 0)
		return err_set(err, ERR_INVALID,
		    "zero or negative query resolution step widths are not accepted. Try a positive integer");
	if (q->end_ms < q->start_ms)
		return err_set(err, ERR_INVALID, "end timestamp must not be before start time");
	/* Times of thousands of centuries would overflow in the arithmetic of windows. */
	if (q->start_ms < INT64_MIN / 4 || q->end_ms > INT64_MAX / 4)
		return err_set(err, ERR_INVALID, "query time is out of range");
	if (q->step_ms > 0 && (q->end_ms - q->start_ms) / q->step_ms >= UINT32_MAX / 2)
		return err_set(err, ERR_INVALID, "query has too many steps");
	return 0;
}

static int check_type(const struct promql_query *q, const struct expr *x, struct err *err)
{
	if (q->step_ms == 0 || x->type == TYPE_SCALAR || x->type == TYPE_VECTOR)
		return 0;
	return err_set(err, ERR_INVALID,
	    "invalid expression type \"%s\" for range query, must be Scalar or instant Vector",
	    value_type_name(x->type));
}

static void eval_init(struct eval *e, struct promql_engine *engine, const struct promql_query *q,
    struct arena *arena, int64_t deadline_ns)
{
	*e = (struct eval){
	    .options = &engine->options,
	    .arena = arena,
	    .start_ms = q->start_ms,
	    .end_ms = q->end_ms,
	    .step_ms = q->step_ms,
	    .lookback_ms = q->lookback_ms > 0 ? q->lookback_ms : engine->options.lookback_ms,
	    .default_step_ms = engine->default_step_ms,
	};
	e->grid = (struct grid){.start_ms = q->start_ms, .step_ms = q->step_ms, .n = 1};
	if (q->step_ms > 0)
		e->grid.n = (uint32_t)((q->end_ms - q->start_ms) / q->step_ms) + 1;
	e->limits.clock = engine->options.clock;
	e->limits.deadline_ns = deadline_ns;
	e->limits.canceled = q->canceled;
	e->limits.arena = arena;
	e->limits.max_points = engine->options.max_samples;
	e->wants_steps = q->wants_steps;
	annotations_init(&e->notes, arena, q->text);
}

static int make_grid_times(struct eval *e, struct query_result *r, struct err *err)
{
	int64_t *t = arena_try_alloc(e->arena, e->grid.n, sizeof(*t));

	if (t == NULL)
		return query_limits_no_memory(err);
	for (uint32_t k = 0; k < e->grid.n; k++)
		t[k] = grid_time_ms(&e->grid, k);
	r->grid_ms = t;
	r->n_steps = e->grid.n;
	return 0;
}

static int parse_and_prepare(
    struct eval *e, const struct promql_query *q, const struct expr **x, struct err *err)
{
	const struct expr *parsed = q->expr;
	int rc = 0;

	if (parsed == NULL)
		rc = promql_parse(e->arena, q->text, &e->options->parse, &parsed, err);
	if (rc == 0)
		rc = check_type(q, parsed, err);
	if (rc == 0)
		rc = promql_prepare(e->arena, parsed, q->start_ms, q->end_ms, q->step_ms, x, err);
	return rc;
}

static int evaluate(struct eval *e, const struct promql_query *q, const struct expr *x,
    struct query_result *r, struct err *err)
{
	int64_t min_ms, max_ms;

	eval_time_range(e, x, &min_ms, &max_ms);
	int rc = make_grid_times(e, r, err);
	if (rc == 0)
		rc = q->store->open(q->store, min_ms, max_ms, &e->querier, err);
	if (rc)
		return rc;
	query_plan_init(&e->plan, e->arena, x);
	rc = query_plan_select(e, x, err);
	if (rc == 0)
		rc = result_build(e, x, r, err);
	e->querier->ops->close(e->querier);
	/* Small allocations are served past the budget: the last look is here. */
	return rc ? rc : query_limits_check(&e->limits, err);
}

static int take_account(struct eval *e, const struct expr *x, struct query_result *r, struct err *err)
{
	struct sample_account account;

	sample_account_take(e, x, &account);
	r->stats.samples_seen = account.seen;
	r->stats.samples_fresh = account.fresh;
	r->stats.peak_samples = account.peak;
	r->stats.seen_by_step = account.seen_by_step;
	r->stats.fresh_by_step = account.fresh_by_step;
	return account.peak > e->limits.max_points ? query_limits_too_many(err) : 0;
}

static void keep_notes_and_stats(struct eval *e, struct query_result *r)
{
	r->warnings = e->notes.warnings.v;
	r->n_warnings = e->notes.warnings.n;
	r->infos = e->notes.infos.v;
	r->n_infos = e->notes.infos.n;
	for (size_t i = 0; i < e->plan.n; i++)
		r->stats.samples_decoded += e->plan.nodes[i].counts.decoded;
}

static int run_in_slot(struct promql_engine *engine, const struct promql_query *q, int64_t deadline_ns,
    struct query_result *r, struct err *err)
{
	struct clock *clock = engine->options.clock;
	int64_t begun = clock_mono_ns(clock);
	const struct expr *x;
	struct eval e;

	eval_init(&e, engine, q, r->arena, deadline_ns);
	int rc = parse_and_prepare(&e, q, &x, err);
	r->stats.prepare_ns = clock_mono_ns(clock) - begun;
	if (rc == 0)
		rc = evaluate(&e, q, x, r, err);
	if (rc == 0)
		rc = take_account(&e, x, r, err);
	r->stats.eval_ns = clock_mono_ns(clock) - begun - r->stats.prepare_ns;
	keep_notes_and_stats(&e, r);
	return rc;
}

static struct query_result *result_new(const struct promql_engine *e, const struct promql_query *q)
{
	struct arena *arena = arena_new(e->options.max_query_bytes);
	struct query_result *r = ARENA_NEW(arena, struct query_result);

	r->arena = arena;
	r->start_ms = q->start_ms;
	r->end_ms = q->end_ms;
	r->step_ms = q->step_ms;
	return r;
}

int promql_engine_run(
    struct promql_engine *e, const struct promql_query *q, struct query_result **out, struct err *err)
{
	int64_t timeout_ms = e->options.timeout_ms;
	int64_t begun = clock_mono_ns(e->options.clock);

	if (q->timeout_ms > 0 && q->timeout_ms < timeout_ms)
		timeout_ms = q->timeout_ms;
	int64_t deadline_ns = begun + timeout_ms * 1000000;
	int rc = check_query(q, err);
	if (rc == 0)
		rc = take_slot(e, q, deadline_ns, err);
	if (rc)
		return rc;
	struct query_result *r = result_new(e, q);
	r->stats.queue_ns = clock_mono_ns(e->options.clock) - begun;
	rc = run_in_slot(e, q, deadline_ns, r, err);
	give_slot(e);
	r->stats.total_ns = clock_mono_ns(e->options.clock) - begun;
	if (rc) {
		query_result_free(r);
		return rc;
	}
	*out = r;
	return 0;
}
