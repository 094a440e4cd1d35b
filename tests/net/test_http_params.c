#include "net/http_params.h"
#include "tests/lib/test.h"

static void body_comes_before_query(void **state)
{
	(void)state;
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	struct http_param_vec params = {0};
	http_params_add(&params, SL("match[]=a&match%5B%5D=b&&x"), a);
	http_params_add(&params, SL("match[]=c&y=%2B+1"), a);
	static const struct {
		const char *name;
		size_t k;
		const char *want; /* NULL: absent */
	} cases[] = {{"match[]", 0, "a"}, {"match[]", 1, "b"}, {"match[]", 2, "c"}, {"match[]", 3, NULL},
	    {"x", 0, ""}, {"y", 0, "+ 1"}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice value = SL("untouched");
		bool found = http_params_get(&params, cases[i].name, cases[i].k, &value);
		check_int(cases[i].name, found, cases[i].want != NULL);
		check_str(cases[i].name, value, cases[i].want ? cases[i].want : "untouched");
	}
	http_param_vec_done(&params);
	arena_free(a);
}

TEST_MAIN("http_params", cmocka_unit_test(body_comes_before_query))
