/* Durations and times: what parses prints, and what is printed parses to the same. */
#include "model/duration.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(struct slice s, int (*parse)(struct slice s, int64_t *v, struct err *err),
    void (*print)(struct strbuf *out, int64_t v))
{
	int64_t v, back;
	if (parse(s, &v, NULL) < 0)
		return;
	struct strbuf sb = STRBUF_INIT;
	print(&sb, v);
	if (parse(strbuf_slice(&sb), &back, NULL) < 0 || back != v)
		abort();
	strbuf_done(&sb);
}

static void print_time(struct strbuf *out, int64_t t_ms)
{
	rfc3339_print(out, t_ms, -1);
}

/* A time of the year 0 with an offset lies before it, where there is no text. */
static int parse_time(struct slice s, int64_t *t_ms, struct err *err)
{
	int rc = rfc3339_parse(s, t_ms, err);
	bool printable = rc == 0 && *t_ms >= INT64_C(-62167219200000) && *t_ms <= INT64_C(253402300799999);
	return printable ? 0 : ERR_INVALID;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = slice_of((const char *)data, size);
	round_trip(s, duration_parse_signed, duration_print);
	round_trip(s, go_duration_parse, go_duration_print);
	round_trip(s, parse_time, print_time);
	return 0;
}
