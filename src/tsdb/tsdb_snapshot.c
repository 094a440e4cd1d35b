/* Snapshots: a store of its own below snapshots/, made of hard links to the files of the parts, which never change. It takes
 * no room until parts are dropped here, and can be copied away, or served by another process. */
#include "base/xmalloc.h"
#include "model/time_zone.h"
#include "tsdb/part_set.h"
#include "tsdb/tsdb_priv.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* "20171210T211224Z-2be650b6d019eb54" */
static int make_name(struct tsdb *db, char name[TSDB_SNAPSHOT_NAME_MAX], struct err *err)
{
	uint64_t random;
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_set_errno(err, "no random bytes for the name of a snapshot");
	struct civil_time t = time_zone_civil(NULL, clock_now_ms(db->options.clock) / 1000);
	snprintf(name, TSDB_SNAPSHOT_NAME_MAX, "%04d%02d%02dT%02d%02d%02dZ-%016" PRIx64, t.year, t.month,
	    t.day, t.hour, t.minute, t.second, random);
	return 0;
}

/* --- links ---------------------------------------------------------------------------------------------------- */

struct linking {
	struct fs *fs;
	const char *from, *to; /* folders */
	struct err *err;
};

static int link_file(void *arg, const char *name, bool is_dir)
{
	struct linking *l = arg;
	if (is_dir)
		return 0;
	char *from = xasprintf("%s/%s", l->from, name), *to = xasprintf("%s/%s", l->to, name);
	int rc = fs_link(l->fs, from, to, l->err);
	free(from);
	free(to);
	return rc;
}

static int link_part(struct tsdb *db, const char *parts_dir, const struct part_meta *m, struct err *err)
{
	char *from = xasprintf("%s/%s", db->dir.parts, m->name), *to = xasprintf("%s/%s", parts_dir, m->name);
	struct linking l = {db->dir.fs, from, to, err};
	int rc = fs_mkdir(l.fs, to, err);
	if (rc == 0)
		rc = fs_list(l.fs, from, link_file, &l, err);
	if (rc == 0)
		rc = fs_sync_dir(l.fs, to, err);
	free(from);
	free(to);
	return rc;
}

static int link_parts(struct tsdb *db, const char *dir, const struct part_set *set, struct err *err)
{
	char *parts_dir = xasprintf("%s/parts", dir);
	int rc = fs_mkdir(db->dir.fs, parts_dir, err);
	for (size_t i = 0; i < set->n && rc == 0; i++)
		rc = link_part(db, parts_dir, part_meta(set->v[i]), err);
	if (rc == 0)
		rc = fs_sync_dir(db->dir.fs, parts_dir, err);
	free(parts_dir);
	return rc;
}

/* --- the list ------------------------------------------------------------------------------------------------- */

static int write_manifest(struct tsdb *db, const char *dir, const struct part_set *set, struct err *err)
{
	struct manifest *m;
	enum manifest_state state;
	int rc = manifest_open(db->dir.fs, dir, &m, &state, err);
	if (rc != 0)
		return rc;
	struct manifest_part *parts = xcalloc(set->n + 1, sizeof(*parts));
	for (size_t i = 0; i < set->n; i++) {
		const struct part_meta *p = part_meta(set->v[i]);
		parts[i] = (struct manifest_part){p->seq, p->level, p->min_t_ms, p->max_t_ms};
	}
	rc = manifest_commit(m, &(struct manifest_change){.add = parts, .n_add = set->n}, err);
	free(parts);
	manifest_close(m);
	return rc;
}

/* Under a temporary name until it is whole. */
static int fill(struct tsdb *db, const char *dir, const struct part_set *set, struct err *err)
{
	char *tmp = xasprintf("%s.tmp", dir);
	int rc = link_parts(db, tmp, set, err);
	if (rc == 0)
		rc = write_manifest(db, tmp, set, err);
	if (rc == 0)
		rc = fs_sync_dir(db->dir.fs, tmp, err);
	if (rc == 0)
		rc = fs_rename(db->dir.fs, tmp, dir, err);
	if (rc != 0) {
		int left = fs_remove_tree(db->dir.fs, tmp, NULL);
		(void)left;
	}
	free(tmp);
	return rc;
}

/* MAINTENANCE: deletions wait meanwhile. */
static int make(struct tsdb *db, const char *name, struct err *err)
{
	char *snapshots = xasprintf("%s/snapshots", db->dir.path), *dir = xasprintf("%s/%s", snapshots, name);
	struct part_set *set = part_sets_get(&db->parts);
	int rc = fill(db, dir, set, err);
	if (rc == 0)
		rc = fs_sync_dir(db->dir.fs, snapshots, err);
	if (rc == 0) /* the first one made the folder */
		rc = fs_sync_dir(db->dir.fs, db->dir.path, err);
	part_sets_put(&db->parts, set);
	free(snapshots);
	free(dir);
	return rc;
}

int tsdb_snapshot(struct tsdb *db, bool with_head, char name[TSDB_SNAPSHOT_NAME_MAX], struct err *err)
{
	bool wanted[HEAD_STRIPES];
	memset(wanted, true, sizeof(wanted));
	int rc = make_name(db, name, err);
	if (rc != 0)
		return rc;
	lock_take(&db->maintenance);
	rc = with_head ? tsdb_seal_stripes(db, wanted, err) : 0;
	if (rc == 0)
		rc = make(db, name, err);
	lock_release(&db->maintenance);
	return rc;
}
