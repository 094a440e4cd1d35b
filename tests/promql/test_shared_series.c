/* Identical selectors of one query are looked up once and decoded once. */
#include "tests/lib/test.h"

#include "promql/engine.h"
#include "storage/mem_store.h"

/* Counts what goes through to the store. */
struct counting {
	struct queryable queryable;
	struct querier querier;
	struct queryable *of;
	struct querier *inner;
	unsigned selects, reads;
};

struct counted_set {
	struct series_set base;
	struct series_set *of;
	struct counting *c;
};

static const struct labels *set_labels(struct series_set *s, size_t i, struct arena *arena)
{
	struct series_set *of = ((struct counted_set *)s)->of;
	return of->ops->labels(of, i, arena);
}

static int set_read(struct series_set *s, size_t i, struct sample_column *out, struct err *err)
{
	struct counted_set *set = (struct counted_set *)s;
	set->c->reads++;
	return set->of->ops->read(set->of, i, out, err);
}

static size_t set_estimate(struct series_set *s, size_t i)
{
	struct series_set *of = ((struct counted_set *)s)->of;
	return of->ops->estimate(of, i);
}

static const struct series_set_ops set_ops = {
    .labels = set_labels, .read = set_read, .estimate = set_estimate};

static int count_select(struct querier *q, struct arena *arena, const struct matcher *const *matchers,
    size_t n_matchers, bool sorted, const struct select_hints *hints, struct series_set **out,
    struct err *err)
{
	struct counting *c = CONTAINER_OF(q, struct counting, querier);
	struct counted_set *s = ARENA_NEW(arena, struct counted_set);
	int rc = c->inner->ops->select(c->inner, arena, matchers, n_matchers, sorted, hints, &s->of, err);

	c->selects++;
	s->c = c;
	s->base = (struct series_set){&set_ops, rc ? 0 : s->of->n};
	*out = &s->base;
	return rc;
}

static void count_close(struct querier *q)
{
	struct counting *c = CONTAINER_OF(q, struct counting, querier);
	c->inner->ops->close(c->inner);
}

static const struct querier_ops querier_ops = {.select = count_select, .close = count_close};

static int count_open(
    struct queryable *self, int64_t min_ms, int64_t max_ms, struct querier **out, struct err *err)
{
	struct counting *c = CONTAINER_OF(self, struct counting, queryable);
	*out = &c->querier;
	return c->of->open(c->of, min_ms, max_ms, &c->inner, err);
}

static struct mem_store *fill_store(struct arena *arena)
{
	struct mem_store *store = mem_store_new();
	for (int i = 0; i < 3; i++) {
		const char *job = arena_printf(arena, "%d", i).ptr;
		const struct labels *ls = labels_of(arena, "__name__", "x", "job", job, NULL);
		for (int64_t t = 0; t <= 600; t += 15)
			mem_store_add(store, ls, t * 1000, (double)(t * (i + 1)), NULL);
	}
	return store;
}

static void once_each(void **state)
{
	(void)state;
	static const struct {
		const char *query, *want;
		unsigned selects, reads;
	} cases[] = {
	    {"sum(x)", "{} => 3600 @[600000]\n", 1, 3},
	    {"sum(x) / sum(x)", "{} => 1 @[600000]\n", 1, 3},
	    {"sum(rate(x[5m])) / sum(increase(x[5m]))", "{} => 0.0033333333333333327 @[600000]\n", 1, 3},
	    {"sum(x) + sum(x) + sum(x)", "{} => 10800 @[600000]\n", 1, 3},
	    {"sum(max_over_time(x[5m]) - min_over_time(x[5m]))", "{} => 1710 @[600000]\n", 1, 3},
	    {"sum(x{job=\"1\"}) / sum(x)", "{} => 0.3333333333333333 @[600000]\n", 2, 4},
	    {"sum(x) - sum(x offset 1m)", "{} => 360 @[600000]\n", 2, 6},
	    {"sum(max_over_time(x[5m]) - max_over_time(x[4m]))", "{} => 0 @[600000]\n", 2, 6},
	};
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct mem_store *store = fill_store(arena);
	struct promql_options options = {0};
	struct promql_engine *engine = promql_engine_new(&options);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct counting c = {.queryable.open = count_open,
		    .querier.ops = &querier_ops,
		    .of = mem_store_queryable(store)};
		struct promql_query q = {.store = &c.queryable,
		    .text = slice_cstr(cases[i].query),
		    .start_ms = 600000,
		    .end_ms = 600000};
		struct query_result *r;
		struct err err;
		struct strbuf sb = STRBUF_INIT;
		check_ok(cases[i].query, promql_engine_run(engine, &q, &r, &err), &err);
		query_result_print(&sb, r);
		check_str(cases[i].query, strbuf_slice(&sb), cases[i].want);
		check_int(cases[i].query, c.selects, cases[i].selects);
		check_int(cases[i].query, c.reads, cases[i].reads);
		query_result_free(r);
		strbuf_done(&sb);
	}
	promql_engine_free(engine);
	mem_store_free(store);
	arena_free(arena);
}

TEST_MAIN("shared_series", cmocka_unit_test(once_each))
