/* Time intervals: how they are read, and what lies inside. */
#include "alertmanager/mute_time.h"

#include "model/time_zone.h"
#include "template/go_time.h"
#include "tests/lib/cases.h"
#include "tests/lib/test.h"

struct decoded {
	struct arena *arena;
	struct config_error_vec errors;
	struct strbuf text;
	struct time_interval *v;
	size_t n;
	bool ok;
};

static void add(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	struct decoded *d = arg;
	d->ok &= time_interval_decode(ctx, item, &d->v[d->n++]);
}

static void decode(struct decoded *d, struct slice yaml)
{
	struct config_ctx ctx;
	struct yaml_node *root;
	*d = (struct decoded){.arena = arena_new(ARENA_NO_LIMIT), .text = STRBUF_INIT};
	d->v = ARENA_ARRAY(d->arena, struct time_interval, 16);
	d->ok = config_parse_yaml(d->arena, SL("t.yml"), yaml, &d->errors, &ctx, &root);
	if (d->ok && root->kind == YAML_LIST)
		config_decode_list(&ctx, root, "time_intervals", add, d);
	else if (d->ok)
		add(&ctx, root, d);
	config_errors_print(&d->text, &d->errors);
}

static void done(struct decoded *d)
{
	config_error_vec_done(&d->errors);
	strbuf_done(&d->text);
	arena_free(d->arena);
}

/* "02 Jan 06 15:04 -0700" */
static int64_t parse_time(struct slice text)
{
	int64_t s;
	int32_t ns;
	struct err err;
	check_ok("time",
	    go_time_parse(SL("02 Jan 06 15:04"), slice_of(text.ptr, text.len - 6), &s, &ns, &err), &err);
	const char *zone = text.ptr + text.len - 5;
	int64_t offset =
	    ((zone[1] - '0') * 10 + zone[2] - '0') * 3600 + ((zone[3] - '0') * 10 + zone[4] - '0') * 60;
	return (zone[0] == '-' ? s + offset : s - offset) * 1000;
}

static void check_times(const struct decoded *d, const struct json_value *list, bool want)
{
	for (size_t i = 0; i < json_count(list); i++) {
		struct slice text;
		bool inside = false;
		assert_true(json_get_string(json_item(list, i), &text));
		if (text.ptr[1] == ' ')
			continue; /* "1 Jul": not in the layout */
		for (size_t k = 0; k < d->n; k++)
			inside |= time_interval_contains(&d->v[k], parse_time(text));
		check_int(text.ptr, inside, want);
	}
}

static void upstream_yaml(void **state)
{
	(void)state;
	struct test_cases *cases = test_cases_open("am_time_interval_yaml.json");
	for (size_t i = 0; cases && i < test_cases_count(cases); i++) {
		const struct json_value *c = test_case(cases, i);
		struct slice yaml = test_case_text(cases, c, "yaml"), error;
		struct decoded d;
		decode(&d, yaml);
		if (json_get_string(json_member(c, "error"), &error)) {
			const char *want = arena_strdup(d.arena, error);
			if (d.ok || !strstr(strbuf_cstr(&d.text), want))
				fail_msg("%.*s: want %s, got %s", (int)yaml.len, yaml.ptr, want,
				    strbuf_cstr(&d.text));
		} else {
			check_true(strbuf_cstr(&d.text), d.ok);
			check_times(&d, json_member(c, "contains"), true);
			check_times(&d, json_member(c, "excludes"), false);
		}
		done(&d);
	}
	test_cases_close(cases);
}

static void upstream_time_ranges(void **state)
{
	(void)state;
	struct test_cases *cases = test_cases_open("am_time_range.json");
	for (size_t i = 0; cases && i < test_cases_count(cases); i++) {
		const struct json_value *c = test_case(cases, i);
		struct slice in = test_case_text(cases, c, "in");
		struct decoded d;
		int64_t begin, end;
		struct slice yaml = arena_printf(test_cases_arena(cases), "times: [%" SL_FMT "]", SL_ARG(in));
		decode(&d, yaml);
		check_int(yaml.ptr, d.ok, !test_case_bool(c, "fail"));
		if (json_get_int(json_member(c, "start_minute"), &begin) &&
		    json_get_int(json_member(c, "end_minute"), &end)) {
			check_int(yaml.ptr, d.v[0].times.v[0].begin, begin);
			check_int(yaml.ptr, d.v[0].times.v[0].end, end);
		}
		done(&d);
	}
	test_cases_close(cases);
}

