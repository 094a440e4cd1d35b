/* Walks the tree. `at` follows the walk as in Go's implementation, because error texts quote the node it last came to. */
#include "template/template_exec_priv.h"

#include "base/xmalloc.h"
#include "model/duration.h"
#include "template/template_call.h"
#include "template/template_time.h"

enum { MAX_DEPTH = 100, DEFAULT_STEPS = 1000000, MAX_ARGS = 64 };

enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE };

struct arena *template_exec_arena(struct template_exec *x)
{
	return x->arena;
}

void *template_exec_user(struct template_exec *x)
{
	return x->options->user;
}

const struct template_set *template_exec_set(struct template_exec *x)
{
	return x->set;
}

struct template_value template_take_text(struct template_exec *x, struct strbuf *sb)
{
	struct template_value v = template_text(arena_slice(x->arena, strbuf_slice(sb)));
	strbuf_done(sb);
	return v;
}

int template_want_text(const struct template_value *v, struct slice *out, struct err *err)
{
	if (v->kind != TV_STRING) {
		err_set(
		    err, ERR_INVALID, "wrong type for value; expected string; got %s", template_type_name(v));
		return ERR_INVALID;
	}
	*out = v->as.text;
	return 0;
}

int template_exec_fail(struct template_exec *x, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int rc = err_setv(x->err, ERR_INVALID, fmt, ap);
	va_end(ap);
	struct strbuf place = STRBUF_INIT;
	uint32_t start = x->at ? x->at->start : 0, end = x->at ? x->at->end : 0;
	template_print_place(&place, x->body, start);
	err_prefix(x->err, "template: %s: executing \"%" SL_FMT "\" at <%" SL_FMT ">: ", strbuf_cstr(&place),
	    SL_ARG(x->body->name), SL_ARG(slice_of(x->body->text.ptr + start, end - start)));
	strbuf_done(&place);
	return rc;
}

/* --- variables ---------------------------------------------------------------------------------------------------------- */

static void push_variable(struct template_exec *x, struct slice name, const struct template_value *v)
{
	if (x->n_variables == x->cap_variables) {
		x->cap_variables = x->cap_variables * 2 + 16;
		x->variables = xreallocarray(x->variables, x->cap_variables, sizeof(*x->variables));
	}
	x->variables[x->n_variables++] = (struct template_variable){name, *v};
}

static struct template_variable *find_variable(struct template_exec *x, struct slice name)
{
	for (size_t i = x->n_variables; i > 0; i--)
		if (slice_eq(x->variables[i - 1].name, name))
			return &x->variables[i - 1];
	return NULL;
}

/* --- fields ------------------------------------------------------------------------------------------------------------- */

static int eval_pipe(struct template_exec *x, const struct template_value *dot, const struct node *pipe,
    struct template_value *out);
static int eval_arg(struct template_exec *x, const struct template_value *dot, const struct node *n,
    struct template_value *out);

/* The class whose methods a value has: its own, or that of its kind. */
static const struct template_class *class_of(const struct template_value *v)
{
	if (v->class)
		return v->class;
	if (v->kind == TV_TIME)
		return &template_time_class;
	return v->kind == TV_DURATION ? &template_duration_class : NULL;
}

static int eval_map_field(
    struct template_exec *x, const struct template_value *self, struct slice name, struct template_value *out)
{
	const struct template_value *found = template_map_get(self, name);
	if (found)
		*out = *found;
	else if (x->options->missing_key == TEMPLATE_MISSING_ERROR)
		return template_exec_fail(x, "map has no entry for key \"%" SL_FMT "\"", SL_ARG(name));
	else
		*out = self->as.map.missing_is_empty ? template_text(SL_EMPTY) : TEMPLATE_NIL;
	return 0;
}

