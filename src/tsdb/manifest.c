/*   file    8 bytes magic, then records
 *   record  u32 length of the body, u32 CRC-32C (masked) of length and body, body
 *   body    varint wal segment (0: as it was), varint n, n added parts: varint seq, varint level, zigzag varint min, max time;
 *           varint m, m removed parts: varint seq; varint next seq
 */
#include "tsdb/manifest.h"

#include "base/byte_reader.h"
#include "base/crc32c.h"
#include "base/varint.h"
#include "base/vec.h"
#include <stdio.h>
#include <stdlib.h>

#define MANIFEST_MAGIC "PQMANIF\1"
enum { MAGIC_BYTES = 8, HEAD_BYTES = 8, MAX_BYTES = 1 << 30, REWRITE_BYTES = 1 << 20 };

VEC_DEFINE(manifest_part_vec, struct manifest_part);

struct manifest {
	struct fs *fs;
	char *path;
	int fd;
	uint64_t size;                  /* up to which the file is good */
	uint64_t rewritten;             /* size after the last rewrite */
	struct manifest_part_vec parts; /* by seq */
	uint64_t next_seq, wal_segment;
	bool is_uncertain; /* a change that failed may stand behind `size`, or the name be another file's */
};

/* --- records ------------------------------------------------------------------------------------------------------ */

static void put_u32(char *p, uint32_t x)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (char)(x >> (8 * i));
}

static void add_record(struct strbuf *out, const struct manifest_change *change, uint64_t next_seq)
{
	size_t at = out->len;
	strbuf_add(out, "\0\0\0\0\0\0\0", HEAD_BYTES);
	varint_add(out, change->wal_segment);
	varint_add(out, change->n_add);
	for (size_t i = 0; i < change->n_add; i++) {
		varint_add(out, change->add[i].seq);
		varint_add(out, (uint64_t)change->add[i].level);
		varint_add(out, zigzag(change->add[i].min_t_ms));
		varint_add(out, zigzag(change->add[i].max_t_ms));
	}
	varint_add(out, change->n_remove);
	for (size_t i = 0; i < change->n_remove; i++)
		varint_add(out, change->remove[i]);
	varint_add(out, next_seq);
	uint32_t len = (uint32_t)(out->len - at - HEAD_BYTES);
	put_u32(out->ptr + at, len);
	uint32_t crc = crc32c(crc32c(0, out->ptr + at, 4), out->ptr + at + HEAD_BYTES, len);
	put_u32(out->ptr + at + 4, crc32c_mask(crc));
}

/* Where `seq` is, or belongs. */
static size_t find_part(const struct manifest *m, uint64_t seq)
{
	size_t i = m->parts.len;
	while (i > 0 && m->parts.v[i - 1].seq >= seq)
		i--;
	return i;
}

bool manifest_has(const struct manifest *m, uint64_t seq)
{
	size_t i = find_part(m, seq);
	return i < m->parts.len && m->parts.v[i].seq == seq;
}

static void add_part(struct manifest *m, const struct manifest_part *part)
{
	if (part->seq >= m->next_seq)
		m->next_seq = part->seq + 1;
	size_t i = find_part(m, part->seq);
	if (i < m->parts.len && m->parts.v[i].seq == part->seq) {
		m->parts.v[i] = *part;
		return;
	}
	manifest_part_vec_push(&m->parts, *part);
	memmove(&m->parts.v[i + 1], &m->parts.v[i], (m->parts.len - i - 1) * sizeof(*part));
	m->parts.v[i] = *part;
}

static void remove_part(struct manifest *m, uint64_t seq)
{
	size_t i = find_part(m, seq);
	if (i == m->parts.len || m->parts.v[i].seq != seq)
		return;
	memmove(&m->parts.v[i], &m->parts.v[i + 1], (m->parts.len - i - 1) * sizeof(m->parts.v[0]));
	m->parts.len--;
}

