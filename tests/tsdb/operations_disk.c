#include "tests/tsdb/operations.h"

#include "base/xmalloc.h"
#include "tsdb/manifest.h"
#include "tsdb/part_meta.h"
#include "tsdb/part_priv.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- the disk ---------------------------------------------------------------------------------------------------- */

static bool is_change(enum fs_call call)
{
	return call != FS_CALL_READ && call != FS_CALL_LIST && call != FS_CALL_SPACE &&
	       call != FS_CALL_SIZE && call != FS_CALL_LOCK;
}

/* What the call says that comes `since` calls after the first that may fail. */
static int answer(enum fault fault, enum fs_call call, uint64_t since, size_t *n)
{
	switch (fault) {
	case GONE:
		if (since == 0 && call == FS_CALL_WRITE)
			*n /= 2;
		return EIO;
	case ONE_FAILS:
		return since == 0 ? EIO : 0;
	case SOME_FAIL:
		return since < 6 ? EIO : 0;
	case FULL:
		if (since >= 15 ||
		    (call != FS_CALL_WRITE && call != FS_CALL_ALLOCATE && call != FS_CALL_MKDIR &&
			call != FS_CALL_RENAME && call != FS_CALL_LINK))
			return 0;
		*n /= 2;
		return ENOSPC;
	case NO_SYNC:
		return since < 30 && (call == FS_CALL_SYNC || call == FS_CALL_SYNC_DIR) ? EIO : 0;
	case NO_RENAME:
		return since < 200 && call == FS_CALL_RENAME ? EIO : 0;
	case FAULTS:
		break;
	}
	return 0;
}

/* What is named in the manifest is on disk: its files, their names, the folders' names. */
static void check_named_part(const struct run *r, uint64_t seq)
{
	static const char *const files[] = {PART_FILE_META, PART_FILE_CHUNKS, PART_FILE_DIR, PART_FILE_INDEX};
	char name[PART_NAME_MAX];
	part_name(seq, name);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char *path = xasprintf("%s/parts/%s/%s", r->dir, name, files[i]);
		if (!power_cut_is_safe(r->disk, path))
			fail_msg("operation %u (%s): the manifest names a part, but %s is not on disk",
			    r->number, r->name, path);
		free(path);
	}
}

/* Before the manifest is synced: after it nothing may be missing of what it names. */
static void check_manifest(const struct run *r)
{
	struct manifest *m;
	enum manifest_state state;
	size_t n;
	if (manifest_read(fs_real(), r->dir, &m, &state, NULL) != 0)
		return;
	const struct manifest_part *parts = manifest_parts(m, &n);
	for (size_t i = 0; i < n; i++)
		check_named_part(r, parts[i].seq);
	manifest_close(m);
}

static bool is_manifest_sync(const struct run *r, enum fs_call call, const char *path)
{
	size_t n = strlen(r->dir);
	return r->disk && call == FS_CALL_SYNC && strncmp(path, r->dir, n) == 0 &&
	       strcmp(path + n, "/manifest") == 0;
}

static int disk_call(void *arg, enum fs_call call, const char *path, size_t *n)
{
	struct run *r = arg;
	if (is_manifest_sync(r, call, path))
		check_manifest(r);
	if (r->fault_at == 0 || (r->fault == GONE && !is_change(call)))
		return 0;
	uint64_t number = ++r->calls;
	if (number < r->fault_at)
		return 0;
	int rc = answer(r->fault, call, number - r->fault_at, n);
	if (rc != 0)
		r->was_hit = true;
	return rc;
}

/* --- opening ----------------------------------------------------------------------------------------------------- */

static int try_open(struct run *r, struct err *err)
{
	struct tsdb_options o = {.path = r->dir,
	    .clock = r->clock,
	    .fs = power_cut_fs(r->disk),
	    .wal_segment_bytes = 1 << 15,
	    .retention_ms = r->retention_ms,
	    .seal_interval_ms = SEAL_MS,
	    .future_limit_ms = FUTURE_MS,
	    .out_of_order_ms = r->window_ms ? r->window_ms : -1};
	for (int i = 0; i < SLOTS; i++)
		r->slots[i].kept = (struct kept_ref){0};
	return tsdb_open(&o, &r->db, err);
}

