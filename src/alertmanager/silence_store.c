#include "alertmanager/silence_store.h"

#include "base/lock.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "config/alert_matcher.h"
#include <stdlib.h>
#include <sys/random.h>

/* Each silence has an arena of its own, so that an edit of comment or end replaces one small block. */
struct stored_silence {
	struct arena *arena;
	struct silence s;
};
VEC_DEFINE(silence_vec, struct stored_silence *);

struct silence_store {
	struct rwlock lock;
	int64_t retention_ms;
	struct silence_vec all; /* SILENCES, in the order of their making */
};

struct silence_store *silence_store_new(int64_t retention_ms)
{
	struct silence_store *s = xcalloc(1, sizeof(*s));
	rwlock_init(&s->lock, LOCK_SILENCES, "silences");
	s->retention_ms = retention_ms;
	return s;
}

static void stored_free(struct stored_silence *x)
{
	arena_free(x->arena);
	free(x);
}

void silence_store_free(struct silence_store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->all.len; i++)
		stored_free(s->all.v[i]);
	silence_vec_done(&s->all);
	rwlock_done(&s->lock);
	free(s);
}

enum silence_state silence_state_at(const struct silence *s, int64_t now_ms)
{
	if (now_ms < s->starts_at_ms)
		return SILENCE_PENDING;
	return now_ms > s->ends_at_ms ? SILENCE_EXPIRED : SILENCE_ACTIVE;
}

/* --- copies ------------------------------------------------------------------------------------------------------ */
static int copy_matchers(struct arena *arena, const struct silence *from, struct silence *to, struct err *err)
{
	const struct matcher **v = ARENA_ARRAY(arena, const struct matcher *, from->n_matchers);
	for (size_t i = 0; i < from->n_matchers; i++) {
		const struct matcher *m = from->matchers[i];
		int rc = alert_matcher_new(arena, m->op, m->name, m->value, &v[i], err);
		if (rc)
			return rc;
	}
	to->matchers = v;
	return 0;
}

/* All of `from` into the arena; matchers are made anew, because a matcher lives as long as its arena. */
static int silence_copy(struct arena *arena, const struct silence *from, struct silence *to, struct err *err)
{
	*to = *from;
	to->id = arena_slice(arena, from->id);
	to->created_by = arena_slice(arena, from->created_by);
	to->comment = arena_slice(arena, from->comment);
	to->annotations = from->annotations ? labels_copy_to(arena, from->annotations) : NULL;
	return copy_matchers(arena, from, to, err);
}

static int stored_new(const struct silence *from, struct stored_silence **out, struct err *err)
{
	struct stored_silence *x = xcalloc(1, sizeof(*x));
	x->arena = arena_new(ARENA_NO_LIMIT);
	int rc = silence_copy(x->arena, from, &x->s, err);
	if (rc) {
		stored_free(x);
		return rc;
	}
	*out = x;
	return 0;
}

/* --- validation -------------------------------------------------------------------------------------------------- */
/* Negative matchers count as not matching the empty string, as in Alertmanager. */
static bool matches_empty(const struct matcher *m)
{
	if (m->op == MATCH_EQUAL)
		return m->value.len == 0;
	return m->op == MATCH_REGEX && matcher_matches_empty(m);
}

static int check_matchers(const struct silence *s, struct err *err)
{
	if (s->n_matchers == 0)
		return err_set(err, ERR_INVALID, "invalid silence: at least one matcher required");
	bool all_match_empty = true;
	for (size_t i = 0; i < s->n_matchers; i++) {
		const struct matcher *m = s->matchers[i];
		if (!label_name_valid(m->name))
			return err_set(err, ERR_INVALID,
			    "invalid silence: invalid label matcher %zu: invalid label name \"%" SL_FMT "\"",
			    i, SL_ARG(m->name));
		if (!utf8_valid(m->value))
			return err_set(err, ERR_INVALID,
			    "invalid silence: invalid label matcher %zu: invalid label value", i);
		all_match_empty &= matches_empty(m);
	}
	if (all_match_empty)
		return err_set(err, ERR_INVALID,
		    "invalid silence: at least one matcher must not match the empty string");
	return 0;
}

