/* Any bytes as a query over a small store of floats, classic and native histograms, at an instant and over a range: it ends
 * soon, in a result or in an error with a text. */
#include "promql/engine.h"
#include "storage/mem_store.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SAMPLES = 40, STEP_MS = 15000, TIMEOUT_MS = 2000, MAX_SAMPLES = 200000, QUERY_BYTES = 64 << 20 };

static struct mem_store *store;
static struct promql_engine *engine;

static const struct histogram *make_histogram(struct arena *a, int k)
{
	static const struct histogram_span spans[] = {{0, 2}, {1, 1}};
	struct histogram *h = ARENA_NEW(a, struct histogram);
	double *pos = ARENA_ARRAY(a, double, 3);

	for (int i = 0; i < 3; i++)
		pos[i] = (i + 1) * (k % 17);
	*h = (struct histogram){.schema = k % 5 ? 1 : 0,
	    .zero_threshold = 0.01,
	    .zero_count = k % 3,
	    .count = k % 3 + 6 * (k % 17),
	    .sum = k,
	    .n_pos_spans = 2,
	    .pos_spans = spans,
	    .n_pos = 3,
	    .pos = pos};
	return h;
}

static void make_store(void)
{
	static const char *const le[] = {"0.1", "1", "+Inf", "odd"};
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	struct promql_options options = {
	    .max_samples = MAX_SAMPLES,
	    .max_query_bytes = QUERY_BYTES,
	    .timeout_ms = TIMEOUT_MS,
	    .parse = {.experimental_functions = true,
		.extended_range_selectors = true,
		.binop_fill_modifiers = true},
	};

	store = mem_store_new();
	engine = promql_engine_new(&options);
	for (int k = 0; k < SAMPLES; k++) {
		for (int i = 0; i < 4; i++) {
			const char *job = arena_printf(a, "%d", i % 2).ptr,
				   *instance = arena_printf(a, "%d", i).ptr;
			mem_store_add(store,
			    labels_of(a, "__name__", "x", "instance", instance, "job", job, NULL),
			    k * STEP_MS, k % (11 + i), NULL);
			mem_store_add(store, labels_of(a, "__name__", "b_bucket", "le", le[i], NULL),
			    k * STEP_MS, k * (i + 1), NULL);
		}
		mem_store_add(store, labels_of(a, "__name__", "h", "job", "0", NULL), k * STEP_MS, 0,
		    make_histogram(a, k));
		mem_store_add(store, labels_of(a, "__name__", "mixed", "job", "1", NULL), k * STEP_MS, k,
		    k % 4 ? make_histogram(a, k) : NULL);
		mem_store_add(store,
		    labels_of(a, "__name__", "target_info", "instance", "1", "job", "1", "os", "linux", NULL),
		    k * STEP_MS, 1, NULL);
	}
	arena_free(a);
}

static void run(struct slice text, int64_t start_ms, int64_t end_ms, int64_t step_ms)
{
	struct promql_query q = {.store = mem_store_queryable(store),
	    .text = text,
	    .start_ms = start_ms,
	    .end_ms = end_ms,
	    .step_ms = step_ms};
	struct query_result *r;
	struct strbuf sb = STRBUF_INIT;
	struct err err = {.code = 0};

	if (promql_engine_run(engine, &q, &r, &err) != 0) {
		if (err.msg[0] == '\0')
			abort();
		return;
	}
	query_result_print(&sb, r);
	strbuf_done(&sb);
	query_result_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of((const char *)data, size);

	if (store == NULL)
		make_store();
	run(text, 300000, 300000, 0);
	run(text, 0, 600000, 60000);
	return 0;
}
