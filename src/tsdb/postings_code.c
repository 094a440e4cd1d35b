/* The stored form of a set: a kind byte and what follows it to the end; the empty set has no bytes at all.
 *
 *   LIST    varint first, then varint (difference - 1) for each other
 *   RUNS    pairs of varints: first (then: gap behind the last run - 2), length - 1
 *   BITMAP  varint number of the first word, then 64-bit little-endian words
 */
#include "base/attr.h"
#include "base/byte_reader.h"
#include "base/varint.h"
#include "tsdb/postings.h"

enum stored_kind { STORED_LIST, STORED_RUNS, STORED_BITMAP };

/* A walk over the set as runs. */
struct run_walk {
	struct postings_iter it;
	bool inline_run; /* still to be given */
	uint32_t refs[256];
	size_t n, pos;
};

static void run_walk_init(struct run_walk *w, const struct postings *p)
{
	postings_iter_init(&w->it, p);
	w->inline_run = p->n == 0 && p->is_set;
	w->n = w->pos = 0;
}

static bool walk_ref(struct run_walk *w, uint32_t *ref)
{
	if (w->pos == w->n) {
		w->n = postings_iter_next(&w->it, w->refs, ARRAY_LEN(w->refs));
		w->pos = 0;
	}
	if (w->n == 0)
		return false;
	*ref = w->refs[w->pos];
	return true;
}

static bool run_walk_next(struct run_walk *w, uint32_t *first, uint32_t *last)
{
	const struct postings *p = w->it.p;
	if (p->n == 0) {
		bool give = w->inline_run;
		w->inline_run = false;
		*first = p->run.first;
		*last = p->run.last;
		return give;
	}
	if (!walk_ref(w, first))
		return false;
	*last = *first;
	w->pos++;
	for (uint32_t ref; walk_ref(w, &ref) && ref == *last + 1; w->pos++)
		*last = ref;
	return true;
}

static void stored_sizes(const struct postings *p, uint32_t *first_ref, size_t size[3])
{
	struct run_walk w;
	uint32_t first, last, before = 0;
	size_t runs = 0;
	size[STORED_LIST] = size[STORED_RUNS] = 0;
	run_walk_init(&w, p);
	for (; run_walk_next(&w, &first, &last); runs++, before = last) {
		if (runs == 0)
			*first_ref = first;
		size[STORED_LIST] += varint_size(runs ? first - before - 1 : first) + (last - first);
		size[STORED_RUNS] +=
		    varint_size(runs ? first - before - 2 : first) + varint_size(last - first);
	}
	size[STORED_BITMAP] =
	    varint_size(*first_ref >> 6) + 8 * (size_t)((before >> 6) - (*first_ref >> 6) + 1);
}

static void write_runs(const struct postings *p, enum stored_kind kind, struct strbuf *out)
{
	struct run_walk w;
	uint32_t first, last, before = 0;
	bool is_first = true;
	run_walk_init(&w, p);
	for (; run_walk_next(&w, &first, &last); is_first = false, before = last) {
		if (kind == STORED_RUNS) {
			varint_add(out, is_first ? first : first - before - 2);
			varint_add(out, last - first);
			continue;
		}
		varint_add(out, is_first ? first : first - before - 1);
		for (uint32_t i = first; i < last; i++)
			strbuf_addch(out, 0);
	}
}

static void add_word(struct strbuf *out, uint64_t word)
{
	for (unsigned i = 0; i < 8; i++)
		strbuf_addch(out, (char)(word >> (8 * i)));
}

static void write_bitmap(const struct postings *p, uint32_t first_ref, struct strbuf *out)
{
	struct postings_iter it;
	uint32_t refs[256], at = first_ref >> 6;
	uint64_t word = 0;
	varint_add(out, at);
	postings_iter_init(&it, p);
	for (size_t n; (n = postings_iter_next(&it, refs, ARRAY_LEN(refs))) > 0;)
		for (size_t i = 0; i < n; i++) {
			for (; at < refs[i] >> 6; at++, word = 0)
				add_word(out, word);
			word |= UINT64_C(1) << (refs[i] & 63);
		}
	add_word(out, word);
}

void postings_encode(const struct postings *p, struct strbuf *out)
{
	uint32_t first_ref = 0;
	size_t size[3];
	if (postings_is_empty(p))
		return;
	stored_sizes(p, &first_ref, size);
	enum stored_kind kind = size[STORED_RUNS] <= size[STORED_LIST] ? STORED_RUNS : STORED_LIST;
	if (size[STORED_BITMAP] < size[kind])
		kind = STORED_BITMAP;
	strbuf_addch(out, (char)kind);
	if (kind == STORED_BITMAP)
		write_bitmap(p, first_ref, out);
	else
		write_runs(p, kind, out);
}

static int corrupt(struct err *err, const char *what)
{
	return err_set(err, ERR_CORRUPT, "postings: %s", what);
}

static int decode_list(struct postings *p, struct byte_reader *r, uint32_t limit, struct err *err)
{
	uint64_t ref = read_varint(r);
	for (;;) {
		if (r->failed || ref >= limit)
			return corrupt(err, "a series beyond the last");
		postings_add(p, (uint32_t)ref);
		if (byte_reader_done(r))
			return 0;
		uint64_t gap = read_varint(r);
		if (gap >= limit)
			return corrupt(err, "a series beyond the last");
		ref += gap + 1;
	}
}

static int decode_runs(struct postings *p, struct byte_reader *r, uint32_t limit, struct err *err)
{
	for (uint64_t next = 0; !byte_reader_done(r);) {
		uint64_t gap = read_varint(r), length = read_varint(r);
		if (r->failed || gap >= limit || length >= limit || next + gap + length >= limit)
			return corrupt(err, "a series beyond the last");
		uint64_t first = next + gap;
		postings_add_range(p, (uint32_t)first, (uint32_t)(first + length));
		next = first + length + 2;
	}
	return 0;
}

static int decode_bitmap(struct postings *p, struct byte_reader *r, uint32_t limit, struct err *err)
{
	uint64_t at = read_varint(r);
	for (; !byte_reader_done(r); at++) {
		uint64_t word = read_u64(r);
		if (r->failed || at > UINT32_MAX >> 6)
			return corrupt(err, "a torn bitmap");
		for (; word; word &= word - 1) {
			uint64_t ref = at << 6 | (uint64_t)__builtin_ctzll(word);
			if (ref >= limit)
				return corrupt(err, "a series beyond the last");
			postings_add(p, (uint32_t)ref);
		}
	}
	return r->failed ? corrupt(err, "a torn bitmap") : 0;
}

int postings_decode(struct postings *p, struct slice in, uint32_t limit, struct err *err)
{
	static int (*const decode[])(struct postings *, struct byte_reader *, uint32_t, struct err *) = {
	    [STORED_LIST] = decode_list, [STORED_RUNS] = decode_runs, [STORED_BITMAP] = decode_bitmap};
	struct byte_reader r;
	if (in.len == 0)
		return 0;
	byte_reader_init(&r, in);
	uint8_t kind = read_u8(&r);
	if (kind >= ARRAY_LEN(decode) || byte_reader_done(&r))
		return corrupt(err, "unknown kind");
	int rc = decode[kind](p, &r, limit, err);
	if (rc)
		postings_done(p);
	return rc;
}
