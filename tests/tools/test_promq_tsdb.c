/* promq tsdb: over a small store that each test makes. */
#include "model/duration.h"
#include "tests/tsdb/store_probe.h"
#include "tools/cli.h"
#include <stdlib.h>

/* 2026-01-01T12:00:00Z */
#define NOW_MS INT64_C(1767268800000)
enum { MAX_ARGS = 16, MINUTE_MS = 60000 };

struct fixture {
	struct arena *arena;
	struct clock *clock;
	char *dir;
	struct tsdb *db; /* NULL: closed */
	struct strbuf out, err;
	int code;
};

static void open_store(struct fixture *f)
{
	struct tsdb_options o = {.future_limit_ms = -1};
	f->db = probe_open(f->dir, f->clock, &o);
}

static void close_store(struct fixture *f)
{
	tsdb_close(f->db);
	f->db = NULL;
}

static struct fixture fixture_new(void)
{
	struct fixture f = {.arena = arena_new(ARENA_NO_LIMIT),
	    .clock = clock_virtual_new(NOW_MS),
	    .dir = test_tmpdir(),
	    .out = STRBUF_INIT,
	    .err = STRBUF_INIT};
	open_store(&f);
	return f;
}

static void fixture_done(struct fixture *f)
{
	tsdb_close(f->db);
	arena_free(f->arena);
	clock_virtual_free(f->clock);
	strbuf_done(&f->out);
	strbuf_done(&f->err);
	test_tmpdir_done(f->dir);
}

/* Runs promq; "DIR" and what begins with it stand for the store's folder. */
static void run_promq(struct fixture *f, const char *const *args)
{
	char *argv[MAX_ARGS + 2] = {NULL}, *owned[MAX_ARGS + 2];
	int argc = 0;
	argv[argc++] = strdup("promq");
	for (; args[argc - 1]; argc++) {
		const char *a = args[argc - 1];
		struct strbuf text = STRBUF_INIT;
		if (strncmp(a, "DIR", 3) == 0)
			strbuf_addf(&text, "%s%s", f->dir, a + 3);
		else
			strbuf_adds(&text, a);
		argv[argc] = strbuf_take(&text);
	}
	memcpy(owned, argv, sizeof(owned));
	strbuf_reset(&f->out);
	strbuf_reset(&f->err);
	struct cli cli = {
	    .clock = f->clock, .arena = arena_new(ARENA_NO_LIMIT), .out = &f->out, .err = &f->err};
	f->code = cli_run(&cli, argc, argv);
	arena_free(cli.arena);
	for (int i = 0; i < argc; i++)
		free(owned[i]);
}
#define RUN(f, ...) run_promq((f), (const char *const[]){__VA_ARGS__, NULL})

/* The folder's name, which differs from run to run, as DIR. */
static char *without_dir(struct fixture *f, struct slice text)
{
	struct strbuf out = STRBUF_INIT;
	size_t n = strlen(f->dir);
	for (size_t i = 0; i < text.len; i++) {
		if (text.len - i >= n && memcmp(text.ptr + i, f->dir, n) == 0) {
			strbuf_adds(&out, "DIR");
			i += n - 1;
		} else {
			strbuf_addch(&out, text.ptr[i]);
		}
	}
	return strbuf_take(&out);
}

static void check_run(const char *name, struct fixture *f, int code, const char *out, const char *err)
{
	char *got_out = without_dir(f, strbuf_slice(&f->out)),
	     *got_err = without_dir(f, strbuf_slice(&f->err));
	check_str(name, slice_cstr(got_out), out);
	check_str(name, slice_cstr(got_err), err);
	check_int(name, f->code, code);
	free(got_out);
	free(got_err);
}

static void add_series(struct fixture *f, const struct labels *labels, const double *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_int("add", probe_add(f->db, labels, (int64_t)i * MINUTE_MS, v[i]), APPEND_OK);
}

static void seal(struct fixture *f)
{
	struct err err;
	check_ok("seal", tsdb_seal_all(f->db, &err), &err);
}