static int eval_field(struct template_exec *x, const struct template_value *self, struct slice name,
    const struct template_value *args, size_t n_args, struct template_value *out)
{
	if (self->kind == TV_NIL) {
		if (x->options->missing_key == TEMPLATE_MISSING_ERROR)
			return template_exec_fail(
			    x, "nil data; no entry for key \"%" SL_FMT "\"", SL_ARG(name));
		*out = TEMPLATE_NIL;
		return 0;
	}
	const struct template_class *class = class_of(self);
	if (class && class->get) {
		struct err err = {0};
		int rc = class->get(x, self, name, args, n_args, out, &err);
		if (rc == 0)
			return 0;
		if (rc != ERR_NOT_FOUND)
			return template_exec_fail(x, "error calling %" SL_FMT ": %s", SL_ARG(name), err.msg);
	}
	if (self->kind == TV_MAP) {
		if (n_args)
			return template_exec_fail(
			    x, "%" SL_FMT " is not a method but has arguments", SL_ARG(name));
		return eval_map_field(x, self, name, out);
	}
	return template_exec_fail(
	    x, "can't evaluate field %" SL_FMT " in type %s", SL_ARG(name), template_type_name(self));
}

/* names[0], then names[1] of that, ...; the arguments belong to the last. */
static int eval_fields(struct template_exec *x, const struct template_value *self, const struct slice *names,
    size_t n, const struct template_value *args, size_t n_args, struct template_value *out)
{
	struct template_value v = *self;
	for (size_t i = 0; i < n; i++) {
		bool last = i + 1 == n;
		int rc = eval_field(x, &v, names[i], last ? args : NULL, last ? n_args : 0, &v);
		if (rc)
			return rc;
	}
	*out = v;
	return 0;
}

/* --- commands ------------------------------------------------------------------------------------------------------------- */

/* The arguments behind a command's first word, and the value the pipeline brings as the last. */
static int eval_args(struct template_exec *x, const struct template_value *dot, const struct node *command,
    const struct template_value *final, struct template_value *args, size_t *n)
{
	*n = 0;
	for (size_t i = 1; i < command->children.n; i++) {
		if (*n == MAX_ARGS - 1)
			return template_exec_fail(x, "too many arguments");
		int rc = eval_arg(x, dot, command->children.v[i], &args[(*n)++]);
		if (rc)
			return rc;
	}
	if (final)
		args[(*n)++] = *final;
	return 0;
}

/* `and` and `or` stop at the first argument that decides. */
static int eval_logic(struct template_exec *x, const struct template_value *dot, const struct node *command,
    const struct template_value *final, bool is_or, struct template_value *out)
{
	struct template_value v = TEMPLATE_NIL;
	size_t n = command->children.n;
	if (n < 2 && !final)
		return template_exec_fail(
		    x, "wrong number of args for %s: want at least 1 got 0", is_or ? "or" : "and");
	for (size_t i = 1; i < n; i++) {
		int rc = eval_arg(x, dot, command->children.v[i], &v);
		if (rc)
			return rc;
		if (template_is_true(&v) == is_or) {
			*out = v;
			return 0;
		}
	}
	*out = final ? *final : v;
	return 0;
}

static int eval_function(struct template_exec *x, const struct template_value *dot, const struct node *word,
    const struct node *command, const struct template_value *final, struct template_value *out)
{
	x->at = word;
	bool is_or = slice_eq(word->text, SL("or"));
	if (is_or || slice_eq(word->text, SL("and")))
		return eval_logic(x, dot, command, final, is_or, out);
	const struct template_func *f = template_set_func(x->set, word->text);
	if (!f)
		return template_exec_fail(x, "\"%" SL_FMT "\" is not a defined function", SL_ARG(word->text));
	size_t n = command->children.n - 1 + (final != NULL);
	if (n < f->min_args || (f->max_args != TEMPLATE_VARIADIC && n > f->max_args))
		return template_exec_fail(x, "wrong number of args for %s: want %s%u got %zu", f->name,
		    f->max_args == f->min_args ? "" : "at least ", f->min_args, n);
	struct template_value args[MAX_ARGS];
	int rc = eval_args(x, dot, command, final, args, &n);
	if (rc)
		return rc;
	struct err err = {0};
	rc = f->call(x, args, n, out, &err);
	if (rc) {
		x->at = command;
		return template_exec_fail(x, "error calling %s: %s", f->name, err.msg);
	}
	return 0;
}

