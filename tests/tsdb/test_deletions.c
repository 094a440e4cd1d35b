#include "tsdb/deletions.h"

#include "base/xmalloc.h"
#include "tests/tsdb/store_probe.h"
#include <stdlib.h>
#include <string.h>

static const struct matcher *matcher(
    struct arena *arena, enum match_op op, const char *name, const char *value)
{
	const struct matcher *m;
	struct err err;
	check_ok("matcher", matcher_new(arena, op, slice_cstr(name), slice_cstr(value), &m, &err), &err);
	return m;
}

/* Up to record 100: the series a, until 50; up to record 200: those with n, from 40 on, all but n="3". */
static void fill(struct deletions *d, struct arena *arena)
{
	struct err err;
	const struct matcher *first[] = {matcher(arena, MATCH_EQUAL, "__name__", "a")};
	const struct matcher *second[] = {
	    matcher(arena, MATCH_REGEX, "n", ".+"), matcher(arena, MATCH_NOT_EQUAL, "n", "3")};
	deletions_init(d);
	d->until_ms = 70;
	check_ok("first", deletions_add(d, &(struct deletion){100, INT64_MIN, 50, first, 1}, &err), &err);
	check_ok("second", deletions_add(d, &(struct deletion){200, 40, INT64_MAX, second, 2}, &err), &err);
}

static const struct {
	uint64_t record;
	const char *name, *n;
	int64_t t_ms;
	bool want;
} asked[] = {
    {100, "a", "3", 50, true},
    {1, "a", "3", INT64_MIN, true},
    {101, "a", "3", 50, false},
    {100, "a", "3", 51, false},
    {100, "b", "3", 50, false},
    {100, "b", "4", 50, true},
    {200, "b", "4", INT64_MAX, true},
    {200, "b", "4", 39, false},
    {201, "b", "4", 40, false},
};

static void check_asked(const char *when, const struct deletions *d, struct arena *arena)
{
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		const struct labels *labels =
		    labels_of(arena, "__name__", asked[i].name, "n", asked[i].n, NULL);
		if (deletions_cover(d, asked[i].record, labels, asked[i].t_ms) != asked[i].want)
			fail_msg("%s: question %zu", when, i);
	}
}

static void what_is_covered(void **state)
{
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct deletions d;
	fill(&d, arena);
	check_asked("made", &d, arena);
	check_int("newest", (int64_t)deletions_newest_record(&d), 200);
	deletions_forget(&d, 99);
	check_asked("nothing is forgotten", &d, arena);
	deletions_forget(&d, 100);
	const struct labels *a = labels_of(arena, "__name__", "a", "n", "3", NULL);
	check_true("the first is", !deletions_cover(&d, 1, a, 1));
	check_int("one is left", d.all.len, 1);
	deletions_forget(&d, UINT64_MAX);
	check_int("none is left", (int64_t)deletions_newest_record(&d), 0);
	deletions_done(&d);
	arena_free(arena);
}

static void the_same_again_is_one(void **state)
{
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct deletions d;
	struct err err;
	fill(&d, arena);
	const struct matcher *m = matcher(arena, MATCH_EQUAL, "__name__", "a");
	struct deletion again = {300, INT64_MIN, 50, &m, 1}, other = {300, INT64_MIN, 51, &m, 1};
	check_ok("again", deletions_add(&d, &again, &err), &err);
	check_int("not one more", d.all.len, 2);
	check_int("its record", (int64_t)deletions_newest_record(&d), 300);
	check_ok("other", deletions_add(&d, &other, &err), &err);
	check_int("one more", d.all.len, 3);
	deletions_done(&d);
	arena_free(arena);
}

static char *write_file(const struct deletions *d, const char *dir, size_t *n)
{
	char *path = xasprintf("%s/deletions", dir);
	struct err err;
	check_ok("write", deletions_write(probe_fs(), path, d, &err), &err);
	char *text = test_read_file(path, n);
	free(path);
	return text;
}

static void a_file_reads_back(void **state)
{
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	char *dir = test_tmpdir(), *path = xasprintf("%s/deletions", dir);
	struct deletions d, back;
	struct err err;
	size_t n;
	fill(&d, arena);
	deletions_init(&back);
	check_int("none", deletions_read(probe_fs(), path, &back, &err), ERR_NOT_FOUND);
	free(write_file(&d, dir, &n));
	check_ok("read", deletions_read(probe_fs(), path, &back, &err), &err);
	check_int("until", back.until_ms, 70);
	check_asked("read", &back, arena);
	deletions_done(&back);
	deletions_done(&d);
	arena_free(arena);
	free(path);
	test_tmpdir_done(dir);
}

static void check_refused(const char *what, size_t at, struct slice bytes)
{
	struct deletions d;
	struct err err;
	deletions_init(&d);
	if (deletions_parse(bytes, &d, &err) != ERR_CORRUPT || d.all.len > 0 || d.until_ms != INT64_MIN)
		fail_msg("%s %zu: is taken", what, at);
	check_true("says why", err.msg[0]);
	deletions_done(&d);
}

static void damage_is_found(void **state)
{
	(void)state;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	char *dir = test_tmpdir();
	struct deletions d;
	size_t n;
	fill(&d, arena);
	char *text = write_file(&d, dir, &n);
	for (size_t i = 0; i < n; i++)
		check_refused("cut at", i, slice_of(text, i));
	for (size_t bit = 0; bit < n * 8; bit++) {
		text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
		check_refused("bit", bit, slice_of(text, n));
		text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
	}
	free(text);
	deletions_done(&d);
	arena_free(arena);
	test_tmpdir_done(dir);
}

TEST_MAIN("deletions", cmocka_unit_test(what_is_covered), cmocka_unit_test(the_same_again_is_one),
    cmocka_unit_test(a_file_reads_back), cmocka_unit_test(damage_is_found))
