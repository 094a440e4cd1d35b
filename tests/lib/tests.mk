check_LIBRARIES = libtestlib.a
libtestlib_a_SOURCES = tests/lib/test.h tests/lib/test.c
libtestlib_a_SOURCES += tests/lib/stream_gen.h tests/lib/stream_gen.c
libtestlib_a_SOURCES += tests/lib/cases.h tests/lib/cases.c
libtestlib_a_SOURCES += tests/lib/script_promql.h tests/lib/script_promql.c tests/lib/script_priv.h \
	tests/lib/script_load.c tests/lib/script_compare.c tests/lib/script_pin.c \
	tests/lib/script_start.h tests/lib/script_start.c
