/* Recursive descent, as the grammar of text/template is: lists of text and actions; pipelines of commands; commands of
 * operands. Tokens are read ahead by one; white space counts only between the operands of a command. */
#include "template/template_parse.h"

#include "base/double_text.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "template/template_lex.h"
#include "template/template_tree.h"

enum { MAX_NESTING = 200, MAX_VARIABLES = 500 };

VEC_DEFINE(node_vec, const struct node *);

struct parser {
	struct template_set *set;
	struct slice name, text;
	struct template_lexer lexer;
	struct template_token token; /* the current one */
	bool has_token;
	struct slice variables[MAX_VARIABLES];
	size_t n_variables;
	unsigned nesting, loops;
	struct err *err;
	int rc; /* sticky */
};

static int fail_at(struct parser *p, uint32_t pos, const char *fmt, ...) PRINTF_LIKE(3, 4);

static int fail_at(struct parser *p, uint32_t pos, const char *fmt, ...)
{
	if (p->rc)
		return p->rc;
	uint32_t line = template_line_of(p->text, pos);
	va_list ap;
	va_start(ap, fmt);
	p->rc = err_setv(p->err, ERR_INVALID, fmt, ap);
	va_end(ap);
	err_prefix(p->err, "template: %" SL_FMT ":%u: ", SL_ARG(p->name), line);
	if (p->err)
		p->err->line = line;
	return p->rc;
}

static struct template_token *peek(struct parser *p)
{
	struct err err;
	if (!p->rc && !p->has_token && template_lexer_next(&p->lexer, &p->token, &err))
		fail_at(p, p->lexer.pos, "%s", err.msg);
	if (p->rc)
		p->token = (struct template_token){.kind = TOKEN_EOF, .start = p->lexer.pos};
	p->has_token = true;
	return &p->token;
}

static struct template_token next(struct parser *p)
{
	struct template_token t = *peek(p);
	p->has_token = false;
	return t;
}

static struct template_token *peek_no_space(struct parser *p)
{
	while (peek(p)->kind == TOKEN_SPACE)
		next(p);
	return peek(p);
}

static struct template_token next_no_space(struct parser *p)
{
	peek_no_space(p);
	return next(p);
}

static void unexpected(struct parser *p, const struct template_token *t, const char *where)
{
	if (t->kind == TOKEN_EOF)
		fail_at(p, t->start, "unexpected EOF");
	else
		fail_at(p, t->start, "unexpected \"%" SL_FMT "\" in %s", SL_ARG(t->text), where);
}

static struct node *new_node(struct parser *p, enum node_kind kind, uint32_t start)
{
	struct node *n = ARENA_NEW(p->set->arena, struct node);
	n->kind = kind;
	n->start = n->end = start;
	return n;
}

static struct node_list take_list(struct parser *p, struct node_vec *v)
{
	struct node_list list = {.n = v->len};
	list.v = ARENA_ARRAY(p->set->arena, const struct node *, v->len);
	if (v->len)
		memcpy(list.v, v->v, v->len * sizeof(*v->v));
	node_vec_done(v);
	return list;
}

/* --- operands ------------------------------------------------------------------------------------------------------- */

static void add_name(struct parser *p, struct node *n, struct slice name)
{
	struct slice *names = ARENA_ARRAY(p->set->arena, struct slice, n->n_names + 1);
	if (n->n_names)
		memcpy(names, n->names, n->n_names * sizeof(*names));
	names[n->n_names++] = name;
	n->names = names;
}

static bool hex_value(struct slice s, uint32_t *v)
{
	*v = 0;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		int digit = c >= '0' && c <= '9'                 ? c - '0'
			    : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
								 : -1;
		if (digit < 0)
			return false;
		*v = *v * 16 + (uint32_t)digit;
	}
	return s.len > 0;
}

