#include "tests/tsdb/operations.h"

#include "base/xmalloc.h"
#include "model/stale_marker.h"
#include <inttypes.h>
#include <stdlib.h>

static bool same_value(const struct model_value *a, const struct model_value *b)
{
	return a->is_there && b->is_there && a->h == b->h && (a->h || double_bits(a->v) == double_bits(b->v));
}

/* Whether the head may have forgotten a series that ended. */
static bool may_be_dropped(const struct run *r, const struct slot *s)
{
	return s->last_hi == INT64_MIN || r->newest_hi - s->last_hi >= 2 * SEAL_MS;
}

/* --- writing: what the answers mean ------------------------------------------------------------------------------ */

struct offer {
	struct slot *slot;
	int64_t t_ms;
	struct model_value v;
};

static void note_put(struct run *r, const struct offer *o)
{
	struct slot *s = o->slot;
	if (may_be_dropped(r, s) || o->t_ms > s->last_lo)
		s->last_lo = o->t_ms;
	if (o->t_ms > s->last_hi)
		s->last_hi = o->t_ms;
	if (o->t_ms > r->newest_lo)
		r->newest_lo = o->t_ms;
	if (o->t_ms > r->newest_hi)
		r->newest_hi = o->t_ms;
	sample_model_put(r->model, s->series, o->t_ms, o->v);
}

/* Whether the store may answer this (a deletion that failed may leave what it was about); `now` is what readers see at that time. */
static bool may_answer(
    const struct run *r, const struct offer *o, const struct model_value *now, enum append_result a)
{
	const struct slot *s = o->slot;
	bool is_old = r->retention_ms && o->t_ms < r->now_ms - r->retention_ms;
	bool is_new = o->t_ms > s->last_hi && o->t_ms <= r->now_ms + FUTURE_MS && !is_old;
	switch (a) {
	case APPEND_OK:
		return o->t_ms <= r->now_ms + FUTURE_MS && !is_old &&
		       (o->t_ms > s->last_lo || may_be_dropped(r, s) ||
			   (r->window_ms > 0 && o->t_ms >= r->newest_lo - r->window_ms));
	case APPEND_REPEATED:
		return same_value(now, &o->v) || r->n_failed > 0;
	case APPEND_DUPLICATE:
		return (now->is_there && !same_value(now, &o->v)) || r->n_failed > 0;
	case APPEND_OUT_OF_ORDER:
		return !is_new && r->window_ms == 0;
	case APPEND_TOO_OLD:
		return !is_new && r->window_ms > 0 && o->t_ms < r->newest_hi - r->window_ms;
	case APPEND_EXPIRED:
		return is_old;
	case APPEND_TOO_FAR:
		return o->t_ms > r->now_ms + FUTURE_MS;
	case APPEND_UNKNOWN_REF:
	case APPEND_LIMIT:
	case APPEND_NO_ROOM:
	case APPEND_RESULTS:
		return false;
	}
	return false;
}

static void take_answer(struct run *r, const struct offer *o, enum append_result a)
{
	struct model_value now = sample_model_at(o->slot->series, o->t_ms);
	r->tally[a]++;
	if (is_verbose())
		print_message("# %s: %" PRId64 " %s\n",
		    arena_strdup(r->arena, labels_get(o->slot->series->labels, SL("pod"))), o->t_ms,
		    append_result_text(a));
	if (!may_answer(r, o, &now, a))
		fail_msg("operation %u (%s): sample at %" PRId64 " of %" SL_FMT ", newest %" PRId64
			 "..%" PRId64 ", of all %" PRId64 ", now %" PRId64 ", is %s there: \"%s\"",
		    r->number, r->name, o->t_ms, SL_ARG(labels_get(o->slot->series->labels, SL("pod"))),
		    o->slot->last_lo, o->slot->last_hi, r->newest_hi, r->now_ms,
		    now.is_there ? same_value(&now, &o->v) ? "the same" : "another" : "none",
		    append_result_text(a));
	if (a == APPEND_OK)
		note_put(r, o);
}

/* --- writing: transactions --------------------------------------------------------------------------------------- */

enum { OFFERS_MAX = 2 * BURST };
struct batch {
	size_t n;
	struct offer v[OFFERS_MAX];
};

/* The ref by key, as a writer that knows its series asks, or as it was found before. */
static void find_ref(struct run *r, struct appender *a, struct slot *s)
{
	struct err err;
	if (s->kept.ref && !one_in(r, 10))
		return;
	a->ops->find(a, &s->key, 1, &s->kept.ref);
	if (!s->kept.ref)
		check_ok(
		    r->name, a->ops->add_series(a, &s->key, s->series->labels, &s->kept.ref, &err), &err);
	s->kept.round = a->round;
}

