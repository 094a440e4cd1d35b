/* Interned strings: each label name and value of the head once. A symbol is a 32-bit number, the place of the text; equal
 * texts have equal symbols. Users of a symbol are counted; the room of one that is freed is given to a later text.
 *
 * Adding and finding belong to the owner's lock. symbols_text() needs none for a symbol that was handed over under a
 * lock or by an atomic: text never moves. Whoever frees it sees to it that nobody reads it any more. */
#pragma once

#include "base/err.h"
#include "base/slice.h"
#include "tsdb/tag_table.h"
#include <stdint.h>

enum {
	SYMBOL_MAX_BYTES = 1 << 19,                      /* of one text */
	SYMBOL_SEGMENT_SHIFT = 20,                       /* text lies in segments of 1 MiB */
	SYMBOL_SEGMENTS = 1 << 12,                       /* 4 GiB in all */
	SYMBOL_ROOMS = 512 + SYMBOL_MAX_BYTES / 512 + 2, /* sizes that text takes: exact below 512 bytes */
};

struct symbols {
	char **segments; /* SYMBOL_SEGMENTS pointers: never moved */
	uint32_t end;    /* where the next text goes */
	size_t n_segments;
	struct tag_table by_text;
	uint32_t *free; /* SYMBOL_ROOMS: the first free place of each size; the next one stands in it */
};

void symbols_init(struct symbols *s);
void symbols_done(struct symbols *s);
/* The symbol of `text`, made when new. ERR_LIMIT: too long, or 4 GiB are full. */
MUST_CHECK int symbols_add(struct symbols *s, struct slice text, uint32_t *symbol, struct err *err);
/* One user more, or one less; with the last the symbol is freed. A symbol that was only added has none. Text of very many
 * users stays. */
void symbols_use(struct symbols *s, uint32_t symbol);
void symbols_unuse(struct symbols *s, uint32_t symbol);
/* 0 when the text is not there. */
uint32_t symbols_find(const struct symbols *s, struct slice text);
/* Borrowed as long as the table lives. */
struct slice symbols_text(const struct symbols *s, uint32_t symbol);
static inline size_t symbols_count(const struct symbols *s)
{
	return s->by_text.len;
}
size_t symbols_bytes(const struct symbols *s);
