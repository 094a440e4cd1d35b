unit_tests += tests/promql/test_ast_print tests/promql/test_parse tests/promql/test_prepare \
	tests/promql/test_series_notation tests/promql/test_string_literal
tests_promql_test_ast_print_SOURCES = tests/promql/test_ast_print.c
tests_promql_test_parse_SOURCES = tests/promql/test_parse.c
unit_tests += tests/promql/test_engine
tests_promql_test_engine_SOURCES = tests/promql/test_engine.c
tests_promql_test_prepare_SOURCES = tests/promql/test_prepare.c
tests_promql_test_series_notation_SOURCES = tests/promql/test_series_notation.c
tests_promql_test_string_literal_SOURCES = tests/promql/test_string_literal.c

# Not a test itself: runs the scripts it is given.
check_PROGRAMS += tests/promqltest
tests_promqltest_SOURCES = tests/promqltest.c
unit_tests += tests/promql/test_script
tests_promql_test_script_SOURCES = tests/promql/test_script.c
