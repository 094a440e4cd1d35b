unit_tests += tests/storage/test_mem_store
tests_storage_test_mem_store_SOURCES = tests/storage/test_mem_store.c
unit_tests += tests/storage/test_merge_series
tests_storage_test_merge_series_SOURCES = tests/storage/test_merge_series.c
unit_tests += tests/storage/test_sample_column
tests_storage_test_sample_column_SOURCES = tests/storage/test_sample_column.c
