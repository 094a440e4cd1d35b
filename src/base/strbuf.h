/* A growing string with an upper bound. Overflow is sticky: once the bound would be passed nothing more is added and
 * strbuf_overflowed() says so, so that a writer of a hundred pieces checks once. Heap memory; one thread.
 * `sb.ptr` is always NUL-terminated after strbuf_cstr(), not before. */
#pragma once

#include "base/attr.h"
#include "base/slice.h"
#include <stdarg.h>

struct strbuf {
	char *ptr;
	size_t len;
	size_t cap;
	size_t max;
	bool overflowed;
};

#define STRBUF_NO_LIMIT SIZE_MAX

/* An empty buffer that may grow to `max_bytes`. Allocates nothing yet. */
void strbuf_init(struct strbuf *sb, size_t max_bytes);
#define STRBUF_INIT {.max = STRBUF_NO_LIMIT}
/* Frees the memory; the buffer is empty and usable again, with the same bound. */
void strbuf_done(struct strbuf *sb);
/* Forgets the content and the overflow, keeps the memory. */
void strbuf_reset(struct strbuf *sb);

/* Room for `n` more bytes: a pointer to write them to, or NULL on overflow. Follow with strbuf_advance(). */
char *strbuf_reserve(struct strbuf *sb, size_t n);
static inline void strbuf_advance(struct strbuf *sb, size_t n)
{
	sb->len += n;
}

void strbuf_add(struct strbuf *sb, const void *bytes, size_t n);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...) PRINTF_LIKE(2, 3);
void strbuf_addv(struct strbuf *sb, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

static inline void strbuf_addch(struct strbuf *sb, char c)
{
	if (likely(sb->len < sb->cap))
		sb->ptr[sb->len++] = c;
	else
		strbuf_add(sb, &c, 1);
}

static inline void strbuf_adds(struct strbuf *sb, const char *s)
{
	strbuf_add(sb, s, strlen(s));
}

static inline void strbuf_add_slice(struct strbuf *sb, struct slice s)
{
	strbuf_add(sb, s.ptr, s.len);
}

static inline bool strbuf_overflowed(const struct strbuf *sb)
{
	return sb->overflowed;
}

/* Borrowed until the next change. */
static inline struct slice strbuf_slice(const struct strbuf *sb)
{
	return slice_of(sb->len ? sb->ptr : "", sb->len);
}

/* The content NUL-terminated, borrowed until the next change; never NULL. */
const char *strbuf_cstr(struct strbuf *sb);

/* The content as a heap string that the caller frees; the buffer is empty afterwards. Never NULL. */
char *strbuf_take(struct strbuf *sb);
