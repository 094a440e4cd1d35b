/* The header: "promqwal", version (4 bytes), checksum (4), number (8); the checksum is over the rest of it. */
#include "tsdb/wal_segment.h"

#include "base/crc32c.h"
#include "base/xmalloc.h"
#include <inttypes.h>
#include <string.h>

enum { NAME_DIGITS = 16, AT_VERSION = 8, AT_CHECK = 12, AT_NUMBER = 16 };
static const char magic[8] = {'p', 'r', 'o', 'm', 'q', 'w', 'a', 'l'};
static const char suffix[] = ".wal";

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

static uint32_t header_check(const uint8_t header[WAL_SEGMENT_HEADER_BYTES])
{
	uint32_t crc = crc32c(0, header, AT_CHECK);
	return crc32c_mask(crc32c(crc, header + AT_NUMBER, WAL_SEGMENT_HEADER_BYTES - AT_NUMBER));
}

char *wal_segment_path(const char *dir, uint64_t number)
{
	return xasprintf("%s/%016" PRIx64 "%s", dir, number, suffix);
}

static int write_header(struct fs *fs, int fd, uint64_t number, struct err *err)
{
	uint8_t header[WAL_SEGMENT_HEADER_BYTES];
	memcpy(header, magic, sizeof(magic));
	put_le(header + AT_VERSION, WAL_SEGMENT_VERSION, 4);
	put_le(header + AT_NUMBER, number, 8);
	put_le(header + AT_CHECK, header_check(header), 4);
	return fs_pwrite(fs, fd, header, sizeof(header), 0, err);
}

int wal_segment_create(
    struct fs *fs, const char *dir, uint64_t number, uint64_t bytes, struct wal_segment *s, struct err *err)
{
	char *path = wal_segment_path(dir, number);
	int fd;
	int rc = fs_open(fs, path, FS_CREATE_NEW, &fd, err);
	if (rc != 0) {
		free(path);
		return rc;
	}
	rc = fs_allocate(fs, fd, bytes, err);
	if (rc == 0)
		rc = write_header(fs, fd, number, err);
	if (rc == 0)
		rc = fs_datasync(fs, fd, err);
	if (rc == 0)
		rc = fs_sync_dir(fs, dir, err);
	if (rc == 0) {
		*s = (struct wal_segment){.fd = fd, .number = number, .end = WAL_SEGMENT_HEADER_BYTES};
	} else {
		fs_close(fs, fd);
		int ignored = fs_unlink(fs, path, NULL);
		(void)ignored;
	}
	free(path);
	return rc;
}

int wal_segment_write(struct fs *fs, struct wal_segment *s, const void *bytes, size_t n, struct err *err)
{
	int rc = fs_pwrite(fs, s->fd, bytes, n, s->end, err);
	if (rc == 0)
		s->end += n;
	return rc;
}

int wal_segment_finish(struct fs *fs, struct wal_segment *s, struct err *err)
{
	int rc = fs_truncate(fs, s->fd, s->end, err);
	wal_segment_abandon(fs, s);
	return rc;
}

void wal_segment_discard(struct fs *fs, const char *dir, struct wal_segment *s)
{
	if (s->fd < 0)
		return;
	char *path = wal_segment_path(dir, s->number);
	wal_segment_abandon(fs, s);
	int ignored = fs_unlink(fs, path, NULL);
	(void)ignored;
	free(path);
}

void wal_segment_abandon(struct fs *fs, struct wal_segment *s)
{
	if (s->fd >= 0)
		fs_close(fs, s->fd);
	s->fd = -1;
}

static int note_name(void *arg, const char *name, bool is_dir)
{
	struct wal_segment_numbers *out = arg;
	uint64_t number = 0;
	size_t i = 0;
	for (; i < NAME_DIGITS; i++) {
		char c = name[i];
		if (c >= '0' && c <= '9')
			number = number << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			number = number << 4 | (uint64_t)(c - 'a' + 10);
		else
			break;
	}
	if (i == NAME_DIGITS && !is_dir && strcmp(name + i, suffix) == 0)
		wal_segment_numbers_push(out, number);
	return 0;
}

/* fs_list() sorts by name, and so by number. */
int wal_segment_list(struct fs *fs, const char *dir, struct wal_segment_numbers *out, struct err *err)
{
	if (!fs_exists(fs, dir))
		return 0;
	return fs_list(fs, dir, note_name, out, err);
}

static int check_header(const char *path, uint64_t number, struct slice content, struct err *err)
{
	const uint8_t *h = (const uint8_t *)content.ptr;
	if (content.len < WAL_SEGMENT_HEADER_BYTES || memcmp(h, magic, sizeof(magic)) != 0)
		return err_set(err, ERR_CORRUPT, "%s: this is no log segment", path);
	if (get_le(h + AT_CHECK, 4) != header_check(h) || get_le(h + AT_NUMBER, 8) != number)
		return err_set(err, ERR_CORRUPT, "%s: the header is damaged", path);
	uint64_t version = get_le(h + AT_VERSION, 4);
	if (version > WAL_SEGMENT_VERSION)
		return err_set(err, ERR_UNSUPPORTED,
		    "%s: log format %" PRIu64 " is newer than this program, which knows %d", path, version,
		    WAL_SEGMENT_VERSION);
	return 0;
}

int wal_segment_load(struct fs *fs, const char *dir, uint64_t number, struct strbuf *content, struct err *err)
{
	char *path = wal_segment_path(dir, number);
	int rc = fs_read_file(fs, path, content, err);
	if (rc == 0)
		rc = check_header(path, number, strbuf_slice(content), err);
	free(path);
	return rc;
}
