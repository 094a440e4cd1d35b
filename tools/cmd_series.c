/* promq labels, series, targets, alerts: what a server has, as tables */
#include "base/vec.h"
#include "tools/commands.h"
#include "tools/term_table.h"
#include <getopt.h>

static const char labels_help[] = "Usage: promq labels [--match SELECTOR]... [NAME]\n"
				  "\n"
				  "Lists the names of labels, or the values of the label NAME.\n";
static const char series_help[] = "Usage: promq series SELECTOR...\n"
				  "\n"
				  "Lists the series that one of the selectors matches.\n";
static const char targets_help[] = "Usage: promq targets [--state active|dropped|any]\n"
				   "\n"
				   "Lists the targets of scraping, and how they are.\n";
static const char alerts_help[] = "Usage: promq alerts\n"
				  "\n"
				  "Lists the alerts that are pending or firing.\n";

/* Options that the commands of this file know; each takes those it names. */
struct series_args {
	const char *state;
	const char **matches;
	size_t n_matches;
	char **rest;
	int n_rest;
};

/* -1: go on; else the exit code. */
static int parse_args(
    struct cli *cli, int argc, char **argv, const char *allowed, const char *help, struct series_args *args)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'},
	    {"match", required_argument, NULL, 'm'}, {"state", required_argument, NULL, 's'},
	    {NULL, 0, NULL, 0}};
	args->matches = ARENA_ARRAY(cli->arena, const char *, (size_t)argc);
	optind = 0;
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
		if (c == 'h') {
			strbuf_adds(cli->out, help);
			return EXIT_OK;
		}
		if (!strchr(allowed, c) || c == '?')
			return cli_fail(cli,
			    "%s: unknown option or missing argument: %s (see promq %s --help)", argv[0],
			    argv[optind - 1], argv[0]);
		if (c == 'm')
			args->matches[args->n_matches++] = optarg;
		else
			args->state = optarg;
	}
	args->rest = argv + optind;
	args->n_rest = argc - optind;
	return -1;
}

static struct slice text_of(const struct json_value *v, const char *member)
{
	struct slice text = SL_EMPTY;
	json_get_string(json_member(v, member), &text);
	return text;
}

/* {a="b", ...}, the name before it. `without`: a label left out. */
static struct slice series_text(struct cli *cli, const struct json_value *labels, const char *without)
{
	struct strbuf text = STRBUF_INIT;
	strbuf_add_slice(&text, text_of(labels, "__name__"));
	strbuf_addch(&text, '{');
	struct slice name, value;
	const struct json_value *v;
	bool first = true;
	for (void *at = NULL; json_next_member(labels, &at, &name, &v);) {
		if (slice_eq_cstr(name, "__name__") || slice_eq_cstr(name, without) ||
		    !json_get_string(v, &value))
			continue;
		strbuf_addf(
		    &text, "%s%" SL_FMT "=\"%" SL_FMT "\"", first ? "" : ", ", SL_ARG(name), SL_ARG(value));
		first = false;
	}
	strbuf_addch(&text, '}');
	struct slice kept = arena_slice(cli->arena, strbuf_slice(&text));
	strbuf_done(&text);
	return kept;
}

static bool print_json(struct cli *cli, const struct api_answer *answer)
{
	if (cli->form != OUTPUT_JSON)
		return false;
	strbuf_add_slice(cli->out, slice_trim(answer->body));
	strbuf_addch(cli->out, '\n');
	return true;
}

static void print_table(struct cli *cli, const struct term_table *t, const char *what)
{
	if (cli->form == OUTPUT_CSV)
		term_table_print_csv(cli->out, t);
	else if (term_table_rows(t) == 0)
		strbuf_addf(cli->err, "no %s\n", what);
	else
		term_table_print(cli->out, t);
}

