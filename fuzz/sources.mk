# Fuzz targets: fuzz/fuzz_<name>.c defines LLVMFuzzerTestOneInput(), its corpus is fuzz/corpus/<name>/. Without
# --enable-fuzzing each is linked with a driver that replays the corpus in `make check`.
# To add one: its program here, and the two lines of its sources below, as
#   fuzz_fuzz_x_SOURCES = fuzz/fuzz_x.c $(FUZZ_MAIN)
#   fuzz_fuzz_x_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_programs = fuzz/fuzz_url

#
# `make fuzz` (configured with clang and --enable-fuzzing) runs every target for FUZZ_SECONDS; `make fuzz/fuzz_x.run` one of
# them. What they find interesting is kept in the build folder, in fuzz/found/<name>/; an input that fails is named in
# fuzz/fuzz_<name>.log: mend the cause and add the input to the corpus under a name that says what it is.
if FUZZING
FUZZ_MAIN =
FUZZ_LINK = -fsanitize=fuzzer
FUZZ_REPLAY = -runs=0
FUZZ_RUN = mkdir -p fuzz/found/$$name && $$program -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=4096 \
	-max_len=$(FUZZ_BYTES) -artifact_prefix=fuzz/$$name- fuzz/found/$$name '$(abs_top_srcdir)'/fuzz/corpus/$$name
else
FUZZ_MAIN = fuzz/driver.c
FUZZ_LINK =
FUZZ_REPLAY =
FUZZ_RUN = echo 'configure with CC=clang CXX=clang++ --enable-fuzzing to run the targets' && false
endif
FUZZ_SECONDS = 60
FUZZ_BYTES = 4096
EXTRA_DIST += fuzz/corpus fuzz/driver.c

fuzz_fuzz_url_SOURCES = fuzz/fuzz_url.c $(FUZZ_MAIN)
fuzz_fuzz_url_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)

fuzz_programs += fuzz/fuzz_promql_parse
fuzz_fuzz_promql_parse_SOURCES = fuzz/fuzz_promql_parse.c $(FUZZ_MAIN)
fuzz_fuzz_promql_parse_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_programs += fuzz/fuzz_template
fuzz_fuzz_template_SOURCES = fuzz/fuzz_template.c $(FUZZ_MAIN)
fuzz_fuzz_template_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_programs += fuzz/fuzz_yaml fuzz/fuzz_double_parse fuzz/fuzz_snappy
fuzz_fuzz_yaml_SOURCES = fuzz/fuzz_yaml.c $(FUZZ_MAIN)
fuzz_fuzz_yaml_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_fuzz_double_parse_SOURCES = fuzz/fuzz_double_parse.c $(FUZZ_MAIN)
fuzz_fuzz_double_parse_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_fuzz_snappy_SOURCES = fuzz/fuzz_snappy.c $(FUZZ_MAIN)
fuzz_fuzz_snappy_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)