/* Three series: two in a part, one in the log. */
static void fill(struct fixture *f)
{
	add_series(
	    f, labels_of(f->arena, "__name__", "heavy_metric", "foo", "bar", NULL), (double[]){5, 4, 3}, 3);
	add_series(
	    f, labels_of(f->arena, "__name__", "heavy_metric", "foo", "foo", NULL), (double[]){5, 0.25}, 2);
	seal(f);
	add_series(f, labels_of(f->arena, "__name__", "metric", "baz", "a\"\n", "foo", "bar", NULL),
	    (double[]){1e6, 0.0 / 0.0, 1e-7}, 3);
}

static void dumping(void **state)
{
	(void)state;
	struct fixture f = fixture_new();
	fill(&f);
	close_store(&f);
	RUN(&f, "tsdb", "dump", "DIR");
	check_run("all", &f, 0,
	    "{__name__=\"heavy_metric\", foo=\"bar\"} 5 0\n"
	    "{__name__=\"heavy_metric\", foo=\"bar\"} 4 60000\n"
	    "{__name__=\"heavy_metric\", foo=\"bar\"} 3 120000\n"
	    "{__name__=\"heavy_metric\", foo=\"foo\"} 5 0\n"
	    "{__name__=\"heavy_metric\", foo=\"foo\"} 0.25 60000\n"
	    "{__name__=\"metric\", baz=\"a\\\"\\n\", foo=\"bar\"} 1e+06 0\n"
	    "{__name__=\"metric\", baz=\"a\\\"\\n\", foo=\"bar\"} NaN 60000\n"
	    "{__name__=\"metric\", baz=\"a\\\"\\n\", foo=\"bar\"} 1e-07 120000\n",
	    "");
	RUN(&f, "tsdb", "dump", "--match", "heavy_metric", "--match={foo=\"bar\"}", "--min-time", "60000",
	    "--max-time=60000", "DIR");
	check_run("some", &f, 0,
	    "{__name__=\"heavy_metric\", foo=\"bar\"} 4 60000\n"
	    "{__name__=\"heavy_metric\", foo=\"foo\"} 0.25 60000\n"
	    "{__name__=\"metric\", baz=\"a\\\"\\n\", foo=\"bar\"} NaN 60000\n",
	    "");
	RUN(&f, "tsdb", "dump", "--format", "seriesjson", "DIR", "--match", "{foo!=\"foo\"}");
	check_run("json", &f, 0,
	    "{\"__name__\":\"heavy_metric\",\"foo\":\"bar\"}\n"
	    "{\"__name__\":\"metric\",\"baz\":\"a\\\"\\n\",\"foo\":\"bar\"}\n",
	    "");
	RUN(&f, "tsdb", "dump-openmetrics", "DIR", "--min-time", "1970-01-01T00:01:00Z");
	check_run("openmetrics", &f, 0,
	    "heavy_metric{foo=\"bar\"} 4 60.000\n"
	    "heavy_metric{foo=\"bar\"} 3 120.000\n"
	    "heavy_metric{foo=\"foo\"} 0.25 60.000\n"
	    "metric{baz=\"a\\\"\\n\",foo=\"bar\"} NaN 60.000\n"
	    "metric{baz=\"a\\\"\\n\",foo=\"bar\"} 1e-07 120.000\n"
	    "# EOF\n",
	    "");
	RUN(&f, "tsdb", "dump", "--match", "{", "DIR");
	check_run(
	    "bad selector", &f, 1, "", "promq: 1:2: parse error: unexpected end of input inside braces\n");
	fixture_done(&f);
}

