/* promq query instant EXPR, promq query range EXPR; promq query explain is in cmd_explain.c */
#include "base/vec.h"
#include "model/duration.h"
#include "tools/commands.h"
#include "tools/term_table.h"
#include <getopt.h>
#include <stdlib.h>

static const char help[] =
    "Usage: promq query instant [--time TIME] EXPR\n"
    "       promq query range [--start TIME] [--end TIME] [--step STEP] EXPR\n"
    "       promq query explain [--analyze] ... EXPR   (see promq query explain --help)\n"
    "\n"
    "Evaluates a PromQL expression at one time, or at every step of a range.\n"
    "\n"
    "  --time TIME    when (default: now)\n"
    "  --start TIME   first time (default: one hour before the end)\n"
    "  --end TIME     last time (default: now)\n"
    "  --step STEP    distance of times (default: 1/60 of the range, at least 1s)\n"
    "  -o FORM        table (default), json (the server's answer), csv, or value (values alone)\n"
    "\n"
    "A TIME is \"now\", seconds since 1970, RFC 3339, or a duration before now: \"1h\", \"-30m\".\n"
    "A STEP is a duration or a number of seconds.\n";

enum { HOUR_MS = 3600000, STEPS = 60, SECOND_MS = 1000 };

/* --- the result as rows --- */

VEC_DEFINE(name_vec, struct slice);

static int compare_names(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static bool has_name(const struct name_vec *names, struct slice name)
{
	for (size_t i = 0; i < names->len; i++)
		if (slice_eq(names->v[i], name))
			return true;
	return false;
}

/* The label names of all series, sorted; a metric's name comes first ("__name__" sorts before letters in
 * lower case). */
static void collect_names(const struct json_value *series, struct name_vec *names)
{
	for (size_t i = 0; i < json_count(series); i++) {
		struct slice name;
		const struct json_value *value;
		const struct json_value *metric = json_member(json_item(series, i), "metric");
		for (void *at = NULL; json_next_member(metric, &at, &name, &value);)
			if (!has_name(names, name))
				name_vec_push(names, name);
	}
	if (names->len)
		qsort(names->v, names->len, sizeof(names->v[0]), compare_names);
}

static struct slice text_of(const struct json_value *v)
{
	struct slice text = SL_EMPTY;
	json_get_string(v, &text);
	return text;
}

static struct slice time_text(struct cli *cli, const struct json_value *seconds)
{
	double t = 0;
	json_get_double(seconds, &t);
	int64_t t_ms = (int64_t)(t < 0 ? t * 1000 - 0.5 : t * 1000 + 0.5);
	if (cli->form == OUTPUT_CSV)
		return t_ms % SECOND_MS ? arena_printf(cli->arena, "%.3f", (double)t_ms / 1000)
					: arena_printf(cli->arena, "%lld", (long long)(t_ms / SECOND_MS));
	struct strbuf text = STRBUF_INIT;
	rfc3339_print(&text, t_ms, t_ms % SECOND_MS ? 3 : 0);
	struct slice kept = arena_slice(cli->arena, strbuf_slice(&text));
	strbuf_done(&text);
	return kept;
}

/* [time, "value"], or [time, {a histogram}]. */
static struct slice value_text(struct cli *cli, const struct json_value *pair)
{
	const struct json_value *v = json_item(pair, 1);
	if (json_kind_of(v) != JSON_KIND_OBJECT)
		return text_of(v);
	struct slice count = text_of(json_member(v, "count")), sum = text_of(json_member(v, "sum"));
	return arena_printf(cli->arena, "{count:%" SL_FMT ", sum:%" SL_FMT "}", SL_ARG(count), SL_ARG(sum));
}

static void add_row(struct cli *cli, struct term_table *t, const struct name_vec *names,
    const struct json_value *metric, const struct json_value *pair)
{
	term_table_row(t);
	for (size_t i = 0; i < names->len; i++) {
		char *name = arena_strdup(cli->arena, names->v[i]);
		term_table_cell(t, text_of(json_member(metric, name)));
	}
	term_table_cell(t, time_text(cli, json_item(pair, 0)));
	term_table_cell(t, value_text(cli, pair));
}

static const struct json_value *only_or(const struct json_value *series, const char *one, const char *other)
{
	const struct json_value *v = json_member(series, one);
	return v ? v : json_member(series, other);
}

static void add_series(
    struct cli *cli, struct term_table *t, const struct name_vec *names, const struct json_value *series)
{
	const struct json_value *metric = json_member(series, "metric");
	const struct json_value *point = only_or(series, "value", "histogram");
	if (point) {
		add_row(cli, t, names, metric, point);
		return;
	}
	static const char *const lists[] = {"values", "histograms"};
	for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
		const struct json_value *points = json_member(series, lists[k]);
		for (size_t i = 0; i < json_count(points); i++)
			add_row(cli, t, names, metric, json_item(points, i));
	}
}

