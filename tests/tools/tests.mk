# tests of tools
unit_tests += tests/tools/test_promq
tests_tools_test_promq_SOURCES = tests/tools/test_promq.c
tests_tools_test_promq_LDADD = libtools.a $(LDADD)
unit_tests += tests/tools/test_promq_rules
tests_tools_test_promq_rules_SOURCES = tests/tools/test_promq_rules.c
tests_tools_test_promq_rules_LDADD = libtools.a $(LDADD)
unit_tests += tests/tools/test_promq_tsdb
tests_tools_test_promq_tsdb_SOURCES = tests/tools/test_promq_tsdb.c tests/tsdb/store_probe.c tests/tsdb/store_probe.h
tests_tools_test_promq_tsdb_LDADD = libtools.a $(LDADD)