/* One escape sequence behind the backslash; false: a bad one. */
static bool unescape(struct slice *s, struct strbuf *out)
{
	static const char letters[] = "abfnrtv\\'\"", values[] = "\a\b\f\n\r\t\v\\'\"";
	char c = s->len ? s->ptr[0] : 0;
	const char *at = c ? strchr(letters, c) : NULL;
	if (at) {
		strbuf_addch(out, values[at - letters]);
		*s = slice_from(*s, 1);
		return true;
	}
	size_t n = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
	uint32_t v;
	if (n && s->len > n && hex_value(slice_of(s->ptr + 1, n), &v)) {
		char text[4];
		if (c == 'x')
			strbuf_addch(out, (char)v);
		else
			strbuf_add(out, text, utf8_encode(v, text));
		*s = slice_from(*s, n + 1);
		return true;
	}
	if (s->len < 3 || c < '0' || c > '3')
		return false;
	strbuf_addch(out, (char)((c - '0') * 64 + (s->ptr[1] - '0') * 8 + (s->ptr[2] - '0')));
	*s = slice_from(*s, 3);
	return true;
}

static bool unquote(struct parser *p, const struct template_token *t, struct slice *out)
{
	struct slice s = slice_of(t->text.ptr + 1, t->text.len - 2);
	if (t->kind == TOKEN_RAW_STRING) {
		*out = s;
		return true;
	}
	struct strbuf sb = STRBUF_INIT;
	bool good = true;
	while (good && s.len) {
		char c = s.ptr[0];
		s = slice_from(s, 1);
		if (c == '\\')
			good = unescape(&s, &sb);
		else
			strbuf_addch(&sb, c);
	}
	*out = arena_slice(p->set->arena, strbuf_slice(&sb));
	strbuf_done(&sb);
	return good;
}

static bool parse_integer(struct slice s, struct template_value *out)
{
	char text[80];
	size_t n = 0;
	bool negative = s.len && s.ptr[0] == '-';
	if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+'))
		s = slice_from(s, 1);
	for (size_t i = 0; i < s.len && n < sizeof(text) - 1; i++)
		if (s.ptr[i] != '_')
			text[n++] = s.ptr[i];
	text[n] = '\0';
	unsigned base = 10;
	size_t skip = 0;
	if (n > 1 && text[0] == '0') {
		char c = (char)(text[1] | 32);
		base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
		skip = c == 'x' || c == 'b' || c == 'o' ? 2 : 1;
	}
	uint64_t v = 0;
	for (size_t i = skip; i < n; i++) {
		char c = (char)(text[i] | 32);
		unsigned digit = text[i] >= '0' && text[i] <= '9' ? (unsigned)(text[i] - '0')
				 : c >= 'a' && c <= 'f'           ? (unsigned)(c - 'a' + 10)
								  : 99;
		if (digit >= base || v > (UINT64_MAX - digit) / base)
			return false;
		v = v * base + digit;
	}
	if (n == skip || v > (uint64_t)INT64_MAX + negative)
		return false;
	*out = template_int(negative ? (int64_t)(0 - v) : (int64_t)v);
	return true;
}

static const struct node *parse_number(struct parser *p, const struct template_token *t)
{
	struct node *n = new_node(p, NODE_NUMBER, t->start);
	n->end = t->end;
	double v;
	if (t->kind == TOKEN_CHAR) {
		struct slice s;
		size_t len = 0;
		uint32_t rune = unquote(p, t, &s) && s.len ? utf8_decode(s, &len) : 0;
		if (!len || len != s.len)
			fail_at(p, t->start, "malformed character constant: %" SL_FMT, SL_ARG(t->text));
		n->value = template_int(rune);
	} else if (!parse_integer(t->text, &n->value)) {
		if (double_parse(t->text, &v))
			n->value = template_float(v);
		else
			fail_at(p, t->start, "bad number syntax: \"%" SL_FMT "\"", SL_ARG(t->text));
	}
	return n;
}

static bool has_variable(const struct parser *p, struct slice name)
{
	for (size_t i = p->n_variables; i > 0; i--)
		if (slice_eq(p->variables[i - 1], name))
			return true;
	return false;
}

static const struct node *parse_variable(struct parser *p, const struct template_token *t)
{
	struct node *n = new_node(p, NODE_VARIABLE, t->start);
	n->end = t->end;
	add_name(p, n, t->text);
	if (!has_variable(p, t->text))
		fail_at(p, t->start, "undefined variable \"%" SL_FMT "\"", SL_ARG(t->text));
	return n;
}

static const struct node *parse_pipe(struct parser *p, const char *context, enum template_token_kind end);

