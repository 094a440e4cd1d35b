#include "tests/lib/cases.h"

#include "base/double_text.h"
#include "base/xmalloc.h"
#include "tests/lib/test.h"

#include <stdlib.h>

struct test_cases {
	char *text;
	struct json_doc *doc;
	struct arena *arena;
	const struct json_value *list;
};

struct test_cases *test_cases_open(const char *name)
{
	const char *folder = test_conformance_dir();
	if (!folder) {
		print_message("# no conformance data: %s skipped\n", name);
		return NULL;
	}
	char *path = xasprintf("%s/cases/%s", folder, name);
	size_t len = 0;
	char *text = test_read_file(path, &len);
	if (!text) {
		print_message("# no %s: skipped\n", path);
		free(path);
		return NULL;
	}
	free(path);
	struct test_cases *c = (struct test_cases *)xcalloc(1, sizeof(*c));
	struct err err;
	c->text = text;
	c->arena = arena_new(ARENA_NO_LIMIT);
	check_ok(name, json_doc_parse(slice_of(text, len), &c->doc, &err), &err);
	c->list = json_member(json_doc_root(c->doc), "cases");
	check_true(name, json_count(c->list) > 0);
	return c;
}

void test_cases_close(struct test_cases *c)
{
	if (!c)
		return;
	json_doc_free(c->doc);
	arena_free(c->arena);
	free(c->text);
	free(c);
}

size_t test_cases_count(const struct test_cases *c)
{
	return c ? json_count(c->list) : 0;
}

const struct json_value *test_cases_member(const struct test_cases *c, const char *name)
{
	return json_member(json_doc_root(c->doc), name);
}

const struct json_value *test_case(const struct test_cases *c, size_t i)
{
	return json_item(c->list, i);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

struct slice test_case_bytes(struct test_cases *c, const struct json_value *v)
{
	struct slice s = SL_EMPTY;
	if (json_get_string(v, &s) || !json_get_string(json_member(v, "bytes_hex"), &s))
		return s;
	char *bytes = (char *)arena_alloc(c->arena, s.len / 2);
	for (size_t i = 0; i < s.len / 2; i++)
		bytes[i] = (char)(hex_digit(s.ptr[2 * i]) << 4 | hex_digit(s.ptr[2 * i + 1]));
	return slice_of(bytes, s.len / 2);
}

struct slice test_case_text(struct test_cases *c, const struct json_value *v, const char *member)
{
	return test_case_bytes(c, json_member(v, member));
}

bool test_case_bool(const struct json_value *v, const char *member)
{
	bool b = false;
	json_get_bool(json_member(v, member), &b);
	return b;
}

double test_case_double(const struct json_value *v, const char *member)
{
	double d = 0;
	struct slice s;
	if (!json_get_double(json_member(v, member), &d) && json_get_string(json_member(v, member), &s))
		check_true(member, double_parse(s, &d));
	return d;
}

struct arena *test_cases_arena(struct test_cases *c)
{
	return c->arena;
}
