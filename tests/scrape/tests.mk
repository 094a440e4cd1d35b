unit_tests += tests/scrape/test_interval_stats
tests_scrape_test_interval_stats_SOURCES = tests/scrape/test_interval_stats.c
unit_tests += tests/scrape/test_parse_text
tests_scrape_test_parse_text_SOURCES = tests/scrape/test_parse_text.c
unit_tests += tests/scrape/test_scrape_loop
tests_scrape_test_scrape_loop_SOURCES = tests/scrape/test_scrape_loop.c tests/scrape/scrape_fixture.c \
	tests/scrape/scrape_fixture.h
unit_tests += tests/scrape/test_scrape_cache
tests_scrape_test_scrape_cache_SOURCES = tests/scrape/test_scrape_cache.c
unit_tests += tests/scrape/test_scrape_manager
tests_scrape_test_scrape_manager_SOURCES = tests/scrape/test_scrape_manager.c tests/scrape/scrape_fixture.c \
	tests/scrape/scrape_fixture.h
unit_tests += tests/scrape/test_target
tests_scrape_test_target_SOURCES = tests/scrape/test_target.c
unit_tests += tests/scrape/test_parse_openmetrics
tests_scrape_test_parse_openmetrics_SOURCES = tests/scrape/test_parse_openmetrics.c
