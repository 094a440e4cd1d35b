# The server: everything but main() is a library, for the tests.
noinst_LIBRARIES += libmain.a
libmain_a_SOURCES = \
	src/main/options.c src/main/options.h src/main/options_table.h