static void odd_names_and_histograms(void **state)
{
	(void)state;
	struct fixture f = fixture_new();
	const struct labels *odd = labels_of(f.arena, "__name__", "a.b", "c d", "e", "f", "g", NULL);
	struct histogram h = {.count = 3, .sum = 4.5, .zero_count = 3, .zero_threshold = 0.5};
	add_series(&f, odd, (double[]){1}, 1);
	check_int("histogram",
	    probe_add_histogram(f.db, labels_of(f.arena, "__name__", "h", NULL), -1500, &h), APPEND_OK);
	check_int("before", probe_add(f.db, labels_of(f.arena, "__name__", "x", NULL), -1500, 1), APPEND_OK);
	close_store(&f);
	RUN(&f, "tsdb", "dump", "DIR");
	check_run("prom", &f, 0,
	    "{__name__=\"a.b\", \"c d\"=\"e\", f=\"g\"} 1 0\n"
	    "{__name__=\"h\"} {count:3, sum:4.5, [-0.5,0.5]:3} -1500\n"
	    "{__name__=\"x\"} 1 -1500\n",
	    "");
	RUN(&f, "tsdb", "dump-openmetrics", "DIR");
	check_run("openmetrics", &f, 0, "{\"a.b\",\"c d\"=\"e\",f=\"g\"} 1 0.000\nx 1 -1.500\n# EOF\n",
	    "promq: note: native histogram samples left out: 1\n");
	fixture_done(&f);
}

static void listing(void **state)
{
	(void)state;
	struct fixture f = fixture_new();
	fill(&f);
	RUN(&f, "tsdb", "list", "DIR", "-o", "csv");
	struct slice out = strbuf_slice(&f.out);
	size_t line = slice_find(out, '\n');
	check_slice("beside a server", slice_of(out.ptr, line),
	    SL("part,min time,max time,duration,num samples,num chunks,num series,size,level,note"));
	const char *want = "part-0000000000000001,0,120000,2m0s,5,2,2,";
	check_slice("the part", slice_of(out.ptr + line + 1, strlen(want)), slice_cstr(want));
	RUN(&f, "tsdb", "list", "-r", "DIR");
	check_true("dates", strstr(strbuf_cstr(&f.out), "1970-01-01T00:02:00Z") != NULL);
	check_true("the log", strstr(strbuf_cstr(&f.out), "\nlog ") != NULL);
	fixture_done(&f);
}

static void analyzing(void **state)
{
	(void)state;
	struct fixture f = fixture_new();
	fill(&f);
	add_series(
	    &f, labels_of(f.arena, "__name__", "heavy_metric", "foo", "new", NULL), (double[]){1, 2, 3}, 3);
	check_int("goes on",
	    probe_add(
		f.db, labels_of(f.arena, "__name__", "heavy_metric", "foo", "bar", NULL), 4 * MINUTE_MS, 9),
	    APPEND_OK);
	close_store(&f);
	RUN(&f, "tsdb", "analyze", "DIR", "--limit", "2");
	char *out = strdup(strbuf_cstr(&f.out)), *bytes = strstr(out, "\nBytes of chunks");
	assert_non_null(bytes);
	*bytes = '\0';
	strbuf_reset(&f.out);
	strbuf_adds(&f.out, out);
	check_run("totals", &f, 0,
	    "Store: DIR\nDuration: 4m0s\nTotal Series: 4\nSeries in the head: 4\nLabel names: 3\n"
	    "Postings (unique label pairs): 6\nPostings entries (total label pairs): 9\nSamples: 12",
	    "");
	const char *lists = strstr(bytes + 1, "\n\nLabel pairs");
	assert_non_null(lists);
	check_str("lists", slice_of(lists, (size_t)(strstr(lists, "\nMetric names with most") - lists)),
	    "\n\nLabel pairs most involved in churning:\n"
	    "1 __name__=heavy_metric\n"
	    "1 foo=foo\n"
	    "\nLabel names most involved in churning:\n"
	    "2 __name__\n"
	    "2 foo\n"
	    "\nMost common label pairs:\n"
	    "3 __name__=heavy_metric\n"
	    "2 foo=bar\n"
	    "\nLabel names with highest cumulative label value length:\n"
	    "18 __name__\n"
	    "9 foo\n"
	    "\nHighest cardinality labels:\n"
	    "3 foo\n"
	    "2 __name__\n"
	    "\nHighest cardinality metric names:\n"
	    "3 heavy_metric\n"
	    "1 metric\n");
	check_true("bytes", strstr(lists, " heavy_metric\n") != NULL);
	free(out);
	RUN(&f, "tsdb", "analyze", "DIR", "--match", "metric");
	check_true("one", strstr(strbuf_cstr(&f.out), "Total Series: 1\n") != NULL);
	fixture_done(&f);
}

