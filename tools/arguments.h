/* The options of a command as a table: what each is called, what it takes, where it goes. */
#pragma once

#include "base/vec.h"
#include "tools/cli.h"

VEC_DEFINE(argument_list, const char *);

enum argument_kind {
	ARGUMENT_FLAG,     /* bool */
	ARGUMENT_TEXT,     /* const char * */
	ARGUMENT_LIST,     /* struct argument_list: may be given several times */
	ARGUMENT_NUMBER,   /* int64_t, 0 or more */
	ARGUMENT_DURATION, /* int64_t, milliseconds: "1m" or seconds */
	ARGUMENT_TIME_MS, /* int64_t: a whole number is milliseconds, as promtool takes them; else as cli_parse_time() */
	ARGUMENT_TIME, /* int64_t, milliseconds; as cli_parse_time() */
};

struct argument {
	const char *name; /* "match": --match */
	char letter;      /* 0: there is no short form */
	enum argument_kind kind;
	void *to; /* keeps its value when the option is not given */
};

/* Reads the options; *rest are the *n_rest arguments that are none. -1: go on; else the exit code: `help` was printed, or
 * the reason why not. `command` is how errors call it ("tsdb list"); argv[0] is skipped. */
int arguments_parse(struct cli *cli, const char *command, const char *help, const struct argument *known,
    size_t n, int argc, char **argv, char ***rest, int *n_rest);
