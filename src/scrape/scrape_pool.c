#include "scrape/scrape_pool.h"

#include "base/counters.h"
#include "base/hashtab.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "discovery/sd_manager.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A target as it was just made, with the arena it lives in. */
struct fresh {
	struct arena *arena;
	struct target target;
};
VEC_DEFINE(fresh_vec, struct fresh);

struct scrape_pool *scrape_pool_new(struct slice name)
{
	struct scrape_pool *p = (struct scrape_pool *)xcalloc(1, sizeof(*p));
	p->name = slice_dup(name);
	p->dropped_arena = arena_new(ARENA_NO_LIMIT);
	return p;
}

static void let_go(struct scrape_loop *l, struct scrape_loop_vec *ending)
{
	scrape_loop_stop(l, ending != NULL);
	if (ending)
		scrape_loop_vec_push(ending, l);
	else
		scrape_loop_unref(l);
}

void scrape_pool_free(struct scrape_pool *p, struct scrape_loop_vec *ending)
{
	VEC_EACH (struct scrape_loop *, l, &p->loops)
		let_go(*l, ending);
	scrape_loop_vec_done(&p->loops);
	scrape_labels_vec_done(&p->dropped);
	arena_free(p->dropped_arena);
	scrape_job_unref(p->job);
	free(p->name);
	free(p);
}

/* --- targets of the configuration ----------------------------------------------------------------------------------------- */

/* Two targets of one hash are one target. */
static struct slice identity(const struct target *t)
{
	return slice_of((const char *)&t->hash, sizeof(t->hash));
}

static void drop(struct scrape_pool *p, const struct target *t, uint64_t kept_limit)
{
	p->n_dropped++;
	if (kept_limit == 0 || p->dropped.len < kept_limit)
		scrape_labels_vec_push(&p->dropped, labels_copy_to(p->dropped_arena, t->discovered));
}

static void make_target(struct scrape_pool *p, const struct scrape_config *config,
    const struct target_group *group, size_t i, struct hashtab *known, struct fresh_vec *out)
{
	struct fresh f = {.arena = arena_new(ARENA_NO_LIMIT)};
	enum target_fate fate;
	struct err err;
	if (target_make(config, group, i, f.arena, &f.target, &fate, &err) < 0) {
		counter_add(M_SCRAPE_SYNC_FAILED, 1);
		log_error("a target cannot be scraped", KV_STR("component", "scrape"), KV_STR("job", p->name),
		    KV_SLICE("group", group->source), KV_U64("instance", i), KV_ERR(&err));
	} else if (fate == TARGET_DROPPED) {
		drop(p, &f.target, config->limits.keep_dropped_targets);
	} else if (!hashtab_get(known, identity(&f.target))) {
		hashtab_put(known, identity(&f.target), f.arena);
		fresh_vec_push(out, f);
		return;
	}
	arena_free(f.arena);
}

static void make_targets(struct scrape_pool *p, const struct scrape_config *config, struct fresh_vec *out)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct hashtab known = {0};
	struct sd_result found;
	sd_manager_discover(&config->sources, arena, &found);
	for (size_t i = 0; i < found.n_unsupported; i++)
		log_warn("service discovery of this kind is not supported: its targets are not scraped",
		    KV_STR("component", "scrape"), KV_STR("job", p->name),
		    KV_STR("mechanism", found.unsupported[i]));
	p->n_discovered = 0;
	for (size_t g = 0; g < found.groups.n; g++) {
		p->n_discovered += found.groups.v[g].n;
		for (size_t i = 0; i < found.groups.v[g].n; i++)
			make_target(p, config, &found.groups.v[g], i, &known, out);
	}
	hashtab_done(&known);
	arena_free(arena);
}

/* --- loops ------------------------------------------------------------------------------------------------------------------ */

static int by_labels(const void *a, const void *b)
{
	const struct target *x = scrape_loop_target(*(struct scrape_loop *const *)a);
	const struct target *y = scrape_loop_target(*(struct scrape_loop *const *)b);
	int c = labels_cmp(x->labels, y->labels);
	return c ? c : slice_cmp(x->url, y->url);
}

/* Loops whose target is still there go on under the new job, the others end; then come the new ones. */
static void replace_loops(
    struct scrape_pool *p, struct scrape_env *env, struct fresh_vec *fresh, struct scrape_loop_vec *ending)
{
	struct scrape_loop_vec old = p->loops, now = {0};
	struct hashtab running = {0};
	VEC_EACH (struct scrape_loop *, l, &old)
		hashtab_put(&running, identity(scrape_loop_target(*l)), *l);
	VEC_EACH (struct fresh, f, fresh) {
		struct scrape_loop *l = (struct scrape_loop *)hashtab_remove(&running, identity(&f->target));
		if (l) {
			arena_free(f->arena);
			scrape_loop_set_job(l, p->job);
		} else {
			l = scrape_loop_new(env, p->job, f->arena, &f->target);
			scrape_loop_start(l);
		}
		scrape_loop_vec_push(&now, l);
	}
	size_t i = 0;
	for (struct hashtab_entry *e; (e = hashtab_next(&running, &i));)
		let_go((struct scrape_loop *)e->value, ending);
	hashtab_done(&running);
	scrape_loop_vec_done(&old);
	if (now.len > 0)
		qsort(now.v, now.len, sizeof(now.v[0]), by_labels);
	p->loops = now;
}

/* NULL, or why no target of the job may be scraped. */
static const char *limit_error(const struct scrape_config *config, size_t n_targets, char *text, size_t size)
{
	uint64_t limit = config->limits.targets;
	if (limit == 0 || n_targets <= limit)
		return NULL;
	counter_add(M_SCRAPE_TARGET_LIMIT, 1);
	snprintf(text, size, "target_limit exceeded (number of targets: %zu, limit: %" PRIu64 ")", n_targets,
	    limit);
	return text;
}

void scrape_pool_sync(struct scrape_pool *p, struct scrape_env *env, struct config_generation *g,
    const struct scrape_config *config, struct scrape_loop_vec *ending)
{
	int64_t started_ns = clock_mono_ns(scheduler_clock(env->scheduler));
	scrape_labels_vec_reset(&p->dropped);
	arena_reset(p->dropped_arena);
	p->n_dropped = 0;
	struct fresh_vec fresh = {0};
	make_targets(p, config, &fresh);
	char text[128];
	struct scrape_job *old = p->job;
	p->job = scrape_job_new(g, config, limit_error(config, fresh.len, text, sizeof(text)));
	p->target_limit = config->limits.targets;
	scrape_job_unref(old);
	replace_loops(p, env, &fresh, ending);
	fresh_vec_done(&fresh);
	p->n_syncs++;
	p->sync_seconds += (double)(clock_mono_ns(scheduler_clock(env->scheduler)) - started_ns) / 1e9;
}
