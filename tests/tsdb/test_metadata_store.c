/* Type, help and unit by metric. */
#include "tests/lib/test.h"
#include "tsdb/metadata_store.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool set(
    struct metadata_store *s, const char *metric, enum metric_type type, const char *help, const char *unit)
{
	return metadata_store_set(
	    s, slice_cstr(metric), &(struct metadata){type, slice_cstr(help), slice_cstr(unit)});
}

static void the_newest_word_counts(void **state)
{
	(void)state;
	static const struct {
		const char *metric;
		enum metric_type type;
		const char *help, *unit;
		bool is_news;
	} steps[] = {
	    {"b", METRIC_COUNTER, "help", "s", true},
	    {"b", METRIC_COUNTER, "help", "s", false},
	    {"b", METRIC_GAUGE, "help", "s", true},
	    {"b", METRIC_GAUGE, "other", "s", true},
	    {"b", METRIC_GAUGE, "other", "", true},
	    {"a", METRIC_GAUGE, "", "", true},
	    {"", METRIC_GAUGE, "", "", false},
	};
	struct metadata_store s;
	struct metadata_of *all;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	metadata_store_init(&s);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		check_int(steps[i].metric,
		    set(&s, steps[i].metric, steps[i].type, steps[i].help, steps[i].unit), steps[i].is_news);
	check_int("all", metadata_store_list(&s, SL_EMPTY, arena, &all), 2);
	check_str("by name", all[0].metric, "a");
	check_str("by name", all[1].metric, "b");
	check_str("help", all[1].m.help, "other");
	check_int("type", all[1].m.type, METRIC_GAUGE);
	check_int("one", metadata_store_list(&s, SL("b"), arena, &all), 1);
	check_str("one", all[0].metric, "b");
	check_int("none", metadata_store_list(&s, SL("c"), arena, &all), 0);
	metadata_store_done(&s);
	arena_free(arena);
}

static void it_is_bounded(void **state)
{
	(void)state;
	struct metadata_store s;
	struct metadata_of *all;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	char *text = malloc(METADATA_MAX_TEXT + 2), name[32];
	memset(text, 'x', METADATA_MAX_TEXT + 1);
	text[METADATA_MAX_TEXT + 1] = '\0';
	metadata_store_init(&s);
	check_true("a long name is none", !set(&s, text, METRIC_GAUGE, "", ""));
	check_true("a long help is cut", set(&s, "m", METRIC_GAUGE, text, text));
	check_int("one", metadata_store_list(&s, SL("m"), arena, &all), 1);
	check_int("cut", all[0].m.help.len, METADATA_MAX_TEXT);
	check_int("cut", all[0].m.unit.len, METADATA_MAX_TEXT);
	check_true("the same is no news", !set(&s, "m", METRIC_GAUGE, text, text));
	for (int i = 1; i < METADATA_MAX_METRICS; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		set(&s, name, METRIC_GAUGE, "", "");
	}
	check_true("full", !set(&s, "one_more", METRIC_GAUGE, "", ""));
	check_true("known ones change", set(&s, "m", METRIC_COUNTER, "", ""));
	check_int("all", metadata_store_list(&s, SL_EMPTY, arena, &all), METADATA_MAX_METRICS);
	metadata_store_done(&s);
	arena_free(arena);
	free(text);
}

TEST_MAIN("metadata store", cmocka_unit_test(the_newest_word_counts), cmocka_unit_test(it_is_bounded))