/* --- damage --- */

static char *path_of(struct fixture *f, const char *file)
{
	struct strbuf path = STRBUF_INIT;
	strbuf_addf(&path, "%s/%s", f->dir, file);
	return strbuf_take(&path);
}

static struct slice load(struct fixture *f, const char *file)
{
	char *path = path_of(f, file);
	size_t len;
	char *bytes = test_read_file(path, &len);
	assert_non_null(bytes);
	free(path);
	return slice_of(bytes, len);
}

static void store(struct fixture *f, const char *file, struct slice content)
{
	char *path = path_of(f, file);
	struct err err;
	check_ok(file, fs_write_file(fs_real(), path, content, &err), &err);
	free(path);
}

static void flip(struct fixture *f, const char *file, size_t at)
{
	struct slice bytes = load(f, file);
	assert_true(at < bytes.len);
	((char *)(uintptr_t)bytes.ptr)[at] ^= 0x10;
	store(f, file, bytes);
	free((char *)(uintptr_t)bytes.ptr);
}

static size_t size_of(struct fixture *f, const char *file)
{
	struct slice bytes = load(f, file);
	free((char *)(uintptr_t)bytes.ptr);
	return bytes.len;
}

#define PART     "parts/part-0000000000000001"
#define SNAPSHOT "head/stripe-000"
#define SEGMENT  "wal/0000000000000001.wal"
/* What the store of fill() holds. */
#define COUNTED                                                                                              \
	"DIR: 1 parts (2 series, 2 chunks, 5 samples), 1 log segments (11 records), 1 series snapshots: "

static void verifying(void **state)
{
	(void)state;
	struct fixture f = fixture_new();
	fill(&f);
	RUN(&f, "tsdb", "verify", "DIR");
	check_int("beside a server", f.code, 0);
	check_true(
	    "said so", strstr(strbuf_cstr(&f.err), "is in use: the end of its log was left out") != NULL);
	close_store(&f);
	RUN(&f, "tsdb", "verify", "DIR");
	check_run("whole", &f, 0, "", COUNTED "all good\n");
	fixture_done(&f);
}

/* Every bit of every file counts: one that flips is found and its file named. Not so for the zeros behind the log. */
static void every_flipped_byte_is_found(void **state)
{
	(void)state;
	static const char *const files[] = {
	    PART "/meta", PART "/chunks", PART "/dir", PART "/index", SNAPSHOT, SEGMENT, "manifest"};
	struct fixture f = fixture_new();
	fill(&f);
	close_store(&f);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct strbuf want = STRBUF_INIT;
		strbuf_addf(&want, "%s/%s: ", f.dir, files[i]);
		size_t n = size_of(&f, files[i]);
		for (size_t at = 0; at < n; at++) {
			flip(&f, files[i], at);
			RUN(&f, "tsdb", "verify", "DIR");
			if (f.code != 1 || !strstr(strbuf_cstr(&f.out), strbuf_cstr(&want)))
				print_message("# %s byte %zu: %s\n", files[i], at, strbuf_cstr(&f.out));
			check_int(files[i], f.code, 1);
			check_true(files[i], strstr(strbuf_cstr(&f.out), strbuf_cstr(&want)) != NULL);
			flip(&f, files[i], at);
		}
		strbuf_done(&want);
	}
	RUN(&f, "tsdb", "verify", "DIR");
	check_int("and nothing was changed", f.code, 0);
	fixture_done(&f);
}

