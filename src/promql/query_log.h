/* The query log file (`global.query_log_file`): a JSON line per query that ran, with the members Prometheus writes. Lines are
 * added at the end of the file, whoever else cuts or moves it; each is written with one call. The owner locks. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "promql/query_record.h"

struct query_log;

/* Opens the file, makes it when it is not there. */
MUST_CHECK int query_log_open(struct fs *fs, const char *path, struct query_log **out, struct err *err);
void query_log_close(struct query_log *l); /* takes NULL */
/* False when the line could not be written. */
bool query_log_add(struct query_log *l, const struct query_record *r);
