/* One entry of scrape_configs: a job with how to scrape it and where its targets come from. After loading all
 * defaults are in place: what the file left out has the value of `global`. Lives in the arena of its
 * configuration, immutable. */
#pragma once

#include "config/config_http.h"
#include "config/config_relabel.h"
#include "config/decode.h"

enum scrape_protocol {
	SCRAPE_PROTOBUF,      /* PrometheusProto */
	SCRAPE_OPENMETRICS_1, /* OpenMetricsText1.0.0 */
	SCRAPE_OPENMETRICS_0, /* OpenMetricsText0.0.1 */
	SCRAPE_TEXT_1,        /* PrometheusText1.0.0 */
	SCRAPE_TEXT_0,        /* PrometheusText0.0.4 */
	SCRAPE_PROTOCOLS,
};

/* In order of preference. */
struct scrape_protocols {
	enum scrape_protocol v[SCRAPE_PROTOCOLS];
	size_t n; /* 0: not given */
};

enum name_validation { NAMES_UNSET, NAMES_UTF8, NAMES_LEGACY };
enum name_escaping { ESCAPE_UNSET, ESCAPE_ALLOW_UTF8, ESCAPE_UNDERSCORES, ESCAPE_DOTS, ESCAPE_VALUES };

/* 0: no limit; a job's 0 takes the global value. */
struct scrape_limits {
	uint64_t body_size_bytes, samples, labels, label_name_length, label_value_length, targets,
	    keep_dropped_targets;
};

/* Booleans that a job inherits from global when it does not set them. */
struct scrape_switches {
	bool native_histograms, convert_classic_to_nhcb, always_classic_histograms, extra_metrics;
	bool has_native_histograms, has_convert_classic_to_nhcb, has_always_classic_histograms,
	    has_extra_metrics;
};

/* Targets with the labels they share. */
struct static_group {
	struct config_strings targets;
	struct config_pairs labels;
	uint32_t line, column;
};

struct static_groups {
	struct static_group *v;
	size_t n;
};

/* A `<mechanism>_sd_configs` entry: its keys are checked, its content stays a tree for the mechanism. */
struct sd_config {
	const char *mechanism; /* "kubernetes" */
	const struct yaml_node *node;
	struct config_http http;
};

struct sd_configs {
	struct sd_config *v;
	size_t n;
};

/* URL parameters: each name with its values. */
struct scrape_param {
	struct slice name;
	struct config_strings values;
};

struct scrape_params {
	struct scrape_param *v;
	size_t n;
};

/* static_configs and all *_sd_configs of a block. */
struct target_sources {
	struct static_groups static_groups;
	struct sd_configs sd;
};

struct scrape_config {
	struct slice job_name;
	struct slice file; /* where it stands */
	uint32_t line, column;
	int64_t scrape_interval_ms, scrape_timeout_ms;
	struct scrape_protocols protocols;
	bool has_fallback_protocol;
	enum scrape_protocol fallback_protocol;
	struct slice metrics_path, scheme;
	struct scrape_params params;
	bool honor_labels, honor_timestamps, track_timestamps_staleness, enable_compression;
	struct scrape_limits limits;
	struct slice scrape_failure_log_file;
	enum name_validation name_validation;
	enum name_escaping name_escaping;
	uint64_t native_histogram_bucket_limit;
	double native_histogram_min_bucket_factor;
	struct scrape_switches switches;
	struct config_relabels relabel, metric_relabel;
	struct target_sources sources;
	struct config_http http;
};

struct config_global; /* config/config_file.h */

/* Decodes one entry, without the values of `global`. */
void scrape_config_decode(struct config_ctx *ctx, const struct yaml_node *node, struct scrape_config *out);
/* Fills in what `global` says, then checks what depends on it. `at` is where errors stand. */
void scrape_config_inherit(struct config_ctx *ctx, const struct yaml_node *at, struct scrape_config *s,
    const struct config_global *global);

/* "PrometheusText0.0.4" and so on; false: unknown. */
bool scrape_protocol_parse(struct slice s, enum scrape_protocol *out);
const char *scrape_protocol_name(enum scrape_protocol p);
/* decode callbacks: struct scrape_protocols, enum name_validation, enum name_escaping. */
void config_decode_scrape_protocols(struct config_ctx *ctx, const struct yaml_node *node, void *field);
void config_decode_name_validation(struct config_ctx *ctx, const struct yaml_node *node, void *field);
void config_decode_name_escaping(struct config_ctx *ctx, const struct yaml_node *node, void *field);

/* Their print callbacks; and all keys of a job. */
void config_print_scrape_protocols(struct config_printer *p, const char *key, const void *field);
void config_print_name_validation(struct config_printer *p, const char *key, const void *field);
void config_print_name_escaping(struct config_printer *p, const char *key, const void *field);
void config_print_scrape(struct config_printer *p, const struct scrape_config *s);

/* The rows of `scrape_limits` and `scrape_switches`, the same in global and in a job. */
enum { SCRAPE_LIMIT_FIELDS = 7, SCRAPE_SWITCH_FIELDS = 4 };
extern const struct config_field scrape_limit_fields[SCRAPE_LIMIT_FIELDS];
extern const struct config_field scrape_switch_fields[SCRAPE_SWITCH_FIELDS];
