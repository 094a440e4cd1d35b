/* The list of parts that readers hold while it changes. */
#include "tsdb/part_set.h"

#include "base/xmalloc.h"
#include "tests/tsdb/store_probe.h"
#include "tsdb/part_write.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { CACHE_BYTES = 1 << 20, READERS = 3, CHANGES = 150 };

struct world {
	struct arena *arena;
	char *dir;
	struct page_cache *cache;
	struct part_sets_owner owner;
};

static void world_init(struct world *w)
{
	w->arena = arena_new(ARENA_NO_LIMIT);
	w->dir = test_tmpdir();
	w->cache = page_cache_new(CACHE_BYTES);
	part_sets_init(&w->owner);
}

static void world_done(struct world *w)
{
	part_sets_done(&w->owner);
	page_cache_free(w->cache);
	arena_free(w->arena);
	test_tmpdir_done(w->dir);
}

static struct part *make_part(struct world *w, uint64_t seq, uint64_t newest_seq)
{
	struct part_write_options o = {
	    .fs = probe_fs(), .parts_dir = w->dir, .seq = seq, .newest_seq = newest_seq};
	struct part_writer *writer;
	struct part *p;
	struct err err;
	char name[PART_NAME_MAX];
	int64_t t = 1;
	double v = 1;
	check_ok("new", part_writer_new(&o, &writer, &err), &err);
	check_ok("series", part_writer_series(writer, labels_of(w->arena, "a", "b", NULL), &err), &err);
	check_ok("sample", part_writer_floats(writer, &t, &v, 1, &err), &err);
	check_ok("commit", part_writer_commit(writer, NULL, &err), &err);
	part_name(seq, name);
	check_ok("open", part_open(probe_fs(), w->dir, name, w->cache, &p, &err), &err);
	return p;
}

static void check_set(const char *name, const struct part_set *s, const char *want)
{
	struct strbuf got = STRBUF_INIT;
	for (size_t i = 0; i < s->n; i++)
		strbuf_addf(&got, "%s%d", i ? " " : "", (int)part_meta(s->v[i])->seq);
	check_str(name, strbuf_slice(&got), want);
	strbuf_done(&got);
}

static void check_current(struct world *w, const char *name, const char *want)
{
	struct part_set *s = part_sets_get(&w->owner);
	check_set(name, s, want);
	part_sets_put(&w->owner, s);
}

static void change(struct world *w, struct part **add, size_t n_add, const uint64_t *remove, size_t n_remove,
    uint64_t sealed)
{
	part_sets_change(&w->owner,
	    &(struct part_set_change){
		.add = add, .n_add = n_add, .remove = remove, .n_remove = n_remove, .sealed_seq = sealed});
}

static void sets_follow_each_other(void **state)
{
	(void)state;
	struct world w;
	world_init(&w);
	check_current(&w, "nothing", "");
	struct part *first[] = {make_part(&w, 1, 0), make_part(&w, 2, 0)}, *third[] = {make_part(&w, 3, 0)};
	change(&w, first, 2, NULL, 0, 2);
	check_current(&w, "two at once", "1 2");
	change(&w, third, 1, NULL, 0, 3);
	check_current(&w, "one more", "1 2 3");
	struct part *joined[] = {make_part(&w, 9, 2)};
	change(&w, joined, 1, (const uint64_t[]){1, 2}, 2, 0);
	check_current(&w, "a joined one stands where its newest stood", "9 3");
	struct part *pieces[] = {make_part(&w, 10, 3), make_part(&w, 11, 2)};
	change(&w, pieces, 2, (const uint64_t[]){9}, 1, 0);
	check_current(&w, "pieces", "11 3 10");
	change(&w, NULL, 0, (const uint64_t[]){3, 77}, 2, 0);
	check_current(&w, "what is not there cannot go", "11 10");
	world_done(&w);
}

static void readers_keep_what_they_have(void **state)
{
	(void)state;
	struct world w;
	world_init(&w);
	struct part *one[] = {make_part(&w, 1, 0)}, *two[] = {make_part(&w, 2, 0)};
	char *path = xasprintf("%s/%s", w.dir, part_meta(one[0])->name);
	change(&w, one, 1, NULL, 0, 1);
	struct part_set *held = part_sets_get(&w.owner), *same = part_sets_get(&w.owner);
	check_true("one set", held == same);
	part_unlink_when_done(one[0]);
	change(&w, two, 1, (const uint64_t[]){1}, 1, 2);
	check_set("as it was", held, "1");
	check_current(&w, "as it is", "2");
	check_int("the oldest reader", (int64_t)part_sets_oldest_seq(&w.owner), 1);
	check_true("on disk", fs_exists(probe_fs(), path));
	part_sets_put(&w.owner, same);
	check_true("still", fs_exists(probe_fs(), path));
	part_sets_put(&w.owner, held);
	check_true("gone with its last reader", !fs_exists(probe_fs(), path));
	check_int("nobody is behind", (int64_t)part_sets_oldest_seq(&w.owner), 2);
	change(&w, NULL, 0, (const uint64_t[]){2}, 1, 0);
	check_current(&w, "empty", "");
	check_int("it is remembered all the same", (int64_t)part_sets_oldest_seq(&w.owner), 2);
	free(path);
	world_done(&w);
}

/* --- threads -------------------------------------------------------------------------------------------------------- */

struct crowd {
	struct part_sets_owner *owner;
	atomic_bool stop;
	_Atomic int bad;
};

/* Parts come and go in pairs: a reader has both or none. */
static void *look(void *arg)
{
	struct crowd *c = arg;
	while (!atomic_load(&c->stop)) {
		struct part_set *s = part_sets_get(c->owner);
		bool sound =
		    s->n == 0 || (s->n == 2 && part_meta(s->v[0])->seq + 1 == part_meta(s->v[1])->seq);
		c->bad += !sound || part_sets_oldest_seq(c->owner) > s->sealed_seq;
		part_sets_put(c->owner, s);
	}
	return NULL;
}

static void a_change_is_one_step(void **state)
{
	(void)state;
	struct world w;
	world_init(&w);
	struct crowd c = {.owner = &w.owner};
	pthread_t ids[READERS];
	for (size_t i = 0; i < READERS; i++)
		check_int("thread", pthread_create(&ids[i], NULL, look, &c), 0);
	uint64_t before[2] = {0, 0};
	for (uint64_t i = 0; i < CHANGES; i++) {
		uint64_t seq = 2 * i + 1;
		struct part *pair[] = {make_part(&w, seq, 0), make_part(&w, seq + 1, 0)};
		part_unlink_when_done(pair[0]);
		part_unlink_when_done(pair[1]);
		change(&w, pair, i % 5 ? 2 : 0, before, 2, seq + 1);
		if (i % 5 == 0) {
			part_unref(pair[0]);
			part_unref(pair[1]);
		}
		before[0] = seq;
		before[1] = seq + 1;
	}
	atomic_store(&c.stop, true);
	for (size_t i = 0; i < READERS; i++)
		pthread_join(ids[i], NULL);
	check_int("both or none", c.bad, 0);
	world_done(&w);
}

TEST_MAIN("part set", cmocka_unit_test(sets_follow_each_other), cmocka_unit_test(readers_keep_what_they_have),
    cmocka_unit_test(a_change_is_one_step))
