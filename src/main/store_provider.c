#include "main/store_provider.h"

static struct web_store_list copy_list(struct arena *arena, const struct tsdb_top *v, size_t n)
{
	struct web_store_list list = {.v = ARENA_ARRAY(arena, struct web_store_top, n), .n = n};
	for (size_t i = 0; i < n; i++)
		list.v[i] = (struct web_store_top){v[i].name, v[i].count};
	return list;
}

static void get_status(void *arg, size_t top, struct arena *arena, struct web_store_status *out)
{
	struct tsdb *db = arg;
	struct tsdb_status status;
	tsdb_status(db, &status);
	*out = (struct web_store_status){
	    .series = status.head_series,
	    .label_pairs = status.head_label_pairs,
	    .chunks = status.head_chunks,
	    .min_t_ms = status.head_min_t_ms,
	    .max_t_ms = status.head_max_t_ms,
	    .corruptions = status.wal_damaged,
	};
	if (!top)
		return;
	struct tsdb_cardinality c;
	tsdb_cardinality(db, top, arena, &c);
	out->series_by_metric = copy_list(arena, c.series_by_metric, c.n_series_by_metric);
	out->values_by_label = copy_list(arena, c.values_by_label, c.n_values_by_label);
	out->bytes_by_label = copy_list(arena, c.bytes_by_label, c.n_bytes_by_label);
	out->series_by_pair = copy_list(arena, c.series_by_pair, c.n_series_by_pair);
}

static void get_state(void *arg, struct web_store_state *out)
{
	struct tsdb_replay_state s;
	tsdb_replay_state(arg, &s);
	*out = (struct web_store_state){.replay_min = s.first_segment,
	    .replay_max = s.last_segment,
	    .replay_current = s.segment,
	    .replay_percent = s.percent,
	    .replay = s.phase == TSDB_REPLAY_DONE      ? WEB_REPLAY_DONE
		      : s.phase == TSDB_REPLAY_RUNNING ? WEB_REPLAY_RUNNING
						       : WEB_REPLAY_WAITING};
	if (s.phase == TSDB_REPLAY_DONE)
		tsdb_trouble(arg, out->trouble, sizeof(out->trouble));
}

static void get_metadata(void *arg, struct slice metric, size_t limit, struct arena *arena,
    void (*each)(void *each_arg, struct slice metric, const struct metadata *m), void *each_arg)
{
	tsdb_metadata(arg, metric, limit, arena, each, each_arg);
}

static int seal(void *arg, struct err *err)
{
	return tsdb_seal_all(arg, err);
}

static int compact(void *arg, struct err *err)
{
	return tsdb_compact(arg, err);
}

static int delete_series(void *arg, const struct matcher *const *matchers, size_t n, int64_t min_t_ms,
    int64_t max_t_ms, struct err *err)
{
	return tsdb_delete(arg, matchers, n, min_t_ms, max_t_ms, err);
}

static int clean_tombstones(void *arg, struct err *err)
{
	return tsdb_clean_tombstones(arg, err);
}

static int snapshot(void *arg, bool with_head, struct arena *arena, struct slice *name, struct err *err)
{
	char text[TSDB_SNAPSHOT_NAME_MAX];
	int rc = tsdb_snapshot(arg, with_head, text, err);
	if (rc == 0)
		*name = arena_slice(arena, slice_cstr(text));
	return rc;
}

struct web_store_provider store_provider(struct tsdb *db)
{
	return (struct web_store_provider){
	    .state = get_state,
	    .status = get_status,
	    .metadata = get_metadata,
	    .seal = seal,
	    .compact = compact,
	    .delete_series = delete_series,
	    .clean_tombstones = clean_tombstones,
	    .snapshot = snapshot,
	    .arg = db,
	};
}
