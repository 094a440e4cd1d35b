/*   file      8 bytes magic, u32 CRC-32C (masked) of magic and body, body
 *   body      zigzag varint until, varint n, n deletions
 *   deletion  varint record, zigzag varint min time, varint max - min time, varint n, n matchers
 *   matcher   u8 operation, varint length and bytes of the name, the same of the value
 */
#include "tsdb/deletions.h"

#include "base/byte_reader.h"
#include "base/crc32c.h"
#include "base/strbuf.h"
#include "base/varint.h"
#include <string.h>

#define MAGIC "PQDELET\2"
enum { MAGIC_BYTES = 8, CRC_BYTES = 4, HEAD_BYTES = 12, MAX_FILE_BYTES = 64 << 20, MAX_MATCHERS = 1 << 16 };

void deletions_init(struct deletions *d)
{
	*d = (struct deletions){.until_ms = INT64_MIN, .arena = arena_new(ARENA_NO_LIMIT)};
}

void deletions_done(struct deletions *d)
{
	deletion_vec_done(&d->all);
	arena_free(d->arena);
}

/* --- making --------------------------------------------------------------------------------------------------- */

static bool is_same(const struct deletion *a, const struct deletion *b)
{
	bool same =
	    a->min_t_ms == b->min_t_ms && a->max_t_ms == b->max_t_ms && a->n_matchers == b->n_matchers;
	for (size_t i = 0; same && i < a->n_matchers; i++)
		same = a->matchers[i]->op == b->matchers[i]->op &&
		       slice_eq(a->matchers[i]->name, b->matchers[i]->name) &&
		       slice_eq(a->matchers[i]->value, b->matchers[i]->value);
	return same;
}

int deletions_add(struct deletions *d, const struct deletion *x, struct err *err)
{
	VEC_EACH (struct deletion, known, &d->all)
		if (is_same(known, x)) {
			known->record = x->record > known->record ? x->record : known->record;
			return 0;
		}
	const struct matcher **own = ARENA_ARRAY(d->arena, const struct matcher *, x->n_matchers + 1);
	for (size_t i = 0; i < x->n_matchers; i++) {
		const struct matcher *m = x->matchers[i];
		int rc = matcher_new(d->arena, m->op, m->name, m->value, &own[i], err);
		if (rc)
			return rc;
	}
	deletion_vec_push(&d->all, *x);
	d->all.v[d->all.len - 1].matchers = own;
	return 0;
}

void deletions_forget(struct deletions *d, uint64_t record)
{
	size_t kept = 0;
	for (size_t i = 0; i < d->all.len; i++)
		if (d->all.v[i].record > record)
			d->all.v[kept++] = d->all.v[i];
	d->all.len = kept;
	if (kept == 0)
		arena_reset(d->arena);
}

/* --- asking --------------------------------------------------------------------------------------------------- */

uint64_t deletions_newest_record(const struct deletions *d)
{
	uint64_t newest = 0;
	VEC_EACH (struct deletion, x, &d->all)
		newest = x->record > newest ? x->record : newest;
	return newest;
}

static bool match_all(const struct deletion *x, const struct labels *labels)
{
	for (size_t i = 0; i < x->n_matchers; i++)
		if (!matcher_matches_labels(x->matchers[i], labels))
			return false;
	return true;
}

bool deletions_cover(const struct deletions *d, uint64_t record, const struct labels *labels, int64_t t_ms)
{
	VEC_EACH (struct deletion, x, &d->all)
		if (record <= x->record && t_ms >= x->min_t_ms && t_ms <= x->max_t_ms && match_all(x, labels))
			return true;
	return false;
}

/* --- the file ------------------------------------------------------------------------------------------------- */

static void add_text(struct strbuf *out, struct slice text)
{
	varint_add(out, text.len);
	strbuf_add_slice(out, text);
}

static void add_deletion(struct strbuf *out, const struct deletion *x)
{
	varint_add(out, x->record);
	varint_add(out, zigzag(x->min_t_ms));
	varint_add(out, (uint64_t)x->max_t_ms - (uint64_t)x->min_t_ms);
	varint_add(out, x->n_matchers);
	for (size_t i = 0; i < x->n_matchers; i++) {
		strbuf_addch(out, (char)x->matchers[i]->op);
		add_text(out, x->matchers[i]->name);
		add_text(out, x->matchers[i]->value);
	}
}

static uint32_t check_of(struct slice file)
{
	uint32_t crc = crc32c(0, file.ptr, MAGIC_BYTES);
	return crc32c_mask(crc32c(crc, file.ptr + HEAD_BYTES, file.len - HEAD_BYTES));
}