static enum append_result append_one(struct run *r, struct appender *a, const struct offer *o)
{
	struct err err;
	uint8_t result;
	struct sample s = {
	    .ref = o->slot->kept.ref, .round = o->slot->kept.round, .t_ms = o->t_ms, .v = o->v.v};
	struct histogram_sample h = {
	    .ref = o->slot->kept.ref, .round = o->slot->kept.round, .t_ms = o->t_ms, .h = o->v.h};
	int rc = o->v.h ? a->ops->append_histograms(a, &h, 1, &result, &err)
			: a->ops->append(a, &s, 1, &result, &err);
	check_ok(r->name, rc, &err);
	return (enum append_result)result;
}

/* A writer finds out that its ref is dead, and asks again. */
static enum append_result append_anew(struct run *r, struct appender *a, const struct offer *o)
{
	find_ref(r, a, o->slot);
	enum append_result result = append_one(r, a, o);
	if (result != APPEND_UNKNOWN_REF)
		return result;
	o->slot->kept.ref = 0;
	find_ref(r, a, o->slot);
	return append_one(r, a, o);
}

/* The commit failed, which it may while the disk is gone: nothing of it is there. */
static void note_failed(const struct run *r, int rc, const struct err *err)
{
	if (!is_in_trouble(r))
		fail_msg("operation %u (%s): commit: %s", r->number, r->name, err->msg);
	check_int("commit", rc, ERR_UNAVAILABLE);
}

/* Offers of different series in one transaction: each answer is known at once. */
static void write_batch(struct run *r, struct batch *b)
{
	struct appendable *door = tsdb_appendable(r->db);
	struct appender *a;
	struct err err;
	struct append_stats stats = {0};
	uint64_t expected[APPEND_RESULTS] = {0};
	int rc = door->begin(door, &a, &err);
	if (rc != 0) {
		went_well(r, rc, &err);
		return;
	}
	uint8_t *answers = xmalloc(b->n + 1);
	for (size_t i = 0; i < b->n; i++) {
		answers[i] = (uint8_t)append_anew(r, a, &b->v[i]);
		expected[answers[i]]++;
	}
	uint32_t round = a->round;
	rc = a->ops->commit(a, &stats, NULL, NULL, &err);
	if (rc != 0)
		note_failed(r, rc, &err);
	for (size_t i = 0; i < b->n && rc == 0; i++) {
		take_answer(r, &b->v[i], (enum append_result)answers[i]);
		if (answers[i] == APPEND_OK)
			b->v[i].slot->kept.round = round;
	}
	for (int i = 0; i < APPEND_UNKNOWN_REF && rc == 0; i++)
		check_int(append_result_text((enum append_result)i), stats.by_result[i], expected[i]);
	free(answers);
}

static void write_one(struct run *r, struct slot *s, int64_t t_ms, struct model_value v)
{
	struct batch *b = xmalloc(sizeof(*b));
	b->n = 1;
	b->v[0] = (struct offer){s, t_ms, v};
	write_batch(r, b);
	free(b);
}

/* --- operations: writing ----------------------------------------------------------------------------------------- */

static void pass_time(struct run *r)
{
	int64_t step_ms = 5000 + (int64_t)below(r, 20000);
	if (one_in(r, 60))
		step_ms = 10 * MINUTE_MS;
	if (one_in(r, 400))
		step_ms = 3 * HOUR_MS;
	r->now_ms += step_ms;
	clock_virtual_set(r->clock, r->now_ms);
}

void scrape(struct run *r)
{
	struct batch *b = xmalloc(sizeof(*b));
	b->n = 0;
	pass_time(r);
	for (int i = 0; i < SLOTS; i++) {
		struct slot *s = &r->slots[i];
		if (one_in(r, 4) || s->last_hi >= r->now_ms)
			continue;
		b->v[b->n++] = (struct offer){s, r->now_ms, next_value(r, s)};
		s->histogram = b->v[b->n - 1].v.h ? (struct histogram *)(uintptr_t)b->v[b->n - 1].v.h : NULL;
	}
	write_batch(r, b);
	free(b);
}

/* The time of some sample that readers see; false: there is none. */
static bool some_known(struct run *r, const struct slot *s, int64_t *t_ms, struct model_value *v)
{
	const struct model_entries *all = &s->series->entries;
	for (int tries = 0; tries < 5 && all->len > 0; tries++) {
		size_t recent = all->len < 200 || one_in(r, 3) ? all->len : 200;
		const struct model_entry *e = &all->v[all->len - 1 - below(r, recent)];
		if (!e->now.is_there && !one_in(r, 3))
			continue;
		*t_ms = e->t_ms;
		*v = e->now;
		return true;
	}
	return false;
}

void late(struct run *r)
{
	struct slot *s = some_slot(r);
	int64_t most = one_in(r, 10) ? 10 * HOUR_MS : one_in(r, 3) ? 2 * HOUR_MS : 10 * MINUTE_MS;
	int64_t t_ms = r->now_ms - 1 - (int64_t)below(r, (uint64_t)most);
	if (one_in(r, 100))
		t_ms = one_in(r, 2) ? -t_ms : INT64_MIN + 1;
	write_one(r, s, t_ms, late_value(r, s));
}

