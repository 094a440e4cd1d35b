/* The settings of a job as its loops run under them: its entry in the configuration and what follows from that for a request.
 * Immutable, refcounted; holds its generation. A loop takes up a newer one between two scrapes. */
#pragma once

#include "config/config_check.h"
#include "net/http_client.h"

struct scrape_job {
	_Atomic unsigned refs;
	struct config_generation *generation;
	const struct scrape_config *config;
	struct arena *arena;
	const char **headers; /* "Name: value" */
	size_t n_headers;
	struct http_client_auth auth;
	/* Of everything that decides which labels a raw series gets: when it changes, caches lose their meaning. */
	uint64_t label_fingerprint;
	const char *forced_error; /* not NULL: every scrape fails with it, without a request (target_limit) */
};

/* `forced_error` is copied; NULL: none. */
struct scrape_job *scrape_job_new(
    struct config_generation *g, const struct scrape_config *config, const char *forced_error);
struct scrape_job *scrape_job_ref(struct scrape_job *job);
void scrape_job_unref(struct scrape_job *job); /* takes NULL */
