#include "tools/cli.h"
#include "base/double_text.h"
#include "config.h"
#include "model/duration.h"
#include "tools/commands.h"
#include <math.h>
#include <stdlib.h>

static const struct {
	const char *name;
	int (*run)(struct cli *cli, int argc, char **argv);
	const char *what;
} commands[] = {
    {"query", cmd_query, "evaluate a PromQL expression, at an instant or over a range; explain it"},
    {"format", cmd_format, "format a PromQL expression"},
    {"labels", cmd_labels, "list label names, or the values of one"},
    {"series", cmd_series, "list series"},
    {"targets", cmd_targets, "list scrape targets and their health"},
    {"alerts", cmd_alerts, "list pending and firing alerts"},
    {"check", cmd_check, "check configuration and rule files"},
    {"tsdb", cmd_tsdb, "look into a data folder: list, analyze, verify, dump, backfill, repair"},
};

static const char head[] = "Usage: promq [--server URL] [-o FORM] COMMAND [ARGUMENT]...\n"
			   "\n"
			   "The command line of promq and of any server with Prometheus's API.\n"
			   "\n"
			   "Commands:\n";
static const char tail[] =
    "\n"
    "Options, before or behind the command:\n"
    "  --server URL   the server (default: $PROMQ_SERVER, or http://localhost:9090)\n"
    "  -o FORM        table (default), json, csv or value\n"
    "  -h, --help     this text; behind a command, what the command takes\n"
    "  --version\n"
    "\n"
    "Exit codes: 0 success, 1 failure, 3 a check found lint only and --lint-fatal was given.\n";

static int print_help(struct cli *cli)
{
	strbuf_adds(cli->out, head);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		strbuf_addf(cli->out, "  %-9s %s\n", commands[i].name, commands[i].what);
	strbuf_adds(cli->out, tail);
	return EXIT_OK;
}

static bool set_form(struct cli *cli, const char *name)
{
	static const char *const names[] = {"table", "json", "csv", "value"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(name, names[i]) == 0) {
			cli->form = (enum output_form)i;
			return true;
		}
	}
	return false;
}

/* The value of a global option at argv[*i], "--name value" or "--name=value"; NULL when it is another one. */
static const char *option_value(int argc, char **argv, int *i, const char *name)
{
	size_t n = strlen(name);
	if (strncmp(argv[*i], name, n) != 0)
		return NULL;
	if (argv[*i][n] == '=')
		return argv[*i] + n + 1;
	if (argv[*i][n] == '\0' && *i + 1 < argc)
		return argv[++*i];
	return NULL;
}

/* Takes the global options out, wherever they stand; behind "--" everything is an argument. -1: go on. */
static int take_global_options(struct cli *cli, int *argc, char **argv)
{
	int kept = 1;
	bool only_arguments = false;
	for (int i = 1; i < *argc; i++) {
		const char *value;
		if (strcmp(argv[i], "--") == 0)
			only_arguments = true;
		if (only_arguments) {
			argv[kept++] = argv[i];
		} else if ((value = option_value(*argc, argv, &i, "--server"))) {
			cli->server = value;
		} else if ((value = option_value(*argc, argv, &i, "-o")) ||
			   (value = option_value(*argc, argv, &i, "--output"))) {
			if (!set_form(cli, value))
				return cli_fail(cli, "-o is table, json, csv or value, not \"%s\"", value);
		} else {
			argv[kept++] = argv[i];
		}
	}
	argv[kept] = NULL;
	*argc = kept;
	return -1;
}

int cli_run(struct cli *cli, int argc, char **argv)
{
	int code = take_global_options(cli, &argc, argv);
	if (code >= 0)
		return code;
	if (argc < 2) {
		print_help(cli);
		return EXIT_FAILURE_FOUND;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
		return print_help(cli);
	if (strcmp(argv[1], "--version") == 0) {
		strbuf_adds(cli->out, "promq " PACKAGE_VERSION "\n");
		return EXIT_OK;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(cli, argc - 1, argv + 1);
	return cli_fail(cli, "unknown command \"%s\" (see promq --help)", argv[1]);
}

/* --- arguments --- */

int cli_parse_time(struct cli *cli, const char *text, int64_t *t_ms, struct err *err)
{
	double seconds;
	int64_t ms;
	struct slice s = slice_cstr(text);
	int64_t now_ms = clock_now_ms(cli->clock);
	if (strcmp(text, "now") == 0) {
		*t_ms = now_ms;
		return 0;
	}
	if (double_parse(s, &seconds) && fabs(seconds) < 1e12) {
		*t_ms = (int64_t)round(seconds * 1000);
		return 0;
	}
	if (rfc3339_parse(s, &ms, NULL) == 0) {
		*t_ms = ms;
		return 0;
	}
	if (duration_parse(slice_from(s, text[0] == '-' ? 1 : 0), &ms, NULL) == 0) {
		*t_ms = now_ms - ms;
		return 0;
	}
	return err_set(err, ERR_INVALID,
	    "\"%s\" is no time (\"now\", seconds since 1970, 2026-01-31T12:00:00Z, or a duration before now "
	    "such as 1h)",
	    text);
}

int cli_parse_step(const char *text, int64_t *ms, struct err *err)
{
	double seconds;
	int64_t parsed;
	if (double_parse(slice_cstr(text), &seconds) && seconds >= 0 && seconds < 1e12)
		parsed = (int64_t)round(seconds * 1000);
	else if (duration_parse(slice_cstr(text), &parsed, NULL))
		return err_set(
		    err, ERR_INVALID, "\"%s\" is no duration (15s, 1m, or a number of seconds)", text);
	if (parsed <= 0)
		return err_set(err, ERR_INVALID, "must be greater than 0");
	*ms = parsed;
	return 0;
}
