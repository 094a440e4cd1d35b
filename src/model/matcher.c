#include "model/matcher.h"

#include "base/utf8.h"
#include "model/label_regex.h"

static const char *const op_texts[] = {
    [MATCH_EQUAL] = "=",
    [MATCH_NOT_EQUAL] = "!=",
    [MATCH_REGEX] = "=~",
    [MATCH_NOT_REGEX] = "!~",
};

static void free_regex(void *ptr)
{
	label_regex_free((struct label_regex *)ptr);
}

int matcher_new(struct arena *arena, enum match_op op, struct slice name, struct slice value,
    const struct matcher **out, struct err *err)
{
	struct label_regex *regex = NULL;
	if (op == MATCH_REGEX || op == MATCH_NOT_REGEX) {
		int rc = label_regex_new(value, &regex, err);
		if (rc < 0)
			return rc;
		arena_at_free(arena, free_regex, regex);
	}
	struct matcher *m = ARENA_NEW(arena, struct matcher);
	m->op = op;
	m->name = arena_slice(arena, name);
	m->value = arena_slice(arena, value);
	m->regex = regex;
	*out = m;
	return 0;
}

bool matcher_matches(const struct matcher *m, struct slice value)
{
	switch (m->op) {
	case MATCH_EQUAL:
		return slice_eq(m->value, value);
	case MATCH_NOT_EQUAL:
		return !slice_eq(m->value, value);
	case MATCH_REGEX:
		return label_regex_matches(m->regex, value);
	case MATCH_NOT_REGEX:
		return !label_regex_matches(m->regex, value);
	}
	return false;
}

bool matcher_matches_labels(const struct matcher *m, const struct labels *ls)
{
	return matcher_matches(m, labels_get(ls, m->name));
}

bool matcher_matches_empty(const struct matcher *m)
{
	return matcher_matches(m, SL_EMPTY);
}

const struct slice *matcher_set(const struct matcher *m, size_t *n)
{
	if (m->op == MATCH_REGEX)
		return label_regex_set(m->regex, n);
	*n = m->op == MATCH_EQUAL ? 1 : 0;
	return m->op == MATCH_EQUAL ? &m->value : NULL;
}

struct slice matcher_prefix(const struct matcher *m)
{
	if (m->op == MATCH_REGEX)
		return label_regex_prefix(m->regex);
	return m->op == MATCH_EQUAL ? m->value : SL_EMPTY;
}

void matcher_print(struct strbuf *out, const struct matcher *m)
{
	if (label_name_valid_legacy(m->name))
		strbuf_add_slice(out, m->name);
	else
		utf8_quote_go(out, m->name);
	strbuf_adds(out, op_texts[m->op]);
	utf8_quote_go(out, m->value);
}

const char *match_op_text(enum match_op op)
{
	return op_texts[op];
}
