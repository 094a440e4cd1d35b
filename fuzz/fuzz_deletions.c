/* The list of deletions of a store, from any bytes, with the checksum made right: what is taken makes sense, and written again
 * it reads the same. */
#include "base/crc32c.h"
#include "base/fs.h"
#include "tsdb/deletions.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAGIC_BYTES = 8, HEAD_BYTES = 12 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_sense(const struct deletions *d)
{
	VEC_EACH (struct deletion, x, &d->all)
		assert(x->min_t_ms <= x->max_t_ms);
}

static void put_checksum(char *bytes, size_t size)
{
	uint32_t crc = crc32c(crc32c(0, bytes, MAGIC_BYTES), bytes + HEAD_BYTES, size - HEAD_BYTES);
	crc = crc32c_mask(crc);
	for (unsigned i = 0; i < 4; i++)
		bytes[MAGIC_BYTES + i] = (char)(crc >> (8 * i));
}

static void write_and_read(const struct deletions *d)
{
	struct deletions again;
	struct err err;
	char path[64];
	snprintf(path, sizeof(path), "/tmp/fuzz-deletions-%d", (int)getpid());
	deletions_init(&again);
	int rc = deletions_write(fs_real(), path, d, &err);
	assert(rc == 0);
	rc = deletions_read(fs_real(), path, &again, &err);
	assert(rc == 0 && again.all.len == d->all.len && again.until_ms == d->until_ms);
	rc = fs_unlink(fs_real(), path, &err);
	assert(rc == 0);
	deletions_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct deletions d;
	struct err err;
	char *bytes = malloc(size + 1);
	memcpy(bytes, data, size);
	if (size >= HEAD_BYTES)
		put_checksum(bytes, size);
	deletions_init(&d);
	int rc = deletions_parse(slice_of(bytes, size), &d, &err);
	assert(rc == 0 || err.msg[0]);
	check_sense(&d);
	if (rc == 0)
		write_and_read(&d);
	deletions_done(&d);
	free(bytes);
	return 0;
}
