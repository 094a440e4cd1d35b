/* Addition and subtraction. Both sides are brought to one layout first: the wider zero bucket, the lower resolution, the
 * common custom bounds; then buckets are added index by index. */
#include "model/histogram_work.h"

/* What becomes of the reset hint when y is added to x. */
static enum histogram_hint add_hints(enum histogram_hint x, enum histogram_hint y, unsigned *notes)
{
	if (x == y)
		return x;
	if (x == HINT_GAUGE || y == HINT_GAUGE)
		return HINT_GAUGE;
	if (x != HINT_UNKNOWN && y != HINT_UNKNOWN)
		*notes |= HISTOGRAM_NOTE_RESET_CONFLICT;
	return HINT_UNKNOWN;
}

/* How many of y's indexes x lacks. */
static size_t count_missing(const struct bucket_list *x, const struct bucket_list *y)
{
	size_t missing = 0;
	for (size_t i = 0, k = 0; k < y->n; k++) {
		while (i < x->n && x->index[i] < y->index[k])
			i++;
		missing += i == x->n || x->index[i] != y->index[k];
	}
	return missing;
}

/* Opens gaps in x, from the end backwards, for the indexes only y has. */
static void make_room(struct arena *a, struct bucket_list *x, const struct bucket_list *y, size_t missing)
{
	struct bucket_list to = *x;
	if (x->n + missing > x->cap) {
		to.cap = (x->n + missing) * 2;
		to.index = (int32_t *)arena_alloc(a, to.cap * sizeof(to.index[0]));
		to.count = (struct comp_sum *)arena_alloc(a, to.cap * sizeof(to.count[0]));
	}
	to.n = x->n + missing;
	size_t i = x->n, k = y->n;
	for (size_t at = to.n; at-- > 0;) {
		bool from_y = i == 0 || (k > 0 && y->index[k - 1] > x->index[i - 1]);
		if (!from_y && k > 0 && y->index[k - 1] == x->index[i - 1])
			k--;
		to.index[at] = from_y ? y->index[k - 1] : x->index[i - 1];
		to.count[at] = from_y ? (struct comp_sum){0} : x->count[i - 1];
		if (from_y)
			k--;
		else
			i--;
	}
	*x = to;
}

static void add_lists(struct arena *a, struct bucket_list *x, const struct bucket_list *y, double sign)
{
	size_t missing = count_missing(x, y);
	if (missing > 0)
		make_room(a, x, y, missing);
	for (size_t i = 0, k = 0; k < y->n; k++) {
		while (x->index[i] < y->index[k])
			i++;
		comp_add(&x->count[i], sign * y->count[k].s);
	}
}

static void align_custom(struct histogram_work *x, struct histogram_work *y, unsigned *notes)
{
	if (histogram_same_bounds(x->custom, x->n_custom, y->custom, y->n_custom))
		return;
	*notes |= HISTOGRAM_NOTE_BOUNDS_RECONCILED;
	uint32_t n;
	const double *common = histogram_common_bounds(x->arena, x, y, &n);
	histogram_work_rebound(x, common, n);
	histogram_work_rebound(y, common, n);
}

static void align_exponential(struct histogram_work *x, struct histogram_work *y)
{
	while (x->zero_threshold != y->zero_threshold) {
		if (x->zero_threshold > y->zero_threshold)
			histogram_work_widen_zero(y, x->zero_threshold);
		if (y->zero_threshold > x->zero_threshold)
			histogram_work_widen_zero(x, y->zero_threshold);
	}
	histogram_work_reduce(x, y->schema);
	histogram_work_reduce(y, x->schema);
}

/* x += sign * y; y is scratch. False: exponential met custom. */
static bool work_add(struct histogram_work *x, struct histogram_work *y, double sign, unsigned *notes)
{
	bool custom = x->schema == HISTOGRAM_CUSTOM_SCHEMA;
	if (custom != (y->schema == HISTOGRAM_CUSTOM_SCHEMA))
		return false;
	x->hint = add_hints(x->hint, y->hint, notes);
	if (custom)
		align_custom(x, y, notes);
	else
		align_exponential(x, y);
	if (!custom)
		comp_add(&x->zero, sign * y->zero.s);
	comp_add(&x->count, sign * y->count.s);
	comp_add(&x->sum, sign * y->sum.s);
	add_lists(x->arena, &x->pos, &y->pos, sign);
	add_lists(x->arena, &x->neg, &y->neg, sign);
	return true;
}

