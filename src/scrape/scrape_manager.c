#include "scrape/scrape_manager.h"

#include "base/counters.h"
#include "base/hash.h"
#include "base/xmalloc.h"
#include "scrape/scrape_pool.h"

#include <stdlib.h>

VEC_DEFINE(scrape_pool_vec, struct scrape_pool *);

struct scrape_manager {
	struct scrape_env *env;
	struct slice host_name, external_address; /* copies */
	struct lock lock;                         /* LOCK_SD; guards the rest */
	struct scrape_pool_vec pools;             /* by name */
	struct scrape_loop_vec ending;            /* stopped, stale markers to come */
};

static void collect(void *arg, struct metrics_writer *w);

struct scrape_manager *scrape_manager_new(const struct scrape_manager_options *opt)
{
	struct scrape_manager *m = (struct scrape_manager *)xcalloc(1, sizeof(*m));
	m->env = scrape_env_new();
	m->env->scheduler = opt->scheduler;
	m->env->client = opt->client;
	m->env->store = opt->store;
	m->env->extra_metrics = opt->extra_metrics;
	m->host_name = slice_of(slice_dup(opt->host_name), opt->host_name.len);
	m->external_address = slice_of(slice_dup(opt->external_address), opt->external_address.len);
	lock_init(&m->lock, LOCK_SD, "scrape_manager");
	counters_add_collector(collect, m);
	return m;
}

/* --- configuration --------------------------------------------------------------------------------------------------------- */

static struct scrape_pool *take_pool(struct scrape_pool_vec *pools, struct slice name)
{
	for (size_t i = 0; i < pools->len; i++) {
		struct scrape_pool *p = pools->v[i];
		if (p && slice_eq_cstr(name, p->name)) {
			pools->v[i] = NULL;
			return p;
		}
	}
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct scrape_pool *const *)a)->name, (*(struct scrape_pool *const *)b)->name);
}

static void forget_ended(struct scrape_manager *m)
{
	size_t kept = 0;
	for (size_t i = 0; i < m->ending.len; i++) {
		if (scrape_loop_is_over(m->ending.v[i]))
			scrape_loop_unref(m->ending.v[i]);
		else
			m->ending.v[kept++] = m->ending.v[i];
	}
	m->ending.len = kept;
}

static uint64_t offset_seed(const struct scrape_manager *m, const struct config *config)
{
	const struct labels *external = config->global.external_labels;
	return hash64_seed(m->host_name.ptr, m->host_name.len, external ? labels_fingerprint(external) : 0);
}

void scrape_manager_apply(struct scrape_manager *m, struct config_generation *g)
{
	lock_take(&m->lock);
	forget_ended(m);
	m->env->offset_seed = offset_seed(m, g->config);
	struct scrape_pool_vec old = m->pools;
	m->pools = (struct scrape_pool_vec){0};
	for (size_t i = 0; i < g->config->scrapes.n; i++) {
		const struct scrape_config *config = &g->config->scrapes.v[i];
		struct scrape_pool *p = take_pool(&old, config->job_name);
		counter_add(p ? M_SCRAPE_POOL_RELOADS : M_SCRAPE_POOLS, 1);
		if (!p)
			p = scrape_pool_new(config->job_name);
		scrape_pool_sync(p, m->env, g, config, &m->ending);
		scrape_pool_vec_push(&m->pools, p);
	}
	VEC_EACH (struct scrape_pool *, p, &old)
		if (*p)
			scrape_pool_free(*p, &m->ending);
	scrape_pool_vec_done(&old);
	if (m->pools.len > 0)
		qsort(m->pools.v, m->pools.len, sizeof(m->pools.v[0]), by_name);
	lock_release(&m->lock);
}

void scrape_manager_free(struct scrape_manager *m)
{
	if (!m)
		return;
	counters_remove_collector(collect, m);
	scrape_env_stop(m->env);
	lock_take(&m->lock);
	VEC_EACH (struct scrape_pool *, p, &m->pools)
		scrape_pool_free(*p, NULL);
	VEC_EACH (struct scrape_loop *, l, &m->ending) {
		scrape_loop_stop(*l, false);
		scrape_loop_unref(*l);
	}
	lock_release(&m->lock);
	scrape_pool_vec_done(&m->pools);
	scrape_loop_vec_done(&m->ending);
	scrape_env_unref(m->env);
	lock_done(&m->lock);
	free((void *)(uintptr_t)m->host_name.ptr);
	free((void *)(uintptr_t)m->external_address.ptr);
	free(m);
}

/* --- lists -------------------------------------------------------------------------------------------------------------------- */

