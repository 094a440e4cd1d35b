# tests of tsdb
unit_tests += tests/tsdb/test_chunk_xor
tests_tsdb_test_chunk_xor_SOURCES = tests/tsdb/test_chunk_xor.c
unit_tests += tests/tsdb/test_slab
tests_tsdb_test_slab_SOURCES = tests/tsdb/test_slab.c
unit_tests += tests/tsdb/test_postings
tests_tsdb_test_postings_SOURCES = tests/tsdb/test_postings.c
unit_tests += tests/tsdb/test_chunk_column
tests_tsdb_test_chunk_column_SOURCES = tests/tsdb/test_chunk_column.c
unit_tests += tests/tsdb/test_manifest
tests_tsdb_test_manifest_SOURCES = tests/tsdb/test_manifest.c
unit_tests += tests/tsdb/test_part
tests_tsdb_test_part_SOURCES = tests/tsdb/test_part.c
# the store
unit_tests += tests/tsdb/test_tsdb_model
tests_tsdb_test_tsdb_model_SOURCES = tests/tsdb/test_tsdb_model.c tests/tsdb/store_probe.c tests/tsdb/store_probe.h
unit_tests += tests/tsdb/test_tsdb_crash
tests_tsdb_test_tsdb_crash_SOURCES = tests/tsdb/test_tsdb_crash.c tests/tsdb/store_probe.c tests/tsdb/store_probe.h
unit_tests += tests/tsdb/test_tsdb
tests_tsdb_test_tsdb_SOURCES = tests/tsdb/test_tsdb.c tests/tsdb/store_probe.c tests/tsdb/store_probe.h
unit_tests += tests/tsdb/test_tsdb_threads
tests_tsdb_test_tsdb_threads_SOURCES = tests/tsdb/test_tsdb_threads.c tests/tsdb/store_probe.c tests/tsdb/store_probe.h
unit_tests += tests/tsdb/test_tag_table
tests_tsdb_test_tag_table_SOURCES = tests/tsdb/test_tag_table.c
unit_tests += tests/tsdb/test_head_index
tests_tsdb_test_head_index_SOURCES = tests/tsdb/test_head_index.c
unit_tests += tests/tsdb/test_wal_record
tests_tsdb_test_wal_record_SOURCES = tests/tsdb/test_wal_record.c
