/* Reading the index. Only the contents are kept in memory: names, schemas and the descriptions of the columns; everything
 * else comes from the page cache when asked for. */
#include "tsdb/part_index.h"

#include "base/vec.h"
#include "model/label_regex.h"
#include "tsdb/part_index_priv.h"
#include "tsdb/postings_ops.h"
#include <stdlib.h>

struct index_name {
	struct slice text;
	uint32_t n; /* values */
	struct packed_column blocks, places;
};

struct index_schema {
	uint32_t n;
	const uint32_t *names;
};

struct part_index {
	struct page_file *f; /* borrowed */
	struct arena *arena;
	uint32_t n_series, n_schemas, n_names;
	struct packed_column groups;
	struct index_schema *schemas;
	struct index_name *names;
};

static int corrupt(const struct part_index *ix, struct err *err, const char *what)
{
	return err_set(err, ERR_CORRUPT, "%s: %s", page_file_path(ix->f), what);
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

/* Every column entry and list entry takes a byte at least, so a count beyond the bytes that are left is nonsense; checked
 * before memory is taken. */
static uint64_t take_count(struct byte_reader *r)
{
	uint64_t n = read_varint(r);
	if (n > byte_reader_left(r))
		byte_reader_fail(r);
	return r->failed ? 0 : n;
}

static void take_schemas(struct part_index *ix, struct byte_reader *r)
{
	ix->n_schemas = (uint32_t)take_count(r);
	ix->schemas = ARENA_ARRAY(ix->arena, struct index_schema, ix->n_schemas);
	for (uint32_t i = 0; i < ix->n_schemas && !r->failed; i++) {
		uint32_t n = (uint32_t)take_count(r);
		uint32_t *names = ARENA_ARRAY(ix->arena, uint32_t, n);
		if (n > INDEX_MAX_LABELS)
			byte_reader_fail(r);
		for (uint32_t k = 0; k < n; k++)
			names[k] = (uint32_t)read_varint(r);
		ix->schemas[i] = (struct index_schema){n, names};
	}
}

static void take_names(struct part_index *ix, struct byte_reader *r)
{
	ix->n_names = (uint32_t)take_count(r);
	ix->names = ARENA_ARRAY(ix->arena, struct index_name, ix->n_names);
	for (uint32_t i = 0; i < ix->n_names && !r->failed; i++) {
		struct index_name *name = &ix->names[i];
		name->text = arena_slice(ix->arena, read_bytes(r, read_varint(r)));
		uint64_t n = read_varint(r);
		packed_column_take(r, &name->blocks);
		packed_column_take(r, &name->places);
		name->n = (uint32_t)n;
		bool fits = n > 0 && n <= ix->n_series && name->places.n == n + 2 &&
			    name->blocks.n == (n + INDEX_GROUP - 1) / INDEX_GROUP + 1;
		if (!fits || (i > 0 && slice_cmp(ix->names[i - 1].text, name->text) >= 0))
			byte_reader_fail(r);
	}
}

/* Name ids are looked up without further checks later. */
static bool schemas_are_sound(const struct part_index *ix)
{
	for (uint32_t i = 0; i < ix->n_schemas; i++)
		for (uint32_t k = 0; k < ix->schemas[i].n; k++)
			if (ix->schemas[i].names[k] >= ix->n_names ||
			    (k > 0 && ix->schemas[i].names[k - 1] >= ix->schemas[i].names[k]))
				return false;
	return true;
}

static int take_contents(struct part_index *ix, struct slice contents, struct err *err)
{
	struct byte_reader r;
	byte_reader_init(&r, contents);
	uint64_t n = read_varint(&r);
	ix->n_series = (uint32_t)n;
	packed_column_take(&r, &ix->groups);
	if (n > UINT32_C(1) << 31 || ix->groups.n != (n + INDEX_GROUP - 1) / INDEX_GROUP + 1)
		byte_reader_fail(&r);
	take_schemas(ix, &r);
	take_names(ix, &r);
	if (r.failed || !byte_reader_done(&r) || !schemas_are_sound(ix))
		return corrupt(ix, err, "the table of contents does not make sense");
	return 0;
}

static int read_contents(struct part_index *ix, struct err *err)
{
	char magic[INDEX_MAGIC_BYTES];
	uint8_t trailer[INDEX_TRAILER_BYTES];
	uint64_t size = page_file_size(ix->f);
	if (size < INDEX_MAGIC_BYTES + INDEX_TRAILER_BYTES)
		return corrupt(ix, err, "too short for an index");
	int rc = page_file_copy(ix->f, 0, sizeof(magic), magic, err);
	if (rc == 0)
		rc = page_file_copy(ix->f, size - sizeof(trailer), sizeof(trailer), trailer, err);
	if (rc)
		return rc;
	struct byte_reader r;
	byte_reader_init(&r, slice_of((const char *)trailer, sizeof(trailer)));
	uint64_t offset = read_u64(&r);
	uint32_t len = read_u32(&r);
	if (memcmp(magic, INDEX_MAGIC, sizeof(magic)) != 0 || read_u32(&r) != INDEX_TRAILER_MAGIC)
		return corrupt(ix, err, "not an index of a known version");
	if (len > INDEX_MAX_CONTENTS_BYTES)
		return corrupt(ix, err, "the table of contents does not make sense");
	struct page_span span;
	rc = page_file_read(ix->f, offset, len, &span, err);
	if (rc)
		return rc;
	rc = take_contents(ix, span.bytes, err);
	page_span_done(&span);
	return rc;
}

int part_index_open(struct page_file *f, struct part_index **out, struct err *err)
{
	struct part_index *ix = xcalloc(1, sizeof(*ix));
	ix->f = f;
	ix->arena = arena_new(ARENA_NO_LIMIT);
	int rc = read_contents(ix, err);
	if (rc)
		part_index_close(ix);
	else
		*out = ix;
	return rc;
}

void part_index_close(struct part_index *ix)
{
	if (!ix)
		return;
	arena_free(ix->arena);
	free(ix);
}

uint32_t part_index_series(const struct part_index *ix)
{
	return ix->n_series;
}

static const struct index_name *find_name(const struct part_index *ix, struct slice text)
{
	uint32_t lo = 0, hi = ix->n_names;
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		int c = slice_cmp(ix->names[mid].text, text);
		if (c == 0)
			return &ix->names[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* The bytes between two neighbours of a column of offsets. */
static int read_between(
    struct part_index *ix, const struct packed_column *c, uint64_t i, struct page_span *out, struct err *err)
{
	int64_t ends[2];
	int rc = packed_column_get(ix->f, c, i, 2, ends, err);
	if (rc)
		return rc;
	if (ends[0] < 0 || ends[1] < ends[0])
		return corrupt(ix, err, "offsets go backwards");
	return page_file_read(ix->f, (uint64_t)ends[0], (uint64_t)(ends[1] - ends[0]), out, err);
}

/* --- values ------------------------------------------------------------------------------------------------------- */

/* A walk over the values of a name, in order. The text is rebuilt in a buffer of the walk. */
struct value_walk {
	struct part_index *ix;
	const struct index_name *name;
	uint32_t next; /* id of the value that comes */
	struct page_span block;
	struct byte_reader r;
	struct strbuf text;
};

static void value_walk_init(
    struct value_walk *w, struct part_index *ix, const struct index_name *name, uint32_t block)
{
	*w = (struct value_walk){.ix = ix, .name = name, .next = block * INDEX_GROUP, .text = STRBUF_INIT};
}

static void value_walk_done(struct value_walk *w)
{
	page_span_done(&w->block);
	strbuf_done(&w->text);
}

/* 0: *id and w->text are the next value; 1: the end. */
static int value_walk_next(struct value_walk *w, uint32_t *id, struct err *err)
{
	if (w->next == w->name->n)
		return 1;
	if (w->next % INDEX_GROUP == 0) {
		page_span_done(&w->block);
		int rc = read_between(w->ix, &w->name->blocks, w->next / INDEX_GROUP, &w->block, err);
		if (rc)
			return rc;
		byte_reader_init(&w->r, w->block.bytes);
		strbuf_reset(&w->text);
	}
	uint64_t shared = read_varint(&w->r);
	struct slice rest = read_bytes(&w->r, read_varint(&w->r));
	if (w->r.failed || shared > w->text.len)
		return corrupt(w->ix, err, "torn label values");
	w->text.len = shared;
	strbuf_add_slice(&w->text, rest);
	*id = w->next++;
	return 0;
}

/* The first value of a block compared with `text`. */
static int compare_block(struct part_index *ix, const struct index_name *name, uint32_t block,
    struct slice text, int *cmp, struct err *err)
{
	struct value_walk w;
	uint32_t id;
	value_walk_init(&w, ix, name, block);
	int rc = value_walk_next(&w, &id, err);
	if (rc == 0)
		*cmp = slice_cmp(strbuf_slice(&w.text), text);
	value_walk_done(&w);
	return rc;
}

/* The last block that begins at `text` or in front of it; 0 when none does. */
static int find_block(
    struct part_index *ix, const struct index_name *name, struct slice text, uint32_t *block, struct err *err)
{
	uint32_t lo = 0, hi = (name->n + INDEX_GROUP - 1) / INDEX_GROUP;
	while (hi - lo > 1) {
		uint32_t mid = (lo + hi) / 2;
		int cmp = 0;
		int rc = compare_block(ix, name, mid, text, &cmp, err);
		if (rc)
			return rc;
		if (cmp <= 0)
			lo = mid;
		else
			hi = mid;
	}
	*block = lo;
	return 0;
}

/* 0: *id; 1: no series has this value. */
static int find_value(
    struct part_index *ix, const struct index_name *name, struct slice text, uint32_t *id, struct err *err)
{
	uint32_t block, at;
	struct value_walk w;
	int rc = find_block(ix, name, text, &block, err);
	if (rc)
		return rc;
	value_walk_init(&w, ix, name, block);
	while ((rc = value_walk_next(&w, &at, err)) == 0) {
		int cmp = slice_cmp(strbuf_slice(&w.text), text);
		if (cmp == 0)
			*id = at;
		if (cmp >= 0 || w.next % INDEX_GROUP == 0) {
			rc = cmp != 0;
			break;
		}
	}
	value_walk_done(&w);
	return rc;
}

static int get_value(struct part_index *ix, const struct index_name *name, uint32_t id, struct arena *arena,
    struct slice *out, struct err *err)
{
	struct value_walk w;
	uint32_t at;
	int rc;
	if (id >= name->n)
		return corrupt(ix, err, "a series with an impossible label value");
	value_walk_init(&w, ix, name, id / INDEX_GROUP);
	do
		rc = value_walk_next(&w, &at, err);
	while (rc == 0 && at != id);
	if (rc == 0)
		*out = arena_slice(arena, strbuf_slice(&w.text));
	value_walk_done(&w);
	return rc;
}

/* --- postings ----------------------------------------------------------------------------------------------------- */

/* Of a value; id == name->n: of all series that have the name. `out` must be empty. */
static int get_postings(
    struct part_index *ix, const struct index_name *name, uint32_t id, struct postings *out, struct err *err)
{
	struct page_span span;
	int rc = read_between(ix, &name->places, id, &span, err);
	if (rc)
		return rc;
	rc = postings_decode(out, span.bytes, ix->n_series, err);
	if (rc)
		err_prefix(err, "%s: ", page_file_path(ix->f));
	page_span_done(&span);
	return rc;
}

/* Sets that are to be united: collected first, because thousands at once are cheaper than one by one. */
VEC_DEFINE(postings_vec, struct postings);

static int collect(struct part_index *ix, const struct index_name *name, uint32_t id,
    struct postings_vec *sets, struct err *err)
{
	return get_postings(ix, name, id, postings_vec_add(sets), err);
}

static void unite(struct postings_vec *sets, struct postings *out)
{
	const struct postings **list = xreallocarray(NULL, sets->len + 1, sizeof(*list));
	for (size_t i = 0; i < sets->len; i++)
		list[i] = &sets->v[i];
	postings_or_many(out, list, sets->len);
	free(list);
	for (size_t i = 0; i < sets->len; i++)
		postings_done(&sets->v[i]);
	postings_vec_done(sets);
}

/* The series that have one of these values; the empty one, which no series has, finds nothing. */
static int select_listed(struct part_index *ix, const struct index_name *name, const struct slice *values,
    size_t n, struct postings_vec *sets, struct err *err)
{
	int rc = 0;
	for (size_t i = 0; rc >= 0 && i < n; i++) {
		uint32_t id = 0;
		rc = find_value(ix, name, values[i], &id, err);
		if (rc == 0)
			rc = collect(ix, name, id, sets, err);
	}
	return rc < 0 ? rc : 0;
}

/* The series whose value the matcher takes (`want`) or refuses. */
static int select_walking(struct part_index *ix, const struct index_name *name, const struct matcher *m,
    bool want, struct postings_vec *sets, struct err *err)
{
	struct slice prefix = want && m->op == MATCH_REGEX ? matcher_prefix(m) : SL_EMPTY;
	uint32_t block = 0, id;
	int rc = prefix.len ? find_block(ix, name, prefix, &block, err) : 0;
	if (rc)
		return rc;
	struct value_walk w;
	value_walk_init(&w, ix, name, block);
	while ((rc = value_walk_next(&w, &id, err)) == 0) {
		struct slice text = strbuf_slice(&w.text);
		if (prefix.len && !slice_starts(text, prefix)) {
			if (slice_cmp(text, prefix) > 0)
				break;
			continue;
		}
		if (matcher_matches(m, text) != want)
			continue;
		rc = collect(ix, name, id, sets, err);
		if (rc)
			break;
	}
	value_walk_done(&w);
	return rc < 0 ? rc : 0;
}

/* For a matcher that refuses the empty value: the series that match. For one that takes it, the series that do not: those
 * that have the label and whose value is refused. */
static int select_side(
    struct part_index *ix, const struct matcher *m, bool want, struct postings *out, struct err *err)
{
	const struct index_name *name = find_name(ix, m->name);
	if (!name)
		return 0;
	bool plain = m->op == MATCH_EQUAL || m->op == MATCH_NOT_EQUAL;
	bool negative = m->op == MATCH_NOT_EQUAL || m->op == MATCH_NOT_REGEX;
	/* x="" and x!="" speak of all series that have the label. */
	if (plain && m->value.len == 0)
		return get_postings(ix, name, name->n, out, err);
	size_t n = 0;
	const struct slice *values = plain ? &m->value : label_regex_set(m->regex, &n);
	if (plain)
		n = 1;
	struct postings_vec sets = {0};
	/* A list helps when the side that is wanted is the listed one. */
	int rc = values && want != negative ? select_listed(ix, name, values, n, &sets, err)
					    : select_walking(ix, name, m, want, &sets, err);
	unite(&sets, out);
	return rc;
}

static int apply_matcher(
    struct part_index *ix, const struct matcher *m, struct postings *out, struct err *err)
{
	struct postings side = {0};
	bool takes_empty = matcher_matches_empty(m);
	int rc = select_side(ix, m, !takes_empty, &side, err);
	if (rc == 0 && takes_empty)
		postings_andnot(out, &side);
	else if (rc == 0)
		postings_and(out, &side);
	postings_done(&side);
	return rc;
}

/* Equality first: it leaves the least. */
int part_index_select(struct part_index *ix, const struct matcher *const *matchers, size_t n_matchers,
    struct postings *out, struct err *err)
{
	int rc = 0;
	if (ix->n_series == 0)
		return 0;
	postings_add_range(out, 0, ix->n_series - 1);
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; rc == 0 && i < n_matchers && !postings_is_empty(out); i++)
			if ((matchers[i]->op == MATCH_EQUAL) == (pass == 0))
				rc = apply_matcher(ix, matchers[i], out, err);
	if (rc)
		postings_done(out);
	return rc;
}

/* --- labels ------------------------------------------------------------------------------------------------------- */

struct entry {
	const struct index_schema *schema;
	uint64_t ids[INDEX_MAX_LABELS];
};

static bool take_entry(struct part_index *ix, struct byte_reader *r, struct entry *e)
{
	uint64_t head = read_varint(r), mask = ~UINT64_C(0);
	if (head == 0) {
		mask = read_varint(r);
		if (!e->schema || e->schema->n > 64)
			return false;
	} else if (head > ix->n_schemas) {
		return false;
	} else {
		e->schema = &ix->schemas[head - 1];
	}
	for (uint32_t i = 0; i < e->schema->n; i++)
		if (head != 0 || mask >> i & 1)
			e->ids[i] = read_varint(r);
	return !r->failed;
}

static int get_entry(struct part_index *ix, uint32_t ordinal, struct entry *e, struct err *err)
{
	struct page_span span;
	struct byte_reader r;
	if (ordinal >= ix->n_series)
		return err_set(err, ERR_NOT_FOUND, "%s: no series %u", page_file_path(ix->f), ordinal);
	int rc = read_between(ix, &ix->groups, ordinal / INDEX_GROUP, &span, err);
	if (rc)
		return rc;
	byte_reader_init(&r, span.bytes);
	bool ok = true;
	for (uint32_t i = 0; ok && i <= ordinal % INDEX_GROUP; i++)
		ok = take_entry(ix, &r, e);
	page_span_done(&span);
	return ok ? 0 : corrupt(ix, err, "torn list of series");
}

int part_index_labels(
    struct part_index *ix, uint32_t ordinal, struct arena *arena, const struct labels **out, struct err *err)
{
	struct entry e = {.schema = NULL};
	int rc = get_entry(ix, ordinal, &e, err);
	if (rc)
		return rc;
	struct label *l = ARENA_ARRAY(arena, struct label, e.schema->n);
	for (uint32_t i = 0; rc == 0 && i < e.schema->n; i++) {
		const struct index_name *name = &ix->names[e.schema->names[i]];
		l[i].name = arena_slice(arena, name->text);
		if (e.ids[i] > UINT32_MAX)
			return corrupt(ix, err, "a series with an impossible label value");
		rc = get_value(ix, name, (uint32_t)e.ids[i], arena, &l[i].value, err);
		if (rc == 0 && l[i].value.len == 0)
			rc = corrupt(ix, err, "an empty label value");
	}
	if (rc == 0)
		*out = labels_from_sorted(arena, l, e.schema->n);
	return rc;
}

int part_index_find(struct part_index *ix, const struct labels *labels, uint32_t *ordinal, struct err *err)
{
	uint32_t lo = 0, hi = ix->n_series;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	int rc = ERR_NOT_FOUND;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		const struct labels *at;
		arena_reset(arena);
		rc = part_index_labels(ix, mid, arena, &at, err);
		if (rc)
			break;
		int cmp = labels_cmp(at, labels);
		rc = cmp == 0 ? 0 : ERR_NOT_FOUND;
		if (cmp == 0) {
			*ordinal = mid;
			break;
		}
		if (cmp < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	arena_free(arena);
	if (rc == ERR_NOT_FOUND)
		return err_set(err, rc, "%s: no such series", page_file_path(ix->f));
	return rc;
}

/* --- names and values of labels ----------------------------------------------------------------------------------- */

int part_index_each_name(
    struct part_index *ix, int (*each)(void *arg, struct slice name), void *arg, struct err *err)
{
	(void)err;
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < ix->n_names; i++)
		rc = each(arg, ix->names[i].text);
	return rc;
}

int part_index_each_value(struct part_index *ix, struct slice name_text, const struct postings *among,
    int (*each)(void *arg, struct slice value, uint64_t series), void *arg, struct err *err)
{
	const struct index_name *name = find_name(ix, name_text);
	if (!name)
		return 0;
	struct value_walk w;
	uint32_t id;
	int rc;
	value_walk_init(&w, ix, name, 0);
	while ((rc = value_walk_next(&w, &id, err)) == 0) {
		struct postings p = {0};
		rc = get_postings(ix, name, id, &p, err);
		uint64_t series = among ? postings_and_count(&p, among) : postings_count(&p);
		postings_done(&p);
		if (rc == 0 && series > 0)
			rc = each(arg, strbuf_slice(&w.text), series);
		if (rc)
			goto out;
	}
	/* 1 is the end of the walk. */
	rc = rc < 0 ? rc : 0;
out:
	value_walk_done(&w);
	return rc;
}
