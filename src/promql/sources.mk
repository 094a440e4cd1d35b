noinst_LIBRARIES += libpromql.a
libpromql_a_SOURCES = \
	src/promql/engine.h \
	src/promql/query_result.h
