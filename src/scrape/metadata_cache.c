#include "scrape/metadata_cache.h"

#include "base/vec.h"
#include "base/xmalloc.h"
#include "scrape/parse_text.h"

#include <stdlib.h>

enum { KEPT_SCRAPES = 10 };

struct known {
	struct metadata m; /* help points to `help` */
	char *help;
	char *raw_help; /* as the page had it: compared without unescaping */
	size_t raw_len;
	uint64_t last_scrape;
};

VEC_DEFINE(key_vec, struct slice);

void metadata_cache_init(struct metadata_cache *c, struct lock *lock)
{
	*c = (struct metadata_cache){.lock = lock};
}

static void known_free(struct known *k)
{
	if (!k)
		return;
	free(k->help);
	free(k->raw_help);
	free(k);
}

void metadata_cache_done(struct metadata_cache *c)
{
	size_t i = 0;
	for (struct hashtab_entry *e; (e = hashtab_next(&c->by_metric, &i));)
		known_free((struct known *)e->value);
	hashtab_done(&c->by_metric);
}

static void forget_old(struct metadata_cache *c)
{
	struct key_vec old = {0};
	size_t i = 0;
	for (struct hashtab_entry *e; (e = hashtab_next(&c->by_metric, &i));)
		if (((struct known *)e->value)->last_scrape + KEPT_SCRAPES < c->scrape)
			key_vec_push(&old, slice_cstr(slice_dup(e->key)));
	lock_take(c->lock);
	VEC_EACH (struct slice, key, &old)
		known_free((struct known *)hashtab_remove(&c->by_metric, *key));
	lock_release(c->lock);
	VEC_EACH (struct slice, key, &old)
		free((void *)(uintptr_t)key->ptr);
	key_vec_done(&old);
}

void metadata_cache_begin(struct metadata_cache *c)
{
	c->scrape++;
	if (c->scrape % KEPT_SCRAPES == 0)
		forget_old(c);
}

static struct known *touch(struct metadata_cache *c, struct slice metric)
{
	struct known *k = (struct known *)hashtab_get(&c->by_metric, metric);
	if (!k) {
		k = (struct known *)xcalloc(1, sizeof(*k));
		k->m.help = k->m.unit = SL_EMPTY;
		lock_take(c->lock);
		hashtab_put(&c->by_metric, metric, k);
		lock_release(c->lock);
	}
	k->last_scrape = c->scrape;
	return k;
}

void metadata_cache_help(
    struct metadata_cache *c, struct slice metric, struct slice raw_help, struct appender *a)
{
	struct known *k = touch(c, metric);
	if (k->raw_help && slice_eq(slice_of(k->raw_help, k->raw_len), raw_help))
		return;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct slice help = text_unescape(raw_help, false, arena);
	lock_take(c->lock);
	free(k->help);
	free(k->raw_help);
	k->raw_help = slice_dup(raw_help);
	k->raw_len = raw_help.len;
	k->help = slice_dup(help);
	k->m.help = slice_of(k->help, help.len);
	lock_release(c->lock);
	arena_free(arena);
	a->ops->set_metadata(a, metric, &k->m);
}

void metadata_cache_type(
    struct metadata_cache *c, struct slice metric, enum metric_type type, struct appender *a)
{
	struct known *k = touch(c, metric);
	if (k->m.type == type)
		return;
	lock_take(c->lock);
	k->m.type = type;
	lock_release(c->lock);
	a->ops->set_metadata(a, metric, &k->m);
}

void metadata_cache_each(const struct metadata_cache *c, struct slice metric,
    void (*each)(void *arg, struct slice metric, const struct metadata *m), void *arg)
{
	size_t i = 0;
	for (struct hashtab_entry *e; (e = hashtab_next(&c->by_metric, &i));)
		if (metric.len == 0 || slice_eq(e->key, metric))
			each(arg, e->key, &((struct known *)e->value)->m);
}
