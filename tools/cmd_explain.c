/* promq query explain EXPR: the plan of a query as an indented tree. */
#include "tools/arguments.h"
#include "tools/commands.h"
#include "tools/term_table.h"

static const char help[] =
    "Usage: promq query explain [--analyze] [--time TIME] EXPR\n"
    "       promq query explain [--analyze] [--start TIME] [--end TIME] --step STEP EXPR\n"
    "\n"
    "Shows how a query would be answered: its operators, and for each the number of steps and how many "
    "series and\n"
    "samples it may have to read, as far as the index tells. Without --analyze nothing is evaluated.\n"
    "\n"
    "  --analyze      run the query, and show what each operator read, gave and took\n"
    "  --time TIME    an instant query: when (default: now)\n"
    "  --start TIME   a range query: first time (default: one hour before the end)\n"
    "  --end TIME     last time (default: now)\n"
    "  --step STEP    distance of times; makes it a range query\n"
    "  -o FORM        table (default), json (the server's answer), csv\n";

enum { HOUR_MS = 3600000, INDENT = 2, NO_TIME = -1 };

struct explain_args {
	bool analyze;
	int64_t time_ms, start_ms, end_ms, step_ms; /* NO_TIME: not given */
};

/* --- the table ---------------------------------------------------------------------------------------------------------- */

struct plan_table {
	struct cli *cli;
	struct term_table *t;
	bool analyze;
};

static double number_of(const struct json_value *parent, const char *key)
{
	double v = 0;
	json_get_double(json_member(parent, key), &v);
	return v;
}

static void cell_count(struct plan_table *p, const struct json_value *parent, const char *key)
{
	bool is_there = json_member(parent, key) != NULL;
	term_table_cell(
	    p->t, is_there ? arena_printf(p->cli->arena, "%.0f", number_of(parent, key)) : SL_EMPTY);
}

static void cell_milliseconds(struct plan_table *p, const struct json_value *parent, const char *key)
{
	bool is_there = json_member(parent, key) != NULL;
	term_table_cell(
	    p->t, is_there ? arena_printf(p->cli->arena, "%.3f", number_of(parent, key) * 1000) : SL_EMPTY);
}

static void add_columns(struct plan_table *p)
{
	static const char *const planned[] = {"steps", "series up to", "samples up to"};
	static const char *const measured[] = {
	    "steps", "series", "points", "samples", "bytes", "ms", "ms alone"};
	const char *const *titles = p->analyze ? measured : planned;
	size_t n = p->analyze ? ARRAY_LEN(measured) : ARRAY_LEN(planned);

	term_table_column(p->t, SL("node"), false);
	for (size_t i = 0; i < n; i++)
		term_table_column(p->t, slice_cstr(titles[i]), true);
}

static void add_node(struct plan_table *p, const struct json_value *node, size_t depth)
{
	struct slice what = SL_EMPTY;
	const struct json_value *actual = json_member(node, "actual"),
				*children = json_member(node, "children");
	const struct json_value *estimated = json_member(node, "estimated");

	json_get_string(json_member(node, "node"), &what);
	term_table_row(p->t);
	term_table_cell(
	    p->t, arena_printf(p->cli->arena, "%*s%" SL_FMT, (int)(depth * INDENT), "", SL_ARG(what)));
	cell_count(p, node, "steps");
	if (p->analyze) {
		cell_count(p, actual, "series");
		cell_count(p, actual, "points");
		cell_count(p, actual, "samples");
		cell_count(p, actual, "bytes");
		cell_milliseconds(p, actual, "seconds");
		cell_milliseconds(p, actual, "selfSeconds");
	} else {
		cell_count(p, estimated, "series");
		cell_count(p, estimated, "samples");
	}
	for (size_t i = 0; i < json_count(children); i++)
		add_node(p, json_item(children, i), depth + 1);
}

static void print_totals(struct cli *cli, const struct json_value *stats)
{
	const struct json_value *samples = json_member(stats, "samples"),
				*timings = json_member(stats, "timings");
	strbuf_addf(cli->out, "\n%.0f samples queried, %.0f held at most, %.3f ms\n",
	    number_of(samples, "totalQueryableSamples"), number_of(samples, "peakSamples"),
	    number_of(timings, "execTotalTime") * 1000);
}

static void print_plan(struct cli *cli, const struct api_answer *answer, bool analyze)
{
	struct plan_table p = {cli, term_table_new(cli->arena), analyze};
	if (cli->form == OUTPUT_JSON) {
		strbuf_add_slice(cli->out, slice_trim(answer->body));
		strbuf_addch(cli->out, '\n');
		return;
	}
	add_columns(&p);
	add_node(&p, json_member(answer->data, "plan"), 0);
	if (cli->form == OUTPUT_CSV) {
		term_table_print_csv(cli->out, p.t);
		return;
	}
	term_table_print(cli->out, p.t);
	if (analyze)
		print_totals(cli, json_member(answer->data, "stats"));
}

/* --- the command -------------------------------------------------------------------------------------------------------- */

static void add_times(struct cli *cli, const struct explain_args *a, struct api_params *params)
{
	int64_t now_ms = clock_now_ms(cli->clock);
	int64_t end_ms = a->end_ms == NO_TIME ? now_ms : a->end_ms;

	if (a->step_ms == NO_TIME) {
		api_param_time(params, "time", a->time_ms == NO_TIME ? now_ms : a->time_ms);
		return;
	}
	api_param_time(params, "start", a->start_ms == NO_TIME ? end_ms - HOUR_MS : a->start_ms);
	api_param_time(params, "end", end_ms);
	api_param_time(params, "step", a->step_ms);
}

int cmd_query_explain(struct cli *cli, int argc, char **argv)
{
	struct explain_args a = {false, NO_TIME, NO_TIME, NO_TIME, NO_TIME};
	const struct argument known[] = {
	    {"analyze", 0, ARGUMENT_FLAG, &a.analyze},
	    {"time", 0, ARGUMENT_TIME, &a.time_ms},
	    {"start", 0, ARGUMENT_TIME, &a.start_ms},
	    {"end", 0, ARGUMENT_TIME, &a.end_ms},
	    {"step", 0, ARGUMENT_DURATION, &a.step_ms},
	};
	char **rest;
	int n_rest;
	int code =
	    arguments_parse(cli, "query explain", help, known, ARRAY_LEN(known), argc, argv, &rest, &n_rest);
	if (code >= 0)
		return code;
	if (n_rest != 1)
		return cli_fail(
		    cli, "query explain: want one expression, got %d (quote it; see --help)", n_rest);
	if (a.step_ms == NO_TIME && (a.start_ms != NO_TIME || a.end_ms != NO_TIME))
		return cli_fail(cli, "query explain: --start and --end want a --step");
	struct api_params params = API_PARAMS_INIT;
	struct api_answer answer;
	api_param(&params, "query", slice_cstr(rest[0]));
	if (a.analyze)
		api_param(&params, "analyze", SL("true"));
	add_times(cli, &a, &params);
	code = api_ask(cli, "POST", "/explain", &params, slice_cstr(rest[0]), &answer);
	if (code != EXIT_OK)
		return code;
	print_plan(cli, &answer, a.analyze);
	api_answer_done(&answer);
	return EXIT_OK;
}
