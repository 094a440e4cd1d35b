/* What is not the API: health, lifecycle, the server's own metrics, and the page for people. */
#include "web/web_priv.h"

#include "base/counters.h"
#include "base/json.h"
#include "base/log.h"
#include "base/xmalloc.h"
#include "net/url.h"
#include "web/query_page.h"

#include <stdio.h>

void page_healthy(struct web *web, struct http_request *req)
{
	struct web_store_state s;
	char text[WEB_TROUBLE_MAX + 80];
	web_store_state(web, &s);
	snprintf(
	    text, sizeof(text), "Prometheus Server is Healthy.\n%s%s", s.trouble, *s.trouble ? "\n" : "");
	http_reply_text(req, 200, text);
}

void page_ready(struct web *web, struct http_request *req)
{
	if (web_is_ready(web))
		http_reply_text(req, 200, "Prometheus Server is Ready.\n");
	else
		web_reply_unavailable(web, req);
}

static bool may_control(struct web *web, struct http_request *req)
{
	if (!web->options.enable_lifecycle)
		http_reply_text(req, 403, "Lifecycle API is not enabled.");
	return web->options.enable_lifecycle;
}

void page_reload(struct web *web, struct http_request *req)
{
	if (!may_control(web, req))
		return;
	struct strbuf problems;
	strbuf_init(&problems, 64 << 10);
	if (web->options.reload(web->options.lifecycle_arg, &problems)) {
		http_reply_empty(req, 200);
	} else {
		char *text = xasprintf("failed to reload config: %s\n", strbuf_cstr(&problems));
		http_reply_text(req, 500, text);
		free(text);
	}
	strbuf_done(&problems);
}

void page_quit(struct web *web, struct http_request *req)
{
	if (!may_control(web, req))
		return;
	if (atomic_exchange(&web->quit_was_asked, true)) {
		http_reply_text(req, 200, "Termination already in progress.");
		return;
	}
	log_warn("Received termination request via web service, exiting gracefully...");
	http_reply_text(req, 200, "Requesting termination... Goodbye!");
	web->options.quit(web->options.lifecycle_arg);
}

void page_wrong_method(struct web *web, struct http_request *req)
{
	(void)web;
	http_reply_text(req, 405, "Only POST or PUT requests allowed");
}

void page_metrics(struct web *web, struct http_request *req)
{
	(void)web;
	struct strbuf out = STRBUF_INIT;
	counters_expose(&out);
	http_reply(req, 200, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", &out);
	strbuf_done(&out);
}

static void put_text(struct json *j, const char *key, struct slice s)
{
	json_key(j, key);
	json_string(j, s);
}

void page_version(struct web *web, struct http_request *req)
{
	const struct web_options *o = &web->options;
	struct strbuf out = STRBUF_INIT;
	struct json j;
	json_init(&j, &out);
	json_object_begin(&j);
	put_text(&j, "version", o->version);
	put_text(&j, "revision", o->revision);
	put_text(&j, "branch", o->branch);
	put_text(&j, "buildUser", o->build_user);
	put_text(&j, "buildDate", o->build_date);
	put_text(&j, "goVersion", SL_EMPTY);
	json_object_end(&j);
	http_reply(req, 200, "application/json", &out);
	strbuf_done(&out);
}

/* To `page` below the path of the external URL, which is how a browser behind a proxy sees us. */
static void redirect(struct web *web, struct http_request *req, const char *page, struct slice query)
{
	struct url url = {0};
	struct slice prefix = url_parse(web->options.external_url, &url, NULL) == 0 ? url.path : SL_EMPTY;
	while (slice_ends(prefix, SL("/")))
		prefix.len--;
	struct slice target = arena_printf(http_req_arena(req), "%" SL_FMT "%s%s%" SL_FMT, SL_ARG(prefix),
	    page, query.len ? "?" : "", SL_ARG(query));
	http_reply_header(req, "Location", target.ptr);
	http_reply_empty(req, 302);
}

void page_root(struct web *web, struct http_request *req)
{
	redirect(web, req, "/query", SL_EMPTY);
}

void page_graph(struct web *web, struct http_request *req)
{
	redirect(web, req, "/query", http_req_raw_query(req));
}

void page_query(struct web *web, struct http_request *req)
{
	(void)web;
	struct strbuf out = STRBUF_INIT;
	strbuf_adds(&out, query_page);
	http_reply(req, 200, "text/html; charset=utf-8", &out);
	strbuf_done(&out);
}
