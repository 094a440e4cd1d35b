#include "promql/slow_queries.h"

#include "base/lock.h"
#include "base/xmalloc.h"

/* A record whose texts lie in an arena of its own. */
struct kept {
	struct arena *arena;
	struct query_record record;
};

struct slow_queries {
	int64_t threshold_ns;
	struct lock lock; /* a leaf: guards what follows */
	struct kept ring[SLOW_QUERIES];
	uint64_t added;
};

struct slow_queries *slow_queries_new(int64_t threshold_ns)
{
	struct slow_queries *s = xcalloc(1, sizeof(*s));

	s->threshold_ns = threshold_ns;
	lock_init(&s->lock, LOCK_POOL, "slow queries");
	return s;
}

void slow_queries_free(struct slow_queries *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < SLOW_QUERIES; i++)
		arena_free(s->ring[i].arena);
	lock_done(&s->lock);
	free(s);
}

static struct slice keep_text(struct arena *arena, struct slice s)
{
	return arena_slice(
	    arena, slice_of(s.ptr, s.len < SLOW_QUERY_TEXT_BYTES ? s.len : SLOW_QUERY_TEXT_BYTES));
}

static struct query_record copy(struct arena *arena, const struct query_record *r)
{
	struct query_record c = *r;

	c.text = keep_text(arena, r->text);
	c.origin = (struct query_origin){keep_text(arena, r->origin.client_ip),
	    keep_text(arena, r->origin.method), keep_text(arena, r->origin.path),
	    keep_text(arena, r->origin.rule_file), keep_text(arena, r->origin.rule_group)};
	c.error = r->error ? arena_strdup(arena, slice_cstr(r->error)) : NULL;
	c.stats.seen_by_step = c.stats.fresh_by_step = NULL;
	return c;
}

void slow_queries_add(struct slow_queries *s, const struct query_record *r)
{
	if (r->stats.total_ns < s->threshold_ns)
		return;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct query_record record = copy(arena, r);
	lock_take(&s->lock);
	struct kept *k = &s->ring[s->added++ % SLOW_QUERIES];
	struct arena *old = k->arena;
	*k = (struct kept){arena, record};
	lock_release(&s->lock);
	arena_free(old);
}

void slow_queries_list(struct slow_queries *s, struct arena *arena, struct query_record **out, size_t *n)
{
	struct query_record *v = ARENA_ARRAY(arena, struct query_record, SLOW_QUERIES);

	lock_take(&s->lock);
	*n = s->added < SLOW_QUERIES ? (size_t)s->added : SLOW_QUERIES;
	for (size_t i = 0; i < *n; i++)
		v[i] = copy(arena, &s->ring[(s->added - 1 - i) % SLOW_QUERIES].record);
	lock_release(&s->lock);
	*out = v;
}
