/* The parameters of a request, from its form body and its query string, in Go's order: body first. One owner. */
#pragma once

#include "base/arena.h"
#include "base/slice.h"
#include "base/vec.h"

struct http_param {
	struct slice name, value;
};
VEC_DEFINE(http_param_vec, struct http_param);

/* Appends the pairs of "a=1&b=2", decoded into the arena; at most 10,000 in all, the rest is ignored. */
void http_params_add(struct http_param_vec *params, struct slice text, struct arena *arena);
/* The k-th value of `name`; false behind the last. */
bool http_params_get(const struct http_param_vec *params, const char *name, size_t k, struct slice *value);
