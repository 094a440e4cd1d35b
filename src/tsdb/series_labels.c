/* A handle is the index of a word: the schema number stands there, the values behind it. Handle 0 is none. */
#include "tsdb/series_labels.h"

#include "base/hash.h"
#include "base/xmalloc.h"
#include <string.h>

enum {
	VALUES_PER_SEGMENT = 1 << VALUES_SEGMENT_SHIFT,
	SCHEMAS_PER_SEGMENT = 1 << SCHEMA_SEGMENT_SHIFT,
};

void series_labels_init(struct series_labels *s, const struct symbols *symbols)
{
	*s = (struct series_labels){.symbols = symbols, .end = 1};
	s->schemas = xcalloc(SCHEMA_SEGMENTS, sizeof(struct schema *));
	s->values = xcalloc(VALUES_SEGMENTS, sizeof(uint32_t *));
	s->free = xcalloc(SERIES_MAX_LABELS + 2, sizeof(*s->free));
}

void series_labels_done(struct series_labels *s)
{
	for (uint32_t i = 0; i < s->n_schemas; i++) {
		struct schema *schema = series_labels_schema_at(s, i);
		postings_done(&schema->series);
		free(schema->names);
	}
	for (size_t i = 0; i < SCHEMA_SEGMENTS; i++)
		free(s->schemas[i]);
	for (size_t i = 0; i < s->n_segments; i++)
		free(s->values[i]);
	free(s->schemas);
	free(s->values);
	free(s->free);
	tag_table_done(&s->by_names);
}

struct schema *series_labels_schema_at(const struct series_labels *s, uint32_t schema)
{
	return &s->schemas[schema >> SCHEMA_SEGMENT_SHIFT][schema & (SCHEMAS_PER_SEGMENT - 1)];
}

static bool schema_is(const struct schema *schema, const uint32_t *names, size_t n)
{
	return schema->n == n && memcmp(schema->names, names, n * sizeof(*names)) == 0;
}

static uint32_t schema_new(struct series_labels *s, const uint32_t *names, size_t n)
{
	uint32_t i = s->n_schemas;
	struct schema **segment = &s->schemas[i >> SCHEMA_SEGMENT_SHIFT];
	if (!*segment)
		*segment = xcalloc(SCHEMAS_PER_SEGMENT, sizeof(struct schema));
	struct schema *schema = series_labels_schema_at(s, i);
	schema->n = (uint32_t)n;
	schema->names = xreallocarray(NULL, n ? n : 1, sizeof(*names));
	memcpy(schema->names, names, n * sizeof(*names));
	s->n_schemas++;
	return i;
}

int series_labels_schema(
    struct series_labels *s, const uint32_t *names, size_t n, uint32_t *schema, struct err *err)
{
	uint64_t hash = hash64(names, n * sizeof(*names));
	struct tag_walk w;
	for (uint32_t i = tag_table_first(&s->by_names, hash, &w); i; i = tag_table_next(&w)) {
		if (schema_is(series_labels_schema_at(s, i - 1), names, n)) {
			*schema = i - 1;
			return 0;
		}
	}
	if (s->n_schemas >> SCHEMA_SEGMENT_SHIFT >= SCHEMA_SEGMENTS)
		return err_set(err, ERR_LIMIT, "too many different sets of label names: %u", s->n_schemas);
	*schema = schema_new(s, names, n);
	tag_table_add(&s->by_names, hash, *schema + 1);
	return 0;
}

static uint32_t *words_at(const struct series_labels *s, uint32_t handle)
{
	return &s->values[handle >> VALUES_SEGMENT_SHIFT][handle & (VALUES_PER_SEGMENT - 1)];
}

/* A place of n words within one segment; 0: none is left. */
static uint32_t place(struct series_labels *s, uint32_t n)
{
	uint32_t at = s->free[n];
	if (at) {
		s->free[n] = *words_at(s, at);
		return at;
	}
	uint32_t left = VALUES_PER_SEGMENT - (s->end & (VALUES_PER_SEGMENT - 1));
	at = n <= left ? s->end : s->end + left;
	size_t segment = at >> VALUES_SEGMENT_SHIFT;
	if (segment >= VALUES_SEGMENTS)
		return 0;
	if (segment >= s->n_segments) {
		s->values[segment] = xreallocarray(NULL, VALUES_PER_SEGMENT, sizeof(uint32_t));
		s->n_segments = segment + 1;
	}
	s->end = at + n;
	return at;
}

int series_labels_add(
    struct series_labels *s, uint32_t schema, const uint32_t *values, uint32_t *handle, struct err *err)
{
	uint32_t n = series_labels_schema_at(s, schema)->n + 1, at = place(s, n);
	if (!at)
		return err_set(err, ERR_LIMIT, "4 GiB of label sets are in use: no new series are taken");
	uint32_t *p = words_at(s, at);
	p[0] = schema;
	memcpy(p + 1, values, (n - 1) * sizeof(*values));
	*handle = at;
	return 0;
}

void series_labels_free(struct series_labels *s, uint32_t handle)
{
	uint32_t *p = words_at(s, handle), n = series_labels_schema_at(s, p[0])->n + 1;
	p[0] = s->free[n];
	s->free[n] = handle;
}

const struct schema *series_labels_at(
    const struct series_labels *s, uint32_t handle, uint32_t *schema, const uint32_t **values)
{
	const uint32_t *p = words_at(s, handle);
	*values = p + 1;
	if (schema)
		*schema = p[0];
	return series_labels_schema_at(s, p[0]);
}

size_t series_labels_text(const struct series_labels *s, uint32_t handle, struct label *l)
{
	const uint32_t *values;
	const struct schema *schema = series_labels_at(s, handle, NULL, &values);
	for (uint32_t i = 0; i < schema->n; i++)
		l[i] = (struct label){
		    symbols_text(s->symbols, schema->names[i]), symbols_text(s->symbols, values[i])};
	return schema->n;
}

static const struct labels *get(
    const struct series_labels *s, uint32_t handle, bool copy_values, struct arena *arena)
{
	const uint32_t *values;
	const struct schema *schema = series_labels_at(s, handle, NULL, &values);
	struct label fixed[32];
	struct label *l = schema->n <= ARRAY_LEN(fixed) ? fixed : arena_alloc(arena, schema->n * sizeof(*l));
	size_t n = series_labels_text(s, handle, l);
	for (size_t i = 0; copy_values && i < n; i++)
		l[i].value = arena_slice(arena, l[i].value);
	return labels_from_sorted(arena, l, n);
}

const struct labels *series_labels_get(const struct series_labels *s, uint32_t handle, struct arena *arena)
{
	return get(s, handle, false, arena);
}

const struct labels *series_labels_copy(const struct series_labels *s, uint32_t handle, struct arena *arena)
{
	return get(s, handle, true, arena);
}

bool series_labels_eq(const struct series_labels *s, uint32_t handle, const struct labels *labels)
{
	const uint32_t *values;
	const struct schema *schema = series_labels_at(s, handle, NULL, &values);
	if (schema->n != labels->n)
		return false;
	for (uint32_t i = 0; i < schema->n; i++)
		if (!slice_eq(symbols_text(s->symbols, values[i]), labels->l[i].value) ||
		    !slice_eq(symbols_text(s->symbols, schema->names[i]), labels->l[i].name))
			return false;
	return true;
}

size_t series_labels_bytes(const struct series_labels *s)
{
	return s->n_segments * VALUES_PER_SEGMENT * sizeof(uint32_t) + VALUES_SEGMENTS * sizeof(uint32_t *) +
	       s->by_names.bytes + s->n_schemas * sizeof(struct schema);
}