static void list_pool(
    struct scrape_manager *m, struct scrape_pool *p, struct arena *arena, struct scrape_list *out)
{
	struct slice name = arena_slice(arena, slice_cstr(p->name));
	out->pools[out->n_pools++] = (struct scrape_pool_info){name, p->n_dropped};
	VEC_EACH (struct scrape_loop *, l, &p->loops) {
		struct scrape_target_info *t = &out->active[out->n_active++];
		scrape_loop_info(*l, arena, t);
		t->pool = name;
		t->global_url = target_global_url(t->scrape_url, m->external_address, arena);
	}
	VEC_EACH (const struct labels *, d, &p->dropped)
		out->dropped[out->n_dropped++] =
		    (struct scrape_dropped_info){name, labels_copy_to(arena, *d)};
}

void scrape_manager_list(struct scrape_manager *m, struct arena *arena, struct scrape_list *out)
{
	*out = (struct scrape_list){0};
	lock_take(&m->lock);
	size_t active = 0, dropped = 0;
	VEC_EACH (struct scrape_pool *, p, &m->pools) {
		active += (*p)->loops.len;
		dropped += (*p)->dropped.len;
	}
	out->pools = ARENA_ARRAY(arena, struct scrape_pool_info, m->pools.len + 1);
	out->active = ARENA_ARRAY(arena, struct scrape_target_info, active + 1);
	out->dropped = ARENA_ARRAY(arena, struct scrape_dropped_info, dropped + 1);
	VEC_EACH (struct scrape_pool *, p, &m->pools)
		list_pool(m, *p, arena, out);
	lock_release(&m->lock);
}

void scrape_manager_metadata(struct scrape_manager *m, struct slice pool, const struct labels *labels,
    struct slice scrape_url, struct slice metric,
    void (*each)(void *arg, struct slice metric, const struct metadata *meta), void *arg)
{
	lock_take(&m->lock);
	VEC_EACH (struct scrape_pool *, p, &m->pools) {
		if (!slice_eq_cstr(pool, (*p)->name))
			continue;
		VEC_EACH (struct scrape_loop *, l, &(*p)->loops) {
			const struct target *t = scrape_loop_target(*l);
			if (slice_eq(t->url, scrape_url) && labels_eq(t->labels, labels))
				scrape_loop_metadata(*l, metric, each, arg);
		}
	}
	lock_release(&m->lock);
}

/* --- own metrics ---------------------------------------------------------------------------------------------------------------- */

static size_t metadata_entries(const struct scrape_pool *p)
{
	size_t n = 0;
	VEC_EACH (struct scrape_loop *, l, &p->loops)
		n += scrape_loop_metadata_entries(*l);
	return n;
}

static double value_targets(const struct scrape_pool *p)
{
	return (double)p->loops.len;
}

static double value_limit(const struct scrape_pool *p)
{
	return (double)p->target_limit;
}

static double value_syncs(const struct scrape_pool *p)
{
	return (double)p->n_syncs;
}

static double value_metadata(const struct scrape_pool *p)
{
	return (double)metadata_entries(p);
}

static const struct {
	const char *name, *type, *help;
	double (*value)(const struct scrape_pool *p);
} per_job[] = {
    {"prometheus_target_scrape_pool_targets", "gauge", "Current number of targets in this scrape pool.",
	value_targets},
    {"prometheus_target_scrape_pool_target_limit", "gauge",
	"Maximum number of targets allowed in this scrape pool.", value_limit},
    {"prometheus_target_scrape_pool_sync_total", "counter",
	"Total number of syncs that were executed on a scrape pool.", value_syncs},
    {"prometheus_target_metadata_cache_entries", "gauge",
	"Total number of metric metadata entries in the cache.", value_metadata},
};

static void collect_syncs(const struct scrape_manager *m, struct metrics_writer *w)
{
	metrics_family(w, "prometheus_target_sync_length_seconds", "summary",
	    "Actual interval to sync the scrape pool.");
	VEC_EACH (struct scrape_pool *, p, &m->pools) {
		metrics_sample(w, "_sum", (*p)->sync_seconds, "scrape_job", (*p)->name, NULL);
		metrics_sample(w, "_count", (double)(*p)->n_syncs, "scrape_job", (*p)->name, NULL);
	}
}

static void collect(void *arg, struct metrics_writer *w)
{
	struct scrape_manager *m = (struct scrape_manager *)arg;
	lock_take(&m->lock);
	for (size_t i = 0; i < ARRAY_LEN(per_job); i++) {
		metrics_family(w, per_job[i].name, per_job[i].type, per_job[i].help);
		VEC_EACH (struct scrape_pool *, p, &m->pools)
			metrics_sample(w, "", per_job[i].value(*p), "scrape_job", (*p)->name, NULL);
	}
	collect_syncs(m, w);
	interval_stats_collect(&m->env->intervals, w);
	metrics_family(
	    w, "prometheus_sd_discovered_targets", "gauge", "Current number of discovered targets.");
	VEC_EACH (struct scrape_pool *, p, &m->pools)
		metrics_sample(
		    w, "", (double)(*p)->n_discovered, "name", "scrape", "config", (*p)->name, NULL);
	lock_release(&m->lock);
}