static void damage_has_a_place(void **state)
{
	(void)state;
	struct fixture f = fixture_new();
	fill(&f);
	close_store(&f);
	flip(&f, PART "/chunks", 9);
	RUN(&f, "tsdb", "verify", "DIR");
	check_run("chunks", &f, 1, "DIR/" PART "/chunks: byte 0: wrong checksum of the page\n",
	    COUNTED "1 damaged place\n");
	flip(&f, PART "/chunks", 9);
	flip(&f, SEGMENT, 30);
	RUN(&f, "tsdb", "verify", "DIR");
	char *got = without_dir(&f, strbuf_slice(&f.out));
	check_str("the log", slice_cstr(got),
	    "DIR/" SEGMENT
	    ": byte 24: no good record here: what stands in front of number 2 cannot be read\n");
	free(got);
	flip(&f, SEGMENT, 30);
	struct slice log = load(&f, SEGMENT), chunks = load(&f, PART "/chunks");
	store(&f, SEGMENT, slice_of(log.ptr, log.len - 1));
	store(&f, PART "/chunks", slice_of(chunks.ptr, 0));
	RUN(&f, "tsdb", "verify", "DIR");
	check_true(
	    "torn", strstr(strbuf_cstr(&f.out), "the log is torn here, as a crash leaves it\n") != NULL);
	check_true("cut", strstr(strbuf_cstr(&f.out), "the file has 0 bytes, should have ") != NULL);
	store(&f, SEGMENT, log);
	char *part = path_of(&f, PART);
	struct err err;
	check_ok("remove", fs_remove_tree(fs_real(), part, &err), &err);
	RUN(&f, "tsdb", "verify", "DIR");
	got = without_dir(&f, strbuf_slice(&f.out));
	check_str(
	    "no part", slice_cstr(got), "DIR/" PART ": the manifest names this part, which is not there\n");
	free(got);
	free(part);
	free((char *)(uintptr_t)log.ptr);
	free((char *)(uintptr_t)chunks.ptr);
	fixture_done(&f);
}

static bool is_there(struct fixture *f, const char *file)
{
	char *path = path_of(f, file);
	bool found = fs_exists(fs_real(), path);
	free(path);
	return found;
}

#define QUARANTINE "quarantine/1767268800000"

static void repairing_a_part(void **state)
{
	(void)state;
	struct fixture f = fixture_new();
	fill(&f);
	close_store(&f);
	RUN(&f, "tsdb", "repair", "DIR");
	check_run("whole", &f, 0, "", "DIR: all good, nothing was changed\n");
	flip(&f, PART "/meta", 3);
	RUN(&f, "tsdb", "repair", "DIR");
	check_int("repair", f.code, 0);
	check_true(
	    "set aside", is_there(&f, QUARANTINE "/part-0000000000000001/chunks") && !is_there(&f, PART));
	check_true("a report", is_there(&f, QUARANTINE "/report.txt"));
	RUN(&f, "tsdb", "verify", "DIR");
	check_int("whole again", f.code, 0);
	RUN(&f, "tsdb", "dump", "DIR", "--match", "metric", "--min-time", "120000");
	check_run("the log is left", &f, 0,
	    "{__name__=\"metric\", baz=\"a\\\"\\n\", foo=\"bar\"} 1e-07 120000\n", "");
	fixture_done(&f);
}

static size_t count_lines(const char *text)
{
	size_t n = 0;
	for (; (text = strchr(text, '\n')) != NULL; text++)
		n++;
	return n;
}

/* Two series, one after the other on many pages: a page of the second is lost. */
static void repairing_saves_series(void **state)
{
	(void)state;
	enum { N = 16384 };
	struct fixture f = fixture_new();
	const struct labels *a = labels_of(f.arena, "__name__", "a", NULL),
			    *b = labels_of(f.arena, "__name__", "b", NULL);
	double *v = ARENA_ARRAY(f.arena, double, N);
	struct test_random random = {.state = 42};
	for (size_t i = 0; i < N; i++)
		v[i] = test_random_unit(&random);
	add_series(&f, a, v, N);
	add_series(&f, b, v, N);
	seal(&f);
	close_store(&f);
	RUN(&f, "tsdb", "dump", "DIR", "--match", "a");
	char *want = strdup(strbuf_cstr(&f.out));
	flip(&f, PART "/chunks", size_of(&f, PART "/chunks") - 40000);
	RUN(&f, "tsdb", "repair", "DIR");
	check_int("repair", f.code, 0);
	check_true("saved",
	    strstr(strbuf_cstr(&f.out),
		"part-0000000000000001: 1 of 2 series were saved as a whole to part-0000000000000002\n") !=
		NULL);
	RUN(&f, "tsdb", "dump", "DIR", "--match", "a");
	check_run("the one is whole", &f, 0, want, "");
	RUN(&f, "tsdb", "dump", "DIR", "--match", "b");
	size_t left = count_lines(strbuf_cstr(&f.out));
	check_true("and much of the other is there", left > N / 2 && left < N);
	RUN(&f, "tsdb", "verify", "DIR");
	check_int("whole", f.code, 0);
	free(want);
	fixture_done(&f);
}

