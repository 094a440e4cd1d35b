/* Bodies of POST /api/v2/alerts and, when they begin with '{', of POST /api/v2/silences. */
#include "base/strbuf.h"
#include "fuzz/web_under_test.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
	if (status != 200 && status != 400 && status != 404 && status != 422)
		abort();
	if (web_under_test_send(
		SL("GET /api/v2/alerts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), true) != 200)
		abort();
	strbuf_done(&request);
	return 0;
}
