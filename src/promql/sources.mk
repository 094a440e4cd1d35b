noinst_LIBRARIES += libpromql.a
libpromql_a_SOURCES = \
	src/promql/active_queries.c src/promql/active_queries.h \
	src/promql/aggregate.h \
	src/promql/annotations.c src/promql/annotations.h \
	src/promql/ast.c src/promql/ast.h \
	src/promql/ast_build.c src/promql/ast_build.h \
	src/promql/ast_print.c src/promql/ast_print.h \
	src/promql/binary_value.c src/promql/binary_value.h \
	src/promql/classic_histogram.c src/promql/classic_histogram.h \
	src/promql/columns.c src/promql/columns.h \
	src/promql/duration_summary.c src/promql/duration_summary.h \
	src/promql/engine.c src/promql/engine.h \
	src/promql/engine_metrics.c src/promql/engine_metrics.h \
	src/promql/eval.h \
	src/promql/eval_aggregate.c \
	src/promql/eval_aggregate_fold.c \
	src/promql/eval_aggregate_pick.c \
	src/promql/eval_aggregate_values.c \
	src/promql/eval_binary.c \
	src/promql/eval_call.c \
	src/promql/eval_match.c src/promql/eval_match.h \
	src/promql/eval_range.c \
	src/promql/eval_selector.c \
	src/promql/eval_subquery.c \
	src/promql/explain.c src/promql/explain.h \
	src/promql/fold.c \
	src/promql/func_extended.c \
	src/promql/func_histogram.c \
	src/promql/func_info.c \
	src/promql/func_label.c \
	src/promql/func_math.c src/promql/func_math.h \
	src/promql/func_over_time.c \
	src/promql/func_rate.c \
	src/promql/func_regression.c \
	src/promql/func_sort.c \
	src/promql/func_time.c src/promql/func_time.h \
	src/promql/functions.c src/promql/functions.h \
	src/promql/functions_table.h \
	src/promql/kahan.h \
	src/promql/label_groups.c src/promql/label_groups.h \
	src/promql/lex_glue.c src/promql/lex_glue.h \
	src/promql/parse.c src/promql/parse.h \
	src/promql/parse_priv.h \
	src/promql/prepare.c src/promql/prepare.h \
	src/promql/quantile.c src/promql/quantile.h \
	src/promql/query_gate.c src/promql/query_gate.h \
	src/promql/query_limits.c src/promql/query_limits.h \
	src/promql/query_log.c src/promql/query_log.h \
	src/promql/query_plan.c src/promql/query_plan.h \
	src/promql/query_record.c src/promql/query_record.h \
	src/promql/query_result.c src/promql/query_result.h \
	src/promql/range_func.c src/promql/range_func.h \
	src/promql/range_summaries.c src/promql/range_summaries.h \
	src/promql/result_build.c src/promql/result_build.h \
	src/promql/sample_account.c src/promql/sample_account.h \
	src/promql/series_reader.c src/promql/series_reader.h \
	src/promql/series_select.c src/promql/series_select.h \
	src/promql/shared_series.c src/promql/shared_series.h \
	src/promql/slow_queries.c src/promql/slow_queries.h \
	src/promql/source.c src/promql/source.h \
	src/promql/source_drain.c \
	src/promql/string_literal.c src/promql/string_literal.h \
	src/promql/typecheck.c \
	src/promql/value_matrix.c src/promql/value_matrix.h \
	src/promql/window.c src/promql/window.h

# Lexer and parser are made in the build folder and go into release archives; warnings are not asked for. Their objects
# become part of libpromql.a, because they and ours call each other.
EXTRA_LIBRARIES = libpromql_grammar.a
libpromql_grammar_a_CFLAGS = -std=gnu17 $(BASE_CFLAGS) $(SAN_FLAGS)
libpromql_grammar_a_SOURCES = \
	grammar/promql_grammar.c grammar/promql_grammar.h \
	grammar/promql_lexer.c grammar/promql_lexer.h
libpromql_a_LIBADD = $(libpromql_grammar_a_OBJECTS)
libpromql_a_DEPENDENCIES = $(libpromql_grammar_a_OBJECTS)
EXTRA_DIST += grammar/promql.y grammar/promql.l grammar/README.md
BUILT_SOURCES += grammar/promql_grammar.h grammar/promql_lexer.h
MAINTAINERCLEANFILES = grammar/promql_grammar.c grammar/promql_grammar.h grammar/promql_lexer.c grammar/promql_lexer.h

grammar/promql_grammar.c: $(srcdir)/grammar/promql.y
	$(AM_V_GEN)$(MKDIR_P) grammar && $(BISON) -o grammar/promql_grammar.c --header=grammar/promql_grammar.h \
		$(srcdir)/grammar/promql.y
grammar/promql_grammar.h: grammar/promql_grammar.c
grammar/promql_lexer.c: $(srcdir)/grammar/promql.l
	$(AM_V_GEN)$(MKDIR_P) grammar && $(FLEX) -o grammar/promql_lexer.c --header-file=grammar/promql_lexer.h \
		$(srcdir)/grammar/promql.l
grammar/promql_lexer.h: grammar/promql_lexer.c
src/promql/parse.$(OBJEXT) src/promql/lex_glue.$(OBJEXT) $(libpromql_grammar_a_OBJECTS): \
	grammar/promql_grammar.h grammar/promql_lexer.h
libpromql_a_SOURCES += src/promql/series_notation.c src/promql/series_notation.h
