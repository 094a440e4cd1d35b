/* Relabelling: the rules of relabel_configs and their application. Rules are immutable once compiled; any thread. */
#pragma once

#include "base/err.h"
#include "model/label_builder.h"
#include "model/label_regex.h"

enum relabel_action {
	RELABEL_REPLACE,
	RELABEL_KEEP,
	RELABEL_DROP,
	RELABEL_KEEPEQUAL,
	RELABEL_DROPEQUAL,
	RELABEL_HASHMOD,
	RELABEL_LABELMAP,
	RELABEL_LABELDROP,
	RELABEL_LABELKEEP,
	RELABEL_LOWERCASE,
	RELABEL_UPPERCASE,
};

struct relabel_rule {
	enum relabel_action action;
	struct slice *source_labels;
	size_t n_source_labels;
	struct slice separator;    /* ";" */
	struct slice target_label;
	struct slice replacement;  /* "$1" */
	uint64_t modulus;
	struct slice regex_text;   /* "(.*)" */
	struct label_regex *regex; /* owned */
	bool has_default_regex;
};

/* "replace" and so on in any case; false: unknown. */
bool relabel_action_parse(struct slice s, enum relabel_action *out);
const char *relabel_action_name(enum relabel_action a);
/* The rules of spec 3.5, with its messages. `is_set` bits say which keys the file gave. Compiles nothing. */
enum { RELABEL_SET_SEPARATOR = 1, RELABEL_SET_REGEX = 2, RELABEL_SET_MODULUS = 4, RELABEL_SET_TARGET = 8, RELABEL_SET_REPLACEMENT = 16, RELABEL_SET_SOURCE = 32 };
MUST_CHECK int relabel_rule_check(const struct relabel_rule *r, unsigned is_set, struct err *err);
void relabel_rule_done(struct relabel_rule *r); /* frees the regex */

/* Applies the rules in order to what the builder holds; false: the thing is dropped. */
bool relabel_apply(const struct relabel_rule *rules, size_t n, struct label_builder *b);