static const struct node *parse_identifier(struct parser *p, const struct template_token *t)
{
	bool is_true = slice_eq(t->text, SL("true"));
	enum node_kind kind = NODE_IDENTIFIER;
	if (is_true || slice_eq(t->text, SL("false")))
		kind = NODE_BOOL;
	else if (slice_eq(t->text, SL("nil")))
		kind = NODE_NIL;
	struct node *n = new_node(p, kind, t->start);
	n->end = t->end;
	if (kind == NODE_BOOL)
		n->boolean = is_true;
	else
		n->text = t->text;
	if (kind == NODE_IDENTIFIER && !template_set_func(p->set, t->text))
		fail_at(p, t->start, "function \"%" SL_FMT "\" not defined", SL_ARG(t->text));
	return n;
}

/* A literal, a field, a variable, a function, or a pipeline in parentheses; NULL: none of them comes next. */
static const struct node *parse_term(struct parser *p)
{
	struct template_token t = *peek_no_space(p);
	struct node *n;
	switch ((int)t.kind) {
	case TOKEN_IDENTIFIER:
		next(p);
		return parse_identifier(p, &t);
	case TOKEN_DOT:
		next(p);
		n = new_node(p, NODE_DOT, t.start);
		break;
	case TOKEN_VARIABLE:
		next(p);
		return parse_variable(p, &t);
	case TOKEN_FIELD:
		next(p);
		n = new_node(p, NODE_FIELD, t.start);
		add_name(p, n, slice_from(t.text, 1));
		break;
	case TOKEN_CHAR:
	case TOKEN_NUMBER:
		next(p);
		return parse_number(p, &t);
	case TOKEN_LEFT_PAREN:
		next(p);
		return parse_pipe(p, "parenthesized pipeline", TOKEN_RIGHT_PAREN);
	case TOKEN_STRING:
	case TOKEN_RAW_STRING:
		next(p);
		n = new_node(p, NODE_STRING, t.start);
		if (!unquote(p, &t, &n->text))
			fail_at(p, t.start, "invalid syntax");
		break;
	default:
		return NULL;
	}
	n->end = t.end;
	return n;
}

/* A term with the fields behind it: (x).A, .A.B, $x.A. */
static const struct node *parse_operand(struct parser *p)
{
	const struct node *term = parse_term(p);
	if (!term || peek(p)->kind != TOKEN_FIELD)
		return term;
	struct node *n = new_node(p, NODE_CHAIN, term->start);
	if (term->kind == NODE_FIELD || term->kind == NODE_VARIABLE) {
		*n = *term;
	} else if (term->kind == NODE_PIPE || term->kind == NODE_DOT || term->kind == NODE_IDENTIFIER) {
		n->operand = term;
	} else {
		fail_at(p, peek(p)->start, "unexpected . after term \"%" SL_FMT "\"",
		    SL_ARG(slice_of(p->text.ptr + term->start, term->end - term->start)));
	}
	while (peek(p)->kind == TOKEN_FIELD) {
		struct template_token t = next(p);
		add_name(p, n, slice_from(t.text, 1));
		n->end = t.end;
	}
	return n;
}

/* Operands with white space between them; no children: there was none. */
static const struct node *parse_command(struct parser *p)
{
	struct node *n = new_node(p, NODE_COMMAND, peek_no_space(p)->start);
	struct node_vec args = {0};
	for (;;) {
		const struct node *operand = parse_operand(p);
		if (!operand)
			break;
		node_vec_push(&args, operand);
		n->end = operand->end;
		enum template_token_kind kind = peek(p)->kind;
		if (kind != TOKEN_SPACE)
			break;
	}
	n->children = take_list(p, &args);
	return n;
}

/* "$x :=", "$x =", "$i, $e :=" in front of a pipeline; puts nothing back but reads on only when it is one. */
static void parse_declaration(struct parser *p, struct node *pipe, bool may_be_pair)
{
	struct template_lexer saved_lexer = p->lexer;
	struct template_token saved_token = *peek_no_space(p);
	if (saved_token.kind != TOKEN_VARIABLE)
		return;
	saved_lexer = p->lexer;
	struct slice names[2];
	size_t n = 0;
	for (;;) {
		struct template_token t = next_no_space(p);
		if (t.kind != TOKEN_VARIABLE)
			break;
		names[n++] = t.text;
		enum template_token_kind kind = peek_no_space(p)->kind;
		if (kind == TOKEN_DECLARE || kind == TOKEN_ASSIGN) {
			pipe->is_assignment = kind == TOKEN_ASSIGN;
			next(p);
			for (size_t i = 0; i < n; i++) {
				add_name(p, pipe, names[i]);
				if (pipe->is_assignment && !has_variable(p, names[i]))
					fail_at(p, saved_token.start, "undefined variable \"%" SL_FMT "\"",
					    SL_ARG(names[i]));
			}
			return;
		}
		if (kind != TOKEN_COMMA || n == 2 || !may_be_pair)
			break;
		next(p);
	}
	if (p->rc)
		return;
	p->lexer = saved_lexer;
	p->token = saved_token;
	p->has_token = true;
}

