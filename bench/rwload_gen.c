#include "bench/rwload.h"

#include <snappy-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SERIES_BYTES = 700 };

struct settings {
	int series, steps, batch, churn_percent, churn_steps, extra_labels;
	int64_t step_ms, start_ms;
};

static void *allocate(size_t n)
{
	void *p = calloc(n, 1);
	if (!p) {
		fprintf(stderr, "rwload: no memory for %zu bytes\n", n);
		exit(1);
	}
	return p;
}

/* One TimeSeries with one sample; returns its length. */
static size_t put_series(char *p, const struct load_series *s, double v, int64_t t_ms)
{
	char sample[32], head[16];
	size_t m = 0, n = 0, h = 0;
	sample[m++] = 0x09;
	memcpy(sample + m, &v, 8);
	m += 8;
	sample[m++] = 0x10;
	m += put_varint(sample + m, (uint64_t)t_ms);
	head[h++] = 0x12;
	h += put_varint(head + h, m);
	p[n++] = 0x0a;
	n += put_varint(p + n, s->labels_len + h + m);
	memcpy(p + n, s->labels, s->labels_len);
	n += s->labels_len;
	memcpy(p + n, head, h);
	n += h;
	memcpy(p + n, sample, m);
	return n + m;
}

static void write_record(FILE *f, uint32_t samples, const char *raw, size_t n, char *packed, size_t cap)
{
	size_t len = cap;
	snappy_compress(raw, n, packed, &len);
	uint32_t head[2] = {samples, (uint32_t)len};
	if (fwrite(head, sizeof(head), 1, f) != 1 || fwrite(packed, 1, len, f) != len) {
		perror("rwload: write");
		exit(1);
	}
}

/* Pods are not replaced all at once: each target has its step of `churn_steps`. */
static void replace_pods(struct load_series *s, const struct settings *o, int step)
{
	for (int first = 0; first < o->series; first += SERIES_PER_TARGET) {
		int target = first / SERIES_PER_TARGET,
		    generation = (step - target % o->churn_steps) / o->churn_steps;
		if (target % 100 >= o->churn_percent || (step - target) % o->churn_steps != 0)
			continue;
		for (int i = first; i < o->series && i < first + SERIES_PER_TARGET; i++)
			load_series_make(&s[i], i, 1 + generation, o->extra_labels);
	}
}

static uint64_t write_steps(FILE *f, struct load_series *s, const struct settings *o)
{
	size_t cap = (size_t)o->batch * MAX_SERIES_BYTES, packed_cap = snappy_max_compressed_length(cap);
	char *raw = allocate(cap), *packed = allocate(packed_cap);
	uint64_t total = 0;
	for (int t = 0; t < o->steps; t++) {
		if (o->churn_percent && t > 0)
			replace_pods(s, o, t);
		for (int i = 0; i < o->series;) {
			size_t n = 0;
			uint32_t count = 0;
			for (; i < o->series && (int)count < o->batch; i++, count++) {
				double v = load_series_next(&s[i], (double)o->step_ms / 1000);
				n += put_series(raw + n, &s[i], v,
				    o->start_ms + t * o->step_ms + s[i].jitter_ms % o->step_ms);
			}
			write_record(f, count, raw, n, packed, packed_cap);
			total += count;
		}
	}
	free(raw);
	free(packed);
	return total;
}

int rwload_gen(int argc, char **argv)
{
	struct settings o = {
	    .series = atoi(argv[1]),
	    .steps = atoi(argv[2]),
	    .step_ms = atoll(argv[3]),
	    .start_ms = atoll(argv[4]),
	    .batch = argc > 5 ? atoi(argv[5]) : 2000,
	    .churn_percent = argc > 6 ? atoi(argv[6]) : 0,
	    .churn_steps = argc > 7 ? atoi(argv[7]) : 40,
	    .extra_labels = argc > 8 ? atoi(argv[8]) : 0,
	};
	if (o.series < 1 || o.steps < 1 || o.step_ms < 1 || o.batch < 1 || o.churn_steps < 1) {
		fprintf(stderr, "rwload: SERIES, STEPS, STEP_MS, BATCH and CHURN_STEPS must be positive\n");
		return 2;
	}
	FILE *f = fopen(argv[0], "wb");
	if (!f) {
		perror(argv[0]);
		return 1;
	}
	struct load_series *s = allocate((size_t)o.series * sizeof(*s));
	for (int i = 0; i < o.series; i++)
		load_series_make(&s[i], i, 0, o.extra_labels);
	uint64_t total = write_steps(f, s, &o);
	for (int i = 0; i < o.series; i++)
		load_series_done(&s[i]);
	free(s);
	if (fclose(f) != 0) {
		perror(argv[0]);
		return 1;
	}
	printf("samples %llu\n", (unsigned long long)total);
	return 0;
}
