#include "base/compress.h"

#include <limits.h>
#include <snappy-c.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16, ZLIB_WINDOW = 15, MIN_CHUNK_BYTES = 4096, MAX_CHUNK_BYTES = 1 << 20 };

/* --- snappy ----------------------------------------------------------------------------------------------- */

/* The densest element is a copy: 64 bytes from 3. A block that declares more than that allows is torn or a
 * bomb. */
static bool is_plausible(size_t compressed, size_t declared)
{
	return declared / 22 <= compressed;
}

int snappy_decode(struct slice in, struct strbuf *out, struct err *err)
{
	size_t n;
	if (snappy_uncompressed_length(in.ptr, in.len, &n) != SNAPPY_OK)
		return err_set(err, ERR_INVALID, "snappy: corrupt input");
	if (n > out->max - out->len)
		return err_set(err, ERR_LIMIT, "snappy: decoded length %zu is above the limit of %zu bytes",
		    n, out->max);
	if (!is_plausible(in.len, n))
		return err_set(err, ERR_INVALID, "snappy: corrupt input");
	char *room = strbuf_reserve(out, n + (n == 0));
	if (!room)
		return err_set(err, ERR_NO_MEMORY, "snappy: no memory for %zu bytes", n);
	if (snappy_uncompress(in.ptr, in.len, room, &n) != SNAPPY_OK)
		return err_set(err, ERR_INVALID, "snappy: corrupt input");
	strbuf_advance(out, n);
	return 0;
}

void snappy_encode(struct slice in, struct strbuf *out)
{
	size_t n = snappy_max_compressed_length(in.len);
	char *room = strbuf_reserve(out, n);
	if (room && snappy_compress(in.ptr, in.len, room, &n) == SNAPPY_OK)
		strbuf_advance(out, n);
}

/* --- gzip and deflate ------------------------------------------------------------------------------------- */

/* zlib counts in 32 bits and takes input it does not write to without const. */
static size_t feed(z_stream *z, struct slice *in)
{
	union {
		const char *ours;
		Bytef *theirs;
	} u = {.ours = in->ptr};
	size_t n = in->len < UINT_MAX / 2 ? in->len : UINT_MAX / 2;
	z->next_in = u.theirs;
	z->avail_in = (uInt)n;
	return n;
}

static size_t chunk_size(size_t in_len)
{
	size_t n = in_len > MAX_CHUNK_BYTES / 4 ? MAX_CHUNK_BYTES : in_len * 4;
	return n < MIN_CHUNK_BYTES ? MIN_CHUNK_BYTES : n;
}

/* One call of inflate() with room for at most a chunk; at the bound there is room for one byte that must not
 * come. */
static int inflate_some(z_stream *z, struct slice *in, struct strbuf *out, size_t chunk, struct err *err)
{
	size_t left = out->max - out->len;
	size_t room = left < chunk ? left : chunk;
	char one_too_many;
	char *to = room ? strbuf_reserve(out, room) : &one_too_many;
	if (!to)
		return err_set(err, ERR_NO_MEMORY, "no memory for the decompressed data");
	size_t given = feed(z, in);
	z->next_out = (Bytef *)to;
	z->avail_out = (uInt)(room ? room : 1);
	int rc = inflate(z, Z_NO_FLUSH);
	*in = slice_from(*in, given - z->avail_in);
	size_t wrote = (room ? room : 1) - z->avail_out;
	if (!room && wrote)
		return err_set(err, ERR_LIMIT, "decompressed data is above the limit of %zu bytes", out->max);
	strbuf_advance(out, wrote);
	if (rc == Z_STREAM_END)
		return 1;
	if (rc == Z_BUF_ERROR || (rc == Z_OK && wrote == 0 && in->len == 0))
		return err_set(err, ERR_INVALID, "unexpected end of the compressed data");
	if (rc != Z_OK)
		return err_set(
		    err, ERR_INVALID, "corrupt compressed data: %s", z->msg ? z->msg : "bad header");
	return 0;
}

