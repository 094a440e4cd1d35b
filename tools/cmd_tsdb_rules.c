/* promq tsdb create-blocks-from rules: what recording rules would have recorded, had they been there, asked of a server and written
 * into parts of a store. */
#include "base/double_text.h"
#include "rules/rule_file.h"
#include "tools/arguments.h"
#include "tools/cmd_tsdb.h"
#include "tsdb/backfill.h"
#include <inttypes.h>

static const char help[] =
    "Usage: promq tsdb create-blocks-from rules --start TIME [OPTION]... RULE_FILE...\n"
    "\n"
    "Asks a server for the recording rules of the files over a time that has passed, and writes the answers "
    "into the\n"
    "store of a folder as if the rules had run then. Alerting rules are left out. Rules see what the server "
    "has, not\n"
    "what other rules of the same run give: record those first. All of it counts, or nothing.\n"
    "\n"
    "  --start TIME             the first time (seconds, RFC 3339, or a duration before now)\n"
    "  --end TIME               the last time (default: 3 hours ago)\n"
    "  --url URL                the server, as --server\n"
    "  --eval-interval D        of groups that have no interval (default: 1m)\n"
    "  --output-dir DIR         the folder (default: " TSDB_DEFAULT_DIR "; made when it is not there)\n"
    "  --max-block-duration D   of a part: 2h to 1d (default)\n"
    "  -q, --quiet              no list of the parts\n";

enum {
	HOUR_MS = 3600000,
	STEPS_AT_ONCE = 10000, /* servers give 11,000 points a series */
	MAX_SAMPLES = 8 << 20,
	NO_TIME = -1,
};

struct rules_import {
	struct cli *cli;
	int64_t start_ms, end_ms, interval_ms, window_ms;
	const char *dir, *url;
	bool quiet;
	struct backfill *store;
	uint64_t rules, histograms; /* done; points that are left out */
};

/* --- one answer --------------------------------------------------------------------------------------------------------- */

/* The labels of a result: the rule's name, and its labels in place of the result's own; empty ones go. */
static int recorded_labels(struct arena *arena, const struct rule_def *rule, const struct json_value *metric,
    const struct labels **out, struct err *err)
{
	struct slice name;
	const struct json_value *value;
	size_t n = 0, cap = 1 + json_count(metric) + rule->labels->n;
	struct label *l = ARENA_ARRAY(arena, struct label, cap);

	l[n++] = (struct label){SL(LABEL_NAME), rule->name};
	for (void *at = NULL; json_next_member(metric, &at, &name, &value);) {
		struct slice text = SL_EMPTY;
		json_get_string(value, &text);
		if (!slice_eq(name, SL(LABEL_NAME)) && !labels_has(rule->labels, name) && text.len)
			l[n++] = (struct label){name, text};
	}
	LABELS_EACH (own, rule->labels) {
		if (own->value.len && !slice_eq(own->name, SL(LABEL_NAME)))
			l[n++] = *own;
	}
	return labels_from_pairs(arena, l, n, out, err);
}

/* [seconds, "value"] */
static int add_point(struct rules_import *im, uint32_t series, const struct json_value *pair, struct err *err)
{
	double seconds, v;
	struct slice text = SL_EMPTY;

	json_get_string(json_item(pair, 1), &text);
	if (!json_get_double(json_item(pair, 0), &seconds) || !double_parse(text, &v))
		return err_set(err, ERR_INVALID, "%s: not the values of a range query", im->cli->server);
	return backfill_add(
	    im->store, series, (int64_t)(seconds * 1000 + (seconds < 0 ? -0.5 : 0.5)), v, err);
}

static int add_series(
    struct rules_import *im, const struct rule_def *rule, const struct json_value *s, struct err *err)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	const struct json_value *values = json_member(s, "values");
	const struct labels *labels;

	int rc = recorded_labels(arena, rule, json_member(s, "metric"), &labels, err);
	uint32_t series = rc == 0 && json_count(values) ? backfill_series(im->store, labels) : 0;
	for (size_t i = 0; rc == 0 && i < json_count(values); i++)
		rc = add_point(im, series, json_item(values, i), err);
	im->histograms += json_count(json_member(s, "histograms"));
	arena_free(arena);
	return rc;
}

/* --- asking ------------------------------------------------------------------------------------------------------------- */

/* The steps from start to end; the exit code. */
static int ask_steps(
    struct rules_import *im, const struct rule_def *rule, int64_t start_ms, int64_t end_ms, int64_t step_ms)
{
	struct api_params params = API_PARAMS_INIT;
	struct api_answer answer;
	struct err err = {0};

	api_param(&params, "query", rule->query);
	api_param_time(&params, "start", start_ms);
	api_param_time(&params, "end", end_ms);
	api_param_time(&params, "step", step_ms);
	int code = api_ask(im->cli, "POST", "/query_range", &params, rule->query, &answer);
	if (code != EXIT_OK)
		return cli_fail(im->cli, "rule %" SL_FMT " could not be evaluated", SL_ARG(rule->name));
	const struct json_value *result = json_member(answer.data, "result");
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < json_count(result); i++)
		rc = add_series(im, rule, json_item(result, i), &err);
	api_answer_done(&answer);
	return rc == 0 ? EXIT_OK : cli_fail(im->cli, "rule %" SL_FMT ": %s", SL_ARG(rule->name), err.msg);
}