fuzz_programs += fuzz/fuzz_config
fuzz_fuzz_config_SOURCES = fuzz/fuzz_config.c $(FUZZ_MAIN)
fuzz_fuzz_config_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_programs += fuzz/fuzz_chunk_column fuzz/fuzz_chunk_xor fuzz/fuzz_part_index fuzz/fuzz_remote_write
fuzz_fuzz_chunk_column_SOURCES = fuzz/fuzz_chunk_column.c $(FUZZ_MAIN)
fuzz_fuzz_chunk_column_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_programs += fuzz/fuzz_chunk_summary
fuzz_fuzz_chunk_summary_SOURCES = fuzz/fuzz_chunk_summary.c $(FUZZ_MAIN)
fuzz_fuzz_chunk_summary_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_fuzz_chunk_xor_SOURCES = fuzz/fuzz_chunk_xor.c $(FUZZ_MAIN)
fuzz_fuzz_chunk_xor_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_fuzz_part_index_SOURCES = fuzz/fuzz_part_index.c $(FUZZ_MAIN)
fuzz_fuzz_part_index_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_fuzz_remote_write_SOURCES = fuzz/fuzz_remote_write.c $(FUZZ_MAIN)
fuzz_fuzz_remote_write_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_programs += fuzz/fuzz_alertmanager_config fuzz/fuzz_matcher
fuzz_fuzz_alertmanager_config_SOURCES = fuzz/fuzz_alertmanager_config.c $(FUZZ_MAIN)
fuzz_fuzz_alertmanager_config_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_fuzz_matcher_SOURCES = fuzz/fuzz_matcher.c $(FUZZ_MAIN)
fuzz_fuzz_matcher_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_programs += fuzz/fuzz_promql_eval
fuzz_fuzz_promql_eval_SOURCES = fuzz/fuzz_promql_eval.c $(FUZZ_MAIN)
fuzz_fuzz_promql_eval_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_programs += fuzz/fuzz_duration fuzz/fuzz_exposition_text fuzz/fuzz_relabel_regex
fuzz_fuzz_duration_SOURCES = fuzz/fuzz_duration.c $(FUZZ_MAIN)
fuzz_fuzz_duration_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_fuzz_exposition_text_SOURCES = fuzz/fuzz_exposition_text.c $(FUZZ_MAIN)
fuzz_fuzz_exposition_text_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_programs += fuzz/fuzz_openmetrics
fuzz_fuzz_openmetrics_SOURCES = fuzz/fuzz_openmetrics.c $(FUZZ_MAIN)
fuzz_fuzz_openmetrics_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_fuzz_relabel_regex_SOURCES = fuzz/fuzz_relabel_regex.c $(FUZZ_MAIN)
fuzz_fuzz_relabel_regex_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_programs += fuzz/fuzz_part
fuzz_fuzz_part_SOURCES = fuzz/fuzz_part.c $(FUZZ_MAIN)
fuzz_fuzz_part_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_programs += fuzz/fuzz_wal_record
fuzz_fuzz_wal_record_SOURCES = fuzz/fuzz_wal_record.c $(FUZZ_MAIN)
fuzz_fuzz_wal_record_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_programs += fuzz/fuzz_rule_file fuzz/fuzz_series_notation fuzz/fuzz_json_read \
	fuzz/fuzz_chunk_histogram fuzz/fuzz_manifest fuzz/fuzz_tombstones fuzz/fuzz_deletions fuzz/fuzz_http_request fuzz/fuzz_api_alerts_v2
fuzz_fuzz_rule_file_SOURCES = fuzz/fuzz_rule_file.c $(FUZZ_MAIN)
fuzz_fuzz_rule_file_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_fuzz_series_notation_SOURCES = fuzz/fuzz_series_notation.c $(FUZZ_MAIN)
fuzz_fuzz_series_notation_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_fuzz_json_read_SOURCES = fuzz/fuzz_json_read.c $(FUZZ_MAIN)
fuzz_fuzz_json_read_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_fuzz_chunk_histogram_SOURCES = fuzz/fuzz_chunk_histogram.c $(FUZZ_MAIN)
fuzz_fuzz_chunk_histogram_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_fuzz_tombstones_SOURCES = fuzz/fuzz_tombstones.c $(FUZZ_MAIN)
fuzz_fuzz_tombstones_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_fuzz_deletions_SOURCES = fuzz/fuzz_deletions.c $(FUZZ_MAIN)
fuzz_fuzz_deletions_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_fuzz_manifest_SOURCES = fuzz/fuzz_manifest.c $(FUZZ_MAIN)
fuzz_fuzz_manifest_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_fuzz_http_request_SOURCES = fuzz/fuzz_http_request.c fuzz/web_under_test.c fuzz/web_under_test.h $(FUZZ_MAIN)
fuzz_fuzz_http_request_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_fuzz_api_alerts_v2_SOURCES = fuzz/fuzz_api_alerts_v2.c fuzz/web_under_test.c fuzz/web_under_test.h $(FUZZ_MAIN)
fuzz_fuzz_api_alerts_v2_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)

fuzz_runs = $(fuzz_programs:=.run)
.PHONY: fuzz $(fuzz_runs)
fuzz: $(fuzz_runs)
$(fuzz_runs): %.run: %
	$(AM_V_at)program=$<; name=$${program#fuzz/fuzz_}; $(FUZZ_RUN) > $<.log 2>&1 || { tail -n 40 $<.log; exit 1; }; \
		echo "$$name: `grep -c '' $<.log` lines, `tail -n 1 $<.log`"
