#include "promql/active_queries.h"

#include "base/json.h"
#include "base/lock.h"
#include "base/xmalloc.h"
#include <string.h>

enum { ENTRY_BYTES = 1000, MAX_FILE_BYTES = 16 << 20 };

struct active_queries {
	struct fs *fs;
	int fd;
	unsigned max;
	struct lock lock; /* a leaf: guards taken */
	bool *taken;
};

static size_t file_bytes(unsigned max)
{
	return 1 + (size_t)max * ENTRY_BYTES;
}

/* What is left of the last process: the records without their zeros, the last comma made the end of the array. */
static void read_unfinished(struct fs *fs, const char *path, struct strbuf *out)
{
	struct strbuf file, text = STRBUF_INIT;

	strbuf_init(&file, MAX_FILE_BYTES);
	if (fs_read_file(fs, path, &file, NULL) == 0) {
		for (size_t i = 0; i < file.len; i++) {
			if (file.ptr[i])
				strbuf_addch(&text, file.ptr[i]);
		}
	}
	if (text.len > 1) {
		strbuf_add(out, text.ptr, text.len - 1);
		strbuf_addch(out, ']');
	}
	strbuf_done(&file);
	strbuf_done(&text);
}

static int make_file(struct active_queries *a, const char *path, struct err *err)
{
	int rc = fs_open(a->fs, path, FS_CREATE, &a->fd, err);

	if (rc)
		return rc;
	char *zeros = xcalloc(file_bytes(a->max), 1);
	zeros[0] = '[';
	rc = fs_pwrite(a->fs, a->fd, zeros, file_bytes(a->max), 0, err);
	free(zeros);
	if (rc)
		fs_close(a->fs, a->fd);
	return rc;
}

int active_queries_open(struct fs *fs, const char *dir, unsigned max, struct active_queries **out,
    struct strbuf *unfinished, struct err *err)
{
	struct active_queries *a = xcalloc(1, sizeof(*a));
	char *path = xasprintf("%s/queries.active", dir);

	a->fs = fs;
	a->max = max;
	read_unfinished(fs, path, unfinished);
	int rc = make_file(a, path, err);
	free(path);
	if (rc) {
		free(a);
		return rc;
	}
	a->taken = xcalloc(max, sizeof(*a->taken));
	lock_init(&a->lock, LOCK_POOL, "active queries");
	*out = a;
	return 0;
}

void active_queries_close(struct active_queries *a)
{
	if (a == NULL)
		return;
	fs_close(a->fs, a->fd);
	lock_done(&a->lock);
	free(a->taken);
	free(a);
}

static void put_entry(struct strbuf *out, struct slice query, int64_t now_ms)
{
	struct json j;

	strbuf_reset(out);
	json_init(&j, out);
	json_object_begin(&j);
	json_key(&j, "query");
	json_string(&j, query);
	json_key(&j, "timestamp_sec");
	json_int(&j, now_ms / 1000);
	json_object_end(&j);
}

/* The longest beginning of the query whose record fits, with the comma behind it. A byte becomes six at most when it is
 * escaped, so that cutting a sixth of what is too much never cuts too far. */
static void fit_entry(struct strbuf *out, struct slice query, int64_t now_ms)
{
	put_entry(out, query, now_ms);
	while (out->len > ENTRY_BYTES - 1) {
		size_t cut = (out->len - (ENTRY_BYTES - 1)) / 6 + 1;
		query.len = cut < query.len ? query.len - cut : 0;
		while (query.len && (query.ptr[query.len] & 0xc0) == 0x80)
			query.len--;
		put_entry(out, query, now_ms);
	}
}

static int take_place(struct active_queries *a)
{
	int place = -1;

	lock_take(&a->lock);
	for (unsigned i = 0; place < 0 && i < a->max; i++) {
		if (!a->taken[i])
			place = (int)i;
	}
	if (place >= 0)
		a->taken[place] = true;
	lock_release(&a->lock);
	return place;
}

static void write_place(struct active_queries *a, int place, const char *record)
{
	int rc = fs_pwrite(a->fs, a->fd, record, ENTRY_BYTES, 1 + (uint64_t)place * ENTRY_BYTES, NULL);
	(void)rc; /* the query matters more than the note about it */
}

int active_queries_add(struct active_queries *a, struct slice query, int64_t now_ms)
{
	char record[ENTRY_BYTES] = {0};
	struct strbuf entry = STRBUF_INIT;
	int place = take_place(a);

	if (place < 0)
		return -1;
	fit_entry(&entry, slice_of(query.ptr, query.len < ENTRY_BYTES ? query.len : ENTRY_BYTES), now_ms);
	memcpy(record, entry.ptr, entry.len);
	record[ENTRY_BYTES - 1] = ',';
	write_place(a, place, record);
	strbuf_done(&entry);
	return place;
}

void active_queries_remove(struct active_queries *a, int place)
{
	static const char zeros[ENTRY_BYTES];

	if (place < 0)
		return;
	write_place(a, place, zeros);
	lock_take(&a->lock);
	a->taken[place] = false;
	lock_release(&a->lock);
}
