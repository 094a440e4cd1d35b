/* The file: a header of 32 bytes ("promqser", version, checksum, record, next ref, stripe), then frames as in the log, whose
 * place is (stripe, offset). */
#include "tsdb/series_snapshot.h"

#include "base/crc32c.h"
#include "base/xmalloc.h"
#include "tsdb/wal_frames.h"
#include <inttypes.h>
#include <string.h>

enum {
	HEADER_BYTES = 32,
	VERSION = 1,
	AT_VERSION = 8,
	AT_CHECK = 12,
	AT_RECORD = 16,
	AT_NEXT_REF = 24,
	AT_STRIPE = 28,
	FRAME_BYTES = 64 << 10, /* about: a frame ends when it is this long */
};
static const char magic[8] = {'p', 'r', 'o', 'm', 'q', 's', 'e', 'r'};

static void put_le(uint8_t *p, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t get_le(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;
	for (unsigned i = bytes; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

/* --- writing ------------------------------------------------------------------------------------------------- */

struct snapshot {
	struct strbuf out;
	unsigned stripe;
	uint64_t frames;
};

static void add_frame(struct snapshot *s, enum snapshot_frame type, struct slice payload)
{
	if (payload.len == 0)
		return;
	struct wal_frame f = {.len = (uint32_t)payload.len,
	    .number = ++s->frames,
	    .type = (uint8_t)type,
	    .version = WAL_RECORD_VERSION,
	    .stripe = (uint16_t)s->stripe};
	f.check = wal_frame_check(&f, crc32c(0, payload.ptr, payload.len), s->stripe, s->out.len);
	uint8_t head[WAL_FRAME_BYTES];
	wal_frame_encode(&f, head);
	strbuf_add(&s->out, head, sizeof(head));
	strbuf_add_slice(&s->out, payload);
}

static uint32_t handle_of(struct head *h, series_ref ref)
{
	const struct head_block *b = head_columns_block(&h->columns, ref);
	return b ? b->series[series_in_block(ref)].labels : 0;
}

static void add_series(struct head *h, const struct stripe_seal *seal, struct snapshot *s)
{
	struct label *l = xreallocarray(NULL, SERIES_MAX_LABELS, sizeof(*l));
	struct strbuf payload = STRBUF_INIT;
	struct wal_series_writer w = {0};
	wal_series_begin(&w, &payload);
	for (uint32_t i = 0; i < seal->n; i++) {
		series_ref ref = stripe_seal_ref(seal, i);
		uint32_t handle = seal->flags[i] & SERIES_DYING ? 0 : handle_of(h, ref);
		if (!handle)
			continue;
		wal_series_add(&w, ref, l, series_labels_text(&h->index.labels, handle, l));
		if (payload.len < FRAME_BYTES)
			continue;
		add_frame(s, SNAPSHOT_SERIES, strbuf_slice(&payload));
		strbuf_reset(&payload);
		wal_series_begin(&w, &payload);
	}
	add_frame(s, SNAPSHOT_SERIES, strbuf_slice(&payload));
	wal_series_done(&w);
	strbuf_done(&payload);
	free(l);
}

static void add_last(struct head *h, const struct stripe_seal *seal, struct snapshot *s, bool histograms)
{
	enum snapshot_frame type = histograms ? SNAPSHOT_LAST_HISTOGRAM : SNAPSHOT_LAST;
	uint8_t *bytes = xmalloc(FRAME_BYTES + WAL_SAMPLE_MAX_BYTES);
	struct wal_samples_writer w;
	wal_samples_begin(&w, bytes);
	for (uint32_t i = 0; i < seal->n; i++) {
		series_ref ref = stripe_seal_ref(seal, i);
		bool is_histogram = seal->flags[i] & SERIES_LAST_IS_HISTOGRAM;
		if (seal->last[i].t_ms == INT64_MIN || is_histogram != histograms || !handle_of(h, ref))
			continue;
		wal_samples_add(&w, ref, seal->last[i].t_ms, seal->last[i].v);
		if (w.len < FRAME_BYTES)
			continue;
		add_frame(s, type, slice_of((char *)bytes, w.len));
		wal_samples_begin(&w, bytes);
	}
	add_frame(s, type, slice_of((char *)bytes, w.len));
	free(bytes);
}

static void put_header(uint8_t header[HEADER_BYTES], const struct stripe_seal *seal, series_ref next_ref)
{
	memcpy(header, magic, sizeof(magic));
	put_le(header + AT_VERSION, VERSION, 4);
	put_le(header + AT_RECORD, seal->record, 8);
	put_le(header + AT_NEXT_REF, next_ref, 4);
	put_le(header + AT_STRIPE, seal->stripe, 4);
	uint32_t crc = crc32c(crc32c(0, header, AT_CHECK), header + AT_RECORD, HEADER_BYTES - AT_RECORD);
	put_le(header + AT_CHECK, crc32c_mask(crc), 4);
}

char *series_snapshot_path(const char *dir, unsigned stripe)
{
	return xasprintf("%s/stripe-%03u", dir, stripe);
}

int series_snapshot_write(
    struct head *h, const struct stripe_seal *seal, struct fs *fs, const char *dir, struct err *err)
{
	/* Whoever was making a series when the stripe was frozen has finished: its record may count as replayed. */
	rwlock_read(&h->index_lock);
	series_ref next_ref = h->next_ref;
	rwlock_release(&h->index_lock);
	struct snapshot s = {.stripe = seal->stripe};
	strbuf_init(&s.out, STRBUF_NO_LIMIT);
	uint8_t header[HEADER_BYTES];
	put_header(header, seal, next_ref);
	strbuf_add(&s.out, header, sizeof(header));
	add_series(h, seal, &s);
	add_last(h, seal, &s, false);
	add_last(h, seal, &s, true);
	char *path = series_snapshot_path(dir, seal->stripe);
	int rc = strbuf_overflowed(&s.out)
		     ? err_set(err, ERR_NO_MEMORY, "%s: no memory for the snapshot", path)
		     : fs_write_file(fs, path, strbuf_slice(&s.out), err);
	free(path);
	strbuf_done(&s.out);
	return rc;
}

/* --- reading ------------------------------------------------------------------------------------------------- */

static int restore_series(struct head *h, struct slice payload)
{
	struct wal_series_reader r = {0};
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	wal_series_open(&r, payload);
	series_ref ref;
	int rc;
	while ((rc = wal_series_next(&r, &ref)) == 0) {
		head_restore_series(h, ref, labels_from_sorted(arena, r.l, r.n));
		arena_reset(arena);
	}
	wal_series_close(&r);
	arena_free(arena);
	return rc == 1 ? 0 : rc;
}

static int restore_last(struct head *h, unsigned stripe, struct slice payload, bool histograms)
{
	struct wal_samples_reader r;
	struct sample s;
	int rc;
	wal_samples_open(&r, payload);
	while ((rc = wal_samples_next(&r, &s)) == 0) {
		struct head_block *b = head_columns_block(&h->columns, s.ref);
		unsigned i = series_in_block(s.ref);
		if (!b || series_stripe_of(s.ref) != stripe || b->series[i].labels == 0)
			continue;
		b->last[i] = (struct last_sample){s.t_ms, s.v};
		if (histograms) {
			b->series[i].flags |= SERIES_LAST_IS_HISTOGRAM;
			b->has_histograms = true;
		}
		head_note_times(h, s.t_ms, s.t_ms);
	}
	return rc == 1 ? 0 : rc;
}

static int check_header(const uint8_t *p, size_t n, unsigned stripe, struct err *err)
{
	if (n < HEADER_BYTES || memcmp(p, magic, sizeof(magic)) != 0)
		return err_set(err, ERR_CORRUPT, "this is no series snapshot");
	uint32_t crc = crc32c(crc32c(0, p, AT_CHECK), p + AT_RECORD, HEADER_BYTES - AT_RECORD);
	if (get_le(p + AT_CHECK, 4) != crc32c_mask(crc) || get_le(p + AT_STRIPE, 4) != stripe)
		return err_set(err, ERR_CORRUPT, "the header of the series snapshot is damaged");
	if (get_le(p + AT_VERSION, 4) > VERSION)
		return err_set(err, ERR_UNSUPPORTED,
		    "series snapshot format %" PRIu64 " is newer than this program",
		    get_le(p + AT_VERSION, 4));
	return 0;
}

int series_snapshot_walk(struct slice content, unsigned stripe, struct wal_frames *frames, struct err *err)
{
	int rc = check_header((const uint8_t *)content.ptr, content.len, stripe, err);
	if (rc == 0)
		wal_frames_open(frames, content, HEADER_BYTES, stripe);
	return rc;
}

static int restore_frame(struct head *h, unsigned stripe, const struct wal_frame *f, struct slice payload)
{
	if (f->type == SNAPSHOT_SERIES)
		return restore_series(h, payload);
	if (f->type == SNAPSHOT_LAST || f->type == SNAPSHOT_LAST_HISTOGRAM)
		return restore_last(h, stripe, payload, f->type == SNAPSHOT_LAST_HISTOGRAM);
	return 0;
}

/* All good frames, also behind damage; *bad_at is where the first damage is, 0: nowhere. */
static void restore_frames(struct head *h, unsigned stripe, struct wal_frames *frames, size_t *bad_at)
{
	struct wal_frame f;
	struct slice payload;
	uint64_t last = 0;
	for (;;) {
		int rc = wal_frames_next(frames, &f, &payload);
		if (rc == 1)
			return;
		if (rc == 0) {
			last = f.number;
			rc = restore_frame(h, stripe, &f, payload);
		} else if (!wal_frames_resync(frames, last)) {
			*bad_at = *bad_at ? *bad_at : frames->offset;
			return;
		}
		if (rc != 0 && *bad_at == 0)
			*bad_at = frames->offset;
	}
}

int series_snapshot_parse(struct head *h, unsigned stripe, struct slice content, struct err *err)
{
	const uint8_t *p = (const uint8_t *)content.ptr;
	struct wal_frames frames;
	size_t bad_at = 0;
	int rc = series_snapshot_walk(content, stripe, &frames, err);
	if (rc == ERR_CORRUPT && content.len >= HEADER_BYTES) {
		/* What the header says is not known: the log is read from its beginning. */
		wal_frames_open(&frames, content, HEADER_BYTES, stripe);
		restore_frames(h, stripe, &frames, &bad_at);
	}
	if (rc != 0)
		return rc;
	h->stripes[stripe].replay_record = get_le(p + AT_RECORD, 8);
	series_ref next_ref = (series_ref)get_le(p + AT_NEXT_REF, 4);
	rwlock_write(&h->index_lock);
	if (next_ref > h->next_ref)
		h->next_ref = next_ref;
	rwlock_release(&h->index_lock);
	restore_frames(h, stripe, &frames, &bad_at);
	return bad_at == 0 ? 0
			   : err_set(err, ERR_CORRUPT, "the series snapshot is damaged at byte %zu", bad_at);
}

int series_snapshot_load(struct head *h, unsigned stripe, struct fs *fs, const char *dir, struct err *err)
{
	struct strbuf content = STRBUF_INIT;
	char *path = series_snapshot_path(dir, stripe);
	int rc = fs_read_file(fs, path, &content, err);
	if (rc == 0) {
		rc = series_snapshot_parse(h, stripe, strbuf_slice(&content), err);
		if (rc != 0)
			err_prefix(err, "%s: ", path);
	} else if (rc == ERR_NOT_FOUND) {
		rc = 0;
	}
	free(path);
	strbuf_done(&content);
	return rc;
}
