unit_tests += tests/base/test_arena tests/base/test_compress tests/base/test_counters \
	tests/base/test_crc32c tests/base/test_double_text tests/base/test_fs tests/base/test_hash \
	tests/base/test_hashtab tests/base/test_heap tests/base/test_json tests/base/test_json_read \
	tests/base/test_letter_case tests/base/test_lock tests/base/test_log tests/base/test_scheduler \
	tests/base/test_sha2 tests/base/test_thread_pool tests/base/test_utf8 tests/base/test_yaml
tests_base_test_arena_SOURCES = tests/base/test_arena.c
unit_tests += tests/base/test_strbuf
tests_base_test_strbuf_SOURCES = tests/base/test_strbuf.c
tests_base_test_compress_SOURCES = tests/base/test_compress.c
tests_base_test_counters_SOURCES = tests/base/test_counters.c
tests_base_test_crc32c_SOURCES = tests/base/test_crc32c.c
tests_base_test_double_text_SOURCES = tests/base/test_double_text.c
tests_base_test_fs_SOURCES = tests/base/test_fs.c
tests_base_test_hash_SOURCES = tests/base/test_hash.c
tests_base_test_hashtab_SOURCES = tests/base/test_hashtab.c
tests_base_test_heap_SOURCES = tests/base/test_heap.c
tests_base_test_json_SOURCES = tests/base/test_json.c
tests_base_test_json_read_SOURCES = tests/base/test_json_read.c
tests_base_test_letter_case_SOURCES = tests/base/test_letter_case.c
tests_base_test_lock_SOURCES = tests/base/test_lock.c
tests_base_test_log_SOURCES = tests/base/test_log.c
tests_base_test_scheduler_SOURCES = tests/base/test_scheduler.c
tests_base_test_sha2_SOURCES = tests/base/test_sha2.c
tests_base_test_thread_pool_SOURCES = tests/base/test_thread_pool.c
tests_base_test_utf8_SOURCES = tests/base/test_utf8.c
tests_base_test_yaml_SOURCES = tests/base/test_yaml.c
unit_tests += tests/base/test_power_cut
tests_base_test_power_cut_SOURCES = tests/base/test_power_cut.c
