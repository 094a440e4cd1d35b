noinst_LIBRARIES += libconfig.a
libconfig_a_SOURCES = \
	src/config/config_alerting.h \
	src/config/config_check.h \
	src/config/config_file.h \
	src/config/config_http.h \
	src/config/config_print.h \
	src/config/config_relabel.h \
	src/config/config_remote.h \
	src/config/config_rules.h \
	src/config/config_scrape.h \
	src/config/config_sd.h \
	src/config/decode.c src/config/decode.h
