/* promq check config FILE..., promq check rules [FILE...] */
#include "base/double_text.h"
#include "config/config_check.h"
#include "model/duration.h"
#include "rules/rule_file.h"
#include "tools/commands.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char help[] =
    "Usage: promq check config [--syntax-only] [--agent] [--lint CHECKS] [--lint-fatal] FILE...\n"
    "       promq check rules [--lint CHECKS] [--lint-fatal] [FILE...]\n"
    "\n"
    "Checks prometheus.yml with the rule files it names, or rule files (standard input when none is given).\n"
    "Everything that is wrong is said, with its place; the exit code is 1 then.\n"
    "\n"
    "  --syntax-only   the files themselves, not what they name\n"
    "  --agent         as an agent would read it\n"
    "  --lint CHECKS   all (default), none, duplicate-rules, too-long-scrape-interval\n"
    "  --lint-fatal    what lint finds makes the exit code 3\n";

enum lint { LINT_DUPLICATE_RULES = 1, LINT_SCRAPE_INTERVAL = 2, LINT_ALL = 3 };

/* A scrape interval beyond what a query looks back makes gaps in every graph. */
enum { LOOKBACK_MS = 300000 };

struct check {
	struct cli *cli;
	bool syntax_only, is_agent, lint_fatal;
	unsigned lint;
	char **files;
	int n_files;
	bool failed, lint_failed; /* so far */
};

/* --- telling --- */

static void fail(struct check *c, const struct config_error_vec *errors)
{
	struct strbuf text = STRBUF_INIT;
	config_errors_print(&text, errors);
	struct slice rest = strbuf_slice(&text);
	cli_flush(c->cli);
	strbuf_adds(c->cli->err, "  FAILED:\n");
	while (rest.len) {
		size_t n = slice_find(rest, '\n');
		strbuf_addf(c->cli->err, "    %" SL_FMT "\n", SL_ARG(slice_of(rest.ptr, n)));
		rest = slice_from(rest, n < rest.len ? n + 1 : n);
	}
	strbuf_done(&text);
	cli_flush(c->cli);
	c->failed = true;
}

static void warn(struct check *c, const struct config_error_vec *errors)
{
	cli_flush(c->cli);
	struct config_error_vec warnings = {0};
	for (size_t i = 0; i < errors->len; i++)
		if (errors->v[i].is_warning)
			config_error_vec_push(&warnings, errors->v[i]);
	if (warnings.len)
		config_errors_print(c->cli->err, &warnings);
	config_error_vec_done(&warnings);
}

static void add_error(
    struct check *c, struct config_error_vec *errors, struct slice file, struct slice message)
{
	config_error_vec_push(
	    errors, (struct config_error){.file = file, .message = arena_slice(c->cli->arena, message)});
}

/* --- files that are named --- */

/* "error checking <what> "<path>": stat <path>: no such file or directory", as promtool says it. */
static void check_named_file(struct check *c, struct config_error_vec *errors, struct slice config,
    const char *what, struct slice path)
{
	struct stat st;
	if (!path.len)
		return;
	char *name = arena_strdup(c->cli->arena, path);
	if (stat(name, &st) == 0)
		return;
	const char *why = errno == ENOENT ? "no such file or directory" : "it cannot be read";
	add_error(c, errors, config,
	    arena_printf(c->cli->arena, "error checking %s \"%s\": stat %s: %s", what, name, name, why));
}

static void check_http_files(
    struct check *c, struct config_error_vec *errors, struct slice config, const struct config_http *http)
{
	check_named_file(c, errors, config, "authorization credentials or bearer token file",
	    http->authorization.credentials_file);
	check_named_file(c, errors, config, "basic auth password file", http->basic_auth.password_file);
	check_named_file(c, errors, config, "client cert file", http->tls.cert_file);
	check_named_file(c, errors, config, "client key file", http->tls.key_file);
	check_named_file(c, errors, config, "CA file", http->tls.ca_file);
}

static bool is_pattern(struct slice path)
{
	return slice_find(path, '*') < path.len || slice_find(path, '?') < path.len ||
	       slice_find(path, '[') < path.len;
}

static void check_rule_globs(struct check *c, struct config_error_vec *errors, const struct config *config)
{
	struct stat st;
	for (size_t i = 0; i < config->rule_file_globs.n; i++) {
		struct slice path = config->rule_file_globs.v[i];
		if (!is_pattern(path) && stat(arena_strdup(c->cli->arena, path), &st) != 0)
			add_error(c, errors, config->file,
			    arena_printf(c->cli->arena, "\"%" SL_FMT "\" does not point to an existing file",
				SL_ARG(path)));
	}
}

