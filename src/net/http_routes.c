#include "net/http_routes.h"

#include "net/url.h"

/* The segment up to the next '/', which is taken too. */
static struct slice next_segment(struct slice *rest)
{
	size_t at = slice_find(*rest, '/');
	struct slice segment = slice_of(rest->ptr, at);
	*rest = slice_from(*rest, at < rest->len ? at + 1 : at);
	return segment;
}

static bool matches(
    struct slice pattern, struct slice path, struct arena *arena, struct http_path_params *params)
{
	params->n = 0;
	if (!path.len || path.ptr[0] != '/')
		return false;
	/* A pattern without parameters is compared whole, which also keeps "/a" and "/a/" apart. */
	if (slice_find(pattern, ':') == pattern.len && !slice_ends(pattern, SL("*")))
		return slice_eq(pattern, path);
	pattern = slice_from(pattern, 1);
	path = slice_from(path, 1);
	while (pattern.len) {
		struct slice want = next_segment(&pattern);
		if (slice_eq(want, SL("*")) && !pattern.len) {
			params->name[params->n] = SL("*");
			params->value[params->n++] = url_decode(path, false, arena);
			return true;
		}
		if (!path.len)
			return false;
		bool last_of_path = slice_find(path, '/') == path.len;
		struct slice got = next_segment(&path);
		if (last_of_path != (pattern.len == 0))
			return false;
		if (want.len && want.ptr[0] == ':' && params->n < HTTP_MAX_PATH_PARAMS - 1) {
			params->name[params->n] = slice_from(want, 1);
			params->value[params->n++] = url_decode(got, false, arena);
		} else if (!slice_eq(want, got)) {
			return false;
		}
	}
	return path.len == 0;
}

const struct http_route *http_routes_find(const struct http_route_vec *routes, unsigned method,
    struct slice path, struct arena *arena, struct http_path_params *params, unsigned *allowed)
{
	*allowed = 0;
	VEC_EACH (struct http_route, r, routes) {
		if (!matches(slice_cstr(r->path), path, arena, params))
			continue;
		unsigned methods = r->methods & HTTP_GET ? r->methods | HTTP_HEAD : r->methods;
		if (methods & method)
			return r;
		*allowed |= methods;
	}
	params->n = 0;
	return NULL;
}
