/* label_replace and label_join: the values stay, the labels are made anew. */
#include "model/label_builder.h"
#include "model/label_regex.h"
#include "promql/eval.h"

#include <string.h>

struct label_call {
	struct eval *eval;
	enum function_id id;
	struct slice target;
	/* label_replace */
	struct slice replacement, source;
	struct label_regex *regex;
	/* label_join */
	struct slice separator;
	const struct expr *const *sources;
	size_t n_sources;
};

static struct slice string_arg(const struct expr *x)
{
	return expr_unparen(x)->string;
}

static void free_regex(void *regex)
{
	label_regex_free(regex);
}

/* "... in label_replace(): %s", the name being quoted as Prometheus quotes it: not at all. */
static int bad_name(struct err *err, const char *which, enum function_id id, struct slice name)
{
	return err_set(err, ERR_EXECUTION, "invalid %s label name in %s(): %" SL_FMT, which,
	    functions[id].name, SL_ARG(name));
}

static int prepare_replace(struct label_call *c, const struct call *call, struct err *err)
{
	struct err why;

	c->target = string_arg(call->args[1]);
	c->replacement = string_arg(call->args[2]);
	c->source = string_arg(call->args[3]);
	struct slice pattern = string_arg(call->args[4]);
	if (label_regex_new(pattern, &c->regex, &why) != 0)
		return err_set(err, ERR_EXECUTION, "invalid regular expression in label_replace(): %" SL_FMT,
		    SL_ARG(pattern));
	arena_at_free(c->eval->arena, free_regex, c->regex);
	return label_name_valid(c->target) ? 0 : bad_name(err, "destination", c->id, c->target);
}

static int prepare_join(struct label_call *c, const struct call *call, struct err *err)
{
	c->target = string_arg(call->args[1]);
	c->separator = string_arg(call->args[2]);
	c->sources = call->args + 3;
	c->n_sources = call->n_args - 3;
	for (size_t i = 0; i < c->n_sources; i++) {
		struct slice name = string_arg(c->sources[i]);
		if (!label_name_valid(name))
			return bad_name(err, "source", c->id, name);
	}
	return label_name_valid(c->target) ? 0 : bad_name(err, "destination", c->id, c->target);
}

/* The new value of the target label; false: the labels stay as they are. */
static bool new_value(const struct label_call *c, const struct labels *ls, struct strbuf *value)
{
	strbuf_reset(value);
	if (c->id == FN_LABEL_REPLACE)
		return label_regex_expand(c->regex, labels_get(ls, c->source), c->replacement, value);
	for (size_t i = 0; i < c->n_sources; i++) {
		if (i > 0)
			strbuf_add_slice(value, c->separator);
		strbuf_add_slice(value, labels_get(ls, string_arg(c->sources[i])));
	}
	return true;
}

static void apply_nothing(void *arg, struct tile *t, size_t first)
{
	(void)arg, (void)t, (void)first;
}

static uint8_t *copy_dropped(struct eval *e, const struct source *s)
{
	uint8_t *dropped = ARENA_ARRAY(e->arena, uint8_t, s->n + 1);

	for (size_t i = 0; i < s->n; i++)
		dropped[i] = source_name_dropped(s, i);
	return dropped;
}

static void relabel(struct label_call *c, struct source *below, struct source *s)
{
	struct arena *arena = c->eval->arena;
	struct label_builder b;
	struct strbuf value = STRBUF_INIT;
	bool is_name = slice_eq(c->target, SL(LABEL_NAME));

	label_builder_init(&b, arena, NULL);
	s->cache = ARENA_ARRAY(arena, const struct labels *, s->n + 1);
	s->dropped = copy_dropped(c->eval, below);
	s->all_dropped = false;
	for (size_t i = 0; i < s->n; i++) {
		const struct labels *ls = source_labels(below, i);
		s->cache[i] = ls;
		if (!new_value(c, ls, &value))
			continue;
		label_builder_reset(&b, ls);
		label_builder_set_copy(&b, c->target, strbuf_slice(&value));
		s->cache[i] = label_builder_labels(&b);
		/* Whoever writes a name means it to stay. */
		if (is_name)
			s->dropped[i] = false;
	}
	strbuf_done(&value);
}

int eval_label_call(
    struct eval *e, const struct expr *x, const struct grid *grid, struct source **out, struct err *err)
{
	struct label_call *c = ARENA_NEW(e->arena, struct label_call);
	struct source *below;

	c->eval = e;
	c->id = x->call.func->id;
	int rc =
	    c->id == FN_LABEL_REPLACE ? prepare_replace(c, &x->call, err) : prepare_join(c, &x->call, err);
	if (rc == 0)
		rc = eval_vector(e, x->call.args[0], grid, &below, err);
	if (rc)
		return rc;
	*out = source_map_new(below, apply_nothing, NULL, false);
	(*out)->unique = (*out)->unique_nameless = false;
	(*out)->series = NULL;
	relabel(c, below, *out);
	return source_merge_same(out, err);
}
