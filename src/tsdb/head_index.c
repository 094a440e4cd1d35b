#include "tsdb/head_index.h"

#include "base/hash.h"
#include "base/xmalloc.h"
#include "tsdb/postings_ops.h"
#include <string.h>

enum { PAIR_SEGMENT_SHIFT = 12, PAIRS_PER_SEGMENT = 1 << PAIR_SEGMENT_SHIFT, PAIR_SEGMENTS = 1 << 18 };

void head_index_init(struct head_index *ix)
{
	*ix = (struct head_index){0};
	symbols_init(&ix->symbols);
	series_labels_init(&ix->labels, &ix->symbols);
	ix->pairs = xcalloc(PAIR_SEGMENTS, sizeof(struct index_pair *));
}

static struct index_pair *pair_at(const struct head_index *ix, uint32_t pair)
{
	return &ix->pairs[pair >> PAIR_SEGMENT_SHIFT][pair & (PAIRS_PER_SEGMENT - 1)];
}

const struct index_pair *head_index_pair(const struct head_index *ix, uint32_t pair)
{
	return pair_at(ix, pair);
}

void head_index_done(struct head_index *ix)
{
	for (uint32_t i = 0; i < ix->n_pairs; i++)
		postings_done(&pair_at(ix, i)->series);
	for (uint32_t i = 0; i < ix->n_pairs; i += PAIRS_PER_SEGMENT)
		free(ix->pairs[i >> PAIR_SEGMENT_SHIFT]);
	free(ix->pairs);
	VEC_EACH (struct index_name, name, &ix->names)
		index_pair_ids_done(&name->pairs);
	index_names_done(&ix->names);
	index_pair_ids_done(&ix->free_pairs);
	tag_table_done(&ix->by_name);
	tag_table_done(&ix->by_pair);
	postings_done(&ix->all);
	free(ix->last.names);
	free(ix->last.values);
	free(ix->last.pairs);
	series_labels_done(&ix->labels);
	symbols_done(&ix->symbols);
}

/* --- finding ------------------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t x)
{
	x *= UINT64_C(0x9e3779b97f4a7c15);
	return x ^ x >> 32 ^ x << 29;
}

static uint64_t pair_hash(uint32_t name, uint32_t value)
{
	return mix(mix((uint64_t)name << 32 | value) + value);
}

/* Place in names + 1, 0: not there. */
static uint32_t find_name(const struct head_index *ix, uint32_t symbol)
{
	struct tag_walk w;
	for (uint32_t i = tag_table_first(&ix->by_name, mix(symbol), &w); i; i = tag_table_next(&w))
		if (ix->names.v[i - 1].symbol == symbol)
			return i;
	return 0;
}

/* Pair number + 1, 0: not there. */
static uint32_t find_pair(const struct head_index *ix, uint32_t name, uint32_t value)
{
	struct tag_walk w;
	for (uint32_t i = tag_table_first(&ix->by_pair, pair_hash(name, value), &w); i;
	     i = tag_table_next(&w)) {
		const struct index_pair *p = pair_at(ix, i - 1);
		if (p->name == name && p->value == value)
			return i;
	}
	return 0;
}

static const struct index_name *name_of_text(const struct head_index *ix, struct slice text)
{
	uint32_t symbol = symbols_find(&ix->symbols, text);
	uint32_t i = symbol ? find_name(ix, symbol) : 0;
	return i ? &ix->names.v[i - 1] : NULL;
}

/* --- adding -------------------------------------------------------------------------------------------------- */

static uint32_t add_name(struct head_index *ix, uint32_t symbol)
{
	uint32_t i = find_name(ix, symbol);
	if (i)
		return i - 1;
	index_names_add(&ix->names)->symbol = symbol;
	symbols_use(&ix->symbols, symbol); /* names stay */
	tag_table_add(&ix->by_name, mix(symbol), (uint32_t)ix->names.len);
	return (uint32_t)ix->names.len - 1;
}

static bool pair_place(struct head_index *ix, uint32_t *pair)
{
	if (ix->free_pairs.len > 0) {
		*pair = index_pair_ids_pop(&ix->free_pairs);
		return true;
	}
	uint32_t segment = ix->n_pairs >> PAIR_SEGMENT_SHIFT;
	if (segment >= PAIR_SEGMENTS)
		return false;
	if (!ix->pairs[segment])
		ix->pairs[segment] = xcalloc(PAIRS_PER_SEGMENT, sizeof(struct index_pair));
	*pair = ix->n_pairs++;
	return true;
}