static int check_silence(const struct silence *s, struct err *err)
{
	int rc = check_matchers(s, err);
	if (rc)
		return rc;
	if (s->starts_at_ms == 0)
		return err_set(err, ERR_INVALID, "invalid silence: invalid zero start timestamp");
	if (s->ends_at_ms == 0)
		return err_set(err, ERR_INVALID, "invalid silence: invalid zero end timestamp");
	if (s->ends_at_ms < s->starts_at_ms)
		return err_set(err, ERR_INVALID, "invalid silence: end time must not be before start time");
	return 0;
}

/* --- changes ----------------------------------------------------------------------------------------------------- */
static void make_uuid(char id[static 37])
{
	unsigned char b[16];
	while (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		;
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	static const char hex[] = "0123456789abcdef";
	char *p = id;
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = hex[b[i] >> 4];
		*p++ = hex[b[i] & 15];
	}
	*p = '\0';
}

/* The place in the list, or SIZE_MAX. */
static size_t find_id(const struct silence_store *s, struct slice id)
{
	for (size_t i = 0; i < s->all.len; i++)
		if (slice_eq(s->all.v[i]->s.id, id))
			return i;
	return SIZE_MAX;
}

static bool same_matchers(const struct silence *a, const struct silence *b)
{
	if (a->n_matchers != b->n_matchers)
		return false;
	for (size_t i = 0; i < a->n_matchers; i++)
		if (alert_matcher_cmp(a->matchers[i], b->matchers[i]) != 0)
			return false;
	return true;
}

/* Whether the edit may keep the id: it must not rewrite what has been in force. */
static bool may_edit(const struct silence *old, const struct silence *fresh, int64_t now_ms)
{
	if (!same_matchers(old, fresh))
		return false;
	switch (silence_state_at(old, now_ms)) {
	case SILENCE_ACTIVE:
		return old->starts_at_ms / 1000 == fresh->starts_at_ms / 1000 && fresh->ends_at_ms >= now_ms;
	case SILENCE_PENDING:
		return fresh->starts_at_ms >= now_ms;
	case SILENCE_EXPIRED:
		return false;
	}
	return false;
}

static void expire(struct silence *s, int64_t now_ms)
{
	switch (silence_state_at(s, now_ms)) {
	case SILENCE_EXPIRED:
		return;
	case SILENCE_PENDING:
		s->starts_at_ms = now_ms;
		break;
	case SILENCE_ACTIVE:
		break;
	}
	s->ends_at_ms = now_ms;
	s->updated_at_ms = now_ms;
}

/* A new silence, or an edit that becomes one. */
static int set_new(
    struct silence_store *s, struct silence fresh, int64_t now_ms, char id[static 37], struct err *err)
{
	if (fresh.starts_at_ms < now_ms)
		fresh.starts_at_ms = now_ms;
	int rc = check_silence(&fresh, err);
	struct stored_silence *x;
	make_uuid(id);
	fresh.id = slice_of(id, 36);
	if (rc == 0)
		rc = stored_new(&fresh, &x, err);
	if (rc == 0)
		silence_vec_push(&s->all, x);
	return rc;
}

static int set_locked(
    struct silence_store *s, const struct silence *given, int64_t now_ms, char id[static 37], struct err *err)
{
	struct silence fresh = *given;
	fresh.updated_at_ms = now_ms;
	if (given->id.len == 0)
		return set_new(s, fresh, now_ms, id, err);
	size_t at = find_id(s, given->id);
	if (at == SIZE_MAX)
		return err_set(err, ERR_NOT_FOUND, "silence not found");
	struct silence *old = &s->all.v[at]->s;
	if (!may_edit(old, &fresh, now_ms)) {
		int rc = set_new(s, fresh, now_ms, id, err);
		if (rc == 0)
			expire(&s->all.v[at]->s, now_ms);
		return rc;
	}
	struct stored_silence *x;
	int rc = check_silence(&fresh, err);
	if (rc == 0)
		rc = stored_new(&fresh, &x, err);
	if (rc)
		return rc;
	memcpy(id, old->id.ptr, 36);
	id[36] = '\0';
	stored_free(s->all.v[at]);
	s->all.v[at] = x;
	return 0;
}

int silence_store_set(struct silence_store *s, const struct silence *silence, int64_t now_ms,
    char id[static 37], struct err *err)
{
	rwlock_write(&s->lock);
	int rc = set_locked(s, silence, now_ms, id, err);
	rwlock_release(&s->lock);
	return rc;
}