int deletions_write(struct fs *fs, const char *path, const struct deletions *d, struct err *err)
{
	struct strbuf out = STRBUF_INIT;
	strbuf_add(&out, MAGIC "\0\0\0\0", HEAD_BYTES);
	varint_add(&out, zigzag(d->until_ms));
	varint_add(&out, d->all.len);
	VEC_EACH (struct deletion, x, &d->all)
		add_deletion(&out, x);
	uint32_t crc = check_of(strbuf_slice(&out));
	for (unsigned i = 0; i < CRC_BYTES; i++)
		out.ptr[MAGIC_BYTES + i] = (char)(crc >> (8 * i));
	int rc = fs_write_file(fs, path, strbuf_slice(&out), err);
	strbuf_done(&out);
	return rc;
}

static struct slice read_text(struct byte_reader *r)
{
	uint64_t n = read_varint(r);
	if (n > byte_reader_left(r))
		byte_reader_fail(r);
	return r->failed ? SL_EMPTY : read_bytes(r, (size_t)n);
}

static const struct matcher *read_matcher(struct byte_reader *r, struct arena *arena)
{
	const struct matcher *m = NULL;
	uint8_t op = read_u8(r);
	struct slice name = read_text(r), value = read_text(r);
	if (r->failed || op > MATCH_NOT_REGEX ||
	    matcher_new(arena, (enum match_op)op, name, value, &m, NULL) != 0)
		byte_reader_fail(r);
	return m;
}

static void read_deletion(struct byte_reader *r, struct deletions *d)
{
	struct deletion x = {.record = read_varint(r)};
	x.min_t_ms = unzigzag(read_varint(r));
	uint64_t span = read_varint(r);
	x.max_t_ms = (int64_t)((uint64_t)x.min_t_ms + span);
	x.n_matchers = read_varint(r);
	if (x.n_matchers > MAX_MATCHERS || x.n_matchers > byte_reader_left(r) ||
	    span > (uint64_t)INT64_MAX - (uint64_t)x.min_t_ms)
		byte_reader_fail(r);
	if (r->failed)
		return;
	const struct matcher **own = ARENA_ARRAY(d->arena, const struct matcher *, x.n_matchers + 1);
	for (size_t i = 0; i < x.n_matchers && !r->failed; i++)
		own[i] = read_matcher(r, d->arena);
	x.matchers = own;
	if (!r->failed)
		deletion_vec_push(&d->all, x);
}

/* The checksum holds for the version too: a bit that flipped there is damage, and not a newer program's file. */
static int check_head(struct slice bytes, struct err *err)
{
	struct byte_reader r;
	byte_reader_init(&r, bytes);
	struct slice magic = read_bytes(&r, MAGIC_BYTES);
	uint32_t crc = read_u32(&r);
	if (r.failed || memcmp(magic.ptr, MAGIC, MAGIC_BYTES - 1) != 0 || crc != check_of(bytes))
		return err_set(err, ERR_CORRUPT, "not a list of deletions, or wrong checksum");
	if (magic.ptr[MAGIC_BYTES - 1] != MAGIC[MAGIC_BYTES - 1])
		return err_set(err, ERR_UNSUPPORTED, "version %u is unknown, this program reads %u",
		    (unsigned char)magic.ptr[MAGIC_BYTES - 1], MAGIC[MAGIC_BYTES - 1]);
	return 0;
}

int deletions_parse(struct slice bytes, struct deletions *d, struct err *err)
{
	struct byte_reader r;
	int rc = check_head(bytes, err);
	if (rc)
		return rc;
	byte_reader_init(&r, slice_from(bytes, HEAD_BYTES));
	int64_t until_ms = unzigzag(read_varint(&r));
	uint64_t n = read_varint(&r);
	for (uint64_t i = 0; i < n && !r.failed; i++)
		read_deletion(&r, d);
	if (r.failed || !byte_reader_done(&r)) {
		deletions_forget(d, UINT64_MAX);
		return err_set(err, ERR_CORRUPT, "the deletions do not make sense");
	}
	d->until_ms = until_ms;
	return 0;
}

int deletions_read(struct fs *fs, const char *path, struct deletions *d, struct err *err)
{
	struct strbuf text;
	strbuf_init(&text, MAX_FILE_BYTES);
	int rc = fs_read_file(fs, path, &text, err);
	if (rc == 0) {
		rc = deletions_parse(strbuf_slice(&text), d, err);
		if (rc)
			err_prefix(err, "%s: ", path);
	}
	strbuf_done(&text);
	return rc;
}
