unit_tests += tests/scrape/test_parse_text
tests_scrape_test_parse_text_SOURCES = tests/scrape/test_parse_text.c