static void declare(struct parser *p, const struct node *pipe)
{
	for (size_t i = 0; i < pipe->n_names && !pipe->is_assignment; i++) {
		if (p->n_variables == MAX_VARIABLES)
			fail_at(p, pipe->start, "too many variables");
		else
			p->variables[p->n_variables++] = pipe->names[i];
	}
}

/* Everything behind the first command of a pipeline must be callable. */
static void check_commands(struct parser *p, const struct node_list *commands)
{
	for (size_t i = 1; i < commands->n && !p->rc; i++) {
		const struct node *first = commands->v[i]->children.n ? commands->v[i]->children.v[0] : NULL;
		if (!first)
			continue;
		switch ((int)first->kind) {
		case NODE_BOOL:
		case NODE_DOT:
		case NODE_NIL:
		case NODE_NUMBER:
		case NODE_STRING:
			fail_at(p, first->start, "non executable command in pipeline stage %zu", i + 1);
			break;
		default:
			break;
		}
	}
}

static const struct node *parse_pipe(struct parser *p, const char *context, enum template_token_kind end)
{
	struct node *n = new_node(p, NODE_PIPE, peek_no_space(p)->start);
	if (++p->nesting > MAX_NESTING)
		fail_at(p, n->start, "template is nested too deeply");
	parse_declaration(p, n, strcmp(context, "range") == 0);
	struct node_vec commands = {0};
	while (!p->rc) {
		struct template_token t = *peek_no_space(p);
		if (t.kind == end) {
			if (!commands.len)
				fail_at(p, t.start, "missing value for %s", context);
			n->end = t.start;
			next(p);
			break;
		}
		if (t.kind == TOKEN_PIPE && commands.len) {
			next(p);
			if (peek_no_space(p)->kind == end || peek(p)->kind == TOKEN_PIPE)
				fail_at(p, t.start, "missing value for %s", context);
		} else if (commands.len) {
			unexpected(p, &t, context);
			break;
		}
		t = *peek_no_space(p);
		const struct node *command = parse_command(p);
		if (!command->children.n)
			unexpected(p, &t, context);
		node_vec_push(&commands, command);
		n->end = command->end;
	}
	p->nesting--;
	n->children = take_list(p, &commands);
	check_commands(p, &n->children);
	declare(p, n);
	return n;
}

/* --- actions -------------------------------------------------------------------------------------------------------- */

enum list_end { END_EOF, END_END, END_ELSE };

static void parse_list(struct parser *p, struct node_list *out, enum list_end *end);

static void add_body(struct parser *p, struct slice name, const struct node_list *list)
{
	struct template_set *s = p->set;
	struct template_body *found = NULL;
	for (size_t i = 0; i < s->n; i++)
		if (slice_eq(s->bodies[i].name, name))
			found = &s->bodies[i];
	if (!found) {
		if (s->n == s->cap) {
			size_t cap = s->cap ? s->cap * 2 : 8;
			struct template_body *grown = ARENA_ARRAY(s->arena, struct template_body, cap);
			if (s->n)
				memcpy(grown, s->bodies, s->n * sizeof(*grown));
			s->bodies = grown;
			s->cap = cap;
		}
		found = &s->bodies[s->n++];
	}
	*found = (struct template_body){.name = name, .parse_name = p->name, .text = p->text, .list = *list};
}

static void expect_close(struct parser *p, const char *context)
{
	struct template_token t = next_no_space(p);
	if (t.kind != TOKEN_CLOSE && !p->rc)
		unexpected(p, &t, context);
}

static struct slice parse_template_name(struct parser *p, const char *context)
{
	struct template_token t = next_no_space(p);
	struct slice name = SL_EMPTY;
	if (t.kind != TOKEN_STRING && t.kind != TOKEN_RAW_STRING)
		unexpected(p, &t, context);
	else if (!unquote(p, &t, &name))
		fail_at(p, t.start, "invalid syntax");
	return name;
}

