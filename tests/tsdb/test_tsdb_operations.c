/* The store beside a plain array (tests/tsdb/sample_model.h): operations of all kinds in random order. Samples of all kinds
 * in order, late, again, too old and too new, deletions, seals, joinings, retention, snapshots, restarts; a disk that fails
 * in the middle of any of it, or is full; crashes: the process is gone, or the power.
 *
 * TEST_OPERATIONS=n does n of them (10,000), TEST_SEED=n begins elsewhere; `make check-model` runs many seeds. Where a crash hits
 * depends on the writing thread a little, so such a run may not repeat at the first attempt. */
#include "base/xmalloc.h"
#include "tests/tsdb/operations.h"
#include <inttypes.h>
#include <stdlib.h>

enum { OPERATIONS = 10000 };

bool is_verbose(void)
{
	return getenv("TEST_VERBOSE") != NULL;
}

/* --- operations: asking ------------------------------------------------------------------------------------------ */

static void query(struct run *r)
{
	const struct matcher *matchers[MATCHERS_MAX];
	struct model_query q = some_query(r, matchers);
	if (!is_in_trouble(r))
		sample_model_check(r->model, tsdb_queryable(r->db), &q, "query");
}

static void query_newest(struct run *r)
{
	const struct matcher *matchers[MATCHERS_MAX];
	struct model_query q = some_query(r, matchers);
	q.newest_only = true;
	q.max_t_ms = one_in(r, 2) ? r->now_ms : r->now_ms - (int64_t)below(r, HOUR_MS);
	q.min_t_ms = q.max_t_ms - (one_in(r, 10) ? 3 * HOUR_MS : 5 * MINUTE_MS);
	if (!is_in_trouble(r))
		sample_model_check(r->model, tsdb_queryable(r->db), &q, "newest samples");
}

static void query_names(struct run *r)
{
	static const char *const names[] = {"", "__name__", "job", "pod", "zone", "az", "nothing"};
	const struct matcher *matchers[MATCHERS_MAX];
	struct model_query q = some_query(r, matchers);
	if (!is_in_trouble(r))
		sample_model_check_names(r->model, tsdb_queryable(r->db),
		    slice_cstr(names[below(r, ARRAY_LEN(names))]), &q, "names");
}

void check_everything(struct run *r, struct tsdb *db, const char *what)
{
	struct model_query q = {
	    .min_t_ms = INT64_MIN, .max_t_ms = INT64_MAX, .keep_from_ms = r->keep_from_ms};
	sample_model_check(r->model, tsdb_queryable(db), &q, what);
}

static void ask_status(struct run *r)
{
	struct tsdb_status s;
	struct tsdb_cardinality c;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	tsdb_status(r->db, &s);
	tsdb_cardinality(r->db, 1 + below(r, 20), arena, &c);
	check_true("not more series than there were", s.head_series <= sample_model_all(r->model)->len);
	check_true("takes samples", !s.read_only || is_in_trouble(r));
	uint64_t before = UINT64_MAX;
	for (size_t i = 0; i < c.n_series_by_metric; i++) {
		check_true("most first", c.series_by_metric[i].count <= before);
		before = c.series_by_metric[i].count;
	}
	arena_free(arena);
}

/* --- operations: upkeep ------------------------------------------------------------------------------------------ */

bool went_well(const struct run *r, int rc, const struct err *err)
{
	if (rc != 0 && !is_in_trouble(r))
		fail_msg("operation %u (%s): %s: %s", r->number, r->name, err_code_name(rc), err->msg);
	return rc == 0;
}

static void sync_log(struct run *r)
{
	struct err err;
	if (went_well(r, tsdb_sync(r->db, &err), &err))
		sample_model_sync(r->model);
}

static void note_retention(struct run *r)
{
	int64_t from = r->now_ms - r->retention_ms;
	if (r->retention_ms && from > r->keep_from_ms)
		r->keep_from_ms = from;
}

