/* The remote write checklist of the conformance data: what each sender case would send is sent here as remote write 1.0, and
 * every sample must be in the store, bit for bit; the receiver cases of version 1.0 are checked by name. */
#include "base/compress.h"
#include "base/json_read.h"
#include "ingest/remote_write.h"
#include "scrape/parse_text.h"
#include "storage/mem_store.h"
#include "tests/ingest/pb_build.h"
#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>

enum { NOW_MS = 1700000000 };

struct fixture {
	struct mem_store *store;
	struct remote_write *rw;
	struct arena *arena;
	int status;
};

static void take_status(void *arg, int status, struct slice text)
{
	struct fixture *f = arg;
	(void)text;
	f->status = status;
}

static void send(struct fixture *f, struct slice message)
{
	struct strbuf body = STRBUF_INIT;
	snappy_encode(message, &body);
	remote_write_store(f->rw, strbuf_slice(&body), take_status, f);
	strbuf_done(&body);
}

static void add_series(struct strbuf *message, const struct label *l, size_t n, int64_t t_ms, double v)
{
	struct strbuf series = STRBUF_INIT;
	for (size_t i = 0; i < n; i++) {
		struct strbuf label = STRBUF_INIT;
		pb_put_bytes(&label, 1, l[i].name);
		pb_put_bytes(&label, 2, l[i].value);
		pb_put_message(&series, 1, &label);
	}
	pb_put_sample(&series, t_ms, v);
	pb_put_message(message, 1, &series);
}

/* Whether a sample with these labels and bits is there. */
static bool is_stored(struct fixture *f, const struct labels *want, double v)
{
	struct err err;
	struct querier *q;
	struct series_set *set;
	const struct matcher *m;
	struct sample_column c;
	bool found = false;
	struct select_hints hints = {.start_ms = INT64_MIN, .end_ms = INT64_MAX};
	struct queryable *store = mem_store_queryable(f->store);
	sample_column_init(&c, f->arena);
	check_ok("open", store->open(store, INT64_MIN, INT64_MAX, &q, &err), &err);
	check_ok("matcher",
	    matcher_new(f->arena, MATCH_EQUAL, SL("__name__"), labels_metric_name(want), &m, &err), &err);
	check_ok("select", q->ops->select(q, f->arena, &m, 1, true, &hints, &set, &err), &err);
	for (size_t i = 0; i < set->n && !found; i++) {
		if (!labels_eq(set->ops->labels(set, i, f->arena), want))
			continue;
		check_ok("read", set->ops->read(set, i, &c, &err), &err);
		found = c.n == 1 && double_bits(c.v[0]) == double_bits(v);
	}
	q->ops->close(q);
	sample_column_done(&c);
	return found;
}

/* Two walks over the page: the first makes the message, the second looks for what was sent. */
static size_t walk(struct fixture *f, struct slice page, struct strbuf *message)
{
	struct text_parser p;
	struct err err;
	size_t n_series = 0;
	text_parser_init(&p, page);
	while (text_parser_next(&p, &err) == 0) {
		struct label *l;
		size_t n;
		const struct labels *set;
		if (p.entry != TEXT_SERIES || text_series_labels(&p, f->arena, &l, &n, &err))
			continue;
		n_series++;
		if (message) {
			add_series(message, l, n, NOW_MS, p.value);
			continue;
		}
		check_ok("labels", labels_from_pairs(f->arena, l, n, &set, &err), &err);
		if (!is_stored(f, set, p.value))
			fail_msg("not stored: %" SL_FMT, SL_ARG(p.series));
	}
	return n_series;
}

static void fixture_init(struct fixture *f)
{
	f->store = mem_store_new();
	f->rw = remote_write_new(mem_store_appendable(f->store));
	f->arena = arena_new(ARENA_NO_LIMIT);
	f->status = 0;
}

static void fixture_done(struct fixture *f)
{
	remote_write_free(f->rw);
	mem_store_free(f->store);
	arena_free(f->arena);
}

