#include "base/strbuf.h"

#include "base/xmalloc.h"

#include <stdio.h>

enum { FIRST_CAP = 64 };

void strbuf_init(struct strbuf *sb, size_t max_bytes)
{
	*sb = (struct strbuf){.max = max_bytes};
}

void strbuf_done(struct strbuf *sb)
{
	free(sb->ptr);
	strbuf_init(sb, sb->max);
}

void strbuf_reset(struct strbuf *sb)
{
	sb->len = 0;
	sb->overflowed = false;
}

char *strbuf_reserve(struct strbuf *sb, size_t n)
{
	if (sb->overflowed || n > sb->max - sb->len) {
		sb->overflowed = true;
		return NULL;
	}
	size_t want = sb->len + n;
	if (want > sb->cap || !sb->ptr) {
		size_t cap = sb->cap ? sb->cap : FIRST_CAP;
		while (cap < want)
			cap = cap > SIZE_MAX / 2 ? want : cap * 2;
		/* strbuf_addch() knows the capacity only: it must not be larger than the bound. */
		if (cap > sb->max)
			cap = sb->max;
		char *grown = realloc(sb->ptr, cap);
		if (!grown) {
			sb->overflowed = true;
			return NULL;
		}
		sb->ptr = grown;
		sb->cap = cap;
	}
	return sb->ptr + sb->len;
}

void strbuf_add(struct strbuf *sb, const void *bytes, size_t n)
{
	char *room = n ? strbuf_reserve(sb, n) : NULL;
	if (!room)
		return;
	memcpy(room, bytes, n);
	sb->len += n;
}

void strbuf_addv(struct strbuf *sb, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	char *room = n < 0 ? NULL : strbuf_reserve(sb, (size_t)n + 1);
	if (room) {
		vsnprintf(room, (size_t)n + 1, fmt, again);
		sb->len += (size_t)n;
	}
	va_end(again);
}

void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	strbuf_addv(sb, fmt, ap);
	va_end(ap);
}

const char *strbuf_cstr(struct strbuf *sb)
{
	if (sb->len == sb->cap) {
		/* The terminator counts neither against the bound nor as capacity. */
		sb->ptr = xrealloc(sb->ptr, sb->cap + 1);
	}
	sb->ptr[sb->len] = '\0';
	return sb->ptr;
}

char *strbuf_take(struct strbuf *sb)
{
	strbuf_cstr(sb);
	char *out = sb->ptr;
	strbuf_init(sb, sb->max);
	return out;
}
