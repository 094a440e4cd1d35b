#include "bench/rwload.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_BODY_BYTES = 64 << 20, MAX_CONNECTIONS = 64 };

struct send_state {
	FILE *in;
	const char *host, *port, *path;
	double rate, start_s;
	pthread_mutex_t mutex; /* guards all below, and `in` */
	uint64_t offered, sent, failed, requests;
	double *latencies;
	size_t n_latencies, cap_latencies;
};

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int dial(const struct send_state *st)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list;
	if (getaddrinfo(st->host, st->port, &hints, &list) != 0) {
		fprintf(stderr, "rwload: unknown host %s\n", st->host);
		exit(1);
	}
	int fd = -1;
	for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, SOCK_STREAM, 0);
		if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(list);
	if (fd < 0) {
		perror("rwload: connect");
		exit(1);
	}
	int on = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* The next record, and how many samples were in those before it; false at the end of the file. */
static bool next_body(
    struct send_state *st, char *body, uint32_t *samples, uint32_t *len, uint64_t *offered_before)
{
	uint32_t head[2];
	pthread_mutex_lock(&st->mutex);
	bool good = fread(head, sizeof(head), 1, st->in) == 1 && head[1] <= MAX_BODY_BYTES &&
		    fread(body, 1, head[1], st->in) == head[1];
	*offered_before = st->offered;
	st->offered += head[0];
	pthread_mutex_unlock(&st->mutex);
	*samples = head[0];
	*len = head[1];
	return good;
}

/* Returns the moment from which the request's latency counts: when no connection was free at its turn, it waited. */
static double wait_for_turn(const struct send_state *st, uint64_t offered)
{
	double now = now_s();
	if (st->rate <= 0)
		return now;
	double due = st->start_s + (double)offered / st->rate;
	if (due > now)
		usleep((useconds_t)((due - now) * 1e6));
	return due;
}

static bool write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);
		if (w <= 0)
			return false;
		p += w;
		n -= (size_t)w;
	}
	return true;
}

/* The status of the answer, its body read and thrown away; -1: the connection broke. */
static int read_answer(int fd, char *r, size_t cap, bool *must_close)
{
	size_t len = 0;
	char *end = NULL;
	while (!end) {
		ssize_t got = read(fd, r + len, cap - 1 - len);
		if (got <= 0)
			return -1;
		len += (size_t)got;
		r[len] = '\0';
		end = strstr(r, "\r\n\r\n");
	}
	int status = atoi(r + 9);
	char *length = strcasestr(r, "content-length:");
	size_t body = length && length < end ? (size_t)atoll(length + 15) : 0,
	       have = len - (size_t)(end + 4 - r);
	*must_close = strcasestr(r, "connection: close") || strcasestr(r, "transfer-encoding: chunked");
	char rest[4096];
	while (!*must_close && have < body) {
		ssize_t got = read(fd, rest, sizeof(rest));
		if (got <= 0)
			*must_close = true;
		else
			have += (size_t)got;
	}
	return status;
}

static void count(struct send_state *st, int status, uint32_t samples, double latency, const char *answer)
{
	pthread_mutex_lock(&st->mutex);
	st->requests++;
	if (status / 100 == 2) {
		st->sent += samples;
	} else {
		if (!st->failed)
			fprintf(
			    stderr, "rwload: first failure: %d %.400s\n", status, status > 0 ? answer : "");
		st->failed += samples;
	}
	if (st->n_latencies == st->cap_latencies) {
		st->cap_latencies = st->cap_latencies * 2 + 4096;
		st->latencies = realloc(st->latencies, st->cap_latencies * sizeof(double));
		if (!st->latencies)
			abort();
	}
	st->latencies[st->n_latencies++] = latency;
	pthread_mutex_unlock(&st->mutex);
}

