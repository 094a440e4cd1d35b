#include "tests/lib/cases.h"
#include "tests/web/web_fixture.h"

#include "base/xmalloc.h"
#include "config/config_file.h"

/* A generation that holds external labels only. */
struct config_holder {
	struct config_generation generation;
	struct config config;
};

static struct config_generation *get_config(void *arg)
{
	struct config_holder *h = arg;
	return config_generation_ref(&h->generation);
}

static const struct labels *external_labels(struct arena *a, const struct json_value *v)
{
	struct label l[8];
	size_t n = 0;
	const struct json_value *value;
	for (void *at = NULL; n < ARRAY_LEN(l) && json_next_member(v, &at, &l[n].name, &value); n++)
		json_get_string(value, &l[n].value);
	const struct labels *out = NULL;
	struct err err;
	check_ok("external labels", labels_from_pairs(a, l, n, &out, &err), &err);
	return out;
}

/* One case has a server of its own: its external labels are configuration. */
static void run_case(struct test_cases *all, const struct json_value *c)
{
	struct web_fixture f;
	struct slice text = SL_EMPTY, params = test_case_text(all, c, "params");
	struct config_holder holder = {.generation = {.refs = 1}};
	holder.generation.config = &holder.config;
	json_get_string(test_cases_member(all, "load"), &text);
	web_fixture_start(&f, NULL, 6060000);
	holder.config.global.external_labels = external_labels(f.arena, json_member(c, "external_labels"));
	f.deps.config = (struct web_config_provider){.get = get_config, .arg = &holder};
	web_fixture_load(&f, arena_strdup(f.arena, text));
	web_fixture_ready(&f);
	char *path = xasprintf("/federate?%" SL_FMT, SL_ARG(params));
	for (char *p = path; *p; p++)
		if (*p == ' ')
			*p = '+';
	int64_t code = 0;
	json_get_int(json_member(c, "code"), &code);
	web_fixture_get(&f, path);
	check_slice(path, f.body, test_case_text(all, c, "body"));
	check_int(path, f.status, code);
	free(path);
	web_fixture_stop(&f);
}

static void conformance(void **state)
{
	(void)state;
	struct test_cases *all = test_cases_open("federate.json");
	for (size_t i = 0; i < test_cases_count(all); i++)
		run_case(all, test_case(all, i));
	test_cases_close(all);
}

static void names_outside_the_old_charset(void **state)
{
	(void)state;
	struct web_fixture f;
	web_fixture_start(&f, NULL, 60000);
	web_fixture_load(&f, "{\"a.b\",\"c.d\"=\"x\\\"y\\\\z\\n\"} 1+0x1\n");
	web_fixture_ready(&f);
	static const char path[] = "/federate?match[]=%7B%22a.b%22%7D";
	web_fixture_expect(
	    &f, path, 200, "# TYPE a_b untyped\na_b{c_d=\"x\\\"y\\\\z\\n\",instance=\"\"} 1 60000\n");
	check_str("type", web_fixture_header(&f, "Content-Type"),
	    "text/plain; version=0.0.4; charset=utf-8; escaping=underscores");
	web_fixture_call(&f, "GET", path, "Accept: text/plain;version=1.0.0;escaping=allow-utf-8\r\n", NULL);
	check_str("quoted", f.body,
	    "# TYPE \"a.b\" untyped\n{\"a.b\",\"c.d\"=\"x\\\"y\\\\z\\n\",instance=\"\"} 1 60000\n");
	check_str("type", web_fixture_header(&f, "Content-Type"),
	    "text/plain; version=0.0.4; charset=utf-8; escaping=allow-utf-8");
	web_fixture_stop(&f);
}

static void before_ready(void **state)
{
	(void)state;
	struct web_fixture f;
	web_fixture_start(&f, NULL, 0);
	web_fixture_expect(&f, "/federate", 503, "Service Unavailable");
	web_fixture_stop(&f);
}

TEST_MAIN("federate", cmocka_unit_test(conformance), cmocka_unit_test(names_outside_the_old_charset),
    cmocka_unit_test(before_ready))
