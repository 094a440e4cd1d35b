/* A recursive descent over the simple subset of the syntax:
 *
 *   alternation := row { '|' row }          row  := { item }
 *   item := char [?] | class [?] | '(' ['?:'] alternation ')' [?] | '.*' | '.+'    with an optional lazy '?'
 * after a gap
 *
 * Each rule returns the list of patterns it stands for; a row multiplies the lists of its items, an
 * alternation joins those of its rows. Anything else in the text gives up, and so do lists that grow beyond
 * the bounds below. */
#include "model/regex_shape.h"

#include "base/utf8.h"

#include <stdlib.h>

enum {
	MAX_DEPTH = 16,
	MAX_PRODUCT = 256,        /* patterns made by multiplying rows out */
	MAX_ALTERNATIVES = 65536, /* patterns written out by the user */
	MAX_GAPPED = 64,          /* beyond, an automaton is faster than trying each */
	MAX_CLASS = 32,
};

struct list {
	struct regex_pattern *v;
	size_t n, cap;
};

struct parser {
	struct arena *arena;
	struct slice rest;
	int depth;
};

static bool parse_alternation(struct parser *p, struct list *out);

static void list_add(struct parser *p, struct list *l, struct regex_pattern x)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 4;
		struct regex_pattern *v = (struct regex_pattern *)arena_alloc(p->arena, cap * sizeof(*v));
		if (l->n > 0)
			memcpy(v, l->v, l->n * sizeof(*v));
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = x;
}

static struct regex_pattern literal_pattern(struct parser *p, struct slice text)
{
	struct regex_pattern x = {.literal = ARENA_NEW(p->arena, struct slice)};
	x.literal[0] = text;
	return x;
}

static struct regex_pattern gap_pattern(struct parser *p, unsigned char least)
{
	struct regex_pattern x = {.n_gaps = 1, .literal = ARENA_ARRAY(p->arena, struct slice, 2)};
	x.literal[0] = x.literal[1] = SL_EMPTY;
	x.gap = ARENA_NEW(p->arena, unsigned char);
	x.gap[0] = least;
	return x;
}

static struct slice join(struct arena *arena, struct slice a, struct slice b)
{
	if (b.len == 0)
		return a;
	if (a.len == 0)
		return b;
	if (a.ptr + a.len == b.ptr) /* neighbours in the expression: nothing to copy */
		return slice_of(a.ptr, a.len + b.len);
	char *text = (char *)arena_alloc(arena, a.len + b.len);
	memcpy(text, a.ptr, a.len);
	memcpy(text + a.len, b.ptr, b.len);
	return slice_of(text, a.len + b.len);
}

/* x followed by y. Two gaps that touch become one; false when they ask for two characters, which are not two
 * bytes. */
static bool concat(
    struct parser *p, const struct regex_pattern *x, const struct regex_pattern *y, struct regex_pattern *out)
{
	struct slice middle = join(p->arena, x->literal[x->n_gaps], y->literal[0]);
	bool gaps_touch = x->n_gaps > 0 && y->n_gaps > 0 && middle.len == 0;
	size_t n = x->n_gaps + y->n_gaps - (gaps_touch ? 1 : 0);
	*out = (struct regex_pattern){.n_gaps = n};
	out->literal = ARENA_ARRAY(p->arena, struct slice, n + 1);
	out->gap = (unsigned char *)arena_alloc(p->arena, n + 1);
	for (size_t i = 0; i < x->n_gaps; i++) {
		out->literal[i] = x->literal[i];
		out->gap[i] = x->gap[i];
	}
	size_t at = x->n_gaps;
	size_t from = 0;
	if (gaps_touch) {
		if (x->gap[at - 1] + y->gap[0] > 1)
			return false;
		out->gap[at - 1] = (unsigned char)(x->gap[at - 1] + y->gap[0]);
		from = 1;
		middle = y->literal[1];
	}
	out->literal[at] = middle;
	for (size_t i = from; i < y->n_gaps; i++) {
		out->gap[at] = y->gap[i];
		out->literal[++at] = y->literal[i + 1];
	}
	return true;
}

