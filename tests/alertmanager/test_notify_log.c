#include "alertmanager/notify_log.h"

#include "tests/lib/test.h"

/* Sets of alerts as letters: "ab" is two of them. */
static size_t hashes_of(const char *letters, uint64_t *out)
{
	size_t n = strlen(letters);
	for (size_t i = 0; i < n; i++)
		out[i] = (uint64_t)letters[n - 1 - i] * 0x9e3779b97f4a7c15u;
	notify_log_sort(out, n);
	return n;
}

struct state_buffer {
	uint64_t firing[8], resolved[8];
	struct notify_state s;
};

static const struct notify_state *state_of(struct state_buffer *b, const char *firing, const char *resolved)
{
	b->s = (struct notify_state){.firing = b->firing, .resolved = b->resolved};
	b->s.n_firing = hashes_of(firing, b->firing);
	b->s.n_resolved = hashes_of(resolved, b->resolved);
	return &b->s;
}

static void decisions(void **state)
{
	static const struct {
		const char *name, *old_firing, *old_resolved; /* NULL: no entry; said at 1000 */
		const char *firing, *resolved;
		bool send_resolved;
		int64_t tick;
		enum notify_reason want;
	} cases[] = {
	    {"unknown and firing", NULL, NULL, "a", "", true, 1100, NOTIFY_FIRST},
	    {"unknown and resolved", NULL, NULL, "", "a", true, 1100, NOTIFY_NOTHING},
	    {"after the end", "", "a", "a", "", true, 1100, NOTIFY_FIRST},
	    {"one more", "a", "", "ab", "", true, 1100, NOTIFY_NEW_ALERTS},
	    {"another", "a", "", "b", "a", true, 1100, NOTIFY_NEW_ALERTS},
	    {"all over", "ab", "", "", "ab", true, 1100, NOTIFY_ALL_RESOLVED},
	    {"all over, not to be sent", "ab", "", "", "ab", false, 1100, NOTIFY_ALL_RESOLVED},
	    {"over and said", "", "ab", "", "ab", true, 9100, NOTIFY_NOTHING},
	    {"one over", "ab", "", "a", "b", true, 1100, NOTIFY_SOME_RESOLVED},
	    {"one over, not to be sent", "ab", "", "a", "b", false, 1100, NOTIFY_NOTHING},
	    {"one gone without a word", "ab", "", "a", "", true, 1100, NOTIFY_NOTHING},
	    {"the same, early", "a", "", "a", "", true, 2000, NOTIFY_NOTHING},
	    {"the same, late", "a", "", "a", "", true, 2001, NOTIFY_REPEAT},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct notify_log log;
		struct state_buffer old, now;
		notify_log_init(&log);
		if (cases[i].old_firing)
			notify_log_set(&log, SL("k"),
			    state_of(&old, cases[i].old_firing, cases[i].old_resolved), 1000, 9999);
		check_int(cases[i].name,
		    notify_log_decide(&log, SL("k"), state_of(&now, cases[i].firing, cases[i].resolved),
			cases[i].send_resolved, cases[i].tick, 1000),
		    cases[i].want);
		notify_log_done(&log);
	}
}

static void an_older_entry_does_not_replace(void **state)
{
	(void)state;
	struct notify_log log;
	struct state_buffer b;
	notify_log_init(&log);
	notify_log_set(&log, SL("k"), state_of(&b, "a", ""), 1000, 2000);
	notify_log_set(&log, SL("k"), state_of(&b, "", ""), 900, 5000);
	check_int("still known", notify_log_decide(&log, SL("k"), state_of(&b, "a", ""), true, 1001, 1000),
	    NOTIFY_NOTHING);
	notify_log_set(&log, SL("other"), state_of(&b, "a", ""), 1000, 9000);
	notify_log_gc(&log, 2000);
	check_int("one expired", log.entries.len, 1);
	check_int("forgotten", notify_log_decide(&log, SL("k"), state_of(&b, "a", ""), true, 1001, 1000),
	    NOTIFY_FIRST);
	notify_log_done(&log);
}

static void reasons_have_upstreams_words(void **state)
{
	(void)state;
	check_str("first", slice_cstr(notify_reason_text(NOTIFY_FIRST)), "first notification");
	check_str("repeat", slice_cstr(notify_reason_text(NOTIFY_REPEAT)), "repeat interval elapsed");
	check_str("some", slice_cstr(notify_reason_text(NOTIFY_SOME_RESOLVED)), "some alerts resolved");
}

TEST_MAIN("notify_log", cmocka_unit_test(decisions), cmocka_unit_test(an_older_entry_does_not_replace),
    cmocka_unit_test(reasons_have_upstreams_words))
