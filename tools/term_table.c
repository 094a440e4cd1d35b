#include "tools/term_table.h"
#include "base/double_text.h"
#include "base/json.h"
#include "base/utf8.h"
#include "base/vec.h"

struct column {
	struct slice title;
	bool is_number;
	size_t width; /* in characters */
};

VEC_DEFINE(column_vec, struct column);
VEC_DEFINE(cell_vec, struct slice);

struct term_table {
	struct arena *arena;
	struct column_vec columns;
	struct cell_vec cells; /* row by row, each of columns.len */
	size_t filled;         /* cells of the last row */
};

static void free_vectors(void *table)
{
	struct term_table *t = (struct term_table *)table;
	column_vec_done(&t->columns);
	cell_vec_done(&t->cells);
}

struct term_table *term_table_new(struct arena *arena)
{
	struct term_table *t = ARENA_NEW(arena, struct term_table);
	t->arena = arena;
	arena_at_free(arena, free_vectors, t);
	return t;
}

static size_t width_of(struct slice text)
{
	size_t n = 0, len;
	for (size_t i = 0; i < text.len; i += len, n++)
		utf8_decode(slice_from(text, i), &len);
	return n;
}

void term_table_column(struct term_table *t, struct slice title, bool is_number)
{
	column_vec_push(
	    &t->columns, (struct column){arena_slice(t->arena, title), is_number, width_of(title)});
}

void term_table_row(struct term_table *t)
{
	for (size_t i = 0; i < t->columns.len; i++)
		cell_vec_push(&t->cells, SL_EMPTY);
	t->filled = 0;
}

void term_table_cell(struct term_table *t, struct slice text)
{
	if (t->filled == t->columns.len)
		return;
	struct column *c = &t->columns.v[t->filled];
	t->cells.v[t->cells.len - t->columns.len + t->filled++] = arena_slice(t->arena, text);
	size_t width = width_of(text);
	if (width > c->width)
		c->width = width;
}

size_t term_table_rows(const struct term_table *t)
{
	return t->columns.len ? t->cells.len / t->columns.len : 0;
}

/* --- for people --- */

static void pad(struct strbuf *out, size_t n)
{
	while (n-- > 0)
		strbuf_addch(out, ' ');
}

static void add_on_one_line(struct strbuf *out, struct slice text, bool capitals)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c == '\n' || c == '\r' || c == '\t')
			c = ' ';
		strbuf_addch(out, capitals && c >= 'a' && c <= 'z' ? (char)(c - 32) : c);
	}
}

static void trim_end(struct strbuf *out, size_t from)
{
	while (out->len > from && out->ptr[out->len - 1] == ' ')
		out->len--;
}

static struct slice cell_at(const struct term_table *t, size_t row, size_t column)
{
	return t->cells.v[row * t->columns.len + column];
}

/* `row` -1: the titles. */
static void print_line(struct strbuf *out, const struct term_table *t, ptrdiff_t row)
{
	size_t from = out->len;
	for (size_t i = 0; i < t->columns.len; i++) {
		const struct column *c = &t->columns.v[i];
		struct slice text = row < 0 ? c->title : cell_at(t, (size_t)row, i);
		size_t gap = c->width - width_of(text);
		if (i)
			pad(out, 2);
		if (c->is_number)
			pad(out, gap);
		add_on_one_line(out, text, row < 0);
		if (!c->is_number)
			pad(out, gap);
	}
	trim_end(out, from);
	strbuf_addch(out, '\n');
}

void term_table_print(struct strbuf *out, const struct term_table *t)
{
	for (ptrdiff_t row = -1; row < (ptrdiff_t)term_table_rows(t); row++)
		print_line(out, t, row);
}

/* --- CSV --- */

static void print_csv_cell(struct strbuf *out, struct slice text)
{
	bool plain = slice_find(text, ',') == text.len && slice_find(text, '"') == text.len &&
		     slice_find(text, '\n') == text.len && slice_find(text, '\r') == text.len;
	if (plain) {
		strbuf_add_slice(out, text);
		return;
	}
	strbuf_addch(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"')
			strbuf_addch(out, '"');
		strbuf_addch(out, text.ptr[i]);
	}
	strbuf_addch(out, '"');
}

void term_table_print_csv(struct strbuf *out, const struct term_table *t)
{
	for (ptrdiff_t row = -1; row < (ptrdiff_t)term_table_rows(t); row++) {
		for (size_t i = 0; i < t->columns.len; i++) {
			if (i)
				strbuf_addch(out, ',');
			print_csv_cell(out, row < 0 ? t->columns.v[i].title : cell_at(t, (size_t)row, i));
		}
		strbuf_addch(out, '\n');
	}
}

/* --- JSON --- */

/* "min time": minTime */
static const char *key_of(struct arena *arena, struct slice title)
{
	char *key = arena_strdup(arena, title);
	size_t n = 0;
	bool begins = false;
	for (size_t i = 0; i < title.len; i++) {
		char c = key[i];
		if (c == ' ') {
			begins = true;
			continue;
		}
		key[n++] = begins && c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
		begins = false;
	}
	key[n] = '\0';
	return key;
}

static void print_json_cell(struct json *j, const struct column *c, struct slice text)
{
	double v;
	if (c->is_number && double_parse(text, &v) && text.ptr[0] != '+')
		json_raw(j, text);
	else
		json_string(j, text);
}

void term_table_print_json(struct strbuf *out, const struct term_table *t)
{
	struct json j;
	json_init(&j, out);
	json_array_begin(&j);
	for (size_t row = 0; row < term_table_rows(t); row++) {
		json_object_begin(&j);
		for (size_t i = 0; i < t->columns.len; i++) {
			struct slice text = cell_at(t, row, i);
			if (!text.len)
				continue;
			json_key(&j, key_of(t->arena, t->columns.v[i].title));
			print_json_cell(&j, &t->columns.v[i], text);
		}
		json_object_end(&j);
	}
	json_array_end(&j);
	strbuf_addch(out, '\n');
}
