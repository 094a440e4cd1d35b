/* Template texts, parsed and executed over fixed data with small bounds. */
#include "template/template_funcs.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(16 << 20);
	struct template_env env = {.now_ms = 1, .external_url = SL("http://x/")};
	struct template_options options = {.user = &env, .max_steps = 2000};
	struct template_value value = template_labels(a, labels_of(a, "Labels", "x", "Value", "1", NULL));
	struct template_set *set = template_set_new(a, &template_prometheus_funcs);
	struct strbuf out;
	struct err err;
	strbuf_init(&out, 1 << 16);
	if (template_parse(set, SL("f"), slice_of((const char *)data, size), &err) == 0 &&
	    template_exec(set, SL("f"), &value, &options, a, &out, &err))
		strbuf_reset(&out);
	strbuf_done(&out);
	arena_free(a);
	return 0;
}
