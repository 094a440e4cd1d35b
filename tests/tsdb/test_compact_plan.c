/* Which parts are joined, case by case. Times are in minutes. */
#include "tests/lib/test.h"
#include "tsdb/compact_plan.h"
#include <stdio.h>
#include <string.h>

enum { MAX_PARTS = 70, MINUTE_MS = 60000 };

struct sketch {
	uint64_t seq;
	int level;
	int from, to; /* minutes */
	uint64_t bytes, series;
	bool late;
	uint64_t newest_seq; /* 0: seq */
};

#define P(s, l, f, t, ...)                                                                                   \
	{                                                                                                    \
		.seq = s, .level = l, .from = f, .to = t, ##__VA_ARGS__                                      \
	}

static struct part_meta meta_of(const struct sketch *s)
{
	return (struct part_meta){.seq = s->seq,
	    .newest_seq = s->newest_seq ? s->newest_seq : s->seq,
	    .level = s->level,
	    .out_of_order = s->late,
	    .min_t_ms = (int64_t)s->from * MINUTE_MS,
	    .max_t_ms = (int64_t)s->to * MINUTE_MS,
	    .chunks_bytes = s->bytes ? s->bytes : 100,
	    .series = s->series ? s->series : 10};
}

static struct compact_limits limits_of(int closed, bool at_once)
{
	return (struct compact_limits){.range_ms = {120 * MINUTE_MS, 1440 * MINUTE_MS},
	    .closed_ms = (int64_t)closed * MINUTE_MS,
	    .max_series = 1000,
	    .max_bytes = 100000,
	    .at_once = at_once};
}

/* "1<-2,3,5": these are joined to a part of level 1; "": none. */
static void print_job(
    const struct part_meta *const *metas, bool found, const struct compact_job *job, char *out, size_t size)
{
	size_t at = 0;
	out[0] = '\0';
	if (found)
		at += (size_t)snprintf(out, size, "%d<-", job->level);
	for (size_t i = 0; found && i < job->n; i++)
		at += (size_t)snprintf(
		    out + at, size - at, "%s%d", i ? "," : "", (int)metas[job->parts[i]]->seq);
}

static void check_plan(
    const char *name, const struct sketch *parts, size_t n, struct compact_limits limits, const char *want)
{
	static struct part_meta metas[MAX_PARTS];
	const struct part_meta *forth[MAX_PARTS], *back[MAX_PARTS];
	char got[1024];
	for (size_t i = 0; i < n; i++) {
		metas[i] = meta_of(&parts[i]);
		forth[i] = back[n - 1 - i] = &metas[i];
	}
	struct compact_job job;
	bool found = compact_plan(forth, n, &limits, &job);
	print_job(forth, found, &job, got, sizeof(got));
	check_str(name, slice_cstr(got), want);
	found = compact_plan(back, n, &limits, &job);
	print_job(back, found, &job, got, sizeof(got));
	check_str(name, slice_cstr(got), want);
}