static int eval_variable(struct template_exec *x, const struct node *n, const struct template_value *args,
    size_t n_args, struct template_value *out)
{
	x->at = n;
	struct template_variable *v = find_variable(x, n->names[0]);
	if (!v)
		return template_exec_fail(x, "undefined variable: %" SL_FMT, SL_ARG(n->names[0]));
	return eval_fields(x, &v->value, n->names + 1, n->n_names - 1, args, n_args, out);
}

static int eval_chain(struct template_exec *x, const struct template_value *dot, const struct node *n,
    const struct template_value *args, size_t n_args, struct template_value *out)
{
	struct template_value v;
	x->at = n;
	int rc = eval_arg(x, dot, n->operand, &v);
	return rc ? rc : eval_fields(x, &v, n->names, n->n_names, args, n_args, out);
}

static int eval_command(struct template_exec *x, const struct template_value *dot, const struct node *command,
    const struct template_value *final, struct template_value *out)
{
	const struct node *first = command->children.v[0];
	struct template_value args[MAX_ARGS];
	size_t n_args;
	if (x->steps_left-- == 0)
		return template_exec_fail(x, "template runs too long");
	if (first->kind == NODE_IDENTIFIER)
		return eval_function(x, dot, first, command, final, out);
	int rc = eval_args(x, dot, command, final, args, &n_args);
	if (rc)
		return rc;
	switch ((int)first->kind) {
	case NODE_FIELD:
		x->at = first;
		return eval_fields(x, dot, first->names, first->n_names, args, n_args, out);
	case NODE_CHAIN:
		return eval_chain(x, dot, first, args, n_args, out);
	case NODE_VARIABLE:
		if (first->n_names > 1 || !n_args)
			return eval_variable(x, first, args, n_args, out);
		break;
	default:
		break;
	}
	x->at = first;
	if (n_args)
		return template_exec_fail(x, "can't give argument to non-function %" SL_FMT,
		    SL_ARG(slice_of(x->body->text.ptr + first->start, first->end - first->start)));
	if (first->kind == NODE_NIL)
		return template_exec_fail(x, "nil is not a command");
	return eval_arg(x, dot, first, out);
}

static int eval_arg(struct template_exec *x, const struct template_value *dot, const struct node *n,
    struct template_value *out)
{
	struct node_list one = {.v = &n, .n = 1};
	struct node alone = {.kind = NODE_COMMAND, .start = n->start, .end = n->end, .children = one};
	x->at = n;
	switch (n->kind) {
	case NODE_DOT:
		*out = *dot;
		return 0;
	case NODE_NIL:
		*out = TEMPLATE_NIL;
		return 0;
	case NODE_BOOL:
		*out = template_bool(n->boolean);
		return 0;
	case NODE_NUMBER:
		*out = n->value;
		return 0;
	case NODE_STRING:
		*out = template_text(n->text);
		return 0;
	case NODE_FIELD:
		return eval_fields(x, dot, n->names, n->n_names, NULL, 0, out);
	case NODE_VARIABLE:
		return eval_variable(x, n, NULL, 0, out);
	case NODE_CHAIN:
		return eval_chain(x, dot, n, NULL, 0, out);
	case NODE_PIPE:
		return eval_pipe(x, dot, n, out);
	case NODE_IDENTIFIER:
		return eval_function(x, dot, n, &alone, NULL, out);
	case NODE_TEXT:
	case NODE_ACTION:
	case NODE_IF:
	case NODE_RANGE:
	case NODE_WITH:
	case NODE_TEMPLATE:
	case NODE_BREAK:
	case NODE_CONTINUE:
	case NODE_COMMAND:
		break;
	}
	return template_exec_fail(x, "can't handle this as an argument");
}

static int eval_pipe(struct template_exec *x, const struct template_value *dot, const struct node *pipe,
    struct template_value *out)
{
	struct template_value v = TEMPLATE_NIL;
	x->at = pipe;
	for (size_t i = 0; i < pipe->children.n; i++) {
		struct template_value next = TEMPLATE_NIL;
		int rc = eval_command(x, dot, pipe->children.v[i], i ? &v : NULL, &next);
		if (rc)
			return rc;
		v = next;
	}
	for (size_t i = 0; i < pipe->n_names; i++) {
		struct template_variable *known =
		    pipe->is_assignment ? find_variable(x, pipe->names[i]) : NULL;
		if (known)
			known->value = v;
		else
			push_variable(x, pipe->names[i], &v);
	}
	*out = v;
	return 0;
}