static void repairing_the_log(void **state)
{
	(void)state;
	static const char *const files[] = {SEGMENT, SNAPSHOT};
	struct fixture f = fixture_new();
	fill(&f);
	close_store(&f);
	RUN(&f, "tsdb", "dump", "DIR");
	char *want = strdup(strbuf_cstr(&f.out));
	struct slice log = load(&f, SEGMENT);
	store(&f, SEGMENT, slice_of(log.ptr, log.len - 1));
	RUN(&f, "tsdb", "repair", "DIR");
	check_int("torn", f.code, 0);
	check_true("saved", strstr(strbuf_cstr(&f.out), ": 10 records were saved\n") != NULL);
	RUN(&f, "tsdb", "verify", "DIR");
	check_int("whole", f.code, 0);
	store(&f, SEGMENT, log);
	/* Every byte of the header and of some records: the records behind stay, and the store opens. */
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct slice whole = load(&f, files[i]);
		for (size_t at = 0; at < whole.len; at += 7) {
			flip(&f, files[i], at);
			clock_virtual_set(f.clock, NOW_MS + 1 + (int64_t)(i * 10000 + at));
			RUN(&f, "tsdb", "repair", "DIR");
			check_int(files[i], f.code, 0);
			RUN(&f, "tsdb", "verify", "DIR");
			check_true("a gap at most",
			    f.code == 0 || strstr(strbuf_cstr(&f.out), "records are missing"));
			RUN(&f, "tsdb", "dump", "DIR");
			check_int("it opens", f.code, 0);
			store(&f, files[i], whole);
		}
		free((char *)(uintptr_t)whole.ptr);
	}
	RUN(&f, "tsdb", "dump", "DIR");
	check_run("put back", &f, 0, want, "");
	free(want);
	free((char *)(uintptr_t)log.ptr);
	fixture_done(&f);
}

static void benching(void **state)
{
	(void)state;
	struct fixture f = fixture_new();
	RUN(&f, "tsdb", "bench", "write", "--metrics", "200", "--scrapes=50", "DIR/bench");
	check_int("bench", f.code, 0);
	check_true("appended", strstr(strbuf_cstr(&f.out), "appended: 10000 samples in ") != NULL);
	check_true("sealed", strstr(strbuf_cstr(&f.out), "sealed: 10000 samples in ") != NULL);
	RUN(&f, "tsdb", "verify", "DIR/bench");
	check_int("whole", f.code, 0);
	RUN(&f, "tsdb", "bench", "write", "DIR/bench");
	check_run("again", &f, 1, "", "promq: tsdb bench write: DIR/bench is there already\n");
	fixture_done(&f);
}

/* --- JSON --- */