static int inflate_all(struct slice in, int window, struct strbuf *out, struct err *err)
{
	z_stream z = {0};
	if (inflateInit2(&z, window) != Z_OK)
		return err_set(err, ERR_NO_MEMORY, "no memory to decompress");
	size_t chunk = chunk_size(in.len);
	int rc;
	do {
		rc = inflate_some(&z, &in, out, chunk, err);
		/* gzip members may follow each other, and are one text. */
		if (rc == 1 && in.len && window == GZIP_WINDOW)
			rc = inflateReset(&z) == Z_OK ? 0
						      : err_set(err, ERR_INVALID, "corrupt compressed data");
	} while (rc == 0);
	inflateEnd(&z);
	return rc == 1 ? 0 : rc;
}

static int deflate_all(struct slice in, int window, struct strbuf *out, struct err *err)
{
	enum { MEMORY_LEVEL = 8 };
	z_stream z = {0};
	if (in.len > UINT_MAX / 2)
		return err_set(err, ERR_LIMIT, "%zu bytes are too many to compress at once", in.len);
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		return err_set(err, ERR_NO_MEMORY, "no memory to compress");
	size_t bound = deflateBound(&z, in.len);
	char *room = strbuf_reserve(out, bound);
	if (!room) {
		deflateEnd(&z);
		return err_set(err, ERR_LIMIT, "compressed data may pass the limit of %zu bytes", out->max);
	}
	feed(&z, &in);
	z.next_out = (Bytef *)room;
	z.avail_out = (uInt)bound;
	int rc = deflate(&z, Z_FINISH); /* one call is enough, by the bound */
	strbuf_advance(out, bound - z.avail_out);
	deflateEnd(&z);
	return rc == Z_STREAM_END ? 0 : err_set(err, ERR_INVALID, "compression failed");
}

/* --- piece by piece ---------------------------------------------------------------------------------------- */

struct compress_stream {
	z_stream z;
};

struct compress_stream *compress_stream_new(bool gzip)
{
	enum { MEMORY_LEVEL = 8 };
	struct compress_stream *s = calloc(1, sizeof(*s));
	if (s && deflateInit2(&s->z, Z_BEST_SPEED, Z_DEFLATED, gzip ? GZIP_WINDOW : ZLIB_WINDOW, MEMORY_LEVEL,
		     Z_DEFAULT_STRATEGY) != Z_OK) {
		free(s);
		return NULL;
	}
	return s;
}

int compress_stream_add(
    struct compress_stream *s, struct slice in, bool last, struct strbuf *out, struct err *err)
{
	enum { CHUNK_BYTES = 16384 };
	int rc;
	do {
		char *room = strbuf_reserve(out, CHUNK_BYTES);
		if (!room)
			return err_set(
			    err, ERR_LIMIT, "compressed data pass the limit of %zu bytes", out->max);
		size_t given = feed(&s->z, &in);
		s->z.next_out = (Bytef *)room;
		s->z.avail_out = CHUNK_BYTES;
		rc = deflate(&s->z, last && given == in.len ? Z_FINISH : Z_NO_FLUSH);
		in = slice_from(in, given - s->z.avail_in);
		strbuf_advance(out, CHUNK_BYTES - s->z.avail_out);
	} while (
	    (rc == Z_OK || rc == Z_BUF_ERROR) && (in.len > 0 || s->z.avail_out == 0 || (last && rc == Z_OK)));
	return rc == Z_OK || rc == Z_BUF_ERROR || rc == Z_STREAM_END
		   ? 0
		   : err_set(err, ERR_INVALID, "compression failed");
}

void compress_stream_free(struct compress_stream *s)
{
	if (s)
		deflateEnd(&s->z);
	free(s);
}

int gzip_decode(struct slice in, struct strbuf *out, struct err *err)
{
	int rc = inflate_all(in, GZIP_WINDOW, out, err);
	if (rc)
		err_prefix(err, "gzip: ");
	return rc;
}

int gzip_encode(struct slice in, struct strbuf *out, struct err *err)
{
	return deflate_all(in, GZIP_WINDOW, out, err);
}

int deflate_decode(struct slice in, struct strbuf *out, struct err *err)
{
	int rc = inflate_all(in, ZLIB_WINDOW, out, err);
	if (rc)
		err_prefix(err, "deflate: ");
	return rc;
}

int deflate_encode(struct slice in, struct strbuf *out, struct err *err)
{
	return deflate_all(in, ZLIB_WINDOW, out, err);
}
