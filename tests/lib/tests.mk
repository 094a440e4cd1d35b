check_LIBRARIES = libtestlib.a
libtestlib_a_SOURCES = tests/lib/test.h tests/lib/test.c
libtestlib_a_SOURCES += tests/lib/stream_gen.h tests/lib/stream_gen.c
libtestlib_a_SOURCES += tests/lib/cases.h tests/lib/cases.c
libtestlib_a_SOURCES += tests/lib/script_promql.h tests/lib/script_promql.c tests/lib/script_priv.h \
	tests/lib/script_load.c tests/lib/script_compare.c tests/lib/script_pin.c \
	tests/lib/script_start.h tests/lib/script_start.c
libtestlib_a_SOURCES += tests/lib/reference_promql.h tests/lib/reference_priv.h tests/lib/reference_promql.c \
	tests/lib/reference_select.c tests/lib/reference_range.c tests/lib/reference_rate.c tests/lib/reference_call.c \
	tests/lib/reference_label.c tests/lib/reference_histogram.c tests/lib/reference_aggregate.c \
	tests/lib/reference_binary.c
libtestlib_a_SOURCES += tests/lib/power_cut.h tests/lib/power_cut.c
libtestlib_a_SOURCES += tests/lib/promql_generator.h tests/lib/promql_generator.c tests/lib/promql_generator_data.c
libtestlib_a_SOURCES += tests/lib/promql_coverage.h tests/lib/promql_coverage.c
