/* Typed vectors. VEC_DEFINE(int_vec, int) makes `struct int_vec { int *v; size_t len, cap; }` and its functions:
 *
 *   int_vec_push(&vec, x)       appends a copy; grows by half
 *   int_vec_add(&vec)           appends a zeroed element, returns a pointer to it (until the next change)
 *   int_vec_reserve(&vec, n)    room for n elements in all
 *   int_vec_pop(&vec)           removes and returns the last; the vector must not be empty
 *   int_vec_reset(&vec)         empties, keeps the memory
 *   int_vec_done(&vec)          frees the memory (not what the elements own); usable again
 *
 * A zeroed struct is an empty vector. Growth cannot fail (base/xmalloc.h): not for sizes an outsider chooses. */
#pragma once

#include "base/attr.h"
#include "base/xmalloc.h"
#include <assert.h>
#include <stddef.h>
#include <string.h>

#define VEC_DEFINE(name, type)                                                                                       \
	struct name {                                                                                                \
		type *v;                                                                                             \
		size_t len, cap;                                                                                     \
	};                                                                                                           \
	UNUSED static inline void name##_reserve(struct name *vec, size_t n)                                         \
	{                                                                                                            \
		if (n <= vec->cap)                                                                                   \
			return;                                                                                      \
		size_t cap = vec->cap + vec->cap / 2 + 4;                                                            \
		if (cap < n)                                                                                         \
			cap = n;                                                                                     \
		vec->v = (type *)xreallocarray(vec->v, cap, sizeof(type));                                           \
		vec->cap = cap;                                                                                      \
	}                                                                                                            \
	UNUSED static inline void name##_push(struct name *vec, type x)                                              \
	{                                                                                                            \
		name##_reserve(vec, vec->len + 1);                                                                   \
		vec->v[vec->len++] = x;                                                                              \
	}                                                                                                            \
	UNUSED static inline type *name##_add(struct name *vec)                                                      \
	{                                                                                                            \
		name##_reserve(vec, vec->len + 1);                                                                   \
		memset(&vec->v[vec->len], 0, sizeof(type));                                                          \
		return &vec->v[vec->len++];                                                                          \
	}                                                                                                            \
	UNUSED static inline type name##_pop(struct name *vec)                                                       \
	{                                                                                                            \
		assert(vec->len > 0);                                                                                \
		return vec->v[--vec->len];                                                                           \
	}                                                                                                            \
	UNUSED static inline void name##_reset(struct name *vec)                                                     \
	{                                                                                                            \
		vec->len = 0;                                                                                        \
	}                                                                                                            \
	UNUSED static inline void name##_done(struct name *vec)                                                      \
	{                                                                                                            \
		free(vec->v);                                                                                        \
		vec->v = NULL;                                                                                       \
		vec->len = vec->cap = 0;                                                                             \
	}                                                                                                            \
	struct name

/* for (type *it = ...): VEC_EACH(struct label, l, &vec) { ... } */
#define VEC_EACH(type, it, vec)                                                                                      \
	for (__typeof__(type) *it = (vec)->v, *it##_end = (vec)->len ? (vec)->v + (vec)->len : it; it < it##_end; it++)
