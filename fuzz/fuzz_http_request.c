/* Raw bytes as requests to a server with all of the API. Whatever comes, it answers or closes, and a good request works. */
#include "fuzz/web_under_test.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned n;
	web_under_test_send(slice_of((const char *)data, size), false);
	if (n++ % 256 == 0 &&
	    web_under_test_send(
		SL("GET /api/v1/query?query=up HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), true) !=
		200)
		abort();
	return 0;
}
