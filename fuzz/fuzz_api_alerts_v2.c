/* Bodies of POST /api/v2/alerts and, when they begin with '{', of POST /api/v2/silences. */
#include "base/strbuf.h"
#include "fuzz/web_under_test.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_good, int status)
{
	if (is_good)
		return;
	fprintf(stderr, "answered with %d\n", status);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf request = STRBUF_INIT;
	strbuf_addf(&request,
	    "POST /api/v2/%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: "
	    "application/json\r\nContent-Length: "
	    "%zu\r\n\r\n",
	    size && data[0] == '{' ? "silences" : "alerts", size);
	strbuf_add(&request, data, size);
	int status = web_under_test_send(strbuf_slice(&request), true);
	check(status == 200 || status == 400 || status == 404 || status == 422, status);
	status = web_under_test_send(
	    SL("GET /api/v2/alerts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), true);
	check(status == 200, status);
	strbuf_done(&request);
	return 0;
}