/* False: the record does not make sense; the list may be half changed then. */
static bool apply_record(struct manifest *m, struct slice body)
{
	struct byte_reader r;
	byte_reader_init(&r, body);
	uint64_t wal_segment = read_varint(&r);
	uint64_t n = read_varint(&r);
	for (uint64_t i = 0; i < n && !r.failed; i++) {
		struct manifest_part part = {.seq = read_varint(&r)};
		uint64_t level = read_varint(&r);
		part.level = (int)(level & 0xff);
		part.min_t_ms = unzigzag(read_varint(&r));
		part.max_t_ms = unzigzag(read_varint(&r));
		if (level > 100 || r.failed)
			return false;
		add_part(m, &part);
	}
	n = read_varint(&r);
	for (uint64_t i = 0; i < n && !r.failed; i++)
		remove_part(m, read_varint(&r));
	uint64_t next_seq = read_varint(&r);
	if (r.failed || !byte_reader_done(&r))
		return false;
	m->next_seq = next_seq > m->next_seq ? next_seq : m->next_seq;
	m->wal_segment = wal_segment ? wal_segment : m->wal_segment;
	return true;
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

/* Applies the good records in front of the first bad one; m->size is where they end. */
static void apply_good(struct manifest *m, struct slice text)
{
	struct byte_reader r;
	byte_reader_init(&r, slice_from(text, MAGIC_BYTES));
	m->size = MAGIC_BYTES;
	while (!byte_reader_done(&r)) {
		const char *head = (const char *)r.at;
		uint32_t len = read_u32(&r), crc = read_u32(&r);
		struct slice body = read_bytes(&r, len);
		if (r.failed || crc != crc32c_mask(crc32c(crc32c(0, head, 4), body.ptr, body.len)) ||
		    !apply_record(m, body))
			return;
		m->size += HEAD_BYTES + len;
	}
}

static int load(struct manifest *m, bool *damaged, struct err *err)
{
	struct strbuf sb;
	strbuf_init(&sb, MAX_BYTES);
	int rc = fs_read_file(m->fs, m->path, &sb, err);
	bool ours = rc == 0 && sb.len >= MAGIC_BYTES && memcmp(sb.ptr, MANIFEST_MAGIC, MAGIC_BYTES) == 0;
	if (ours)
		apply_good(m, strbuf_slice(&sb));
	else if (rc == 0 && sb.len >= MAGIC_BYTES && memcmp(sb.ptr, MANIFEST_MAGIC, MAGIC_BYTES - 1) == 0)
		rc = err_set(err, ERR_UNSUPPORTED, "%s: format %u is newer than this program, or damaged",
		    m->path, (unsigned char)sb.ptr[MAGIC_BYTES - 1]);
	*damaged = rc == 0 && (!ours || m->size < sb.len);
	strbuf_done(&sb);
	return rc;
}

/* The whole list as one record in a new file. */
static int rewrite(struct manifest *m, struct err *err)
{
	struct strbuf sb = STRBUF_INIT;
	struct manifest_change all = {
	    .add = m->parts.v, .n_add = m->parts.len, .wal_segment = m->wal_segment};
	strbuf_add(&sb, MANIFEST_MAGIC, MAGIC_BYTES);
	add_record(&sb, &all, m->next_seq);
	int rc = fs_write_file(m->fs, m->path, strbuf_slice(&sb), err);
	int fd = -1;
	if (rc == 0)
		rc = fs_open(m->fs, m->path, FS_READ_WRITE, &fd, err);
	if (rc == 0) {
		if (m->fd >= 0)
			fs_close(m->fs, m->fd);
		m->fd = fd;
		m->size = m->rewritten = sb.len;
	}
	strbuf_done(&sb);
	return rc;
}

static struct manifest *manifest_new(struct fs *fs, const char *dir)
{
	struct manifest *m = xcalloc(1, sizeof(*m));
	m->fs = fs;
	m->fd = -1;
	m->next_seq = 1;
	m->path = xasprintf("%s/manifest", dir);
	return m;
}

int manifest_read(
    struct fs *fs, const char *dir, struct manifest **out, enum manifest_state *state, struct err *err)
{
	struct manifest *m = manifest_new(fs, dir);
	bool damaged;
	int rc = load(m, &damaged, err);
	if (rc) {
		manifest_close(m);
		return rc;
	}
	*state = damaged ? MANIFEST_DAMAGED : MANIFEST_WHOLE;
	*out = m;
	return 0;
}

/* The bytes of a damaged file stay for whoever wants to know. */
static int set_aside(struct manifest *m, struct err *err)
{
	char *aside = xasprintf("%s.damaged", m->path);
	int rc = fs_rename(m->fs, m->path, aside, err);
	free(aside);
	return rc;
}

/* On a full disk: a whole file is good as it is, however long. */
static int keep_as_is(struct manifest *m, struct err *err)
{
	int rc = fs_open(m->fs, m->path, FS_READ_WRITE, &m->fd, err);
	m->rewritten = m->size;
	return rc;
}

int manifest_open(
    struct fs *fs, const char *dir, struct manifest **out, enum manifest_state *state, struct err *err)
{
	struct manifest *m = manifest_new(fs, dir);
	bool exists = fs_exists(fs, m->path), damaged = false;
	struct err why = {0};
	int rc = exists ? load(m, &damaged, &why) : 0;
	if (rc == 0 && damaged)
		rc = set_aside(m, &why);
	/* Written anew at each start: a torn end is gone, and the file short. */
	if (rc == 0)
		rc = rewrite(m, &why);
	if (rc != 0 && err_is_disk_full(&why) && exists && !damaged)
		rc = keep_as_is(m, &why);
	if (rc) {
		err_copy(err, &why);
		manifest_close(m);
		return rc;
	}
	*state = !exists ? MANIFEST_NEW : damaged ? MANIFEST_DAMAGED : MANIFEST_WHOLE;
	*out = m;
	return 0;
}

void manifest_close(struct manifest *m)
{
	if (!m)
		return;
	if (m->fd >= 0)
		fs_close(m->fs, m->fd);
	manifest_part_vec_done(&m->parts);
	free(m->path);
	free(m);
}

/* --- using -------------------------------------------------------------------------------------------------------- */

uint64_t manifest_next_seq(struct manifest *m)
{
	return m->next_seq++;
}

void manifest_skip_seq(struct manifest *m, uint64_t seq)
{
	if (seq >= m->next_seq && seq < UINT64_MAX)
		m->next_seq = seq + 1;
}

const struct manifest_part *manifest_parts(const struct manifest *m, size_t *n)
{
	*n = m->parts.len;
	return m->parts.v;
}

uint64_t manifest_wal_segment(const struct manifest *m)
{
	return m->wal_segment;
}

bool manifest_may_have_it(const struct manifest *m)
{
	return m->is_uncertain;
}

int manifest_commit(struct manifest *m, const struct manifest_change *change, struct err *err)
{
	int rc = m->is_uncertain ? rewrite(m, err) : 0;
	if (rc)
		return rc;
	struct strbuf sb = STRBUF_INIT;
	m->is_uncertain = false;
	add_record(&sb, change, m->next_seq);
	rc = fs_pwrite(m->fs, m->fd, sb.ptr, sb.len, m->size, err);
	if (rc == 0)
		rc = fs_datasync(m->fs, m->fd, err);
	if (rc == 0) {
		m->size += sb.len;
		bool applied = apply_record(m, slice_of(sb.ptr + HEAD_BYTES, sb.len - HEAD_BYTES));
		(void)applied;
	} else {
		/* What may have been written must not be found at the next start. */
		m->is_uncertain =
		    fs_truncate(m->fs, m->fd, m->size, NULL) != 0 || fs_datasync(m->fs, m->fd, NULL) != 0;
	}
	strbuf_done(&sb);
	/* The record is durable; that the file could not be made short is no failure of this change. But the name may be the
	 * short file's by now, and what is added to the long one would be lost. */
	if (rc == 0 && m->size > m->rewritten * 2 + REWRITE_BYTES)
		m->is_uncertain = rewrite(m, NULL) != 0;
	return rc;
}
