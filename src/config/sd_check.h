/* What the tables of config_sd.c cannot say about a discovery mechanism: required keys, words to choose from, what excludes
 * what. Private to src/config. Checks read the tree, whose types are right by then. */
#pragma once

#include "config/config_http.h"
#include "config/decode.h"

typedef void (*sd_check_fn)(
    struct config_ctx *ctx, const struct yaml_node *node, const struct config_http *http);

#define SD_CHECK(mechanism)                                                                                  \
	void sd_check_##mechanism(                                                                           \
	    struct config_ctx *ctx, const struct yaml_node *node, const struct config_http *http)
SD_CHECK(azure);
SD_CHECK(consul);
SD_CHECK(dns);
SD_CHECK(docker);
SD_CHECK(dockerswarm);
SD_CHECK(eureka);
SD_CHECK(file);
SD_CHECK(gce);
SD_CHECK(hetzner);
SD_CHECK(http);
SD_CHECK(ionos);
SD_CHECK(kubernetes);
SD_CHECK(kuma);
SD_CHECK(marathon);
SD_CHECK(nerve);
SD_CHECK(nomad);
SD_CHECK(openstack);
SD_CHECK(outscale);
SD_CHECK(ovhcloud);
SD_CHECK(puppetdb);
SD_CHECK(scaleway);
SD_CHECK(serverset);
SD_CHECK(stackit);
SD_CHECK(triton);
SD_CHECK(uyuni);

/* decode callbacks of keys that hold a block; their field is not written. */
void sd_decode_filters(struct config_ctx *ctx, const struct yaml_node *node, void *field);
void sd_decode_ec2_filters(struct config_ctx *ctx, const struct yaml_node *node, void *field);
void sd_decode_tls(struct config_ctx *ctx, const struct yaml_node *node, void *field);
void sd_decode_namespaces(struct config_ctx *ctx, const struct yaml_node *node, void *field);
void sd_decode_selectors(struct config_ctx *ctx, const struct yaml_node *node, void *field);
void sd_decode_attach(struct config_ctx *ctx, const struct yaml_node *node, void *field);

/* The text of a key, or the default when it is not given. */
struct slice sd_text(const struct yaml_node *node, const char *key, const char *if_absent);
/* The value of a key for the place of an error; else the block. */
const struct yaml_node *sd_place(const struct yaml_node *node, const char *key);
/* It stands there, and is not empty. */
bool sd_given(const struct yaml_node *node, const char *key);
bool sd_is_one_of(struct slice s, const char *const *words, size_t n);
