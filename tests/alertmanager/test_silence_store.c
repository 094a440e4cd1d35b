#include "alertmanager/silence_store.h"

#include "tests/lib/cases.h"
#include "tests/lib/test.h"

struct bench {
	struct arena *arena;
	struct silence_store *store;
	char id[37];
	struct err err;
};

static void bench_init(struct bench *b)
{
	*b = (struct bench){.arena = arena_new(ARENA_NO_LIMIT), .store = silence_store_new(100000)};
}

static void bench_done(struct bench *b)
{
	silence_store_free(b->store);
	arena_free(b->arena);
}

static const struct matcher *make(struct bench *b, enum match_op op, const char *name, const char *value)
{
	const struct matcher *m;
	check_ok("matcher", matcher_new(b->arena, op, slice_cstr(name), slice_cstr(value), &m, NULL), NULL);
	return m;
}

static struct silence silence_of(struct bench *b, const struct matcher *m, int64_t starts_ms, int64_t ends_ms)
{
	const struct matcher **v = ARENA_NEW(b->arena, const struct matcher *);
	*v = m;
	return (struct silence){.id = SL_EMPTY,
	    .matchers = v,
	    .n_matchers = m ? 1 : 0,
	    .starts_at_ms = starts_ms,
	    .ends_at_ms = ends_ms,
	    .created_by = SL("me"),
	    .comment = SL("why")};
}

static int set(struct bench *b, const struct silence *s, int64_t now_ms)
{
	return silence_store_set(b->store, s, now_ms, b->id, &b->err);
}

static size_t count_matches(struct bench *b, const struct labels *ls, int64_t now_ms)
{
	const struct slice *ids;
	return silence_store_match(b->store, ls, now_ms, b->arena, &ids);
}

static void times_decide(void **state)
{
	(void)state;
	struct bench b;
	bench_init(&b);
	const struct labels *ls = labels_of(b.arena, "host", "a", NULL);
	struct silence s = silence_of(&b, make(&b, MATCH_EQUAL, "host", "a"), 2000, 3000);
	check_ok("set", set(&b, &s, 1000), &b.err);
	check_int("id", strlen(b.id), 36);
	check_int("version", b.id[14], '4');
	check_int("pending", count_matches(&b, ls, 1999), 0);
	check_int("active", count_matches(&b, ls, 2000), 1);
	check_int("active at its end", count_matches(&b, ls, 3000), 1);
	check_int("expired", count_matches(&b, ls, 3001), 0);
	check_int("another", count_matches(&b, labels_of(b.arena, "host", "b", NULL), 2500), 0);
	check_true(
	    "any", silence_store_any_active(b.store, 2500) && !silence_store_any_active(b.store, 4000));
	silence_store_gc(b.store, 3000 + 100000 - 1);
	struct silence copy;
	check_ok("kept", silence_store_get(b.store, slice_of(b.id, 36), b.arena, &copy, &b.err), &b.err);
	check_slice("comment", copy.comment, SL("why"));
	silence_store_gc(b.store, 3000 + 100000);
	check_int(
	    "dropped", silence_store_get(b.store, slice_of(b.id, 36), b.arena, &copy, NULL), ERR_NOT_FOUND);
	bench_done(&b);
}

