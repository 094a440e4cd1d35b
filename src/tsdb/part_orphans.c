#include "tsdb/part_orphans.h"

#include "base/vec.h"
#include "base/xmalloc.h"
#include "tsdb/part_read.h"
#include <string.h>

static const char aside[] = ".damaged";

/* Metas of the orphans that are whole. */
VEC_DEFINE(part_metas, struct part_meta);

struct settling {
	const struct part_orphans *o;
	struct part_metas whole;
	struct err *err;
};

static bool ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);
	return n >= m && strcmp(name + n - m, end) == 0;
}

static bool is_named(const struct manifest *m, const char *name)
{
	size_t n;
	const struct manifest_part *parts = manifest_parts(m, &n);
	char known[PART_NAME_MAX];
	for (size_t i = 0; i < n; i++) {
		part_name(parts[i].seq, known);
		if (strcmp(known, name) == 0)
			return true;
	}
	return false;
}

static void note(const struct part_orphans *o, const char *what, const char *name, const char *why)
{
	char *text = xasprintf("part %s, which the manifest does not name, %s%s", name, what, why);
	o->note(o->arg, text);
	free(text);
}

static int remove_dir(const struct part_orphans *o, const char *name, struct err *err)
{
	char *path = xasprintf("%s/%s", o->parts_dir, name);
	int rc = fs_remove_tree(o->fs, path, err);
	free(path);
	return rc;
}

static int set_aside(const struct part_orphans *o, const char *name, const char *why, struct err *err)
{
	char *path = xasprintf("%s/%s", o->parts_dir, name), *to = xasprintf("%s%s", path, aside);
	int rc = fs_rename(o->fs, path, to, err);
	if (rc == 0)
		note(o, "is set aside: ", name, why);
	free(path);
	free(to);
	return rc;
}

static int look_at(void *arg, const char *name, bool is_dir)
{
	struct settling *s = arg;
	const struct part_orphans *o = s->o;
	if (is_named(o->manifest, name) || ends_with(name, aside))
		return 0;
	if (!o->salvage || !is_dir || ends_with(name, ".tmp"))
		return remove_dir(o, name, s->err);
	struct part *part;
	struct err why;
	int rc = part_open(o->fs, o->parts_dir, name, o->cache, &part, &why);
	if (rc == ERR_CORRUPT || rc == ERR_NOT_FOUND)
		return set_aside(o, name, why.msg, s->err);
	if (rc != 0)
		return err_set(s->err, rc, "%s", why.msg);
	part_metas_push(&s->whole, *part_meta(part));
	part_unref(part);
	return 0;
}

/* Another part was compacted from it and has its samples. */
static bool is_superseded(const struct part_metas *all, uint64_t seq)
{
	VEC_EACH (struct part_meta, m, all)
		for (uint32_t i = 0; i < m->n_parents; i++)
			if (m->parents[i] == seq)
				return true;
	return false;
}

static int take_back(struct settling *s, const struct part_meta *m)
{
	if (is_superseded(&s->whole, m->seq))
		return remove_dir(s->o, m->name, s->err);
	struct manifest_part entry = {
	    .seq = m->seq, .level = m->level, .min_t_ms = m->min_t_ms, .max_t_ms = m->max_t_ms};
	struct manifest_change change = {.add = &entry, .n_add = 1};
	int rc = manifest_commit(s->o->manifest, &change, s->err);
	if (rc == 0)
		note(s->o, "is whole and counts again", m->name, "");
	return rc;
}

int part_orphans_settle(const struct part_orphans *o, struct err *err)
{
	struct settling s = {.o = o, .err = err};
	int rc = fs_list(o->fs, o->parts_dir, look_at, &s, err);
	for (size_t i = 0; i < s.whole.len && rc == 0; i++)
		rc = take_back(&s, &s.whole.v[i]);
	part_metas_done(&s.whole);
	return rc;
}
