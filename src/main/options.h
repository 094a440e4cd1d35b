/* The command line of promqd: --name=value, --name value, and for booleans --name and --no-name. Every option is a row of
 * main/options_table.h. Values are kept as text, checked when they are parsed. One owner, read-only afterwards. */
#pragma once

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include <stdbool.h>
#include <stdint.h>

enum option_id {
#define OPTION(id, name, type, def, effect, help) OPT_##id,
#include "main/options_table.h"
#undef OPTION
	OPTIONS,
};

VEC_DEFINE(string_vec, char *);

struct options {
	struct string_vec values[OPTIONS]; /* what was given; the last counts, or all for lists */
	bool wants_help, wants_version;
};

/* ERR_INVALID: `err` lists everything that is wrong, a line each. The caller ends with options_done() in any case. */
MUST_CHECK int options_parse(struct options *o, int argc, char **argv, struct err *err);
void options_done(struct options *o);

/* The value given, or the default; never NULL. */
const char *options_text(const struct options *o, enum option_id id);
bool options_bool(const struct options *o, enum option_id id);
int64_t options_ms(const struct options *o, enum option_id id);
uint64_t options_uint(const struct options *o, enum option_id id); /* sizes: in bytes */
bool options_given(const struct options *o, enum option_id id);
/* Whether `feature` is in the comma lists of --enable-feature. */
bool options_feature(const struct options *o, const char *feature);

const char *option_name(enum option_id id); /* without dashes */
/* Those that were given and have no effect, for a warning each. */
bool options_is_ignored(const struct options *o, enum option_id id);
void options_print_help(struct strbuf *out);