static int add_pair(
    struct head_index *ix, uint32_t name_symbol, uint32_t value, uint32_t *pair, struct err *err)
{
	uint32_t name = add_name(ix, name_symbol);
	uint32_t found = find_pair(ix, name, value);
	if (found) {
		*pair = found - 1;
		return 0;
	}
	uint32_t i;
	if (!pair_place(ix, &i))
		return err_set(err, ERR_LIMIT, "too many different labels: %u", ix->n_pairs);
	struct index_name *n = &ix->names.v[name];
	*pair_at(ix, i) = (struct index_pair){.name = name, .value = value, .place = (uint32_t)n->pairs.len};
	symbols_use(&ix->symbols, value);
	tag_table_add(&ix->by_pair, pair_hash(name, value), i + 1);
	index_pair_ids_push(&n->pairs, i);
	n->value_bytes += symbols_text(&ix->symbols, value).len;
	*pair = i;
	return 0;
}

static void last_reserve(struct index_last *last, uint32_t n)
{
	if (n <= last->cap)
		return;
	last->names = xreallocarray(last->names, n, sizeof(uint32_t));
	last->values = xreallocarray(last->values, n, sizeof(uint32_t));
	last->pairs = xreallocarray(last->pairs, n, sizeof(uint32_t));
	last->cap = n;
}

static bool is_text(const struct head_index *ix, uint32_t symbol, struct slice text)
{
	return slice_eq(symbols_text(&ix->symbols, symbol), text);
}

/* Brings `last` to these labels, looking up only what differs from before. *same_names: the schema is the one before. */
static int resolve(struct head_index *ix, const struct labels *labels, bool *same_names, struct err *err)
{
	struct index_last *last = &ix->last;
	*same_names = last->n == labels->n && last->n > 0;
	uint32_t known = last->n;
	last->n = 0; /* not usable when we fail half way */
	last_reserve(last, labels->n);
	for (uint32_t i = 0; i < labels->n; i++) {
		const struct label *l = &labels->l[i];
		bool same_name = i < known && is_text(ix, last->names[i], l->name);
		if (same_name && is_text(ix, last->values[i], l->value))
			continue;
		int rc = 0;
		if (!same_name) {
			*same_names = false;
			rc = symbols_add(&ix->symbols, l->name, &last->names[i], err);
		}
		if (rc == 0)
			rc = symbols_add(&ix->symbols, l->value, &last->values[i], err);
		if (rc == 0)
			rc = add_pair(ix, last->names[i], last->values[i], &last->pairs[i], err);
		if (rc != 0)
			return rc;
	}
	return 0;
}

int head_index_add(
    struct head_index *ix, series_ref ref, const struct labels *labels, uint32_t *handle, struct err *err)
{
	struct index_last *last = &ix->last;
	bool same_names;
	int rc = resolve(ix, labels, &same_names, err);
	if (rc == 0 && !same_names)
		rc = series_labels_schema(&ix->labels, last->names, labels->n, &last->schema, err);
	if (rc == 0)
		rc = series_labels_add(&ix->labels, last->schema, last->values, handle, err);
	if (rc != 0)
		return rc;
	last->n = labels->n;
	for (uint32_t i = 0; i < labels->n; i++) {
		struct index_pair *p = pair_at(ix, last->pairs[i]);
		p->handles++;
		postings_add(&p->series, ref);
	}
	postings_add(&series_labels_schema_at(&ix->labels, last->schema)->series, ref);
	postings_add(&ix->all, ref);
	return 0;
}

void head_index_remove(struct head_index *ix, series_ref ref, uint32_t handle)
{
	uint32_t number;
	const uint32_t *values;
	const struct schema *schema = series_labels_at(&ix->labels, handle, &number, &values);
	for (uint32_t i = 0; i < schema->n; i++) {
		uint32_t name = find_name(ix, schema->names[i]);
		uint32_t pair = name ? find_pair(ix, name - 1, values[i]) : 0;
		if (pair)
			postings_remove(&pair_at(ix, pair - 1)->series, ref);
	}
	postings_remove(&series_labels_schema_at(&ix->labels, number)->series, ref);
	postings_remove(&ix->all, ref);
}

