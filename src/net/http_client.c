/* One thread runs the curl multi handle; other threads put calls on a list and wake it. Easy handles are kept for reuse,
 * the multi handle keeps connections alive between calls. */
#include "net/http_client.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/lock.h"
#include "base/xmalloc.h"

#include <curl/curl.h>
#include <pthread.h>

enum {
	DEFAULT_MAX_RESPONSE_BYTES = 64 << 20,
	MAX_IDLE_HANDLES = 64,
	MAX_SECRET_BYTES = 1 << 20,
	READ_BYTES = 64 << 10, /* at once; while a call runs */
	POLL_MS = 60000
};

/* A call on its way; owned by the client from http_client_send() until its done function returned. */
struct transfer {
	struct transfer *next, **link; /* in the queue: next alone; running: both */
	CURL *easy;                    /* while it runs */
	http_done_fn done;
	void *arg;
	char *method, *url, *unix_socket;
	struct curl_slist *headers;
	struct strbuf body;
	struct strbuf response;
	size_t expected_bytes;
	char *user, *password;
	char *ca_file, *cert_file, *key_file, *proxy_url, *no_proxy;
	bool insecure, follow_redirects, accept_gzip, proxy_from_environment;
	int64_t timeout_ms;
	int64_t start_ns;
	char *refused; /* why it cannot even be tried */
	char curl_text[CURL_ERROR_SIZE];
};

struct http_client {
	char *user_agent;
	CURLM *multi;
	pthread_t thread;
	struct lock lock;
	struct transfer *queue, **queue_end; /* LOCK_POOL */
	bool stopping;                       /* LOCK_POOL */
	struct transfer *running;            /* client thread */
	CURL *idle[MAX_IDLE_HANDLES];        /* client thread */
	size_t n_idle;
	void (*answer)(void *arg, const struct http_call *call, struct http_result *r);
	void *answer_arg;
};

static char *dup_or_null(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

/* --- transfers ---------------------------------------------------------------------------------------------------- */

static void transfer_free(struct transfer *t)
{
	char *const strings[] = {t->method, t->url, t->unix_socket, t->user, t->password, t->ca_file,
	    t->cert_file, t->key_file, t->proxy_url, t->no_proxy, t->refused};
	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		free(strings[i]);
	curl_slist_free_all(t->headers);
	strbuf_done(&t->body);
	strbuf_done(&t->response);
	free(t);
}

/* The content of a secret's file without white space at its ends, or of `text`; on the heap. Failure goes to t->refused. */
static char *secret(struct transfer *t, const char *text, const char *file)
{
	if (!file)
		return dup_or_null(text);
	struct strbuf content;
	strbuf_init(&content, MAX_SECRET_BYTES);
	struct err err;
	char *out = NULL;
	if (fs_read_file(fs_real(), file, &content, &err) == 0)
		out = slice_dup(slice_trim(strbuf_slice(&content)));
	else if (!t->refused)
		t->refused = xasprintf("unable to read file %s: %s", file, err.msg);
	strbuf_done(&content);
	return out;
}

static void add_header(struct transfer *t, const char *line)
{
	struct curl_slist *grown = curl_slist_append(t->headers, line);
	if (grown)
		t->headers = grown;
}

static void set_auth(struct transfer *t, const struct http_client_auth *auth)
{
	if (auth->basic_user || auth->basic_user_file) {
		t->user = secret(t, auth->basic_user, auth->basic_user_file);
		t->password = secret(t, auth->basic_password, auth->basic_password_file);
	}
	if (auth->authorization_credentials || auth->authorization_credentials_file) {
		char *credentials =
		    secret(t, auth->authorization_credentials, auth->authorization_credentials_file);
		char *line = xasprintf("Authorization: %s %s",
		    auth->authorization_type ? auth->authorization_type : "Bearer",
		    credentials ? credentials : "");
		add_header(t, line);
		free(line);
		free(credentials);
	}
	t->ca_file = dup_or_null(auth->tls_ca_file);
	t->cert_file = dup_or_null(auth->tls_cert_file);
	t->key_file = dup_or_null(auth->tls_key_file);
	t->insecure = auth->tls_insecure_skip_verify;
	t->proxy_url = dup_or_null(auth->proxy_url);
	t->no_proxy = dup_or_null(auth->no_proxy);
	t->proxy_from_environment = auth->proxy_from_environment;
	t->follow_redirects = !auth->no_follow_redirects;
}

static struct transfer *transfer_new(const struct http_call *call, http_done_fn done, void *arg)
{
	struct transfer *t = xcalloc(1, sizeof(*t));
	t->done = done;
	t->arg = arg;
	t->method = xstrdup(call->method);
	t->url = xstrdup(call->url);
	t->unix_socket = dup_or_null(call->unix_socket);
	t->timeout_ms = call->timeout_ms;
	t->accept_gzip = call->accept_gzip;
	t->expected_bytes = call->expected_bytes;
	t->follow_redirects = true;
	strbuf_init(&t->body, STRBUF_NO_LIMIT);
	strbuf_add_slice(&t->body, call->body);
	strbuf_init(
	    &t->response, call->max_response_bytes ? call->max_response_bytes : DEFAULT_MAX_RESPONSE_BYTES);
	for (const char *const *h = call->headers; h && *h; h++)
		add_header(t, *h);
	add_header(t, "Expect:"); /* no waiting for 100-continue */
	if (call->auth)
		set_auth(t, call->auth);
	return t;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	if (t->response.len == 0 && t->expected_bytes <= t->response.max)
		strbuf_reserve(&t->response, t->expected_bytes);
	strbuf_add(&t->response, bytes, size * n);
	return strbuf_overflowed(&t->response) ? 0 : size * n;
}

static void set_method(CURL *easy, const struct transfer *t)
{
	if (strcmp(t->method, "GET") == 0) {
		curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
		return;
	}
	if (strcmp(t->method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (strcmp(t->method, "POST") != 0)
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, t->method);
	if (strcmp(t->method, "POST") == 0 || t->body.len) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, t->body.len ? t->body.ptr : "");
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body.len);
	}
}

