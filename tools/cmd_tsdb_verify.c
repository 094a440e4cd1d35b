/* promq tsdb verify: a line for each damage, and what was looked at */
#include "base/json.h"
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

struct report {
	struct cli *cli;
	struct json json; /* with -o json */
};

/* The store's messages begin with the path where they stand alone. */
static struct slice reason(const struct store_damage *d)
{
	struct slice why = slice_cstr(d->why), path = slice_cstr(d->path);
	if (slice_starts(why, path) && slice_starts(slice_from(why, path.len), SL(": ")))
		return slice_from(why, path.len + 2);
	return why;
}

static void put_damage(struct json *j, const struct store_damage *d)
{
	json_object_begin(j);
	json_key(j, "path");
	json_cstr(j, d->path);
	if (d->offset != NO_OFFSET) {
		json_key(j, "byte");
		json_uint(j, d->offset);
	}
	json_key(j, "why");
	json_string(j, reason(d));
	json_object_end(j);
}

static void print_damage(void *arg, const struct store_damage *d)
{
	struct report *r = (struct report *)arg;
	struct strbuf *out = r->cli->out;
	if (r->cli->form == OUTPUT_JSON) {
		put_damage(&r->json, d);
		return;
	}
	strbuf_addf(out, "%s: ", d->path);
	if (d->offset != NO_OFFSET)
		strbuf_addf(out, "byte %" PRIu64 ": ", d->offset);
	strbuf_add_slice(out, reason(d));
	strbuf_addch(out, '\n');
	cmd_tsdb_flush_some(r->cli);
}

static void begin_json(struct report *r, const char *path)
{
	json_init(&r->json, r->cli->out);
	json_object_begin(&r->json);
	json_key(&r->json, "store");
	json_cstr(&r->json, path);
	json_key(&r->json, "damage");
	json_array_begin(&r->json);
}

static void end_json(struct report *r, const struct store_verify *v)
{
	const struct {
		const char *key;
		uint64_t n;
	} counts[] = {{"parts", v->parts}, {"series", v->series}, {"chunks", v->chunks},
	    {"samples", v->samples}, {"logSegments", v->segments}, {"logRecords", v->records},
	    {"seriesSnapshots", v->snapshots}};
	struct json *j = &r->json;
	json_array_end(j);
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		json_key(j, counts[i].key);
		json_uint(j, counts[i].n);
	}
	json_key(j, "inUse");
	json_bool(j, v->in_use);
	json_object_end(j);
	strbuf_addch(r->cli->out, '\n');
}

static void print_summary(struct cli *cli, const struct store_verify *v)
{
	cli_flush(cli);
	if (v->in_use)
		strbuf_addf(
		    cli->err, "promq: note: %s is in use: the end of its log was left out\n", v->path);
	strbuf_addf(cli->err,
	    "%s: %" PRIu64 " parts (%" PRIu64 " series, %" PRIu64 " chunks, %" PRIu64 " samples), %" PRIu64
	    " log segments (%" PRIu64 " records), %" PRIu64 " series snapshots: ",
	    v->path, v->parts, v->series, v->chunks, v->samples, v->segments, v->records, v->snapshots);
	if (v->damages == 0)
		strbuf_adds(cli->err, "all good\n");
	else
		strbuf_addf(
		    cli->err, "%" PRIu64 " damaged place%s\n", v->damages, v->damages == 1 ? "" : "s");
}

int cmd_tsdb_verify(struct cli *cli, int argc, char **argv)
{
	char **rest;
	int n_rest;
	int code = arguments_parse(cli, "tsdb verify", help, NULL, 0, argc, argv, &rest, &n_rest);
	if (code >= 0)
		return code;
	struct report report = {.cli = cli};
	struct store_verify v = {.fs = fs_real(), .damage = print_damage, .arg = &report};
	struct err err;
	v.path = cmd_tsdb_dir(cli, "tsdb verify", rest, n_rest);
	if (!v.path)
		return EXIT_FAILURE_FOUND;
	bool is_json = cli->form == OUTPUT_JSON;
	if (is_json)
		begin_json(&report, v.path);
	if (store_verify_run(&v, &err) != 0) {
		strbuf_reset(cli->out);
		return cli_fail(cli, "%s", err.msg);
	}
	if (is_json)
		end_json(&report, &v);
	else
		print_summary(cli, &v);
	return v.damages ? EXIT_FAILURE_FOUND : EXIT_OK;
}