static void as_json(void **state)
{
	(void)state;
	struct fixture f = fixture_new();
	fill(&f);
	close_store(&f);
	RUN(&f, "tsdb", "dump-openmetrics", "DIR");
	store(&f, "dump.om", strbuf_slice(&f.out));
	RUN(&f, "tsdb", "create-blocks-from", "openmetrics", "-q", "DIR/dump.om", "DIR/new");
	RUN(&f, "tsdb", "list", "-o", "json", "DIR/new");
	check_true("a part", strstr(strbuf_cstr(&f.out),
				 "[{\"part\":\"part-0000000000000001\",\"minTime\":0,\"maxTime\":120000,"
				 "\"duration\":\"2m0s\",\"numSamples\":8,\"numChunks\":3,\"numSeries\":3,"
				 "\"size\":") != NULL);
	check_true("the log", strstr(strbuf_cstr(&f.out), "{\"part\":\"log\",\"size\":") != NULL);
	RUN(&f, "tsdb", "verify", "-o", "json", "DIR/new");
	check_run("verify", &f, 0,
	    "{\"store\":\"DIR/new\",\"damage\":[],\"parts\":1,\"series\":3,\"chunks\":3,\"samples\":8,"
	    "\"logSegments\":0,\"logRecords\":0,\"seriesSnapshots\":0,\"inUse\":false}\n",
	    "");
	store(&f, "new/manifest", SL("broken"));
	RUN(&f, "tsdb", "verify", "-o", "json", "DIR/new");
	check_int("damage", f.code, 1);
	check_true("has its place", strstr(strbuf_cstr(&f.out), "/new/manifest\"") != NULL &&
					strstr(strbuf_cstr(&f.out), "\"why\":\"") != NULL);
	RUN(&f, "tsdb", "analyze", "-o", "json", "--limit", "1", "DIR");
	check_true("analyze", strstr(strbuf_cstr(&f.out), "{\"store\":\"") != NULL &&
				  strstr(strbuf_cstr(&f.out), "\"series\":3,") != NULL &&
				  strstr(strbuf_cstr(&f.out), "\"metricsBySeries\":[{\"name\":\"") != NULL);
	fixture_done(&f);
}

/* --- backfill --- */

static void backfilling(void **state)
{
	(void)state;
	struct fixture f = fixture_new();
	fill(&f);
	close_store(&f);
	RUN(&f, "tsdb", "dump", "DIR");
	char *before = strdup(strbuf_cstr(&f.out));
	RUN(&f, "tsdb", "dump-openmetrics", "DIR");
	store(&f, "dump.om", strbuf_slice(&f.out));
	RUN(&f, "tsdb", "create-blocks-from", "openmetrics", "DIR/dump.om", "DIR/new");
	check_run("what was dumped", &f, 0,
	    "part-0000000000000001  1970-01-01T00:00:00Z  1970-01-01T00:02:00Z  3 series, 8 samples\n", "");
	RUN(&f, "tsdb", "dump", "DIR/new");
	check_run("comes back", &f, 0, before, "");
	free(before);

	store(&f, "late.om",
	    SL("# TYPE heavy_metric gauge\n"
	       "heavy_metric{foo=\"bar\"} 7 86400\n"
	       "heavy_metric{foo=\"bar\"} 6 -1\n"
	       "heavy_metric{foo=\"bar\"} 8 90000\n"
	       "heavy_metric{ foo=\"x\"} 8 90000\n# EOF\n"));
	RUN(&f, "tsdb", "create-blocks-from", "openmetrics", "DIR/late.om", "DIR/new");
	check_run("a blank in the labels", &f, 1, "",
	    "promq: DIR/late.om:5: expected label name, got \" \" (\"INVALID\") while parsing: "
	    "\"heavy_metric{ \"\n");
	store(&f, "late.om",
	    SL("heavy_metric{foo=\"bar\",} 7 86400\n"
	       "heavy_metric{foo=\"bar\"} 6 -1\n"
	       "heavy_metric{foo=\"bar\"} 8 90000\n"
	       "heavy_metric{foo=\"bar\"} 9 90000\n# EOF\n"));
	RUN(&f, "tsdb", "create-blocks-from", "openmetrics", "--label", "foo=baz", "--label=z=1",
	    "DIR/late.om", "DIR/new");
	check_run("other days", &f, 0,
	    "part-0000000000000002  1969-12-31T23:59:59Z  1969-12-31T23:59:59Z  1 series, 1 samples\n"
	    "part-0000000000000003  1970-01-02T00:00:00Z  1970-01-02T01:00:00Z  1 series, 2 samples\n",
	    "promq: note: samples left out, as their series had one at that time already: 1\n");
	RUN(&f, "tsdb", "dump", "DIR/new", "--match", "{foo=\"baz\"}");
	check_run("with labels", &f, 0,
	    "{__name__=\"heavy_metric\", foo=\"baz\", z=\"1\"} 6 -1000\n"
	    "{__name__=\"heavy_metric\", foo=\"baz\", z=\"1\"} 7 86400000\n"
	    "{__name__=\"heavy_metric\", foo=\"baz\", z=\"1\"} 8 90000000\n",
	    "");
	RUN(&f, "tsdb", "verify", "DIR/new");
	check_int("whole", f.code, 0);
	fixture_done(&f);
}