static void set_tls_and_proxy(CURL *easy, const struct transfer *t)
{
	if (t->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, t->ca_file);
	if (t->cert_file)
		curl_easy_setopt(easy, CURLOPT_SSLCERT, t->cert_file);
	if (t->key_file)
		curl_easy_setopt(easy, CURLOPT_SSLKEY, t->key_file);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, t->insecure ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, t->insecure ? 0L : 2L);
	/* An empty proxy also keeps curl from reading the environment by itself. */
	if (!t->proxy_from_environment)
		curl_easy_setopt(easy, CURLOPT_PROXY, t->proxy_url ? t->proxy_url : "");
	if (t->no_proxy)
		curl_easy_setopt(easy, CURLOPT_NOPROXY, t->no_proxy);
}

static void set_up(struct http_client *c, CURL *easy, struct transfer *t)
{
	curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)READ_BYTES);
	curl_easy_setopt(easy, CURLOPT_URL, t->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, c->user_agent);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->curl_text);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, t->follow_redirects ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 10L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)t->timeout_ms);
	if (t->accept_gzip)
		curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	if (t->unix_socket)
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, t->unix_socket);
	if (t->user) {
		curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(easy, CURLOPT_USERNAME, t->user);
		curl_easy_setopt(easy, CURLOPT_PASSWORD, t->password ? t->password : "");
	}
	set_method(easy, t);
	set_tls_and_proxy(easy, t);
}

/* --- the client's thread ------------------------------------------------------------------------------------------- */

static void finish(struct transfer *t, struct http_result *r)
{
	r->duration_ns = clock_mono_ns(clock_real()) - t->start_ns;
	if (!r->content_type.ptr)
		r->content_type = SL_EMPTY;
	if (r->rc) {
		r->body = SL_EMPTY;
		r->buffer = NULL;
	}
	t->done(t->arg, r);
	transfer_free(t);
}

