noinst_LIBRARIES += libconfig.a
libconfig_a_SOURCES = \
	src/config/config_alerting.c src/config/config_alerting.h \
	src/config/config_check.c src/config/config_check.h \
	src/config/config_file.c src/config/config_file.h \
	src/config/config_http.c src/config/config_http.h \
	src/config/config_print.c src/config/config_print.h \
	src/config/config_relabel.c src/config/config_relabel.h \
	src/config/config_remote.c src/config/config_remote.h \
	src/config/config_rules.c src/config/config_rules.h \
	src/config/config_scrape.c src/config/config_scrape.h \
	src/config/config_sd.c src/config/config_sd.h \
	src/config/config_sections.c src/config/config_sections.h \
	src/config/decode.c src/config/decode.h \
	src/config/printer.c src/config/printer.h \
	src/config/sd_check.c src/config/sd_check.h \
	src/config/sd_check_kubernetes.c
