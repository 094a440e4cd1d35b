noinst_LIBRARIES += libpromql.a
libpromql_a_SOURCES = \
	src/promql/ast.c src/promql/ast.h \
	src/promql/ast_print.h \
	src/promql/engine.h \
	src/promql/functions.c src/promql/functions.h src/promql/functions_table.h \
	src/promql/parse.h \
	src/promql/prepare.h \
	src/promql/query_result.h
