# The server: everything but main() is a library, for the tests.
noinst_LIBRARIES += libmain.a
libmain_a_SOURCES = \
	src/main/options.c src/main/options.h src/main/options_table.h \
	src/main/process_metrics.c src/main/process_metrics.h \
	src/main/reload.c src/main/reload.h \
	src/main/routing.c src/main/routing.h \
	src/main/store_provider.c src/main/store_provider.h \
	src/main/wire.c src/main/wire.h

bin_PROGRAMS += promqd
promqd_SOURCES = src/main/main.c
promqd_LDADD = $(PROMQ_LIBS) $(EXTERNAL_LIBS)