/* A bad file leaves the store as it is. */
static void backfill_refusals(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text, *err;
	} cases[] = {
	    {"no time", "a 1 1\na 2\n# EOF\n", "DIR/f:2: expected timestamp for series a, got none"},
	    {"no end", "a 1 1\n", "DIR/f:2: data does not end with # EOF"},
	    {"nothing", "", "DIR/f:1: data does not end with # EOF"},
	    {"twice", "a{b=\"1\",b=\"2\"} 1 1\n# EOF\n", "DIR/f:1: label name \"b\" is not unique"},
	};
	struct fixture f = fixture_new();
	close_store(&f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct strbuf want = STRBUF_INIT;
		strbuf_addf(&want, "promq: %s\n", cases[i].err);
		store(&f, "f", slice_cstr(cases[i].text));
		RUN(&f, "tsdb", "create-blocks-from", "openmetrics", "DIR/f", "DIR");
		check_run(cases[i].name, &f, 1, "", strbuf_cstr(&want));
		strbuf_done(&want);
	}
	store(&f, "f", SL("a 1 1\n# EOF\n"));
	RUN(&f, "tsdb", "create-blocks-from", "openmetrics", "--label", "x", "DIR/f", "DIR");
	check_run("label", &f, 1, "",
	    "promq: tsdb create-blocks-from: --label is NAME=VALUE, each name once, not \"x\"\n");
	open_store(&f);
	RUN(&f, "tsdb", "create-blocks-from", "openmetrics", "DIR/f", "DIR");
	check_run("in use", &f, 1, "", "promq: DIR is locked by another process\n");
	close_store(&f);
	RUN(&f, "tsdb", "dump", "DIR");
	check_run("nothing came in", &f, 0, "", "");
	fixture_done(&f);
}

static void refusals(void **state)
{
	(void)state;
	struct fixture f = fixture_new();
	RUN(&f, "tsdb", "dump", "DIR");
	check_run(
	    "in use", &f, 1, "", "promq: DIR is locked by another process: is a server running on it?\n");
	RUN(&f, "tsdb", "dump", "DIR/nothing");
	check_run("not there", &f, 1, "", "promq: DIR/nothing holds no store: there is no manifest\n");
	RUN(&f, "tsdb", "dump", "DIR", "x");
	check_run("too many", &f, 1, "", "promq: tsdb dump: want one folder, got \"x\" too\n");
	RUN(&f, "tsdb", "dump", "--format=xml", "DIR");
	check_run("form", &f, 1, "", "promq: tsdb dump: --format is prom or seriesjson, not \"xml\"\n");
	RUN(&f, "tsdb", "dump", "--min-time=x", "DIR");
	check_true("time", strstr(strbuf_cstr(&f.err), "tsdb dump: --min-time: \"x\" is no time") != NULL);
	RUN(&f, "tsdb", "dump", "--bogus");
	check_run("option", &f, 1, "",
	    "promq: tsdb dump: unknown option or missing argument: --bogus (see promq tsdb dump --help)\n");
	RUN(&f, "tsdb", "bogus");
	check_run(
	    "subcommand", &f, 1, "", "promq: tsdb: unknown subcommand \"bogus\" (see promq tsdb --help)\n");
	fixture_done(&f);
}

TEST_MAIN("promq tsdb", cmocka_unit_test(dumping), cmocka_unit_test(odd_names_and_histograms),
    cmocka_unit_test(listing), cmocka_unit_test(analyzing), cmocka_unit_test(verifying),
    cmocka_unit_test(every_flipped_byte_is_found), cmocka_unit_test(damage_has_a_place),
    cmocka_unit_test(refusals), cmocka_unit_test(benching), cmocka_unit_test(repairing_a_part),
    cmocka_unit_test(repairing_saves_series), cmocka_unit_test(repairing_the_log), cmocka_unit_test(as_json),
    cmocka_unit_test(backfilling), cmocka_unit_test(backfill_refusals))
