unit_tests += tests/promql/test_ast_print tests/promql/test_parse
tests_promql_test_ast_print_SOURCES = tests/promql/test_ast_print.c
tests_promql_test_parse_SOURCES = tests/promql/test_parse.c
unit_tests += tests/promql/test_engine
tests_promql_test_engine_SOURCES = tests/promql/test_engine.c
