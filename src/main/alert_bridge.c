#include "main/alert_bridge.h"

#include "alertmanager/router.h"
#include "base/lock.h"
#include "base/xmalloc.h"

struct alert_bridge {
	struct alert_sink sink; /* first: the sink is the bridge */
	struct router *router;
	struct lock lock;
	struct config_generation *generation; /* CONFIG; NULL: none yet */
};

static struct config_generation *generation_ref(struct alert_bridge *b)
{
	lock_take(&b->lock);
	struct config_generation *g = b->generation ? config_generation_ref(b->generation) : NULL;
	lock_release(&b->lock);
	return g;
}

/* The labels an alert goes out with; NULL: it does not go out. */
static const struct labels *outgoing_labels(
    const struct config *c, struct label_builder *lb, const struct labels *labels)
{
	label_builder_reset(lb, labels);
	LABELS_EACH (l, c->global.external_labels)
		if (!label_builder_get(lb, l->name).len)
			label_builder_set(lb, l->name, l->value);
	if (!relabel_apply(c->alerting.alert_relabel.v, c->alerting.alert_relabel.n, lb) || lb->n == 0)
		return NULL;
	return label_builder_labels(lb);
}

static void send_alerts(struct alert_sink *self, const struct alert *alerts, size_t n, int64_t now_ms)
{
	struct alert_bridge *b = (struct alert_bridge *)(void *)self;
	struct config_generation *g = generation_ref(b);
	if (!g) {
		router_put_alerts(b->router, alerts, n, now_ms);
		return;
	}
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct alert *out = ARENA_ARRAY(arena, struct alert, n);
	struct label_builder lb;
	label_builder_init(&lb, arena, NULL);
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		out[kept] = alerts[i];
		out[kept].labels = outgoing_labels(g->config, &lb, alerts[i].labels);
		kept += out[kept].labels != NULL;
	}
	router_put_alerts(b->router, out, kept, now_ms);
	arena_free(arena);
	config_generation_unref(g);
}

struct alert_bridge *alert_bridge_new(struct router *router)
{
	struct alert_bridge *b = xcalloc(1, sizeof(*b));
	b->sink.send = send_alerts;
	b->router = router;
	lock_init(&b->lock, LOCK_CONFIG, "alert bridge");
	return b;
}

void alert_bridge_free(struct alert_bridge *b)
{
	if (!b)
		return;
	config_generation_unref(b->generation);
	lock_done(&b->lock);
	free(b);
}

void alert_bridge_set_config(struct alert_bridge *b, struct config_generation *g)
{
	lock_take(&b->lock);
	struct config_generation *old = b->generation;
	b->generation = config_generation_ref(g);
	lock_release(&b->lock);
	config_generation_unref(old);
}

struct alert_sink *alert_bridge_sink(struct alert_bridge *b)
{
	return &b->sink;
}