static void free_pair(struct head_index *ix, uint32_t pair)
{
	struct index_pair *p = pair_at(ix, pair);
	struct index_name *n = &ix->names.v[p->name];
	uint32_t moved = index_pair_ids_pop(&n->pairs);
	if (moved != pair) {
		n->pairs.v[p->place] = moved;
		pair_at(ix, moved)->place = p->place;
	}
	n->value_bytes -= symbols_text(&ix->symbols, p->value).len;
	tag_table_remove(&ix->by_pair, pair_hash(p->name, p->value), pair + 1);
	symbols_unuse(&ix->symbols, p->value);
	postings_done(&p->series);
	*p = (struct index_pair){0};
	index_pair_ids_push(&ix->free_pairs, pair);
}

void head_index_free(struct head_index *ix, uint32_t handle)
{
	const uint32_t *values;
	const struct schema *schema = series_labels_at(&ix->labels, handle, NULL, &values);
	for (uint32_t i = 0; i < schema->n; i++) {
		uint32_t name = find_name(ix, schema->names[i]);
		uint32_t pair = name ? find_pair(ix, name - 1, values[i]) : 0;
		if (pair && --pair_at(ix, pair - 1)->handles == 0)
			free_pair(ix, pair - 1);
	}
	series_labels_free(&ix->labels, handle);
	ix->last.n = 0; /* what it remembers may be gone */
}

/* --- matching ------------------------------------------------------------------------------------------------ */

/* A matcher on its way to a set: the series that have one of `sets`, or, with `without`, all but those. A label that is
 * absent is the empty string; so a matcher that takes the empty string is what is left without the values it refuses. */
VEC_DEFINE(postings_list, const struct postings *);

struct match {
	struct postings_list sets;
	bool without;
	uint64_t count;
};

static void match_add_pair(const struct head_index *ix, struct match *m, uint32_t pair)
{
	const struct postings *p = &pair_at(ix, pair)->series;
	if (postings_is_empty(p))
		return;
	postings_list_push(&m->sets, p);
	m->count += postings_count(p);
}

/* The few values that a matcher can take. */
static void match_set(
    const struct head_index *ix, struct match *m, const struct slice *values, size_t n, struct slice name)
{
	const struct index_name *in = name_of_text(ix, name);
	for (size_t i = 0; in && i < n; i++) {
		uint32_t value = symbols_find(&ix->symbols, values[i]);
		uint32_t pair = value ? find_pair(ix, (uint32_t)(in - ix->names.v), value) : 0;
		if (pair)
			match_add_pair(ix, m, pair - 1);
	}
}

static void match_values(const struct head_index *ix, struct match *m, const struct matcher *matcher)
{
	const struct index_name *in = name_of_text(ix, matcher->name);
	if (!in)
		return;
	VEC_EACH (uint32_t, pair, &in->pairs) {
		struct slice value = symbols_text(&ix->symbols, pair_at(ix, *pair)->value);
		if (matcher_matches(matcher, value) != m->without)
			match_add_pair(ix, m, *pair);
	}
}

/* Whether every value of the name matches: then the schemas with the name answer, which are few. */
static bool takes_all_values(const struct matcher *m)
{
	if (m->op == MATCH_NOT_EQUAL)
		return m->value.len == 0;
	return m->op == MATCH_REGEX && slice_eq_cstr(m->value, ".+");
}

static bool schema_has(const struct schema *schema, uint32_t name)
{
	for (uint32_t i = 0; i < schema->n; i++)
		if (schema->names[i] == name)
			return true;
	return false;
}

static void match_schemas(const struct head_index *ix, struct match *m, struct slice name)
{
	uint32_t symbol = symbols_find(&ix->symbols, name);
	for (uint32_t i = 0; symbol && i < ix->labels.n_schemas; i++) {
		const struct schema *schema = series_labels_schema_at(&ix->labels, i);
		if (!schema_has(schema, symbol) || postings_is_empty(&schema->series))
			continue;
		postings_list_push(&m->sets, &schema->series);
		m->count += postings_count(&schema->series);
	}
}

static void match_begin(const struct head_index *ix, struct match *m, const struct matcher *matcher)
{
	*m = (struct match){.without = matcher_matches_empty(matcher)};
	size_t n;
	const struct slice *set =
	    matcher->op == MATCH_EQUAL || matcher->op == MATCH_REGEX ? matcher_set(matcher, &n) : NULL;
	if (takes_all_values(matcher) || (m->without && matcher->op == MATCH_EQUAL))
		match_schemas(ix, m, matcher->name);
	else if (!m->without && set)
		match_set(ix, m, set, n, matcher->name);
	else if (m->without && matcher->op == MATCH_NOT_EQUAL)
		match_set(ix, m, &matcher->value, 1, matcher->name);
	else
		match_values(ix, m, matcher);
}

