unit_tests += tests/base/test_arena tests/base/test_crc32c tests/base/test_double_text tests/base/test_hash \
	tests/base/test_log tests/base/test_utf8
tests_base_test_arena_SOURCES = tests/base/test_arena.c
tests_base_test_crc32c_SOURCES = tests/base/test_crc32c.c
tests_base_test_double_text_SOURCES = tests/base/test_double_text.c
tests_base_test_hash_SOURCES = tests/base/test_hash.c
tests_base_test_log_SOURCES = tests/base/test_log.c
tests_base_test_utf8_SOURCES = tests/base/test_utf8.c
