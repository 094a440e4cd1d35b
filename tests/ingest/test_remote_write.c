/* The receiver over the store in plain arrays. */
#include "base/compress.h"
#include "base/counters.h"
#include "base/thread_pool.h"
#include "base/utf8.h"
#include "ingest/ingest_limits.h"
#include "ingest/remote_write.h"
#include "storage/mem_store.h"
#include "tests/ingest/pb_build.h"
#include "tests/ingest/write_fixture.h"
#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>

static void known_series_take_the_short_way(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	for (int round = 0; round < 3; round++) {
		struct strbuf message = STRBUF_INIT;
		for (int i = 0; i < 200; i++) {
			struct strbuf series = STRBUF_INIT;
			char name[32];
			snprintf(name, sizeof(name), "metric_%d", i);
			pb_put_label(&series, "__name__", name);
			pb_put_label(&series, "instance", "a:1");
			for (int k = 0; k < 5; k++)
				pb_put_sample(&series, 1000 + round * 100 + k, i + k);
			pb_put_message(&message, 1, &series);
		}
		send_message(&f, strbuf_slice(&message));
		strbuf_done(&message);
		check_int("status", f.status, 204);
	}
	check_int("series", mem_store_series(f.store), 200);
	check_stored(&f, "metric_199", 1, 15);
	fixture_done(&f);
}

static void labels_in_any_order_are_one_series(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	for (int order = 0; order < 3; order++) {
		struct strbuf message = STRBUF_INIT, series = STRBUF_INIT;
		if (order == 2)
			pb_put_sample(&series, 4000, 1); /* a sample in front of the labels */
		if (order)
			pb_put_label(&series, "zone", "x");
		pb_put_label(&series, "__name__", "m");
		if (!order)
			pb_put_label(&series, "zone", "x");
		pb_put_label(&series, "empty", "");
		pb_put_sample(&series, 1000 + order * 2000, 1);
		pb_put_message(&message, 1, &series);
		send_message(&f, strbuf_slice(&message));
		strbuf_done(&message);
		check_int("status", f.status, 204);
	}
	check_int("series", mem_store_series(f.store), 1);
	check_stored(&f, "m", 1, 3 + 1);
	fixture_done(&f);
}

static void put_series(struct strbuf *message, const char *name, int64_t t_ms, double v)
{
	struct strbuf series = STRBUF_INIT;
	pb_put_label(&series, "__name__", name);
	pb_put_sample(&series, t_ms, v);
	pb_put_message(message, 1, &series);
}

static void the_good_part_is_stored(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	struct strbuf message = STRBUF_INIT, series = STRBUF_INIT;
	put_series(&message, "a", 2000, 1);
	put_series(&message, "b", 2000, 1);
	send_message(&f, strbuf_slice(&message));
	strbuf_reset(&message);
	put_series(&message, "a", 2000, 1); /* repeated: good */
	put_series(&message, "a", 1000, 1); /* older */
	put_series(&message, "b", 2000, 7); /* another value */
	put_series(&message, "b", 3000, 7);
	pb_put_label(&series, "job", "nameless");
	pb_put_sample(&series, 1, 1);
	pb_put_sample(&series, 2, 1);
	pb_put_message(&message, 1, &series);
	put_series(&message, "c", 1000, 1);
	send_message(&f, strbuf_slice(&message));
	check_int("status", f.status, 400);
	check_true("first one named", strstr(f.text, "first: ") && strstr(f.text, "a at 1000"));
	check_true("counts", strstr(f.text, "4 of 7 samples were refused"));
	check_true("reason first", strncmp(f.text, append_result_text(APPEND_OUT_OF_ORDER), 12) == 0);
	check_stored(&f, "b", 1, 2);
	check_stored(&f, "c", 1, 1);
	strbuf_done(&message);
	fixture_done(&f);
}

