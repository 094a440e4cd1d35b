/* Names, values and schemas get numbers in the order of their first appearance; byte order is known only at the end, so
 * each has a rank too, and the ranks are what is written. */
#include "base/arena.h"
#include "base/hashtab.h"
#include "base/vec.h"
#include "tsdb/part_index.h"
#include "tsdb/part_index_priv.h"
#include "tsdb/postings_ops.h"
#include <stdlib.h>

VEC_DEFINE(id_vec, uint32_t);
VEC_DEFINE(offset_vec, int64_t);

struct index_value {
	struct slice text; /* in the arena */
	struct postings refs;
	uint32_t id, rank;
};
VEC_DEFINE(index_value_vec, struct index_value *);

struct index_name {
	struct slice text;             /* in the arena */
	struct hashtab by_text;        /* struct index_value */
	struct index_value_vec values; /* by id */
	struct postings refs;          /* of all values; at writing */
	uint32_t id, rank;
	struct packed_column blocks, places;
};
VEC_DEFINE(index_name_vec, struct index_name *);

struct index_schema {
	uint32_t id, n;
	struct index_name *names[];
};
VEC_DEFINE(index_schema_vec, struct index_schema *);

struct part_index_builder {
	struct arena *arena;
	struct hashtab names_by_text, schemas_by_names;
	struct index_name_vec names;
	struct index_schema_vec schemas;
	struct id_vec series; /* schema id, then the value ids; one series after the other */
	uint32_t n_series;
	struct labels *last;
	struct packed_column groups;
};

struct part_index_builder *part_index_builder_new(void)
{
	struct part_index_builder *b = xcalloc(1, sizeof(*b));
	b->arena = arena_new(ARENA_NO_LIMIT);
	return b;
}

static void name_done(struct index_name *name)
{
	for (size_t i = 0; i < name->values.len; i++)
		postings_done(&name->values.v[i]->refs);
	postings_done(&name->refs);
	index_value_vec_done(&name->values);
	hashtab_done(&name->by_text);
}

void part_index_builder_free(struct part_index_builder *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->names.len; i++)
		name_done(b->names.v[i]);
	index_name_vec_done(&b->names);
	index_schema_vec_done(&b->schemas);
	hashtab_done(&b->names_by_text);
	hashtab_done(&b->schemas_by_names);
	id_vec_done(&b->series);
	labels_free(b->last);
	arena_free(b->arena);
	free(b);
}

uint32_t part_index_builder_count(const struct part_index_builder *b)
{
	return b->n_series;
}

/* --- adding ------------------------------------------------------------------------------------------------------- */

static struct index_name *get_name(struct part_index_builder *b, struct slice text)
{
	struct index_name *name = hashtab_get(&b->names_by_text, text);
	if (name)
		return name;
	name = ARENA_NEW(b->arena, struct index_name);
	name->text = arena_slice(b->arena, text);
	name->id = (uint32_t)b->names.len;
	index_name_vec_push(&b->names, name);
	hashtab_put(&b->names_by_text, text, name);
	return name;
}

static struct index_value *get_value(struct part_index_builder *b, struct index_name *name, struct slice text)
{
	struct index_value *value = hashtab_get(&name->by_text, text);
	if (value)
		return value;
	value = ARENA_NEW(b->arena, struct index_value);
	value->text = arena_slice(b->arena, text);
	value->id = (uint32_t)name->values.len;
	index_value_vec_push(&name->values, value);
	hashtab_put(&name->by_text, text, value);
	return value;
}

/* The schema of the first n names in `names`. */
static struct index_schema *get_schema(
    struct part_index_builder *b, struct index_name *const *names, uint32_t n)
{
	struct slice key = slice_of((const char *)names, n * sizeof(*names));
	struct index_schema *schema = hashtab_get(&b->schemas_by_names, key);
	if (schema)
		return schema;
	schema = arena_alloc(b->arena, sizeof(*schema) + key.len);
	schema->id = (uint32_t)b->schemas.len;
	schema->n = n;
	memcpy(schema->names, names, key.len);
	index_schema_vec_push(&b->schemas, schema);
	hashtab_put(&b->schemas_by_names, key, schema);
	return schema;
}

