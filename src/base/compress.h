/* Snappy blocks and gzip/deflate streams. The declared or grown size is checked against the output's bound before
 * memory is taken, so a bomb costs nothing. Thread-safe (no state). Errors: ERR_INVALID (not that format, torn),
 * ERR_LIMIT (larger than out's bound). `out` is appended to. */
#pragma once

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"

MUST_CHECK int snappy_decode(struct slice in, struct strbuf *out, struct err *err);
void snappy_encode(struct slice in, struct strbuf *out);

MUST_CHECK int gzip_decode(struct slice in, struct strbuf *out, struct err *err);
MUST_CHECK int gzip_encode(struct slice in, struct strbuf *out, struct err *err);
/* zlib-wrapped deflate, as HTTP's "deflate" means it. */
MUST_CHECK int deflate_decode(struct slice in, struct strbuf *out, struct err *err);
MUST_CHECK int deflate_encode(struct slice in, struct strbuf *out, struct err *err);
