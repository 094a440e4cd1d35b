/* Label sets. Equality, order and hash look at the sorted pairs only; whether the text lies inside the block
 * or elsewhere is invisible. The hash runs over the byte stream name 0xff value 0xff ..., cut into pieces of
 * a fixed size, so that it depends on the content alone. */
#include "model/labels.h"

#include "base/hash.h"
#include "base/utf8.h"
#include "base/xmalloc.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>

const struct labels labels_empty = {.hash = UINT64_C(0x9e3779b97f4a7c15)};

/* --- hash
 * -----------------------------------------------------------------------------------------------------------
 */

/* Most sets are shorter than one piece: one call of the hash function. */
struct hasher {
	uint64_t h;
	size_t n;
	char piece[1024];
};

static void hasher_add(struct hasher *s, struct slice text)
{
	while (text.len > 0) {
		if (s->n == sizeof(s->piece)) {
			s->h = hash64_seed(s->piece, s->n, s->h);
			s->n = 0;
		}
		size_t room = sizeof(s->piece) - s->n;
		size_t take = text.len < room ? text.len : room;
		memcpy(s->piece + s->n, text.ptr, take);
		s->n += take;
		text = slice_from(text, take);
	}
}

static char *put_text(char *p, struct slice text)
{
	if (text.len > 0)
		memcpy(p, text.ptr, text.len);
	p[text.len] = '\xff';
	return p + text.len + 1;
}

static void hasher_add_label(struct hasher *s, const struct label *l)
{
	if (likely(l->name.len + l->value.len + 2 <= sizeof(s->piece) - s->n)) {
		char *p = put_text(s->piece + s->n, l->name);
		s->n = (size_t)(put_text(p, l->value) - s->piece);
		return;
	}
	hasher_add(s, l->name);
	hasher_add(s, SL("\xff"));
	hasher_add(s, l->value);
	hasher_add(s, SL("\xff"));
}

static uint64_t hasher_end(struct hasher *s)
{
	return hash64_seed(s->piece, s->n, s->h);
}

static uint64_t hash_pairs(const struct label *l, size_t n)
{
	if (n == 0)
		return labels_empty.hash;
	struct hasher s;
	s.h = 0;
	s.n = 0;
	for (size_t i = 0; i < n; i++)
		hasher_add_label(&s, &l[i]);
	return hasher_end(&s);
}

uint64_t labels_hash_on(const struct labels *ls, const struct slice *names, size_t n)
{
	struct hasher s;
	s.h = 0;
	s.n = 0;
	size_t k = 0;
	LABELS_EACH (l, ls) {
		while (k < n && slice_cmp(names[k], l->name) < 0)
			k++;
		if (k < n && slice_eq(names[k], l->name))
			hasher_add_label(&s, l);
	}
	return hasher_end(&s);
}

uint64_t labels_hash_ignoring(const struct labels *ls, const struct slice *names, size_t n, bool keep_name)
{
	struct hasher s;
	s.h = 0;
	s.n = 0;
	size_t k = 0;
	LABELS_EACH (l, ls) {
		while (k < n && slice_cmp(names[k], l->name) < 0)
			k++;
		bool ignored = k < n && slice_eq(names[k], l->name);
		if (!ignored && (keep_name || !slice_eq(l->name, SL(LABEL_NAME))))
			hasher_add_label(&s, l);
	}
	return hasher_end(&s);
}

uint64_t labels_fingerprint(const struct labels *ls)
{
	uint64_t h = UINT64_C(14695981039346656037);
	LABELS_EACH (l, ls) {
		const struct slice parts[] = {l->name, SL("\xff"), l->value, SL("\xff")};
		for (size_t p = 0; p < ARRAY_LEN(parts); p++)
			for (size_t i = 0; i < parts[p].len; i++)
				h = (h ^ (unsigned char)parts[p].ptr[i]) * UINT64_C(1099511628211);
	}
	return h;
}

/* --- making
 * ----------------------------------------------------------------------------------------------------------
 */

static void assert_sorted(const struct label *l, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert(l[i].value.len > 0);
		assert(i == 0 || slice_cmp(l[i - 1].name, l[i].name) < 0);
	}
}

const struct labels *labels_from_sorted(struct arena *arena, const struct label *l, size_t n)
{
	assert_sorted(l, n);
	struct labels *ls = (struct labels *)arena_alloc(arena, sizeof(*ls) + n * sizeof(ls->l[0]));
	*ls = (struct labels){.hash = hash_pairs(l, n), .n = (uint32_t)n};
	if (n > 0)
		memcpy(ls->l, l, n * sizeof(l[0]));
	return ls;
}

static int by_name(const void *a, const void *b)
{
	const struct label *x = (const struct label *)a, *y = (const struct label *)b;
	return slice_cmp(x->name, y->name);
}

int labels_from_pairs(
    struct arena *arena, const struct label *l, size_t n, const struct labels **out, struct err *err)
{
	struct labels *ls = (struct labels *)arena_alloc(arena, sizeof(*ls) + n * sizeof(ls->l[0]));
	if (n > 0)
		memcpy(ls->l, l, n * sizeof(l[0]));
	qsort(ls->l, n, sizeof(ls->l[0]), by_name);
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && slice_eq(ls->l[i].name, ls->l[i - 1].name))
			return err_set(err, ERR_INVALID, "label name \"%" SL_FMT "\" is not unique",
			    SL_ARG(ls->l[i].name));
	}
	for (size_t i = 0; i < n; i++)
		if (ls->l[i].value.len > 0)
			ls->l[kept++] = ls->l[i];
	ls->n = (uint32_t)kept;
	ls->bytes = 0;
	ls->hash = hash_pairs(ls->l, kept);
	*out = ls;
	return 0;
}

