#include "main/routing.h"

#include "alertmanager/router.h"
#include "base/xmalloc.h"
#include "net/http_client.h"
#include "web/api_alerts_v2.h"

struct routing {
	struct alert_sink sink; /* first: the sink is the routing */
	struct router *router;
	struct api_alerts_v2 *api;    /* NULL: no router configured */
	struct http_server *listener; /* NULL: no second one */
	char *external_url;
};

static char *notification_url(const struct routing_options *o)
{
	const char *own = options_text(o->options, OPT_AM_EXTERNAL_URL);
	struct slice url = slice_cstr(own[0] ? own : o->external_url);
	while (url.len && url.ptr[url.len - 1] == '/')
		url.len--;
	return slice_dup(url);
}

static struct router *new_router(const struct routing_options *o, const char *external_url)
{
	char *agent = xasprintf("Alertmanager/%s", o->version);
	struct router_options options = {
	    .scheduler = o->scheduler,
	    .http = http_client_new(agent),
	    .external_url = external_url,
	    .retention_ms = options_ms(o->options, OPT_AM_RETENTION),
	};
	free(agent);
	return router_new(&options);
}

static void send_to_router(struct alert_sink *self, const struct alert *alerts, size_t n, int64_t now_ms)
{
	struct routing *r = (struct routing *)(void *)self;
	router_put_alerts(r->router, alerts, n, now_ms);
}

int routing_new(const struct routing_options *o, struct routing **out, struct err *err)
{
	struct http_server *listener = NULL;
	const char *address = options_text(o->options, OPT_AM_LISTEN_ADDRESS);
	bool has_routes =
	    options_given(o->options, OPT_AM_CONFIG_FILE) || !options_given(o->options, OPT_CONFIG_FILE);
	if (address[0]) {
		struct http_server_options listen = o->listener;
		listen.listen_address = address;
		listen.route_prefix = "";
		int rc = http_server_new(&listen, &listener, err);
		if (rc)
			return rc;
	}
	struct routing *r = xcalloc(1, sizeof(*r));
	r->listener = listener;
	r->external_url = notification_url(o);
	r->router = new_router(o, r->external_url);
	r->sink.send = send_to_router;
	if (has_routes) {
		r->api = api_alerts_v2_new(r->router, scheduler_clock(o->scheduler));
		api_alerts_v2_add(r->api, o->server);
		if (listener) {
			api_alerts_v2_add(r->api, listener);
			api_alerts_v2_add_standalone(r->api, listener);
		}
	}
	*out = r;
	return 0;
}

int routing_start(struct routing *r, struct err *err)
{
	return r->listener ? http_server_start(r->listener, err) : 0;
}

void routing_stop(struct routing *r)
{
	http_server_free(r->listener);
	r->listener = NULL;
}

void routing_free(struct routing *r)
{
	if (!r)
		return;
	routing_stop(r);
	api_alerts_v2_free(r->api);
	router_free(r->router);
	free(r->external_url);
	free(r);
}

struct alert_sink *routing_sink(struct routing *r)
{
	return &r->sink;
}

int routing_apply(struct routing *r, struct generation *g, struct err *err)
{
	if (!g->routes)
		return 0;
	int rc = router_reload(r->router, g->routes, g->routes_arena, err);
	if (rc == 0) {
		g->routes_arena = NULL;
		g->routes = NULL;
	}
	return rc;
}