static int check_next(struct part_index_builder *b, const struct labels *labels, struct err *err)
{
	if (b->last && labels_cmp(b->last, labels) >= 0)
		return err_set(
		    err, ERR_INVALID, "series of a part must come in the order of their labels, each once");
	if (labels->n > INDEX_MAX_LABELS)
		return err_set(err, ERR_LIMIT, "a series has %u labels, at most %d fit into a part",
		    labels->n, INDEX_MAX_LABELS);
	if (b->n_series >= UINT32_C(1) << 31)
		return err_set(err, ERR_LIMIT, "a part holds at most 2^31 series");
	return 0;
}

int part_index_builder_add(struct part_index_builder *b, const struct labels *labels, struct err *err)
{
	struct index_name *names[INDEX_MAX_LABELS];
	int rc = check_next(b, labels, err);
	if (rc)
		return rc;
	for (uint32_t i = 0; i < labels->n; i++)
		names[i] = get_name(b, labels->l[i].name);
	id_vec_push(&b->series, get_schema(b, names, labels->n)->id);
	for (uint32_t i = 0; i < labels->n; i++) {
		struct index_value *value = get_value(b, names[i], labels->l[i].value);
		postings_add(&value->refs, b->n_series);
		id_vec_push(&b->series, value->id);
	}
	labels_free(b->last);
	b->last = labels_copy(labels);
	b->n_series++;
	return 0;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static int cmp_names(const void *a, const void *b)
{
	const struct index_name *const *x = a, *const *y = b;
	return slice_cmp((*x)->text, (*y)->text);
}

static int cmp_values(const void *a, const void *b)
{
	const struct index_value *const *x = a, *const *y = b;
	return slice_cmp((*x)->text, (*y)->text);
}

static struct index_value **sorted_values(const struct index_name *name)
{
	size_t n = name->values.len;
	struct index_value **sorted = xreallocarray(NULL, n, sizeof(*sorted));
	memcpy(sorted, name->values.v, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), cmp_values);
	for (size_t i = 0; i < n; i++)
		sorted[i]->rank = (uint32_t)i;
	return sorted;
}

static void add_and_reset(struct page_writer *w, struct strbuf *sb)
{
	page_writer_add(w, sb->ptr, sb->len);
	strbuf_reset(sb);
}

static size_t shared_prefix(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len, i = 0;
	while (i < n && a.ptr[i] == b.ptr[i])
		i++;
	return i;
}

static void write_values(
    struct page_writer *w, struct index_value *const *sorted, size_t n, struct packed_column *blocks)
{
	struct offset_vec places = {0};
	struct strbuf sb = STRBUF_INIT;
	for (size_t i = 0; i < n; i++) {
		struct slice text = sorted[i]->text;
		size_t shared = 0;
		if (i % INDEX_GROUP == 0)
			offset_vec_push(&places, (int64_t)page_writer_offset(w));
		else
			shared = shared_prefix(sorted[i - 1]->text, text);
		varint_add(&sb, shared);
		varint_add(&sb, text.len - shared);
		strbuf_add_slice(&sb, slice_from(text, shared));
		add_and_reset(w, &sb);
	}
	offset_vec_push(&places, (int64_t)page_writer_offset(w));
	packed_column_write(w, places.v, places.len, blocks);
	offset_vec_done(&places);
	strbuf_done(&sb);
}

static void write_postings(struct page_writer *w, struct index_name *name, struct index_value *const *sorted,
    struct packed_column *places)
{
	struct offset_vec offsets = {0};
	struct strbuf sb = STRBUF_INIT;
	size_t n = name->values.len;
	const struct postings **all = xreallocarray(NULL, n, sizeof(*all));
	for (size_t i = 0; i < n; i++) {
		all[i] = &sorted[i]->refs;
		offset_vec_push(&offsets, (int64_t)page_writer_offset(w));
		postings_encode(all[i], &sb);
		add_and_reset(w, &sb);
	}
	postings_or_many(&name->refs, all, n);
	offset_vec_push(&offsets, (int64_t)page_writer_offset(w));
	postings_encode(&name->refs, &sb);
	add_and_reset(w, &sb);
	offset_vec_push(&offsets, (int64_t)page_writer_offset(w));
	packed_column_write(w, offsets.v, offsets.len, places);
	free(all);
	offset_vec_done(&offsets);
	strbuf_done(&sb);
}

