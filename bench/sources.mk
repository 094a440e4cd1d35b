# The measuring programs (bench/README.md). Built by `make bench`.
EXTRA_PROGRAMS = bench/bench_codec bench/bench_promql bench/bench_rules
bench_bench_codec_SOURCES = bench/bench_codec.c bench/rwload.h bench/rwload_series.c
bench_bench_promql_SOURCES = bench/bench_promql.c
bench_bench_rules_SOURCES = bench/bench_rules.c
EXTRA_PROGRAMS += bench/bench_route
bench_bench_route_SOURCES = bench/bench_route.c
EXTRA_PROGRAMS += bench/bench_scrape
bench_bench_scrape_SOURCES = bench/bench_scrape.c
EXTRA_PROGRAMS += bench/bench_append
bench_bench_append_SOURCES = bench/bench_append.c
bench_bench_append_LDADD = $(PROMQ_LIBS) $(EXTERNAL_LIBS)
EXTRA_PROGRAMS += bench/bench_query
bench_bench_query_SOURCES = bench/bench_query.c
bench_bench_query_LDADD = $(PROMQ_LIBS) $(EXTERNAL_LIBS)
.PHONY: bench
bench: $(EXTRA_PROGRAMS)

EXTRA_PROGRAMS += bench/rwload
bench_rwload_SOURCES = bench/rwload.c bench/rwload.h bench/rwload_gen.c bench/rwload_send.c bench/rwload_series.c
bench_rwload_LDADD = $(SNAPPY_LIBS) -lm -lpthread
EXTRA_DIST += bench/compare bench/load bench/qbench.py bench/amflood.py bench/day_entropy.py bench/dump2rw.py bench/real-hour.txt.xz bench/README.md
