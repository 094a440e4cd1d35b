/* main() of promq, the command line: the real clock, HTTP client and standard streams around cli_run(). */
#include "tools/cli.h"
#include <stdio.h>
#include <stdlib.h>

static const char default_server[] = "http://localhost:9090";

static void write_out(struct strbuf *text, FILE *to)
{
	if (text->len)
		fwrite(text->ptr, 1, text->len, to);
	fflush(to);
	strbuf_reset(text);
}

static void flush(struct cli *cli)
{
	write_out(cli->out, stdout);
	write_out(cli->err, stderr);
}

int main(int argc, char **argv)
{
	struct strbuf out = STRBUF_INIT, err = STRBUF_INIT;
	const char *server = getenv("PROMQ_SERVER");
	struct cli cli = {
	    .server = server && *server ? server : default_server,
	    .http = http_client_new("promq"),
	    .clock = clock_real(),
	    .arena = arena_new(ARENA_NO_LIMIT),
	    .out = &out,
	    .err = &err,
	    .flush = flush,
	};
	int code = cli_run(&cli, argc, argv);
	flush(&cli);
	strbuf_done(&out);
	strbuf_done(&err);
	arena_free(cli.arena);
	http_client_free(cli.http);
	return code;
}
