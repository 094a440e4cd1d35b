#include "tsdb/part_orphans.h"

#include "base/vec.h"
#include "base/xmalloc.h"
#include "tsdb/part_read.h"
#include <stdio.h>
#include <string.h>

static const char aside[] = ".damaged";

/* A part directory. */
struct found {
	char *name;
	uint64_t seq;
	struct part *part; /* NULL: it cannot be read */
	char *why;         /* then */
	bool is_named;
	bool was_verified, is_sound; /* the latter once verified */
	bool is_superseded;
};
VEC_DEFINE(found_parts, struct found);
VEC_DEFINE(manifest_parts_vec, struct manifest_part);
VEC_DEFINE(seqs, uint64_t);

struct settling {
	const struct part_orphans *o;
	struct found_parts all;
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

/* A name that is not taken: "<name>.damaged", "<name>.2.damaged" ... */
static char *aside_path(const struct part_orphans *o, const char *name)
{
	char *path = xasprintf("%s/%s%s", o->parts_dir, name, aside);
	for (unsigned i = 2; fs_exists(o->fs, path); i++) {
		free(path);
		path = xasprintf("%s/%s.%u%s", o->parts_dir, name, i, aside);
	}
	return path;
}

static int set_aside(const struct part_orphans *o, const char *name, const char *why, struct err *err)
{
	char *path = xasprintf("%s/%s", o->parts_dir, name), *to = aside_path(o, name);
	int rc = fs_rename(o->fs, path, to, err);
	if (rc == 0)
		note(o, "is set aside: ", name, why);
	free(path);
	free(to);
	return rc;
}

/* --- what there is ------------------------------------------------------------------------------------------------- */

static uint64_t number_of(const char *name)
{
	unsigned long long seq;
	return sscanf(name, "part-%16llx", &seq) == 1 ? seq : 0;
}

static int take(struct settling *s, const char *name, bool is_named)
{
	struct found f = {.seq = number_of(name), .is_named = is_named};
	struct err why;
	int rc = part_open(s->o->fs, s->o->parts_dir, name, s->o->cache, &f.part, &why);
	if (rc != 0 && rc != ERR_CORRUPT && rc != ERR_NOT_FOUND && !is_named)
		return err_set(s->err, rc, "%s", why.msg);
	if (rc != 0)
		f.why = xstrdup(why.msg);
	f.name = xstrdup(name);
	found_parts_push(&s->all, f);
	return 0;
}

static int look_at(void *arg, const char *name, bool is_dir)
{
	struct settling *s = arg;
	const struct part_orphans *o = s->o;
	bool named = is_named(o->manifest, name);
	/* A number that a directory has is not given again. */
	manifest_skip_seq(o->manifest, number_of(name));
	if (ends_with(name, aside) || (named && !o->salvage))
		return 0;
	if (named || (o->salvage && is_dir && !ends_with(name, ".tmp")))
		return take(s, name, named);
	return remove_dir(o, name, s->err);
}

/* --- which of them count ------------------------------------------------------------------------------------------- */

static bool stands_for(const struct part_meta *m, uint64_t seq)
{
	for (uint32_t i = 0; i < m->n_parents; i++)
		if (m->parents[i] == seq)
			return true;
	return false;
}

/* Every byte is looked at before something is removed for its sake. */
static bool is_sound(struct found *f)
{
	if (!f->was_verified)
		f->is_sound = part_verify(f->part, NULL) == 0;
	f->was_verified = true;
	return f->is_sound;
}

/* Another part was joined from it, and has its samples. */
static bool is_superseded(struct settling *s, uint64_t seq)
{
	VEC_EACH (struct found, f, &s->all)
		if (f->part && stands_for(part_meta(f->part), seq) && is_sound(f))
			return true;
	return false;
}

/* One step: what was joined takes the place of what it was joined from, the rest is added. */
static int correct_manifest(struct settling *s)
{
	struct manifest_parts_vec add = {0};
	struct seqs remove = {0};
	size_t n;
	const struct manifest_part *named = manifest_parts(s->o->manifest, &n);
	for (size_t i = 0; i < n; i++)
		if (is_superseded(s, named[i].seq))
			seqs_push(&remove, named[i].seq);
	VEC_EACH (struct found, f, &s->all) {
		f->is_superseded = is_superseded(s, f->seq);
		if (f->is_superseded || f->is_named || !f->part)
			continue;
		const struct part_meta *m = part_meta(f->part);
		manifest_parts_vec_push(
		    &add, (struct manifest_part){m->seq, m->level, m->min_t_ms, m->max_t_ms});
	}
	struct manifest_change change = {
	    .add = add.v, .n_add = add.len, .remove = remove.v, .n_remove = remove.len};
	int rc = add.len + remove.len > 0 ? manifest_commit(s->o->manifest, &change, s->err) : 0;
	manifest_parts_vec_done(&add);
	seqs_done(&remove);
	return rc;
}

static int tidy_one(const struct part_orphans *o, const struct found *f, struct err *err)
{
	if (f->is_superseded)
		return remove_dir(o, f->name, err);
	if (f->is_named) /* if it cannot be read, opening the store says so */
		return 0;
	if (!f->part)
		return set_aside(o, f->name, f->why, err);
	note(o, "is whole and counts again", f->name, "");
	return 0;
}

static void found_done(struct found *f)
{
	part_unref(f->part);
	free(f->name);
	free(f->why);
}

int part_orphans_settle(const struct part_orphans *o, struct err *err)
{
	struct settling s = {.o = o, .err = err};
	int rc = fs_list(o->fs, o->parts_dir, look_at, &s, err);
	if (rc == 0 && s.all.len > 0)
		rc = correct_manifest(&s);
	for (size_t i = 0; i < s.all.len && rc == 0; i++)
		rc = tidy_one(o, &s.all.v[i], err);
	VEC_EACH (struct found, f, &s.all)
		found_done(f);
	found_parts_done(&s.all);
	return rc;
}
