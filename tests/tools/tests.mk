# tests of tools
unit_tests += tests/tools/test_promq
tests_tools_test_promq_SOURCES = tests/tools/test_promq.c
tests_tools_test_promq_LDADD = libtools.a $(LDADD)
