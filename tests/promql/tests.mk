unit_tests += tests/promql/test_ast_print tests/promql/test_parse tests/promql/test_prepare \
	tests/promql/test_series_notation tests/promql/test_string_literal
tests_promql_test_ast_print_SOURCES = tests/promql/test_ast_print.c
tests_promql_test_parse_SOURCES = tests/promql/test_parse.c
unit_tests += tests/promql/test_engine
tests_promql_test_engine_SOURCES = tests/promql/test_engine.c
tests_promql_test_prepare_SOURCES = tests/promql/test_prepare.c
tests_promql_test_series_notation_SOURCES = tests/promql/test_series_notation.c
tests_promql_test_string_literal_SOURCES = tests/promql/test_string_literal.c

unit_tests += tests/promql/test_range_summaries
tests_promql_test_range_summaries_SOURCES = tests/promql/test_range_summaries.c

# Not a test itself: runs the scripts it is given.
check_PROGRAMS += tests/promqltest
tests_promqltest_SOURCES = tests/promqltest.c
unit_tests += tests/promql/test_script
tests_promql_test_script_SOURCES = tests/promql/test_script.c
unit_tests += tests/promql/test_window tests/promql/test_range_func tests/promql/test_quantile tests/promql/test_classic_histogram \
	tests/promql/test_columns tests/promql/test_func_time tests/promql/test_label_groups tests/promql/test_value_matrix tests/promql/test_annotations
tests_promql_test_window_SOURCES = tests/promql/test_window.c
tests_promql_test_range_func_SOURCES = tests/promql/test_range_func.c tests/promql/range_naive.c tests/promql/range_naive.h
tests_promql_test_quantile_SOURCES = tests/promql/test_quantile.c
tests_promql_test_classic_histogram_SOURCES = tests/promql/test_classic_histogram.c
tests_promql_test_columns_SOURCES = tests/promql/test_columns.c
tests_promql_test_func_time_SOURCES = tests/promql/test_func_time.c
tests_promql_test_label_groups_SOURCES = tests/promql/test_label_groups.c
tests_promql_test_value_matrix_SOURCES = tests/promql/test_value_matrix.c
tests_promql_test_annotations_SOURCES = tests/promql/test_annotations.c
unit_tests += tests/promql/test_engine_property
tests_promql_test_engine_property_SOURCES = tests/promql/test_engine_property.c
unit_tests += tests/promql/test_sample_account
tests_promql_test_sample_account_SOURCES = tests/promql/test_sample_account.c
unit_tests += tests/promql/test_shared_series
tests_promql_test_shared_series_SOURCES = tests/promql/test_shared_series.c
# Random expressions: 5,000 in `make check`, 200,000 here (DIFF_COUNT, TEST_SEED: tests/promql/test_differential.c).
unit_tests += tests/promql/test_differential
tests_promql_test_differential_SOURCES = tests/promql/test_differential.c
.PHONY: check-promql-fuzz
check-promql-fuzz: tests/promql/test_differential
	$(AM_V_at)DIFF_COUNT=$${DIFF_COUNT:-200000} tests/promql/test_differential
unit_tests += tests/promql/test_query_gate tests/promql/test_active_queries tests/promql/test_query_log tests/promql/test_slow_queries \
	tests/promql/test_duration_summary tests/promql/test_explain tests/promql/test_query_limits
tests_promql_test_query_gate_SOURCES = tests/promql/test_query_gate.c
tests_promql_test_active_queries_SOURCES = tests/promql/test_active_queries.c
tests_promql_test_query_log_SOURCES = tests/promql/test_query_log.c
tests_promql_test_slow_queries_SOURCES = tests/promql/test_slow_queries.c
tests_promql_test_duration_summary_SOURCES = tests/promql/test_duration_summary.c
tests_promql_test_explain_SOURCES = tests/promql/test_explain.c
tests_promql_test_query_limits_SOURCES = tests/promql/test_query_limits.c
unit_tests += tests/promql/test_bad_queries
tests_promql_test_bad_queries_SOURCES = tests/promql/test_bad_queries.c