/* --- statements ------------------------------------------------------------------------------------------------------------- */

static int walk_list(
    struct template_exec *x, const struct template_value *dot, const struct node_list *list, enum flow *flow);

static void print_escaped(struct strbuf *out, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		switch (s.ptr[i]) {
		case '<':
			strbuf_adds(out, "&lt;");
			break;
		case '>':
			strbuf_adds(out, "&gt;");
			break;
		case '&':
			strbuf_adds(out, "&amp;");
			break;
		case '"':
			strbuf_adds(out, "&#34;");
			break;
		case '\'':
			strbuf_adds(out, "&#39;");
			break;
		default:
			strbuf_addch(out, s.ptr[i]);
		}
	}
}

static void print_result(struct template_exec *x, const struct template_value *v)
{
	if (!x->options->escape_html || (v->kind == TV_STRING && v->is_safe)) {
		template_print(x->out, v);
		return;
	}
	struct strbuf text;
	strbuf_init(&text, x->out->max);
	template_print(&text, v);
	print_escaped(x->out, strbuf_slice(&text));
	strbuf_done(&text);
}

static int walk_if_or_with(
    struct template_exec *x, const struct template_value *dot, const struct node *n, enum flow *flow)
{
	struct template_value v;
	int rc = eval_pipe(x, dot, n->pipe, &v);
	if (rc)
		return rc;
	if (!template_is_true(&v))
		return walk_list(x, dot, &n->otherwise, flow);
	return walk_list(x, n->kind == NODE_WITH ? &v : dot, &n->body, flow);
}

/* Sets what `range $i, $e :=` declared. */
static void bind_range(struct template_exec *x, const struct node *pipe, const struct template_value *key,
    const struct template_value *element)
{
	size_t n = pipe->n_names;
	for (size_t i = 0; i < n; i++) {
		const struct template_value *v = n == 2 && i == 0 ? key : element;
		struct template_variable *known =
		    pipe->is_assignment ? find_variable(x, pipe->names[i]) : NULL;
		if (known)
			known->value = *v;
		else
			push_variable(x, pipe->names[i], v);
	}
}

/* How many elements a value has for range; false: it has none by nature. */
static bool range_length(const struct template_value *v, size_t *n)
{
	switch ((int)v->kind) {
	case TV_NIL:
		*n = 0;
		return true;
	case TV_LIST:
		*n = v->as.list.n;
		return true;
	case TV_MAP:
		*n = v->as.map.n;
		return true;
	case TV_INT:
		*n = v->as.integer > 0 ? (size_t)v->as.integer : 0;
		return true;
	default:
		return false;
	}
}

static void range_element(
    const struct template_value *v, size_t i, struct template_value *key, struct template_value *element)
{
	*key = template_int((int64_t)i);
	if (v->kind == TV_LIST) {
		*element = v->as.list.v[i];
	} else if (v->kind == TV_MAP) {
		*key = template_text(v->as.map.v[i].key);
		*element = v->as.map.v[i].value;
	} else {
		*element = *key;
	}
}

static int walk_range(
    struct template_exec *x, const struct template_value *dot, const struct node *n, enum flow *flow)
{
	/* The variables of the pipeline are bound per element, not to the whole. */
	struct node plain = *n->pipe;
	plain.n_names = 0;
	struct template_value v;
	int rc = eval_pipe(x, dot, &plain, &v);
	if (rc)
		return rc;
	size_t len;
	if (!range_length(&v, &len)) {
		x->at = n->pipe;
		return template_exec_fail(x, "range can't iterate over %s", template_type_name(&v));
	}
	if (!len)
		return walk_list(x, dot, &n->otherwise, flow);
	size_t outer = x->n_variables;
	for (size_t i = 0; i < len; i++) {
		struct template_value key, element;
		enum flow inner = FLOW_ON;
		if (x->steps_left-- == 0)
			return template_exec_fail(x, "template runs too long");
		range_element(&v, i, &key, &element);
		bind_range(x, n->pipe, &key, &element);
		rc = walk_list(x, &element, &n->body, &inner);
		x->n_variables = outer;
		if (rc || inner == FLOW_BREAK)
			return rc;
	}
	return 0;
}

