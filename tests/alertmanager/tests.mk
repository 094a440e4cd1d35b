unit_tests += tests/alertmanager/test_router
tests_alertmanager_test_router_SOURCES = tests/alertmanager/test_router.c \
	tests/alertmanager/router_fixture.c tests/alertmanager/router_fixture.h