/* One series; `before` is the one in front of it within the group, or NULL. Both are {schema id, value ids...}. */
static void add_series(
    const struct part_index_builder *b, const uint32_t *series, const uint32_t *before, struct strbuf *out)
{
	const struct index_schema *schema = b->schemas.v[series[0]];
	bool same_names = before && before[0] == series[0] && schema->n <= 64;
	uint64_t mask = 0;
	for (uint32_t i = 0; same_names && i < schema->n; i++)
		mask |= (uint64_t)(series[i + 1] != before[i + 1]) << i;
	if (same_names) {
		varint_add(out, 0);
		varint_add(out, mask);
	} else {
		varint_add(out, series[0] + UINT64_C(1));
	}
	for (uint32_t i = 0; i < schema->n; i++)
		if (!same_names || mask >> i & 1)
			varint_add(out, schema->names[i]->values.v[series[i + 1]]->rank);
}

static void write_series(struct part_index_builder *b, struct page_writer *w)
{
	struct offset_vec places = {0};
	struct strbuf sb = STRBUF_INIT;
	const uint32_t *at = b->series.v, *before = NULL;
	for (uint32_t i = 0; i < b->n_series; i++) {
		if (i % INDEX_GROUP == 0) {
			offset_vec_push(&places, (int64_t)page_writer_offset(w));
			before = NULL;
		}
		add_series(b, at, before, &sb);
		add_and_reset(w, &sb);
		before = at;
		at += b->schemas.v[at[0]]->n + 1;
	}
	offset_vec_push(&places, (int64_t)page_writer_offset(w));
	packed_column_write(w, places.v, places.len, &b->groups);
	offset_vec_done(&places);
	strbuf_done(&sb);
}

static void add_contents(
    const struct part_index_builder *b, struct index_name *const *sorted, struct strbuf *out)
{
	varint_add(out, b->n_series);
	packed_column_add(out, &b->groups);
	varint_add(out, b->schemas.len);
	for (size_t i = 0; i < b->schemas.len; i++) {
		const struct index_schema *schema = b->schemas.v[i];
		varint_add(out, schema->n);
		for (uint32_t k = 0; k < schema->n; k++)
			varint_add(out, schema->names[k]->rank);
	}
	varint_add(out, b->names.len);
	for (size_t i = 0; i < b->names.len; i++) {
		varint_add(out, sorted[i]->text.len);
		strbuf_add_slice(out, sorted[i]->text);
		varint_add(out, sorted[i]->values.len);
		packed_column_add(out, &sorted[i]->blocks);
		packed_column_add(out, &sorted[i]->places);
	}
}

static void write_contents(
    struct part_index_builder *b, struct index_name *const *sorted, struct page_writer *w)
{
	struct strbuf sb = STRBUF_INIT;
	uint8_t trailer[INDEX_TRAILER_BYTES];
	uint64_t offset = page_writer_offset(w);
	add_contents(b, sorted, &sb);
	for (unsigned i = 0; i < 8; i++)
		trailer[i] = (uint8_t)(offset >> (8 * i));
	for (unsigned i = 0; i < 4; i++) {
		trailer[8 + i] = (uint8_t)(sb.len >> (8 * i));
		trailer[12 + i] = (uint8_t)(INDEX_TRAILER_MAGIC >> (8 * i));
	}
	add_and_reset(w, &sb);
	page_writer_add(w, trailer, sizeof(trailer));
	strbuf_done(&sb);
}

void part_index_builder_write(struct part_index_builder *b, struct page_writer *w)
{
	size_t n = b->names.len;
	struct index_name **sorted = xreallocarray(NULL, n + 1, sizeof(*sorted));
	memcpy(sorted, n ? b->names.v : sorted, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), cmp_names);
	page_writer_add(w, INDEX_MAGIC, INDEX_MAGIC_BYTES);
	for (size_t i = 0; i < n; i++) {
		struct index_value **values = sorted_values(sorted[i]);
		sorted[i]->rank = (uint32_t)i;
		write_values(w, values, sorted[i]->values.len, &sorted[i]->blocks);
		write_postings(w, sorted[i], values, &sorted[i]->places);
		free(values);
	}
	write_series(b, w);
	write_contents(b, sorted, w);
	free(sorted);
}
