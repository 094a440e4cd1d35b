#include "alertmanager/notification.h"

const char *notification_status(const struct notification *n)
{
	for (size_t i = 0; i < n->n_alerts; i++)
		if (!n->alerts[i].is_resolved)
			return "firing";
	return "resolved";
}

static const struct labels *side(const struct notification *n, size_t i, bool annotations)
{
	return annotations ? n->alerts[i].alert->annotations : n->alerts[i].alert->labels;
}

/* Starts from the first alert and drops what another one has not, or has differently. */
static const struct labels *common(const struct notification *n, struct arena *arena, bool annotations)
{
	if (n->n_alerts == 0)
		return &labels_empty;
	const struct labels *first = side(n, 0, annotations);
	struct label *l = ARENA_ARRAY(arena, struct label, first->n);
	size_t len = 0;
	for (uint32_t k = 0; k < first->n; k++)
		l[len++] = first->l[k];
	for (size_t i = 1; i < n->n_alerts && len > 0; i++) {
		size_t kept = 0;
		for (size_t k = 0; k < len; k++)
			if (slice_eq(labels_get(side(n, i, annotations), l[k].name), l[k].value))
				l[kept++] = l[k];
		len = kept;
	}
	return labels_from_sorted(arena, l, len);
}

const struct labels *notification_common_labels(const struct notification *n, struct arena *arena)
{
	return common(n, arena, false);
}

const struct labels *notification_common_annotations(const struct notification *n, struct arena *arena)
{
	return common(n, arena, true);
}

struct slice notification_quote_receiver(struct arena *arena, struct slice name)
{
	char *out = arena_alloc(arena, 2 * name.len + 1);
	size_t n = 0;
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] && strchr("\\.+*?()|[]{}^$", name.ptr[i]))
			out[n++] = '\\';
		out[n++] = name.ptr[i];
	}
	return slice_of(out, n);
}