const struct labels *labels_of(struct arena *arena, ...)
{
	enum { MOST = 64 };
	struct label l[MOST];
	size_t n = 0;
	va_list ap;
	va_start(ap, arena);
	for (const char *name; (name = va_arg(ap, const char *));) {
		assert(n < MOST);
		l[n].name = slice_cstr(name);
		l[n].value = slice_cstr(va_arg(ap, const char *));
		n++;
	}
	va_end(ap);
	const struct labels *ls = &labels_empty;
	int rc = labels_from_pairs(arena, l, n, &ls, NULL);
	assert(rc == 0);
	return ls;
}

static size_t block_bytes(const struct labels *ls)
{
	size_t bytes = sizeof(*ls) + ls->n * sizeof(ls->l[0]);
	LABELS_EACH (l, ls)
		bytes += l->name.len + l->value.len;
	return bytes;
}

static char *copy_text(char *to, struct slice *s)
{
	if (s->len > 0)
		memcpy(to, s->ptr, s->len);
	s->ptr = to;
	return to + s->len;
}

static struct labels *fill_block(struct labels *to, const struct labels *from, size_t bytes)
{
	memcpy(to, from, sizeof(*from) + from->n * sizeof(from->l[0]));
	to->bytes = (uint32_t)bytes;
	char *text = (char *)(to->l + to->n);
	for (uint32_t i = 0; i < to->n; i++) {
		text = copy_text(text, &to->l[i].name);
		text = copy_text(text, &to->l[i].value);
	}
	return to;
}

struct labels *labels_copy(const struct labels *ls)
{
	size_t bytes = block_bytes(ls);
	return fill_block((struct labels *)xmalloc(bytes), ls, bytes);
}

void labels_free(struct labels *ls)
{
	free(ls);
}

const struct labels *labels_copy_to(struct arena *arena, const struct labels *ls)
{
	size_t bytes = block_bytes(ls);
	return fill_block((struct labels *)arena_alloc(arena, bytes), ls, bytes);
}

/* --- reading
 * ----------------------------------------------------------------------------------------------------------
 */

/* Sets are short: walking beats halving. */
static const struct label *find(const struct labels *ls, struct slice name)
{
	LABELS_EACH (l, ls) {
		if (slice_eq(l->name, name))
			return l;
	}
	return NULL;
}

struct slice labels_get(const struct labels *ls, struct slice name)
{
	const struct label *l = find(ls, name);
	return l ? l->value : SL_EMPTY;
}

bool labels_has(const struct labels *ls, struct slice name)
{
	return find(ls, name) != NULL;
}

struct slice labels_metric_name(const struct labels *ls)
{
	return labels_get(ls, SL(LABEL_NAME));
}

bool labels_eq(const struct labels *a, const struct labels *b)
{
	if (a == b)
		return true;
	if (a->hash != b->hash || a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (!slice_eq(a->l[i].name, b->l[i].name) || !slice_eq(a->l[i].value, b->l[i].value))
			return false;
	return true;
}

int labels_cmp(const struct labels *a, const struct labels *b)
{
	uint32_t n = a->n < b->n ? a->n : b->n;
	for (uint32_t i = 0; i < n; i++) {
		int c = slice_cmp(a->l[i].name, b->l[i].name);
		if (c == 0)
			c = slice_cmp(a->l[i].value, b->l[i].value);
		if (c != 0)
			return c;
	}
	return (a->n > b->n) - (a->n < b->n);
}

/* --- text
 * --------------------------------------------------------------------------------------------------------------
 */

static void print_pair(struct strbuf *out, const struct label *l, bool *any)
{
	if (*any)
		strbuf_adds(out, ", ");
	*any = true;
	if (label_name_valid_legacy(l->name))
		strbuf_add_slice(out, l->name);
	else
		utf8_quote_go(out, l->name);
	strbuf_addch(out, '=');
	utf8_quote_go(out, l->value);
}

void labels_print(struct strbuf *out, const struct labels *ls)
{
	bool any = false;
	strbuf_addch(out, '{');
	LABELS_EACH (l, ls)
		print_pair(out, l, &any);
	strbuf_addch(out, '}');
}

void labels_print_metric(struct strbuf *out, const struct labels *ls)
{
	struct slice name = labels_metric_name(ls);
	strbuf_add_slice(out, name);
	if (name.len > 0 && ls->n == 1)
		return;
	bool any = false;
	strbuf_addch(out, '{');
	LABELS_EACH (l, ls) {
		if (!slice_eq(l->name, SL(LABEL_NAME)))
			print_pair(out, l, &any);
	}
	strbuf_addch(out, '}');
}

/* --- names
 * --------------------------------------------------------------------------------------------------------------
 */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_legacy_name(struct slice s, bool colon_allowed)
{
	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool digit = c >= '0' && c <= '9' && i > 0;
		if (!is_letter(c) && !digit && !(colon_allowed && c == ':'))
			return false;
	}
	return true;
}

bool label_name_valid_legacy(struct slice s)
{
	return is_legacy_name(s, false);
}

bool metric_name_valid_legacy(struct slice s)
{
	return is_legacy_name(s, true);
}

bool label_name_valid(struct slice s)
{
	return s.len > 0 && utf8_valid(s);
}
