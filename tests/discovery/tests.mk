unit_tests += tests/discovery/test_static_sd
tests_discovery_test_static_sd_SOURCES = tests/discovery/test_static_sd.c
