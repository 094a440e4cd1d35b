/* A scrape manager on the virtual clock, over a store in memory, with a client whose answers the test writes. */
#pragma once

#include "scrape/scrape_manager.h"
#include "storage/mem_store.h"
#include "tests/lib/test.h"

struct scrape_fixture {
	struct clock *clock;
	struct scheduler *scheduler;
	struct http_client *client;
	struct mem_store *store;
	struct scrape_manager *manager;
	struct arena *arena;
	/* the next answers */
	const char *page, *content_type;
	int status, rc;
	/* what was asked */
	unsigned requests;
	char url[512], headers[2048];
	size_t max_response_bytes;
	int64_t first_ms, interval_ms; /* of the first scrape after scrape_fixture_apply() */
};

void scrape_fixture_init(struct scrape_fixture *f);
void scrape_fixture_done(struct scrape_fixture *f);
/* A whole prometheus.yml. Sets first_ms when it is not set yet. */
void scrape_fixture_apply(struct scrape_fixture *f, const char *yaml);
/* `scrapes` with this page. */
void scrape_fixture_scrape(struct scrape_fixture *f, const char *page, int scrapes);
/* To just behind the k-th interval after the first scrape, without a new page. */
void scrape_fixture_run_to(struct scrape_fixture *f, double k);

/* The series whose name matches, sorted, a line each: {__name__="a", ...} 0:1.5 1:stale; times in intervals since first_ms. */
const char *scrape_fixture_dump(struct scrape_fixture *f, const char *name_regex);
/* The value of a report series at interval k; fails the test when there is none. */
double scrape_fixture_report(struct scrape_fixture *f, const char *name, int k);
