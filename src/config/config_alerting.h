/* The `alerting` section: Alertmanagers that alerts are sent to, and relabelling on the way. */
#pragma once

#include "config/config_remote.h"
#include "config/config_scrape.h"

struct alertmanager_config {
	struct slice scheme, path_prefix, api_version;
	int64_t timeout_ms;
	struct config_relabels relabel, alert_relabel;
	struct target_sources sources;
	struct config_http http;
	struct config_sigv4 sigv4;
	uint32_t line, column;
};

struct alertmanager_configs {
	struct alertmanager_config *v;
	size_t n;
};

struct config_alerting {
	struct config_relabels alert_relabel;
	struct alertmanager_configs alertmanagers;
};

/* decode and print callbacks; the field is a struct config_alerting. */
void config_decode_alerting(struct config_ctx *ctx, const struct yaml_node *node, void *field);
void config_print_alerting(struct config_printer *p, const char *key, const void *field);