static void bad_labels_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *name, *labels[6], *want;
	} cases[] = {
	    {"twice", {"__name__", "m", "a", "1", "a", "2"}, "label name \"a\" is not unique"},
	    {"no name", {"job", "x"}, "no metric name"},
	    {"empty name", {"__name__", ""}, "no metric name"},
	    {"empty label name", {"__name__", "m", "", "x"}, "invalid label name"},
	    {"not UTF-8", {"__name__", "m", "a", "\xff"}, "invalid value of label"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture f;
		fixture_init(&f);
		struct strbuf message = STRBUF_INIT, series = STRBUF_INIT;
		for (int k = 0; k < 6 && cases[i].labels[k]; k += 2)
			pb_put_label(&series, cases[i].labels[k], cases[i].labels[k + 1]);
		pb_put_sample(&series, 1, 1);
		pb_put_message(&message, 1, &series);
		put_series(&message, "good", 1, 1);
		send_message(&f, strbuf_slice(&message));
		check_int(cases[i].name, f.status, 400);
		if (!strstr(f.text, cases[i].want))
			fail_msg("%s: want %s in: %s", cases[i].name, cases[i].want, f.text);
		check_stored(&f, "good", 1, 1);
		strbuf_done(&message);
		fixture_done(&f);
	}
}

static void put_span(struct strbuf *h, unsigned field, int64_t offset, uint64_t length)
{
	struct strbuf span = STRBUF_INIT;
	pb_put_varint(&span, 1, zigzag(offset));
	pb_put_varint(&span, 2, length);
	pb_put_message(h, field, &span);
}

static void put_histogram(
    struct strbuf *message, const char *name, int64_t t_ms, uint64_t length, int64_t schema)
{
	struct strbuf series = STRBUF_INIT, h = STRBUF_INIT, deltas = STRBUF_INIT;
	pb_put_label(&series, "__name__", name);
	pb_put_varint(&h, 1, 12);
	pb_put_double(&h, 3, 18.5);
	pb_put_varint(&h, 4, zigzag(schema));
	pb_put_double(&h, 5, 0.001);
	pb_put_varint(&h, 6, 2);
	put_span(&h, 11, 1, length);
	varint_add(&deltas, zigzag(4));
	varint_add(&deltas, zigzag(-1));
	varint_add(&deltas, zigzag(0));
	pb_put_message(&h, 12, &deltas);
	pb_put_varint(&h, 15, (uint64_t)t_ms);
	pb_put_message(&series, 4, &h);
	pb_put_message(message, 1, &series);
}

static void histograms_become_floats(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	struct strbuf message = STRBUF_INIT;
	put_histogram(&message, "h", 1000, 3, 3);
	put_histogram(&message, "fine", 1000, 3, 10);
	send_message(&f, strbuf_slice(&message));
	check_int("status", f.status, 204);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct sample_column c;
	sample_column_init(&c, arena);
	check_int("series", stored(&f, "h", &c, arena), 1);
	assert_true(c.n == 1 && c.h && c.h[0]);
	check_int("buckets", c.h[0]->n_pos, 3);
	check_double("first", c.h[0]->pos[0], 4);
	check_double("second", c.h[0]->pos[1], 3);
	check_double("count", c.h[0]->count, 12);
	check_double("zero", c.h[0]->zero_count, 2);
	check_int("series", stored(&f, "fine", &c, arena), 1);
	check_int("resolution reduced", c.h[0]->schema, 8);
	strbuf_reset(&message);
	put_histogram(&message, "h", 2000, 4, 3);
	put_series(&message, "good", 1, 1);
	send_message(&f, strbuf_slice(&message));
	check_int("contradiction", f.status, 400);
	check_true("said", strstr(f.text, "spans need 4 buckets, have 3 buckets"));
	check_stored(&f, "good", 1, 1);
	sample_column_done(&c);
	arena_free(arena);
	strbuf_done(&message);
	fixture_done(&f);
}

