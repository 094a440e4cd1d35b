#include "tests/lib/test.h"

#include "promql/annotations.h"

static void test_texts(void **state)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct annotations a;
	(void)state;

	annotations_init(&a, arena, SL("sum(\n  rate(x[5m]))"));
	annotate_warning(&a, (struct ast_range){12, 17}, "odd %d", 1);
	annotate_warning(&a, (struct ast_range){12, 17}, "odd %d", 1);
	annotate_row_notes(
	    &a, (struct ast_range){0, 1}, NOTE_NOT_COUNTER | NOTE_MAYBE_NOT_COUNTER, SL("x"), "addition");
	annotate_row_notes(&a, (struct ast_range){0, 1}, NOTE_MAYBE_NOT_COUNTER, SL("x_total"), "addition");
	annotate_row_notes(&a, (struct ast_range){0, 1}, NOTE_BOUNDS_RECONCILED, SL("x"), "addition");
	check_int("each once", a.warnings.n, 2);
	check_slice("position", a.warnings.v[0], SL("PromQL warning: odd 1 (2:8)"));
	check_slice("counter", a.warnings.v[1],
	    SL("PromQL warning: this native histogram metric is not a counter: \"x\" (1:1)"));
	check_int("infos", a.infos.n, 2);
	check_slice("name", a.infos.v[0],
	    SL("PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "
	       "\"x\" (1:1)"));
	check_slice("operation", a.infos.v[1],
	    SL("PromQL info: mismatched custom buckets were reconciled during addition (1:1)"));
	arena_free(arena);
}

TEST_MAIN("annotations", cmocka_unit_test(test_texts))
