#include "alertmanager/inhibit.h"

#include "base/hashtab.h"
#include "base/strbuf.h"
#include <assert.h>

enum { NOT_LISTED = UINT32_MAX };

struct inhibit_tuple {
	struct slice key; /* own memory: rule and values */
	size_t n_links;
	struct alert_entry_vec one_sided, two_sided;
};

struct inhibit_index {
	const struct am_config *config;
	struct hashtab tuples; /* by key */
};

struct inhibit_index *inhibit_index_new(const struct am_config *config)
{
	struct inhibit_index *x = xcalloc(1, sizeof(*x));
	x->config = config;
	return x;
}

void inhibit_index_free(struct inhibit_index *x)
{
	if (!x)
		return;
	assert(x->tuples.len == 0);
	hashtab_done(&x->tuples);
	free(x);
}

/* --- tuples ------------------------------------------------------------------------------------------------------ */
/* Lengths stand before the values, so that no two combinations print alike. A missing label is the empty value. */
static void print_tuple_key(
    struct strbuf *out, uint32_t rule, const struct am_inhibit_rule *r, const struct labels *ls)
{
	strbuf_add(out, &rule, sizeof(rule));
	for (size_t i = 0; i < r->equal.n; i++) {
		struct slice value = labels_get(ls, r->equal.v[i]);
		strbuf_add(out, &value.len, sizeof(value.len));
		strbuf_add_slice(out, value);
	}
}

static struct inhibit_tuple *tuple_get(struct inhibit_index *x, struct slice key)
{
	struct inhibit_tuple *t = hashtab_get(&x->tuples, key);
	if (t)
		return t;
	t = xcalloc(1, sizeof(*t));
	t->key = slice_of(slice_dup(key), key.len);
	hashtab_put(&x->tuples, t->key, t);
	return t;
}

static void tuple_drop(struct inhibit_index *x, struct inhibit_tuple *t)
{
	hashtab_remove(&x->tuples, t->key);
	alert_entry_vec_done(&t->one_sided);
	alert_entry_vec_done(&t->two_sided);
	char *key = (char *)(uintptr_t)t->key.ptr;
	free(key);
	free(t);
}

static struct alert_entry_vec *list_of(struct inhibit_link *l)
{
	return l->is_target ? &l->tuple->two_sided : &l->tuple->one_sided;
}

/* A listed entry has a link to the tuple. */
static struct inhibit_link *link_to(struct alert_entry *e, const struct inhibit_tuple *t)
{
	uint32_t i = 0;
	while (e->links[i].tuple != t)
		i++;
	return &e->links[i];
}

static void list_add(struct alert_entry *e, struct inhibit_link *l)
{
	struct alert_entry_vec *list = list_of(l);
	l->at = (uint32_t)list->len;
	alert_entry_vec_push(list, e);
}

/* The last one takes the place of the one that goes. */
static void list_remove(struct inhibit_link *l)
{
	struct alert_entry_vec *list = list_of(l);
	struct alert_entry *last = alert_entry_vec_pop(list);
	if (l->at < list->len) {
		list->v[l->at] = last;
		link_to(last, l->tuple)->at = l->at;
	}
	l->at = NOT_LISTED;
}

/* --- links ------------------------------------------------------------------------------------------------------- */
static bool matches_all(const struct am_matchers *m, const struct labels *ls)
{
	for (size_t i = 0; i < m->n; i++)
		if (!matcher_matches_labels(m->v[i], ls))
			return false;
	return true;
}

static void link_entry(struct inhibit_index *x, struct alert_entry *e)
{
	struct strbuf key = STRBUF_INIT;
	e->is_linked = true;
	for (uint32_t i = 0; i < x->config->n_inhibit_rules; i++) {
		const struct am_inhibit_rule *r = &x->config->inhibit_rules[i];
		bool is_source = matches_all(&r->source, e->labels);
		bool is_target = matches_all(&r->target, e->labels);
		if (!is_source && !is_target)
			continue;
		strbuf_reset(&key);
		print_tuple_key(&key, i, r, e->labels);
		struct inhibit_tuple *t = tuple_get(x, strbuf_slice(&key));
		t->n_links++;
		e->links = xreallocarray(e->links, e->n_links + 1, sizeof(*e->links));
		e->links[e->n_links++] = (struct inhibit_link){
		    .tuple = t, .rule = i, .at = NOT_LISTED, .is_source = is_source, .is_target = is_target};
	}
	strbuf_done(&key);
}

void inhibit_note(struct inhibit_index *x, struct alert_entry *e, int64_t now_ms)
{
	if (!e->is_linked)
		link_entry(x, e);
	if (alert_is_resolved(&e->now->alert, now_ms))
		return; /* a listed one is dropped when it is met */
	for (uint32_t i = 0; i < e->n_links; i++)
		if (e->links[i].is_source && e->links[i].at == NOT_LISTED)
			list_add(e, &e->links[i]);
}

void inhibit_forget(struct inhibit_index *x, struct alert_entry *e)
{
	for (uint32_t i = 0; i < e->n_links; i++) {
		struct inhibit_link *l = &e->links[i];
		if (l->at != NOT_LISTED)
			list_remove(l);
		if (--l->tuple->n_links == 0)
			tuple_drop(x, l->tuple);
	}
	free(e->links);
	e->links = NULL;
	e->n_links = 0;
	e->is_linked = false;
}

/* --- asking ------------------------------------------------------------------------------------------------------ */
/* The newest firing source of the list; those that have run out leave it. */
static const struct alert_entry *first_firing(
    struct alert_entry_vec *list, const struct inhibit_tuple *t, int64_t now_ms)
{
	while (list->len > 0) {
		struct alert_entry *last = list->v[list->len - 1];
		if (!alert_is_resolved(&last->now->alert, now_ms))
			return last;
		list_remove(link_to(last, t));
	}
	return NULL;
}

const struct alert_entry *inhibit_find(const struct alert_entry *e, int64_t now_ms)
{
	for (uint32_t i = 0; i < e->n_links; i++) {
		const struct inhibit_link *l = &e->links[i];
		if (!l->is_target)
			continue;
		const struct alert_entry *by = first_firing(&l->tuple->one_sided, l->tuple, now_ms);
		if (!by && !l->is_source)
			by = first_firing(&l->tuple->two_sided, l->tuple, now_ms);
		if (by)
			return by;
	}
	return NULL;
}
