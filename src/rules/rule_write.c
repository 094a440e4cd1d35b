#include "rules/rule_priv.h"

#include "model/stale_marker.h"

/* One transaction: samples by reference, with the entry each belongs to. */
struct writing {
	struct appender *appender;
	struct arena *arena;
	struct sample *samples;
	struct histogram_sample *histograms;
	struct written_series **of_samples, **of_histograms;
	size_t n_samples, n_histograms;
	enum append_result refused; /* the first reason; APPEND_OK: none */
};

static int find_ref(struct writing *w, struct written_series *s, struct err *err)
{
	if (s->kept.ref)
		return 0;
	s->kept.round = w->appender->round;
	return w->appender->ops->add_series(w->appender, NULL, s->entry.labels, &s->kept.ref, err);
}

static int add_sample(
    struct writing *w, struct written_series *s, const struct rule_sample *v, int64_t t_ms, struct err *err)
{
	int rc = find_ref(w, s, err);
	if (rc < 0)
		return rc;
	if (v->histogram) {
		w->of_histograms[w->n_histograms] = s;
		w->histograms[w->n_histograms++] = (struct histogram_sample){
		    .ref = s->kept.ref, .round = s->kept.round, .t_ms = t_ms, .h = v->histogram};
	} else {
		w->of_samples[w->n_samples] = s;
		w->samples[w->n_samples++] =
		    (struct sample){.ref = s->kept.ref, .round = s->kept.round, .t_ms = t_ms, .v = v->value};
	}
	return 0;
}

static void note(struct writing *w, enum append_result r)
{
	if (r != APPEND_OK && r != APPEND_REPEATED && w->refused == APPEND_OK)
		w->refused = r;
}

/* What became of a sample whose series was there. */
static void take(struct writing *w, struct written_series *s, enum append_result r)
{
	s->kept.round = w->appender->round;
	note(w, r);
}

/* The reference died since: the series is added anew, and the sample goes in by itself. */
static int append_again(struct writing *w, size_t i, struct err *err)
{
	struct written_series *s = w->of_samples[i];
	enum append_result r = APPEND_OK;
	s->kept.ref = 0;
	int rc = appender_append_one(
	    w->appender, &s->kept, s->entry.labels, w->samples[i].t_ms, w->samples[i].v, &r, err);
	if (rc == 0)
		note(w, r);
	return rc;
}

static int append_all(struct writing *w, struct err *err)
{
	const struct appender_ops *ops = w->appender->ops;
	uint8_t *results = arena_alloc(w->arena, w->n_samples + w->n_histograms + 1);
	int rc = w->n_samples ? ops->append(w->appender, w->samples, w->n_samples, results, err) : 0;
	for (size_t i = 0; rc == 0 && i < w->n_samples; i++) {
		if (results[i] == APPEND_UNKNOWN_REF)
			rc = append_again(w, i, err);
		else
			take(w, w->of_samples[i], (enum append_result)results[i]);
	}
	if (rc == 0 && w->n_histograms)
		rc = ops->append_histograms(w->appender, w->histograms, w->n_histograms, results, err);
	for (size_t i = 0; rc == 0 && i < w->n_histograms; i++) {
		take(w, w->of_histograms[i], (enum append_result)results[i]);
		if (results[i] == APPEND_UNKNOWN_REF)
			w->of_histograms[i]->kept.ref = 0;
	}
	return rc;
}

static int begin(struct writing *w, struct rule_manager *m, struct arena *arena, size_t n, struct err *err)
{
	*w = (struct writing){.arena = arena,
	    .samples = ARENA_ARRAY(arena, struct sample, n),
	    .histograms = ARENA_ARRAY(arena, struct histogram_sample, n),
	    .of_samples = ARENA_ARRAY(arena, struct written_series *, n),
	    .of_histograms = ARENA_ARRAY(arena, struct written_series *, n)};
	int rc = m->options.appendable->begin(m->options.appendable, &w->appender, err);
	if (rc == 0)
		w->appender->in_order_only = true; /* as upstream: a rule that ran late writes nothing into the past */
	return rc;
}

/* Ends the transaction in every case. */
static int finish(struct writing *w, int rc, struct err *err)
{
	if (rc == 0)
		rc = append_all(w, err);
	if (rc < 0) {
		w->appender->ops->rollback(w->appender);
		return rc;
	}
	struct append_stats stats = {0};
	rc = w->appender->ops->commit(w->appender, &stats, NULL, NULL, err);
	if (rc == 0 && w->refused != APPEND_OK)
		return err_set(err, ERR_EXECUTION, "%s", append_result_text(w->refused));
	return rc;
}

/* The sample that ends a series. */
static int add_end(struct writing *w, struct label_entry *entry, int64_t t_ms, struct err *err)
{
	struct rule_sample end = {.value = double_from_bits(STALE_NAN_BITS)};
	return add_sample(w, (struct written_series *)(void *)entry, &end, t_ms, err);
}

static bool is_old(const void *entry, void *arg)
{
	return ((const struct label_entry *)entry)->round != *(const uint64_t *)arg;
}

int rule_write(struct rule_group *g, struct rule *r, const struct rule_sample *v, size_t n, int64_t t_ms,
    struct err *err)
{
	if (n == 0 && r->series.len == 0)
		return 0;
	struct writing w;
	uint64_t round = ++r->round;
	int rc = begin(&w, g->manager, g->arena, n + r->series.len, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		struct written_series *s = label_table_find(&r->series, v[i].labels);
		if (!s)
			s = label_table_add(&r->series, v[i].labels, sizeof(*s));
		s->entry.round = round;
		rc = add_sample(&w, s, &v[i], t_ms, err);
	}
	for (size_t i = 0; rc == 0 && i < r->series.len; i++)
		if (r->series.v[i]->round != round)
			rc = add_end(&w, r->series.v[i], t_ms, err);
	rc = finish(&w, rc, err);
	label_table_remove_if(&r->series, is_old, &round, NULL);
	return rc;
}

int rule_write_ends(struct rule_manager *m, struct label_table *series, int64_t t_ms, struct err *err)
{
	if (series->len == 0)
		return 0;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct writing w;
	int rc = begin(&w, m, arena, series->len, err);
	if (rc == 0) {
		for (size_t i = 0; rc == 0 && i < series->len; i++)
			rc = add_end(&w, series->v[i], t_ms, err);
		rc = finish(&w, rc, err);
	}
	label_table_done(series, NULL);
	arena_free(arena);
	return rc;
}