/* The body of define or block, up to its end. */
static void parse_definition(struct parser *p, struct slice name, const char *context)
{
	struct node_list list = {0};
	enum list_end end = END_EOF;
	size_t outer = p->n_variables;
	p->n_variables = 1; /* $ alone */
	parse_list(p, &list, &end);
	if (!p->rc && end != END_END)
		fail_at(p, p->lexer.pos,
		    end == END_EOF ? "unexpected EOF" : "unexpected {{else}} in %s clause", context);
	p->n_variables = outer;
	if (!p->rc)
		add_body(p, name, &list);
}

static const struct node *parse_control(
    struct parser *p, enum node_kind kind, const char *context, uint32_t start)
{
	struct node *n = new_node(p, kind, start);
	size_t outer = p->n_variables;
	enum list_end end = END_EOF;
	if (++p->nesting > MAX_NESTING)
		fail_at(p, start, "template is nested too deeply");
	n->pipe = parse_pipe(p, context, TOKEN_CLOSE);
	p->loops += kind == NODE_RANGE;
	parse_list(p, &n->body, &end);
	p->loops -= kind == NODE_RANGE;
	if (end == END_ELSE && !p->rc) {
		struct template_token t = *peek_no_space(p);
		bool is_if = t.kind == TOKEN_IDENTIFIER && slice_eq(t.text, SL("if")) && kind == NODE_IF;
		bool is_with =
		    t.kind == TOKEN_IDENTIFIER && slice_eq(t.text, SL("with")) && kind == NODE_WITH;
		if (is_if || is_with) {
			/* {{else if x}}: an if inside the else, and one {{end}} for both. */
			next(p);
			struct node_vec chain = {0};
			node_vec_push(&chain, parse_control(p, kind, context, t.start));
			n->otherwise = take_list(p, &chain);
			end = END_END;
		} else {
			expect_close(p, "else");
			parse_list(p, &n->otherwise, &end);
			if (end == END_ELSE)
				fail_at(p, p->lexer.pos, "expected end; found {{else}}");
		}
	}
	if (end == END_EOF)
		fail_at(p, (uint32_t)p->text.len, "unexpected EOF");
	p->nesting--;
	p->n_variables = outer;
	return n;
}

static const struct node *parse_call(struct parser *p, uint32_t start, bool is_block)
{
	struct node *n = new_node(p, NODE_TEMPLATE, start);
	const char *context = is_block ? "block clause" : "template clause";
	n->text = parse_template_name(p, context);
	if (peek_no_space(p)->kind == TOKEN_CLOSE && !is_block)
		next(p);
	else
		n->pipe = parse_pipe(p, context, TOKEN_CLOSE);
	n->end = p->lexer.pos;
	if (is_block)
		parse_definition(p, n->text, context);
	return n;
}

static const struct node *parse_jump(struct parser *p, enum node_kind kind, uint32_t start)
{
	const char *word = kind == NODE_BREAK ? "break" : "continue";
	if (!p->loops)
		fail_at(p, start, "{{%s}} outside {{range}}", word);
	expect_close(p, word);
	return new_node(p, kind, start);
}

static const struct {
	struct slice word;
	enum node_kind kind;
} keywords[] = {
    {SL_INIT("if"), NODE_IF},
    {SL_INIT("range"), NODE_RANGE},
    {SL_INIT("with"), NODE_WITH},
    {SL_INIT("template"), NODE_TEMPLATE},
    {SL_INIT("block"), NODE_TEMPLATE},
    {SL_INIT("break"), NODE_BREAK},
    {SL_INIT("continue"), NODE_CONTINUE},
};