void open_store(struct run *r)
{
	struct err err;
	r->disk = power_cut_new(r->root, disk_call, r);
	check_ok("open", try_open(r, &err), &err);
}

void restart(struct run *r)
{
	if (is_in_trouble(r))
		return;
	tsdb_close(r->db);
	power_cut_free(r->disk);
	sample_model_sync(r->model);
	open_store(r);
	check_everything(r, r->db, "after a restart");
}

/* --- a disk that fails ------------------------------------------------------------------------------------------- */

/* Goes on for a while on a disk that fails from some call on. */
static void go_on(struct run *r, enum fault fault, uint64_t most)
{
	const char *name = r->name;
	r->calls = 0;
	r->was_hit = false;
	r->fault = fault;
	r->fault_at = 1 + below(r, most);
	r->n_failed = 0;
	for (uint64_t n = 1 + below(r, 6); n > 0; n--)
		do_some(r);
	r->name = name;
}

static void note_text(void *arg, const char *note)
{
	if (strstr(note, "cannot be read"))
		fail_msg("operation %u: after a crash: %s", ((struct run *)arg)->number, note);
}

/* Until a call to the disk is the last one; then either what was written stays, or only what was synced, or that and some of
 * the rest. */
void crash(struct run *r)
{
	if (is_in_trouble(r))
		return;
	go_on(r, GONE, one_in(r, 3) ? 300 : 30);
	if (!one_in(r, 4)) /* else it may be the closing that is hit */
		r->fault_at = 1;
	tsdb_close(r->db);
	r->crashes++;
	r->hits += r->was_hit;
	if (one_in(r, 2))
		power_cut_apply(r->disk, one_in(r, 3) ? NULL : &r->random);
	power_cut_free(r->disk);
	r->fault_at = 0;
	open_store(r);
	tsdb_start_notes(r->db, note_text, r);
	sample_model_adopt(r->model, tsdb_queryable(r->db), r->keep_from_ms, "after a crash");
	forget_newest(r);
}

/* The disk is well again: what looks after the store sees that, and a writer that insists is served. */
static void recover(struct run *r)
{
	struct err err;
	int rc = ERR_IO;
	for (int i = 0; i < 16 && rc != 0; i++)
		rc = tsdb_sync(r->db, &err);
	check_ok("the store goes on", rc, &err);
	maintain(r);
	sample_model_sync(r->model);
}

static void delete_again(struct run *r)
{
	struct err err;
	for (size_t i = 0; i < r->n_failed; i++) {
		const struct deletion *d = &r->failed[i];
		check_ok("delete again",
		    tsdb_delete(r->db, d->matchers, d->n, d->min_t_ms, d->max_t_ms, &err), &err);
		sample_model_delete(r->model, d->matchers, d->n, d->min_t_ms, d->max_t_ms, true);
	}
	r->n_failed = 0;
}

/* Closed and opened on the bad disk, which loses what it could not write; what could not be read is read when it is opened once
 * more. */
static void restart_in_trouble(struct run *r)
{
	struct err err;
	int rc = ERR_IO;
	tsdb_close(r->db);
	for (int i = 0; i < 4 && rc != 0; i++) {
		rc = try_open(r, &err);
		if (rc != 0 && rc != ERR_IO)
			fail_msg("operation %u: open says %s: %s", r->number, err_code_name(rc), err.msg);
	}
	if (rc == 0)
		tsdb_close(r->db);
	r->fault_at = 0;
	power_cut_free(r->disk);
	open_store(r);
	delete_again(r);
	sample_model_adopt(r->model, tsdb_queryable(r->db), r->keep_from_ms, "after trouble and a restart");
	forget_newest(r);
}

void trouble(struct run *r)
{
	if (is_in_trouble(r))
		return;
	go_on(r, (enum fault)(1 + below(r, FAULTS - 1)), one_in(r, 3) ? 200 : 20);
	r->troubles++;
	r->hits += r->was_hit;
	if (one_in(r, 4)) {
		restart_in_trouble(r);
		return;
	}
	r->fault_at = 0;
	recover(r);
	delete_again(r);
	check_everything(r, r->db, "after trouble");
}
