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

/* "1<-2,3,5": these are joined to a part of level 1; "1<-2,3 at 120": what is behind minute 120 is a part of its own;
 * "2 at 120,240": this one is split; "": none. */
static void print_job(
    const struct part_meta *const *metas, bool found, const struct compact_job *job, struct strbuf *out)
{
	strbuf_reset(out);
	if (!found)
		return;
	if (job->n > 1)
		strbuf_addf(out, "%d<-", job->pieces[job->n_pieces - 1].level);
	for (size_t i = 0; i < job->n; i++)
		strbuf_addf(out, "%s%d", i ? "," : "", (int)metas[job->parts[i]]->seq);
	for (size_t i = 0, k = 0; job->n_pieces > 1 && i < job->n_pieces; i++)
		if (job->pieces[i].max_t_ms != INT64_MAX)
			strbuf_addf(out, "%s%d", k++ ? "," : " at ",
			    (int)((job->pieces[i].max_t_ms + 1) / MINUTE_MS));
}

/* Every time of the parts belongs to one piece. */
static void check_pieces(
    const char *name, const struct part_meta *const *metas, const struct compact_job *job)
{
	for (size_t i = 0; i < job->n; i++) {
		const struct part_meta *m = metas[job->parts[i]];
		int64_t left = m->max_t_ms - m->min_t_ms + 1;
		for (size_t k = 0; k < job->n_pieces; k++) {
			const struct compact_piece *p = &job->pieces[k];
			int64_t min = p->min_t_ms > m->min_t_ms ? p->min_t_ms : m->min_t_ms;
			int64_t max = p->max_t_ms < m->max_t_ms ? p->max_t_ms : m->max_t_ms;
			left -= max >= min ? max - min + 1 : 0;
		}
		check_int(name, left, 0);
	}
}

static void check_plan(
    const char *name, const struct sketch *parts, size_t n, struct compact_limits limits, const char *want)
{
	static struct part_meta metas[MAX_PARTS];
	const struct part_meta *forth[MAX_PARTS], *back[MAX_PARTS];
	struct strbuf got = STRBUF_INIT;
	for (size_t i = 0; i < n; i++) {
		metas[i] = meta_of(&parts[i]);
		forth[i] = back[n - 1 - i] = &metas[i];
	}
	struct compact_job job;
	bool found = compact_plan(forth, n, &limits, &job);
	print_job(forth, found, &job, &got);
	check_str(name, strbuf_slice(&got), want);
	if (found)
		check_pieces(name, forth, &job);
	found = compact_plan(back, n, &limits, &job);
	print_job(back, found, &job, &got);
	check_str(name, strbuf_slice(&got), want);
	strbuf_done(&got);
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
		{P(1, 0, 0, 30), P(2, 0, 100, 130), P(3, 0, 131, 160)}, "1<-1,2 at 120"},
	    {"one that reaches over, alone", 240, false, {P(1, 0, 100, 130)}, "1 at 120"},
	    {"it waits for the end of its window", 119, false, {P(1, 0, 100, 130)}, ""},
	    {"the same before the epoch", 0, false, {P(1, 0, -130, -100)}, "1 at -120"},
	    {"late, over many windows", 0, false, {P(1, 0, 10, 500, .late = true), P(2, 0, 20, 30)},
		"1 at 120,240,360,480"},
	    {"the oldest of them first", 0, false,
		{P(3, 0, 10, 400, .late = true), P(2, 0, 250, 500, .late = true)}, "2 at 360,480"},
	    {"late, over two windows", 0, false, {P(1, 0, 10, 130, .late = true)}, ""},
	    {"late, over many windows, at once", 0, true, {P(1, 0, 10, 500, .late = true), P(2, 0, 20, 30)},
		"2<-1,2"},
	    {"over many days", 0, false, {P(1, 0, 100, 3000)}, "1 at 1440,2880"},
	    {"over so many that some stay together", 0, false, {P(1, 0, 0, 1440 * 100 - 1)},
		"1 at 2880,5760,8640,11520,14400,17280,20160,23040,25920,28800,31680,34560,37440,40320,43200,"
		"46080,48960,51840,54720,57600,60480,63360,66240,69120,72000,74880,77760,80640,83520,86400,"
		"89280,92160,95040,97920,100800,103680,106560,109440,112320,115200,118080,120960,123840,"
		"126720,129600,132480,135360,138240,141120"},
	    {"the oldest window first", 360, false,
		{P(5, 0, 120, 130), P(6, 0, 140, 150), P(7, 0, 0, 30), P(8, 0, 31, 60)}, "1<-7,8"},
	    {"one with late samples before", 360, false,
		{P(5, 0, 120, 130), P(6, 0, 140, 150, .late = true), P(7, 0, 0, 30), P(8, 0, 31, 60)},
		"1<-5,6"},
	    {"before the epoch", 0, false, {P(1, 0, -120, -90), P(2, 0, -80, -1), P(3, 0, 1, 20)}, "1<-1,2"},
	    {"a day", 1440, false, {P(1, 1, 0, 119), P(2, 1, 120, 239), P(3, 1, 1320, 1439)}, "2<-1,2,3"},
	    {"a day that goes on", 1439, false, {P(1, 1, 0, 119), P(2, 1, 120, 239), P(3, 1, 1320, 1439)},
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
	    {"into the next day", 9999, true, {P(1, 0, 0, 1500), P(2, 0, 1, 1600)}, "2<-1,2 at 1440"},
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
	check_int("as many as a job may have", job.n, COMPACT_PARTS_MAX);
}

