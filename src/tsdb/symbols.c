/* A text lies in its segment as the number of its users (a byte; 0xff is for ever), its length (one byte, or 0xff and four)
 * and its bytes. Symbol 0 is none, so the first text starts at 1. */
#include "tsdb/symbols.h"

#include "base/hash.h"
#include "base/xmalloc.h"
#include <string.h>

enum {
	LONG_TEXT = 0xff,
	USED_FOR_EVER = 0xff,
	SEGMENT_BYTES = 1 << SYMBOL_SEGMENT_SHIFT,
	ROOM_STEP = 512,
};

void symbols_init(struct symbols *s)
{
	*s = (struct symbols){.end = 1};
	s->segments = xcalloc(SYMBOL_SEGMENTS, sizeof(char *));
	s->free = xcalloc(SYMBOL_ROOMS, sizeof(*s->free));
}

void symbols_done(struct symbols *s)
{
	for (size_t i = 0; i < s->n_segments; i++)
		free(s->segments[i]);
	free(s->segments);
	free(s->free);
	tag_table_done(&s->by_text);
}

static char *at(const struct symbols *s, uint32_t symbol)
{
	return s->segments[symbol >> SYMBOL_SEGMENT_SHIFT] + (symbol & (SEGMENT_BYTES - 1));
}

struct slice symbols_text(const struct symbols *s, uint32_t symbol)
{
	const char *p = at(s, symbol) + 1;
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

static size_t head_bytes(size_t len)
{
	return len < LONG_TEXT ? 2 : 6;
}

/* The bytes that a text takes, and the list of its size: room enough for a link when it is free. */
static size_t room_of(size_t len, size_t *list)
{
	size_t n = head_bytes(len) + len;
	if (n < sizeof(uint32_t))
		n = sizeof(uint32_t);
	*list = n;
	if (n < ROOM_STEP)
		return n;
	size_t steps = (n + ROOM_STEP - 1) / ROOM_STEP;
	*list = ROOM_STEP + steps - 1;
	return steps * ROOM_STEP;
}

static uint32_t take_free(struct symbols *s, size_t list)
{
	uint32_t symbol = s->free[list];
	if (symbol)
		memcpy(&s->free[list], at(s, symbol), sizeof(symbol));
	return symbol;
}

/* A place for `n` bytes within one segment; ERR_LIMIT when all segments are full. */
static int place(struct symbols *s, size_t n, uint32_t *symbol)
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
	*symbol = (uint32_t)start;
	s->end = (uint32_t)(start + n);
	return 0;
}

static void put_text(char *p, struct slice text)
{
	uint32_t len = (uint32_t)text.len;
	p[0] = 0;
	p[1] = (char)(len < LONG_TEXT ? len : LONG_TEXT);
	if (len >= LONG_TEXT)
		memcpy(p + 2, &len, sizeof(len));
	memcpy(p + head_bytes(len), text.ptr, len);
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
	size_t list, room = room_of(text.len, &list);
	sym = take_free(s, list);
	if (!sym && place(s, room, &sym) != 0)
		return err_set(
		    err, ERR_LIMIT, "4 GiB of label names and values are in use: no new ones are taken");
	put_text(at(s, sym), text);
	tag_table_add(&s->by_text, hash, sym);
	*symbol = sym;
	return 0;
}

void symbols_use(struct symbols *s, uint32_t symbol)
{
	uint8_t *users = (uint8_t *)at(s, symbol);
	if (*users != USED_FOR_EVER)
		++*users;
}

void symbols_unuse(struct symbols *s, uint32_t symbol)
{
	uint8_t *users = (uint8_t *)at(s, symbol);
	if (*users == USED_FOR_EVER || --*users > 0)
		return;
	struct slice text = symbols_text(s, symbol);
	size_t list;
	room_of(text.len, &list);
	tag_table_remove(&s->by_text, hash64(text.ptr, text.len), symbol);
	memcpy(users, &s->free[list], sizeof(symbol));
	s->free[list] = symbol;
}

size_t symbols_bytes(const struct symbols *s)
{
	return s->n_segments * (size_t)SEGMENT_BYTES + s->by_text.bytes + SYMBOL_SEGMENTS * sizeof(char *) +
	       SYMBOL_ROOMS * sizeof(*s->free);
}
