/* prometheus.yml with the files it includes: `global`, jobs, rule file names, alerting, remote storage, otlp,
 * storage, tracing. Everything lives in one arena, is complete (defaults filled in) and immutable after
 * loading. What the program handles is a whole generation, with rule files: config/config_check.h. */
#pragma once

#include "config/config_alerting.h"
#include "config/config_remote.h"
#include "config/config_scrape.h"
#include "model/labels.h"

struct config_global {
	int64_t scrape_interval_ms, scrape_timeout_ms, evaluation_interval_ms, rule_query_offset_ms;
	struct scrape_protocols protocols;
	const struct labels *external_labels; /* variables expanded */
	struct config_pairs external_label_pairs;
	struct slice query_log_file, scrape_failure_log_file;
	struct scrape_limits limits;
	enum name_validation name_validation;
	enum name_escaping name_escaping;
	struct scrape_switches switches;
};

struct config_storage {
	int64_t out_of_order_time_window_ms; /* 0: no late samples are taken, when the next one is set */
	bool has_out_of_order_time_window;   /* it stands in the file */
	double stale_series_compaction_threshold;
	struct slice float_encoding; /* "xor", "xor2"; empty: the store's choice */
	int64_t retention_ms;        /* 0: not given */
	uint64_t retention_bytes;
	double retention_percentage;
	int64_t max_exemplars; /* 100000 */
};

struct config_otlp {
	struct slice translation_strategy;
	struct config_strings promote_resource_attributes, ignore_resource_attributes;
	bool promote_all_resource_attributes, keep_identifying_resource_attributes,
	    convert_histograms_to_nhcb;
	bool promote_scope_metadata, label_name_underscore_sanitization,
	    label_name_preserve_multiple_underscores;
};

struct config_tracing {
	bool is_set;
	struct slice client_type, endpoint, compression;
	double sampling_fraction;
	bool insecure;
	struct config_pairs headers;
	int64_t timeout_ms;
	struct config_tls tls;
};

struct scrape_configs {
	struct scrape_config *v;
	size_t n;
};

struct config {
	struct arena *arena; /* borrowed */
	struct slice file;   /* empty: the built-in one */
	struct slice dir;    /* of the file; what paths are relative to */
	struct slice text;   /* of the file */
	struct config_global global;
	struct config_strings rule_file_globs;     /* made absolute */
	struct config_strings rule_files;          /* what they match now, sorted, each once */
	struct config_strings scrape_config_globs; /* made absolute */
	struct scrape_configs scrapes;             /* with those of included files, in order */
	struct config_alerting alerting;
	struct remote_write_configs remote_writes;
	struct remote_read_configs remote_reads;
	struct config_otlp otlp;
	struct config_storage storage;
	struct config_tracing tracing;
	int64_t gogc; /* accepted, without effect */
};

/* Errors and warnings go to `errors`; NULL when something was wrong. All of it lives in `arena`. */
struct config *config_load(
    struct arena *arena, const char *path, bool is_agent, struct config_error_vec *errors);
/* The same from memory; `name` is what errors call it. */
struct config *config_load_text(struct arena *arena, struct slice name, struct slice text, bool is_agent,
    struct config_error_vec *errors);
/* What promqd runs without --config.file: it scrapes itself at `own_address` ("localhost:9090"), and a node
 * exporter on localhost:9100. */
struct config *config_built_in(struct arena *arena, const char *own_address);

/* The job with this name, or NULL. */
const struct scrape_config *config_find_scrape(const struct config *c, struct slice job_name);

/* All keys; for config/config_print.h. Jobs of included files stand among the others, so those files are not named. */
void config_print_all(struct config_printer *p, const struct config *c);
