/* A remote write message, without its compression; stored in plain arrays. */
#include "base/compress.h"
#include "ingest/remote_write.h"
#include "storage/mem_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *arg, int status, struct slice text)
{
	(void)arg;
	(void)status;
	(void)text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mem_store *store = mem_store_new();
	struct remote_write *rw = remote_write_new(mem_store_appendable(store));
	struct strbuf body = STRBUF_INIT;
	snappy_encode(slice_of((const char *)data, size), &body);
	remote_write_store(rw, strbuf_slice(&body), ignore, NULL);
	remote_write_store(rw, slice_of((const char *)data, size), ignore, NULL);
	strbuf_done(&body);
	remote_write_free(rw);
	mem_store_free(store);
	return 0;
}