static void *run_connection(void *arg)
{
	struct send_state *st = arg;
	char *body = malloc(MAX_BODY_BYTES), head[512], answer[4096];
	uint32_t samples, len;
	uint64_t before;
	if (!body)
		abort();
	int fd = dial(st);
	while (next_body(st, body, &samples, &len, &before)) {
		double begin = wait_for_turn(st, before);
		int n = snprintf(head, sizeof(head),
		    "POST %s HTTP/1.1\r\nHost: %s:%s\r\nContent-Type: "
		    "application/x-protobuf\r\nContent-Encoding: snappy\r\n"
		    "X-Prometheus-Remote-Write-Version: 0.1.0\r\nUser-Agent: rwload\r\nContent-Length: "
		    "%u\r\n\r\n",
		    st->path, st->host, st->port, len);
		bool must_close = false;
		int status = -1;
		if (write_all(fd, head, (size_t)n) && write_all(fd, body, len))
			status = read_answer(fd, answer, sizeof(answer), &must_close);
		count(st, status, samples, now_s() - begin, answer);
		if (status < 0 || must_close) {
			close(fd);
			fd = dial(st);
		}
	}
	close(fd);
	free(body);
	return NULL;
}

/* User and system CPU seconds of a process. */
static double cpu_s(int pid)
{
	char path[64], text[2048];
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	FILE *f = fopen(path, "r");
	if (!f)
		return 0;
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	char *p = strrchr(text, ')');
	unsigned long user = 0, system = 0;
	if (!p || sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
		return 0;
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* A "Key:   N kB" line of /proc/PID/status, in MB. */
static long memory_mb(int pid, const char *key)
{
	char path[64], line[256];
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	FILE *f = fopen(path, "r");
	long kb = 0;
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, key, strlen(key)) == 0)
			kb = atol(line + strlen(key));
	fclose(f);
	return kb / 1024;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double percentile_ms(const struct send_state *st, double q)
{
	return st->n_latencies ? st->latencies[(size_t)((double)(st->n_latencies - 1) * q)] * 1e3 : 0;
}

int rwload_send(int argc, char **argv)
{
	struct send_state st = {
	    .host = argv[1], .port = argv[2], .path = argv[3], .mutex = PTHREAD_MUTEX_INITIALIZER};
	int connections = atoi(argv[4]), pid = argc > 5 ? atoi(argv[5]) : 0;
	pthread_t threads[MAX_CONNECTIONS];
	st.rate = argc > 6 ? atof(argv[6]) : 0;
	st.in = fopen(argv[0], "rb");
	if (!st.in || connections < 1 || connections > MAX_CONNECTIONS) {
		fprintf(
		    stderr, "rwload: cannot read %s, or not 1 to %d connections\n", argv[0], MAX_CONNECTIONS);
		return 2;
	}
	double cpu_before = cpu_s(pid);
	st.start_s = now_s();
	for (int i = 0; i < connections; i++)
		if (pthread_create(&threads[i], NULL, run_connection, &st) != 0)
			abort();
	for (int i = 0; i < connections; i++)
		pthread_join(threads[i], NULL);
	double wall = now_s() - st.start_s, cpu = cpu_s(pid) - cpu_before;
	qsort(st.latencies, st.n_latencies, sizeof(double), compare);
	printf("{\"sent\":%llu,\"failed\":%llu,\"requests\":%llu,\"wall_s\":%.2f,\"samples_per_s\":%.0f,"
	       "\"server_cpu_s\":%.2f,"
	       "\"server_cpu_us_per_sample\":%.3f,\"lat_ms_p50\":%.1f,\"lat_ms_p99\":%.1f,\"lat_ms_max\":%."
	       "1f,\"rss_mb\":%ld,"
	       "\"hwm_mb\":%ld}\n",
	    (unsigned long long)st.sent, (unsigned long long)st.failed, (unsigned long long)st.requests, wall,
	    (double)st.sent / wall, cpu, st.sent ? cpu * 1e6 / (double)st.sent : 0, percentile_ms(&st, .5),
	    percentile_ms(&st, .99), percentile_ms(&st, 1), memory_mb(pid, "VmRSS:"),
	    memory_mb(pid, "VmHWM:"));
	free(st.latencies);
	fclose(st.in);
	return st.failed ? 1 : 0;
}
