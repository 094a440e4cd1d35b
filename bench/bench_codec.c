/* bench_codec: bytes and time a sample of the open (XOR) and the sealed (columnar) chunk.
 *
 *   bench_codec                    generated streams, in chunks of 120, 240 and 1024 samples
 *   bench_codec --day              a target of the day that bench/compare generates (bench/rwload.h)
 *   xzcat bench/real-hour.txt.xz | bench_codec -     lines "{labels} value time_ms", each series in chunks of up to 2048
 *   bench_codec FILE               the same from a file
 *
 * Prints a Markdown table. Sizes are of the chunk bytes alone; timings are CPU time, best of some rounds. */
#include "base/double_text.h"
#include "base/hashtab.h"
#include "base/strbuf.h"
#include "base/vec.h"
#include "base/xmalloc.h"
#include "bench/rwload.h"
#include "tests/lib/stream_gen.h"
#include "tsdb/chunk_column.h"
#include "tsdb/chunk_xor.h"
#include "tsdb/part_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SAMPLES = 200000, ROUNDS = 2, CHUNK = 2048, DAY_STEPS = 5760, SMALL_TIMES = 8 };

VEC_DEFINE(time_vec, int64_t);
VEC_DEFINE(value_vec, double);

struct result {
	double bytes, encode_ns, decode_ns;
};

static int64_t out_t[CHUNK_COLUMN_MAX_SAMPLES];
static double out_v[CHUNK_COLUMN_MAX_SAMPLES];

/* CPU time, which other programs do not slow down much. */
static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void keep_min(double *best, double x)
{
	if (*best == 0 || x < *best)
		*best = x;
}

/* --- columnar ----------------------------------------------------------------------------------------------------- */

static struct result run_column(const int64_t *t, const double *v, size_t n, size_t chunk)
{
	struct result res = {0, 0, 0};
	size_t *ends = xcalloc(n / chunk + 2, sizeof(*ends));
	for (int round = 0; round < ROUNDS; round++) {
		struct strbuf sb = STRBUF_INIT;
		size_t chunks = 0;
		int64_t start = now_ns();
		for (size_t i = 0; i < n; i += chunk) {
			chunk_column_encode(t + i, v + i, n - i < chunk ? n - i : chunk, &sb);
			ends[chunks++] = sb.len;
		}
		keep_min(&res.encode_ns, (double)(now_ns() - start) / (double)n);
		start = now_ns();
		for (size_t k = 0, from = 0; k < chunks; from = ends[k++])
			if (chunk_column_decode(slice_of(sb.ptr + from, ends[k] - from), SL_EMPTY,
				t[k * chunk], out_t, out_v, NULL))
				abort();
		keep_min(&res.decode_ns, (double)(now_ns() - start) / (double)n);
		res.bytes = (double)sb.len / (double)n;
		strbuf_done(&sb);
	}
	free(ends);
	return res;
}

/* --- XOR ---------------------------------------------------------------------------------------------------------- */

/* One pass; returns the bytes. */
static size_t pass_xor(
    const int64_t *t, const double *v, size_t n, size_t chunk, int64_t *encode, int64_t *decode)
{
	static uint8_t bytes[CHUNK_XOR_MAX_BYTES];
	size_t total = 0;
	for (size_t i = 0; i < n;) {
		struct chunk_xor c = {0};
		chunk_xor_reset(&c);
		int64_t start = now_ns();
		size_t k = i;
		for (; k < n && k < i + chunk; k++)
			if (chunk_xor_append(&c, bytes, sizeof(bytes), k > i ? t[k - 1] : 0,
				k > i ? v[k - 1] : 0, t[k], v[k]) != CHUNK_XOR_OK)
				break;
		*encode += now_ns() - start;
		total += chunk_xor_bytes(&c);
		start = now_ns();
		if (chunk_xor_decode(&c, bytes, v[k - 1], out_t, out_v, NULL))
			abort();
		*decode += now_ns() - start;
		i = k;
	}
	return total;
}

static struct result run_xor(const int64_t *t, const double *v, size_t n, size_t chunk)
{
	struct result res = {0, 0, 0};
	for (int round = 0; round < ROUNDS; round++) {
		int64_t encode = 0, decode = 0;
		res.bytes = (double)pass_xor(t, v, n, chunk, &encode, &decode) / (double)n;
		keep_min(&res.encode_ns, (double)encode / (double)n);
		keep_min(&res.decode_ns, (double)decode / (double)n);
	}
	return res;
}

