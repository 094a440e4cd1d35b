#include "model/exemplar.h"

#include "base/utf8.h"
#include "model/stale_marker.h"

static size_t count_runes(struct slice s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++)
		n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
	return n;
}

int exemplar_check(const struct labels *labels, struct err *err)
{
	size_t runes = 0;
	LABELS_EACH (l, labels) {
		if (!label_name_valid(l->name))
			return err_set(
			    err, ERR_INVALID, "invalid label name \"%" SL_FMT "\"", SL_ARG(l->name));
		if (!utf8_valid(l->value))
			return err_set(err, ERR_INVALID, "value of label \"%" SL_FMT "\" is not valid UTF-8",
			    SL_ARG(l->name));
		runes += count_runes(l->name) + count_runes(l->value);
		if (runes > EXEMPLAR_MAX_RUNES)
			return err_set(err, ERR_LIMIT,
			    "label length for exemplar exceeds maximum of %d UTF-8 characters",
			    EXEMPLAR_MAX_RUNES);
	}
	return 0;
}

int exemplar_cmp(const struct exemplar *a, const struct exemplar *b)
{
	if (a->t_ms != b->t_ms)
		return a->t_ms < b->t_ms ? -1 : 1;
	if (a->v < b->v || a->v > b->v)
		return a->v < b->v ? -1 : 1;
	uint64_t x = double_bits(a->v), y = double_bits(b->v);
	if (x != y)
		return x < y ? -1 : 1;
	return labels_cmp(a->labels, b->labels);
}

bool exemplar_same(const struct exemplar *a, const struct exemplar *b)
{
	bool same_time = a->t_ms == b->t_ms || (!a->has_time && !b->has_time);
	return same_time && double_bits(a->v) == double_bits(b->v) && labels_eq(a->labels, b->labels);
}
