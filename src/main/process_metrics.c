#include "main/process_metrics.h"

#include "base/counters.h"
#include "base/fs.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static double start_time_s;

static double cpu_seconds(void)
{
	struct rusage u;
	if (getrusage(RUSAGE_SELF, &u) != 0)
		return 0;
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* The first two numbers of /proc/self/statm: pages of address space, pages resident. */
static void memory_bytes(double *virtual, double *resident)
{
	struct strbuf text;
	strbuf_init(&text, 4096);
	*virtual = *resident = 0;
	if (fs_read_file(fs_real(), "/proc/self/statm", &text, NULL) == 0) {
		char *end;
		double page = (double)sysconf(_SC_PAGESIZE);
		*virtual = (double)strtoull(strbuf_cstr(&text), &end, 10) * page;
		*resident = (double)strtoull(end, NULL, 10) * page;
	}
	strbuf_done(&text);
}

static int count_entry(void *arg, const char *name, bool is_dir)
{
	(void)name;
	(void)is_dir;
	++*(double *)arg;
	return 0;
}

static void one(struct metrics_writer *w, const char *name, const char *type, const char *help, double value)
{
	metrics_family(w, name, type, help);
	metrics_sample(w, "", value, NULL);
}

static void collect(void *arg, struct metrics_writer *w)
{
	(void)arg;
	double virtual, resident, fds = 0;
	memory_bytes(&virtual, &resident);
	struct rlimit limit = {0};
	getrlimit(RLIMIT_NOFILE, &limit);
	one(w, "process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.",
	    cpu_seconds());
	if (fs_list(fs_real(), "/proc/self/fd", count_entry, &fds, NULL) == 0)
		one(w, "process_open_fds", "gauge", "Number of open file descriptors.", fds);
	one(w, "process_max_fds", "gauge", "Maximum number of open file descriptors.",
	    (double)limit.rlim_cur);
	one(w, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.", resident);
	one(w, "process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.", virtual);
	one(w, "process_start_time_seconds", "gauge",
	    "Start time of the process since unix epoch in seconds.", start_time_s);
}

void process_metrics_register(const struct clock *clock)
{
	start_time_s = (double)clock_now_ms(clock) / 1000;
	counters_add_collector(collect, NULL);
}
