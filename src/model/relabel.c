/* One function per action, found through a table that also knows what the action asks of its rule. Text that a rule makes
 * (joined sources, expansions) is copied to the builder's arena when it stays. */
#include "model/relabel.h"

#include "base/letter_case.h"
#include "base/md5.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdio.h>

/* --- actions ------------------------------------------------------------------------------------------------------------ */

/* The source labels' values with the separator between; one needs no copy, more are put into `joined`. */
static struct slice source_value(
    const struct relabel_rule *r, const struct label_builder *b, struct strbuf *joined)
{
	if (r->n_source_labels == 1)
		return label_builder_get(b, r->source_labels[0]);
	for (size_t i = 0; i < r->n_source_labels; i++) {
		if (i > 0)
			strbuf_add_slice(joined, r->separator);
		strbuf_add_slice(joined, label_builder_get(b, r->source_labels[i]));
	}
	return strbuf_slice(joined);
}

static bool has_reference(struct slice s)
{
	return slice_find(s, '$') < s.len;
}

static void set_expanded(const struct relabel_rule *r, struct label_builder *b, struct slice value,
    struct strbuf *target, struct strbuf *result)
{
	bool matched = has_reference(r->target_label)
			   ? label_regex_expand(r->regex, value, r->target_label, target)
			   : label_regex_matches(r->regex, value);
	struct slice name = has_reference(r->target_label) ? strbuf_slice(target) : r->target_label;
	if (!matched || !label_name_valid(name))
		return;
	label_regex_expand(r->regex, value, r->replacement, result);
	label_builder_set_copy(b, name, strbuf_slice(result));
}

static bool replace(const struct relabel_rule *r, struct label_builder *b, struct slice value)
{
	struct strbuf target = STRBUF_INIT, result = STRBUF_INIT;
	bool references = has_reference(r->target_label) || has_reference(r->replacement);
	if (r->has_default_regex && !references)
		label_builder_set(b, r->target_label, r->replacement);
	else
		set_expanded(r, b, value, &target, &result);
	strbuf_done(&target);
	strbuf_done(&result);
	return true;
}

static bool keep(const struct relabel_rule *r, struct label_builder *b, struct slice value)
{
	(void)b;
	return label_regex_matches(r->regex, value);
}

static bool drop(const struct relabel_rule *r, struct label_builder *b, struct slice value)
{
	return !keep(r, b, value);
}

static bool keep_equal(const struct relabel_rule *r, struct label_builder *b, struct slice value)
{
	return slice_eq(label_builder_get(b, r->target_label), value);
}

static bool drop_equal(const struct relabel_rule *r, struct label_builder *b, struct slice value)
{
	return !keep_equal(r, b, value);
}

static bool hash_mod(const struct relabel_rule *r, struct label_builder *b, struct slice value)
{
	uint8_t digest[MD5_BYTES];
	md5(value.ptr, value.len, digest);
	uint64_t low = 0;
	for (size_t i = 8; i < MD5_BYTES; i++)
		low = low << 8 | digest[i];
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRIu64, r->modulus ? low % r->modulus : low);
	label_builder_set_copy(b, r->target_label, slice_of(text, (size_t)n));
	return true;
}

static bool label_map(const struct relabel_rule *r, struct label_builder *b, struct slice value)
{
	(void)value;
	/* Names made on the way are not looked at again. */
	const struct labels *before = label_builder_labels(b);
	struct strbuf name = STRBUF_INIT;
	LABELS_EACH (l, before) {
		strbuf_reset(&name);
		if (label_regex_expand(r->regex, l->name, r->replacement, &name) && name.len > 0)
			label_builder_set_copy(b, strbuf_slice(&name), l->value);
	}
	strbuf_done(&name);
	return true;
}

static void delete_where(const struct relabel_rule *r, struct label_builder *b, bool matching)
{
	const struct labels *before = label_builder_labels(b);
	LABELS_EACH (l, before) {
		if (label_regex_matches(r->regex, l->name) == matching)
			label_builder_del(b, l->name);
	}
}

static bool label_drop(const struct relabel_rule *r, struct label_builder *b, struct slice value)
{
	(void)value;
	delete_where(r, b, true);
	return true;
}

static bool label_keep(const struct relabel_rule *r, struct label_builder *b, struct slice value)
{
	(void)value;
	delete_where(r, b, false);
	return true;
}

static bool set_case(const struct relabel_rule *r, struct label_builder *b, struct slice value,
    void (*convert)(struct strbuf *out, struct slice s))
{
	struct strbuf text = STRBUF_INIT;
	convert(&text, value);
	label_builder_set_copy(b, r->target_label, strbuf_slice(&text));
	strbuf_done(&text);
	return true;
}

static bool lowercase(const struct relabel_rule *r, struct label_builder *b, struct slice value)
{
	return set_case(r, b, value, letter_case_lower);
}

static bool uppercase(const struct relabel_rule *r, struct label_builder *b, struct slice value)
{
	return set_case(r, b, value, letter_case_upper);
}

/* --- the table ------------------------------------------------------------------------------------------------------------ */

enum demands {
	NEEDS_TARGET = 1,
	NO_REPLACEMENT = 2,
	ONLY_SOURCE_TARGET = 4,
	ONLY_REGEX = 8,
	NEEDS_MODULUS = 16,
};

