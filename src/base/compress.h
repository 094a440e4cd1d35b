/* Snappy blocks and gzip/deflate streams. The declared or grown size is checked against the output's bound before
 * memory is taken, so a bomb costs nothing. Thread-safe (no state). Errors: ERR_INVALID (not that format, torn),
 * ERR_LIMIT (larger than out's bound). `out` is appended to. */
#pragma once

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include <stdbool.h>

MUST_CHECK int snappy_decode(struct slice in, struct strbuf *out, struct err *err);
void snappy_encode(struct slice in, struct strbuf *out);

MUST_CHECK int gzip_decode(struct slice in, struct strbuf *out, struct err *err);
MUST_CHECK int gzip_encode(struct slice in, struct strbuf *out, struct err *err);
/* The same piece by piece, for text that is never in memory as a whole; faster, and a little larger. */
struct compress_stream;
/* `gzip` false: zlib-wrapped deflate. NULL: no memory. The caller frees. */
struct compress_stream *compress_stream_new(bool gzip);
/* What comes out so far is appended; with `last` the stream ends. ERR_NO_MEMORY, ERR_LIMIT. */
MUST_CHECK int compress_stream_add(
    struct compress_stream *s, struct slice in, bool last, struct strbuf *out, struct err *err);
void compress_stream_free(struct compress_stream *s);
/* zlib-wrapped deflate, as HTTP's "deflate" means it. */
MUST_CHECK int deflate_decode(struct slice in, struct strbuf *out, struct err *err);
MUST_CHECK int deflate_encode(struct slice in, struct strbuf *out, struct err *err);
