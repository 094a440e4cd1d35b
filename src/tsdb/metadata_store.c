#include "tsdb/metadata_store.h"

#include "base/xmalloc.h"
#include <stdlib.h>

void metadata_store_init(struct metadata_store *s)
{
	*s = (struct metadata_store){0};
	lock_init(&s->lock, LOCK_SERIES, "metadata");
}

void metadata_store_done(struct metadata_store *s)
{
	size_t i = 0;
	for (struct hashtab_entry *e; (e = hashtab_next(&s->by_metric, &i));)
		free(e->value);
	hashtab_done(&s->by_metric);
	lock_done(&s->lock);
}

static struct slice cut(struct slice s)
{
	return s.len > METADATA_MAX_TEXT ? slice_of(s.ptr, METADATA_MAX_TEXT) : s;
}

static struct metadata *copy(enum metric_type type, struct slice help, struct slice unit)
{
	struct metadata *m = xmalloc(sizeof(*m) + help.len + unit.len);
	char *text = (char *)(m + 1);
	if (help.len)
		memcpy(text, help.ptr, help.len);
	if (unit.len)
		memcpy(text + help.len, unit.ptr, unit.len);
	*m = (struct metadata){type, slice_of(text, help.len), slice_of(text + help.len, unit.len)};
	return m;
}

bool metadata_store_set(struct metadata_store *s, struct slice metric, const struct metadata *m)
{
	struct slice help = cut(m->help), unit = cut(m->unit);
	lock_take(&s->lock);
	struct metadata *known = hashtab_get(&s->by_metric, metric);
	bool is_news =
	    known ? known->type != m->type || !slice_eq(known->help, help) || !slice_eq(known->unit, unit)
		  : s->by_metric.len < METADATA_MAX_METRICS && metric.len > 0 &&
			metric.len <= METADATA_MAX_TEXT;
	if (is_news)
		free(hashtab_put(&s->by_metric, metric, copy(m->type, help, unit)));
	lock_release(&s->lock);
	return is_news;
}

static int by_metric(const void *a, const void *b)
{
	const struct metadata_of *x = a, *y = b;
	return slice_cmp(x->metric, y->metric);
}

static struct metadata_of copy_to(struct arena *arena, struct slice metric, const struct metadata *m)
{
	return (struct metadata_of){.metric = arena_slice(arena, metric),
	    .m = {m->type, arena_slice(arena, m->help), arena_slice(arena, m->unit)}};
}

size_t metadata_store_list(
    struct metadata_store *s, struct slice metric, struct arena *arena, struct metadata_of **out)
{
	lock_take(&s->lock);
	size_t n = 0;
	*out = ARENA_ARRAY(arena, struct metadata_of, metric.len ? 1 : s->by_metric.len + 1);
	size_t i = 0;
	if (metric.len) {
		struct metadata *m = hashtab_get(&s->by_metric, metric);
		if (m)
			(*out)[n++] = copy_to(arena, metric, m);
	} else {
		for (struct hashtab_entry *e; (e = hashtab_next(&s->by_metric, &i));)
			(*out)[n++] = copy_to(arena, e->key, e->value);
	}
	lock_release(&s->lock);
	qsort(*out, n, sizeof(**out), by_metric);
	return n;
}