/* A list of one column: no title but in CSV. */
static void print_list(struct cli *cli, const struct json_value *list, const char *title,
    struct slice (*text)(struct cli *cli, const struct json_value *item))
{
	if (cli->form == OUTPUT_CSV) {
		struct term_table *t = term_table_new(cli->arena);
		term_table_column(t, slice_cstr(title), false);
		for (size_t i = 0; i < json_count(list); i++) {
			term_table_row(t);
			term_table_cell(t, text(cli, json_item(list, i)));
		}
		term_table_print_csv(cli->out, t);
		return;
	}
	for (size_t i = 0; i < json_count(list); i++) {
		strbuf_add_slice(cli->out, text(cli, json_item(list, i)));
		strbuf_addch(cli->out, '\n');
	}
	if (json_count(list) == 0)
		strbuf_addf(cli->err, "no %ss\n", title);
}

/* --- labels, series --- */

static struct slice string_item(struct cli *cli, const struct json_value *item)
{
	(void)cli;
	struct slice text = SL_EMPTY;
	json_get_string(item, &text);
	return text;
}

static struct slice series_item(struct cli *cli, const struct json_value *item)
{
	return series_text(cli, item, "");
}

int cmd_labels(struct cli *cli, int argc, char **argv)
{
	struct series_args args = {0};
	int code = parse_args(cli, argc, argv, "m", labels_help, &args);
	if (code >= 0)
		return code;
	if (args.n_rest > 1)
		return cli_fail(cli, "labels: want at most one label name, got %d", args.n_rest);
	struct api_params params = API_PARAMS_INIT;
	for (size_t i = 0; i < args.n_matches; i++)
		api_param(&params, "match[]", slice_cstr(args.matches[i]));
	struct slice path = SL("/labels");
	if (args.n_rest)
		path = arena_printf(cli->arena, "/label/%s/values", args.rest[0]);
	struct slice query = args.n_matches == 1 ? slice_cstr(args.matches[0]) : SL_EMPTY;
	struct api_answer answer;
	code = api_ask(cli, "GET", path.ptr, &params, query, &answer);
	if (code != EXIT_OK)
		return code;
	if (!print_json(cli, &answer))
		print_list(cli, answer.data, args.n_rest ? "value" : "label", string_item);
	api_answer_done(&answer);
	return EXIT_OK;
}

int cmd_series(struct cli *cli, int argc, char **argv)
{
	struct series_args args = {0};
	int code = parse_args(cli, argc, argv, "", series_help, &args);
	if (code >= 0)
		return code;
	if (args.n_rest == 0)
		return cli_fail(cli, "series: want a selector, such as 'up{job=\"node\"}'");
	struct api_params params = API_PARAMS_INIT;
	for (int i = 0; i < args.n_rest; i++)
		api_param(&params, "match[]", slice_cstr(args.rest[i]));
	struct api_answer answer;
	code = api_ask(
	    cli, "POST", "/series", &params, args.n_rest == 1 ? slice_cstr(args.rest[0]) : SL_EMPTY, &answer);
	if (code != EXIT_OK)
		return code;
	if (!print_json(cli, &answer))
		print_list(cli, answer.data, "serie", series_item);
	api_answer_done(&answer);
	return EXIT_OK;
}

/* --- targets --- */

static void add_columns(struct term_table *t, const char *const *titles, size_t n)
{
	for (size_t i = 0; i < n; i++)
		term_table_column(t, slice_cstr(titles[i]), false);
}

static struct slice duration_text(struct cli *cli, const struct json_value *target)
{
	double seconds = 0;
	json_get_double(json_member(target, "lastScrapeDuration"), &seconds);
	return arena_printf(cli->arena, "%.1fms", seconds * 1000);
}

static void add_active(struct cli *cli, struct term_table *t, const struct json_value *target)
{
	struct slice instance = text_of(json_member(target, "labels"), "instance");
	term_table_row(t);
	term_table_cell(t, text_of(target, "scrapePool"));
	term_table_cell(t, instance.len ? instance : text_of(target, "scrapeUrl"));
	term_table_cell(t, text_of(target, "health"));
	term_table_cell(t, text_of(target, "lastScrape"));
	term_table_cell(t, duration_text(cli, target));
	term_table_cell(t, text_of(target, "lastError"));
}

