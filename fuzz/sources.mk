# Fuzz targets: fuzz/fuzz_<name>.c defines LLVMFuzzerTestOneInput(), its corpus is fuzz/corpus/<name>/. Without
# --enable-fuzzing each is linked with a driver that replays the corpus in `make check`.
# To add one: its program here, and the two lines of its sources below, as
#   fuzz_fuzz_x_SOURCES = fuzz/fuzz_x.c $(FUZZ_MAIN)
#   fuzz_fuzz_x_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_programs = fuzz/fuzz_url

if FUZZING
FUZZ_MAIN =
FUZZ_LINK = -fsanitize=fuzzer
else
FUZZ_MAIN = fuzz/driver.c
FUZZ_LINK =
endif
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
fuzz_fuzz_relabel_regex_SOURCES = fuzz/fuzz_relabel_regex.c $(FUZZ_MAIN)
fuzz_fuzz_relabel_regex_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
fuzz_programs += fuzz/fuzz_wal_record
fuzz_fuzz_wal_record_SOURCES = fuzz/fuzz_wal_record.c $(FUZZ_MAIN)
fuzz_fuzz_wal_record_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LINK)
