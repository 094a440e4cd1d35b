#include "alertmanager/alert_group.h"

#include <assert.h>

enum { ROUTE_INDEX_BYTES = 4 }; /* in front of the group key: dispatch.c prints it */

struct alert_group *alert_group_new(
    struct dispatcher *d, const struct route *route, const struct labels *labels, struct slice table_key)
{
	struct alert_group *g = xcalloc(1, sizeof(*g));
	g->refs = 1;
	g->dispatcher = d;
	g->route = route;
	g->labels = labels_copy(labels);
	char *key = xmalloc(table_key.len + 1);
	memcpy(key, table_key.ptr, table_key.len);
	g->table_key = slice_of(key, table_key.len);
	g->key = slice_from(g->table_key, ROUTE_INDEX_BYTES);
	return g;
}

void alert_group_hold(struct alert_group *g)
{
	g->refs++;
}

void alert_group_release(struct alert_group *g)
{
	if (--g->refs > 0)
		return;
	assert(g->members.len == 0);
	alert_entry_vec_done(&g->members);
	labels_free(g->labels);
	free(g->muted_by);
	free((char *)(uintptr_t)g->table_key.ptr);
	free(g);
}

void alert_group_add(struct alert_group *g, struct alert_entry *e, struct alert_place *place)
{
	place->group = g;
	place->at = (uint32_t)g->members.len;
	alert_entry_vec_push(&g->members, e);
	e->n_in_groups++;
}

/* A member has a place here. */
static struct alert_place *place_in(struct alert_entry *e, const struct alert_group *g)
{
	uint32_t i = 0;
	while (e->places[i].group != g)
		i++;
	return &e->places[i];
}

/* The last member takes the place of the one that goes. */
void alert_group_remove(struct alert_group *g, struct alert_entry *e)
{
	struct alert_place *place = place_in(e, g);
	struct alert_entry *last = alert_entry_vec_pop(&g->members);
	if (last != e) {
		g->members.v[place->at] = last;
		place_in(last, g)->at = place->at;
	}
	place->group = NULL;
	e->n_in_groups--;
}

void alert_group_clear(struct alert_group *g)
{
	while (g->members.len > 0)
		alert_group_remove(g, g->members.v[g->members.len - 1]);
}
