#include "base/double_text.h"
#include "base/json_read.h"
#include "template/template_funcs.h"
#include "tests/lib/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void own_cases(void **state)
{
	(void)state;
	static const struct {
		void (*how)(struct strbuf *out, double v);
		double in;
		const char *want;
	} cases[] = {
	    {template_humanize, 1234567, "1.235M"},
	    {template_humanize, -0.00012, "-120u"},
	    {template_humanize, 0, "0"},
	    {template_humanize, 1e30, "1e+06Y"},
	    {template_humanize_1024, 1048576, "1Mi"},
	    {template_humanize_1024, 0.12, "0.12"},
	    {template_humanize_duration, -183845, "-2d 3h 4m 5s"},
	    {template_humanize_duration, 0.12345, "123.5ms"},
	    {template_humanize_duration, 59.99, "59.99s"},
	    {template_humanize_duration, 1e300, "1e+300s"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct strbuf sb = STRBUF_INIT;
		cases[i].how(&sb, cases[i].in);
		check_str(cases[i].want, strbuf_slice(&sb), cases[i].want);
		strbuf_done(&sb);
	}
}

static const struct template_func *find(const char *name)
{
	for (size_t i = 0; i < template_general_funcs.n; i++)
		if (strcmp(template_general_funcs.v[i].name, name) == 0)
			return &template_general_funcs.v[i];
	return NULL;
}

static bool apply(const char *function, struct slice in, struct slice *out, struct arena *a)
{
	struct template_set *set = template_set_new(a, &template_general_funcs);
	struct slice text = arena_printf(a, "{{ %s . }}", function);
	struct template_value data = template_text(in);
	struct template_options options = {0};
	struct strbuf sb = STRBUF_INIT;
	struct err err;
	bool good = find(function) && template_parse(set, SL("t"), text, &err) == 0 &&
		    template_exec(set, SL("t"), &data, &options, a, &sb, &err) == 0;
	*out = arena_slice(a, strbuf_slice(&sb));
	strbuf_done(&sb);
	return good;
}

static void conformance(void **state)
{
	(void)state;
	const char *dir = test_conformance_dir();
	if (!dir)
		return;
	char path[4200];
	snprintf(path, sizeof(path), "%s/cases/humanize.json", dir);
	size_t len;
	char *text = test_read_file(path, &len);
	assert_non_null(text);
	struct json_doc *doc;
	struct err err;
	check_ok(path, json_doc_parse(slice_of(text, len), &doc, &err), &err);
	const struct json_value *cases = json_member(json_doc_root(doc), "cases");
	for (size_t i = 0; i < json_count(cases); i++) {
		const struct json_value *c = json_item(cases, i), *in = json_member(c, "in");
		struct slice function, want, input, got;
		struct arena *a = arena_new(ARENA_NO_LIMIT);
		double v;
		char number[DOUBLE_TEXT_MAX];
		assert_true(json_get_string(json_member(c, "function"), &function));
		if (!json_get_string(json_member(c, "out"), &want))
			want = SL("(an error)");
		if (json_get_double(in, &v))
			input = slice_of(number, double_to_go_g(v, number));
		else if (!json_get_string(in, &input))
			fail_msg("case %zu has no input", i);
		char name[200];
		snprintf(name, sizeof(name), "%" SL_FMT " %" SL_FMT, SL_ARG(function), SL_ARG(input));
		function = arena_slice(a, function);
		if (!find(function.ptr)) {
			arena_free(a);
			continue; /* FormatTimestamp and the like: covered by their templates */
		}
		bool good = apply(function.ptr, input, &got, a);
		check_slice(name, good ? got : SL("(an error)"), want);
		arena_free(a);
	}
	json_doc_free(doc);
	free(text);
}

TEST_MAIN("template_humanize", cmocka_unit_test(own_cases), cmocka_unit_test(conformance))
