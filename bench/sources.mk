# The measuring programs (bench/README.md). Built by `make bench`.
EXTRA_PROGRAMS = bench/bench_codec bench/bench_promql
bench_bench_codec_SOURCES = bench/bench_codec.c
bench_bench_promql_SOURCES = bench/bench_promql.c
.PHONY: bench
bench: $(EXTRA_PROGRAMS)