static void check_named_files(struct check *c, struct config_error_vec *errors, const struct config *config)
{
	check_rule_globs(c, errors, config);
	for (size_t i = 0; i < config->scrapes.n; i++)
		check_http_files(c, errors, config->file, &config->scrapes.v[i].http);
}

/* --- lint --- */

static void lint_intervals(struct check *c, const struct config *config)
{
	if (!(c->lint & LINT_SCRAPE_INTERVAL))
		return;
	for (size_t i = 0; i < config->scrapes.n; i++) {
		const struct scrape_config *s = &config->scrapes.v[i];
		if (s->scrape_interval_ms < LOOKBACK_MS)
			continue;
		struct strbuf interval = STRBUF_INIT;
		duration_print(&interval, s->scrape_interval_ms);
		strbuf_addf(c->cli->err,
		    "  FAILED: long scrape interval found. Data point will be marked as stale. Job: %" SL_FMT
		    ". Interval: %s\n",
		    SL_ARG(s->job_name), strbuf_cstr(&interval));
		strbuf_done(&interval);
		c->lint_failed = true;
	}
}

static bool same_pairs(const struct config_pairs *a, const struct config_pairs *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		bool found = false;
		for (size_t k = 0; k < b->n && !found; k++)
			found =
			    slice_eq(a->v[i].name, b->v[k].name) && slice_eq(a->v[i].value, b->v[k].value);
		if (!found)
			return false;
	}
	return true;
}

/* Two rules of a file that write the same series: same kind, name and labels. */
static size_t find_duplicates(const struct config_rule_file *file, const struct config_rule **first)
{
	size_t n = 0;
	for (size_t g = 0; g < file->n_groups; g++) {
		const struct config_rule_group *group = &file->groups[g];
		for (size_t i = 0; i < group->n_rules; i++)
			for (size_t k = 0; k < i; k++) {
				const struct config_rule *a = &group->rules[i], *b = &group->rules[k];
				if (!slice_eq(a->name, b->name) || a->is_alert != b->is_alert ||
				    !same_pairs(&a->labels, &b->labels))
					continue;
				*first = n++ ? *first : a;
				break;
			}
	}
	return n;
}

static void lint_rules(struct check *c, const struct config_rule_file *file)
{
	const struct config_rule *first = NULL;
	size_t n = c->lint & LINT_DUPLICATE_RULES ? find_duplicates(file, &first) : 0;
	if (n == 0)
		return;
	cli_flush(c->cli);
	strbuf_addf(c->cli->err,
	    "  FAILED: %zu duplicate rule(s) found: %" SL_FMT
	    " (line %u) has the name and labels of an earlier one. "
	    "Might cause inconsistency while recording expressions\n",
	    n, SL_ARG(first->name), first->line);
	c->lint_failed = true;
}

/* --- rules --- */

static size_t count_rules(const struct config_rule_file *file)
{
	size_t n = 0;
	for (size_t g = 0; g < file->n_groups; g++)
		n += file->groups[g].n_rules;
	return n;
}

/* A file that could be read: its expressions and templates. */
static void check_rule_file(struct check *c, const struct config_rule_file *file,
    const struct config_global *global, struct config_error_vec *errors)
{
	struct rule_group_def *groups;
	bool good = !config_has_errors(errors);
	if (good)
		good = rule_file_parse(c->cli->arena, file, global, errors, &groups);
	if (!good) {
		fail(c, errors);
	} else {
		warn(c, errors);
		strbuf_addf(c->cli->out, "  SUCCESS: %zu rules found\n", count_rules(file));
		lint_rules(c, file);
	}
	strbuf_adds(c->cli->out, "\n");
}

static void check_rules_at(struct check *c, const char *path, const struct config_global *global)
{
	struct config_error_vec errors = {0};
	struct config_rule_file file = {0};
	strbuf_addf(c->cli->out, "Checking %s\n", path);
	config_rules_read(c->cli->arena, path, global->name_validation == NAMES_LEGACY, &errors, &file);
	check_rule_file(c, &file, global, &errors);
	config_error_vec_done(&errors);
}

static void check_rules_of_input(struct check *c, const struct config_global *global)
{
	struct strbuf text = STRBUF_INIT;
	struct config_error_vec errors = {0};
	struct config_rule_file file = {0};
	char *room;
	size_t n;
	while ((room = strbuf_reserve(&text, 65536)) && (n = fread(room, 1, 65536, stdin)) > 0)
		strbuf_advance(&text, n);
	strbuf_adds(c->cli->out, "Checking standard input\n");
	config_rules_parse(c->cli->arena, SL("standard input"),
	    arena_slice(c->cli->arena, strbuf_slice(&text)), false, &errors, &file);
	check_rule_file(c, &file, global, &errors);
	config_error_vec_done(&errors);
	strbuf_done(&text);
}

