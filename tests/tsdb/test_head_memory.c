/* The sum of what the owners say beside what the allocator says. */
#include "base/clock.h"
#include "base/counters.h"
#include "tests/tsdb/store_probe.h"
#include "tsdb/head_memory.h"
#include "tsdb/tsdb_priv.h"
#include <stdio.h>

#define START_MS INT64_C(1700000000000)
enum { SERIES = 100000, AT_ONCE = 2000, LABELS = 10 };

/* jemalloc's, when it is the allocator. */
int mallctl(const char *name, void *old, size_t *old_len, void *new, size_t new_len) __attribute__((weak));

static bool allocated(size_t *bytes)
{
	uint64_t epoch = 1;
	size_t len = sizeof(epoch), size = sizeof(*bytes);
	return mallctl && mallctl("epoch", &epoch, &len, &epoch, len) == 0 &&
	       mallctl("stats.allocated", bytes, &size, NULL, 0) == 0;
}

static const struct labels *labels_of_series(struct arena *arena, unsigned i)
{
	struct label l[LABELS] = {{SL("__name__"), arena_printf(arena, "metric_%u_total", i % 100)}};
	for (unsigned k = 1; k < LABELS; k++) /* targets of a hundred series, some labels of few values */
		l[k] = (struct label){arena_printf(arena, "label_%u", k),
		    arena_printf(arena, "value-%u", k == 1 ? i / 100 : i / 100 % (k * 7))};
	return labels_from_sorted(arena, l, LABELS);
}

static void fill(struct tsdb *db, int64_t t_ms)
{
	struct appendable *door = tsdb_appendable(db);
	struct err err;
	for (unsigned first = 0; first < SERIES; first += AT_ONCE) {
		struct arena *arena = arena_new(ARENA_NO_LIMIT);
		struct appender *a;
		check_ok("begin", door->begin(door, &a, &err), &err);
		for (unsigned i = first; i < first + AT_ONCE; i++) {
			struct sample s = {
			    .t_ms = t_ms, .v = (double)((i * 2654435761u + (unsigned)t_ms) % 10007) / 8};
			struct series_key key = {i * UINT64_C(0x9e3779b97f4a7c15), i};
			a->ops->find(a, &key, 1, &s.ref);
			if (!s.ref)
				check_ok("series",
				    a->ops->add_series(a, &key, labels_of_series(arena, i), &s.ref, &err),
				    &err);
			check_ok("append", a->ops->append(a, &s, 1, NULL, &err), &err);
		}
		check_ok("commit", a->ops->commit(a, NULL, NULL, NULL, &err), &err);
		arena_free(arena);
	}
}

/* What a store takes after a start, when no buffers are in use: by its owners, and by the allocator (0: not known). */
struct taken {
	struct tsdb *db;
	struct head_memory owners;
	double all;
};

static struct taken open_store(const char *dir, struct clock *clock)
{
	struct tsdb_options o = {0};
	size_t before = 0, after = 0;
	bool known = allocated(&before);
	struct taken t = {.db = probe_open(dir, clock, &o)};
	head_memory(&t.db->head, &t.owners);
	if (known && allocated(&after))
		t.all = (double)after - (double)before;
	return t;
}

static void owners_and_allocator_agree(void **state)
{
	(void)state;
	char *dir = test_tmpdir(), *empty_dir = test_tmpdir();
	struct clock *clock = clock_virtual_new(START_MS);
	struct tsdb_options o = {0};
	struct err err;
	struct tsdb *db = probe_open(dir, clock, &o);
	for (int i = 0; i < 40; i++)
		fill(db, START_MS + i * 15000);
	tsdb_close(db);
	struct taken empty = open_store(empty_dir, clock), full = open_store(dir, clock);
	const size_t *bytes = full.owners.bytes;
	double owners = (double)(head_memory_total(&full.owners) - head_memory_total(&empty.owners));
	double all = full.all - empty.all;
	printf("# %.1f bytes a series by owners, %.1f by the allocator\n", owners / SERIES, all / SERIES);
	if (full.all > 0)
		check_true("within a few percent", all > owners * 0.97 && all < owners * 1.06);
	check_true("columns", bytes[HEAD_MEMORY_COLUMNS] >= SERIES * sizeof(struct head_block) / 1024);
	check_true("chunks", bytes[HEAD_MEMORY_CHUNKS] > SERIES * 24);
	check_true("postings", bytes[HEAD_MEMORY_POSTINGS] > 0);
	tsdb_set_gauges(full.db);
	check_double("gauge", gauge_get(M_TSDB_MEMORY_COLUMNS), (double)bytes[HEAD_MEMORY_COLUMNS]);
	check_ok("seal", tsdb_seal_all(full.db, &err), &err);
	check_ok("and what is sealed goes", tsdb_maintain(full.db, START_MS + 120000, &err), &err);
	head_memory(&full.db->head, &full.owners);
	check_int("frozen", bytes[HEAD_MEMORY_FROZEN], 0);
	check_int("chunks", bytes[HEAD_MEMORY_CHUNKS], 0);
	tsdb_close(full.db);
	tsdb_close(empty.db);
	clock_virtual_free(clock);
	test_tmpdir_done(empty_dir);
	test_tmpdir_done(dir);
}

TEST_MAIN("head memory", cmocka_unit_test(owners_and_allocator_agree))