static void finish_failed(struct transfer *t, int rc, const char *why)
{
	struct http_result r = {.rc = rc, .error = why, .retry_after_ms = -1};
	finish(t, &r);
}

static void start(struct http_client *c, struct transfer *t)
{
	t->start_ns = clock_mono_ns(clock_real());
	if (t->refused) {
		finish_failed(t, ERR_IO, t->refused);
		return;
	}
	CURL *easy = c->n_idle ? c->idle[--c->n_idle] : curl_easy_init();
	if (!easy) {
		finish_failed(t, ERR_NO_MEMORY, "no memory for another HTTP call");
		return;
	}
	set_up(c, easy, t);
	t->easy = easy;
	t->next = c->running;
	t->link = &c->running;
	if (t->next)
		t->next->link = &t->next;
	c->running = t;
	curl_multi_add_handle(c->multi, easy);
}

/* Takes a running transfer off the list and its handle out of the multi. */
static CURL *unlink_transfer(struct http_client *c, struct transfer *t)
{
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	curl_multi_remove_handle(c->multi, t->easy);
	return t->easy;
}

static int code_of(CURLcode code, const struct transfer *t)
{
	if (code == CURLE_OK)
		return 0;
	if (code == CURLE_OPERATION_TIMEDOUT)
		return ERR_TIMEOUT;
	if (code == CURLE_WRITE_ERROR && strbuf_overflowed(&t->response))
		return ERR_LIMIT;
	return ERR_IO;
}

static void end_transfer(struct http_client *c, CURL *easy, CURLcode code)
{
	struct transfer *t = NULL;
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
	struct http_result r = {.rc = code_of(code, t), .retry_after_ms = -1};
	long status = 0;
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	char *type = NULL;
	curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
	r.content_type = type ? slice_cstr(type) : SL_EMPTY;
	curl_off_t retry_s = 0;
	curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_s);
	if (retry_s > 0)
		r.retry_after_ms = retry_s * 1000;
	r.body = strbuf_slice(&t->response);
	r.buffer = &t->response;
	if (r.rc == ERR_LIMIT)
		r.error = "response body too large";
	else if (r.rc)
		r.error = t->curl_text[0] ? t->curl_text : curl_easy_strerror(code);
	else
		r.status = (int)status;
	unlink_transfer(c, t);
	finish(t, &r);
	curl_easy_reset(easy);
	if (c->n_idle < MAX_IDLE_HANDLES)
		c->idle[c->n_idle++] = easy;
	else
		curl_easy_cleanup(easy);
}

/* The calls that came in since; *stop says that the client goes. */
static struct transfer *take_queue(struct http_client *c, bool *stop)
{
	lock_take(&c->lock);
	struct transfer *list = c->queue;
	c->queue = NULL;
	c->queue_end = &c->queue;
	*stop = c->stopping;
	lock_release(&c->lock);
	return list;
}

static void cancel_list(struct transfer *list)
{
	while (list) {
		struct transfer *t = list;
		list = t->next;
		finish_failed(t, ERR_CANCELED, "canceled: the client stops");
	}
}

static void cancel_running(struct http_client *c)
{
	while (c->running) {
		struct transfer *t = c->running;
		curl_easy_cleanup(unlink_transfer(c, t));
		finish_failed(t, ERR_CANCELED, "canceled: the client stops");
	}
}

static void reap(struct http_client *c)
{
	int left;
	for (CURLMsg *m; (m = curl_multi_info_read(c->multi, &left));)
		if (m->msg == CURLMSG_DONE)
			end_transfer(c, m->easy_handle, m->data.result);
}

static void *run(void *arg)
{
	struct http_client *c = arg;
	pthread_setname_np(pthread_self(), "http-client");
	int running = 0;
	for (;;) {
		bool stop;
		struct transfer *list = take_queue(c, &stop);
		if (stop) {
			cancel_list(list);
			cancel_running(c);
			return NULL;
		}
		while (list) {
			struct transfer *t = list;
			list = t->next;
			start(c, t);
		}
		curl_multi_perform(c->multi, &running);
		reap(c);
		curl_multi_poll(c->multi, NULL, 0, POLL_MS, NULL);
	}
}

