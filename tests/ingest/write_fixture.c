#include "tests/ingest/write_fixture.h"

#include "base/compress.h"
#include "tests/lib/test.h"
#include <stdio.h>
#include <string.h>

void fixture_init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->store = mem_store_new();
	f->rw = remote_write_new(mem_store_appendable(f->store));
}

void fixture_done(struct fixture *f)
{
	remote_write_free(f->rw);
	mem_store_free(f->store);
}

static void take_answer(void *arg, int status, struct slice text)
{
	struct fixture *f = arg;
	f->answers++;
	f->status = status;
	snprintf(f->text, sizeof(f->text), "%" SL_FMT, SL_ARG(text));
}

void send_raw(struct fixture *f, struct slice body)
{
	int before = f->answers;
	remote_write_store(f->rw, body, take_answer, f);
	check_int("one answer", f->answers, before + 1);
}

void send_message(struct fixture *f, struct slice message)
{
	struct strbuf body = STRBUF_INIT;
	snappy_encode(message, &body);
	send_raw(f, strbuf_slice(&body));
	strbuf_done(&body);
}

size_t stored(struct fixture *f, const char *metric, struct sample_column *c, struct arena *arena)
{
	struct err err;
	struct querier *q;
	struct series_set *set;
	const struct matcher *m;
	struct select_hints hints = {.start_ms = INT64_MIN, .end_ms = INT64_MAX};
	struct queryable *store = mem_store_queryable(f->store);
	check_ok("open", store->open(store, INT64_MIN, INT64_MAX, &q, &err), &err);
	check_ok(
	    "matcher", matcher_new(arena, MATCH_EQUAL, SL("__name__"), slice_cstr(metric), &m, &err), &err);
	check_ok("select", q->ops->select(q, arena, &m, 1, true, &hints, &set, &err), &err);
	sample_column_reset(c);
	if (set->n > 0)
		check_ok("read", set->ops->read(set, 0, c, &err), &err);
	size_t n = set->n;
	q->ops->close(q);
	return n;
}

void check_stored(struct fixture *f, const char *metric, size_t series, size_t samples)
{
	struct sample_column c;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	sample_column_init(&c, arena);
	check_int(metric, stored(f, metric, &c, arena), series);
	check_int(metric, c.n, samples);
	sample_column_done(&c);
	arena_free(arena);
}