/* Times are whole multiples of the interval, wherever the start lies. */
static int record(struct rules_import *im, const struct rule_def *rule, int64_t interval_ms)
{
	int64_t first_ms = im->start_ms - im->start_ms % interval_ms;
	int code = EXIT_OK;

	if (first_ms < im->start_ms)
		first_ms += interval_ms;
	im->rules++;
	for (int64_t t = first_ms; code == EXIT_OK && t <= im->end_ms; t += STEPS_AT_ONCE * interval_ms) {
		int64_t last_ms = t + (STEPS_AT_ONCE - 1) * interval_ms;
		code = ask_steps(im, rule, t, last_ms < im->end_ms ? last_ms : im->end_ms, interval_ms);
	}
	return code;
}

static int record_groups(
    struct rules_import *im, const struct config_rule_file *file, const struct rule_group_def *groups)
{
	int code = EXIT_OK;

	for (size_t g = 0; g < file->n_groups; g++)
		for (size_t i = 0; code == EXIT_OK && i < groups[g].n_rules; i++)
			if (!groups[g].rules[i].is_alert)
				code = record(im, &groups[g].rules[i], groups[g].interval_ms);
	return code;
}

/* --- all of it ---------------------------------------------------------------------------------------------------------- */

struct rule_source {
	struct config_rule_file file;
	struct rule_group_def *groups;
};

static int read_rules(struct rules_import *im, const char *path, struct rule_source *out)
{
	struct arena *arena = im->cli->arena;
	struct config_error_vec errors = {0};
	struct config_global global = {.evaluation_interval_ms = im->interval_ms};

	*out = (struct rule_source){0};
	bool good = config_rules_read(arena, path, false, &errors, &out->file) &&
		    rule_file_parse(arena, &out->file, &global, &errors, &out->groups);
	if (!good)
		config_errors_print(im->cli->err, &errors);
	config_error_vec_done(&errors);
	return good ? EXIT_OK : EXIT_FAILURE_FOUND;
}

static int commit(struct rules_import *im)
{
	struct backfill_result result;
	struct err err;

	if (backfill_commit(im->store, &result, &err))
		return cli_fail(im->cli, "%s", err.msg);
	cmd_tsdb_print_backfill(im->cli, &result, im->quiet);
	if (im->histograms > 0)
		strbuf_addf(im->cli->err,
		    "promq: note: results that are native histograms cannot be written this way, and are "
		    "left "
		    "out: "
		    "%" PRIu64 "\n",
		    im->histograms);
	if (im->rules == 0)
		strbuf_adds(im->cli->err, "promq: note: the files have no recording rules\n");
	return EXIT_OK;
}

static int run(struct rules_import *im, char **paths, int n)
{
	struct backfill_options o = {
	    .fs = fs_real(), .path = im->dir, .window_ms = im->window_ms, .max_samples = MAX_SAMPLES};
	struct rule_source *sources = ARENA_ARRAY(im->cli->arena, struct rule_source, (size_t)n);
	struct err err;
	int code = EXIT_OK;

	for (int i = 0; code == EXIT_OK && i < n; i++)
		code = read_rules(im, paths[i], &sources[i]);
	if (code == EXIT_OK && backfill_open(&o, &im->store, &err))
		code = cli_fail(im->cli, "%s", err.msg);
	for (int i = 0; code == EXIT_OK && i < n; i++)
		code = record_groups(im, &sources[i].file, sources[i].groups);
	if (code == EXIT_OK)
		code = commit(im);
	backfill_close(im->store);
	return code;
}

/* EXIT_OK, or what is wrong with the options was said. */
static int check_options(struct rules_import *im, int n_files)
{
	if (n_files < 1)
		return cli_fail(im->cli, "tsdb create-blocks-from rules: want a rule file");
	if (im->start_ms == NO_TIME)
		return cli_fail(im->cli, "tsdb create-blocks-from rules: --start is needed");
	if (im->end_ms == NO_TIME)
		im->end_ms = clock_now_ms(im->cli->clock) - 3 * HOUR_MS;
	if (im->end_ms < im->start_ms)
		return cli_fail(im->cli, "tsdb create-blocks-from rules: the end is before the start (it is "
					 "3 hours ago when --end is "
					 "not given)");
	if (im->window_ms < 2 * HOUR_MS || im->window_ms > 24 * HOUR_MS)
		return cli_fail(im->cli, "tsdb create-blocks-from: --max-block-duration is 2h to 1d");
	if (im->url)
		im->cli->server = im->url;
	return EXIT_OK;
}

int cmd_tsdb_create_blocks_of_rules(struct cli *cli, int argc, char **argv)
{
	struct rules_import im = {.cli = cli,
	    .start_ms = NO_TIME,
	    .end_ms = NO_TIME,
	    .interval_ms = 60000,
	    .window_ms = 24 * HOUR_MS,
	    .dir = TSDB_DEFAULT_DIR};
	const struct argument known[] = {
	    {"start", 0, ARGUMENT_TIME, &im.start_ms},
	    {"end", 0, ARGUMENT_TIME, &im.end_ms},
	    {"url", 0, ARGUMENT_TEXT, &im.url},
	    {"eval-interval", 0, ARGUMENT_DURATION, &im.interval_ms},
	    {"output-dir", 0, ARGUMENT_TEXT, &im.dir},
	    {"max-block-duration", 0, ARGUMENT_DURATION, &im.window_ms},
	    {"quiet", 'q', ARGUMENT_FLAG, &im.quiet},
	};
	char **rest;
	int n_rest;
	int code = arguments_parse(
	    cli, "tsdb create-blocks-from rules", help, known, ARRAY_LEN(known), argc, argv, &rest, &n_rest);
	if (code >= 0)
		return code;
	code = check_options(&im, n_rest);
	return code == EXIT_OK ? run(&im, rest, n_rest) : code;
}