static struct int_ranges read_ranges(
    struct arena *arena, const struct json_value *list, const char *begin, const char *end)
{
	struct int_ranges r = {ARENA_ARRAY(arena, struct int_range, json_count(list)), json_count(list)};
	for (size_t i = 0; i < r.n; i++) {
		const struct json_value *x = json_item(list, i);
		int64_t a = 0, b = 0;
		bool ok =
		    begin ? json_get_int(json_member(x, begin), &a) && json_get_int(json_member(x, end), &b)
			  : json_get_int(json_item(x, 0), &a) && json_get_int(json_item(x, 1), &b);
		assert_true(ok);
		r.v[i] = (struct int_range){(int32_t)a, (int32_t)b};
	}
	return r;
}

static void upstream_contains(void **state)
{
	(void)state;
	struct test_cases *cases = test_cases_open("am_time_interval_contains.json");
	for (size_t i = 0; cases && i < test_cases_count(cases); i++) {
		const struct json_value *c = test_case(cases, i), *in = json_member(c, "interval");
		struct arena *arena = test_cases_arena(cases);
		struct time_interval t = {
		    .times = read_ranges(arena, json_member(in, "times"), "start_minute", "end_minute"),
		    .weekdays = read_ranges(arena, json_member(in, "weekdays"), NULL, NULL),
		    .days_of_month = read_ranges(arena, json_member(in, "days_of_month"), NULL, NULL),
		    .months = read_ranges(arena, json_member(in, "months"), NULL, NULL),
		    .years = read_ranges(arena, json_member(in, "years"), NULL, NULL),
		};
		struct decoded d = {.v = &t, .n = 1};
		check_times(&d, json_member(c, "contains"), true);
		check_times(&d, json_member(c, "excludes"), false);
	}
	test_cases_close(cases);
}

static void upstream_mutes(void **state)
{
	static const char evenings[] =
	    "[{times: [{start_time: '00:00', end_time: '09:00'}, {start_time: '17:00', end_time: "
	    "'24:00'}], location: Australia/Sydney}]";
	static const char weekends[] = "[{weekdays: [saturday, sunday], location: Australia/Sydney}]";
	(void)state;
	struct test_cases *cases = test_cases_open("am_time_mutes.json");
	struct decoded evening, weekend;
	decode(&evening, slice_cstr(evenings));
	decode(&weekend, slice_cstr(weekends));
	check_true(strbuf_cstr(&evening.text), evening.ok && weekend.ok);
	for (size_t i = 0; cases && i < test_cases_count(cases); i++) {
		const struct json_value *c = test_case(cases, i), *by = json_member(c, "muted_by");
		const struct time_zone *zone;
		int64_t local_s;
		int32_t ns;
		struct slice name;
		check_ok("zone",
		    time_zone_load(test_cases_arena(cases), test_case_text(cases, c, "zone"), &zone, NULL),
		    NULL);
		check_ok("now",
		    go_time_parse(SL("2006-01-02T15:04:05"), test_case_text(cases, c, "now_local"), &local_s,
			&ns, NULL),
		    NULL);
		int64_t now_ms = (local_s - time_zone_offset(zone, local_s, NULL)) * 1000;
		bool want_evening = false, want_weekend = false;
		for (size_t k = 0; k < json_count(by); k++) {
			assert_true(json_get_string(json_item(by, k), &name));
			want_evening |= slice_eq(name, SL("evenings"));
			want_weekend |= slice_eq(name, SL("weekends"));
		}
		check_int("evenings", time_interval_contains(&evening.v[0], now_ms), want_evening);
		check_int("weekends", time_interval_contains(&weekend.v[0], now_ms), want_weekend);
	}
	done(&evening);
	done(&weekend);
	test_cases_close(cases);
}

TEST_MAIN("time_interval", cmocka_unit_test(upstream_yaml), cmocka_unit_test(upstream_time_ranges),
    cmocka_unit_test(upstream_contains), cmocka_unit_test(upstream_mutes))