/* {trace_id="abc"} 1.5 @1 once, with too many runes once. */
static void exemplars_are_stored(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	struct strbuf message = STRBUF_INIT, series = STRBUF_INIT, good = STRBUF_INIT, bad = STRBUF_INIT;
	char text[129];
	memset(text, 'x', sizeof(text));
	pb_put_label(&series, "__name__", "m");
	pb_put_sample(&series, 5, 1);
	struct strbuf label = STRBUF_INIT;
	pb_put_bytes(&label, 1, SL("id"));
	pb_put_bytes(&label, 2, slice_of(text, sizeof(text)));
	pb_put_message(&bad, 1, &label);
	pb_put_message(&series, 3, &bad);
	pb_put_label(&good, "trace_id", "abc");
	pb_put_double(&good, 2, 1.5);
	pb_put_varint(&good, 3, 1);
	pb_put_message(&series, 3, &good);
	pb_put_message(&message, 1, &series);
	uint64_t refused = counter_get(M_REMOTE_WRITE_EXEMPLARS_REFUSED);
	send_message(&f, strbuf_slice(&message));
	check_int("status", f.status, 204);
	check_int("counted", counter_get(M_REMOTE_WRITE_EXEMPLARS_REFUSED) - refused, 1);
	struct exemplar_queryable *q = mem_store_exemplars(f.store);
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct matcher_list all = {NULL, 0};
	const struct exemplar_series *found;
	size_t n;
	struct err err;
	check_ok("select", q->select(q, arena, &all, 1, INT64_MIN, INT64_MAX, &found, &n, &err), &err);
	check_int("series", n, 1);
	check_int("exemplars", found[0].n, 1);
	check_int("time", found[0].v[0].t_ms, 1);
	check_true("its own", found[0].v[0].has_time);
	check_double("value", found[0].v[0].v, 1.5);
	check_str("label", labels_get(found[0].v[0].labels, SL("trace_id")), "abc");
	arena_free(arena);
	strbuf_done(&label);
	strbuf_done(&message);
	fixture_done(&f);
}

static void metadata_and_exemplars_do_no_harm(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	struct strbuf message = STRBUF_INIT, meta = STRBUF_INIT, series = STRBUF_INIT, exemplar = STRBUF_INIT;
	pb_put_varint(&meta, 1, 1);
	pb_put_bytes(&meta, 2, SL("m"));
	pb_put_bytes(&meta, 4, SL("Help."));
	pb_put_message(&message, 3, &meta);
	pb_put_label(&series, "__name__", "m");
	pb_put_sample(&series, 5, 1);
	pb_put_label(&exemplar, "trace_id", "abc");
	pb_put_double(&exemplar, 2, 1);
	pb_put_message(&series, 3, &exemplar);
	pb_put_message(&message, 1, &series);
	send_message(&f, strbuf_slice(&message));
	check_int("status", f.status, 204);
	check_stored(&f, "m", 1, 1);
	strbuf_done(&message);
	fixture_done(&f);
}

static void what_is_no_request_is_refused(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	struct strbuf big = STRBUF_INIT;
	send_raw(&f, SL("this is not snappy at all, is it?"));
	check_int("garbage", f.status, 400);
	send_raw(&f, SL_EMPTY);
	check_int("nothing", f.status, 400);
	send_message(&f, SL_EMPTY);
	check_int("empty message", f.status, 204);
	send_message(&f, SL("GET / HTTP/1.1"));
	check_int("not protobuf", f.status, 400);
	/* 200 bytes that say they will be 3 GB. */
	strbuf_add(&big, "\xff\xff\xff\xff\x0b", 5);
	for (int i = 0; i < 200; i++)
		strbuf_addch(&big, 0);
	send_raw(&f, strbuf_slice(&big));
	check_int("bomb", f.status, 400);
	check_int("nothing was stored", mem_store_series(f.store), 0);
	strbuf_done(&big);
	fixture_done(&f);
}

/* The series that was too long is named, not repeated. */
static void an_answer_is_short(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	struct strbuf message = STRBUF_INIT, series = STRBUF_INIT;
	char value[4001];
	for (size_t i = 0; i + 1 < sizeof(value); i++)
		value[i] = i % 2 ? '\xbc' : '\xc3';
	value[sizeof(value) - 1] = '\0';
	pb_put_label(&series, "job", value);
	pb_put_label(&series, "__name__", "long");
	pb_put_label(&series, "job", value);
	pb_put_sample(&series, 1000, 1);
	pb_put_message(&message, 1, &series);
	send_message(&f, strbuf_slice(&message));
	check_int("status", f.status, 400);
	check_true("short", strlen(f.text) < 1000);
	check_true("characters are whole", utf8_valid(slice_cstr(f.text)));
	strbuf_done(&message);
	fixture_done(&f);
}

