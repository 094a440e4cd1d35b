#include "tests/lib/script_start.h"

#include "model/duration.h"
#include <string.h>

enum { MAX_REPEAT = 100000 };

/* Where the "@st" stands, behind the labels or the name; line.len when it does not. */
static size_t find_mark(struct slice line)
{
	for (size_t i = 1; i + 4 <= line.len; i++) {
		if (memcmp(line.ptr + i, "@st ", 4) == 0)
			return i;
	}
	return line.len;
}

bool script_is_starts(struct slice line)
{
	return find_mark(line) < line.len;
}

static void push(struct arena *arena, struct script_starts *s, bool missing, int64_t offset_ms)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 16;
		int64_t *offsets = ARENA_ARRAY(arena, int64_t, cap);
		bool *gaps = ARENA_ARRAY(arena, bool, cap);
		if (s->n) {
			memcpy(offsets, s->offset_ms, s->n * sizeof(*offsets));
			memcpy(gaps, s->missing, s->n * sizeof(*gaps));
		}
		s->offset_ms = offsets;
		s->missing = gaps;
		s->cap = cap;
	}
	s->offset_ms[s->n] = offset_ms;
	s->missing[s->n++] = missing;
}

/* "x12" at the end of an item, cut off; false: there is none. */
static bool take_repeat(struct slice *item, size_t *n)
{
	size_t at = slice_find(*item, 'x');

	*n = 0;
	if (at == item->len || at + 1 == item->len)
		return false;
	for (size_t i = at + 1; i < item->len; i++) {
		if (item->ptr[i] < '0' || item->ptr[i] > '9' || *n > MAX_REPEAT)
			return false;
		*n = *n * 10 + (size_t)(item->ptr[i] - '0');
	}
	item->len = at;
	return true;
}

/* A duration with an optional sign, up to the next sign or the end; the rest stays in *item. */
static int take_offset(struct slice *item, int64_t *ms, struct err *err)
{
	bool negative = item->len && item->ptr[0] == '-';
	size_t from = item->len && (item->ptr[0] == '-' || item->ptr[0] == '+'), to = from;

	while (to < item->len && item->ptr[to] != '-' && item->ptr[to] != '+')
		to++;
	int rc = duration_parse(slice_of(item->ptr + from, to - from), ms, err);
	if (negative)
		*ms = -*ms;
	*item = slice_from(*item, to);
	return rc;
}

static int parse_item(struct arena *arena, struct slice item, struct script_starts *out, struct err *err)
{
	struct slice all = item;
	int64_t offset_ms = 0, step_ms = 0;
	size_t n;
	bool repeated = take_repeat(&item, &n);

	if (slice_eq_cstr(item, "_") && (!repeated || n > 0)) {
		for (size_t i = 0; i < (repeated ? n : 1); i++)
			push(arena, out, true, 0);
		return 0;
	}
	int rc = take_offset(&item, &offset_ms, err);
	if (rc == 0 && item.len && repeated)
		rc = take_offset(&item, &step_ms, err);
	if (rc || item.len)
		return err_set(err, ERR_INVALID, "bad start timestamp \"%" SL_FMT "\"", SL_ARG(all));
	for (size_t i = 0; i <= (repeated ? n : 0); i++)
		push(arena, out, false, offset_ms + (int64_t)i * step_ms);
	return 0;
}

int script_starts_parse(struct arena *arena, struct slice line, struct script_starts *out, struct err *err)
{
	struct slice rest = slice_from(line, find_mark(line) + 3);
	struct script_starts starts = {.n = 0};

	for (rest = slice_trim(rest); rest.len; rest = slice_trim(rest)) {
		size_t len = slice_find(rest, ' ');
		int rc = parse_item(arena, slice_of(rest.ptr, len), &starts, err);
		if (rc)
			return rc;
		rest = slice_from(rest, len);
	}
	*out = starts;
	return 0;
}

int64_t script_start_of(const struct script_starts *s, size_t i, int64_t t_ms)
{
	return i < s->n && !s->missing[i] ? t_ms + s->offset_ms[i] : 0;
}
