#include "base/log.h"

#include "base/clock.h"
#include "base/double_text.h"
#include "base/lock.h"
#include "base/strbuf.h"
#include "base/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { MAX_LINE_BYTES = 1 << 20 };

static struct {
	enum log_level level;
	enum log_format format;
	void (*write)(void *arg, struct slice line); /* LOG */
	void *write_arg;                             /* LOG */
} setup = {.level = LOG_INFO};

/* A lock that is there before any function ran. */
static struct lock output = {.mutex = PTHREAD_MUTEX_INITIALIZER, .class = LOCK_LOG, .name = "log"};

void log_setup(enum log_level level, enum log_format format)
{
	setup.level = level;
	setup.format = format;
}

void log_redirect(void (*write_line)(void *arg, struct slice line), void *arg)
{
	lock_take(&output);
	setup.write = write_line;
	setup.write_arg = arg;
	lock_release(&output);
}

static void write_stderr(struct slice line)
{
	while (line.len) {
		ssize_t n = write(STDERR_FILENO, line.ptr, line.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* nobody left to tell */
		line = slice_from(line, (size_t)n);
	}
}

static void write_line(struct slice line)
{
	lock_take(&output);
	if (setup.write)
		setup.write(setup.write_arg, line);
	else
		write_stderr(line);
	lock_release(&output);
}

/* Bare words stay bare; the rest is quoted, so that a line splits at its spaces. */
static bool needs_quotes(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f)
			return true;
	}
	return s.len == 0;
}

static void put_json_string(struct strbuf *out, struct slice s)
{
	strbuf_addch(out, '"');
	while (s.len) {
		size_t len;
		uint32_t rune = utf8_decode(s, &len);
		char text[4];
		if (rune == '"' || rune == '\\')
			strbuf_addf(out, "\\%c", (char)rune);
		else if (rune == '\n')
			strbuf_adds(out, "\\n");
		else if (rune < 0x20)
			strbuf_addf(out, "\\u%04x", rune);
		else
			strbuf_add(out, text, utf8_encode(rune, text));
		s = slice_from(s, len);
	}
	strbuf_addch(out, '"');
}

static void put_text(struct strbuf *out, struct slice s)
{
	if (setup.format == LOG_JSON)
		put_json_string(out, s);
	else if (needs_quotes(s))
		utf8_quote_go(out, s);
	else
		strbuf_add_slice(out, s);
}

static void put_double(struct strbuf *out, double v)
{
	char text[DOUBLE_TEXT_MAX];
	struct slice s = slice_of(text, double_to_json(v, text));
	if (isfinite(v))
		strbuf_add_slice(out, s);
	else
		put_text(out, s);
}

static void put_value(struct strbuf *out, const struct log_kv *kv)
{
	switch (kv->type) {
	case LOG_KV_STR:
		put_text(out, kv->value.str ? slice_cstr(kv->value.str) : SL_EMPTY);
		break;
	case LOG_KV_SLICE:
		put_text(out, kv->value.slice);
		break;
	case LOG_KV_I64:
		strbuf_addf(out, "%" PRId64, kv->value.i64);
		break;
	case LOG_KV_U64:
		strbuf_addf(out, "%" PRIu64, kv->value.u64);
		break;
	case LOG_KV_F64:
		put_double(out, kv->value.f64);
		break;
	case LOG_KV_BOOL:
		strbuf_adds(out, kv->value.boolean ? "true" : "false");
		break;
	case LOG_KV_END:
		break;
	}
}

static void put_key(struct strbuf *out, const char *key)
{
	if (setup.format == LOG_JSON)
		strbuf_addf(out, "%s\"%s\":", out->len > 1 ? "," : "", key);
	else
		strbuf_addf(out, "%s%s=", out->len ? " " : "", key);
}

static void put_time(struct strbuf *out)
{
	int64_t now_ms = clock_now_ms(clock_real());
	time_t s = (time_t)(now_ms / 1000);
	struct tm tm;
	gmtime_r(&s, &tm);
	char text[64];
	size_t n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(text + n, sizeof(text) - n, ".%03dZ", (int)(now_ms % 1000));
	put_key(out, "time");
	put_text(out, slice_of(text, n));
}

void log_event(enum log_level level, const char *msg, const struct log_kv *kvs)
{
	static const char *const names[] = {"DEBUG", "INFO", "WARN", "ERROR"};
	if (level < setup.level)
		return;
	struct strbuf line;
	strbuf_init(&line, MAX_LINE_BYTES);
	if (setup.format == LOG_JSON)
		strbuf_addch(&line, '{');
	put_time(&line);
	put_key(&line, "level");
	put_text(&line, slice_cstr(names[level]));
	put_key(&line, "msg");
	put_text(&line, slice_cstr(msg));
	for (const struct log_kv *kv = kvs; kv->type != LOG_KV_END; kv++) {
		put_key(&line, kv->key);
		put_value(&line, kv);
	}
	strbuf_adds(&line, setup.format == LOG_JSON ? "}\n" : "\n");
	if (!strbuf_overflowed(&line))
		write_line(strbuf_slice(&line));
	strbuf_done(&line);
}

bool log_limit_ok(struct log_limit *limit, uint32_t per_minute)
{
	int64_t now_ms = clock_mono_ns(clock_real()) / 1000000;
	int64_t start = limit->window_start_ms;
	if (start == 0 || now_ms - start >= 60000) {
		/* Two threads may both begin a window; then a few lines more are written, which does no harm.
		 */
		limit->window_start_ms = now_ms ? now_ms : 1;
		limit->count = 0;
	}
	return limit->count++ < per_minute;
}
