# tests of web
unit_tests += tests/web/test_api_json tests/web/test_api_params tests/web/test_api_query \
	tests/web/test_api_rules tests/web/test_api_targets tests/web/test_federate \
	tests/web/test_query_watch tests/web/test_web
web_fixture = tests/web/web_fixture.c tests/web/web_fixture.h
tests_web_test_api_json_SOURCES = tests/web/test_api_json.c
tests_web_test_api_params_SOURCES = tests/web/test_api_params.c
tests_web_test_api_query_SOURCES = tests/web/test_api_query.c $(web_fixture)
tests_web_test_api_rules_SOURCES = tests/web/test_api_rules.c $(web_fixture)
tests_web_test_api_targets_SOURCES = tests/web/test_api_targets.c $(web_fixture)
tests_web_test_federate_SOURCES = tests/web/test_federate.c $(web_fixture)
tests_web_test_query_watch_SOURCES = tests/web/test_query_watch.c $(web_fixture)
tests_web_test_web_SOURCES = tests/web/test_web.c $(web_fixture)
unit_tests += tests/web/test_api_alerts_v2
tests_web_test_api_alerts_v2_SOURCES = tests/web/test_api_alerts_v2.c \
	tests/alertmanager/router_fixture.c tests/alertmanager/router_fixture.h
unit_tests += tests/web/test_api_exemplars
tests_web_test_api_exemplars_SOURCES = tests/web/test_api_exemplars.c $(web_fixture)
