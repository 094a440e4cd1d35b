/* libyaml's events, folded into a tree by recursive descent. Aliases share the node they name. Since a walker
 * sees a shared node once per alias, each node carries the size of its tree as a walker sees it, and that is
 * what is bounded: ten lists of ten aliases each, ten deep, are refused although they take a hundred nodes of
 * memory. */
#include "base/yaml.h"

#include "base/hashtab.h"
#include "base/vec.h"

#include <stdbool.h>
#include <yaml.h>

enum { MAX_DEPTH = 128, MAX_NODES = 1000000, FEW_KEYS = 16 };

struct built {
	struct yaml_node node; /* first: a node is its built */
	uint64_t size;         /* of the tree below, aliases followed */
	bool is_open;          /* its end has not come: an alias to it would be a circle */
};

VEC_DEFINE(node_vec, struct yaml_node *);

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the current one */
	bool has_event;
	struct arena *arena;
	struct hashtab anchors; /* name -> struct built */
	struct slice text;
	struct err *err;
};

static struct built *built_of(struct yaml_node *n)
{
	return (struct built *)(void *)n;
}

static int fail_at(struct reader *r, uint32_t line, uint32_t column, const char *what)
{
	return err_set_at(r->err, ERR_INVALID, line, column, "%s", what);
}

