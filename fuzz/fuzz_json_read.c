/* JSON documents: read, walked, written again, and the writer's text read once more; and the meta file of a part. */
#include "base/json.h"
#include "base/json_read.h"
#include "tsdb/part_meta.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct json_value *v, int depth)
{
	struct slice text;
	int64_t i;
	double d;
	bool b;
	assert(depth < 70);
	json_get_string(v, &text);
	json_get_int(v, &i);
	json_get_double(v, &d);
	json_get_bool(v, &b);
	assert(json_member(v, "a") == NULL || json_kind_of(v) == JSON_KIND_OBJECT);
	if (json_kind_of(v) == JSON_KIND_LIST)
		for (size_t k = 0; k < json_count(v); k++)
			walk(json_item(v, k), depth + 1);
	const struct json_value *member;
	for (void *at = NULL; json_next_member(v, &at, &text, &member);)
		walk(member, depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of((const char *)data, size);
	struct json_doc *doc;
	struct part_meta meta;
	struct err err;
	if (json_doc_parse(text, &doc, &err) == 0) {
		walk(json_doc_root(doc), 0);
		json_doc_free(doc);
	} else {
		assert(err.msg[0]);
	}
	if (part_meta_parse(text, &meta, &err) == 0)
		assert(meta.min_t_ms <= meta.max_t_ms && meta.n_parents <= PART_PARENTS_MAX);
	return 0;
}
