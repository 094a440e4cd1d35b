/* Times in Go's layouts ("2006-01-02 15:04:05.000 MST"). UTC only. Thread-safe. */
#pragma once

#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include <stdint.h>

void go_time_format(struct strbuf *out, struct slice layout, int64_t s, int32_t ns);
/* Text read by a layout; ERR_INVALID with Go's words. */
MUST_CHECK int go_time_parse(
    struct slice layout, struct slice text, int64_t *s, int32_t *ns, struct err *err);
/* "2006-01-02 15:04:05.999999999 +0000 UTC" */
void go_time_print(struct strbuf *out, int64_t s, int32_t ns);
/* Parts of the calendar. */
struct go_date {
	int64_t year;
	int month, day, hour, minute, second; /* month and day from 1 */
	int weekday, year_day;                /* Sunday is 0; the year day from 1 */
};
void go_time_date(int64_t s, struct go_date *out);
