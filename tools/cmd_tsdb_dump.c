/* promq tsdb dump, promq tsdb dump-openmetrics: samples as text, by labels and time */
#include "base/double_text.h"
#include "base/json.h"
#include "promql/parse.h"
#include "storage/merge_series.h"
#include "tools/arguments.h"
#include "tools/cmd_tsdb.h"
#include "tsdb/tsdb.h"
#include <inttypes.h>

static const char dump_help[] =
    "Usage: promq tsdb dump [OPTION]... [DIR]\n"
    "\n"
    "Writes out the samples of the store in DIR (default: " TSDB_DEFAULT_DIR "), one a line:\n"
    "\n"
    "  {labels} value timestamp_ms\n"
    "\n"
    "  --match SELECTOR   only these series; may be given several times\n"
    "  --min-time TIME    milliseconds since 1970, a date, or a duration before now\n"
    "  --max-time TIME\n"
    "  --format FORM      prom (default), or seriesjson: labels alone, a JSON object a line\n";
static const char openmetrics_help[] =
    "Usage: promq tsdb dump-openmetrics [OPTION]... [DIR]\n"
    "\n"
    "Writes out the samples of the store in DIR (default: " TSDB_DEFAULT_DIR ") as OpenMetrics text, as\n"
    "`promq tsdb create-blocks-from openmetrics` reads it. Native histograms have no such form and are left "
    "out.\n"
    "\n"
    "  --match SELECTOR   only these series; may be given several times\n"
    "  --min-time TIME    milliseconds since 1970, a date, or a duration before now\n"
    "  --max-time TIME\n";

struct dump {
	struct cli *cli;
	struct argument_list matches;
	int64_t min_t_ms, max_t_ms;
	/* Writes the samples of one series. */
	void (*print)(struct dump *d, const struct labels *labels, const struct sample_column *samples);
	void (*end)(struct dump *d); /* after the last; may be NULL */
	const char *func;            /* what the store is told of the purpose */
	uint64_t left_out;           /* samples without a text form */
};

/* --- forms --- */

static void add_double(struct strbuf *out, double v)
{
	char text[DOUBLE_TEXT_MAX];
	strbuf_add(out, text, double_to_go_g(v, text));
}

static void print_prom(struct dump *d, const struct labels *labels, const struct sample_column *c)
{
	struct strbuf *out = d->cli->out;
	struct strbuf text = STRBUF_INIT;
	labels_print(&text, labels);
	for (size_t i = 0; i < c->n; i++) {
		strbuf_add_slice(out, strbuf_slice(&text));
		strbuf_addch(out, ' ');
		if (c->h && c->h[i])
			histogram_print(out, c->h[i]);
		else
			add_double(out, c->v[i]);
		strbuf_addf(out, " %" PRId64 "\n", c->t[i]);
		cmd_tsdb_flush_some(d->cli);
	}
	strbuf_done(&text);
}

static void print_series_json(struct dump *d, const struct labels *labels, const struct sample_column *c)
{
	(void)c;
	struct json j;
	json_init(&j, d->cli->out);
	json_object_begin(&j);
	LABELS_EACH (l, labels) {
		json_key_slice(&j, l->name);
		json_string(&j, l->value);
	}
	json_object_end(&j);
	strbuf_addch(d->cli->out, '\n');
	cmd_tsdb_flush_some(d->cli);
}

/* As OpenMetrics has it: three characters are escaped, no others. */
static void add_quoted(struct strbuf *out, struct slice s)
{
	strbuf_addch(out, '"');
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (c == '"' || c == '\\' || c == '\n')
			strbuf_addch(out, '\\');
		strbuf_addch(out, c == '\n' ? 'n' : c);
	}
	strbuf_addch(out, '"');
}

/* name{a="b",...}; what OpenMetrics could not read bare stands in quotes, the metric's name within the braces then. */
static void add_openmetrics_series(struct strbuf *out, const struct labels *labels)
{
	struct slice name = labels_metric_name(labels);
	bool bare = metric_name_valid_legacy(name), any = false;
	if (bare) {
		strbuf_add_slice(out, name);
		if (labels->n == 1)
			return;
	}
	strbuf_addch(out, '{');
	if (!bare) {
		add_quoted(out, name);
		any = true;
	}
	LABELS_EACH (l, labels) {
		if (slice_eq(l->name, SL(LABEL_NAME)))
			continue;
		if (any)
			strbuf_addch(out, ',');
		any = true;
		if (label_name_valid_legacy(l->name))
			strbuf_add_slice(out, l->name);
		else
			add_quoted(out, l->name);
		strbuf_addch(out, '=');
		add_quoted(out, l->value);
	}
	strbuf_addch(out, '}');
}

static void add_seconds(struct strbuf *out, int64_t t_ms)
{
	uint64_t ms = t_ms < 0 ? 0 - (uint64_t)t_ms : (uint64_t)t_ms;
	strbuf_addf(out, "%s%" PRIu64 ".%03" PRIu64, t_ms < 0 ? "-" : "", ms / 1000, ms % 1000);
}

static void print_openmetrics(struct dump *d, const struct labels *labels, const struct sample_column *c)
{
	struct strbuf *out = d->cli->out;
	struct strbuf text = STRBUF_INIT;
	add_openmetrics_series(&text, labels);
	for (size_t i = 0; i < c->n; i++) {
		if (c->h && c->h[i]) {
			d->left_out++;
			continue;
		}
		strbuf_add_slice(out, strbuf_slice(&text));
		strbuf_addch(out, ' ');
		add_double(out, c->v[i]);
		strbuf_addch(out, ' ');
		add_seconds(out, c->t[i]);
		strbuf_addch(out, '\n');
		cmd_tsdb_flush_some(d->cli);
	}
	strbuf_done(&text);
}