static void match_union(const struct match *m, struct postings *out)
{
	if (m->sets.len == 1)
		postings_copy(out, m->sets.v[0]);
	else
		postings_or_many(out, m->sets.v, m->sets.len);
}

/* Narrows `out` by one matcher. */
static void match_apply(const struct match *m, struct postings *out)
{
	struct postings joined = {0};
	const struct postings *set = m->sets.len == 1 ? m->sets.v[0] : &joined;
	if (m->sets.len > 1)
		postings_or_many(&joined, m->sets.v, m->sets.len);
	if (m->without)
		postings_andnot(out, set);
	else
		postings_and(out, set);
	postings_done(&joined);
}

/* The smallest set first, subtractions last. */
static int match_order(const void *a, const void *b)
{
	const struct match *x = a, *y = b;
	if (x->without != y->without)
		return x->without ? 1 : -1;
	return (x->count > y->count) - (x->count < y->count);
}

void head_index_select(
    const struct head_index *ix, const struct matcher *const *matchers, size_t n, struct postings *out)
{
	struct match *m = xcalloc(n ? n : 1, sizeof(*m));
	for (size_t i = 0; i < n; i++)
		match_begin(ix, &m[i], matchers[i]);
	qsort(m, n, sizeof(*m), match_order);
	bool from_all = n == 0 || m[0].without;
	if (from_all)
		postings_copy(out, &ix->all);
	else
		match_union(&m[0], out);
	for (size_t i = from_all ? 0 : 1; i < n && !postings_is_empty(out); i++)
		match_apply(&m[i], out);
	for (size_t i = 0; i < n; i++)
		postings_list_done(&m[i].sets);
	free(m);
}

/* --- names and values ---------------------------------------------------------------------------------------- */

static bool meet(const struct postings *set, const struct postings *among)
{
	return among ? postings_and_count(set, among) > 0 : !postings_is_empty(set);
}

static bool name_in_use(const struct head_index *ix, uint32_t symbol, const struct postings *among)
{
	for (uint32_t i = 0; i < ix->labels.n_schemas; i++) {
		const struct schema *schema = series_labels_schema_at(&ix->labels, i);
		if (schema_has(schema, symbol) && meet(&schema->series, among))
			return true;
	}
	return false;
}

int head_index_names(const struct head_index *ix, const struct postings *among,
    int (*each)(void *arg, struct slice name), void *arg)
{
	int rc = 0;
	for (size_t i = 0; i < ix->names.len && rc == 0; i++)
		if (name_in_use(ix, ix->names.v[i].symbol, among))
			rc = each(arg, symbols_text(&ix->symbols, ix->names.v[i].symbol));
	return rc;
}

int head_index_values(const struct head_index *ix, struct slice name, const struct postings *among,
    int (*each)(void *arg, struct slice value), void *arg)
{
	const struct index_name *in = name_of_text(ix, name);
	int rc = 0;
	for (size_t i = 0; in && i < in->pairs.len && rc == 0; i++) {
		const struct index_pair *p = pair_at(ix, in->pairs.v[i]);
		if (meet(&p->series, among))
			rc = each(arg, symbols_text(&ix->symbols, p->value));
	}
	return rc;
}

int head_index_each_value(const struct head_index *ix, struct slice name, size_t max,
    int (*each)(void *arg, const struct postings *series), void *arg)
{
	const struct index_name *in = name_of_text(ix, name);
	int rc = in && in->pairs.len > max;
	for (size_t i = 0; in && i < in->pairs.len && rc == 0; i++)
		rc = each(arg, &pair_at(ix, in->pairs.v[i])->series);
	return rc;
}

size_t head_index_bytes(const struct head_index *ix)
{
	size_t segments = (ix->n_pairs + PAIRS_PER_SEGMENT - 1) >> PAIR_SEGMENT_SHIFT;
	return symbols_bytes(&ix->symbols) + series_labels_bytes(&ix->labels) + ix->by_name.bytes +
	       ix->by_pair.bytes + segments * PAIRS_PER_SEGMENT * sizeof(struct index_pair) +
	       ix->n_pairs * sizeof(uint32_t);
}