void several_late(struct run *r)
{
	int64_t t_ms = r->now_ms - (int64_t)below(r, HOUR_MS);
	struct slot *s = some_slot(r);
	for (uint64_t n = 2 + below(r, 8); n > 0; n--, t_ms += 1 + (int64_t)below(r, MINUTE_MS))
		write_one(r, s, t_ms < r->now_ms ? t_ms : r->now_ms, late_value(r, s));
}

void again(struct run *r)
{
	struct slot *s = some_slot(r);
	int64_t t_ms;
	struct model_value v;
	if (!some_known(r, s, &t_ms, &v))
		return;
	write_one(r, s, t_ms, v.is_there && !one_in(r, 3) ? v : late_value(r, s));
}

void from_the_future(struct run *r)
{
	struct slot *s = some_slot(r);
	int64_t ahead =
	    one_in(r, 4) ? (int64_t)below(r, FUTURE_MS) : FUTURE_MS + 1 + (int64_t)below(r, HOUR_MS);
	write_one(r, s, one_in(r, 20) ? INT64_MAX : r->now_ms + ahead, late_value(r, s));
}

/* The same series twice in a row, the second time backwards perhaps. */
void in_a_row(struct run *r)
{
	struct slot *s = some_slot(r);
	struct appendable *door = tsdb_appendable(r->db);
	struct appender *a;
	struct err err;
	struct append_stats stats;
	struct sample samples[2];
	uint8_t results[2];
	uint64_t taken = 0;
	if (s->kind >= INTEGER_HISTOGRAM || is_in_trouble(r))
		return;
	check_ok("begin", door->begin(door, &a, &err), &err);
	s->kept.ref = 0;
	find_ref(r, a, s);
	int64_t t_ms = r->now_ms + 1;
	for (int i = 0; i < 2; i++, t_ms += (int64_t)below(r, 4000) - 1000)
		samples[i] = (struct sample){
		    .ref = s->kept.ref, .round = s->kept.round, .t_ms = t_ms, .v = next_float(r, s)};
	check_ok("append", a->ops->append(a, samples, 2, results, &err), &err);
	check_ok("commit", a->ops->commit(a, &stats, NULL, NULL, &err), &err);
	for (int i = 0; i < 2; i++)
		take_answer(r, &(struct offer){s, samples[i].t_ms, {.is_there = true, .v = samples[i].v}},
		    (enum append_result)results[i]);
	for (int i = 0; i < 2; i++)
		taken += results[i] == APPEND_OK;
	check_int("taken in a row", stats.by_result[APPEND_OK], taken);
}

void roll_back(struct run *r)
{
	struct appendable *door = tsdb_appendable(r->db);
	struct appender *a;
	struct err err;
	int rc = door->begin(door, &a, &err);
	if (rc != 0) {
		went_well(r, rc, &err);
		return;
	}
	struct slot *s = some_slot(r);
	struct offer o = {s, r->now_ms + 1, next_value(r, s)};
	append_anew(r, a, &o);
	a->ops->rollback(a);
}

/* A pod is gone, another comes. */
void churn(struct run *r)
{
	new_slot(r, some_slot(r));
}

void burst(struct run *r)
{
	struct batch *b = xmalloc(sizeof(*b));
	struct slot *slots = xcalloc(BURST, sizeof(*slots));
	b->n = BURST;
	for (size_t i = 0; i < BURST; i++) {
		unsigned n = r->n_series++;
		slots[i] =
		    (struct slot){.last_lo = INT64_MIN, .last_hi = INT64_MIN, .key = {n + 1, ~(uint64_t)n}};
		slots[i].series = sample_model_series(r->model, new_labels(r, "burst", n));
		b->v[i] = (struct offer){&slots[i], r->now_ms, {.is_there = true, .v = (double)i}};
	}
	write_batch(r, b);
	free(slots);
	free(b);
	churn(r); /* it stands behind them */
}

/* --- after a crash ----------------------------------------------------------------------------------------------- */

void forget_newest(struct run *r)
{
	r->newest_lo = INT64_MIN;
	VEC_EACH (struct model_series *, s, sample_model_all(r->model))
		for (size_t k = (*s)->entries.len; k-- > 0;)
			if ((*s)->entries.v[k].now.is_there) {
				if ((*s)->entries.v[k].t_ms > r->newest_lo)
					r->newest_lo = (*s)->entries.v[k].t_ms;
				break;
			}
	for (int i = 0; i < SLOTS; i++) {
		struct slot *s = &r->slots[i];
		s->last_lo = INT64_MIN;
		VEC_EACH (struct model_entry, e, &s->series->entries)
			if (e->now.is_there)
				s->last_lo = e->t_ms;
		s->histogram = NULL;
	}
}