static void bad_ones_are_refused(void **state)
{
	(void)state;
	struct bench b;
	bench_init(&b);
	const struct matcher *good = make(&b, MATCH_EQUAL, "a", "b");
	const struct {
		const char *name;
		struct silence s;
		const char *want;
	} cases[] = {
	    {"no matcher", silence_of(&b, NULL, 2000, 3000),
		"invalid silence: at least one matcher required"},
	    {"empty value", silence_of(&b, make(&b, MATCH_EQUAL, "a", ""), 2000, 3000),
		"invalid silence: at least one matcher must not match the empty string"},
	    {"regex that matches nothing", silence_of(&b, make(&b, MATCH_REGEX, "a", ".*"), 2000, 3000),
		"invalid silence: at least one matcher must not match the empty string"},
	    {"no end", silence_of(&b, good, 2000, 0), "invalid silence: invalid zero end timestamp"},
	    {"end first", silence_of(&b, good, 2000, 1500),
		"invalid silence: end time must not be before start time"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		check_int(cases[i].name, set(&b, &cases[i].s, 1000), ERR_INVALID);
		check_str(cases[i].name, slice_cstr(b.err.msg), cases[i].want);
	}
	struct silence s = silence_of(&b, make(&b, MATCH_NOT_EQUAL, "a", "b"), 500, 3000);
	check_ok("a negative one alone", set(&b, &s, 1000), &b.err);
	struct silence copy;
	check_ok("get", silence_store_get(b.store, slice_of(b.id, 36), b.arena, &copy, &b.err), &b.err);
	check_int("the past is not rewritten", copy.starts_at_ms, 1000);
	s.id = SL("00000000-0000-4000-8000-000000000000");
	check_int("unknown id", set(&b, &s, 1000), ERR_NOT_FOUND);
	bench_done(&b);
}

static void edits_keep_the_id_when_they_may(void **state)
{
	static const struct {
		const char *name;
		bool other_matcher;
		int64_t now, starts, ends;
		bool keeps_id;
	} cases[] = {
	    /* made at 1000 for 2000..9000 */
	    {"pending: moved", false, 1500, 4000, 9000, true},
	    {"pending: into the past", false, 1500, 1200, 9000, false},
	    {"active: longer", false, 2500, 2000, 20000, true},
	    {"active: another start", false, 2500, 5000, 20000, false},
	    {"active: other matchers", true, 2500, 2000, 20000, false},
	    {"expired", false, 9500, 2000, 20000, false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bench b;
		bench_init(&b);
		struct silence s = silence_of(&b, make(&b, MATCH_EQUAL, "a", "b"), 2000, 9000);
		check_ok(cases[i].name, set(&b, &s, 1000), &b.err);
		char old[37];
		memcpy(old, b.id, sizeof(old));
		if (cases[i].other_matcher)
			s = silence_of(&b, make(&b, MATCH_EQUAL, "a", "c"), 2000, 9000);
		s.id = slice_of(old, 36);
		s.starts_at_ms = cases[i].starts;
		s.ends_at_ms = cases[i].ends;
		check_ok(cases[i].name, set(&b, &s, cases[i].now), &b.err);
		check_int(cases[i].name, strcmp(old, b.id) == 0, cases[i].keeps_id);
		struct silence copy;
		check_ok(cases[i].name, silence_store_get(b.store, slice_of(old, 36), b.arena, &copy, &b.err),
		    &b.err);
		if (!cases[i].keeps_id)
			check_true(
			    cases[i].name, copy.ends_at_ms <= (cases[i].now < 9000 ? cases[i].now : 9000));
		bench_done(&b);
	}
}

static void expiring(void **state)
{
	(void)state;
	struct bench b;
	bench_init(&b);
	struct silence s = silence_of(&b, make(&b, MATCH_EQUAL, "a", "b"), 2000, 9000), copy;
	check_ok("set", set(&b, &s, 1000), &b.err);
	check_ok(
	    "expire a pending one", silence_store_expire(b.store, slice_of(b.id, 36), 1500, &b.err), &b.err);
	check_ok("get", silence_store_get(b.store, slice_of(b.id, 36), b.arena, &copy, &b.err), &b.err);
	check_int("start", copy.starts_at_ms, 1500);
	check_int("end", copy.ends_at_ms, 1500);
	check_ok("again", silence_store_expire(b.store, slice_of(b.id, 36), 1600, &b.err), &b.err);
	check_int("unknown", silence_store_expire(b.store, SL("x"), 1600, NULL), ERR_NOT_FOUND);
	bench_done(&b);
}

static void lists_are_sorted(void **state)
{
	static const int64_t spans[][2] = {
	    {1000, 9000}, {1000, 8000}, {7000, 9000}, {6000, 9000}, {1000, 2000}, {1000, 3000}};
	static const int64_t want[][2] = {
	    {1000, 8000}, {1000, 9000}, {6000, 9000}, {7000, 9000}, {1000, 3000}, {1000, 2000}};
	(void)state;
	struct bench b;
	bench_init(&b);
	for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
		struct silence s = silence_of(&b, make(&b, MATCH_EQUAL, "a", "b"), spans[i][0], spans[i][1]);
		check_ok("set", set(&b, &s, 1000), &b.err);
	}
	const struct silence *v;
	size_t n;
	silence_store_list(b.store, 5000, b.arena, &v, &n);
	check_int("all", n, ARRAY_LEN(want));
	for (size_t i = 0; i < n; i++) {
		check_int("start", v[i].starts_at_ms, want[i][0]);
		check_int("end", v[i].ends_at_ms, want[i][1]);
	}
	bench_done(&b);
}

static void upstream_matches(void **state)
{
	static const char *const ops[] = {"=", "!=", "=~", "!~"};
	(void)state;
	struct test_cases *cases = test_cases_open("am_silence_match.json");
	for (size_t i = 0; cases && i < test_cases_count(cases); i++) {
		const struct json_value *c = test_case(cases, i), *list = json_member(c, "silence"), *value;
		struct bench b;
		struct label l[16];
		size_t n = 0;
		const struct labels *ls;
		bench_init(&b);
		const struct matcher **v = ARENA_ARRAY(b.arena, const struct matcher *, json_count(list));
		for (size_t k = 0; k < json_count(list); k++) {
			const struct json_value *m = json_item(list, k);
			int op = 0;
			while (!slice_eq_cstr(test_case_text(cases, m, "op"), ops[op]))
				op++;
			check_ok("matcher",
			    matcher_new(b.arena, (enum match_op)op, test_case_text(cases, m, "name"),
				test_case_text(cases, m, "value"), &v[k], &b.err),
			    &b.err);
		}
		for (void *at = NULL; json_next_member(json_member(c, "labels"), &at, &l[n].name, &value);
		     n++)
			assert_true(json_get_string(value, &l[n].value));
		assert_int_equal(labels_from_pairs(b.arena, l, n, &ls, NULL), 0);
		struct silence s = silence_of(&b, NULL, 2000, 9000);
		s.matchers = v;
		s.n_matchers = json_count(list);
		check_ok("set", set(&b, &s, 1000), &b.err);
		check_int("match", count_matches(&b, ls, 3000), test_case_bool(c, "match"));
		bench_done(&b);
	}
	test_cases_close(cases);
}

TEST_MAIN("silence_store", cmocka_unit_test(times_decide), cmocka_unit_test(bad_ones_are_refused),
    cmocka_unit_test(edits_keep_the_id_when_they_may), cmocka_unit_test(expiring),
    cmocka_unit_test(lists_are_sorted), cmocka_unit_test(upstream_matches))
