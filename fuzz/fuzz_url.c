/* URLs, their escapes and form bodies. */
#include "net/http_params.h"
#include "net/url.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of((const char *)data, size);
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	struct url u;
	struct err err;
	if (url_parse(in, &u, &err) == 0 && u.scheme.len + u.userinfo.len + u.host.len + u.path.len > size)
		abort(); /* parts lie within the text */
	struct strbuf sb = STRBUF_INIT;
	url_query_escape(&sb, in);
	if (!slice_eq(url_decode(strbuf_slice(&sb), true, a), in))
		abort(); /* what was escaped comes back */
	struct http_param_vec params = {0};
	http_params_add(&params, in, a);
	http_param_vec_done(&params);
	strbuf_done(&sb);
	arena_free(a);
	return 0;
}
