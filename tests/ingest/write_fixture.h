/* The receiver over the store in plain arrays: what tests of remote write send requests to. */
#pragma once

#include "base/slice.h"
#include "ingest/remote_write.h"
#include "storage/mem_store.h"

struct fixture {
	struct mem_store *store;
	struct remote_write *rw;
	int answers, status; /* of the last answer */
	char text[2048];     /* its body */
};

void fixture_init(struct fixture *f);
void fixture_done(struct fixture *f);

/* A request as it came, and a message that is compressed first; the answer is in `f` afterwards. */
void send_raw(struct fixture *f, struct slice body);
void send_message(struct fixture *f, struct slice message);

/* How many series of a metric the store has; the samples of the first one replace the content of `c`. */
size_t stored(struct fixture *f, const char *metric, struct sample_column *c, struct arena *arena);
/* Checks both numbers. */
void check_stored(struct fixture *f, const char *metric, size_t series, size_t samples);
