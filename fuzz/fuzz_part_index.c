/* The index of a part: the input is its logical content, so that checksums do not stop the fuzzer at the door. */
#include "base/fs.h"
#include "tsdb/part_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int see_name(void *arg, struct slice name)
{
	(void)arg;
	(void)name;
	return 0;
}

static int see_value(void *arg, struct slice value, uint64_t series)
{
	(void)arg;
	(void)value;
	(void)series;
	return 0;
}

static void read_all(struct page_file *f)
{
	struct part_index *ix;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	const struct matcher *m;
	struct postings set = {0};
	int rc = part_index_open(f, &ix, NULL);
	if (rc == 0) {
		uint32_t n = part_index_series(ix);
		for (uint32_t i = 0; i < n && i < 100; i++) {
			const struct labels *labels;
			rc = part_index_labels(ix, i, arena, &labels, NULL);
		}
		rc = part_index_each_name(ix, see_name, NULL, NULL);
		rc = part_index_each_value(ix, SL("job"), NULL, see_value, NULL, NULL);
		rc = matcher_new(arena, MATCH_REGEX, SL("job"), SL("a.*|b.*"), &m, NULL);
		rc = part_index_select(ix, &m, 1, &set, NULL);
		postings_done(&set);
		part_index_close(ix);
	}
	(void)rc;
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	struct page_writer *w;
	struct page_file *f;
	snprintf(path, sizeof(path), "/tmp/fuzz-part-index-%d", (int)getpid());
	int rc = fs_unlink(fs_real(), path, NULL);
	if (rc || page_writer_new(fs_real(), path, &w, NULL))
		return 0;
	page_writer_add(w, data, size);
	if (page_writer_finish(w, NULL, NULL) == 0) {
		struct page_cache *cache = page_cache_new(1 << 20);
		if (page_file_open(fs_real(), path, cache, &f, NULL) == 0) {
			read_all(f);
			page_file_close(f);
		}
		page_cache_free(cache);
	}
	rc = fs_unlink(fs_real(), path, NULL);
	return 0;
}
