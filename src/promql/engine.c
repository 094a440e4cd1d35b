#include "promql/engine.h"

#include "base/lock.h"
#include "base/xmalloc.h"
#include "promql/active_queries.h"
#include "promql/engine_metrics.h"
#include "promql/explain.h"
#include "promql/parse.h"
#include "promql/prepare.h"
#include "promql/query_log.h"
#include "promql/result_build.h"
#include "promql/sample_account.h"
#include "promql/slow_queries.h"
#include <stdio.h>
#include <string.h>

/* Samples and values together, about a millisecond of work: a query that needs no more does not wait for heavy ones. */
enum { CHEAP_COST = 200 * 1000 };

struct promql_engine {
	struct promql_options options;
	_Atomic int64_t default_step_ms;
	_Atomic size_t all_bytes; /* of the arenas of all queries */
	struct query_gate *gate;
	struct engine_metrics *metrics;
	struct slow_queries *slow;
	struct lock log_lock;
	struct query_log *log; /* QUERY_LOG; NULL: there is none */
};

static void set_defaults(struct promql_options *o)
{
	if (o->max_samples == 0)
		o->max_samples = 50 * 1000 * 1000;
	if (o->max_query_bytes == 0)
		o->max_query_bytes = (size_t)1 << 30;
	if (o->max_all_bytes == 0)
		o->max_all_bytes = SIZE_MAX;
	if (o->timeout_ms <= 0)
		o->timeout_ms = 2 * 60 * 1000;
	if (o->lookback_ms <= 0)
		o->lookback_ms = 5 * 60 * 1000;
	if (o->default_step_ms <= 0)
		o->default_step_ms = 60 * 1000;
	if (o->slow_query_ms == 0)
		o->slow_query_ms = 1000;
	if (o->slow_query_ms < 0)
		o->slow_query_ms = 0;
	if (o->max_concurrent == 0)
		o->max_concurrent = 20;
	if (o->max_heavy == 0)
		o->max_heavy = 2;
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
	const struct promql_options *o = &e->options;
	e->default_step_ms = o->default_step_ms;
	e->gate = query_gate_new(o->clock, o->max_concurrent, o->max_heavy);
	e->metrics = engine_metrics_new(o->clock, e->gate, o->max_concurrent);
	e->slow = slow_queries_new(o->slow_query_ms * 1000000);
	lock_init(&e->log_lock, LOCK_QUERY_LOG, "query log");
	return e;
}

void promql_engine_free(struct promql_engine *e)
{
	if (e == NULL)
		return;
	engine_metrics_free(e->metrics);
	query_gate_free(e->gate);
	slow_queries_free(e->slow);
	query_log_close(e->log);
	lock_done(&e->log_lock);
	free(e);
}

void promql_engine_set_default_step(struct promql_engine *e, int64_t step_ms)
{
	if (step_ms > 0)
		e->default_step_ms = step_ms;
}

int promql_engine_set_query_log(struct promql_engine *e, struct slice path, struct err *err)
{
	struct query_log *log = NULL;

	if (path.len) {
		char *name = slice_dup(path);
		int rc = query_log_open(fs_real(), name, &log, err);
		free(name);
		if (rc)
			return rc;
	}
	lock_take(&e->log_lock);
	struct query_log *old = e->log;
	e->log = log;
	lock_release(&e->log_lock);
	query_log_close(old);
	engine_metrics_log_enabled(e->metrics, log != NULL);
	return 0;
}

void promql_engine_slow_queries(
    struct promql_engine *e, struct arena *arena, struct query_record **out, size_t *n, int64_t *threshold_ms)
{
	*threshold_ms = e->options.slow_query_ms;
	slow_queries_list(e->slow, arena, out, n);
}

struct query_gate *promql_engine_gate(struct promql_engine *e)
{
	return e->gate;
}

