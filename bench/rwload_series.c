#include "bench/rwload.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* xorshift64 (Marsaglia 2003) from a fixed seed: every run makes the same load. */
static uint64_t random_state = UINT64_C(88172645463325252);

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

size_t put_varint(char *p, uint64_t v)
{
	size_t n = 0;
	for (; v >= 128; v >>= 7)
		p[n++] = (char)(v | 128);
	p[n++] = (char)v;
	return n;
}

enum { MAX_LABELS = 16, MAX_TEXT = 96 };

struct label_list {
	struct {
		const char *name;
		char value[MAX_TEXT];
	} l[MAX_LABELS];
	size_t n;
};

static size_t put_text(char *p, char tag, const char *text)
{
	size_t len = strlen(text), n = 0;
	p[n++] = tag;
	n += put_varint(p + n, len);
	memcpy(p + n, text, len);
	return n + len;
}

/* Labels come in any order; the list is sorted by name, as the protocol wants it. */
static void add(struct label_list *b, const char *name, const char *value)
{
	size_t i = b->n++;
	for (; i > 0 && strcmp(b->l[i - 1].name, name) > 0; i--)
		b->l[i] = b->l[i - 1];
	b->l[i].name = name;
	snprintf(b->l[i].value, sizeof(b->l[i].value), "%s", value);
}

/* The fields of a TimeSeries; returns their length. */
static size_t put_labels(char *p, const struct label_list *b)
{
	size_t len = 0;
	for (size_t i = 0; i < b->n; i++) {
		char pair[2 * MAX_TEXT + 8];
		size_t n = put_text(pair, 0x0a, b->l[i].name);
		n += put_text(pair + n, 0x12, b->l[i].value);
		p[len++] = 0x0a;
		len += put_varint(p + len, n);
		memcpy(p + len, pair, n);
		len += n;
	}
	return len;
}

static void add_code(struct label_list *b, int which)
{
	char code[16];
	snprintf(code, sizeof(code), "%d", 200 + 100 * (which % 4));
	add(b, "code", code);
}

/* The labels every series of a target carries. */
struct target {
	int number;
	char pod[64], instance[64], namespace[32], job[32];
};

static void make_target(struct target *t, int number, int generation)
{
	t->number = number;
	snprintf(t->pod, sizeof(t->pod), "app-%d-%08x", number % 50,
	    (unsigned)number * 2654435761u + (unsigned)generation * 97u);
	snprintf(t->instance, sizeof(t->instance), "10.%d.%d.%d:8080", number / 65536 % 256,
	    number / 256 % 256, number % 256);
	snprintf(t->namespace, sizeof(t->namespace), "ns-%d", number % 20);
	snprintf(t->job, sizeof(t->job), "svc-%d", number % 50);
}

/* What an orchestrator adds to each series of a target, as many as asked for. */
static void add_extra(struct label_list *b, const struct target *t, int extra)
{
	static const struct {
		const char *name;
		int values;
	} labels[] = {
	    {"cluster", 4}, {"container", 50}, {"node", 2000}, {"env", 3}, {"service", 200}, {"region", 2}};
	for (int i = 0; i < extra && i < (int)(sizeof(labels) / sizeof(labels[0])); i++) {
		char value[MAX_TEXT];
		snprintf(
		    value, sizeof(value), "%s-%d.internal", labels[i].name, t->number % labels[i].values);
		add(b, labels[i].name, value);
	}
}

static const char *const paths[] = {"/api/v1/users", "/api/v1/orders", "/api/v1/payments", "/login",
    "/logout", "/metrics", "/healthz", "/api/v1/cart", "/api/v1/search", "/static"};

