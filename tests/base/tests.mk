unit_tests += tests/base/test_arena
tests_base_test_arena_SOURCES = tests/base/test_arena.c
