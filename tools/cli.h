/* What the commands of `promq` share: where to write, which server, in which form, and how its API is
 * asked. One per run of the program; tests make their own, with a fake HTTP client and buffers. */
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "base/json_read.h"
#include "base/strbuf.h"
#include "net/http_client.h"
#include <stdint.h>

/* Exit codes, those of promtool. */
enum { EXIT_OK = 0, EXIT_FAILURE_FOUND = 1, EXIT_LINT = 3 };

enum output_form { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_CSV, OUTPUT_VALUE };

struct cli {
	const char *server; /* "http://localhost:9090" */
	enum output_form form;
	struct http_client *http; /* borrowed */
	struct clock *clock;      /* borrowed; what "now" is */
	struct arena *arena;      /* everything that lives until the end of the command */
	struct strbuf *out, *err; /* borrowed; what goes to standard output and standard error */
	void (*flush)(
	    struct cli *cli); /* writes both out, the output first, and empties them; NULL: they are kept */
};

/* Between what goes to one stream and what goes to the other, where their order matters. */
static inline void cli_flush(struct cli *cli)
{
	if (cli->flush)
		cli->flush(cli);
}

/* The whole program: parses the arguments (argv[0] is the program), runs the command, returns the exit
 * code. */
int cli_run(struct cli *cli, int argc, char **argv);

/* "promq: <text>" on standard error; returns EXIT_FAILURE_FOUND. */
int cli_fail(struct cli *cli, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* An error of the parser: on standard error, with a caret below the place in the query that it names. Returns
 * EXIT_FAILURE_FOUND. */
int cli_fail_query(struct cli *cli, struct slice query, struct slice message);

/* --- asking the server --- */

/* Parameters of a request, escaped as they are added. */
struct api_params {
	struct strbuf text;
};
#define API_PARAMS_INIT                                                                                      \
	{                                                                                                    \
		STRBUF_INIT                                                                                  \
	}
void api_param(struct api_params *p, const char *name, struct slice value);
/* Seconds with milliseconds. */
void api_param_time(struct api_params *p, const char *name, int64_t t_ms);

struct api_answer {
	struct json_doc *doc;
	const struct json_value *data;
	struct slice body; /* as the server sent it; in cli->arena */
};

/* POST (queries may be long) or GET of /api/v1<path>. On failure the reason is on standard error already
 * and the exit code is returned; `query`, when not empty, is shown with a caret where the server complains
 * about a place in it. Warnings of the server go to standard error. Frees the parameters. */
int api_ask(struct cli *cli, const char *method, const char *path, struct api_params *params,
    struct slice query, struct api_answer *out);
void api_answer_done(struct api_answer *a);

/* --- arguments --- */

/* A time: "now", seconds since the epoch, RFC 3339, or a duration before now ("-1h", "1h"). */
MUST_CHECK int cli_parse_time(struct cli *cli, const char *text, int64_t *t_ms, struct err *err);
/* "1m" or seconds. */
MUST_CHECK int cli_parse_step(const char *text, int64_t *ms, struct err *err);
