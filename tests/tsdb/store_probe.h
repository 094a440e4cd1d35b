/* What the tests of the store share: opening it, writing a sample, reading everything back as text. */
#pragma once

#include "model/labels.h"
#include "tests/lib/test.h"
#include "tsdb/tsdb.h"

/* The system's files without syncs, which are slow and which a test that kills nothing does not need. Process-wide. */
struct fs *probe_fs(void);

/* Opens a store on the virtual clock `clock` in `dir`; fails the test when that fails. `o` (NULL: defaults) is the
 * rest; its file system NULL means probe_fs(). */
struct tsdb *probe_open(const char *dir, struct clock *clock, const struct tsdb_options *o);
/* One sample in a transaction of its own, by labels. */
enum append_result probe_add(struct tsdb *db, const struct labels *labels, int64_t t_ms, double v);
enum append_result probe_add_histogram(
    struct tsdb *db, const struct labels *labels, int64_t t_ms, const struct histogram *h);
/* Every series that matches, sorted by labels, one line each: {labels} t=v t=v ...; values in hexadecimal bits. The caller
 * frees it. */
char *probe_dump(
    struct queryable *q, const struct matcher *const *matchers, size_t n, int64_t min_t_ms, int64_t max_t_ms);
char *probe_dump_newest(
    struct queryable *q, const struct matcher *const *matchers, size_t n, int64_t min_t_ms, int64_t max_t_ms);
/* The samples of a column from index `from` on, as above. */
void probe_print_column(struct strbuf *out, const struct sample_column *c, size_t from);
/* Label names, or the values of `name`, joined by commas. The caller frees it. */
char *probe_names(struct queryable *q, const char *name, const struct matcher *const *matchers, size_t n);