static struct slice column_title(const struct cli *cli, struct slice name)
{
	return cli->form == OUTPUT_TABLE && slice_eq(name, SL("__name__")) ? SL("metric") : name;
}

static struct term_table *table_of(struct cli *cli, const struct json_value *series)
{
	struct term_table *t = term_table_new(cli->arena);
	struct name_vec names = {0};
	collect_names(series, &names);
	for (size_t i = 0; i < names.len; i++)
		term_table_column(t, column_title(cli, names.v[i]), false);
	term_table_column(t, cli->form == OUTPUT_CSV ? SL("timestamp") : SL("time"), false);
	term_table_column(t, SL("value"), true);
	for (size_t i = 0; i < json_count(series); i++)
		add_series(cli, t, &names, json_item(series, i));
	name_vec_done(&names);
	return t;
}

/* --- forms --- */

static void print_points(struct cli *cli, const struct json_value *points)
{
	for (size_t i = 0; i < json_count(points); i++) {
		strbuf_add_slice(cli->out, value_text(cli, json_item(points, i)));
		strbuf_addch(cli->out, '\n');
	}
}

static void print_values(struct cli *cli, const struct json_value *series)
{
	for (size_t i = 0; i < json_count(series); i++) {
		const struct json_value *s = json_item(series, i), *point = only_or(s, "value", "histogram");
		if (point) {
			strbuf_add_slice(cli->out, value_text(cli, point));
			strbuf_addch(cli->out, '\n');
		}
		print_points(cli, json_member(s, "values"));
		print_points(cli, json_member(s, "histograms"));
	}
}

/* A scalar or a string: [time, "value"]. */
static void print_single(struct cli *cli, const struct json_value *pair)
{
	if (cli->form == OUTPUT_VALUE) {
		strbuf_add_slice(cli->out, value_text(cli, pair));
		strbuf_addch(cli->out, '\n');
		return;
	}
	struct term_table *t = term_table_new(cli->arena);
	term_table_column(t, cli->form == OUTPUT_CSV ? SL("timestamp") : SL("time"), false);
	term_table_column(t, SL("value"), true);
	add_row(cli, t, &(struct name_vec){0}, NULL, pair);
	(cli->form == OUTPUT_CSV ? term_table_print_csv : term_table_print)(cli->out, t);
}

static void print_result(struct cli *cli, const struct api_answer *answer)
{
	const struct json_value *result = json_member(answer->data, "result");
	struct slice type = text_of(json_member(answer->data, "resultType"));
	if (cli->form == OUTPUT_JSON) {
		strbuf_add_slice(cli->out, slice_trim(answer->body));
		strbuf_addch(cli->out, '\n');
	} else if (slice_eq_cstr(type, "scalar") || slice_eq_cstr(type, "string")) {
		print_single(cli, result);
	} else if (cli->form == OUTPUT_VALUE) {
		print_values(cli, result);
	} else if (cli->form == OUTPUT_CSV) {
		term_table_print_csv(cli->out, table_of(cli, result));
	} else if (json_count(result) == 0) {
		strbuf_adds(cli->err, "no series\n");
	} else {
		term_table_print(cli->out, table_of(cli, result));
	}
}

/* --- the command --- */

struct query_args {
	const char *time, *start, *end, *step, *expr;
};

