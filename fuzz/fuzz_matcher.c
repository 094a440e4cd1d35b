/* Matchers in all three modes; what the strict parser reads is printed and read again. */
#include "config/alert_matcher.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of((const char *)data, size);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct alert_matcher_list list, again;
	struct slice note = SL_EMPTY;
	struct err err;
	if (alert_matcher_parse(text, ALERT_MATCHER_CLASSIC, arena, &list, &note, &err) == 0)
		assert(list.n <= size + 1);
	if (alert_matcher_parse(text, ALERT_MATCHER_FALLBACK, arena, &list, &note, &err) == 0)
		assert(list.n <= size + 1);
	if (alert_matcher_parse(text, ALERT_MATCHER_UTF8, arena, &list, &note, &err) == 0) {
		struct strbuf sb = STRBUF_INIT;
		alert_matchers_print(&sb, list.v, list.n);
		int rc =
		    alert_matcher_parse(strbuf_slice(&sb), ALERT_MATCHER_UTF8, arena, &again, &note, &err);
		/* An empty name prints to nothing, as upstream's does. */
		bool has_name = true;
		for (size_t i = 0; i < list.n; i++)
			has_name &= list.v[i]->name.len > 0;
		assert(!has_name || (rc == 0 && again.n == list.n));
		for (size_t i = 0; has_name && i < list.n; i++)
			assert(alert_matcher_cmp(list.v[i], again.v[i]) == 0);
		strbuf_done(&sb);
	}
	arena_free(arena);
	return 0;
}
