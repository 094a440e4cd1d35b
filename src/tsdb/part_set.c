#include "tsdb/part_set.h"

#include "base/xmalloc.h"

void part_sets_init(struct part_sets_owner *o)
{
	*o = (struct part_sets_owner){0};
	lock_init(&o->lock, LOCK_TSDB_BLOCKS, "parts");
	o->current = xcalloc(1, sizeof(*o->current));
	o->current->refs = 1;
	part_set_vec_push(&o->held, o->current);
}

static void set_free(struct part_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		part_unref(s->v[i]);
	free(s->v);
	free(s);
}

void part_sets_done(struct part_sets_owner *o)
{
	part_sets_put(o, o->current);
	part_set_vec_done(&o->held);
	lock_done(&o->lock);
}

struct part_set *part_sets_get(struct part_sets_owner *o)
{
	lock_take(&o->lock);
	struct part_set *s = o->current;
	s->refs++;
	lock_release(&o->lock);
	return s;
}

static void forget(struct part_set_vec *held, const struct part_set *s)
{
	size_t n = 0;
	for (size_t i = 0; i < held->len; i++)
		if (held->v[i] != s)
			held->v[n++] = held->v[i];
	held->len = n;
}

void part_sets_put(struct part_sets_owner *o, struct part_set *s)
{
	lock_take(&o->lock);
	bool is_last = --s->refs == 0;
	if (is_last)
		forget(&o->held, s);
	lock_release(&o->lock);
	if (is_last)
		set_free(s);
}

static bool is_among(uint64_t seq, const uint64_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] == seq)
			return true;
	return false;
}

/* Those that were cut out of one stand in the order of their times, so that what is read of them ascends. */
static bool comes_before(const struct part_meta *a, const struct part_meta *b)
{
	return a->newest_seq != b->newest_seq ? a->newest_seq < b->newest_seq : a->min_t_ms < b->min_t_ms;
}

/* A joined part takes the place of the newest that went into it. */
static void insert(struct part_set *s, struct part *add)
{
	size_t i = s->n++;
	for (; i > 0 && comes_before(part_meta(add), part_meta(s->v[i - 1])); i--)
		s->v[i] = s->v[i - 1];
	s->v[i] = add;
}

void part_sets_change(struct part_sets_owner *o, const struct part_set_change *change)
{
	struct part_set *old = o->current; /* changed by one thread only */
	struct part_set *s = xcalloc(1, sizeof(*s));
	s->v = xreallocarray(NULL, old->n + change->n_add + 1, sizeof(struct part *));
	for (size_t i = 0; i < old->n; i++)
		if (!is_among(part_meta(old->v[i])->seq, change->remove, change->n_remove))
			s->v[s->n++] = part_ref(old->v[i]);
	for (size_t i = 0; i < change->n_add; i++)
		insert(s, change->add[i]);
	s->sealed_seq = change->sealed_seq ? change->sealed_seq : old->sealed_seq;
	s->refs = 1;
	lock_take(&o->lock);
	part_set_vec_push(&o->held, s);
	o->current = s;
	lock_release(&o->lock);
	part_sets_put(o, old);
}

uint64_t part_sets_oldest_seq(struct part_sets_owner *o)
{
	lock_take(&o->lock);
	uint64_t seq = o->held.v[0]->sealed_seq;
	lock_release(&o->lock);
	return seq;
}
