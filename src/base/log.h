/* The log: one event a line on stderr, as logfmt or JSON. The message is a constant; what varies stands in keys.
 *
 *   log_warn("wal segment torn", KV_STR("component", "tsdb"), KV_U64("segment", n), KV_ERR(&err));
 *
 * Lines carry time=, level= and msg= as Prometheus 3 writes them. Thread-safe; a line is written with one write(2).
 * Layers from base to promql never log above debug: they return errors, and whoever stops an error logs it. */
#pragma once

#include "base/err.h"
#include "base/slice.h"
#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

enum log_kv_type { LOG_KV_STR, LOG_KV_SLICE, LOG_KV_I64, LOG_KV_U64, LOG_KV_F64, LOG_KV_BOOL, LOG_KV_END };

struct log_kv {
	enum log_kv_type type;
	const char *key;
	union {
		const char *str; /* NULL prints as empty */
		struct slice slice;
		int64_t i64;
		uint64_t u64;
		double f64;
		bool boolean;
	} value;
};

#define KV_STR(k, x)   ((struct log_kv){.type = LOG_KV_STR, .key = (k), .value.str = (x)})
#define KV_SLICE(k, x) ((struct log_kv){.type = LOG_KV_SLICE, .key = (k), .value.slice = (x)})
#define KV_I64(k, x)   ((struct log_kv){.type = LOG_KV_I64, .key = (k), .value.i64 = (x)})
#define KV_U64(k, x)   ((struct log_kv){.type = LOG_KV_U64, .key = (k), .value.u64 = (x)})
#define KV_F64(k, x)   ((struct log_kv){.type = LOG_KV_F64, .key = (k), .value.f64 = (x)})
#define KV_BOOL(k, x)  ((struct log_kv){.type = LOG_KV_BOOL, .key = (k), .value.boolean = (x)})
#define KV_ERR(e)      KV_STR("err", (e)->msg)

/* Lines below `level` are not written. Before any thread starts. */
void log_setup(enum log_level level, enum log_format format);
/* Where lines go instead of stderr: `write` gets each finished line with its newline. NULL: back to stderr. For tests. */
void log_redirect(void (*write)(void *arg, struct slice line), void *arg);

void log_event(enum log_level level, const char *msg, const struct log_kv *kvs);

/* True at most `per_minute` times a minute for this `state` (zeroed at first), so that a loop cannot flood the log. */
struct log_limit {
	_Atomic int64_t window_start_ms;
	_Atomic uint32_t count;
};
bool log_limit_ok(struct log_limit *limit, uint32_t per_minute);

#define LOG_KVS(...)     ((const struct log_kv[]){__VA_ARGS__ __VA_OPT__(, ){.type = LOG_KV_END}})
#define log_debug(m, ...) log_event(LOG_DEBUG, (m), LOG_KVS(__VA_ARGS__))
#define log_info(m, ...) log_event(LOG_INFO, (m), LOG_KVS(__VA_ARGS__))
#define log_warn(m, ...) log_event(LOG_WARN, (m), LOG_KVS(__VA_ARGS__))
#define log_error(m, ...) log_event(LOG_ERROR, (m), LOG_KVS(__VA_ARGS__))
