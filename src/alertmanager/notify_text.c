#include "alertmanager/notify_text.h"

#include "base/utf8.h"

#define ELLIPSIS "\xe2\x80\xa6" /* U+2026 */

enum { ELLIPSIS_BYTES = 3 };

/* Bytes of the first `n` code points, or of all. */
static size_t bytes_of_runes(struct slice s, size_t n, bool *is_all)
{
	size_t at = 0, len;
	for (; n > 0 && at < s.len; n--) {
		utf8_decode(slice_from(s, at), &len);
		at += len;
	}
	*is_all = at == s.len;
	return at;
}

struct slice notify_truncate_runes(struct arena *arena, struct slice s, size_t n)
{
	bool is_all, unused;
	size_t whole = bytes_of_runes(s, n, &is_all);
	if (is_all)
		return s;
	if (n <= 3)
		return slice_of(s.ptr, whole);
	return arena_printf(arena, "%.*s" ELLIPSIS, (int)bytes_of_runes(s, n - 1, &unused), s.ptr);
}

struct slice notify_truncate_bytes(struct arena *arena, struct slice s, size_t n)
{
	if (s.len <= n)
		return s;
	if (n < ELLIPSIS_BYTES)
		return slice_of("..", n);
	size_t at = 0, len;
	while (at < s.len) {
		utf8_decode(slice_from(s, at), &len);
		if (at + len > n - ELLIPSIS_BYTES)
			break;
		at += len;
	}
	return arena_printf(arena, "%.*s" ELLIPSIS, (int)at, s.ptr);
}