static const struct {
	const char *name;
	bool (*apply)(const struct relabel_rule *r, struct label_builder *b, struct slice value);
	unsigned demands;
} actions[] = {
    /* clang-format off */
    [RELABEL_REPLACE]   = {"replace",   replace,    NEEDS_TARGET},
    [RELABEL_KEEP]      = {"keep",      keep,       0},
    [RELABEL_DROP]      = {"drop",      drop,       0},
    [RELABEL_KEEPEQUAL] = {"keepequal", keep_equal, NEEDS_TARGET | ONLY_SOURCE_TARGET},
    [RELABEL_DROPEQUAL] = {"dropequal", drop_equal, NEEDS_TARGET | ONLY_SOURCE_TARGET},
    [RELABEL_HASHMOD]   = {"hashmod",   hash_mod,   NEEDS_TARGET | NEEDS_MODULUS},
    [RELABEL_LABELMAP]  = {"labelmap",  label_map,  0},
    [RELABEL_LABELDROP] = {"labeldrop", label_drop, ONLY_REGEX},
    [RELABEL_LABELKEEP] = {"labelkeep", label_keep, ONLY_REGEX},
    [RELABEL_LOWERCASE] = {"lowercase", lowercase,  NEEDS_TARGET | NO_REPLACEMENT},
    [RELABEL_UPPERCASE] = {"uppercase", uppercase,  NEEDS_TARGET | NO_REPLACEMENT},
    /* clang-format on */
};

bool relabel_action_parse(struct slice s, enum relabel_action *out)
{
	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		if (slice_eq_nocase(s, slice_cstr(actions[i].name))) {
			*out = (enum relabel_action)i;
			return true;
		}
	}
	return false;
}

const char *relabel_action_name(enum relabel_action a)
{
	return actions[a].name;
}

/* --- checks ------------------------------------------------------------------------------------------------------------------ */

static int invalid_value(struct err *err, struct slice value, const char *key, const char *action)
{
	struct strbuf q = STRBUF_INIT;
	utf8_quote_go(&q, value);
	int rc = err_set(err, ERR_INVALID, "%" SL_FMT " is invalid '%s' for %s action",
	    SL_ARG(strbuf_slice(&q)), key, action);
	strbuf_done(&q);
	return rc;
}

static bool is_default(struct slice s, unsigned is_set, unsigned bit, const char *value)
{
	return !(is_set & bit) || slice_eq_cstr(s, value);
}

static bool only_source_and_target(const struct relabel_rule *r, unsigned is_set)
{
	return is_default(r->separator, is_set, RELABEL_SET_SEPARATOR, ";") &&
	       is_default(r->regex_text, is_set, RELABEL_SET_REGEX, "(.*)") &&
	       is_default(r->replacement, is_set, RELABEL_SET_REPLACEMENT, "$1") && r->modulus == 0;
}

static bool only_regex(const struct relabel_rule *r, unsigned is_set)
{
	return is_default(r->separator, is_set, RELABEL_SET_SEPARATOR, ";") &&
	       is_default(r->replacement, is_set, RELABEL_SET_REPLACEMENT, "$1") && r->modulus == 0 &&
	       r->target_label.len == 0 && !(is_set & RELABEL_SET_SOURCE);
}

int relabel_rule_check(const struct relabel_rule *r, unsigned is_set, struct err *err)
{
	const char *name = actions[r->action].name;
	unsigned demands = actions[r->action].demands;
	if ((demands & NEEDS_MODULUS) && r->modulus == 0)
		return err_set(
		    err, ERR_INVALID, "relabel configuration for hashmod requires non-zero modulus");
	if ((demands & NEEDS_TARGET) && r->target_label.len == 0)
		return err_set(err, ERR_INVALID,
		    "relabel configuration for %s action requires 'target_label' value", name);
	if ((demands & NEEDS_TARGET) && !label_name_valid(r->target_label))
		return invalid_value(err, r->target_label, "target_label", name);
	if ((demands & (NO_REPLACEMENT | ONLY_SOURCE_TARGET)) &&
	    !is_default(r->replacement, is_set, RELABEL_SET_REPLACEMENT, "$1"))
		return err_set(err, ERR_INVALID, "'replacement' can not be set for %s action", name);
	if (r->action == RELABEL_LABELMAP && !label_name_valid(r->replacement))
		return invalid_value(err, r->replacement, "replacement", name);
	if ((demands & ONLY_SOURCE_TARGET) && !only_source_and_target(r, is_set))
		return err_set(err, ERR_INVALID,
		    "%s action requires only 'source_labels' and `target_label`, and no other fields", name);
	if ((demands & ONLY_REGEX) && !only_regex(r, is_set))
		return err_set(
		    err, ERR_INVALID, "%s action requires only 'regex', and no other fields", name);
	return 0;
}

void relabel_rule_done(struct relabel_rule *r)
{
	label_regex_free(r->regex);
	r->regex = NULL;
}

/* --- application ---------------------------------------------------------------------------------------------------------------- */

bool relabel_apply(const struct relabel_rule *rules, size_t n, struct label_builder *b)
{
	struct strbuf joined = STRBUF_INIT;
	bool kept = true;
	for (size_t i = 0; kept && i < n; i++) {
		strbuf_reset(&joined);
		kept = actions[rules[i].action].apply(&rules[i], b, source_value(&rules[i], b, &joined));
	}
	strbuf_done(&joined);
	return kept;
}
