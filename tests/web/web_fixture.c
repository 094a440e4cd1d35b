#include "tests/web/web_fixture.h"

#include "base/double_text.h"
#include "base/xmalloc.h"
#include "model/stale_marker.h"
#include "promql/parse.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_done(void *arg, const char *route, int status, int64_t duration_ns, size_t response_bytes)
{
	(void)route, (void)duration_ns, (void)response_bytes;
	((struct web_fixture *)arg)->last_done = status;
}

void web_fixture_start(struct web_fixture *f, const struct web_options *options, int64_t now_ms)
{
	static const struct web_options usual = {.version = SL_INIT("0.1.0"),
	    .revision = SL_INIT("abc"),
	    .branch = SL_INIT("main"),
	    .retention = SL_INIT("15d")};
	struct web_options o = options ? *options : usual;
	struct err err;
	*f = (struct web_fixture){.clock = clock_virtual_new(now_ms),
	    .store = mem_store_new(),
	    .pool = thread_pool_new("test", 1),
	    .arena = arena_new(ARENA_NO_LIMIT)};
	struct promql_options engine = {.clock = f->clock};
	f->engine = promql_engine_new(&engine);
	o.clock = f->clock;
	check_ok("web", web_new(&o, &f->web, &err), &err);
	struct http_server_options http = {
	    .listen_address = "127.0.0.1:0", .on_done = on_done, .on_done_arg = f};
	for (size_t i = 0; i < HTTP_LANES; i++)
		http.pools[i] = f->pool;
	check_ok("server", http_server_new(&http, &f->server, &err), &err);
	web_add(f->web, f->server);
	check_ok("start", http_server_start(f->server, &err), &err);
	f->deps.queryable = mem_store_queryable(f->store);
	f->deps.engine = f->engine;
	strbuf_init(&f->response, STRBUF_NO_LIMIT);
}

void web_fixture_ready(struct web_fixture *f)
{
	web_set_ready(f->web, &f->deps);
}

void web_fixture_stop(struct web_fixture *f)
{
	http_server_free(f->server);
	web_free(f->web);
	thread_pool_free(f->pool);
	promql_engine_free(f->engine);
	mem_store_free(f->store);
	clock_virtual_free(f->clock);
	arena_free(f->arena);
	strbuf_done(&f->response);
}

/* --- loading ----------------------------------------------------------------------------------------------------- */

static struct slice next_word(struct slice *rest, char end)
{
	*rest = slice_trim(*rest);
	size_t at = slice_find(*rest, end);
	struct slice word = slice_trim(slice_of(rest->ptr, at));
	*rest = slice_from(*rest, at < rest->len ? at + 1 : at);
	return word;
}

static double number(struct slice s)
{
	double v = 0;
	check_true("number", double_parse(s, &v));
	return v;
}

/* "1+10x99": a hundred samples. "stale": one marker. */
static void load_values(struct web_fixture *f, const struct labels *ls, struct slice values)
{
	int64_t t_ms = 0;
	while (values.len) {
		struct slice word = next_word(&values, ' ');
		if (slice_eq(word, SL("stale"))) {
			mem_store_add(f->store, ls, t_ms, double_from_bits(STALE_NAN_BITS), NULL);
			t_ms += 60000;
			continue;
		}
		double v = number(next_word(&word, '+'));
		double step = number(next_word(&word, 'x'));
		for (double n = number(word); n >= 0; n--, v += step, t_ms += 60000)
			mem_store_add(f->store, ls, t_ms, v, NULL);
	}
}

static void load_line(struct web_fixture *f, struct slice line)
{
	size_t at = line.len; /* values follow the braces, or the name */
	while (at > 0 && line.ptr[at - 1] != '}')
		at--;
	if (at == 0)
		at = slice_find(line, ' ');
	const struct matcher *const *m;
	struct label pairs[16];
	size_t n;
	struct err err;
	const struct labels *ls;
	check_ok("series", promql_parse_selector(f->arena, slice_of(line.ptr, at), &m, &n, &err), &err);
	for (size_t i = 0; i < n; i++)
		pairs[i] = (struct label){.name = m[i]->name, .value = m[i]->value};
	check_ok("labels", labels_from_pairs(f->arena, pairs, n, &ls, &err), &err);
	load_values(f, ls, slice_from(line, at));
}

