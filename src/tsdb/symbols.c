/* A text lies in its segment as its length (one byte, or 0xff and four) and its bytes. Symbol 0 is none, so the first
 * text starts at 1. */
#include "tsdb/symbols.h"

#include "base/hash.h"
#include "base/xmalloc.h"
#include <string.h>

enum { LONG_TEXT = 0xff, SEGMENT_BYTES = 1 << SYMBOL_SEGMENT_SHIFT };

void symbols_init(struct symbols *s)
{
	*s = (struct symbols){.end = 1};
	s->segments = xcalloc(SYMBOL_SEGMENTS, sizeof(char *));
}

void symbols_done(struct symbols *s)
{
	for (size_t i = 0; i < s->n_segments; i++)
		free(s->segments[i]);
	free(s->segments);
	tag_table_done(&s->by_text);
}

struct slice symbols_text(const struct symbols *s, uint32_t symbol)
{
	const char *p = s->segments[symbol >> SYMBOL_SEGMENT_SHIFT] + (symbol & (SEGMENT_BYTES - 1));
	uint8_t n = (uint8_t)*p;
	if (n != LONG_TEXT)
		return slice_of(p + 1, n);
	uint32_t len;
	memcpy(&len, p + 1, sizeof(len));
	return slice_of(p + 5, len);
}

static uint32_t find_hashed(const struct symbols *s, struct slice text, uint64_t hash)
{
	struct tag_walk w;
	for (uint32_t sym = tag_table_first(&s->by_text, hash, &w); sym; sym = tag_table_next(&w))
		if (slice_eq(symbols_text(s, sym), text))
			return sym;
	return 0;
}

uint32_t symbols_find(const struct symbols *s, struct slice text)
{
	return find_hashed(s, text, hash64(text.ptr, text.len));
}

/* A place for `n` bytes within one segment; ERR_LIMIT when all segments are full. */
static int place(struct symbols *s, size_t n, uint32_t *at)
{
	uint32_t left = SEGMENT_BYTES - (s->end & (SEGMENT_BYTES - 1));
	uint64_t start = n <= left ? s->end : (uint64_t)s->end + left;
	size_t segment = (size_t)(start >> SYMBOL_SEGMENT_SHIFT);
	if (start + n > UINT32_MAX || segment >= SYMBOL_SEGMENTS)
		return ERR_LIMIT;
	if (segment >= s->n_segments) {
		s->segments[segment] = xmalloc(SEGMENT_BYTES);
		s->n_segments = segment + 1;
	}
	*at = (uint32_t)start;
	return 0;
}

int symbols_add(struct symbols *s, struct slice text, uint32_t *symbol, struct err *err)
{
	uint64_t hash = hash64(text.ptr, text.len);
	uint32_t sym = find_hashed(s, text, hash);
	if (sym) {
		*symbol = sym;
		return 0;
	}
	if (text.len > SYMBOL_MAX_BYTES)
		return err_set(err, ERR_LIMIT, "label name or value of %zu bytes is too long: at most %d",
		    text.len, SYMBOL_MAX_BYTES);
	size_t head = text.len < LONG_TEXT ? 1 : 5;
	if (place(s, head + text.len, &sym) != 0)
		return err_set(
		    err, ERR_LIMIT, "4 GiB of label names and values are in use: no new ones are taken");
	char *p = s->segments[sym >> SYMBOL_SEGMENT_SHIFT] + (sym & (SEGMENT_BYTES - 1));
	uint32_t len = (uint32_t)text.len;
	p[0] = (char)(head == 1 ? len : LONG_TEXT);
	if (head > 1)
		memcpy(p + 1, &len, sizeof(len));
	memcpy(p + head, text.ptr, text.len);
	s->end = sym + (uint32_t)(head + text.len);
	tag_table_add(&s->by_text, hash, sym);
	*symbol = sym;
	return 0;
}

size_t symbols_bytes(const struct symbols *s)
{
	return s->n_segments * (size_t)SEGMENT_BYTES + s->by_text.bytes + SYMBOL_SEGMENTS * sizeof(char *);
}