/* --- the client ----------------------------------------------------------------------------------------------------- */

static void init_curl(void)
{
	curl_global_init(CURL_GLOBAL_ALL);
}

struct http_client *http_client_new(const char *user_agent)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, init_curl);
	struct http_client *c = xcalloc(1, sizeof(*c));
	c->user_agent = xstrdup(user_agent);
	c->queue_end = &c->queue;
	lock_init(&c->lock, LOCK_POOL, "http client");
	c->multi = curl_multi_init();
	if (!c->multi || pthread_create(&c->thread, NULL, run, c) != 0)
		abort(); /* at start, for want of memory or threads: as xmalloc */
	return c;
}

struct http_client *http_client_new_fake(
    void (*answer)(void *arg, const struct http_call *call, struct http_result *r), void *arg)
{
	struct http_client *c = xcalloc(1, sizeof(*c));
	c->answer = answer;
	c->answer_arg = arg;
	return c;
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	if (!c->answer) {
		lock_take(&c->lock);
		c->stopping = true;
		lock_release(&c->lock);
		curl_multi_wakeup(c->multi);
		pthread_join(c->thread, NULL);
		while (c->n_idle)
			curl_easy_cleanup(c->idle[--c->n_idle]);
		curl_multi_cleanup(c->multi);
		lock_done(&c->lock);
	}
	free(c->user_agent);
	free(c);
}

static void send_fake(struct http_client *c, const struct http_call *call, http_done_fn done, void *arg)
{
	struct http_result r = {.content_type = SL_EMPTY, .body = SL_EMPTY, .retry_after_ms = -1};
	c->answer(c->answer_arg, call, &r);
	done(arg, &r);
}

void http_client_send(struct http_client *c, const struct http_call *call, http_done_fn done, void *arg)
{
	if (c->answer) {
		send_fake(c, call, done, arg);
		return;
	}
	struct transfer *t = transfer_new(call, done, arg);
	lock_take(&c->lock);
	bool stopping = c->stopping;
	if (!stopping) {
		*c->queue_end = t;
		c->queue_end = &t->next;
	}
	lock_release(&c->lock);
	if (stopping)
		finish_failed(t, ERR_CANCELED, "canceled: the client stops");
	else
		curl_multi_wakeup(c->multi);
}

/* A caller of http_client_do() that waits. */
struct waiter {
	struct lock lock;
	struct cond done;
	bool is_done; /* LOCK_POOL */
	struct http_result *result;
	struct strbuf *response;
	struct err *err;
};

static void wake_waiter(void *arg, const struct http_result *r)
{
	struct waiter *w = arg;
	lock_take(&w->lock);
	*w->result = *r;
	w->result->buffer = NULL;
	strbuf_reset(w->response);
	size_t type_at = r->body.len + 1;
	strbuf_add_slice(w->response, r->body);
	strbuf_addch(w->response, '\0');
	strbuf_add_slice(w->response, r->content_type);
	struct slice kept = strbuf_slice(w->response);
	w->result->body = slice_of(kept.ptr, r->body.len);
	w->result->content_type = slice_from(kept, type_at <= kept.len ? type_at : kept.len);
	w->response->len = r->body.len;
	w->result->error = NULL;
	if (r->rc)
		err_set(w->err, r->rc, "%s", r->error);
	w->is_done = true;
	cond_signal(&w->done);
	lock_release(&w->lock);
}

int http_client_do(struct http_client *c, const struct http_call *call, struct http_result *result,
    struct strbuf *response, struct err *err)
{
	struct waiter w = {.result = result, .response = response, .err = err};
	lock_init(&w.lock, LOCK_POOL, "http call");
	cond_init(&w.done);
	http_client_send(c, call, wake_waiter, &w);
	lock_take(&w.lock);
	while (!w.is_done)
		cond_wait(&w.done, &w.lock);
	lock_release(&w.lock);
	cond_done(&w.done);
	lock_done(&w.lock);
	return result->rc;
}
