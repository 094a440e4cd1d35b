#include "tools/arguments.h"
#include "base/double_text.h"
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

enum { MAX_ARGUMENTS = 32, FIRST_VALUE = 256 };

static bool parse_whole(const char *text, int64_t *out)
{
	char *end;
	errno = 0;
	long long v = strtoll(text, &end, 10);
	if (errno || end == text || *end)
		return false;
	*out = v;
	return true;
}

static int parse_number(const char *text, int64_t *out, struct err *err)
{
	int64_t v;
	if (!parse_whole(text, &v) || v < 0)
		return err_set(err, ERR_INVALID, "\"%s\" is no whole number", text);
	*out = v;
	return 0;
}

static int set_value(struct cli *cli, const struct argument *a, const char *text, struct err *err)
{
	switch (a->kind) {
	case ARGUMENT_FLAG:
		*(bool *)a->to = true;
		return 0;
	case ARGUMENT_TEXT:
		*(const char **)a->to = text;
		return 0;
	case ARGUMENT_LIST:
		argument_list_push((struct argument_list *)a->to, text);
		return 0;
	case ARGUMENT_NUMBER:
		return parse_number(text, (int64_t *)a->to, err);
	case ARGUMENT_DURATION:
		return cli_parse_step(text, (int64_t *)a->to, err);
	case ARGUMENT_TIME_MS:
		if (parse_whole(text, (int64_t *)a->to))
			return 0;
		return cli_parse_time(cli, text, (int64_t *)a->to, err);
	case ARGUMENT_TIME:
		return cli_parse_time(cli, text, (int64_t *)a->to, err);
	}
	return 0;
}

/* getopt's tables. */
struct tables {
	struct option options[MAX_ARGUMENTS + 2];
	char letters[2 * MAX_ARGUMENTS + 4];
};

static void make_tables(const struct argument *known, size_t n, struct tables *t)
{
	char *letter = t->letters;
	*letter++ = 'h';
	for (size_t i = 0; i < n; i++) {
		bool takes = known[i].kind != ARGUMENT_FLAG;
		t->options[i] = (struct option){
		    known[i].name, takes ? required_argument : no_argument, NULL, FIRST_VALUE + (int)i};
		if (!known[i].letter)
			continue;
		*letter++ = known[i].letter;
		if (takes)
			*letter++ = ':';
	}
	*letter = '\0';
	t->options[n] = (struct option){"help", no_argument, NULL, 'h'};
}

static const struct argument *find(const struct argument *known, size_t n, int c)
{
	if (c >= FIRST_VALUE)
		return &known[c - FIRST_VALUE];
	for (size_t i = 0; i < n; i++)
		if (known[i].letter == c)
			return &known[i];
	return NULL;
}

int arguments_parse(struct cli *cli, const char *command, const char *help, const struct argument *known,
    size_t n, int argc, char **argv, char ***rest, int *n_rest)
{
	assert(n <= MAX_ARGUMENTS);
	struct tables t = {0};
	make_tables(known, n, &t);
	optind = 0;
	opterr = 0;
	for (int c; (c = getopt_long(argc, argv, t.letters, t.options, NULL)) != -1;) {
		struct err err;
		if (c == 'h') {
			strbuf_adds(cli->out, help);
			return EXIT_OK;
		}
		const struct argument *a = c == '?' ? NULL : find(known, n, c);
		if (!a)
			return cli_fail(cli,
			    "%s: unknown option or missing argument: %s (see promq %s --help)", command,
			    argv[optind - 1], command);
		if (set_value(cli, a, optarg, &err) != 0)
			return cli_fail(cli, "%s: --%s: %s", command, a->name, err.msg);
	}
	*rest = argv + optind;
	*n_rest = argc - optind;
	return -1;
}
