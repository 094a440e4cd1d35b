/* The table of routes: patterns like "/api/v1/label/:name/values", looked up by walking the segments. Filled before the
 * server starts, read-only afterwards. */
#pragma once

#include "base/arena.h"
#include "base/vec.h"
#include "net/http_server.h"

enum { HTTP_MAX_PATH_PARAMS = 4 };

struct http_path_params {
	size_t n;
	struct slice name[HTTP_MAX_PATH_PARAMS], value[HTTP_MAX_PATH_PARAMS];
};

VEC_DEFINE(http_route_vec, struct http_route);

/* The route for method and raw (undecoded) path; values of its parameters, decoded into the arena, go to `params`.
 * NULL: none; then *allowed is the mask of methods that would have been right (0: the path is unknown). */
const struct http_route *http_routes_find(const struct http_route_vec *routes, unsigned method,
    struct slice path, struct arena *arena, struct http_path_params *params, unsigned *allowed);
