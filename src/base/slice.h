/* Text as pointer and length, by value. Not NUL-terminated, not owned: whoever hands one out says how long the
 * bytes live. Bytes are arbitrary; where UTF-8 matters, base/utf8.h checks it. */
#pragma once

#include "base/attr.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const char *ptr;
	size_t len;
};

/* printf("%" SL_FMT, SL_ARG(s)) */
#define SL_FMT    ".*s"
#define SL_ARG(s) (int)(s).len, (s).ptr

/* A slice of a string literal; SL_INIT for static tables. */
#define SL(lit)      ((struct slice){"" lit, sizeof(lit) - 1})
#define SL_INIT(lit) {"" lit, sizeof(lit) - 1}

#define SL_EMPTY ((struct slice){"", 0})

static inline struct slice slice_of(const char *ptr, size_t len)
{
	return (struct slice){ptr, len};
}

static inline struct slice slice_cstr(const char *s)
{
	return (struct slice){s, strlen(s)};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.ptr == b.ptr || a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_eq_cstr(struct slice a, const char *s)
{
	return slice_eq(a, slice_cstr(s));
}

/* Byte order, a prefix before what it starts: <0, 0, >0. */
static inline int slice_cmp(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n == 0 || a.ptr == b.ptr ? 0 : memcmp(a.ptr, b.ptr, n);
	return c ? c : (a.len > b.len) - (a.len < b.len);
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool slice_ends(struct slice s, struct slice suffix)
{
	return s.len >= suffix.len &&
	    (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

/* From byte `from` (at most s.len) to the end. */
static inline struct slice slice_from(struct slice s, size_t from)
{
	return (struct slice){s.ptr + from, s.len - from};
}

/* Position of the first `c`, or s.len. */
static inline size_t slice_find(struct slice s, char c)
{
	const char *p = s.len ? (const char *)memchr(s.ptr, c, s.len) : NULL;
	return p ? (size_t)(p - s.ptr) : s.len;
}

/* ASCII only, never the locale. */
bool slice_eq_nocase(struct slice a, struct slice b);

/* Without ASCII white space at both ends. */
struct slice slice_trim(struct slice s);

/* A NUL-terminated copy on the heap; the caller frees. */
char *slice_dup(struct slice s);
