/* promq format EXPR: an expression as /api/v1/format_query would give it, without a server. */
#include "base/vec.h"
#include "promql/ast_print.h"
#include "promql/parse.h"
#include "tools/arguments.h"
#include "tools/commands.h"
#include <stdio.h>

static const char help[] =
    "Usage: promq format [--line] [EXPR]\n"
    "\n"
    "Formats a PromQL expression, long parts on lines of their own; without EXPR, the one that\n"
    "standard input has. What does not parse is said, with its place.\n"
    "\n"
    "  --line   everything on one line\n";

enum { READ_BYTES = 65536 };

static struct slice read_input(struct cli *cli)
{
	struct strbuf text = STRBUF_INIT;
	char *room;
	size_t n;
	while ((room = strbuf_reserve(&text, READ_BYTES)) && (n = fread(room, 1, READ_BYTES, stdin)) > 0)
		strbuf_advance(&text, n);
	struct slice kept = arena_slice(cli->arena, slice_trim(strbuf_slice(&text)));
	strbuf_done(&text);
	return kept;
}

int cmd_format(struct cli *cli, int argc, char **argv)
{
	static const struct parse_options everything = {true, true, true};
	bool one_line = false;
	const struct argument known[] = {{"line", 0, ARGUMENT_FLAG, &one_line}};
	char **rest;
	int n_rest;
	int code = arguments_parse(cli, "format", help, known, ARRAY_LEN(known), argc, argv, &rest, &n_rest);
	if (code >= 0)
		return code;
	if (n_rest > 1)
		return cli_fail(cli, "format: want one expression, got %d (quote it)", n_rest);
	struct slice text = n_rest ? slice_cstr(rest[0]) : read_input(cli);
	const struct expr *e;
	struct err err;
	if (promql_parse(cli->arena, text, &everything, &e, &err))
		return cli_fail_query(cli, text, slice_cstr(err.msg));
	if (one_line)
		ast_print(cli->out, e);
	else
		ast_print_pretty(cli->out, e, AST_PRETTY_LINE);
	strbuf_addch(cli->out, '\n');
	return EXIT_OK;
}
