/* remote_write and remote_read: read in full; the sections are not acted upon yet. */
#pragma once

#include "config/config_http.h"
#include "config/config_relabel.h"
#include "config/decode.h"

struct remote_queue_config {
	int64_t capacity, max_shards, min_shards, max_samples_per_send;
	int64_t batch_send_deadline_ms, min_backoff_ms, max_backoff_ms, sample_age_limit_ms;
	bool retry_on_http_429;
};

struct remote_metadata_config {
	bool send;
	int64_t send_interval_ms, max_samples_per_send;
};

struct config_sigv4 {
	bool is_set;
	struct slice region, access_key, secret_key, profile, role_arn, external_id;
	bool use_fips_sts_endpoint;
};

struct remote_write_config {
	struct slice url, name, protobuf_message;
	int64_t remote_timeout_ms;
	struct config_pairs headers;
	struct config_relabels write_relabel;
	bool send_exemplars, send_native_histograms, round_robin_dns, failed_request_logging;
	struct remote_queue_config queue;
	struct remote_metadata_config metadata;
	struct config_sigv4 sigv4;
	const struct yaml_node *azuread, *google_iam; /* keys checked */
	struct config_http http;
	uint32_t line, column;
};

struct remote_write_configs {
	struct remote_write_config *v;
	size_t n;
};

struct remote_read_config {
	struct slice url, name;
	int64_t remote_timeout_ms;
	uint64_t chunked_read_limit_bytes;
	bool read_recent, filter_external_labels;
	struct config_pairs required_matchers;
	struct config_pairs headers;
	struct config_http http;
	uint32_t line, column;
};

struct remote_read_configs {
	struct remote_read_config *v;
	size_t n;
};

/* decode callbacks: the lists above, a struct config_sigv4, and header maps checked against reserved names.
 */
void config_decode_remote_writes(struct config_ctx *ctx, const struct yaml_node *node, void *field);
void config_decode_remote_reads(struct config_ctx *ctx, const struct yaml_node *node, void *field);
void config_decode_sigv4(struct config_ctx *ctx, const struct yaml_node *node, void *field);
/* Refuses headers that the protocol sets itself; `if_authorization` is what to say about that one. */
void config_check_headers(
    struct config_ctx *ctx, const struct config_pairs *headers, const char *if_authorization);
/* Their print callbacks. */
void config_print_remote_writes(struct config_printer *p, const char *key, const void *field);
void config_print_remote_reads(struct config_printer *p, const char *key, const void *field);
void config_print_sigv4(struct config_printer *p, const char *key, const void *field);