/* --- generated streams -------------------------------------------------------------------------------------------- */

static void generated(void)
{
	static int64_t t[SAMPLES];
	static double v[SAMPLES];
	struct test_random r;
	setenv("TEST_SEED", "1", 0);
	test_random_init(&r);
	printf("| stream | XOR 120, B | column 120 | column 240 | column 1024 | XOR encode, ns | column "
	       "encode | XOR decode | "
	       "column decode, 1024 |\n|---|---|---|---|---|---|---|---|---|\n");
	for (int kind = 0; kind < STREAM_MEASURED; kind++) {
		stream_gen(&r, (enum stream_kind)kind, TIMES_STEP, t, v, SAMPLES);
		struct result x = run_xor(t, v, SAMPLES, 120), c120 = run_column(t, v, SAMPLES, 120);
		struct result c240 = run_column(t, v, SAMPLES, 240), c1024 = run_column(t, v, SAMPLES, 1024);
		printf("| %s | %.3f | %.3f | %.3f | %.3f | %.1f | %.1f | %.2f | %.2f |\n",
		    stream_name((enum stream_kind)kind), x.bytes, c120.bytes, c240.bytes, c1024.bytes,
		    x.encode_ns, c120.encode_ns, x.decode_ns, c1024.decode_ns);
	}
}

/* --- real samples ------------------------------------------------------------------------------------------------- */

struct series {
	char *labels;
	const struct labels *set;
	struct time_vec t;
	struct value_vec v;
};
VEC_DEFINE(series_vec, struct series);

/* Lines of one series stand together, or come back later: looked for from the newest on. */
static struct series *find_series(struct series_vec *all, const char *labels)
{
	for (size_t i = all->len; i > 0; i--)
		if (strcmp(all->v[i - 1].labels, labels) == 0)
			return &all->v[i - 1];
	struct series *s = series_vec_add(all);
	s->labels = xstrdup(labels);
	return s;
}

static void add_line(struct series_vec *all, char *line)
{
	char *time_text = strrchr(line, ' ');
	if (!time_text)
		return;
	*time_text++ = 0;
	char *value_text = strrchr(line, ' ');
	if (!value_text)
		return;
	*value_text++ = 0;
	struct series *s = find_series(all, line);
	time_vec_push(&s->t, atoll(time_text));
	value_vec_push(&s->v, strtod(value_text, NULL));
}

/* --- a part of real samples --------------------------------------------------------------------------------------- */

/* {a="1", b="2"} to labels; the values of the file have no escapes but \" \\ and \n, which are kept as they are. */
static const struct labels *parse_labels(struct arena *arena, const char *text)
{
	struct label l[64];
	size_t n = 0;
	const struct labels *out;
	for (const char *p = strchr(text, '{'); p && *++p == ' ' ? ++p : p, p && *p && *p != '}' && n < 64;) {
		const char *eq = strstr(p, "=\""), *end = eq ? eq + 2 : NULL;
		while (end && *end && *end != '"')
			end += *end == '\\' ? 2 : 1;
		if (!end || !*end)
			break;
		l[n++] =
		    (struct label){slice_of(p, (size_t)(eq - p)), slice_of(eq + 2, (size_t)(end - eq - 2))};
		p = end + 1;
		if (*p != ',')
			break;
	}
	return labels_from_pairs(arena, l, n, &out, NULL) ? NULL : out;
}

static int cmp_series(const void *a, const void *b)
{
	const struct series *x = a, *y = b;
	return labels_cmp(x->set, y->set);
}

/* Writes all series as one part below `dir` and tells what it takes. */
static int write_part(struct series_vec *all, const char *dir)
{
	struct err err;
	struct part_writer *w;
	struct part_meta meta;
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	struct part_write_options opt = {.fs = fs_real(), .parts_dir = dir, .seq = 1};
	for (size_t i = 0; i < all->len; i++)
		all->v[i].set = parse_labels(arena, all->v[i].labels);
	qsort(all->v, all->len, sizeof(all->v[0]), cmp_series);
	int rc = part_writer_new(&opt, &w, &err);
	for (size_t i = 0; rc == 0 && i < all->len; i++) {
		rc = part_writer_series(w, all->v[i].set, &err);
		if (rc == 0)
			rc = part_writer_floats(w, all->v[i].t.v, all->v[i].v.v, all->v[i].t.len, &err);
	}
	if (rc == 0)
		rc = part_writer_commit(w, &meta, &err);
	if (rc) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	double n = (double)meta.samples;
	printf("\n| file of the part | bytes | B a sample |\n|---|---|---|\n| chunks | %llu | %.3f |\n| dir "
	       "| %llu | %.3f |\n"
	       "| index | %llu | %.3f |\n| all | | %.3f |\n",
	    (unsigned long long)meta.chunks_bytes, (double)meta.chunks_bytes / n,
	    (unsigned long long)meta.dir_bytes, (double)meta.dir_bytes / n,
	    (unsigned long long)meta.index_bytes, (double)meta.index_bytes / n,
	    (double)(meta.chunks_bytes + meta.dir_bytes + meta.index_bytes) / n);
	arena_free(arena);
	return 0;
}