int silence_store_expire(struct silence_store *s, struct slice id, int64_t now_ms, struct err *err)
{
	rwlock_write(&s->lock);
	size_t at = find_id(s, id);
	if (at != SIZE_MAX)
		expire(&s->all.v[at]->s, now_ms);
	rwlock_release(&s->lock);
	return at == SIZE_MAX ? err_set(err, ERR_NOT_FOUND, "silence not found") : 0;
}

void silence_store_gc(struct silence_store *s, int64_t now_ms)
{
	rwlock_write(&s->lock);
	size_t kept = 0;
	for (size_t i = 0; i < s->all.len; i++) {
		if (s->all.v[i]->s.ends_at_ms + s->retention_ms > now_ms)
			s->all.v[kept++] = s->all.v[i];
		else
			stored_free(s->all.v[i]);
	}
	s->all.len = kept;
	rwlock_release(&s->lock);
}

/* --- questions --------------------------------------------------------------------------------------------------- */
int silence_store_get(
    struct silence_store *s, struct slice id, struct arena *arena, struct silence *out, struct err *err)
{
	rwlock_read(&s->lock);
	size_t at = find_id(s, id);
	int rc = at == SIZE_MAX ? err_set(err, ERR_NOT_FOUND, "silence not found")
				: silence_copy(arena, &s->all.v[at]->s, out, err);
	rwlock_release(&s->lock);
	return rc;
}

struct listed {
	const struct silence *s;
	enum silence_state state;
};

static int listing_order(const void *pa, const void *pb)
{
	const struct listed *a = pa, *b = pb;
	if (a->state != b->state)
		return a->state < b->state ? -1 : 1;
	int64_t x = a->state == SILENCE_PENDING ? a->s->starts_at_ms : a->s->ends_at_ms;
	int64_t y = a->state == SILENCE_PENDING ? b->s->starts_at_ms : b->s->ends_at_ms;
	int order = (x > y) - (x < y);
	return a->state == SILENCE_EXPIRED ? -order : order;
}

void silence_store_list(
    struct silence_store *s, int64_t now_ms, struct arena *arena, const struct silence **out, size_t *n)
{
	rwlock_read(&s->lock);
	struct listed *order = ARENA_ARRAY(arena, struct listed, s->all.len);
	for (size_t i = 0; i < s->all.len; i++)
		order[i] = (struct listed){&s->all.v[i]->s, silence_state_at(&s->all.v[i]->s, now_ms)};
	if (s->all.len > 1)
		qsort(order, s->all.len, sizeof(*order), listing_order);
	struct silence *copies = ARENA_ARRAY(arena, struct silence, s->all.len);
	*n = 0;
	for (size_t i = 0; i < s->all.len; i++)
		*n += silence_copy(arena, order[i].s, &copies[*n], NULL) == 0;
	rwlock_release(&s->lock);
	*out = copies;
}

static bool silence_matches(const struct silence *s, const struct labels *ls)
{
	for (size_t i = 0; i < s->n_matchers; i++)
		if (!matcher_matches_labels(s->matchers[i], ls))
			return false;
	return true;
}

size_t silence_store_match(struct silence_store *s, const struct labels *ls, int64_t now_ms,
    struct arena *arena, const struct slice **ids)
{
	struct slice *found = NULL;
	size_t n = 0;
	rwlock_read(&s->lock);
	for (size_t i = 0; i < s->all.len; i++) {
		const struct silence *x = &s->all.v[i]->s;
		if (silence_state_at(x, now_ms) != SILENCE_ACTIVE || !silence_matches(x, ls))
			continue;
		if (!found)
			found = ARENA_ARRAY(arena, struct slice, s->all.len - i);
		found[n++] = arena_slice(arena, x->id);
	}
	rwlock_release(&s->lock);
	*ids = found;
	return n;
}

bool silence_store_any_active(struct silence_store *s, int64_t now_ms)
{
	bool any = false;
	rwlock_read(&s->lock);
	for (size_t i = 0; i < s->all.len && !any; i++)
		any = silence_state_at(&s->all.v[i]->s, now_ms) == SILENCE_ACTIVE;
	rwlock_release(&s->lock);
	return any;
}
