/* Deleting samples. The head knows no deletions: what it has of the series goes to parts first, and parts get tombstones
 * (tombstones.h). A part does not change while it is open, so one that got some is opened anew and takes the old one's
 * place in the set; a joining of parts that is under way sees that and begins anew.
 *
 * The head goes on knowing the newest sample of each series, for the order of what comes, and instant queries are answered
 * from it: up to which time it may be a deleted one stands in data/deletions (deletions.h), and what was deleted for the case
 * that the log is read again. */
#include "base/xmalloc.h"
#include "tsdb/part_set.h"
#include "tsdb/tsdb_priv.h"
#include <stdlib.h>

enum { BATCH = 1024 };

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
static void list_stripes(struct head *h, const struct deletion *d, bool wanted[HEAD_STRIPES])
{
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

static char *note_path(const struct tsdb *db)
{
	return xasprintf("%s/deletions", db->dir.path);
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
static int note_deletion(struct tsdb *db, const struct deletion *d, struct err *err)
{
	struct deletions *all = &db->deletions;
	int64_t newest = db->head.max_t_ms, until = d->max_t_ms < newest ? d->max_t_ms : newest;
	deletions_forget(all, wal_cut_record(db->wal));
	int rc = deletions_add(all, d, err);
	if (rc != 0)
		return rc;
	all->until_ms = until > all->until_ms ? until : all->until_ms;
	char *path = note_path(db);
	rc = deletions_write(db->dir.fs, path, all, err);
	free(path);
	if (rc == 0 && all->until_ms > db->deleted_until_ms)
		set_deleted_until(db, all->until_ms);
	return rc;
}

/* Of a damaged note all is believed: the newest samples that are known now are sealed ones, and may be deleted. */
int tsdb_load_deletions(struct tsdb *db, struct err *err)
{
	char *path = note_path(db);
	int rc = deletions_read(db->dir.fs, path, &db->deletions, err);
	free(path);
	if (rc == ERR_NOT_FOUND)
		return 0;
	if (rc == ERR_CORRUPT || rc == ERR_LIMIT) {
		tsdb_note(db, "%s", err->msg);
		db->deletions.until_ms = db->head.max_t_ms;
	} else if (rc != 0) {
		return rc;
	}
	set_deleted_until(db, db->deletions.until_ms);
	return 0;
}

/* --- the parts ------------------------------------------------------------------------------------------------ */

static int open_anew(struct tsdb *db, struct part *old, struct err *err)
{
	const struct part_meta *m = part_meta(old);
	struct part *part;
	int rc = part_open(db->dir.fs, db->dir.parts, m->name, db->cache, &part, err);
	if (rc == 0)
		part_sets_change(&db->parts,
		    &(struct part_set_change){.add = &part, .n_add = 1, .remove = &m->seq, .n_remove = 1});
	return rc;
}

static int delete_from_part(struct tsdb *db, const struct deletion *d, struct part *p, struct err *err)
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
	return rc == 0 && changed ? open_anew(db, p, err) : rc;
}

/* Past parts that cannot be read. */
static int delete_from_parts(struct tsdb *db, const struct deletion *d, struct err *err)
{
	struct part_set *set = part_sets_get(&db->parts);
	int rc = 0;
	for (size_t i = 0; i < set->n; i++) {
		int part_rc = delete_from_part(db, d, set->v[i], rc == 0 ? err : NULL);
		rc = rc == 0 ? part_rc : rc;
	}
	part_sets_put(&db->parts, set);
	return rc;
}

int tsdb_delete(struct tsdb *db, const struct matcher *const *matchers, size_t n_matchers, int64_t min_t_ms,
    int64_t max_t_ms, struct err *err)
{
	struct deletion d = {
	    .min_t_ms = min_t_ms, .max_t_ms = max_t_ms, .matchers = matchers, .n_matchers = n_matchers};
	bool wanted[HEAD_STRIPES] = {false};
	if (min_t_ms > max_t_ms)
		return 0;
	lock_take(&db->maintenance);
	/* What comes while it is sealed comes later, should anybody ask the log. */
	d.record = wal_last_record(db->wal);
	list_stripes(&db->head, &d, wanted);
	int rc = tsdb_seal_stripes(db, wanted, err);
	if (rc == 0)
		rc = note_deletion(db, &d, err);
	if (rc == 0)
		rc = delete_from_parts(db, &d, err);
	lock_release(&db->maintenance);
	return rc;
}