static void add_dropped(struct term_table *t, const struct json_value *target)
{
	term_table_row(t);
	term_table_cell(t, text_of(target, "scrapePool"));
	term_table_cell(t, text_of(json_member(target, "discoveredLabels"), "__address__"));
	term_table_cell(t, SL("dropped"));
}

static void print_targets(struct cli *cli, const struct api_answer *answer)
{
	static const char *const titles[] = {"job", "instance", "health", "last scrape", "took", "error"};
	struct term_table *t = term_table_new(cli->arena);
	add_columns(t, titles, ARRAY_LEN(titles));
	const struct json_value *active = json_member(answer->data, "activeTargets");
	const struct json_value *dropped = json_member(answer->data, "droppedTargets");
	for (size_t i = 0; i < json_count(active); i++)
		add_active(cli, t, json_item(active, i));
	for (size_t i = 0; i < json_count(dropped); i++)
		add_dropped(t, json_item(dropped, i));
	print_table(cli, t, "targets");
}

int cmd_targets(struct cli *cli, int argc, char **argv)
{
	struct series_args args = {.state = "active"};
	int code = parse_args(cli, argc, argv, "s", targets_help, &args);
	if (code >= 0)
		return code;
	if (args.n_rest)
		return cli_fail(cli, "targets: takes no argument, got \"%s\"", args.rest[0]);
	if (strcmp(args.state, "active") != 0 && strcmp(args.state, "dropped") != 0 &&
	    strcmp(args.state, "any") != 0)
		return cli_fail(cli, "targets: --state is active, dropped or any, not \"%s\"", args.state);
	struct api_params params = API_PARAMS_INIT;
	api_param(&params, "state", slice_cstr(args.state));
	struct api_answer answer;
	code = api_ask(cli, "GET", "/targets", &params, SL_EMPTY, &answer);
	if (code != EXIT_OK)
		return code;
	if (!print_json(cli, &answer))
		print_targets(cli, &answer);
	api_answer_done(&answer);
	return EXIT_OK;
}

/* --- alerts --- */

static void print_alerts(struct cli *cli, const struct api_answer *answer)
{
	static const char *const titles[] = {"alert", "state", "active since", "value", "labels"};
	struct term_table *t = term_table_new(cli->arena);
	add_columns(t, titles, ARRAY_LEN(titles));
	const struct json_value *alerts = json_member(answer->data, "alerts");
	for (size_t i = 0; i < json_count(alerts); i++) {
		const struct json_value *alert = json_item(alerts, i), *labels = json_member(alert, "labels");
		term_table_row(t);
		term_table_cell(t, text_of(labels, "alertname"));
		term_table_cell(t, text_of(alert, "state"));
		term_table_cell(t, text_of(alert, "activeAt"));
		term_table_cell(t, text_of(alert, "value"));
		term_table_cell(t, series_text(cli, labels, "alertname"));
	}
	print_table(cli, t, "alerts");
}

int cmd_alerts(struct cli *cli, int argc, char **argv)
{
	struct series_args args = {0};
	int code = parse_args(cli, argc, argv, "", alerts_help, &args);
	if (code >= 0)
		return code;
	if (args.n_rest)
		return cli_fail(cli, "alerts: takes no argument, got \"%s\"", args.rest[0]);
	struct api_params params = API_PARAMS_INIT;
	struct api_answer answer;
	code = api_ask(cli, "GET", "/alerts", &params, SL_EMPTY, &answer);
	if (code != EXIT_OK)
		return code;
	if (!print_json(cli, &answer))
		print_alerts(cli, &answer);
	api_answer_done(&answer);
	return EXIT_OK;
}