/* --- configuration --- */

static void check_config_at(struct check *c, const char *path)
{
	struct config_error_vec errors = {0};
	strbuf_addf(c->cli->out, "Checking %s\n", path);
	struct config *config = config_load(c->cli->arena, path, c->is_agent, &errors);
	bool good = config && !config_has_errors(&errors);
	if (good && !c->syntax_only)
		check_named_files(c, &errors, config);
	if (!good || config_has_errors(&errors)) {
		fail(c, &errors);
		strbuf_adds(c->cli->out, "\n");
		config_error_vec_done(&errors);
		return;
	}
	warn(c, &errors);
	config_error_vec_done(&errors);
	strbuf_addf(c->cli->out, " SUCCESS: %s is valid prometheus config file syntax\n", path);
	if (config->rule_files.n)
		strbuf_addf(c->cli->out, "  SUCCESS: %zu rule files found\n", config->rule_files.n);
	lint_intervals(c, config);
	strbuf_adds(c->cli->out, "\n");
	for (size_t i = 0; !c->syntax_only && i < config->rule_files.n; i++)
		check_rules_at(c, arena_strdup(c->cli->arena, config->rule_files.v[i]), &config->global);
	cli_flush(c->cli);
}

/* --- the command --- */

static bool parse_lint(const char *text, unsigned *lint)
{
	static const struct {
		const char *name;
		unsigned lint;
	} names[] = {{"all", LINT_ALL}, {"none", 0}, {"duplicate-rules", LINT_DUPLICATE_RULES},
	    {"too-long-scrape-interval", LINT_SCRAPE_INTERVAL}};
	struct slice rest = slice_cstr(text);
	*lint = 0;
	while (rest.len) {
		size_t n = slice_find(rest, ','), i = 0;
		while (i < ARRAY_LEN(names) && !slice_eq_cstr(slice_of(rest.ptr, n), names[i].name))
			i++;
		if (i == ARRAY_LEN(names))
			return false;
		*lint |= names[i].lint;
		rest = slice_from(rest, n < rest.len ? n + 1 : n);
	}
	return true;
}

/* -1: go on; else the exit code. */
static int parse_args(struct check *c, int argc, char **argv, bool is_config)
{
	static const struct option options[] = {{"syntax-only", no_argument, NULL, 's'},
	    {"agent", no_argument, NULL, 'a'}, {"lint", required_argument, NULL, 'l'},
	    {"lint-fatal", no_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	optind = 0;
	opterr = 0;
	for (int o; (o = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
		if (o == 'h') {
			strbuf_adds(c->cli->out, help);
			return EXIT_OK;
		} else if (o == 's' && is_config) {
			c->syntax_only = true;
		} else if (o == 'a' && is_config) {
			c->is_agent = true;
		} else if (o == 'f') {
			c->lint_fatal = true;
		} else if (o != 'l') {
			return cli_fail(c->cli,
			    "check %s: unknown option or missing argument: %s (see promq check --help)",
			    argv[0], argv[optind - 1]);
		} else if (!parse_lint(optarg, &c->lint)) {
			return cli_fail(c->cli,
			    "--lint is a list of all, none, duplicate-rules, too-long-scrape-interval; not "
			    "\"%s\"",
			    optarg);
		}
	}
	c->files = argv + optind;
	c->n_files = argc - optind;
	return -1;
}

int cmd_check(struct cli *cli, int argc, char **argv)
{
	struct check c = {.cli = cli, .lint = LINT_ALL};
	const struct config_global global = {.evaluation_interval_ms = 60000};
	const char *kind = argc > 1 ? argv[1] : "";
	bool is_config = strcmp(kind, "config") == 0;
	if (strcmp(kind, "--help") == 0 || strcmp(kind, "-h") == 0) {
		strbuf_adds(cli->out, help);
		return EXIT_OK;
	}
	if (!is_config && strcmp(kind, "rules") != 0)
		return cli_fail(
		    cli, "check: want \"config\" or \"rules\", got \"%s\" (see promq check --help)", kind);
	int code = parse_args(&c, argc - 1, argv + 1, is_config);
	if (code >= 0)
		return code;
	if (is_config && c.n_files == 0)
		return cli_fail(cli, "check config: want a file");
	if (!is_config && c.n_files == 0)
		check_rules_of_input(&c, &global);
	for (int i = 0; i < c.n_files; i++) {
		if (is_config)
			check_config_at(&c, c.files[i]);
		else
			check_rules_at(&c, c.files[i], &global);
	}
	return c.failed ? EXIT_FAILURE_FOUND : c.lint_failed && c.lint_fatal ? EXIT_LINT : EXIT_OK;
}