static struct histogram *combine(
    struct arena *a, const struct histogram *x, const struct histogram *y, double sign, unsigned *notes)
{
	struct histogram_work wx = {.arena = a}, wy = {.arena = a};
	histogram_work_load(&wx, x);
	histogram_work_load(&wy, y);
	return work_add(&wx, &wy, sign, notes) ? histogram_work_store(&wx, a, comp_plain, 0) : NULL;
}

struct histogram *histogram_add(
    struct arena *a, const struct histogram *x, const struct histogram *y, unsigned *notes)
{
	return combine(a, x, y, 1, notes);
}

struct histogram *histogram_sub(
    struct arena *a, const struct histogram *x, const struct histogram *y, unsigned *notes)
{
	return combine(a, x, y, -1, notes);
}

/* --- long sums ------------------------------------------------------------------------------------------------------------ */

struct histogram_sum {
	struct histogram_work total;
	struct histogram_work next; /* its lists are reused for each summand */
	unsigned hints;             /* a bit for each that came */
};

struct histogram_sum *histogram_sum_new(struct arena *a, const struct histogram *first)
{
	struct histogram_sum *s = ARENA_NEW(a, struct histogram_sum);
	s->total.arena = s->next.arena = a;
	histogram_work_load(&s->total, histogram_copy(a, first));
	s->hints = 1u << first->hint;
	return s;
}

bool histogram_sum_add(struct histogram_sum *s, const struct histogram *h, unsigned *notes)
{
	const unsigned conflict = 1u << HINT_RESET | 1u << HINT_NOT_RESET;
	unsigned of_pair = 0;

	histogram_work_load(&s->next, h);
	bool fits = work_add(&s->total, &s->next, 1, &of_pair);
	s->hints |= 1u << h->hint;
	/* Summands that stand between the two do not hide that they contradict each other. */
	*notes |= of_pair & ~(unsigned)HISTOGRAM_NOTE_RESET_CONFLICT;
	if ((s->hints & conflict) == conflict)
		*notes |= HISTOGRAM_NOTE_RESET_CONFLICT;
	return fits;
}

struct histogram *histogram_sum_result(struct histogram_sum *s, struct arena *a)
{
	return histogram_work_store(&s->total, a, comp_total, 0);
}

struct histogram *histogram_sum_mean(struct histogram_sum *s, struct arena *a, double n)
{
	return histogram_work_store(&s->total, a, comp_mean, n);
}

/* --- counter resets ---------------------------------------------------------------------------------------------------------- */

/* Some populated bucket of `before` is smaller in `now`, or gone. */
static bool any_bucket_fell(const struct bucket_list *now, const struct bucket_list *before)
{
	for (size_t i = 0, k = 0; k < before->n; k++) {
		while (i < now->n && now->index[i] < before->index[k])
			i++;
		bool found = i < now->n && now->index[i] == before->index[k];
		if ((found ? now->count[i].s : 0) < before->count[k].s)
			return true;
	}
	return false;
}

static bool custom_reset(struct histogram_work *now, struct histogram_work *before)
{
	unsigned notes = 0;
	align_custom(now, before, &notes);
	return any_bucket_fell(&now->pos, &before->pos);
}

static bool exponential_reset(struct histogram_work *now, struct histogram_work *before)
{
	if (now->schema > before->schema || now->zero_threshold < before->zero_threshold)
		return true;
	double threshold = now->zero_threshold;
	if (threshold > before->zero_threshold)
		histogram_work_widen_zero(before, threshold);
	if (before->zero_threshold != threshold || now->zero.s < before->zero.s)
		return true;
	histogram_work_reduce(before, now->schema);
	return any_bucket_fell(&now->pos, &before->pos) || any_bucket_fell(&now->neg, &before->neg);
}

bool histogram_detect_reset(const struct histogram *h, const struct histogram *prev)
{
	if (h->hint == HINT_RESET || h->hint == HINT_NOT_RESET)
		return h->hint == HINT_RESET;
	if (h->count < prev->count || histogram_is_custom(h) != histogram_is_custom(prev))
		return true;
	struct arena *scratch = arena_new(ARENA_NO_LIMIT);
	struct histogram_work now = {.arena = scratch}, before = {.arena = scratch};
	histogram_work_load(&now, h);
	histogram_work_load(&before, prev);
	bool reset = histogram_is_custom(h) ? custom_reset(&now, &before) : exponential_reset(&now, &before);
	arena_free(scratch);
	return reset;
}
