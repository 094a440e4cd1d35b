unit_tests += tests/main/test_options
tests_main_test_options_SOURCES = tests/main/test_options.c