/* An action behind its {{. NULL: it leaves nothing in the list; *end is set for {{end}} and {{else}}. */
static const struct node *parse_action(struct parser *p, enum list_end *end, bool *is_end)
{
	struct template_token t = *peek_no_space(p);
	*is_end = false;
	if (t.kind == TOKEN_IDENTIFIER) {
		if (slice_eq(t.text, SL("end")) || slice_eq(t.text, SL("else"))) {
			next(p);
			*is_end = true;
			*end = slice_eq(t.text, SL("end")) ? END_END : END_ELSE;
			if (*end == END_END)
				expect_close(p, "end");
			return NULL;
		}
		if (slice_eq(t.text, SL("define"))) {
			next(p);
			struct slice name = parse_template_name(p, "define clause");
			expect_close(p, "define clause");
			parse_definition(p, name, "define");
			return NULL;
		}
		for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
			if (!slice_eq(t.text, keywords[i].word))
				continue;
			next(p);
			if (keywords[i].kind == NODE_TEMPLATE)
				return parse_call(p, t.start, slice_eq(t.text, SL("block")));
			if (keywords[i].kind == NODE_BREAK || keywords[i].kind == NODE_CONTINUE)
				return parse_jump(p, keywords[i].kind, t.start);
			return parse_control(p, keywords[i].kind, keywords[i].word.ptr, t.start);
		}
	}
	struct node *n = new_node(p, NODE_ACTION, t.start);
	n->pipe = parse_pipe(p, "command", TOKEN_CLOSE);
	return n;
}

static void parse_list(struct parser *p, struct node_list *out, enum list_end *end)
{
	struct node_vec nodes = {0};
	*end = END_EOF;
	for (bool is_end = false; !is_end && !p->rc;) {
		struct template_token t = next(p);
		const struct node *n = NULL;
		if (t.kind == TOKEN_EOF)
			break;
		if (t.kind == TOKEN_OPEN) {
			n = parse_action(p, end, &is_end);
		} else if (t.text.len) {
			struct node *text = new_node(p, NODE_TEXT, t.start);
			text->text = t.text;
			n = text;
		}
		if (n)
			node_vec_push(&nodes, n);
	}
	*out = take_list(p, &nodes);
}

/* --- sets ------------------------------------------------------------------------------------------------------------- */

struct template_set *template_set_new(struct arena *arena, const struct template_funcs *funcs)
{
	struct template_set *s = ARENA_NEW(arena, struct template_set);
	s->arena = arena;
	s->funcs = funcs;
	return s;
}

struct template_set *template_set_clone(struct arena *arena, const struct template_set *set)
{
	struct template_set *s = template_set_new(arena, set->funcs);
	s->bodies = ARENA_ARRAY(arena, struct template_body, set->n);
	if (set->n)
		memcpy(s->bodies, set->bodies, set->n * sizeof(*s->bodies));
	s->n = s->cap = set->n;
	return s;
}

int template_parse(struct template_set *set, struct slice name, struct slice text, struct err *err)
{
	struct err own;
	struct parser p = {.set = set, .err = err ? err : &own};
	p.name = arena_slice(set->arena, name);
	p.text = arena_slice(set->arena, text);
	p.variables[p.n_variables++] = SL("$");
	template_lexer_init(&p.lexer, p.text);
	struct node_list list;
	enum list_end end;
	parse_list(&p, &list, &end);
	if (end != END_EOF)
		fail_at(&p, p.lexer.pos, "unexpected {{%s}}", end == END_END ? "end" : "else");
	if (p.rc)
		return p.rc;
	add_body(&p, p.name, &list);
	return 0;
}

const struct template_body *template_set_find(const struct template_set *set, struct slice name)
{
	for (size_t i = 0; i < set->n; i++)
		if (slice_eq(set->bodies[i].name, name))
			return &set->bodies[i];
	return NULL;
}

bool template_set_has(const struct template_set *set, struct slice name)
{
	return template_set_find(set, name) != NULL;
}

static const struct template_func *find_func(const struct template_funcs *chain, struct slice name)
{
	for (; chain; chain = chain->next)
		for (size_t i = 0; i < chain->n; i++)
			if (slice_eq_cstr(name, chain->v[i].name))
				return &chain->v[i];
	return NULL;
}

const struct template_func *template_set_func(const struct template_set *set, struct slice name)
{
	const struct template_func *f = find_func(set->funcs, name);
	return f ? f : find_func(&template_builtin_funcs, name);
}

void template_print_place(struct strbuf *out, const struct template_body *body, uint32_t pos)
{
	uint32_t line_start = pos;
	while (line_start > 0 && body->text.ptr[line_start - 1] != '\n')
		line_start--;
	strbuf_addf(out, "%" SL_FMT ":%u:%u", SL_ARG(body->parse_name), template_line_of(body->text, pos),
	    pos - line_start);
}
