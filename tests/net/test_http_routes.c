#include "net/http_routes.h"
#include "tests/lib/test.h"

static void patterns(void **state)
{
	(void)state;
	static const struct http_route table[] = {
	    {.methods = HTTP_GET, .path = "/"},
	    {.methods = HTTP_GET | HTTP_POST, .path = "/api/v1/query"},
	    {.methods = HTTP_GET, .path = "/api/v1/label/:name/values"},
	    {.methods = HTTP_DELETE, .path = "/api/v2/silence/:id"},
	    {.methods = HTTP_GET, .path = "/assets/*"},
	};
	static const struct {
		unsigned method;
		const char *path;
		int want; /* row, or -1 */
		const char *param;
		unsigned allowed;
	} cases[] = {
	    {HTTP_GET, "/", 0, NULL, 0},
	    {HTTP_HEAD, "/", 0, NULL, 0},
	    {HTTP_POST, "/api/v1/query", 1, NULL, 0},
	    {HTTP_PUT, "/api/v1/query", -1, NULL, HTTP_GET | HTTP_HEAD | HTTP_POST},
	    {HTTP_GET, "/api/v1/query/", -1, NULL, 0},
	    {HTTP_GET, "/api/v1/label/a%2Fb/values", 2, "a/b", 0},
	    {HTTP_GET, "/api/v1/label/a/b/values", -1, NULL, 0},
	    {HTTP_GET, "/api/v1/label//values", 2, "", 0},
	    {HTTP_DELETE, "/api/v2/silence/x-1", 3, "x-1", 0},
	    {HTTP_DELETE, "/api/v2/silence", -1, NULL, 0},
	    {HTTP_GET, "/assets/js/app.js", 4, "js/app.js", 0},
	    {HTTP_GET, "", -1, NULL, 0},
	    {HTTP_GET, "*", -1, NULL, 0},
	};
	struct http_route_vec routes = {0};
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		http_route_vec_push(&routes, table[i]);
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_path_params params;
		unsigned allowed;
		const struct http_route *r = http_routes_find(
		    &routes, cases[i].method, slice_cstr(cases[i].path), a, &params, &allowed);
		check_int(cases[i].path, r ? r - routes.v : -1, cases[i].want);
		check_int(cases[i].path, allowed, cases[i].allowed);
		if (cases[i].param)
			check_str(cases[i].path, params.value[0], cases[i].param);
	}
	arena_free(a);
	http_route_vec_done(&routes);
}

TEST_MAIN("http_routes", cmocka_unit_test(patterns))
