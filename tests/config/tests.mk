unit_tests += tests/config/test_alert_matcher tests/config/test_config_alertmanager
tests_config_test_alert_matcher_SOURCES = tests/config/test_alert_matcher.c
tests_config_test_config_alertmanager_SOURCES = tests/config/test_config_alertmanager.c
unit_tests += tests/config/test_decode tests/config/test_config_conformance tests/config/test_config_file \
	tests/config/test_config_print
tests_config_test_decode_SOURCES = tests/config/test_decode.c tests/config/config_fixture.h
tests_config_test_config_conformance_SOURCES = tests/config/test_config_conformance.c tests/config/config_fixture.h
tests_config_test_config_file_SOURCES = tests/config/test_config_file.c tests/config/config_fixture.h
tests_config_test_config_print_SOURCES = tests/config/test_config_print.c tests/config/config_fixture.h
unit_tests += tests/config/test_config_http tests/config/test_config_sections
tests_config_test_config_http_SOURCES = tests/config/test_config_http.c tests/config/config_fixture.h
tests_config_test_config_sections_SOURCES = tests/config/test_config_sections.c tests/config/config_fixture.h
