# The measuring programs (bench/README.md). Built by `make bench`.
EXTRA_PROGRAMS = bench/bench_codec
bench_bench_codec_SOURCES = bench/bench_codec.c
.PHONY: bench
bench: $(EXTRA_PROGRAMS)
