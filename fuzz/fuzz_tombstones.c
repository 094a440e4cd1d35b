/* The file of deletions of a part, from any bytes: what is taken is in order, and written again it reads the same. */
#include "base/fs.h"
#include "tsdb/tombstones.h"

#include <assert.h>
#include <stdio.h>
#include <unistd.h>

enum { SERIES = 1000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_order(const struct tombstones *t)
{
	for (size_t i = 0; i < t->n; i++) {
		assert(t->v[i].ordinal < SERIES && t->v[i].min_t_ms <= t->v[i].max_t_ms);
		assert(i == 0 || t->v[i - 1].ordinal < t->v[i].ordinal ||
		       (t->v[i - 1].ordinal == t->v[i].ordinal && t->v[i - 1].max_t_ms < t->v[i].min_t_ms));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tombstones *t, *again;
	struct err err;
	char path[64];
	int rc = tombstones_parse(slice_of((const char *)data, size), SERIES, &t, &err);
	if (rc) {
		assert(err.msg[0]);
		return 0;
	}
	check_order(t);
	snprintf(path, sizeof(path), "/tmp/fuzz-tombstones-%d", (int)getpid());
	rc = tombstones_write(fs_real(), path, t, &err);
	assert(rc == 0);
	rc = tombstones_read(fs_real(), path, SERIES, &again, &err);
	assert(rc == 0 && again->n == t->n);
	check_order(again);
	rc = fs_unlink(fs_real(), path, &err);
	assert(rc == 0);
	tombstones_free(t);
	tombstones_free(again);
	return 0;
}
