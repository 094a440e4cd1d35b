#include "tsdb/tsdb.h"

#include "base/xmalloc.h"
#include "tsdb/compact.h"
#include "tsdb/head_exemplar.h"
#include "tsdb/part_orphans.h"
#include "tsdb/tsdb_priv.h"
#include "tsdb/tsdb_querier.h"
#include <string.h>

enum {
	DEFAULT_SEGMENT_BYTES = 64 << 20,
	MIN_SEGMENT_BYTES = 4096,
	DEFAULT_SEAL_INTERVAL_MS = 32 * 60 * 1000,
	DEFAULT_FUTURE_LIMIT_MS = 10 * 60 * 1000,
	DEFAULT_HEAD_MEMORY_BYTES = 1 << 30,
	DEFAULT_PAGE_CACHE_BYTES = 64 << 20,
	DEFAULT_OUT_OF_ORDER_MS = 30 * 60 * 1000,
	DEFAULT_OUT_OF_ORDER_BYTES = 256 << 20,
	ORDINAL_REFS_BYTES = 64 << 20, /* what the head calls 16 million series of parts */
	DEFAULT_EXEMPLARS = 100000,
};

/* --- notes ----------------------------------------------------------------------------------------------------- */

void tsdb_note_text(void *db, const char *text)
{
	tsdb_notes_push(&((struct tsdb *)db)->notes, xstrdup(text));
}

void tsdb_note(struct tsdb *db, const char *fmt, ...)
{
	struct strbuf text = STRBUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	strbuf_addv(&text, fmt, ap);
	va_end(ap);
	tsdb_note_text(db, strbuf_cstr(&text));
	strbuf_done(&text);
}

void tsdb_start_notes(struct tsdb *db, void (*each)(void *arg, const char *note), void *arg)
{
	VEC_EACH (char *, note, &db->notes)
		each(arg, *note);
}

/* --- opening --------------------------------------------------------------------------------------------------- */

static struct tsdb_options with_defaults(const struct tsdb_options *given)
{
	struct tsdb_options o = *given;
	o.fs = o.fs ? o.fs : fs_real();
	o.clock = o.clock ? o.clock : clock_real();
	o.wal_segment_bytes = o.wal_segment_bytes ? o.wal_segment_bytes : DEFAULT_SEGMENT_BYTES;
	if (o.wal_segment_bytes < MIN_SEGMENT_BYTES)
		o.wal_segment_bytes = MIN_SEGMENT_BYTES;
	o.seal_interval_ms = o.seal_interval_ms ? o.seal_interval_ms : DEFAULT_SEAL_INTERVAL_MS;
	o.future_limit_ms = o.future_limit_ms ? o.future_limit_ms : DEFAULT_FUTURE_LIMIT_MS;
	o.out_of_order_ms = o.out_of_order_ms ? o.out_of_order_ms : DEFAULT_OUT_OF_ORDER_MS;
	o.out_of_order_bytes = o.out_of_order_bytes ? o.out_of_order_bytes : DEFAULT_OUT_OF_ORDER_BYTES;
	o.max_exemplars = o.max_exemplars ? o.max_exemplars : DEFAULT_EXEMPLARS;
	o.head_memory_bytes = o.head_memory_bytes ? o.head_memory_bytes : DEFAULT_HEAD_MEMORY_BYTES;
	o.page_cache_bytes = o.page_cache_bytes ? o.page_cache_bytes : DEFAULT_PAGE_CACHE_BYTES;
	return o;
}

/* A missing manifest beside parts is a lost one: the first start makes it before any part. */
static int settle_orphans(struct tsdb *db, enum manifest_state state, struct err *err)
{
	struct part_orphans orphans = {.fs = db->dir.fs,
	    .parts_dir = db->dir.parts,
	    .manifest = db->manifest,
	    .cache = db->cache,
	    .salvage = state != MANIFEST_WHOLE,
	    .note = tsdb_note_text,
	    .arg = db};
	return part_orphans_settle(&orphans, err);
}

/* A part that cannot be read is left where it is, for repair, and not served. */
static void open_parts(struct tsdb *db)
{
	size_t n;
	const struct manifest_part *parts = manifest_parts(db->manifest, &n);
	for (size_t i = 0; i < n; i++) {
		char name[PART_NAME_MAX];
		struct part *part;
		struct err err;
		part_name(parts[i].seq, name);
		if (part_open(db->dir.fs, db->dir.parts, name, db->cache, &part, &err) == 0)
			part_sets_change(&db->parts,
			    &(struct part_set_change){.add = &part, .n_add = 1, .sealed_seq = parts[i].seq});
		else
			tsdb_note(db, "part %s cannot be read and is not served: %s", name, err.msg);
	}
}

static int open_manifest(struct tsdb *db, enum manifest_state *state, struct err *err)
{
	int rc = db->options.read_only ? manifest_read(db->dir.fs, db->dir.path, &db->manifest, state, err)
				       : manifest_open(db->dir.fs, db->dir.path, &db->manifest, state, err);
	if (rc == 0 && *state == MANIFEST_DAMAGED)
		tsdb_note(
		    db, "%s/manifest was torn or damaged: parts may be missing from its list", db->dir.path);
	return rc;
}