/* --- what each way of storing takes --------------------------------------------------------------------------------- */

struct mode_sum {
	char *name;
	size_t chunks, samples, bytes;
	double decode_ns;
};
VEC_DEFINE(mode_sums, struct mode_sum);

static struct mode_sum *mode_of(struct mode_sums *sums, const char *name)
{
	VEC_EACH (struct mode_sum, m, sums)
		if (strcmp(m->name, name) == 0)
			return m;
	struct mode_sum *m = mode_sums_add(sums);
	m->name = xstrdup(name);
	return m;
}

/* Best of some rounds: ns for the whole chunk. */
static double decode_ns(struct slice bytes, struct slice times, int64_t first_t)
{
	double best = 0;
	for (int round = 0; round < ROUNDS; round++) {
		int64_t start = now_ns();
		if (chunk_column_decode(bytes, times, first_t, out_t, out_v, NULL))
			abort();
		keep_min(&best, (double)(now_ns() - start));
	}
	return best;
}

static void count_chunk(struct mode_sums *sums, const char *name, size_t samples, size_t bytes, double ns)
{
	struct mode_sum *sum = mode_of(sums, name);
	sum->chunks++;
	sum->samples += samples;
	sum->bytes += bytes;
	sum->decode_ns += ns;
}

/* As a part does it: a time column of some size is stored once, and named by all chunks that have it. */
static void count_column(struct mode_sums *sums, struct hashtab *columns, const char *what, const int64_t *t,
    const double *v, size_t n)
{
	struct strbuf times = STRBUF_INIT, chunk = STRBUF_INIT, name = STRBUF_INIT;
	chunk_times_encode(t, n, &times);
	if (times.len <= SMALL_TIMES)
		chunk_column_encode(t, v, n, &chunk);
	else
		chunk_column_encode_shared(v, n, 100, &chunk);
	strbuf_addf(&name, "%s%s / ", what, chunk_column_time_mode(strbuf_slice(&chunk)));
	chunk_column_describe(strbuf_slice(&chunk), &name);
	double all_ns = decode_ns(strbuf_slice(&chunk), strbuf_slice(&times), t[0]), times_ns = 0;
	if (times.len > SMALL_TIMES && !hashtab_get(columns, strbuf_slice(&times))) {
		static const double zeros[CHUNK];
		struct strbuf same = STRBUF_INIT;
		hashtab_put(columns, strbuf_slice(&times), columns);
		chunk_column_encode_shared(zeros, n, 100, &same);
		times_ns = decode_ns(strbuf_slice(&same), strbuf_slice(&times), t[0]);
		count_chunk(sums, "shared time columns", n, times.len, times_ns);
		strbuf_done(&same);
	}
	count_chunk(sums, strbuf_cstr(&name), n, chunk.len, all_ns);
	strbuf_done(&times);
	strbuf_done(&chunk);
	strbuf_done(&name);
}

/* One series in chunks; `what` stands in front of the names of the modes. */
static void count_series(struct mode_sums *sums, struct hashtab *columns, const char *what, const int64_t *t,
    const double *v, size_t n)
{
	for (size_t i = 0; i < n; i += CHUNK)
		count_column(sums, columns, what, t + i, v + i, n - i < CHUNK ? n - i : CHUNK);
}

static int by_bytes(const void *a, const void *b)
{
	const struct mode_sum *x = a, *y = b;
	return x->bytes == y->bytes ? strcmp(x->name, y->name) : x->bytes < y->bytes ? 1 : -1;
}

