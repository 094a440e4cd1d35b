/* Changes to a label set: a base plus sets and deletions, then a new set. One thread; reusable. */
#pragma once

#include "model/labels.h"

struct label_builder {
	struct arena *arena; /* borrowed: where new sets and copied text go */
	struct label *l;     /* sorted, current content */
	size_t n, cap;
};

/* Starts from `base` (NULL: empty); its text is borrowed. */
void label_builder_init(struct label_builder *b, struct arena *arena, const struct labels *base);
void label_builder_reset(struct label_builder *b, const struct labels *base);
/* An empty value deletes. Text is borrowed; label_builder_set_copy() copies it to the arena. */
void label_builder_set(struct label_builder *b, struct slice name, struct slice value);
void label_builder_set_copy(struct label_builder *b, struct slice name, struct slice value);
void label_builder_del(struct label_builder *b, struct slice name);
struct slice label_builder_get(const struct label_builder *b, struct slice name); /* empty when absent */
/* The set as it stands now; text is shared with what was put in. */
const struct labels *label_builder_labels(struct label_builder *b);