/* --- selecting and reading --- */

static int select_one(struct dump *d, struct querier *q, struct arena *arena,
    const struct matcher *const *matchers, size_t n, struct series_set **out, struct err *err)
{
	struct select_hints hints = {.start_ms = d->min_t_ms, .end_ms = d->max_t_ms, .func = d->func};
	return q->ops->select(q, arena, matchers, n, true, &hints, out, err);
}

static int select_all(
    struct dump *d, struct querier *q, struct arena *arena, struct series_set **out, struct err *err)
{
	size_t n = d->matches.len;
	if (n == 0)
		return select_one(d, q, arena, NULL, 0, out, err);
	struct series_set **sets = ARENA_ARRAY(arena, struct series_set *, n);
	for (size_t i = 0; i < n; i++) {
		const struct matcher *const *matchers;
		size_t n_matchers;
		int rc =
		    promql_parse_selector(arena, slice_cstr(d->matches.v[i]), &matchers, &n_matchers, err);
		if (rc == 0)
			rc = select_one(d, q, arena, matchers, n_matchers, &sets[i], err);
		if (rc != 0)
			return rc;
	}
	*out = merge_series(arena, sets, n, true);
	return 0;
}

/* A series that cannot be read is named, and the others go on. */
static int print_set(struct dump *d, struct series_set *set)
{
	struct arena *labels_arena = arena_new(ARENA_NO_LIMIT), *histograms = arena_new(ARENA_NO_LIMIT);
	struct sample_column c;
	int code = EXIT_OK;
	sample_column_init(&c, histograms);
	for (size_t i = 0; i < set->n; i++) {
		struct err err;
		const struct labels *labels = set->ops->labels(set, i, labels_arena);
		sample_column_reset(&c);
		if (set->ops->read(set, i, &c, &err) != 0)
			code = cli_fail(d->cli, "%s", err.msg);
		else if (c.n > 0)
			d->print(d, labels, &c);
		arena_reset(labels_arena);
		arena_reset(histograms);
	}
	sample_column_done(&c);
	arena_free(labels_arena);
	arena_free(histograms);
	return code;
}

static int dump_store(struct dump *d, struct tsdb *db)
{
	struct queryable *door = tsdb_queryable(db);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct querier *q;
	struct series_set *set;
	struct err err;
	int code = EXIT_FAILURE_FOUND;
	int rc = door->open(door, d->min_t_ms, d->max_t_ms, &q, &err);
	if (rc == 0) {
		rc = select_all(d, q, arena, &set, &err);
		if (rc == 0)
			code = print_set(d, set);
		q->ops->close(q);
	}
	if (rc != 0)
		cli_fail(d->cli, "%s", err.msg);
	arena_free(arena);
	return code;
}

static int run(struct dump *d, const char *command, char **rest, int n_rest)
{
	struct tsdb *db;
	const char *dir = cmd_tsdb_dir(d->cli, command, rest, n_rest);
	if (!dir || !cmd_tsdb_open(d->cli, dir, &db))
		return EXIT_FAILURE_FOUND;
	int code = dump_store(d, db);
	tsdb_close(db);
	if (code == EXIT_OK && d->end)
		d->end(d);
	return code;
}

static bool set_form(struct dump *d, const char *form)
{
	if (strcmp(form, "prom") == 0) {
		d->print = print_prom;
	} else if (strcmp(form, "seriesjson") == 0) {
		d->print = print_series_json;
		d->func = "series";
	} else {
		cli_fail(d->cli, "tsdb dump: --format is prom or seriesjson, not \"%s\"", form);
		return false;
	}
	return true;
}

static int parse_and_run(
    struct dump *d, const char *command, const char *help, bool with_form, int argc, char **argv)
{
	const char *form = "prom";
	const struct argument known[] = {
	    {"match", 'm', ARGUMENT_LIST, &d->matches},
	    {"min-time", 0, ARGUMENT_TIME_MS, &d->min_t_ms},
	    {"max-time", 0, ARGUMENT_TIME_MS, &d->max_t_ms},
	    {"format", 0, ARGUMENT_TEXT, &form},
	};
	char **rest;
	int n_rest;
	int code = arguments_parse(
	    d->cli, command, help, known, ARRAY_LEN(known) - !with_form, argc, argv, &rest, &n_rest);
	if (code < 0 && with_form && !set_form(d, form))
		code = EXIT_FAILURE_FOUND;
	if (code < 0)
		code = run(d, command, rest, n_rest);
	argument_list_done(&d->matches);
	return code;
}

int cmd_tsdb_dump(struct cli *cli, int argc, char **argv)
{
	struct dump d = {.cli = cli, .min_t_ms = INT64_MIN, .max_t_ms = INT64_MAX};
	return parse_and_run(&d, "tsdb dump", dump_help, true, argc, argv);
}

/* The text ends with a marker, so that a reader knows it has all. */
static void end_openmetrics(struct dump *d)
{
	strbuf_adds(d->cli->out, "# EOF\n");
	if (d->left_out > 0)
		strbuf_addf(d->cli->err, "promq: note: native histogram samples left out: %" PRIu64 "\n",
		    d->left_out);
}

int cmd_tsdb_dump_openmetrics(struct cli *cli, int argc, char **argv)
{
	struct dump d = {.cli = cli,
	    .min_t_ms = INT64_MIN,
	    .max_t_ms = INT64_MAX,
	    .print = print_openmetrics,
	    .end = end_openmetrics};
	return parse_and_run(&d, "tsdb dump-openmetrics", openmetrics_help, false, argc, argv);
}
