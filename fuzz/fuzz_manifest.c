/* The list of parts, from any bytes: opened, changed, and opened again it says what was written. */
#include "base/fs.h"
#include "tsdb/manifest.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A sync of each try would only test the disk. */
static int no_sync(void *arg, enum fs_call call, const char *path, size_t *n)
{
	(void)arg, (void)path, (void)n;
	return call == FS_CALL_SYNC || call == FS_CALL_SYNC_DIR ? FS_PRETEND : 0;
}

static void change_and_open_again(struct fs *fs, const char *dir, struct manifest *m)
{
	struct manifest_part part = {.seq = manifest_next_seq(m), .min_t_ms = 1, .max_t_ms = 2};
	struct manifest_change change = {.add = &part, .n_add = 1};
	size_t n, again;
	enum manifest_state state;
	int rc = manifest_commit(m, &change, NULL);
	assert(rc == 0);
	manifest_parts(m, &n);
	manifest_close(m);
	rc = manifest_open(fs, dir, &m, &state, NULL);
	assert(rc == 0 && state == MANIFEST_WHOLE && manifest_has(m, part.seq));
	manifest_parts(m, &again);
	assert(n == again);
	manifest_close(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char dir[64], path[80];
	struct manifest *m;
	enum manifest_state state;
	struct err err;
	struct fs *fs = fs_faulty_new(no_sync, NULL);
	snprintf(dir, sizeof(dir), "/tmp/fuzz-manifest-%d", (int)getpid());
	snprintf(path, sizeof(path), "%s/manifest", dir);
	if (fs_mkdir(fs, dir, NULL) == 0 &&
	    fs_write_file(fs, path, slice_of((const char *)data, size), NULL) == 0) {
		if (manifest_open(fs, dir, &m, &state, &err) == 0)
			change_and_open_again(fs, dir, m);
		else
			assert(err.msg[0]);
	}
	int rc = fs_remove_tree(fs, dir, NULL);
	(void)rc;
	fs_faulty_free(fs);
	return 0;
}
