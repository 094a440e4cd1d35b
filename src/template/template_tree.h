/* The tree of a parsed template; private to this folder. Nodes live in the arena of their set. */
#pragma once

#include "template/template_parse.h"

enum node_kind {
	/* what a list is made of */
	NODE_TEXT,
	NODE_ACTION,
	NODE_IF,
	NODE_RANGE,
	NODE_WITH,
	NODE_TEMPLATE,
	NODE_BREAK,
	NODE_CONTINUE,
	/* what a pipeline is made of */
	NODE_PIPE,
	NODE_COMMAND,
	NODE_DOT,
	NODE_NIL,
	NODE_BOOL,
	NODE_NUMBER,
	NODE_STRING,
	NODE_FIELD,    /* .A.B: names */
	NODE_VARIABLE, /* $x.A: names, the first being "$x" */
	NODE_CHAIN,    /* operand.A.B: `operand` and names */
	NODE_IDENTIFIER,
};

struct template_body; /* a named template */

struct node_list {
	const struct node **v;
	size_t n;
};

struct node {
	enum node_kind kind;
	uint32_t start, end; /* bytes of the template's text: position, and what errors quote */
	union {
		struct slice
		    text;     /* NODE_TEXT, NODE_STRING (unquoted), NODE_IDENTIFIER, NODE_TEMPLATE (name) */
		bool boolean; /* NODE_BOOL */
		struct template_value value; /* NODE_NUMBER */
	};
	struct slice *names; /* NODE_FIELD, NODE_VARIABLE, NODE_CHAIN; declared variables of a NODE_PIPE */
	size_t n_names;
	bool is_assignment;         /* NODE_PIPE: $x = ... */
	struct node_list children;  /* NODE_PIPE: commands; NODE_COMMAND: arguments */
	const struct node *pipe;    /* NODE_ACTION, IF, RANGE, WITH, TEMPLATE (may be NULL) */
	const struct node *operand; /* NODE_CHAIN */
	struct node_list body, otherwise;
};

struct template_body {
	struct slice name;       /* as templates call it */
	struct slice parse_name; /* of the text it stands in: what errors name */
	struct slice text;
	struct node_list list;
};

struct template_set {
	struct arena *arena;
	const struct template_funcs *funcs;
	struct template_body *bodies;
	size_t n, cap;
};

const struct template_body *template_set_find(const struct template_set *set, struct slice name);
/* In the set's own chain, then among the functions of the language; NULL: no such function. */
const struct template_func *template_set_func(const struct template_set *set, struct slice name);
/* "name:line:column" of a byte of a text, as errors of execution say it (the column counts from 0). */
void template_print_place(struct strbuf *out, const struct template_body *body, uint32_t pos);

/* The functions of the language but `and` and `or`, which the executor runs itself: they do not evaluate all arguments. */
extern const struct template_funcs template_builtin_funcs;
