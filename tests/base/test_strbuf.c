#include "base/strbuf.h"
#include "tests/lib/test.h"

/* Whatever writes, nothing passes the bound, and overflow is noticed. */
static void the_bound_holds_for_every_writer(void **state)
{
	(void)state;
	for (size_t max = 0; max < 200; max++) {
		struct strbuf sb;
		strbuf_init(&sb, max);
		for (size_t i = 0; i < 250; i++) {
			strbuf_addch(&sb, 'x');
			if (i % 7 == 0)
				strbuf_cstr(&sb);
			if (sb.len > max)
				fail_msg("%zu bytes in a buffer of %zu", sb.len, max);
		}
		check_true("overflow is said", strbuf_overflowed(&sb));
		check_int("length", sb.len, max);
		check_int("text", strlen(strbuf_cstr(&sb)), max);
		strbuf_done(&sb);
	}
}

TEST_MAIN("strbuf", cmocka_unit_test(the_bound_holds_for_every_writer))