static void print_modes(struct mode_sums *sums)
{
	struct mode_sum all = {.name = NULL};
	qsort(sums->v, sums->len, sizeof(sums->v[0]), by_bytes);
	printf("| times / values | chunks | samples | bytes | B a sample | decode, ns a sample |\n"
	       "|---|---|---|---|---|---|\n");
	VEC_EACH (struct mode_sum, m, sums) {
		printf("| %s | %zu | %zu | %zu | %.3f | %.2f |\n", m->name, m->chunks, m->samples, m->bytes,
		    (double)m->bytes / (double)m->samples, m->decode_ns / (double)m->samples);
		bool times = strcmp(m->name, "shared time columns") == 0;
		all.chunks += times ? 0 : m->chunks;
		all.samples += times ? 0 : m->samples;
		all.bytes += m->bytes;
		all.decode_ns += times ? 0 : m->decode_ns;
		free(m->name);
	}
	printf("| all | %zu | %zu | %zu | %.3f | %.2f |\n", all.chunks, all.samples, all.bytes,
	    (double)all.bytes / (double)all.samples, all.decode_ns / (double)all.samples);
	mode_sums_done(sums);
}

/* --- the day that bench/compare generates ----------------------------------------------------------------------------- */

static void day(void)
{
	static const char *const shapes[] = {"integer counter: ", "decimal counter: ", "bytes gauge: ",
	    "rare counter: ", "constant: ", "noisy gauge: "};
	static int64_t t[DAY_STEPS];
	static double v[DAY_STEPS];
	struct mode_sums sums = {0};
	struct hashtab columns = {0};
	for (int k = 0; k < DAY_STEPS; k++)
		t[k] = INT64_C(1700000000000) + k * INT64_C(15000);
	for (int i = 0; i < SERIES_PER_TARGET; i++) {
		struct load_series s = {.labels = NULL};
		load_series_make(&s, i, 0, 0);
		for (int k = 0; k < DAY_STEPS; k++)
			v[k] = load_series_next(&s, 15);
		count_series(&sums, &columns, shapes[s.shape], t, v, DAY_STEPS);
		load_series_done(&s);
	}
	print_modes(&sums);
	hashtab_done(&columns);
}

static int real(FILE *f, bool list, const char *part_dir)
{
	struct series_vec all = {0};
	struct mode_sums modes = {0};
	struct hashtab columns = {0};
	size_t samples = 0, xor_bytes = 0;
	double encode = 0;
	char *line = NULL;
	size_t cap = 0;
	while (getline(&line, &cap, f) > 0)
		add_line(&all, line);
	free(line);
	VEC_EACH (struct series, s, &all) {
		encode += run_column(s->t.v, s->v.v, s->t.len, CHUNK).encode_ns * (double)s->t.len;
		xor_bytes += (size_t)(run_xor(s->t.v, s->v.v, s->t.len, 120).bytes * (double)s->t.len);
		struct mode_sums own = {0};
		count_series(list ? &own : &modes, &columns, "", s->t.v, s->v.v, s->t.len);
		VEC_EACH (struct mode_sum, m, &own)
			printf("%zu\t%zu\t%s\t%s\n", m->bytes, m->samples, m->name, s->labels);
		mode_sums_done(&own);
		samples += s->t.len;
	}
	print_modes(&modes);
	hashtab_done(&columns);
	printf("\n%zu series; XOR, chunks of 120: %.3f B a sample; column: encode %.1f ns a sample\n",
	    all.len, (double)xor_bytes / (double)samples, encode / (double)samples);
	return part_dir ? write_part(&all, part_dir) : 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)) {
		puts("usage: bench_codec [--day | FILE|- [--list | --part DIR]]\n"
		     "Bytes and time a sample of the chunk codecs: on generated streams, on the day that "
		     "bench/compare "
		     "generates,\nor on lines \"{labels} value time_ms\".\n"
		     "--list prints each series with its bytes and samples; --part writes them as a part "
		     "below DIR and prints its sizes.");
		return 0;
	}
	if (argc < 2) {
		generated();
		return 0;
	}
	if (strcmp(argv[1], "--day") == 0) {
		day();
		return 0;
	}
	FILE *f = strcmp(argv[1], "-") == 0 ? stdin : fopen(argv[1], "r");
	if (!f) {
		perror(argv[1]);
		return 1;
	}
	bool list = argc > 2 && strcmp(argv[2], "--list") == 0;
	return real(f, list, argc > 3 && strcmp(argv[2], "--part") == 0 ? argv[3] : NULL);
}
