noinst_LIBRARIES += libconfig.a
libconfig_a_SOURCES = \
	src/config/decode.c src/config/decode.h
