/* The upstream cases of alert templates: cases/template_prometheus.json. */
#include "base/double_text.h"
#include "base/json_read.h"
#include "template/template_funcs.h"
#include "tests/lib/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct template_value value_of(const struct json_value *v, struct arena *a)
{
	struct slice s;
	double d;
	int64_t i;
	if (json_get_string(v, &s)) {
		/* special floats are spelt as text */
		if (double_parse(s, &d) && !isfinite(d))
			return template_float(d);
		return template_text(s);
	}
	if (json_kind_of(v) == JSON_KIND_INT && json_get_int(v, &i))
		return template_int(i);
	if (json_get_double(v, &d))
		return template_float(d);
	if (json_kind_of(v) == JSON_KIND_LIST) {
		size_t n = json_count(v);
		struct template_value *items = ARENA_ARRAY(a, struct template_value, n);
		for (size_t k = 0; k < n; k++)
			items[k] = value_of(json_item(v, k), a);
		return template_list(items, n);
	}
	return TEMPLATE_NIL;
}

static int answer(void *arg, struct slice expr, int64_t now_ms, struct arena *arena,
    struct template_sample **out, size_t *n, struct err *err)
{
	const struct json_value *list = arg;
	(void)expr;
	(void)now_ms;
	(void)err;
	*n = json_count(list);
	struct template_sample *samples = ARENA_ARRAY(arena, struct template_sample, *n);
	for (size_t i = 0; i < *n; i++) {
		const struct json_value *labels = json_member(json_item(list, i), "labels"), *value;
		struct label pairs[16];
		size_t count = 0;
		struct slice name;
		for (void *at = NULL; json_next_member(labels, &at, &name, &value) && count < 16; count++) {
			pairs[count].name = name;
			json_get_string(value, &pairs[count].value);
		}
		assert_int_equal(labels_from_pairs(arena, pairs, count, &samples[i].labels, err), 0);
		json_get_double(json_member(json_item(list, i), "value"), &samples[i].value);
	}
	*out = samples;
	return 0;
}

static void run_case(const struct json_value *c)
{
	struct slice text, want, error = SL_EMPTY, option;
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	struct strbuf out = STRBUF_INIT;
	struct err err = {0};
	assert_true(json_get_string(json_member(c, "text"), &text));
	bool has_error = json_get_string(json_member(c, "error"), &error);
	struct template_env env = {.query = answer,
	    .query_arg = (void *)(uintptr_t)json_member(c, "query_result"),
	    .now_ms = 1353755652000,
	    .external_url = SL("http://testhost:9090/path/prefix")};
	struct template_options options = {.user = &env};
	json_get_bool(json_member(c, "html"), &options.escape_html);
	if (json_get_string(json_item(json_member(c, "options"), 0), &option) &&
	    slice_eq(option, SL("missingkey=error")))
		options.missing_key = TEMPLATE_MISSING_ERROR;
	struct template_value data = value_of(json_member(c, "input"), a);
	struct template_set *set = template_set_new(a, &template_prometheus_funcs);
	char *name = slice_dup(text);
	int rc = template_parse(set, SL("test"), text, &err);
	if (rc)
		err_prefix(&err, "error parsing template test: ");
	else if ((rc = template_exec(set, SL("test"), &data, &options, a, &out, &err)))
		err_prefix(&err, "error executing template test: ");
	if (has_error)
		check_slice(name, slice_cstr(rc ? err.msg : "(no error)"), error);
	else if (json_get_string(json_member(c, "output"), &want))
		check_slice(name, rc ? slice_cstr(err.msg) : strbuf_slice(&out), want);
	free(name);
	strbuf_done(&out);
	arena_free(a);
}

/* The JSON reader takes integers of 64 bits with a sign; the one case with the largest unsigned one becomes a float, which is
 * what the functions make of it anyway. */
static char *without_huge_integers(char *text)
{
	struct strbuf out = STRBUF_INIT;
	const char *rest = text, *at;
	while ((at = strstr(rest, "18446744073709551615"))) {
		strbuf_add(&out, rest, (size_t)(at - rest) + 20);
		strbuf_adds(&out, ".0");
		rest = at + 20;
	}
	strbuf_adds(&out, rest);
	free(text);
	return strbuf_take(&out);
}

static void conformance(void **state)
{
	(void)state;
	const char *dir = test_conformance_dir();
	if (!dir)
		return;
	char path[4200];
	snprintf(path, sizeof(path), "%s/cases/template_prometheus.json", dir);
	char *text = test_read_file(path, NULL);
	assert_non_null(text);
	text = without_huge_integers(text);
	struct json_doc *doc;
	struct err err;
	check_ok(path, json_doc_parse(slice_cstr(text), &doc, &err), &err);
	const struct json_value *cases = json_member(json_doc_root(doc), "cases");
	check_true("cases", json_count(cases) > 40);
	for (size_t i = 0; i < json_count(cases); i++)
		run_case(json_item(cases, i));
	json_doc_free(doc);
	free(text);
}

TEST_MAIN("template_conformance", cmocka_unit_test(conformance))
