/* The index of a part: for each label name its values in byte order, for each value the ordinals of the
 * series that have it, and for each ordinal its labels. Built in memory while a part is written; read through
 * the page cache, piece by piece, so that an open part costs little memory. docs/formats/part.md has the
 * bytes. The reader is thread-safe, the builder not. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "model/labels.h"
#include "model/matcher.h"
#include "tsdb/page_file.h"
#include "tsdb/postings.h"

/* --- building --------------------------------------------------------------------------------------------- */
struct part_index_builder;

struct part_index_builder *part_index_builder_new(void);
void part_index_builder_free(struct part_index_builder *b);
/* The next ordinal gets these labels (copied). ERR_INVALID when they do not come after the previous ones in
 * labels_cmp() order; ERR_LIMIT above 2^31 series. */
MUST_CHECK int part_index_builder_add(
    struct part_index_builder *b, const struct labels *labels, struct err *err);
uint32_t part_index_builder_count(const struct part_index_builder *b);
void part_index_builder_write(struct part_index_builder *b, struct page_writer *w);

/* --- reading ---------------------------------------------------------------------------------------------- */
struct part_index;

/* Reads and checks the table of contents. `f` is borrowed and must outlive the index. */
MUST_CHECK int part_index_open(struct page_file *f, struct part_index **out, struct err *err);
void part_index_close(struct part_index *ix);

uint32_t part_index_series(const struct part_index *ix);
MUST_CHECK int part_index_select(struct part_index *ix, const struct matcher *const *matchers,
    size_t n_matchers, struct postings *out, struct err *err);
MUST_CHECK int part_index_labels(
    struct part_index *ix, uint32_t ordinal, struct arena *arena, const struct labels **out, struct err *err);
MUST_CHECK int part_index_find(
    struct part_index *ix, const struct labels *labels, uint32_t *ordinal, struct err *err);

/* As in tsdb/part_read.h; `among` NULL: all series. */
MUST_CHECK int part_index_each_name(
    struct part_index *ix, int (*each)(void *arg, struct slice name), void *arg, struct err *err);
MUST_CHECK int part_index_each_value(struct part_index *ix, struct slice name, const struct postings *among,
    int (*each)(void *arg, struct slice value, uint64_t series), void *arg, struct err *err);