void web_fixture_load(struct web_fixture *f, const char *text)
{
	for (struct slice rest = slice_cstr(text); rest.len;) {
		struct slice line = next_word(&rest, '\n');
		if (line.len && !slice_starts(line, SL("load")))
			load_line(f, line);
	}
}

/* --- requests ---------------------------------------------------------------------------------------------------- */

static int connect_to(unsigned port)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	check_int("connect", connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void split_response(struct web_fixture *f)
{
	struct slice all = strbuf_slice(&f->response);
	const char *end = memmem(all.ptr, all.len, "\r\n\r\n", 4);
	check_true("has a head", end != NULL && slice_starts(all, SL("HTTP/1.1 ")));
	size_t at = (size_t)(end - all.ptr);
	f->head = slice_of(all.ptr, at + 2);
	f->body = slice_from(all, at + 4);
	f->status = (int)number(slice_of(all.ptr + 9, 3));
}

void web_fixture_call(
    struct web_fixture *f, const char *method, const char *path, const char *headers, const char *form)
{
	int fd = connect_to(http_server_port(f->server));
	struct strbuf req = STRBUF_INIT;
	strbuf_addf(&req, "%s %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n%s", method, path, headers);
	if (form)
		strbuf_addf(&req,
		    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n%s",
		    strlen(form), form);
	else
		strbuf_adds(&req, "\r\n");
	check_int("send", send(fd, req.ptr, req.len, 0), req.len);
	strbuf_done(&req);
	strbuf_reset(&f->response);
	ssize_t n;
	for (char *room; (room = strbuf_reserve(&f->response, 65536)) && (n = recv(fd, room, 65536, 0)) > 0;)
		strbuf_advance(&f->response, (size_t)n);
	close(fd);
	split_response(f);
}

void web_fixture_get(struct web_fixture *f, const char *path)
{
	web_fixture_call(f, "GET", path, "", NULL);
}

struct slice web_fixture_header(const struct web_fixture *f, const char *name)
{
	for (struct slice rest = f->head; rest.len;) {
		struct slice line = next_word(&rest, '\n');
		struct slice key = next_word(&line, ':');
		if (slice_eq_nocase(key, slice_cstr(name)))
			return slice_trim(line);
	}
	return SL_EMPTY;
}

void web_fixture_expect(struct web_fixture *f, const char *path, int status, const char *body)
{
	web_fixture_get(f, path);
	check_str(path, f->body, body);
	check_int(path, f->status, status);
}

/* --- JSON -------------------------------------------------------------------------------------------------------- */

static bool same_members(const struct json_value *a, const struct json_value *b)
{
	struct slice name;
	const struct json_value *v;
	for (void *at = NULL; json_next_member(a, &at, &name, &v);) {
		char *key = slice_dup(name);
		bool same = json_same(v, json_member(b, key));
		free(key);
		if (!same)
			return false;
	}
	return json_count(a) == json_count(b);
}

bool json_same(const struct json_value *a, const struct json_value *b)
{
	double x, y;
	if (json_get_double(a, &x) && json_get_double(b, &y))
		return x == y;
	if (json_kind_of(a) != json_kind_of(b))
		return false;
	struct slice s, t;
	bool p, q;
	if (json_get_string(a, &s) && json_get_string(b, &t))
		return slice_eq(s, t);
	if (json_get_bool(a, &p) && json_get_bool(b, &q))
		return p == q;
	if (json_kind_of(a) == JSON_KIND_OBJECT)
		return same_members(a, b);
	if (json_count(a) != json_count(b))
		return false;
	for (size_t i = 0; i < json_count(a); i++)
		if (!json_same(json_item(a, i), json_item(b, i)))
			return false;
	return true;
}
