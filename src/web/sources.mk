noinst_LIBRARIES += libweb.a
libweb_a_SOURCES = \
	src/web/api_admin.c \
	src/web/api_call.c src/web/api_call.h \
	src/web/api_json.c src/web/api_json.h \
	src/web/api_params.c \
	src/web/api_parse.c \
	src/web/api_exemplars.c src/web/api_query.c \
	src/web/api_rules.c \
	src/web/api_series.c \
	src/web/api_status.c \
	src/web/api_targets.c \
	src/web/federate.c \
	src/web/pages.c \
	src/web/providers.c src/web/providers.h \
	src/web/query_page.c src/web/query_page.h \
	src/web/query_watch.c src/web/query_watch.h \
	src/web/routes.c \
	src/web/web.c src/web/web.h src/web/web_priv.h
libweb_a_SOURCES += \
	src/web/alerts_v2_io.c src/web/alerts_v2_priv.h \
	src/web/alerts_v2_silences.c \
	src/web/api_alerts_v2.c src/web/api_alerts_v2.h
