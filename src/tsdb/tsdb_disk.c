/* A disk that fills up. In time, which is when the log is longer than what room there is, everything is sealed: parts are
 * much shorter than the log they make superfluous. When less room is left than the log's next segment takes, no samples are
 * taken any more, before anything fails; sealing, retention and deleting go on. With twice of that, and the reserve made
 * again, samples are taken again. */
#include "tsdb/tsdb_priv.h"

#include "base/counters.h"
#include "base/strbuf.h"
#include "tsdb/wal_commit.h"
#include <inttypes.h>

void tsdb_notice(struct tsdb *db, bool is_bad, const char *fmt, ...)
{
	if (!db->options.notice)
		return;
	struct strbuf text = STRBUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	strbuf_addv(&text, fmt, ap);
	va_end(ap);
	db->options.notice(db->options.notice_arg, is_bad, strbuf_cstr(&text));
	strbuf_done(&text);
}

bool tsdb_is_pressed_by_disk(struct tsdb *db)
{
	struct wal_stats wal;
	wal_stats(db->wal, &wal);
	uint64_t reserve = db->room.is_held ? db->room.reserve_bytes : 0;
	if (wal.segments < 2)
		return false;
	return wal.disk_full || disk_room_is_low(&db->room) ||
	       (db->room.free_bytes < UINT64_MAX && wal.bytes > db->room.free_bytes + reserve);
}

static void stop_taking(struct tsdb *db)
{
	struct strbuf why = STRBUF_INIT;
	strbuf_addf(&why,
	    "the disk is full, no samples are taken until there is room: %" PRIu64
	    " MiB are free in %s, and the log needs %" PRIu64,
	    db->room.free_bytes >> 20, db->dir.path, 2 * db->room.low_bytes >> 20);
	wal_hold(db->wal, strbuf_cstr(&why));
	atomic_store_explicit(&db->disk_full, true, memory_order_relaxed);
	tsdb_notice(db, true, "%s", strbuf_cstr(&why));
	strbuf_done(&why);
}

static void go_on(struct tsdb *db)
{
	wal_hold(db->wal, NULL);
	atomic_store_explicit(&db->disk_full, false, memory_order_relaxed);
	tsdb_notice(db, false, "there is room on the disk again, samples are taken");
}

void tsdb_watch_disk(struct tsdb *db)
{
	struct wal_stats wal;
	struct disk_room *room = &db->room;
	disk_room_look(room);
	disk_room_refill(room);
	wal_stats(db->wal, &wal);
	bool has_reserve = room->is_held || room->reserve_bytes == 0;
	if (!db->disk_full && (wal.disk_full || disk_room_is_low(room)))
		stop_taking(db);
	else if (db->disk_full && !wal.disk_full && has_reserve && disk_room_is_ample(room))
		go_on(db);
	if (wal.disk_full)
		wal_retry(db->wal);
	atomic_store_explicit(&db->disk_free_bytes, room->free_bytes, memory_order_relaxed);
	gauge_set(M_TSDB_DISK_FULL, db->disk_full);
	gauge_set(M_TSDB_DISK_FREE, room->free_bytes == UINT64_MAX ? 0 : (double)room->free_bytes);
	gauge_set(M_TSDB_RESERVE, room->is_held ? (double)room->reserve_bytes : 0);
}