void maintain(struct run *r)
{
	struct err err;
	note_retention(r);
	went_well(r, tsdb_maintain(r->db, r->now_ms, &err), &err);
}

static void seal(struct run *r)
{
	struct err err;
	went_well(r, tsdb_seal_all(r->db, &err), &err);
}

static void compact(struct run *r)
{
	struct err err;
	went_well(r, tsdb_compact(r->db, &err), &err);
}

static void note_failed_deletion(struct run *r, const struct model_query *q)
{
	struct deletion *d = &r->failed[r->n_failed++];
	*d = (struct deletion){.n = q->n_matchers, .min_t_ms = q->min_t_ms, .max_t_ms = q->max_t_ms};
	for (size_t i = 0; i < d->n; i++)
		d->matchers[i] = q->matchers[i];
}

static void delete_some(struct run *r)
{
	const struct matcher *matchers[MATCHERS_MAX];
	struct err err;
	struct model_query q = some_query(r, matchers);
	if (q.n_matchers == 0)
		return;
	bool done =
	    went_well(r, tsdb_delete(r->db, q.matchers, q.n_matchers, q.min_t_ms, q.max_t_ms, &err), &err);
	sample_model_delete(r->model, q.matchers, q.n_matchers, q.min_t_ms, q.max_t_ms, done);
	if (!done)
		note_failed_deletion(r, &q);
}

static void clean(struct run *r)
{
	struct err err;
	went_well(r, tsdb_clean_tombstones(r->db, &err), &err);
}

static void set_window(struct run *r)
{
	static const int64_t some[] = {0, 5 * MINUTE_MS, 30 * MINUTE_MS, 3 * HOUR_MS};
	r->window_ms = some[below(r, ARRAY_LEN(some))];
	tsdb_set_out_of_order(r->db, r->window_ms);
}

static void set_retention(struct run *r)
{
	static const int64_t some[] = {0, 2 * HOUR_MS, 5 * HOUR_MS, 30 * HOUR_MS};
	r->retention_ms = some[below(r, ARRAY_LEN(some))];
	tsdb_set_retention(r->db, r->retention_ms, 0, 0);
}

/* --- operations: snapshots --------------------------------------------------------------------------------------- */

static const struct tsdb_options plain_options = {.future_limit_ms = -1, .seal_interval_ms = SEAL_MS};

/* A snapshot is a store of its own: what is done to it does not show here. */
static void spoil_snapshot(struct run *r, struct tsdb *db)
{
	struct err err;
	const struct matcher *m = some_matcher(r);
	const struct labels *labels = some_slot(r)->series->labels;
	check_ok("delete from a snapshot", tsdb_delete(db, &m, 1, INT64_MIN, INT64_MAX, &err), &err);
	probe_add(db, labels, r->now_ms + HOUR_MS, 1);
	check_ok("clean a snapshot", tsdb_clean_tombstones(db, &err), &err);
	check_ok("join a snapshot", tsdb_compact(db, &err), &err);
}

static void check_snapshot(struct run *r, const char *name, bool is_whole)
{
	char *path = xasprintf("%s/snapshots/%s", r->dir, name);
	struct model_query q = {.min_t_ms = INT64_MIN,
	    .max_t_ms = INT64_MAX,
	    .keep_from_ms = r->keep_from_ms,
	    .is_partial = !is_whole};
	struct err err;
	struct tsdb *db = probe_open(path, r->clock, &plain_options);
	sample_model_check(r->model, tsdb_queryable(db), &q, "snapshot");
	if (one_in(r, 2))
		spoil_snapshot(r, db);
	tsdb_close(db);
	check_ok("remove", fs_remove_tree(fs_real(), path, &err), &err);
	free(path);
}

