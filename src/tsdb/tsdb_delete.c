/* Deleting samples. The head knows no deletions: what it has of the series goes to parts first, and parts get tombstones
 * (tombstones.h). A part does not change while it is open, so one that got some is opened anew and takes the old one's
 * place in the set; a joining of parts that is under way sees that and begins anew.
 *
 * The head goes on knowing the newest sample of each series, for the order of what comes, and instant queries are answered
 * from it. Up to which time it may be a deleted one stands in data/deletions: 8 bytes "PQDELET\1", the time as u64, CRC-32C
 * (masked) of it as u32. */
#include "base/byte_reader.h"
#include "base/crc32c.h"
#include "base/xmalloc.h"
#include "tsdb/part_set.h"
#include "tsdb/tsdb_priv.h"
#include <stdlib.h>
#include <string.h>

struct deletion {
	struct tsdb *db;
	const struct matcher *const *matchers;
	size_t n_matchers;
	int64_t min_t_ms, max_t_ms;
};

#define NOTE_MAGIC "PQDELET\1"
enum { BATCH = 1024, MAGIC_BYTES = 8, TIME_BYTES = 8, CRC_BYTES = 4 };

/* --- the head ------------------------------------------------------------------------------------------------- */

static bool has_samples_before(struct series_stripe *s, int64_t t_ms)
{
	lock_take(&s->lock);
	bool has = s->min_t_ms <= t_ms;
	for (const struct frozen *f = s->frozen; f; f = f->older)
		has = has || f->part_seq == 0;
	lock_release(&s->lock);
	return has;
}

/* Stripes with series that match and samples that no part has. */
static void list_stripes(const struct deletion *d, bool wanted[HEAD_STRIPES])
{
	struct head *h = &d->db->head;
	struct postings matched = {0};
	struct postings_iter it;
	series_ref refs[BATCH];
	rwlock_read(&h->index_lock);
	head_index_select(&h->index, d->matchers, d->n_matchers, &matched);
	rwlock_release(&h->index_lock);
	postings_iter_init(&it, &matched);
	for (size_t n; (n = postings_iter_next(&it, refs, BATCH)) > 0;)
		for (size_t i = 0; i < n; i++)
			wanted[series_stripe_of(refs[i])] = true;
	postings_done(&matched);
	for (unsigned i = 0; i < HEAD_STRIPES; i++)
		wanted[i] = wanted[i] && has_samples_before(&h->stripes[i], d->max_t_ms);
}

/* --- up to when ------------------------------------------------------------------------------------------------ */

static void put_le(char *p, uint64_t x, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (char)(x >> (8 * i));
}

static char *note_path(const struct tsdb *db)
{
	return xasprintf("%s/deletions", db->dir.path);
}

static int write_note(struct tsdb *db, int64_t until_ms, struct err *err)
{
	char bytes[MAGIC_BYTES + TIME_BYTES + CRC_BYTES];
	memcpy(bytes, NOTE_MAGIC, MAGIC_BYTES);
	put_le(bytes + MAGIC_BYTES, (uint64_t)until_ms, TIME_BYTES);
	uint32_t crc = crc32c_mask(crc32c(0, bytes + MAGIC_BYTES, TIME_BYTES));
	put_le(bytes + MAGIC_BYTES + TIME_BYTES, crc, CRC_BYTES);
	char *path = note_path(db);
	int rc = fs_write_file(db->dir.fs, path, slice_of(bytes, sizeof(bytes)), err);
	free(path);
	return rc;
}

/* Readers and writers do not believe what the head remembers of sealed samples up to this time. */
static void set_deleted_until(struct tsdb *db, int64_t until_ms)
{
	atomic_store_explicit(&db->deleted_until_ms, until_ms, memory_order_relaxed);
	for (unsigned i = 0; i < HEAD_STRIPES; i++) {
		struct series_stripe *s = &db->head.stripes[i];
		lock_take(&s->lock);
		s->deleted_until_ms = until_ms;
		lock_release(&s->lock);
	}
}

/* Before the first sample goes: a note too much costs a look into parts, one too few shows deleted samples. */
static int note_deletion(struct tsdb *db, int64_t max_t_ms, struct err *err)
{
	int64_t newest = db->head.max_t_ms, until = max_t_ms < newest ? max_t_ms : newest;
	if (until <= db->deleted_until_ms)
		return 0;
	int rc = write_note(db, until, err);
	if (rc == 0)
		set_deleted_until(db, until);
	return rc;
}

static bool parse_note(struct slice text, int64_t *until_ms)
{
	struct byte_reader r;
	byte_reader_init(&r, text);
	bool ours = slice_eq(read_bytes(&r, MAGIC_BYTES), slice_of(NOTE_MAGIC, MAGIC_BYTES));
	const void *time = r.at;
	*until_ms = (int64_t)read_u64(&r);
	uint32_t crc = read_u32(&r);
	return ours && !r.failed && byte_reader_done(&r) && crc == crc32c_mask(crc32c(0, time, TIME_BYTES));
}

void tsdb_load_deletions(struct tsdb *db)
{
	char *path = note_path(db);
	struct strbuf text;
	struct err err;
	int64_t all = db->head.max_t_ms, until = all;
	strbuf_init(&text, 4096);
	int rc = fs_read_file(db->dir.fs, path, &text, &err);
	if (rc == 0 && !parse_note(strbuf_slice(&text), &until))
		until = all;
	if (rc != ERR_NOT_FOUND)
		set_deleted_until(db, until);
	strbuf_done(&text);
	free(path);
}

/* --- the parts ------------------------------------------------------------------------------------------------ */

static int open_anew(struct tsdb *db, struct part *old, struct err *err)
{
	const struct part_meta *m = part_meta(old);
	struct part *part;
	int rc = part_open(db->dir.fs, db->dir.parts, m->name, db->cache, &part, err);
	if (rc == 0)
		part_sets_change(&db->parts, part, &m->seq, 1, 0);
	return rc;
}

static int delete_from_part(const struct deletion *d, struct part *p, struct err *err)
{
	const struct part_meta *m = part_meta(p);
	struct postings matched = {0};
	bool changed = false;
	if (m->min_t_ms > d->max_t_ms || m->max_t_ms < d->min_t_ms)
		return 0;
	int rc = part_select(p, d->matchers, d->n_matchers, &matched, err);
	if (rc == 0)
		rc = part_delete(p, &matched, d->min_t_ms, d->max_t_ms, &changed, err);
	postings_done(&matched);
	return rc == 0 && changed ? open_anew(d->db, p, err) : rc;
}

static int delete_from_parts(const struct deletion *d, struct err *err)
{
	struct part_set *set = part_sets_get(&d->db->parts);
	int rc = 0;
	for (size_t i = 0; i < set->n && rc == 0; i++)
		rc = delete_from_part(d, set->v[i], err);
	part_sets_put(&d->db->parts, set);
	return rc;
}

int tsdb_delete(struct tsdb *db, const struct matcher *const *matchers, size_t n_matchers, int64_t min_t_ms,
    int64_t max_t_ms, struct err *err)
{
	struct deletion d = {db, matchers, n_matchers, min_t_ms, max_t_ms};
	bool wanted[HEAD_STRIPES] = {false};
	if (min_t_ms > max_t_ms)
		return 0;
	lock_take(&db->maintenance);
	list_stripes(&d, wanted);
	int rc = tsdb_seal_stripes(db, wanted, err);
	if (rc == 0)
		rc = note_deletion(db, max_t_ms, err);
	if (rc == 0)
		rc = delete_from_parts(&d, err);
	lock_release(&db->maintenance);
	return rc;
}
