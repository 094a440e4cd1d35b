/* Asking a server's API, and saying what went wrong so that it can be mended. */
#include "net/url.h"
#include "tools/cli.h"
#include <stdarg.h>
#include <stdlib.h>

enum { TIMEOUT_MS = 150000, MAX_ANSWER_BYTES = 1 << 30 };

int cli_fail(struct cli *cli, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	strbuf_adds(cli->err, "promq: ");
	strbuf_addv(cli->err, fmt, ap);
	strbuf_addch(cli->err, '\n');
	va_end(ap);
	return EXIT_FAILURE_FOUND;
}

void api_param(struct api_params *p, const char *name, struct slice value)
{
	if (p->text.len)
		strbuf_addch(&p->text, '&');
	url_query_escape(&p->text, slice_cstr(name));
	strbuf_addch(&p->text, '=');
	url_query_escape(&p->text, value);
}

void api_param_time(struct api_params *p, const char *name, int64_t t_ms)
{
	struct strbuf seconds = STRBUF_INIT;
	strbuf_addf(&seconds, "%.3f", (double)t_ms / 1000);
	api_param(p, name, strbuf_slice(&seconds));
	strbuf_done(&seconds);
}

/* --- errors --- */

/* The place "LINE:COLUMN: " in an error text, if it has one. */
static bool find_place(struct slice text, unsigned long *line, unsigned long *column)
{
	static const char marker[] = ": parse error: ";
	const char *at = (const char *)memmem(text.ptr, text.len, marker, sizeof(marker) - 1);
	if (!at)
		return false;
	const char *p = at;
	while (p > text.ptr && ((p[-1] >= '0' && p[-1] <= '9') || p[-1] == ':'))
		p--;
	char *end;
	*line = strtoul(p, &end, 10);
	if (*end != ':' || end >= at)
		return false;
	*column = strtoul(end + 1, &end, 10);
	return *line > 0 && *column > 0;
}

static struct slice line_of(struct slice text, unsigned long line)
{
	while (--line > 0) {
		size_t n = slice_find(text, '\n');
		if (n == text.len)
			return SL_EMPTY;
		text = slice_from(text, n + 1);
	}
	return slice_of(text.ptr, slice_find(text, '\n'));
}

/* The line of the query, and a caret below the column, which counts bytes. Tabs stay, so that the caret
 * meets its place. */
static void show_place(struct cli *cli, struct slice query, unsigned long line, unsigned long column)
{
	struct slice text = line_of(query, line);
	strbuf_addf(cli->err, "  %" SL_FMT "\n  ", SL_ARG(text));
	for (size_t i = 0; i + 1 < column && i < text.len; i++)
		if (((unsigned char)text.ptr[i] & 0xc0) != 0x80)
			strbuf_addch(cli->err, text.ptr[i] == '\t' ? '\t' : ' ');
	strbuf_adds(cli->err, "^\n");
}

int cli_fail_query(struct cli *cli, struct slice query, struct slice message)
{
	unsigned long line, column;
	cli_fail(cli, "%" SL_FMT, SL_ARG(message));
	if (query.len && find_place(message, &line, &column))
		show_place(cli, query, line, column);
	return EXIT_FAILURE_FOUND;
}

static int say_api_error(struct cli *cli, const struct json_value *root, int status, struct slice query)
{
	struct slice message = SL_EMPTY;
	json_get_string(json_member(root, "error"), &message);
	if (!message.len)
		return cli_fail(cli, "%s: the server answered with status %d", cli->server, status);
	struct slice prefix = SL("invalid parameter \"query\": ");
	if (slice_starts(message, prefix))
		message = slice_from(message, prefix.len);
	return cli_fail_query(cli, query, message);
}

static void say_notes(struct cli *cli, const char *kind, const struct json_value *list)
{
	for (size_t i = 0; i < json_count(list); i++) {
		struct slice text;
		if (json_get_string(json_item(list, i), &text))
			strbuf_addf(cli->err, "%s: %" SL_FMT "\n", kind, SL_ARG(text));
	}
}

/* --- the call --- */

static int call_server(struct cli *cli, const char *method, const char *path, struct api_params *params,
    struct http_result *result, struct strbuf *response)
{
	bool is_post = strcmp(method, "POST") == 0;
	size_t server_len = strlen(cli->server);
	while (server_len > 0 && cli->server[server_len - 1] == '/')
		server_len--;
	struct slice base = slice_of(cli->server, server_len);
	struct slice url = arena_printf(cli->arena, "%" SL_FMT "/api/v1%s%s%s", SL_ARG(base), path,
	    !is_post && params->text.len ? "?" : "", is_post ? "" : strbuf_cstr(&params->text));
	static const char *const form[] = {"Content-Type: application/x-www-form-urlencoded", NULL};
	struct http_call call = {
	    .method = method,
	    .url = url.ptr,
	    .headers = is_post ? form : NULL,
	    .body = is_post ? strbuf_slice(&params->text) : SL_EMPTY,
	    .timeout_ms = TIMEOUT_MS,
	    .max_response_bytes = MAX_ANSWER_BYTES,
	    .accept_gzip = true,
	};
	struct err err = {0};
	if (http_client_do(cli->http, &call, result, response, &err))
		return cli_fail(cli, "%s: %s", cli->server, err.msg);
	if (result->rc)
		return cli_fail(cli, "%s: %s", cli->server, result->error ? result->error : "no answer");
	return EXIT_OK;
}

static int read_answer(
    struct cli *cli, const struct http_result *result, struct slice query, struct api_answer *out)
{
	struct err err = {0};
	struct json_doc *doc = NULL;
	if (json_doc_parse(result->body, &doc, &err))
		return cli_fail(cli, "%s: status %d, and the answer is not that of a Prometheus API",
		    cli->server, result->status);
	const struct json_value *root = json_doc_root(doc);
	struct slice status = SL_EMPTY;
	json_get_string(json_member(root, "status"), &status);
	if (!slice_eq_cstr(status, "success")) {
		int code = say_api_error(cli, root, result->status, query);
		json_doc_free(doc);
		return code;
	}
	say_notes(cli, "warning", json_member(root, "warnings"));
	say_notes(cli, "info", json_member(root, "infos"));
	out->doc = doc;
	out->data = json_member(root, "data");
	out->body = arena_slice(cli->arena, result->body);
	return EXIT_OK;
}

int api_ask(struct cli *cli, const char *method, const char *path, struct api_params *params,
    struct slice query, struct api_answer *out)
{
	struct http_result result = {0};
	struct strbuf response = STRBUF_INIT;
	int code = call_server(cli, method, path, params, &result, &response);
	if (code == EXIT_OK)
		code = read_answer(cli, &result, query, out);
	strbuf_done(&response);
	strbuf_done(&params->text);
	return code;
}

void api_answer_done(struct api_answer *a)
{
	json_doc_free(a->doc);
	a->doc = NULL;
}