/* 480 histogram buckets: 4 codes, 10 paths, 12 bounds. */
static void make_bucket(struct load_series *s, struct label_list *b, const struct target *t, int j)
{
	static const char *const bounds[] = {
	    "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "+Inf"};
	add(b, "__name__", "http_request_duration_seconds_bucket");
	add_code(b, j / 120);
	add(b, "instance", t->instance);
	add(b, "job", t->job);
	add(b, "le", bounds[j % 12]);
	add(b, "namespace", t->namespace);
	add(b, "path", paths[j / 12 % 10]);
	add(b, "pod", t->pod);
	s->shape = INTEGER_COUNTER;
	s->rate = (j % 12 + 1) * (double)(1 + (j / 12) % 7) * .5;
}

static void make_requests(struct load_series *s, struct label_list *b, const struct target *t, int j)
{
	add(b, "__name__", "http_requests_total");
	add_code(b, j / 10);
	add(b, "instance", t->instance);
	add(b, "job", t->job);
	add(b, "namespace", t->namespace);
	add(b, "path", paths[j % 10]);
	add(b, "pod", t->pod);
	s->shape = INTEGER_COUNTER;
}

static void make_cpu(struct load_series *s, struct label_list *b, const struct target *t, int j)
{
	static const char *const modes[] = {
	    "idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user"};
	char cpu[16];
	snprintf(cpu, sizeof(cpu), "%d", j / 8 % 8);
	add(b, "__name__", "node_cpu_seconds_total");
	add(b, "cpu", cpu);
	add(b, "instance", t->instance);
	add(b, "job", t->job);
	add(b, "mode", modes[j % 8]);
	add(b, "namespace", t->namespace);
	add(b, "pod", t->pod);
	s->shape = DECIMAL_COUNTER;
	s->rate = (double)(next_random() % 100) / 100;
}

/* The rest of a target: one series a metric, numbered within its kind. */
static void make_plain(struct load_series *s, struct label_list *b, const struct target *t, int j)
{
	char name[96];
	if (j < 700) {
		snprintf(name, sizeof(name), "process_gauge_%d_bytes", j - 584);
		s->shape = BYTES_GAUGE;
	} else if (j < 850) {
		snprintf(name, sizeof(name), "app_events_%d_total", j - 700);
		s->shape = RARE_COUNTER;
	} else if (j < 950) {
		snprintf(name, sizeof(name), "app_constant_%d", j - 850);
		s->shape = CONSTANT;
	} else {
		snprintf(name, sizeof(name), "app_temperature_%d_celsius", j - 950);
		s->shape = NOISY_GAUGE;
	}
	add(b, "__name__", name);
	add(b, "instance", t->instance);
	add(b, "job", t->job);
	add(b, "namespace", t->namespace);
	add(b, "pod", t->pod);
	if (s->shape == BYTES_GAUGE)
		s->v = (double)(next_random() % (1u << 30)) * 4096;
	else if (s->shape == CONSTANT)
		s->v = (double)(next_random() % 1000);
	else if (s->shape == NOISY_GAUGE)
		s->v = 20 + (double)(next_random() % 600) / 10;
}

void load_series_make(struct load_series *s, int i, int generation, int extra_labels)
{
	struct label_list b;
	char bytes[MAX_LABELS * (2 * MAX_TEXT + 8)];
	struct target t;
	int number = i / SERIES_PER_TARGET, j = i % SERIES_PER_TARGET;
	b.n = 0;
	make_target(&t, number, generation);
	s->jitter_ms = (int32_t)((int64_t)number * 7919 % 15000);
	s->rate = (double)(next_random() % 1000) / 10;
	if (j < 480)
		make_bucket(s, &b, &t, j);
	else if (j < 520)
		make_requests(s, &b, &t, j);
	else if (j < 584)
		make_cpu(s, &b, &t, j);
	else
		make_plain(s, &b, &t, j);
	add_extra(&b, &t, extra_labels);
	free(s->labels);
	s->labels_len = put_labels(bytes, &b);
	s->labels = malloc(s->labels_len);
	if (!s->labels)
		abort();
	memcpy(s->labels, bytes, s->labels_len);
}

void load_series_done(struct load_series *s)
{
	free(s->labels);
	s->labels = NULL;
}

double load_series_next(struct load_series *s, double seconds)
{
	switch (s->shape) {
	case INTEGER_COUNTER:
		s->v += floor(s->rate * seconds * (0.5 + (double)(next_random() % 1000) / 1000));
		break;
	case DECIMAL_COUNTER:
		s->v =
		    round((s->v + s->rate * seconds * (0.9 + (double)(next_random() % 200) / 1000)) * 100) /
		    100;
		break;
	case BYTES_GAUGE:
		if (next_random() % 4 == 0)
			s->v += ((double)(next_random() % 2001) - 1000) * 4096;
		if (s->v < 0)
			s->v = 0;
		break;
	case RARE_COUNTER:
		if (next_random() % 20 == 0)
			s->v += (double)(next_random() % 5);
		break;
	case CONSTANT:
		break;
	case NOISY_GAUGE:
		s->v += ((double)(next_random() % 2001) - 1000) / 1e3 * 0.37;
		break;
	}
	return s->v;
}
