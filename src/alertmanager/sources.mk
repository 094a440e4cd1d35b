noinst_LIBRARIES += libalertmanager.a
libalertmanager_a_SOURCES = \
	src/alertmanager/alert_group.c src/alertmanager/alert_group.h \
	src/alertmanager/alert_store.c src/alertmanager/alert_store.h \
	src/alertmanager/dispatch.c src/alertmanager/dispatch.h \
	src/alertmanager/inhibit.c src/alertmanager/inhibit.h \
	src/alertmanager/mute_time.c src/alertmanager/mute_time.h \
	src/alertmanager/notification.c src/alertmanager/notification.h \
	src/alertmanager/notify_data.c src/alertmanager/notify_data.h \
	src/alertmanager/notify_defaults.c src/alertmanager/notify_defaults.h \
	src/alertmanager/notify_fields.c src/alertmanager/notify_fields.h \
	src/alertmanager/notify_funcs.c src/alertmanager/notify_funcs.h \
	src/alertmanager/notify_http.c src/alertmanager/notify_http.h \
	src/alertmanager/notify_log.c src/alertmanager/notify_log.h \
	src/alertmanager/notify_pagerduty.c src/alertmanager/notify_pagerduty.h \
	src/alertmanager/notify_pipeline.c src/alertmanager/notify_pipeline.h \
	src/alertmanager/notify_retry.c src/alertmanager/notify_retry.h \
	src/alertmanager/notify_slack.c src/alertmanager/notify_slack.h \
	src/alertmanager/notify_template.c src/alertmanager/notify_template.h \
	src/alertmanager/notify_text.c src/alertmanager/notify_text.h \
	src/alertmanager/notify_webhook.c src/alertmanager/notify_webhook.h \
	src/alertmanager/receiver.c src/alertmanager/receiver.h \
	src/alertmanager/route.c src/alertmanager/route.h \
	src/alertmanager/router.c src/alertmanager/router.h src/alertmanager/router_priv.h \
	src/alertmanager/router_list.c \
	src/alertmanager/router_metrics.c \
	src/alertmanager/silence_store.c src/alertmanager/silence_store.h
