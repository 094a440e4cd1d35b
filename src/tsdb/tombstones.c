/*   file   8 bytes magic, u32 CRC-32C (masked) of what follows, varint n, n stones in order
 *   stone  varint ordinal - the one before, zigzag varint min time, varint max - min time
 */
#include "tsdb/tombstones.h"

#include "base/byte_reader.h"
#include "base/crc32c.h"
#include "base/strbuf.h"
#include "base/varint.h"
#include "base/vec.h"
#include "base/xmalloc.h"
#include <stdlib.h>

#define STONES_MAGIC "PQSTONE\1"
enum { MAGIC_BYTES = 8, CRC_BYTES = 4, MIN_STONE_BYTES = 3, MAX_FILE_BYTES = 1 << 30, BATCH = 256 };

VEC_DEFINE(stone_vec, struct tombstone);

/* --- making --------------------------------------------------------------------------------------------------- */

static int in_order(const void *a, const void *b)
{
	const struct tombstone *x = a, *y = b;
	if (x->ordinal != y->ordinal)
		return x->ordinal < y->ordinal ? -1 : 1;
	return (x->min_t_ms > y->min_t_ms) - (x->min_t_ms < y->min_t_ms);
}

/* `b` begins where `a` ends, or before. */
static bool touch(const struct tombstone *a, const struct tombstone *b)
{
	return a->ordinal == b->ordinal && (a->max_t_ms == INT64_MAX || b->min_t_ms <= a->max_t_ms + 1);
}

static size_t join_touching(struct tombstone *v, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || !touch(&v[kept - 1], &v[i]))
			v[kept++] = v[i];
		else if (v[i].max_t_ms > v[kept - 1].max_t_ms)
			v[kept - 1].max_t_ms = v[i].max_t_ms;
	}
	return kept;
}

static struct tombstones *of_vec(struct stone_vec *v)
{
	struct tombstones *t = xcalloc(1, sizeof(*t));
	t->v = v->v;
	t->n = v->len;
	return t;
}

struct tombstones *tombstones_with(
    const struct tombstones *old, const struct postings *series, int64_t min_t_ms, int64_t max_t_ms)
{
	struct stone_vec v = {0};
	struct postings_iter it;
	uint32_t ordinals[BATCH];
	for (size_t i = 0; old && i < old->n; i++)
		stone_vec_push(&v, old->v[i]);
	postings_iter_init(&it, series);
	for (size_t n; (n = postings_iter_next(&it, ordinals, BATCH)) > 0;)
		for (size_t i = 0; i < n; i++)
			stone_vec_push(&v, (struct tombstone){ordinals[i], min_t_ms, max_t_ms});
	if (v.len) {
		qsort(v.v, v.len, sizeof(*v.v), in_order);
		v.len = join_touching(v.v, v.len);
	}
	return of_vec(&v);
}

void tombstones_free(struct tombstones *t)
{
	if (!t)
		return;
	free(t->v);
	free(t);
}

/* --- asking --------------------------------------------------------------------------------------------------- */

static size_t first_of(const struct tombstones *t, uint32_t ordinal)
{
	size_t lo = 0, hi = t->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (t->v[mid].ordinal < ordinal)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct tombstone *tombstones_of(const struct tombstones *t, uint32_t ordinal, size_t *n)
{
	*n = 0;
	if (!t)
		return NULL;
	size_t first = first_of(t, ordinal);
	while (first + *n < t->n && t->v[first + *n].ordinal == ordinal)
		++*n;
	return t->v + first;
}

bool tombstones_cover(const struct tombstone *v, size_t n, int64_t min_t_ms, int64_t max_t_ms)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].min_t_ms <= min_t_ms && v[i].max_t_ms >= max_t_ms)
			return true;
	return false;
}

/* --- the file ------------------------------------------------------------------------------------------------- */

int tombstones_write(struct fs *fs, const char *path, const struct tombstones *t, struct err *err)
{
	struct strbuf out = STRBUF_INIT;
	uint32_t before = 0;
	strbuf_add(&out, STONES_MAGIC "\0\0\0\0", MAGIC_BYTES + CRC_BYTES);
	varint_add(&out, t->n);
	for (size_t i = 0; i < t->n; i++) {
		const struct tombstone *s = &t->v[i];
		varint_add(&out, s->ordinal - before);
		varint_add(&out, zigzag(s->min_t_ms));
		varint_add(&out, (uint64_t)s->max_t_ms - (uint64_t)s->min_t_ms);
		before = s->ordinal;
	}
	const size_t head = MAGIC_BYTES + CRC_BYTES;
	uint32_t crc = crc32c_mask(crc32c(0, out.ptr + head, out.len - head));
	for (unsigned i = 0; i < CRC_BYTES; i++)
		out.ptr[MAGIC_BYTES + i] = (char)(crc >> (8 * i));
	int rc = fs_write_file(fs, path, strbuf_slice(&out), err);
	strbuf_done(&out);
	return rc;
}

static void take_stones(struct byte_reader *r, uint32_t n_series, struct stone_vec *out)
{
	uint64_t n = read_varint(r), ordinal = 0;
	if (n > byte_reader_left(r) / MIN_STONE_BYTES)
		byte_reader_fail(r);
	for (uint64_t i = 0; i < n && !r->failed; i++) {
		uint64_t step = read_varint(r);
		int64_t min = unzigzag(read_varint(r));
		uint64_t span = read_varint(r);
		ordinal += step < n_series ? step : n_series;
		struct tombstone s = {(uint32_t)ordinal, min, (int64_t)((uint64_t)min + span)};
		if (ordinal >= n_series || span > (uint64_t)INT64_MAX - (uint64_t)min ||
		    (out->len && touch(&out->v[out->len - 1], &s)))
			byte_reader_fail(r);
		else
			stone_vec_push(out, s);
	}
}

int tombstones_parse(struct slice bytes, uint32_t n_series, struct tombstones **out, struct err *err)
{
	struct byte_reader r;
	struct stone_vec v = {0};
	byte_reader_init(&r, bytes);
	struct slice magic = read_bytes(&r, MAGIC_BYTES);
	uint32_t crc = read_u32(&r);
	if (r.failed || memcmp(magic.ptr, STONES_MAGIC, MAGIC_BYTES - 1) != 0)
		return err_set(err, ERR_CORRUPT, "not a file of deletions");
	if (magic.ptr[MAGIC_BYTES - 1] != STONES_MAGIC[MAGIC_BYTES - 1])
		return err_set(err, ERR_UNSUPPORTED, "version %u is unknown, this program reads %u",
		    (unsigned char)magic.ptr[MAGIC_BYTES - 1], STONES_MAGIC[MAGIC_BYTES - 1]);
	if (crc != crc32c_mask(crc32c(0, r.at, byte_reader_left(&r))))
		return err_set(err, ERR_CORRUPT, "wrong checksum");
	take_stones(&r, n_series, &v);
	if (r.failed || !byte_reader_done(&r)) {
		stone_vec_done(&v);
		return err_set(err, ERR_CORRUPT, "the deletions do not make sense");
	}
	*out = of_vec(&v);
	return 0;
}

int tombstones_read(
    struct fs *fs, const char *path, uint32_t n_series, struct tombstones **out, struct err *err)
{
	struct strbuf text;
	strbuf_init(&text, MAX_FILE_BYTES);
	int rc = fs_read_file(fs, path, &text, err);
	if (rc == 0) {
		rc = tombstones_parse(strbuf_slice(&text), n_series, out, err);
		if (rc)
			err_prefix(err, "%s: ", path);
	}
	strbuf_done(&text);
	return rc;
}
