/* The smaller sections of prometheus.yml: otlp, storage, tracing. Private to src/config. */
#pragma once

#include "config/config_file.h"

/* What stands when the section is absent. */
void config_sections_init(struct config *c);
/* decode and print callbacks; fields are the structs of config_file.h. */
void config_decode_otlp(struct config_ctx *ctx, const struct yaml_node *node, void *field);
void config_decode_storage(struct config_ctx *ctx, const struct yaml_node *node, void *field);
void config_decode_tracing(struct config_ctx *ctx, const struct yaml_node *node, void *field);
void config_print_otlp(struct config_printer *p, const char *key, const void *field);
void config_print_storage(struct config_printer *p, const char *key, const void *field);
void config_print_tracing(struct config_printer *p, const char *key, const void *field);
/* What depends on global. */
void config_otlp_check(struct config_ctx *ctx, const struct yaml_node *at, const struct config *c);
