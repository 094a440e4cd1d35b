/* Expressions as text. The canonical form is what the API shows of rules; it parses to the same tree. The
 * pretty form is that of /api/v1/format_query. Thread-safe. */
#pragma once

#include "base/strbuf.h"
#include "promql/ast.h"

enum { AST_PRETTY_LINE = 100 }; /* what the API uses */

/* One line. */
void ast_print(struct strbuf *out, const struct expr *e);
/* Parts that would be longer than `max_line` characters go to indented lines of their own. */
void ast_print_pretty(struct strbuf *out, const struct expr *e, size_t max_line);
