# The command line.
noinst_LIBRARIES += libtools.a
libtools_a_SOURCES = \
	tools/api_ask.c \
	tools/arguments.c tools/arguments.h \
	tools/cli.c tools/cli.h \
	tools/cmd_check.c \
	tools/cmd_explain.c \
	tools/cmd_format.c \
	tools/cmd_query.c \
	tools/cmd_series.c \
	tools/cmd_tsdb.c tools/cmd_tsdb.h \
	tools/cmd_tsdb_analyze.c \
	tools/cmd_tsdb_backfill.c \
	tools/cmd_tsdb_bench.c \
	tools/cmd_tsdb_dump.c \
	tools/cmd_tsdb_list.c \
	tools/cmd_tsdb_repair.c \
	tools/cmd_tsdb_rules.c \
	tools/cmd_tsdb_verify.c \
	tools/commands.h \
	tools/term_table.c tools/term_table.h
bin_PROGRAMS += promq
promq_SOURCES = tools/promq.c
promq_LDADD = libtools.a $(PROMQ_LIBS) $(EXTERNAL_LIBS)
# Prints docs/promql.md.
noinst_PROGRAMS += tools/promql_manual
tools_promql_manual_SOURCES = tools/promql_manual.c
tools_promql_manual_LDADD = libpromql.a libstorage.a libmodel.a libnet.a libbase.a $(EXTERNAL_LIBS)
.PHONY: docs
docs: tools/promql_manual
	$(AM_V_GEN)tools/promql_manual > $(top_srcdir)/docs/promql.md