static void levels_can_be_left_out(void **state)
{
	(void)state;
	static const struct sketch parts[] = {P(1, 1, 0, 119), P(2, 1, 120, 239)};
	struct compact_limits limits = limits_of(9999, false);
	limits.range_ms[1] = 0;
	check_plan("no days", parts, 2, limits, "");
	static const struct sketch long_one[] = {P(1, 0, 0, 300)};
	check_plan("a long one does not wait for its day", long_one, 1, limits, "1 at 120,240");
	limits.at_once = true;
	check_plan("not even when asked for", parts, 2, limits, "");
	limits.range_ms[0] = 0;
	check_plan("no joining", parts, 2, limits, "");
}

/* --- to the end ------------------------------------------------------------------------------------------------- */

enum { CROWD = 400, HORIZON = 5 * 1440, ROUNDS = 20 };

struct crowd {
	struct part_meta v[CROWD];
	size_t n;
	uint64_t next_seq, written;
};

/* Bytes in proportion to time: what a piece has of the parts. */
static void make_piece(struct crowd *c, const struct part_meta *old, size_t n, const struct compact_piece *p)
{
	struct part_meta m = {.seq = c->next_seq,
	    .level = p->level,
	    .min_t_ms = INT64_MAX,
	    .max_t_ms = INT64_MIN,
	    .series = 10};
	for (size_t i = 0; i < n; i++) {
		int64_t min = old[i].min_t_ms > p->min_t_ms ? old[i].min_t_ms : p->min_t_ms;
		int64_t max = old[i].max_t_ms < p->max_t_ms ? old[i].max_t_ms : p->max_t_ms;
		if (min > max)
			continue;
		m.chunks_bytes += (uint64_t)(max - min) / MINUTE_MS + 1;
		m.min_t_ms = min < m.min_t_ms ? min : m.min_t_ms;
		m.max_t_ms = max > m.max_t_ms ? max : m.max_t_ms;
		m.newest_seq = old[i].newest_seq > m.newest_seq ? old[i].newest_seq : m.newest_seq;
		m.out_of_order |= old[i].out_of_order && old[i].level == p->level;
	}
	if (m.chunks_bytes == 0)
		return;
	c->next_seq++;
	c->written += m.chunks_bytes;
	c->v[c->n++] = m;
}

static void do_job(struct crowd *c, const struct compact_job *job)
{
	static struct part_meta old[COMPACT_PARTS_MAX];
	for (size_t i = 0; i < job->n; i++) {
		old[i] = c->v[job->parts[i]];
		c->v[job->parts[i]].seq = 0;
	}
	size_t kept = 0;
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].seq)
			c->v[kept++] = c->v[i];
	c->n = kept;
	check_true("room", c->n + job->n_pieces <= CROWD);
	for (size_t i = 0; i < job->n_pieces; i++)
		make_piece(c, old, job->n, &job->pieces[i]);
}

static void add_part(struct crowd *c, int now, struct test_random *random)
{
	bool is_late = test_random_below(random, 4) == 0;
	int span = is_late ? 1 + (int)test_random_below(random, 12 * 60) : 32;
	int to = is_late ? now - (int)test_random_below(random, 600) : now, from = to - span;
	struct sketch s = {
	    .seq = c->next_seq++, .from = from < 0 ? 0 : from, .to = to < 0 ? 0 : to, .late = is_late};
	s.bytes = (uint64_t)(s.to - s.from) + 1;
	c->v[c->n++] = meta_of(&s);
}

static size_t run_to_the_end(struct crowd *c, const struct compact_limits *limits)
{
	const struct part_meta *list[CROWD];
	struct compact_job job;
	for (size_t steps = 0;; steps++) {
		check_true("it ends", steps < 10 * CROWD);
		for (size_t i = 0; i < c->n; i++)
			list[i] = &c->v[i];
		if (!compact_plan(list, c->n, limits, &job))
			return steps;
		check_pieces("pieces", list, &job);
		do_job(c, &job);
	}
}

static int64_t window(int64_t t_ms, int64_t minutes)
{
	return t_ms / (minutes * MINUTE_MS);
}

/* As the store does it: parts come, and what can be joined is joined. In the end nothing reaches out of its window, and no
 * sample was written more than a few times. */
static void parts_keep_to_their_windows(void **state)
{
	(void)state;
	static struct crowd c;
	struct test_random random;
	test_random_init(&random);
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t bytes = 0;
		c = (struct crowd){.next_seq = 1};
		for (int now = 32; now < HORIZON; now += 32) {
			add_part(&c, now, &random);
			bytes += c.v[c.n - 1].chunks_bytes;
			struct compact_limits limits = limits_of(now - 32, false);
			limits.max_bytes = UINT64_MAX;
			run_to_the_end(&c, &limits);
		}
		for (size_t i = 0; i < c.n; i++)
			if (c.v[i].max_t_ms < (int64_t)(HORIZON - 300) * MINUTE_MS)
				check_int("one window",
				    window(c.v[i].min_t_ms, c.v[i].level == 2 ? 1440 : 120),
				    window(c.v[i].max_t_ms, c.v[i].level == 2 ? 1440 : 120));
		check_true("few parts", c.n < 60);
		check_true("few writes", c.written < 6 * bytes);
	}
}

TEST_MAIN("compact plan", cmocka_unit_test(plans), cmocka_unit_test(many_parts_do_not_wait),
    cmocka_unit_test(parts_keep_to_their_windows), cmocka_unit_test(levels_can_be_left_out))