static void check_page(struct slice name, struct slice text)
{
	struct fixture f;
	struct strbuf message = STRBUF_INIT, with_end = STRBUF_INIT;
	fixture_init(&f);
	strbuf_add_slice(&with_end, text);
	strbuf_addch(&with_end, '\n');
	struct slice page = strbuf_slice(&with_end);
	size_t n = walk(&f, page, &message);
	send(&f, strbuf_slice(&message));
	if (f.status != 204)
		fail_msg("%" SL_FMT ": %d", SL_ARG(name), f.status);
	check_int("found again", walk(&f, page, NULL), n);
	strbuf_done(&message);
	strbuf_done(&with_end);
	fixture_done(&f);
}

static void what_senders_send_is_stored(void **state)
{
	(void)state;
	const char *dir = test_conformance_dir();
	if (!dir) {
		print_message("skipped: no conformance data\n");
		return;
	}
	struct strbuf path = STRBUF_INIT;
	struct err err;
	struct json_doc *doc;
	size_t len;
	strbuf_addf(&path, "%s/cases/remote_write_checklist.json", dir);
	char *text = test_read_file(strbuf_cstr(&path), &len);
	assert_non_null(text);
	check_ok("json", json_doc_parse(slice_of(text, len), &doc, &err), &err);
	const struct json_value *cases = json_member(json_doc_root(doc), "cases");
	size_t pages = 0;
	for (size_t i = 0; i < json_count(cases); i++) {
		struct slice name, page;
		json_get_string(json_member(json_item(cases, i), "name"), &name);
		if (!json_get_string(json_member(json_item(cases, i), "scrape_data"), &page))
			continue;
		check_page(name, page);
		pages++;
	}
	assert_true(pages > 30);
	json_doc_free(doc);
	free(text);
	strbuf_done(&path);
}

/* TestBadContentTypes, TestBadContentEncodings, TestRW1BasicCompatibility */
static void heads(void **state)
{
	(void)state;
	static const char *const bad_types[] = {"application/json", "text/plain", "application/x-protobuf-x",
	    "protobuf", "application/x-protobuf;proto=io.prometheus.write.v3.Request"};
	static const char *const bad_encodings[] = {"gzip", "zstd", "identity", "x-snappy-framed"};
	struct strbuf why = STRBUF_INIT;
	for (size_t i = 0; i < ARRAY_LEN(bad_types); i++)
		check_int(
		    bad_types[i], remote_write_check_head(slice_cstr(bad_types[i]), SL("snappy"), &why), 415);
	for (size_t i = 0; i < ARRAY_LEN(bad_encodings); i++)
		check_int(bad_encodings[i],
		    remote_write_check_head(SL("application/x-protobuf"), slice_cstr(bad_encodings[i]), &why),
		    415);
	check_int("RW1", remote_write_check_head(SL("application/x-protobuf"), SL("snappy"), &why), 0);
	strbuf_done(&why);
}

/* TestMultipleMetrics: partial success. TestRW1ErrorHandling: malformed requests. */
static void partial_success(void **state)
{
	(void)state;
	struct fixture f;
	struct strbuf message = STRBUF_INIT;
	fixture_init(&f);
	add_series(
	    &message, (struct label[]){{SL("__name__"), SL("good_total")}, {SL("a"), SL("1")}}, 2, 1, 1);
	add_series(&message, (struct label[]){{SL("a"), SL("nameless")}}, 1, 1, 1);
	add_series(&message, (struct label[]){{SL("__name__"), SL("also_good")}}, 1, 1, 2);
	send(&f, strbuf_slice(&message));
	check_int("refused part", f.status, 400);
	check_int("good part", mem_store_series(f.store), 2);
	send(&f, slice_of(message.ptr, message.len - 3));
	check_int("torn", f.status, 400);
	remote_write_store(f.rw, SL("\xff\xff\xff"), take_status, &f);
	check_int("not snappy", f.status, 400);
	strbuf_done(&message);
	fixture_done(&f);
}

TEST_MAIN("remote_write_checklist", cmocka_unit_test(what_senders_send_is_stored), cmocka_unit_test(heads),
    cmocka_unit_test(partial_success))
