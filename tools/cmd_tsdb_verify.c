/* promq tsdb verify: a line for each damage, and what was looked at */
#include "tools/arguments.h"
#include "tools/cmd_tsdb.h"
#include "tsdb/store_verify.h"
#include <inttypes.h>

static const char help[] =
    "Usage: promq tsdb verify [DIR]\n"
    "\n"
    "Reads every byte of the store in DIR (default: " TSDB_DEFAULT_DIR
    "): the manifest, the checksums of all\n"
    "parts, their chunks, the records of the log, the snapshots of series. Nothing is changed. A line for "
    "each\n"
    "damage goes to standard output, \"FILE: byte OFFSET: what is wrong\"; the exit code is 1 then.\n"
    "\n"
    "Beside a running server it checks what is there at the moment, but for the unfinished end of the log.\n";

static void print_damage(void *arg, const struct store_damage *d)
{
	struct cli *cli = (struct cli *)arg;
	strbuf_addf(cli->out, "%s: ", d->path);
	if (d->offset != NO_OFFSET)
		strbuf_addf(cli->out, "byte %" PRIu64 ": ", d->offset);
	/* The store's messages begin with the path where they stand alone. */
	struct slice why = slice_cstr(d->why), path = slice_cstr(d->path);
	if (slice_starts(why, path) && slice_starts(slice_from(why, path.len), SL(": ")))
		why = slice_from(why, path.len + 2);
	strbuf_add_slice(cli->out, why);
	strbuf_addch(cli->out, '\n');
	cmd_tsdb_flush_some(cli);
}

int cmd_tsdb_verify(struct cli *cli, int argc, char **argv)
{
	char **rest;
	int n_rest;
	int code = arguments_parse(cli, "tsdb verify", help, NULL, 0, argc, argv, &rest, &n_rest);
	if (code >= 0)
		return code;
	struct store_verify v = {.fs = fs_real(), .damage = print_damage, .arg = cli};
	struct err err;
	v.path = cmd_tsdb_dir(cli, "tsdb verify", rest, n_rest);
	if (!v.path)
		return EXIT_FAILURE_FOUND;
	if (store_verify_run(&v, &err) != 0)
		return cli_fail(cli, "%s", err.msg);
	cli_flush(cli);
	if (v.in_use)
		strbuf_addf(cli->err, "promq: note: %s is in use: the end of its log was left out\n", v.path);
	strbuf_addf(cli->err,
	    "%s: %" PRIu64 " parts (%" PRIu64 " series, %" PRIu64 " chunks, %" PRIu64 " samples), %" PRIu64
	    " log segments (%" PRIu64 " records), %" PRIu64 " series snapshots: ",
	    v.path, v.parts, v.series, v.chunks, v.samples, v.segments, v.records, v.snapshots);
	if (v.damages == 0)
		strbuf_adds(cli->err, "all good\n");
	else
		strbuf_addf(cli->err, "%" PRIu64 " damaged place%s\n", v.damages, v.damages == 1 ? "" : "s");
	return v.damages ? EXIT_FAILURE_FOUND : EXIT_OK;
}
