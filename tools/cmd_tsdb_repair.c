/* promq tsdb repair: sets aside what verify finds, and saves what can be read */
#include "tools/arguments.h"
#include "tools/cmd_tsdb.h"
#include "tsdb/store_repair.h"
#include <inttypes.h>

static const char help[] =
    "Usage: promq tsdb repair [DIR]\n"
    "\n"
    "Mends the store in DIR (default: " TSDB_DEFAULT_DIR
    ") that no server runs on. Each damaged file is moved to\n"
    "DIR/quarantine/ as it is, and what can be read of it takes its place: series of a part, records of the "
    "log.\n"
    "Nothing is deleted. What was found and done is printed, and kept there in report.txt.\n";

static void print_note(void *arg, const char *text)
{
	struct cli *cli = (struct cli *)arg;
	strbuf_addf(cli->out, "%s\n", text);
	cmd_tsdb_flush_some(cli);
}

int cmd_tsdb_repair(struct cli *cli, int argc, char **argv)
{
	char **rest;
	int n_rest;
	struct err err;
	int code = arguments_parse(cli, "tsdb repair", help, NULL, 0, argc, argv, &rest, &n_rest);
	if (code >= 0)
		return code;
	struct store_repair r = {
	    .fs = fs_real(), .now_ms = clock_now_ms(cli->clock), .note = print_note, .arg = cli};
	r.path = cmd_tsdb_dir(cli, "tsdb repair", rest, n_rest);
	if (!r.path)
		return EXIT_FAILURE_FOUND;
	if (store_repair_run(&r, &err) != 0)
		return cli_fail(cli, "%s", err.msg);
	cli_flush(cli);
	if (r.damages == 0)
		strbuf_addf(cli->err, "%s: all good, nothing was changed\n", r.path);
	else
		strbuf_addf(cli->err, "%s: %" PRIu64 " damaged places, %" PRIu64 " files mended\n", r.path,
		    r.damages, r.mended);
	return EXIT_OK;
}