static void init_room(struct tsdb *db)
{
	struct tsdb_options *o = &db->options;
	o->wal_segment_bytes = disk_room_segment_bytes(db->dir.fs, db->dir.path, o->wal_segment_bytes);
	disk_room_init(&db->room, db->dir.fs, db->dir.path, o->disk_reserve_bytes, o->wal_segment_bytes);
}

static int open_files(struct tsdb *db, struct err *err)
{
	bool read_only = db->options.read_only;
	int rc = read_only ? data_dir_open_existing(db->options.fs, db->options.path, &db->dir, err)
			   : data_dir_open(db->options.fs, db->options.path, &db->dir, err);
	if (rc != 0)
		return rc;
	if (!read_only)
		init_room(db);
	enum manifest_state state;
	rc = open_manifest(db, &state, err);
	if (rc == 0 && !read_only)
		rc = settle_orphans(db, state, err);
	if (rc != 0)
		return rc;
	open_parts(db);
	return 0;
}

void tsdb_set_out_of_order(struct tsdb *db, int64_t window_ms)
{
	atomic_store(&db->head.late_window_ms, window_ms > 0 ? window_ms : 0);
}

static size_t exemplars_wanted(int64_t max)
{
	return max > 0 ? (size_t)max : 0;
}

void tsdb_set_max_exemplars(struct tsdb *db, int64_t max)
{
	exemplar_ring_resize(&db->head.exemplars, exemplars_wanted(max));
	head_set_exemplar_gauges(&db->head);
}

static int select_exemplars(struct exemplar_queryable *self, struct arena *arena,
    const struct matcher_list *any, size_t n_any, int64_t min_t_ms, int64_t max_t_ms,
    const struct exemplar_series **out, size_t *n, struct err *err)
{
	struct tsdb *db = CONTAINER_OF(self, struct tsdb, exemplars);
	return exemplar_ring_select(&db->head.exemplars, arena, any, n_any, min_t_ms, max_t_ms, out, n, err);
}

static struct tsdb *tsdb_new(const struct tsdb_options *given)
{
	struct tsdb *db = xcalloc(1, sizeof(*db));
	db->options = with_defaults(given);
	db->options.path = xstrdup(given->path);
	db->dir.lock_fd = -1;
	db->queryable.open = tsdb_querier_open;
	db->exemplars.select = select_exemplars;
	db->cache = page_cache_new(db->options.page_cache_bytes);
	db->ordinals = ordinal_refs_new(ORDINAL_REFS_BYTES);
	part_sets_init(&db->parts);
	db->deleted_until_ms = INT64_MIN;
	deletions_init(&db->deletions);
	lock_init(&db->maintenance, LOCK_TSDB_MAINTENANCE, "maintenance");
	lock_init(&db->compaction, LOCK_TSDB_COMPACTION, "compaction");
	head_init(&db->head, &(struct head_options){.clock = db->options.clock,
				 .future_limit_ms = db->options.future_limit_ms,
				 .late_max_bytes = db->options.out_of_order_bytes,
				 .max_exemplars = exemplars_wanted(db->options.max_exemplars),
				 .max_series = db->options.max_series});
	db->head.retention_ms = db->options.retention_ms;
	tsdb_init_replay(db);
	tsdb_set_out_of_order(db, db->options.out_of_order_ms);
	return db;
}

/* *no_room: it failed because the disk is full, and there was a reserve to give up. */
static int open_once(const struct tsdb_options *o, struct tsdb **out, bool *no_room, struct err *err)
{
	struct tsdb *db = tsdb_new(o);
	struct err why;
	int rc = open_files(db, &why);
	if (rc == 0 && !o->replay_later)
		rc = tsdb_replay(db, &why);
	if (rc != 0) {
		*no_room = err_is_disk_full(&why) && disk_room_release(&db->room);
		tsdb_close(db);
		return err_copy(err, &why);
	}
	*out = db;
	return 0;
}

int tsdb_open(const struct tsdb_options *o, struct tsdb **out, struct err *err)
{
	bool no_room = false;
	int rc = open_once(o, out, &no_room, err);
	return no_room ? open_once(o, out, &no_room, err) : rc;
}

void tsdb_close(struct tsdb *db)
{
	if (!db)
		return;
	compact_stop_timer(db);
	tsdb_stop_timer(db);
	wal_close(db->wal);
	head_done(&db->head);
	tsdb_done_replay(db);
	part_sets_done(&db->parts);
	page_cache_free(db->cache);
	ordinal_refs_free(db->ordinals);
	disk_room_done(&db->room);
	if (db->manifest)
		manifest_close(db->manifest);
	if (db->dir.path)
		data_dir_close(&db->dir);
	VEC_EACH (char *, note, &db->notes)
		free(*note);
	tsdb_notes_done(&db->notes);
	lock_done(&db->maintenance);
	lock_done(&db->compaction);
	seq_vec_done(&db->damaged_parts);
	deletions_done(&db->deletions);
	free((char *)(uintptr_t)db->options.path);
	free(db);
}

/* --- doors ----------------------------------------------------------------------------------------------------- */

struct appendable *tsdb_appendable(struct tsdb *db)
{
	return &db->head.appendable;
}

struct queryable *tsdb_queryable(struct tsdb *db)
{
	return &db->queryable;
}

struct exemplar_queryable *tsdb_exemplars(struct tsdb *db)
{
	return &db->exemplars;
}

int tsdb_sync(struct tsdb *db, struct err *err)
{
	return wal_sync_now(db->wal, err);
}
