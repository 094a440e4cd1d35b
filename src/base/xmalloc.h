/* Allocation that cannot fail: for small things. When the system has nothing left the process ends with one line,
 * because no caller could do anything useful. Sizes that depend on outside data (bodies, chunks, result sets) do not
 * belong here: they use malloc, or an arena, and return ERR_NO_MEMORY. Freed with free(). Thread-safe. */
#pragma once

#include "base/attr.h"
#include <stddef.h>
#include <stdlib.h>

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *ptr, size_t size) __attribute__((returns_nonnull));
/* n * size, checked for overflow. */
void *xreallocarray(void *ptr, size_t n, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2) __attribute__((malloc, returns_nonnull));