/* Cut at every byte and with every bit bent: an answer, and never a crash. */
static void torn_messages_are_survived(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	struct strbuf message = STRBUF_INIT;
	put_series(&message, "a", 1000, 1);
	put_histogram(&message, "h", 1000, 3, 3);
	put_series(&message, "b", 1000, 1);
	for (size_t n = 0; n < message.len; n++) {
		send_message(&f, slice_of(message.ptr, n));
		assert_true(f.status == 204 || f.status == 400);
	}
	for (size_t bit = 0; bit < message.len * 8; bit++) {
		struct strbuf bent = STRBUF_INIT;
		strbuf_add_slice(&bent, strbuf_slice(&message));
		bent.ptr[bit / 8] ^= (char)(1 << bit % 8);
		send_message(&f, strbuf_slice(&bent));
		assert_true(f.status == 204 || f.status == 400);
		strbuf_done(&bent);
	}
	strbuf_done(&message);
	fixture_done(&f);
}

static void heads_are_checked(void **state)
{
	(void)state;
	static const struct {
		const char *type, *encoding;
		int status;
		const char *why;
	} cases[] = {
	    {"application/x-protobuf", "snappy", 0, ""},
	    {"", "", 0, ""},
	    {"application/x-protobuf;proto=prometheus.WriteRequest", "snappy", 0, ""},
	    {"application/x-protobuf; proto=prometheus.WriteRequest", "Snappy", 0, ""},
	    {"application/x-protobuf;proto=io.prometheus.write.v2.Request", "snappy", 415,
		"io.prometheus.write.v2.Request protobuf message is not accepted by this server; only "
		"accepts "
		"prometheus.WriteRequest\n"},
	    {"application/json", "snappy", 415,
		"expected application/x-protobuf as the first (media) part, got application/json "
		"content-type\n"},
	    {"application/x-protobuf", "gzip", 415,
		"gzip encoding (compression) is not accepted by this server; only snappy is acceptable\n"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strbuf why = STRBUF_INIT;
		check_int(cases[i].type,
		    remote_write_check_head(slice_cstr(cases[i].type), slice_cstr(cases[i].encoding), &why),
		    cases[i].status);
		check_str(cases[i].type, strbuf_slice(&why), cases[i].why);
		strbuf_done(&why);
	}
}

/* A label that ends as a usual sample does is no sample, whether its series is new or known. */
static void labels_that_look_like_samples_are_labels(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	for (int round = 0; round < 3; round++) {
		struct strbuf message = STRBUF_INIT, bare = STRBUF_INIT, full = STRBUF_INIT;
		pb_put_label(&bare, "__name__", "m");
		pb_put_label(&bare, "z",
		    "x\x12\x10\x09"
		    "AAAAAAAA\x10"
		    "BBBBBB");
		strbuf_add_slice(&full, strbuf_slice(&bare));
		pb_put_message(&message, 1, &bare);
		if (round > 0) {
			pb_put_sample(&full, 1700000000000 + round, round);
			pb_put_message(&message, 1, &full);
		}
		strbuf_done(&full);
		send_message(&f, strbuf_slice(&message));
		strbuf_done(&message);
		check_int("status", f.status, 204);
		check_stored(&f, "m", round > 0, (size_t)round);
	}
	check_int("series", mem_store_series(f.store), 1);
	fixture_done(&f);
}

TEST_MAIN("remote_write", cmocka_unit_test(known_series_take_the_short_way),
    cmocka_unit_test(labels_in_any_order_are_one_series), cmocka_unit_test(the_good_part_is_stored),
    cmocka_unit_test(bad_labels_are_named), cmocka_unit_test(histograms_become_floats),
    cmocka_unit_test(exemplars_are_stored), cmocka_unit_test(metadata_and_exemplars_do_no_harm),
    cmocka_unit_test(what_is_no_request_is_refused), cmocka_unit_test(an_answer_is_short),
    cmocka_unit_test(labels_that_look_like_samples_are_labels), cmocka_unit_test(torn_messages_are_survived),
    cmocka_unit_test(heads_are_checked))