/* libyaml's readers know the byte of an encoding error, its scanner and parser the line. */
static int parser_error(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *what = p->problem ? p->problem : "invalid YAML";
	if (p->error == YAML_MEMORY_ERROR)
		return err_set(r->err, ERR_NO_MEMORY, "no memory to read YAML");
	if (p->error != YAML_READER_ERROR)
		return fail_at(
		    r, (uint32_t)p->problem_mark.line + 1, (uint32_t)p->problem_mark.column + 1, what);
	uint32_t line = 1, column = 1;
	for (size_t i = 0; i < p->problem_offset && i < r->text.len; i++) {
		column++;
		if (r->text.ptr[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return fail_at(r, line, column, what);
}

static int next_event(struct reader *r)
{
	if (r->has_event)
		yaml_event_delete(&r->event);
	r->has_event = false;
	if (!yaml_parser_parse(&r->parser, &r->event))
		return parser_error(r);
	r->has_event = true;
	return 0;
}

static struct built *node_new(struct reader *r, enum yaml_kind kind)
{
	struct built *b = ARENA_NEW(r->arena, struct built);
	b->node.kind = kind;
	b->node.line = (uint32_t)r->event.start_mark.line + 1;
	b->node.column = (uint32_t)r->event.start_mark.column + 1;
	b->size = 1;
	return b;
}

static void remember_anchor(struct reader *r, const yaml_char_t *name, struct built *b)
{
	if (name)
		hashtab_put(&r->anchors, slice_cstr((const char *)name), b);
}

static bool is_null_text(struct slice s)
{
	return s.len == 0 || slice_eq(s, SL("~")) || slice_eq(s, SL("null")) || slice_eq(s, SL("Null")) ||
	       slice_eq(s, SL("NULL"));
}

/* Base64 of a !!binary scalar, blanks skipped; false when it is none. */
static bool decode_binary(struct arena *arena, struct slice s, struct slice *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *bytes = arena_alloc(arena, s.len + 1);
	size_t n = 0;
	unsigned held = 0, bits = 0;
	for (size_t i = 0; i < s.len && s.ptr[i] != '='; i++) {
		const char *digit = memchr(digits, s.ptr[i], sizeof(digits) - 1);
		if (strchr(" \t\r\n", s.ptr[i]))
			continue;
		if (!digit)
			return false;
		held = (held << 6 | (unsigned)(digit - digits)) & 0xffff;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		bytes[n++] = (char)(held >> bits);
	}
	*out = slice_of(bytes, n);
	return true;
}

static int read_scalar(struct reader *r, struct yaml_node **out)
{
	const char *tag = (const char *)r->event.data.scalar.tag;
	struct built *b = node_new(r, YAML_SCALAR);
	b->node.text = arena_slice(
	    r->arena, slice_of((const char *)r->event.data.scalar.value, r->event.data.scalar.length));
	if (tag && strcmp(tag, "tag:yaml.org,2002:binary") == 0 &&
	    !decode_binary(r->arena, b->node.text, &b->node.text))
		return fail_at(
		    r, b->node.line, b->node.column, "!!binary value contains invalid base64 data");
	b->node.is_quoted =
	    r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE || (tag && strcmp(tag, YAML_STR_TAG) == 0);
	if (!b->node.is_quoted && is_null_text(b->node.text))
		b->node.kind = YAML_NULL;
	remember_anchor(r, r->event.data.scalar.anchor, b);
	*out = &b->node;
	return 0;
}

static int read_alias(struct reader *r, struct yaml_node **out)
{
	const char *name = (const char *)r->event.data.alias.anchor;
	uint32_t line = (uint32_t)r->event.start_mark.line + 1,
		 column = (uint32_t)r->event.start_mark.column + 1;
	struct built *b = hashtab_get(&r->anchors, slice_cstr(name));
	if (!b)
		return err_set_at(r->err, ERR_INVALID, line, column, "unknown anchor '%s' referenced", name);
	if (b->is_open)
		return err_set_at(
		    r->err, ERR_INVALID, line, column, "anchor '%s' value contains itself", name);
	*out = &b->node;
	return 0;
}

static int read_node(struct reader *r, int depth, struct yaml_node **out);

/* Counts a child in; refuses what has become too large. */
static int account(struct reader *r, struct built *b, struct yaml_node *child)
{
	b->size += built_of(child)->size;
	if (b->size > MAX_NODES)
		return err_set_at(r->err, ERR_INVALID, child->line, child->column,
		    "document has more than %d nodes (aliases counted)", MAX_NODES);
	if (arena_overflowed(r->arena))
		return err_set_at(r->err, ERR_LIMIT, child->line, child->column, "document is too large");
	return 0;
}

static struct yaml_node **keep(struct reader *r, const struct node_vec *v)
{
	struct yaml_node **copy = arena_alloc(r->arena, v->len * sizeof(*copy));
	if (v->len)
		memcpy(copy, v->v, v->len * sizeof(*copy));
	return copy;
}

static int read_list_items(struct reader *r, int depth, struct built *b, struct node_vec *items)
{
	int rc;
	while ((rc = next_event(r)) == 0 && r->event.type != YAML_SEQUENCE_END_EVENT) {
		struct yaml_node *item;
		if ((rc = read_node(r, depth, &item)) || (rc = account(r, b, item)))
			return rc;
		node_vec_push(items, item);
	}
	return rc;
}

static int read_list(struct reader *r, int depth, struct yaml_node **out)
{
	struct built *b = node_new(r, YAML_LIST);
	remember_anchor(r, r->event.data.sequence_start.anchor, b);
	b->is_open = true;
	struct node_vec items = {0};
	int rc = read_list_items(r, depth, b, &items);
	if (rc == 0) {
		b->node.n = items.len;
		b->node.items = keep(r, &items);
		b->is_open = false;
		*out = &b->node;
	}
	node_vec_done(&items);
	return rc;
}

/* A map while it is read: few keys are searched one by one, many through a table. */
struct map_builder {
	struct node_vec keys, values;
	struct node_vec merges; /* values of "<<", in order */
	struct hashtab seen;    /* text -> key node, once there are more than FEW_KEYS */
};

static void map_builder_done(struct map_builder *m)
{
	node_vec_done(&m->keys);
	node_vec_done(&m->values);
	node_vec_done(&m->merges);
	hashtab_done(&m->seen);
}

static const struct yaml_node *find_key(const struct map_builder *m, struct slice text)
{
	if (m->seen.len)
		return hashtab_get(&m->seen, text);
	for (size_t i = 0; i < m->keys.len; i++)
		if (slice_eq(m->keys.v[i]->text, text))
			return m->keys.v[i];
	return NULL;
}

static void add_pair(struct map_builder *m, struct yaml_node *key, struct yaml_node *value)
{
	node_vec_push(&m->keys, key);
	node_vec_push(&m->values, value);
	if (m->keys.len == FEW_KEYS)
		for (size_t i = 0; i < m->keys.len; i++)
			hashtab_put(&m->seen, m->keys.v[i]->text, m->keys.v[i]);
	else if (m->keys.len > FEW_KEYS)
		hashtab_put(&m->seen, key->text, key);
}

static int check_key(struct reader *r, const struct map_builder *m, const struct yaml_node *key)
{
	if (key->kind == YAML_LIST || key->kind == YAML_MAP)
		return fail_at(r, key->line, key->column, "a mapping key must be a scalar");
	const struct yaml_node *first = find_key(m, key->text);
	if (first)
		return err_set_at(r->err, ERR_INVALID, key->line, key->column,
		    "mapping key \"%" SL_FMT "\" already defined at line %u", SL_ARG(key->text), first->line);
	return 0;
}

static int read_pair(struct reader *r, int depth, struct built *b, struct map_builder *m)
{
	struct yaml_node *key, *value;
	int rc = read_node(r, depth, &key);
	if (rc || (rc = check_key(r, m, key)) || (rc = next_event(r)) || (rc = read_node(r, depth, &value)))
		return rc;
	if (!key->is_quoted && slice_eq(key->text, SL("<<"))) {
		node_vec_push(&m->merges, value);
		return 0; /* counted when it is merged */
	}
	if ((rc = account(r, b, key)) || (rc = account(r, b, value)))
		return rc;
	add_pair(m, key, value);
	return 0;
}

/* Adds what `from` has and the map has not. */
static int merge_map(struct reader *r, struct built *b, struct map_builder *m, const struct yaml_node *from)
{
	if (from->kind != YAML_MAP)
		return fail_at(
		    r, from->line, from->column, "map merge requires map or sequence of maps as the value");
	for (size_t i = 0; i < from->n; i++) {
		if (find_key(m, from->keys[i]->text))
			continue;
		int rc = account(r, b, from->keys[i]);
		if (rc || (rc = account(r, b, from->items[i])))
			return rc;
		add_pair(m, from->keys[i], from->items[i]);
	}
	return 0;
}

static int apply_merges(struct reader *r, struct built *b, struct map_builder *m)
{
	for (size_t i = 0; i < m->merges.len; i++) {
		const struct yaml_node *from = m->merges.v[i];
		if (from->kind != YAML_LIST) {
			int rc = merge_map(r, b, m, from);
			if (rc)
				return rc;
			continue;
		}
		for (size_t k = 0; k < from->n; k++) {
			int rc = merge_map(r, b, m, from->items[k]);
			if (rc)
				return rc;
		}
	}
	return 0;
}

static int read_map_pairs(struct reader *r, int depth, struct built *b, struct map_builder *m)
{
	int rc;
	while ((rc = next_event(r)) == 0 && r->event.type != YAML_MAPPING_END_EVENT)
		if ((rc = read_pair(r, depth, b, m)))
			return rc;
	return rc ? rc : apply_merges(r, b, m);
}

static int read_map(struct reader *r, int depth, struct yaml_node **out)
{
	struct built *b = node_new(r, YAML_MAP);
	remember_anchor(r, r->event.data.mapping_start.anchor, b);
	b->is_open = true;
	struct map_builder m = {0};
	int rc = read_map_pairs(r, depth, b, &m);
	if (rc == 0) {
		b->node.n = m.keys.len;
		b->node.keys = keep(r, &m.keys);
		b->node.items = keep(r, &m.values);
		b->is_open = false;
		*out = &b->node;
	}
	map_builder_done(&m);
	return rc;
}

/* The node that the current event begins. */
static int read_node(struct reader *r, int depth, struct yaml_node **out)
{
	if (depth >= MAX_DEPTH)
		return fail_at(r, (uint32_t)r->event.start_mark.line + 1,
		    (uint32_t)r->event.start_mark.column + 1, "document is nested too deeply");
	if (r->event.type == YAML_SCALAR_EVENT)
		return read_scalar(r, out);
	if (r->event.type == YAML_ALIAS_EVENT)
		return read_alias(r, out);
	if (r->event.type == YAML_SEQUENCE_START_EVENT)
		return read_list(r, depth + 1, out);
	return read_map(r, depth + 1, out); /* libyaml's grammar leaves nothing else */
}

static int read_document(struct reader *r, struct yaml_node **root)
{
	int rc = next_event(r); /* the stream's start */
	if (rc || (rc = next_event(r)))
		return rc;
	if (r->event.type == YAML_STREAM_END_EVENT) {
		*root = &node_new(r, YAML_NULL)->node;
		return 0;
	}
	struct yaml_node *node;
	if ((rc = next_event(r)) || (rc = read_node(r, 0, &node)) || (rc = next_event(r)))
		return rc;
	*root = node;
	return 0;
}

int yaml_parse(struct slice text, struct arena *arena, struct yaml_node **root, struct err *err)
{
	struct reader r = {.arena = arena, .text = text, .err = err};
	if (!yaml_parser_initialize(&r.parser))
		return err_set(err, ERR_NO_MEMORY, "no memory to read YAML");
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.ptr, text.len);
	int rc = read_document(&r, root);
	if (r.has_event)
		yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	hashtab_done(&r.anchors);
	return rc;
}

struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	if (!map || map->kind != YAML_MAP)
		return NULL;
	for (size_t i = 0; i < map->n; i++)
		if (slice_eq_cstr(map->keys[i]->text, key))
			return map->items[i];
	return NULL;
}