static void snapshot(struct run *r)
{
	char name[TSDB_SNAPSHOT_NAME_MAX];
	struct err err;
	bool with_head = !one_in(r, 3);
	if (went_well(r, tsdb_snapshot(r->db, with_head, name, &err), &err) && !is_in_trouble(r))
		check_snapshot(r, name, with_head);
}

/* --- the run ----------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct operation {
	void (*run)(struct run *r);
	const char *name;
	unsigned weight;
} operations[] = {
	{scrape, "scrape", 420},
	{late, "late", 100},
	{several_late, "several late", 12},
	{again, "again", 60},
	{from_the_future, "from the future", 10},
	{in_a_row, "in a row", 30},
	{roll_back, "roll back", 10},
	{churn, "churn", 15},
	{burst, "burst", 1},
	{query, "query", 110},
	{query_newest, "newest", 40},
	{query_names, "names", 30},
	{ask_status, "status", 5},
	{sync_log, "sync", 40},
	{maintain, "maintain", 40},
	{seal, "seal", 10},
	{compact, "compact", 10},
	{delete_some, "delete", 25},
	{clean, "clean", 6},
	{set_window, "window", 4},
	{set_retention, "retention", 3},
	{snapshot, "snapshot", 6},
	{restart, "restart", 8},
	{crash, "crash", 14},
	{trouble, "trouble", 14},
};
/* clang-format on */

void do_some(struct run *r)
{
	unsigned total = 0;
	for (size_t i = 0; i < ARRAY_LEN(operations); i++)
		total += operations[i].weight;
	unsigned at = (unsigned)below(r, total);
	size_t i = 0;
	while (at >= operations[i].weight)
		at -= operations[i++].weight;
	r->name = operations[i].name;
	if (is_verbose())
		print_message("# %u %s%s at %" PRId64 "\n", r->number, r->name,
		    is_in_trouble(r) ? " (in trouble)" : "", r->now_ms);
	operations[i].run(r);
}

static void run_init(struct run *r)
{
	*r = (struct run){.now_ms = START_MS,
	    .newest_lo = INT64_MIN / 2,
	    .newest_hi = INT64_MIN / 2,
	    .keep_from_ms = INT64_MIN,
	    .retention_ms = 5 * HOUR_MS,
	    .window_ms = 30 * MINUTE_MS};
	test_random_init(&r->random);
	r->arena = arena_new(ARENA_NO_LIMIT);
	r->clock = clock_virtual_new(START_MS);
	r->root = test_tmpdir();
	r->dir = xasprintf("%s/data", r->root);
	r->model = sample_model_new();
	open_store(r);
	for (int i = 0; i < SLOTS; i++)
		new_slot(r, &r->slots[i]);
}

static void run_done(struct run *r)
{
	tsdb_close(r->db);
	power_cut_free(r->disk);
	sample_model_free(r->model);
	clock_virtual_free(r->clock);
	arena_free(r->arena);
	free(r->dir);
	test_tmpdir_done(r->root);
}

static void report(const struct run *r)
{
	for (int i = 0; i < APPEND_RESULTS; i++)
		if (r->tally[i])
			print_message(
			    "# %" PRIu64 " %s\n", r->tally[i], append_result_text((enum append_result)i));
	print_message("# %u series, %" PRIu64 " crashes, %" PRIu64 " troubles, %" PRIu64 " of them met\n",
	    r->n_series, r->crashes, r->troubles, r->hits);
}

static void any_order(void **state)
{
	(void)state;
	const char *given = getenv("TEST_OPERATIONS");
	unsigned n = given ? (unsigned)strtoul(given, NULL, 10) : OPERATIONS;
	setenv("TEST_SEED", "1", false);
	struct run *r = xmalloc(sizeof(*r));
	run_init(r);
	for (r->number = 0; r->number < n; r->number++)
		do_some(r);
	check_everything(r, r->db, "at the end");
	restart(r);
	report(r);
	run_done(r);
	free(r);
}

TEST_MAIN("tsdb operations", cmocka_unit_test(any_order))