static void plans(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int closed;
		bool at_once;
		struct sketch parts[8];
		const char *want;
	} cases[] = {
	    {"nothing", 9999, false, {{.seq = 0}}, ""},
	    {"one part", 9999, false, {P(1, 0, 0, 30)}, ""},
	    {"a window that is complete", 120, false, {P(1, 0, 0, 30), P(2, 0, 31, 60), P(3, 0, 90, 119)},
		"1<-1,2,3"},
	    {"one that is not", 119, false, {P(1, 0, 0, 30), P(2, 0, 31, 60), P(3, 0, 90, 119)}, ""},
	    {"not, but asked for", 0, true, {P(1, 0, 0, 30), P(2, 0, 31, 60)}, "2<-1,2"},
	    {"a part belongs where it begins", 240, false,
		{P(1, 0, 0, 30), P(2, 0, 100, 130), P(3, 0, 131, 160)}, "1<-1,2"},
	    {"the oldest window first", 360, false,
		{P(5, 0, 120, 130), P(6, 0, 140, 150), P(7, 0, 0, 30), P(8, 0, 31, 60)}, "1<-7,8"},
	    {"one with late samples before", 360, false,
		{P(5, 0, 120, 130), P(6, 0, 140, 150, .late = true), P(7, 0, 0, 30), P(8, 0, 31, 60)},
		"1<-5,6"},
	    {"before the epoch", 0, false, {P(1, 0, -120, -90), P(2, 0, -80, -1), P(3, 0, 1, 20)}, "1<-1,2"},
	    {"a day", 1440, false, {P(1, 1, 0, 119), P(2, 1, 120, 239), P(3, 1, 1300, 1439)}, "2<-1,2,3"},
	    {"a day that goes on", 1439, false, {P(1, 1, 0, 119), P(2, 1, 120, 239), P(3, 1, 1300, 1439)},
		""},
	    {"windows before days", 1440, false, {P(1, 1, 0, 119), P(2, 0, 120, 150), P(3, 0, 151, 239)},
		"1<-2,3"},
	    {"a day takes what was alone in its window", 1440, false, {P(1, 1, 0, 119), P(2, 0, 120, 150)},
		"2<-1,2"},
	    {"a finished day stays", 9999, false, {P(1, 2, 0, 1439), P(2, 2, 0, 1439)}, ""},
	    {"unless asked for", 9999, true, {P(1, 2, 0, 1439), P(2, 2, 0, 1439)}, "2<-1,2"},
	    {"a little that is late waits", 9999, false,
		{P(1, 2, 0, 1439, .bytes = 1000), P(2, 0, 10, 20, .bytes = 10)}, ""},
	    {"late parts join each other", 9999, false,
		{P(1, 2, 0, 1439, .bytes = 1000), P(2, 0, 10, 20, .bytes = 10), P(3, 0, 10, 20, .bytes = 10)},
		"1<-2,3"},
	    {"and the day when they are worth it", 9999, false,
		{P(1, 2, 0, 1439, .bytes = 1000), P(2, 1, 10, 20, .bytes = 250)}, "2<-1,2"},
	    {"longer than a window: to the day", 1440, false, {P(1, 0, 0, 300), P(2, 0, 301, 700)}, "2<-1,2"},
	    {"longer than a day: not at all", 9999, true, {P(1, 0, 0, 1500), P(2, 0, 1, 1600)}, ""},
	    {"order is that of the newest part within", 1440, false,
		{P(9, 1, 0, 119, .newest_seq = 4), P(7, 1, 130, 140, .newest_seq = 6), P(5, 0, 300, 310)},
		"2<-9,5,7"},
	    {"series at one time are bounded", 120, false,
		{P(1, 0, 0, 30, .series = 600), P(2, 0, 0, 30, .series = 600), P(3, 0, 31, 60, .series = 600),
		    P(4, 0, 31, 60, .series = 600)},
		"1<-1,3"},
	    {"the first is too large for any", 120, false,
		{P(1, 0, 0, 30, .series = 5000), P(2, 0, 0, 30, .series = 600),
		    P(3, 0, 31, 60, .series = 600)},
		"1<-2,3"},
	    {"bytes are bounded", 120, false,
		{P(1, 0, 0, 30, .bytes = 60000), P(2, 0, 31, 40, .bytes = 60000),
		    P(3, 0, 41, 60, .bytes = 30000)},
		"1<-1,3"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = 0;
		while (n < 8 && cases[i].parts[n].seq)
			n++;
		check_plan(cases[i].name, cases[i].parts, n, limits_of(cases[i].closed, cases[i].at_once),
		    cases[i].want);
	}
}

static void many_parts_do_not_wait(void **state)
{
	(void)state;
	struct sketch parts[MAX_PARTS];
	for (uint64_t i = 0; i < MAX_PARTS; i++)
		parts[i] = (struct sketch){.seq = i + 1, .from = (int)i, .to = (int)i};
	check_plan("31", parts, 31, limits_of(0, false), "");
	static struct part_meta metas[MAX_PARTS];
	const struct part_meta *list[MAX_PARTS];
	for (size_t i = 0; i < MAX_PARTS; i++) {
		metas[i] = meta_of(&parts[i]);
		list[i] = &metas[i];
	}
	struct compact_limits limits = limits_of(0, false);
	struct compact_job job;
	check_true("32", compact_plan(list, 32, &limits, &job));
	check_int("all of them", job.n, 32);
	check_true("70", compact_plan(list, MAX_PARTS, &limits, &job));
	check_int("as many as a part may name", job.n, PART_PARENTS_MAX);
}

static void levels_can_be_left_out(void **state)
{
	(void)state;
	static const struct sketch parts[] = {P(1, 1, 0, 119), P(2, 1, 120, 239)};
	struct compact_limits limits = limits_of(9999, false);
	limits.range_ms[1] = 0;
	check_plan("no days", parts, 2, limits, "");
	limits.at_once = true;
	check_plan("not even when asked for", parts, 2, limits, "");
	limits.range_ms[0] = 0;
	check_plan("no joining", parts, 2, limits, "");
}

TEST_MAIN("compact plan", cmocka_unit_test(plans), cmocka_unit_test(many_parts_do_not_wait),
    cmocka_unit_test(levels_can_be_left_out))
