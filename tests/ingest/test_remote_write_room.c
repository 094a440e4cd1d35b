/* Remote write while the store has no memory for some of it: senders repeat what got a 5xx, and drop what got a 4xx. */
#include "base/compress.h"
#include "base/thread_pool.h"
#include "ingest/remote_write.h"
#include "storage/mem_store.h"
#include "tests/ingest/pb_build.h"
#include "tests/ingest/write_fixture.h"
#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>

static void put_series(struct strbuf *message, const char *name, int64_t t_ms, double v)
{
	struct strbuf series = STRBUF_INIT;
	pb_put_label(&series, "__name__", name);
	pb_put_sample(&series, t_ms, v);
	pb_put_message(message, 1, &series);
}

/* A store that has no room for series of this name, or, later, for one sample more. */
static struct appendable short_store;
static struct appendable *sound_store;
static struct appender_ops sound_ops, short_ops;
static bool series_lack_room;

static int add_series_or_not(struct appender *a, const struct series_key *key, const struct labels *labels,
    series_ref *ref, struct err *err)
{
	if (series_lack_room && slice_eq_cstr(labels_get(labels, SL("__name__")), "no_room"))
		return err_set(err, ERR_NO_MEMORY, "no room for more series");
	return sound_ops.add_series(a, key, labels, ref, err);
}

static int commit_or_not(struct appender *a, struct append_stats *stats,
    void (*durable)(void *arg, int rc, const char *why), void *arg, struct err *err)
{
	int rc = sound_ops.commit(a, stats, durable, arg, err);
	if (rc == 0 && !series_lack_room) {
		stats->by_result[APPEND_NO_ROOM]++;
		stats->first_reason = APPEND_NO_ROOM;
	}
	return rc;
}

static int begin_short(struct appendable *self, struct appender **out, struct err *err)
{
	(void)self;
	int rc = sound_store->begin(sound_store, out, err);
	if (rc != 0)
		return rc;
	sound_ops = short_ops = *(*out)->ops;
	short_ops.add_series = add_series_or_not;
	short_ops.commit = commit_or_not;
	(*out)->ops = &short_ops;
	return 0;
}

static void without_room_the_sender_shall_try_again(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	sound_store = mem_store_appendable(f.store);
	short_store.begin = begin_short;
	remote_write_free(f.rw);
	f.rw = remote_write_new(&short_store);
	struct strbuf message = STRBUF_INIT;
	put_series(&message, "a", 1000, 1);
	put_series(&message, "no_room", 1000, 1);
	put_series(&message, "b", 1000, 1);
	series_lack_room = true;
	send_message(&f, strbuf_slice(&message));
	check_int("no room for a series", f.status, 503);
	check_true("said so", strstr(f.text, "no memory (1)") && strstr(f.text, "no room for more series"));
	check_stored(&f, "a", 1, 1);
	check_stored(&f, "b", 1, 1);
	check_stored(&f, "no_room", 0, 0);
	series_lack_room = false;
	send_message(&f, strbuf_slice(&message));
	check_int("no room for a sample", f.status, 503);
	check_stored(&f, "a", 1, 1);
	check_stored(&f, "no_room", 1, 1);
	strbuf_done(&message);
	fixture_done(&f);
}

TEST_MAIN("remote write without room", cmocka_unit_test(without_room_the_sender_shall_try_again))
