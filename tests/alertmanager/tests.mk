unit_tests += tests/alertmanager/test_router
tests_alertmanager_test_router_SOURCES = tests/alertmanager/test_router.c \
	tests/alertmanager/router_fixture.c tests/alertmanager/router_fixture.h
unit_tests += tests/alertmanager/test_alert_store tests/alertmanager/test_inhibit tests/alertmanager/test_notify_log \
	tests/alertmanager/test_route tests/alertmanager/test_silence_store
tests_alertmanager_test_alert_store_SOURCES = tests/alertmanager/test_alert_store.c
tests_alertmanager_test_inhibit_SOURCES = tests/alertmanager/test_inhibit.c
tests_alertmanager_test_notify_log_SOURCES = tests/alertmanager/test_notify_log.c
tests_alertmanager_test_route_SOURCES = tests/alertmanager/test_route.c
tests_alertmanager_test_silence_store_SOURCES = tests/alertmanager/test_silence_store.c
unit_tests += tests/alertmanager/test_mute_time
tests_alertmanager_test_mute_time_SOURCES = tests/alertmanager/test_mute_time.c
unit_tests += tests/alertmanager/test_notify_template
tests_alertmanager_test_notify_template_SOURCES = tests/alertmanager/test_notify_template.c
unit_tests += tests/alertmanager/test_notify_senders
tests_alertmanager_test_notify_senders_SOURCES = tests/alertmanager/test_notify_senders.c \
	tests/alertmanager/router_fixture.c tests/alertmanager/router_fixture.h
unit_tests += tests/alertmanager/test_router_threads
tests_alertmanager_test_router_threads_SOURCES = tests/alertmanager/test_router_threads.c
