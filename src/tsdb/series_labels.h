/* The labels of all series of the head in about four bytes a label: a schema number (which names) and one value symbol a
 * name. A label set is named by a handle, the place of those numbers. The place of one that is freed is used again.
 *
 * Adding and finding belong to the owner's lock; reading the labels of a handle needs none, as with symbols. */
#pragma once

#include "base/arena.h"
#include "model/labels.h"
#include "tsdb/postings.h"
#include "tsdb/symbols.h"
#include <stdint.h>

enum {
	SERIES_MAX_LABELS = 1024,                    /* what a part holds, too */
	SERIES_MAX_BYTES = SYMBOL_MAX_BYTES, /* all names and values of a series */
	SERIES_LABELS_BITS = 30,             /* of a handle: 4 GiB of values */
	SCHEMA_SEGMENT_SHIFT = 10,
	SCHEMA_SEGMENTS = 1 << 12,
	VALUES_SEGMENT_SHIFT = 18, /* in words: segments of 1 MiB */
	VALUES_SEGMENTS = 1 << (SERIES_LABELS_BITS - VALUES_SEGMENT_SHIFT),
};

/* A list of label names, sorted by their text. */
struct schema {
	uint32_t n;
	uint32_t *names;        /* symbols */
	struct postings series; /* the refs of the series with exactly these names */
};

struct series_labels {
	const struct symbols *symbols; /* borrowed */
	struct schema **schemas;       /* segments */
	uint32_t n_schemas;
	struct tag_table by_names; /* schema number + 1 */
	uint32_t **values;         /* segments */
	uint32_t end;
	size_t n_segments;
	uint32_t *free; /* by number of words: the first free place; the next one stands in it */
};

void series_labels_init(struct series_labels *s, const struct symbols *symbols);
void series_labels_done(struct series_labels *s);

/* The number of the schema with these names, made when new. ERR_LIMIT: four million of them are there already. */
MUST_CHECK int series_labels_schema(
    struct series_labels *s, const uint32_t *names, size_t n, uint32_t *schema, struct err *err);
struct schema *series_labels_schema_at(const struct series_labels *s, uint32_t schema);
/* A handle for one value a name of the schema. ERR_LIMIT when 4 GiB are full. */
MUST_CHECK int series_labels_add(
    struct series_labels *s, uint32_t schema, const uint32_t *values, uint32_t *handle, struct err *err);

/* Nobody reads it any more. */
void series_labels_free(struct series_labels *s, uint32_t handle);

/* What stands behind a handle: schema number and its values, borrowed. */
const struct schema *series_labels_at(
    const struct series_labels *s, uint32_t handle, uint32_t *schema, const uint32_t **values);
/* The same as text, into l[], which has room for them; returns how many. The text is borrowed from the symbols. */
size_t series_labels_text(const struct series_labels *s, uint32_t handle, struct label *l);
/* As a label set in the arena; names are borrowed from the symbols, which never free them; values, too, or copied. */
const struct labels *series_labels_get(const struct series_labels *s, uint32_t handle, struct arena *arena);
const struct labels *series_labels_copy(const struct series_labels *s, uint32_t handle, struct arena *arena);
bool series_labels_eq(const struct series_labels *s, uint32_t handle, const struct labels *labels);
size_t series_labels_bytes(const struct series_labels *s);
