#include "base/json_read.h"
#include "tests/lib/test.h"

static struct json_doc *parse(const char *text)
{
	struct json_doc *doc = NULL;
	struct err err;
	check_ok(text, json_doc_parse(slice_cstr(text), &doc, &err), &err);
	return doc;
}

static void values(void **state)
{
	(void)state;
	struct json_doc *doc = parse("{\"s\":\"a\\u0000b\",\"i\":-7,\"d\":2.5,\"t\":true,\"n\":null,\"l\":[1,"
				     "[2],{}],\"o\":{\"x\":\"y\"}}");
	const struct json_value *root = json_doc_root(doc);
	struct slice s;
	int64_t i;
	double d;
	bool b;
	check_true("string", json_get_string(json_member(root, "s"), &s));
	check_slice("string", s, SL("a\0b"));
	check_true("int", json_get_int(json_member(root, "i"), &i));
	check_int("int", i, -7);
	check_true("double", json_get_double(json_member(root, "d"), &d));
	check_double("double", d, 2.5);
	check_true("int as double", json_get_double(json_member(root, "i"), &d));
	check_double("int as double", d, -7);
	check_true("bool", json_get_bool(json_member(root, "t"), &b) && b);
	check_int("null", json_kind_of(json_member(root, "n")), JSON_KIND_NULL);
	check_int("absent", json_kind_of(json_member(root, "zz")), JSON_KIND_NONE);
	check_int("list", json_count(json_member(root, "l")), 3);
	check_true("nested", json_get_int(json_item(json_item(json_member(root, "l"), 1), 0), &i));
	check_int("nested", i, 2);
	check_true("behind the end", json_item(json_member(root, "l"), 3) == NULL);
	check_true("wrong kinds",
	    !json_get_string(json_member(root, "i"), &s) && !json_get_int(json_member(root, "d"), &i) &&
		!json_get_bool(json_member(root, "n"), &b) && !json_get_double(NULL, &d));
	json_doc_free(doc);
}

static void members_in_order(void **state)
{
	(void)state;
	struct json_doc *doc = parse("{\"b\":1,\"a\":2,\"c\":3}");
	struct strbuf names = STRBUF_INIT;
	struct slice name;
	const struct json_value *v;
	for (void *at = NULL; json_next_member(json_doc_root(doc), &at, &name, &v);)
		strbuf_add_slice(&names, name);
	check_str("names", strbuf_slice(&names), "bac");
	strbuf_done(&names);
	json_doc_free(doc);
}

static void errors_have_a_place(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		uint32_t line;
	} cases[] = {{"", 1}, {"{\n\"a\":\n}", 3}, {"[1,2", 1}, {"{}x", 1}, {"\"\xff\"", 1}, {"1e999", 1}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct json_doc *doc;
		struct err err;
		check_int(cases[i].in, json_doc_parse(slice_cstr(cases[i].in), &doc, &err), ERR_INVALID);
		check_int(cases[i].in, err.line, cases[i].line);
		check_true(cases[i].in, slice_starts(slice_cstr(err.msg), SL("invalid JSON: ")));
	}
}

static void depth_is_bounded(void **state)
{
	(void)state;
	char text[4000];
	struct json_doc *doc;
	for (size_t depth = 63; depth < 2000; depth += 400) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		int rc = json_doc_parse(slice_of(text, 2 * depth), &doc, NULL);
		check_int("nested lists", rc, depth <= 64 ? 0 : ERR_INVALID);
		if (rc == 0)
			json_doc_free(doc);
	}
}

static void values_are_counted_before(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		size_t want;
	} cases[] = {{"", 1}, {"1", 1}, {"[]", 2}, {"[1,2,[3]]", 5}, {"{\"a\":1,\"b\":{}}", 4},
	    {"[\",[{\\\",\",2]", 3}, {"\"\\", 1}, {"[\"a,b", 2}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_int(cases[i].in, json_text_values(slice_cstr(cases[i].in)), cases[i].want);
}

TEST_MAIN("json_read", cmocka_unit_test(values), cmocka_unit_test(members_in_order),
    cmocka_unit_test(errors_have_a_place), cmocka_unit_test(depth_is_bounded),
    cmocka_unit_test(values_are_counted_before))