int64_t promql_engine_deadline_ns(const struct promql_engine *e)
{
	return clock_mono_ns(e->options.clock) + e->options.timeout_ms * 1000000;
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

/* --- what is wrong with a query before it begins ------------------------------------------------------------------------- */

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

/* --- one query ----------------------------------------------------------------------------------------------------------- */

/* On the stack of the thread that runs it. */
struct run {
	struct promql_engine *engine;
	const struct promql_query *query;
	int64_t begun_ns;
	struct query_wait wait;
	bool in_slot, heavy;
	int place; /* among the active queries; -1: none */
	struct query_result *result;
	struct eval eval; /* means something as long as there is a result */
	const struct expr *expr;
	struct query_record record;
};

static int64_t now_ns(const struct run *r)
{
	return clock_mono_ns(r->engine->options.clock);
}

static void run_begin(struct run *r, struct promql_engine *e, const struct promql_query *q)
{
	int64_t timeout_ms = e->options.timeout_ms;

	*r = (struct run){.engine = e, .query = q, .place = -1, .begun_ns = clock_mono_ns(e->options.clock)};
	if (q->timeout_ms > 0 && q->timeout_ms < timeout_ms)
		timeout_ms = q->timeout_ms;
	r->wait = (struct query_wait){r->begun_ns + timeout_ms * 1000000, q->canceled};
	r->record = (struct query_record){.text = q->text,
	    .origin = q->origin,
	    .start_ms = q->start_ms,
	    .end_ms = q->end_ms,
	    .step_ms = q->step_ms};
	engine_metrics_begin(e->metrics);
}

static void eval_init(struct run *r)
{
	const struct promql_query *q = r->query;
	const struct promql_options *o = &r->engine->options;
	struct eval *e = &r->eval;
	struct arena *arena = r->result->arena;

	*e = (struct eval){
	    .options = o,
	    .arena = arena,
	    .start_ms = q->start_ms,
	    .end_ms = q->end_ms,
	    .step_ms = q->step_ms,
	    .lookback_ms = q->lookback_ms > 0 ? q->lookback_ms : o->lookback_ms,
	    .default_step_ms = r->engine->default_step_ms,
	    .wants_steps = q->wants_steps,
	    .analyze = q->explain == EXPLAIN_ANALYZE,
	};
	e->grid = (struct grid){.start_ms = q->start_ms, .step_ms = q->step_ms, .n = 1};
	if (q->step_ms > 0)
		e->grid.n = (uint32_t)((q->end_ms - q->start_ms) / q->step_ms) + 1;
	e->limits.clock = o->clock;
	e->limits.deadline_ns = r->wait.deadline_ns;
	e->limits.canceled = q->canceled;
	e->limits.arena = arena;
	e->limits.max_points = o->max_samples;
	e->limits.all_bytes = &r->engine->all_bytes;
	e->limits.max_all_bytes = o->max_all_bytes;
	annotations_init(&e->notes, arena, q->text);
}

static void result_begin(struct run *r)
{
	struct arena *arena = arena_new(r->engine->options.max_query_bytes);

	r->result = ARENA_NEW(arena, struct query_result);
	r->result->arena = arena;
	r->result->start_ms = r->query->start_ms;
	r->result->end_ms = r->query->end_ms;
	r->result->step_ms = r->query->step_ms;
	eval_init(r);
	if (r->engine->options.active)
		r->place = active_queries_add(
		    r->engine->options.active, r->query->text, clock_now_ms(r->engine->options.clock));
}

static void close_querier(struct run *r)
{
	if (r->result && r->eval.querier)
		r->eval.querier->ops->close(r->eval.querier);
	r->eval.querier = NULL;
}

/* Everything but the slot. */
static void give_back(struct run *r)
{
	close_querier(r);
	if (r->engine->options.active)
		active_queries_remove(r->engine->options.active, r->place);
	r->place = -1;
	if (r->result)
		query_limits_done(&r->eval.limits);
}

static void drop_result(struct run *r)
{
	query_result_free(r->result);
	r->result = NULL;
}

static int parse(struct run *r, struct err *err)
{
	const struct promql_query *q = r->query;
	const struct expr *parsed = q->expr;
	struct eval *e = &r->eval;
	int rc = 0;

	if (parsed == NULL)
		rc = promql_parse(e->arena, q->text, &e->options->parse, &parsed, err);
	if (rc == 0)
		rc = check_type(q, parsed, err);
	if (rc == 0)
		rc = promql_prepare(e->arena, parsed, q->start_ms, q->end_ms, q->step_ms, &r->expr, err);
	r->record.was_parsed |= rc == 0;
	return rc;
}

static int check_series(struct run *r, struct err *err)
{
	uint64_t max = r->engine->options.max_series, n = r->eval.plan.series;

	if (max == 0 || n <= max)
		return 0;
	struct slice heaviest = query_plan_heaviest(&r->eval, r->eval.arena);
	return err_set(err, ERR_LIMIT, "query selects %llu series and may select %llu: %" SL_FMT,
	    (unsigned long long)n, (unsigned long long)max, SL_ARG(heaviest));
}

/* Up to the point where nothing has been read yet and it is known what will be. */
static int prepare(struct run *r, struct err *err)
{
	struct queryable *store = r->query->store;
	int64_t begun_ns = now_ns(r), min_ms, max_ms;

	result_begin(r);
	int rc = parse(r, err);
	if (rc == 0) {
		eval_time_range(&r->eval, r->expr, &min_ms, &max_ms);
		query_plan_init(&r->eval.plan, r->eval.arena, r->expr);
		rc = store->open(store, min_ms, max_ms, &r->eval.querier, err);
	}
	if (rc == 0)
		rc = query_plan_select(&r->eval, r->expr, err);
	if (rc == 0)
		rc = check_series(r, err);
	r->result->stats.prepare_ns = now_ns(r) - begun_ns;
	return rc;
}

/* Waits for its turn and prepares; when it turns out to be heavy, waits for its turn among those. */
static int admit(struct run *r, struct err *err)
{
	struct query_gate *gate = r->engine->gate;
	int64_t begun_ns = now_ns(r);
	int rc = 0;

	if (r->query->lane == QUERY_LANE_RULES)
		return prepare(r, err);
	rc = query_gate_enter(gate, &r->wait, err);
	r->in_slot = rc == 0;
	r->record.stats.queue_ns = now_ns(r) - begun_ns;
	if (rc == 0)
		rc = prepare(r, err);
	if (rc || r->query->explain == EXPLAIN_PLAN || r->eval.plan.cost <= CHEAP_COST)
		return rc;
	r->heavy = query_gate_try_heavy(gate);
	if (r->heavy)
		return 0;
	give_back(r);
	drop_result(r);
	begun_ns = now_ns(r);
	rc = query_gate_wait_heavy(gate, &r->wait, err);
	r->in_slot = r->heavy = rc == 0;
	r->record.stats.queue_ns += now_ns(r) - begun_ns;
	return rc ? rc : prepare(r, err);
}

static int make_grid_times(struct run *r, struct err *err)
{
	struct eval *e = &r->eval;
	int64_t *t = arena_try_alloc(e->arena, e->grid.n, sizeof(*t));

	if (t == NULL)
		return query_limits_no_memory(err);
	for (uint32_t k = 0; k < e->grid.n; k++)
		t[k] = grid_time_ms(&e->grid, k);
	r->result->grid_ms = t;
	r->result->n_steps = e->grid.n;
	return 0;
}

static int take_account(struct run *r, struct err *err)
{
	struct query_stats *s = &r->result->stats;
	struct sample_account account;

	sample_account_take(&r->eval, r->expr, &account);
	s->samples_seen = account.seen;
	s->samples_fresh = account.fresh;
	s->peak_samples = account.peak;
	s->seen_by_step = account.seen_by_step;
	s->fresh_by_step = account.fresh_by_step;
	return account.peak > r->eval.limits.max_points ? query_limits_too_many(err) : 0;
}

static void keep_notes(struct run *r)
{
	const struct annotations *a = &r->eval.notes;

	r->result->warnings = a->warnings.v;
	r->result->n_warnings = a->warnings.n;
	r->result->infos = a->infos.v;
	r->result->n_infos = a->infos.n;
}

static int evaluate(struct run *r, struct err *err)
{
	int64_t begun_ns = now_ns(r);
	int rc = make_grid_times(r, err);

	if (rc == 0)
		rc = result_build(&r->eval, r->expr, r->result, err);
	/* Small allocations are served past the budget: the last look is here. */
	if (rc == 0)
		rc = query_limits_check(&r->eval.limits, err);
	if (rc == 0)
		rc = take_account(r, err);
	r->result->stats.eval_ns = now_ns(r) - begun_ns;
	keep_notes(r);
	return rc;
}

/* --- what is told of it -------------------------------------------------------------------------------------------------- */

static void fill_record(struct run *r, const char *error)
{
	struct query_record *rec = &r->record;
	int64_t queue_ns = rec->stats.queue_ns;

	rec->ended_ms = clock_now_ms(r->engine->options.clock);
	rec->error = error;
	if (r->result && r->eval.plan.nodes) {
		rec->stats = r->result->stats;
		for (size_t i = 0; i < r->eval.plan.n; i++)
			rec->stats.samples_decoded += r->eval.plan.nodes[i].counts.decoded;
		rec->cost = r->eval.plan.cost;
		rec->series = r->eval.plan.series;
		rec->bytes = arena_reserved_bytes(r->eval.arena);
	}
	rec->stats.queue_ns = queue_ns;
	rec->stats.total_ns = now_ns(r) - r->begun_ns;
	bool matters =
	    error || r->query->record || rec->stats.total_ns >= r->engine->options.slow_query_ms * 1000000;
	if (matters && r->result && r->eval.plan.nodes) {
		struct slice s = query_plan_heaviest(&r->eval, r->eval.arena);
		snprintf(rec->heaviest, sizeof(rec->heaviest), "%" SL_FMT, SL_ARG(s));
	}
}

static void tell(struct run *r)
{
	struct promql_engine *e = r->engine;

	engine_metrics_end(e->metrics, &r->record);
	if (!r->record.was_parsed)
		return;
	slow_queries_add(e->slow, &r->record);
	lock_take(&e->log_lock);
	bool good = e->log == NULL || query_log_add(e->log, &r->record);
	lock_release(&e->log_lock);
	if (!good)
		engine_metrics_log_failed(e->metrics);
}

static void run_end(struct run *r, int rc, const struct err *err)
{
	struct promql_engine *e = r->engine;

	fill_record(r, rc ? err->msg : NULL);
	if (r->result)
		r->result->stats = r->record.stats;
	give_back(r);
	if (r->in_slot)
		query_gate_leave(e->gate, r->heavy);
	tell(r);
	if (r->query->record)
		*r->query->record = r->record;
	if (r->query->record && rc)
		r->query->record->error = NULL; /* the caller has it */
}

int promql_engine_run(
    struct promql_engine *e, const struct promql_query *q, struct query_result **out, struct err *err)
{
	struct err own;
	struct run r;
	int rc = check_query(q, err);

	if (rc)
		return rc;
	err = err ? err : &own;
	run_begin(&r, e, q);
	rc = admit(&r, err);
	if (rc == 0 && q->explain != EXPLAIN_PLAN)
		rc = evaluate(&r, err);
	if (rc == 0 && q->explain != EXPLAIN_NOTHING)
		r.result->plan = explain_tree(&r.eval, r.expr);
	run_end(&r, rc, err);
	if (rc) {
		drop_result(&r);
		return rc;
	}
	*out = r.result;
	return 0;
}