static bool multiply(struct parser *p, struct list *row, const struct list *item)
{
	struct list product = {0};
	if (row->n * item->n > MAX_PRODUCT && row->n > 1 && item->n > 1)
		return false;
	for (size_t i = 0; i < row->n; i++) {
		if (arena_overflowed(p->arena))
			return false;
		for (size_t k = 0; k < item->n; k++) {
			struct regex_pattern x;
			if (!concat(p, &row->v[i], &item->v[k], &x))
				return false;
			list_add(p, &product, x);
		}
	}
	*row = product;
	return true;
}

static bool next_is(const struct parser *p, char c)
{
	return p->rest.len > 0 && p->rest.ptr[0] == c;
}

static bool take(struct parser *p, char c)
{
	if (!next_is(p, c))
		return false;
	p->rest = slice_from(p->rest, 1);
	return true;
}

static bool is_punctuation(char c)
{
	return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`' && c != '_') ||
	       (c >= '{' && c <= '~');
}

/* "[abc0-9]": ASCII letters, digits and a few signs; no negation, no named classes. */
static bool parse_class(struct parser *p, struct list *out)
{
	while (!take(p, ']')) {
		char low = p->rest.len > 0 ? p->rest.ptr[0] : '\0';
		if (low <= ' ' || low >= 0x7f || strchr("[\\^-", low))
			return false;
		p->rest = slice_from(p->rest, 1);
		char high = low;
		if (p->rest.len > 1 && p->rest.ptr[0] == '-') {
			high = p->rest.ptr[1];
			if (high < low || high >= 0x7f || strchr("[\\]", high))
				return false;
			p->rest = slice_from(p->rest, 2);
		}
		for (char c = low; c <= high; c++) {
			if (out->n == MAX_CLASS)
				return false;
			char *text = (char *)arena_alloc(p->arena, 1);
			*text = c;
			list_add(p, out, literal_pattern(p, slice_of(text, 1)));
		}
	}
	return out->n > 0;
}

static bool parse_group(struct parser *p, struct list *out)
{
	if (next_is(p, '?')) {
		if (!slice_starts(p->rest, SL("?:")))
			return false;
		p->rest = slice_from(p->rest, 2);
	}
	if (++p->depth > MAX_DEPTH || !parse_alternation(p, out) || !take(p, ')'))
		return false;
	p->depth--;
	return true;
}

static bool parse_gap(struct parser *p, struct list *out)
{
	unsigned char least = next_is(p, '+');
	if (!take(p, '*') && !take(p, '+'))
		return false;
	take(p, '?');
	list_add(p, out, gap_pattern(p, least));
	return true;
}

static bool parse_char(struct parser *p, struct list *out)
{
	if (take(p, '\\')) {
		if (p->rest.len == 0 || !is_punctuation(p->rest.ptr[0]))
			return false;
	} else if (strchr("^$*+?{", p->rest.ptr[0])) {
		return false;
	}
	size_t len;
	utf8_decode(p->rest, &len);
	if (!utf8_valid(slice_of(p->rest.ptr, len)))
		return false;
	list_add(p, out, literal_pattern(p, slice_of(p->rest.ptr, len)));
	p->rest = slice_from(p->rest, len);
	return true;
}

/* One atom with its quantifier. */
static bool parse_item(struct parser *p, struct list *out)
{
	bool is_gap = next_is(p, '.');
	bool ok;
	if (take(p, '.'))
		ok = parse_gap(p, out);
	else if (take(p, '('))
		ok = parse_group(p, out);
	else if (take(p, '['))
		ok = parse_class(p, out);
	else
		ok = p->rest.ptr[0] != '\0' && parse_char(p, out);
	if (!ok)
		return false;
	if (!is_gap && take(p, '?'))
		list_add(p, out, literal_pattern(p, SL_EMPTY));
	return !(next_is(p, '*') || next_is(p, '+') || next_is(p, '?') || next_is(p, '{'));
}

/* A run of plain characters is one literal: without this, a list of long names would be multiplied letter by
 * letter. */
static bool parse_run(struct parser *p, struct list *out)
{
	size_t n = 0;
	while (n < p->rest.len) {
		char c = p->rest.ptr[n];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			     (c && strchr("_-:/ ,=@", c));
		if (!plain)
			break;
		n++;
	}
	if (n < p->rest.len && strchr("?*+{", p->rest.ptr[n]))
		n = n > 0 ? n - 1 : 0; /* the last one belongs to the quantifier */
	if (n == 0)
		return false;
	list_add(p, out, literal_pattern(p, slice_of(p->rest.ptr, n)));
	p->rest = slice_from(p->rest, n);
	return true;
}

static bool parse_row(struct parser *p, struct list *row)
{
	list_add(p, row, literal_pattern(p, SL_EMPTY));
	if (p->depth == 0)
		take(p, '^');
	while (p->rest.len > 0 && !next_is(p, '|') && !next_is(p, ')')) {
		if (p->depth == 0 && next_is(p, '$'))
			return take(p, '$') && (p->rest.len == 0 || next_is(p, '|'));
		struct list item = {0};
		if (!parse_run(p, &item) && !parse_item(p, &item))
			return false;
		if (!multiply(p, row, &item))
			return false;
	}
	return true;
}

static bool parse_alternation(struct parser *p, struct list *out)
{
	do {
		struct list row = {0};
		if (!parse_row(p, &row) || out->n + row.n > MAX_ALTERNATIVES)
			return false;
		for (size_t i = 0; i < row.n; i++)
			list_add(p, out, row.v[i]);
	} while (take(p, '|'));
	return true;
}

/* --- what follows from the patterns ----------------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static void make_set(struct regex_shape *shape, struct arena *arena)
{
	shape->set = ARENA_ARRAY(arena, struct slice, shape->n_patterns);
	for (size_t i = 0; i < shape->n_patterns; i++)
		shape->set[i] = shape->patterns[i].literal[0];
	qsort(shape->set, shape->n_patterns, sizeof(shape->set[0]), by_bytes);
	for (size_t i = 0; i < shape->n_patterns; i++)
		if (i == 0 || !slice_eq(shape->set[i], shape->set[shape->n_set - 1]))
			shape->set[shape->n_set++] = shape->set[i];
}

static struct slice common_prefix(const struct regex_shape *shape)
{
	struct slice prefix = shape->patterns[0].literal[0];
	for (size_t i = 1; i < shape->n_patterns; i++) {
		struct slice other = shape->patterns[i].literal[0];
		size_t n = 0;
		while (n < prefix.len && n < other.len && prefix.ptr[n] == other.ptr[n])
			n++;
		prefix.len = n;
	}
	return prefix;
}

bool regex_shape_parse(struct slice expr, struct arena *arena, struct regex_shape *out)
{
	struct parser p = {.arena = arena, .rest = expr};
	struct list list = {0};
	if (!parse_alternation(&p, &list) || p.rest.len > 0)
		return false;
	bool any_gap = false;
	for (size_t i = 0; i < list.n; i++)
		any_gap = any_gap || list.v[i].n_gaps > 0;
	if (any_gap && list.n > MAX_GAPPED)
		return false;
	*out = (struct regex_shape){.patterns = list.v, .n_patterns = list.n};
	if (!any_gap)
		make_set(out, arena);
	out->prefix = common_prefix(out);
	return true;
}

/* The leftmost place of each literal is as good as any later one, so a single walk decides. */
static bool pattern_matches(const struct regex_pattern *p, struct slice s)
{
	if (p->n_gaps == 0)
		return slice_eq(s, p->literal[0]);
	if (!slice_starts(s, p->literal[0]))
		return false;
	s = slice_from(s, p->literal[0].len);
	for (size_t i = 1; i < p->n_gaps; i++) {
		if (s.len < p->gap[i - 1])
			return false;
		s = slice_from(s, p->gap[i - 1]);
		const char *at = (const char *)memmem(s.ptr, s.len, p->literal[i].ptr, p->literal[i].len);
		if (!at)
			return false;
		s = slice_from(s, (size_t)(at - s.ptr) + p->literal[i].len);
	}
	return s.len >= p->literal[p->n_gaps].len + p->gap[p->n_gaps - 1] &&
	       slice_ends(s, p->literal[p->n_gaps]);
}

static bool set_has(const struct regex_shape *shape, struct slice s)
{
	if (shape->n_set > 8)
		return bsearch(&s, shape->set, shape->n_set, sizeof(s), by_bytes) != NULL;
	for (size_t i = 0; i < shape->n_set; i++)
		if (slice_eq(shape->set[i], s))
			return true;
	return false;
}

bool regex_shape_matches(const struct regex_shape *shape, struct slice s)
{
	if (shape->set)
		return set_has(shape, s);
	for (size_t i = 0; i < shape->n_patterns; i++)
		if (pattern_matches(&shape->patterns[i], s))
			return true;
	return false;
}
