#include "tsdb/part_meta.h"

#include "base/crc32c.h"
#include "base/json.h"
#include "base/json_read.h"
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { META_MAX_BYTES = 65536, CHECK_BYTES = 22 };

/* How the file ends: the last member is a checksum of everything before its comma. */
static void print_check(struct slice body, char out[CHECK_BYTES + 1])
{
	snprintf(out, CHECK_BYTES + 1, ",\"crc32c\":\"%08x\"}\n", (unsigned)crc32c(0, body.ptr, body.len));
}

void part_name(uint64_t seq, char out[PART_NAME_MAX])
{
	snprintf(out, PART_NAME_MAX, "part-%016llx", (unsigned long long)seq);
}

/* The numbers of the file, in its order. */
static const struct {
	const char *key;
	size_t offset;
	bool is_signed;
	bool is_optional; /* parts from before it was there have none */
} fields[] = {
    {"seq", offsetof(struct part_meta, seq), false, false},
    {"min_time_ms", offsetof(struct part_meta, min_t_ms), true, false},
    {"max_time_ms", offsetof(struct part_meta, max_t_ms), true, false},
    {"series", offsetof(struct part_meta, series), false, false},
    {"chunks", offsetof(struct part_meta, chunks), false, false},
    {"samples", offsetof(struct part_meta, samples), false, false},
    {"newest_seq", offsetof(struct part_meta, newest_seq), false, true},
    {"chunks_bytes", offsetof(struct part_meta, chunks_bytes), false, false},
    {"dir_bytes", offsetof(struct part_meta, dir_bytes), false, false},
    {"index_bytes", offsetof(struct part_meta, index_bytes), false, false},
};

static void print(struct strbuf *out, const struct part_meta *m)
{
	struct json j;
	json_init(&j, out);
	json_object_begin(&j);
	json_key(&j, "version");
	json_int(&j, m->version);
	json_key(&j, "name");
	json_cstr(&j, m->name);
	json_key(&j, "level");
	json_int(&j, m->level);
	json_key(&j, "out_of_order");
	json_bool(&j, m->out_of_order);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		int64_t x;
		memcpy(&x, (const char *)m + fields[i].offset, sizeof(x));
		json_key(&j, fields[i].key);
		json_int(&j, x);
	}
	json_key(&j, "parents");
	json_array_begin(&j);
	for (uint32_t i = 0; i < m->n_parents; i++)
		json_int(&j, (int64_t)m->parents[i]);
	json_array_end(&j);
	char check[CHECK_BYTES + 1];
	print_check(strbuf_slice(out), check);
	strbuf_add(out, check, CHECK_BYTES);
}

int part_meta_write(struct fs *fs, const char *path, const struct part_meta *m, struct err *err)
{
	struct strbuf sb = STRBUF_INIT;
	print(&sb, m);
	int rc = fs_write_file(fs, path, strbuf_slice(&sb), err);
	strbuf_done(&sb);
	return rc;
}

static bool take_numbers(const struct json_value *root, struct part_meta *m, const char **bad)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		int64_t x;
		*bad = fields[i].key;
		if (fields[i].is_optional && !json_member(root, fields[i].key))
			continue;
		if (!json_get_int(json_member(root, fields[i].key), &x) || (x < 0 && !fields[i].is_signed))
			return false;
		memcpy((char *)m + fields[i].offset, &x, sizeof(x));
	}
	return true;
}

static bool take_parents(const struct json_value *list, struct part_meta *m)
{
	size_t n = json_count(list);
	if (json_kind_of(list) != JSON_KIND_LIST || n > PART_PARENTS_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		int64_t x;
		if (!json_get_int(json_item(list, i), &x) || x < 0)
			return false;
		m->parents[i] = (uint64_t)x;
	}
	m->n_parents = (uint32_t)n;
	return true;
}

static bool take_name(const struct json_value *v, struct part_meta *m)
{
	struct slice name;
	if (!json_get_string(v, &name) || name.len == 0 || name.len >= PART_NAME_MAX)
		return false;
	memcpy(m->name, name.ptr, name.len);
	m->name[name.len] = 0;
	return true;
}

static int take_all(const struct json_value *root, struct part_meta *m, struct err *err)
{
	int64_t version, level;
	const char *bad = "version";
	if (!json_get_int(json_member(root, bad), &version))
		return err_set(err, ERR_CORRUPT, "\"%s\" is missing or wrong", bad);
	if (version != PART_VERSION)
		return err_set(err, ERR_UNSUPPORTED, "version %lld is unknown, this program reads %d",
		    (long long)version, PART_VERSION);
	m->version = (int)version;
	if (!take_numbers(root, m, &bad))
		return err_set(err, ERR_CORRUPT, "\"%s\" is missing or wrong", bad);
	if (!take_name(json_member(root, "name"), m))
		return err_set(err, ERR_CORRUPT, "\"name\" is missing or wrong");
	if (!json_get_int(json_member(root, "level"), &level) || level < 0 || level > 100)
		return err_set(err, ERR_CORRUPT, "\"level\" is missing or wrong");
	m->level = (int)level;
	if (!json_get_bool(json_member(root, "out_of_order"), &m->out_of_order))
		return err_set(err, ERR_CORRUPT, "\"out_of_order\" is missing or wrong");
	if (!take_parents(json_member(root, "parents"), m))
		return err_set(err, ERR_CORRUPT, "\"parents\" is missing or wrong");
	if (m->newest_seq == 0)
		m->newest_seq = m->seq;
	if (m->min_t_ms > m->max_t_ms)
		return err_set(err, ERR_CORRUPT, "\"min_time_ms\" is behind \"max_time_ms\"");
	return 0;
}

/* Every byte counts: a number that lost a bit would hide samples. */
static int check_text(struct slice text, struct err *err)
{
	char want[CHECK_BYTES + 1];
	if (text.len >= CHECK_BYTES) {
		print_check(slice_of(text.ptr, text.len - CHECK_BYTES), want);
		if (memcmp(want, text.ptr + text.len - CHECK_BYTES, CHECK_BYTES) == 0)
			return 0;
	}
	return err_set(err, ERR_CORRUPT, "wrong checksum");
}

int part_meta_parse(struct slice text, struct part_meta *m, struct err *err)
{
	struct json_doc *doc;
	struct part_meta got = {0};
	int rc = check_text(text, err);
	if (rc)
		return rc;
	rc = json_doc_parse(text, &doc, err);
	if (rc) {
		if (err)
			err->code = ERR_CORRUPT;
		return ERR_CORRUPT;
	}
	rc = take_all(json_doc_root(doc), &got, err);
	json_doc_free(doc);
	if (rc == 0)
		*m = got;
	return rc;
}

int part_meta_read(struct fs *fs, const char *path, struct part_meta *m, struct err *err)
{
	struct strbuf sb;
	strbuf_init(&sb, META_MAX_BYTES);
	int rc = fs_read_file(fs, path, &sb, err);
	if (rc == 0) {
		rc = part_meta_parse(strbuf_slice(&sb), m, err);
		if (rc)
			err_prefix(err, "%s: ", path);
	}
	strbuf_done(&sb);
	return rc;
}