static int walk_template(struct template_exec *x, const struct template_value *dot, const struct node *n)
{
	const struct template_body *body = template_set_find(x->set, n->text);
	struct template_value v = TEMPLATE_NIL;
	x->at = n;
	if (!body)
		return template_exec_fail(x, "template \"%" SL_FMT "\" not defined", SL_ARG(n->text));
	if (x->depth == MAX_DEPTH)
		return template_exec_fail(x, "exceeded maximum template depth (%d)", MAX_DEPTH);
	int rc = n->pipe ? eval_pipe(x, dot, n->pipe, &v) : 0;
	if (rc)
		return rc;
	struct template_variable *outer = x->variables;
	size_t n_outer = x->n_variables, cap_outer = x->cap_variables;
	const struct template_body *caller = x->body;
	enum flow flow = FLOW_ON;
	x->variables = NULL;
	x->n_variables = x->cap_variables = 0;
	x->body = body;
	x->depth++;
	push_variable(x, SL("$"), &v);
	rc = walk_list(x, &v, &body->list, &flow);
	free(x->variables);
	x->depth--;
	x->body = caller;
	x->variables = outer;
	x->n_variables = n_outer;
	x->cap_variables = cap_outer;
	return rc;
}

static int walk(
    struct template_exec *x, const struct template_value *dot, const struct node *n, enum flow *flow)
{
	size_t outer = x->n_variables;
	struct template_value v;
	int rc = 0;
	x->at = n;
	switch ((int)n->kind) {
	case NODE_TEXT:
		strbuf_add_slice(x->out, n->text);
		break;
	case NODE_ACTION:
		rc = eval_pipe(x, dot, n->pipe, &v);
		if (!rc && !n->pipe->n_names)
			print_result(x, &v);
		return rc; /* what it declared stays until the end of the list */
	case NODE_IF:
	case NODE_WITH:
		rc = walk_if_or_with(x, dot, n, flow);
		break;
	case NODE_RANGE:
		rc = walk_range(x, dot, n, flow);
		break;
	case NODE_TEMPLATE:
		rc = walk_template(x, dot, n);
		break;
	case NODE_BREAK:
		*flow = FLOW_BREAK;
		break;
	case NODE_CONTINUE:
		*flow = FLOW_CONTINUE;
		break;
	default:
		rc = template_exec_fail(x, "unknown node");
	}
	x->n_variables = outer;
	return rc;
}

static int walk_list(
    struct template_exec *x, const struct template_value *dot, const struct node_list *list, enum flow *flow)
{
	size_t outer = x->n_variables;
	int rc = 0;
	for (size_t i = 0; i < list->n && !rc && *flow == FLOW_ON; i++) {
		rc = walk(x, dot, list->v[i], flow);
		if (!rc && (strbuf_overflowed(x->out) || arena_overflowed(x->arena)))
			rc = err_set(x->err, ERR_LIMIT, "template: %" SL_FMT ": output is too large",
			    SL_ARG(x->body->name));
	}
	x->n_variables = outer;
	return rc;
}

int template_exec(const struct template_set *set, struct slice name, const struct template_value *data,
    const struct template_options *options, struct arena *arena, struct strbuf *out, struct err *err)
{
	struct err own;
	const struct template_body *body = template_set_find(set, name);
	if (!body)
		return err_set(
		    err, ERR_INVALID, "template: no template \"%" SL_FMT "\" is defined", SL_ARG(name));
	struct template_exec x = {
	    .set = set, .options = options, .arena = arena, .out = out, .err = err ? err : &own};
	x.body = body;
	x.steps_left = options->max_steps ? options->max_steps : DEFAULT_STEPS;
	enum flow flow = FLOW_ON;
	push_variable(&x, SL("$"), data);
	int rc = walk_list(&x, data, &body->list, &flow);
	free(x.variables);
	return rc;
}
