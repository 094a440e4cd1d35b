/* Rows and columns as text: aligned for people, or CSV (RFC 4180). Cells are copied. One thread. */
#pragma once

#include "base/arena.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include <stdbool.h>

struct term_table;

/* Lives in the arena. */
struct term_table *term_table_new(struct arena *arena);
/* Before any row. Numbers stand at the right. */
void term_table_column(struct term_table *t, struct slice title, bool is_number);
/* Cells of a row from the left; missing ones are empty, too many are dropped. */
void term_table_row(struct term_table *t);
void term_table_cell(struct term_table *t, struct slice text);
size_t term_table_rows(const struct term_table *t);

/* Columns two blanks apart, no blanks at the end of a line; titles in capitals. Line breaks in cells
 * become blanks. */
void term_table_print(struct strbuf *out, const struct term_table *t);
/* Titles as they are, lines ended by \n. */
void term_table_print_csv(struct strbuf *out, const struct term_table *t);
/* An array with an object a row; titles are its keys ("min time": minTime), numbers are numbers, empty cells are left out. */
void term_table_print_json(struct strbuf *out, const struct term_table *t);
