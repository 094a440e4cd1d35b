noinst_LIBRARIES += libpromql.a
libpromql_a_SOURCES = \
	src/promql/ast.c src/promql/ast.h \
	src/promql/ast_build.c src/promql/ast_build.h \
	src/promql/ast_print.c src/promql/ast_print.h \
	src/promql/engine.h \
	src/promql/fold.c \
	src/promql/functions.c src/promql/functions.h src/promql/functions_table.h \
	src/promql/lex_glue.c src/promql/lex_glue.h \
	src/promql/parse.c src/promql/parse.h src/promql/parse_priv.h \
	src/promql/prepare.c src/promql/prepare.h \
	src/promql/query_result.h \
	src/promql/string_literal.c src/promql/string_literal.h \
	src/promql/typecheck.c

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
