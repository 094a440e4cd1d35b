/* The file of running queries: byte for byte what Prometheus writes. */
#include "tests/lib/test.h"

#include "base/json_read.h"
#include "promql/active_queries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRY = 1000 };

static struct active_queries *open_in(const char *dir, unsigned max, struct strbuf *unfinished)
{
	struct active_queries *a;
	struct err err;

	check_ok("open", active_queries_open(fs_real(), dir, max, &a, unfinished, &err), &err);
	return a;
}

static char *read_file(const char *dir, size_t *len)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/queries.active", dir);
	return test_read_file(path, len);
}

static void entries(void **state)
{
	char *dir = test_tmpdir();
	struct strbuf unfinished = STRBUF_INIT;
	struct active_queries *a = open_in(dir, 3, &unfinished);
	size_t len;
	(void)state;

	check_int("nothing was left", unfinished.len, 0);
	check_int("first", active_queries_add(a, SL("up"), 1700000000999), 0);
	check_int("second", active_queries_add(a, SL("a < \"b\""), 1700000001000), 1);
	char *file = read_file(dir, &len);
	check_int("length", len, 1 + 3 * ENTRY);
	check_int("begins", file[0], '[');
	check_str("first", slice_cstr(file + 1), "{\"query\":\"up\",\"timestamp_sec\":1700000000}");
	check_int("comma", file[ENTRY], ',');
	check_str("second", slice_cstr(file + 1 + ENTRY),
	    "{\"query\":\"a \\u003c \\\"b\\\"\",\"timestamp_sec\":1700000001}");
	free(file);

	active_queries_remove(a, 0);
	check_int("third", active_queries_add(a, SL("c"), 0), 0);
	check_int("fourth", active_queries_add(a, SL("d"), 0), 2);
	check_int("full", active_queries_add(a, SL("e"), 0), -1);
	active_queries_remove(a, -1);
	active_queries_remove(a, 1);
	active_queries_close(a);

	a = open_in(dir, 3, &unfinished);
	check_str("unfinished", strbuf_slice(&unfinished),
	    "[{\"query\":\"c\",\"timestamp_sec\":0},{\"query\":\"d\",\"timestamp_sec\":0}]");
	strbuf_reset(&unfinished);
	active_queries_close(a);
	a = open_in(dir, 5, &unfinished);
	check_int("told once", unfinished.len, 0);
	active_queries_close(a);
	strbuf_done(&unfinished);
	test_tmpdir_done(dir);
}

/* What does not fit is cut between characters, whatever escaping makes of it. */
static void long_queries(void **state)
{
	static const char *const parts[] = {"x", "\xc3\xa9", "<", "\"", "\x01", "\xff"};
	char *dir = test_tmpdir();
	struct strbuf unfinished = STRBUF_INIT;
	struct active_queries *a = open_in(dir, 1, &unfinished);
	(void)state;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		struct strbuf query = STRBUF_INIT;
		struct json_doc *doc;
		struct err err;
		size_t len;
		while (query.len < 5000)
			strbuf_adds(&query, parts[i]);
		int place = active_queries_add(a, strbuf_slice(&query), 1);
		char *file = read_file(dir, &len);
		check_int("comma", file[ENTRY], ',');
		check_ok(parts[i],
		    json_doc_parse(slice_of(file + 1, strnlen(file + 1, ENTRY - 1)), &doc, &err), &err);
		check_true("most of it is there", strlen(file + 1) > ENTRY - 120 || file[ENTRY - 1] == '}');
		json_doc_free(doc);
		free(file);
		strbuf_done(&query);
		active_queries_remove(a, place);
	}
	active_queries_close(a);
	strbuf_done(&unfinished);
	test_tmpdir_done(dir);
}

static void no_directory(void **state)
{
	struct strbuf unfinished = STRBUF_INIT;
	struct active_queries *a;
	struct err err;
	(void)state;

	check_true("refused", active_queries_open(fs_real(), "/nonexistent/x", 1, &a, &unfinished, &err) < 0);
}

TEST_MAIN("active_queries", cmocka_unit_test(entries), cmocka_unit_test(long_queries),
    cmocka_unit_test(no_directory))