/* -1: go on; else the exit code. */
static int parse_args(struct cli *cli, int argc, char **argv, bool is_range, struct query_args *args)
{
	static const struct option options[] = {{"time", required_argument, NULL, 't'},
	    {"start", required_argument, NULL, 's'}, {"end", required_argument, NULL, 'e'},
	    {"step", required_argument, NULL, 'p'}, {NULL, 0, NULL, 0}};
	optind = 0;
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		bool fits = c == 't' ? !is_range : is_range;
		const char **place = c == 't'   ? &args->time
				     : c == 's' ? &args->start
				     : c == 'e' ? &args->end
				     : c == 'p' ? &args->step
						: NULL;
		if (!place || !fits)
			return cli_fail(cli,
			    "query %s: unknown option or missing argument: %s (see promq query --help)",
			    argv[0], argv[optind - 1]);
		*place = optarg;
	}
	if (optind + 1 != argc)
		return cli_fail(cli,
		    "query %s: want one expression, got %d (quote it; see promq query --help)", argv[0],
		    argc - optind);
	args->expr = argv[optind];
	return -1;
}

static int ask_and_print(struct cli *cli, const char *path, struct api_params *params, const char *expr)
{
	struct api_answer answer;
	int code = api_ask(cli, "POST", path, params, slice_cstr(expr), &answer);
	if (code != EXIT_OK)
		return code;
	print_result(cli, &answer);
	api_answer_done(&answer);
	return EXIT_OK;
}

static int query_instant(struct cli *cli, int argc, char **argv)
{
	struct query_args args = {0};
	int code = parse_args(cli, argc, argv, false, &args);
	if (code >= 0)
		return code;
	struct api_params params = API_PARAMS_INIT;
	struct err err;
	int64_t t_ms = clock_now_ms(cli->clock);
	if (args.time && cli_parse_time(cli, args.time, &t_ms, &err))
		return cli_fail(cli, "--time: %s", err.msg);
	api_param(&params, "query", slice_cstr(args.expr));
	api_param_time(&params, "time", t_ms);
	return ask_and_print(cli, "/query", &params, args.expr);
}

static int query_range(struct cli *cli, int argc, char **argv)
{
	struct query_args args = {0};
	int code = parse_args(cli, argc, argv, true, &args);
	if (code >= 0)
		return code;
	struct err err;
	int64_t start_ms, end_ms = clock_now_ms(cli->clock), step_ms;
	if (args.end && cli_parse_time(cli, args.end, &end_ms, &err))
		return cli_fail(cli, "--end: %s", err.msg);
	start_ms = end_ms - HOUR_MS;
	if (args.start && cli_parse_time(cli, args.start, &start_ms, &err))
		return cli_fail(cli, "--start: %s", err.msg);
	if (end_ms < start_ms)
		return cli_fail(cli, "the end is before the start");
	step_ms = (end_ms - start_ms) / STEPS / SECOND_MS * SECOND_MS;
	step_ms = step_ms < SECOND_MS ? SECOND_MS : step_ms;
	if (args.step && cli_parse_step(args.step, &step_ms, &err))
		return cli_fail(cli, "--step: %s", err.msg);
	struct api_params params = API_PARAMS_INIT;
	api_param(&params, "query", slice_cstr(args.expr));
	api_param_time(&params, "start", start_ms);
	api_param_time(&params, "end", end_ms);
	api_param_time(&params, "step", step_ms);
	return ask_and_print(cli, "/query_range", &params, args.expr);
}

int cmd_query(struct cli *cli, int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";
	if (strcmp(kind, "instant") == 0)
		return query_instant(cli, argc - 1, argv + 1);
	if (strcmp(kind, "range") == 0)
		return query_range(cli, argc - 1, argv + 1);
	if (strcmp(kind, "explain") == 0)
		return cmd_query_explain(cli, argc - 1, argv + 1);
	if (strcmp(kind, "--help") == 0 || strcmp(kind, "-h") == 0) {
		strbuf_adds(cli->out, help);
		return EXIT_OK;
	}
	return cli_fail(cli,
	    "query: want \"instant\", \"range\" or \"explain\", got \"%s\" (see promq query --help)", kind);
}
