/* promq tsdb list: the parts, from the manifest and what each says about itself. It reads no more than that, so that it may
 * run beside a server. */
#include "model/duration.h"
#include "tools/arguments.h"
#include "tools/cmd_tsdb.h"
#include "tools/term_table.h"
#include "tsdb/manifest.h"
#include "tsdb/part_meta.h"
#include "tsdb/wal_segment.h"
#include <inttypes.h>

static const char help[] =
    "Usage: promq tsdb list [-r] [DIR]\n"
    "\n"
    "Lists the parts of the store in DIR (default: " TSDB_DEFAULT_DIR "), and its log.\n"
    "\n"
    "  -r, --human-readable   times as dates, sizes with units\n";

struct list {
	struct cli *cli;
	const char *dir;
	bool human;
	struct term_table *table;
	bool failed;
};

static void cell_number(struct list *l, uint64_t n)
{
	term_table_cell(l->table, arena_printf(l->cli->arena, "%" PRIu64, n));
}

static void cell_time(struct list *l, int64_t t_ms)
{
	struct strbuf text = STRBUF_INIT;
	if (l->human)
		rfc3339_print(&text, t_ms, -1);
	else
		strbuf_addf(&text, "%" PRId64, t_ms);
	term_table_cell(l->table, strbuf_slice(&text));
	strbuf_done(&text);
}

static void cell_duration(struct list *l, int64_t min_t_ms, int64_t max_t_ms)
{
	struct strbuf text = STRBUF_INIT;
	int64_t ms, ns;
	if (!__builtin_sub_overflow(max_t_ms, min_t_ms, &ms) && !__builtin_mul_overflow(ms, 1000000, &ns))
		go_duration_print(&text, ns);
	term_table_cell(l->table, strbuf_slice(&text));
	strbuf_done(&text);
}

static void cell_size(struct list *l, uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double n = (double)bytes;
	size_t unit = 0;
	for (; n >= 1024 && unit + 1 < ARRAY_LEN(units); unit++)
		n /= 1024;
	if (!l->human)
		cell_number(l, bytes);
	else
		term_table_cell(
		    l->table, arena_printf(l->cli->arena, unit ? "%.1f %s" : "%.0f %s", n, units[unit]));
}

static void add_part(struct list *l, uint64_t seq)
{
	char name[PART_NAME_MAX];
	part_name(seq, name);
	struct slice path = arena_printf(l->cli->arena, "%s/parts/%s/meta", l->dir, name);
	struct part_meta m;
	struct err err;
	int rc = part_meta_read(fs_real(), path.ptr, &m, &err);
	if (rc != 0) {
		cli_fail(l->cli, "%s: %s", name, err.msg);
		l->failed = true;
		return;
	}
	term_table_row(l->table);
	term_table_cell(l->table, slice_cstr(name));
	cell_time(l, m.min_t_ms);
	cell_time(l, m.max_t_ms);
	cell_duration(l, m.min_t_ms, m.max_t_ms);
	cell_number(l, m.samples);
	cell_number(l, m.chunks);
	cell_number(l, m.series);
	cell_size(l, m.chunks_bytes + m.dir_bytes + m.index_bytes);
	cell_number(l, (uint64_t)m.level);
	term_table_cell(l->table, m.out_of_order ? SL("out of order") : SL_EMPTY);
}

static uint64_t size_of(const char *path)
{
	int fd;
	uint64_t bytes = 0;
	if (fs_open(fs_real(), path, FS_READ, &fd, NULL) != 0)
		return 0;
	if (fs_size(fs_real(), fd, &bytes, NULL) != 0)
		bytes = 0;
	fs_close(fs_real(), fd);
	return bytes;
}

/* What is not in a part yet. */
static void add_log(struct list *l)
{
	struct slice dir = arena_printf(l->cli->arena, "%s/wal", l->dir);
	struct wal_segment_numbers numbers = {0};
	uint64_t bytes = 0;
	if (wal_segment_list(fs_real(), dir.ptr, &numbers, NULL) != 0)
		numbers.len = 0;
	VEC_EACH (uint64_t, number, &numbers) {
		char *path = wal_segment_path(dir.ptr, *number);
		bytes += size_of(path);
		free(path);
	}
	term_table_row(l->table);
	term_table_cell(l->table, SL("log"));
	for (int i = 0; i < 6; i++)
		term_table_cell(l->table, SL_EMPTY);
	cell_size(l, bytes);
	term_table_cell(l->table, SL_EMPTY);
	term_table_cell(
	    l->table, arena_printf(l->cli->arena, "%zu segment%s", numbers.len, numbers.len == 1 ? "" : "s"));
	wal_segment_numbers_done(&numbers);
}

static void add_columns(struct term_table *t)
{
	static const struct {
		const char *title;
		bool is_number;
	} columns[] = {{"part", false}, {"min time", true}, {"max time", true}, {"duration", true},
	    {"num samples", true}, {"num chunks", true}, {"num series", true}, {"size", true},
	    {"level", true}, {"note", false}};
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		term_table_column(t, slice_cstr(columns[i].title), columns[i].is_number);
}

int cmd_tsdb_list(struct cli *cli, int argc, char **argv)
{
	struct list l = {.cli = cli, .table = term_table_new(cli->arena)};
	const struct argument known[] = {{"human-readable", 'r', ARGUMENT_FLAG, &l.human}};
	char **rest;
	int n_rest;
	int code =
	    arguments_parse(cli, "tsdb list", help, known, ARRAY_LEN(known), argc, argv, &rest, &n_rest);
	if (code >= 0)
		return code;
	l.dir = cmd_tsdb_dir(cli, "tsdb list", rest, n_rest);
	if (!l.dir)
		return EXIT_FAILURE_FOUND;
	struct manifest *manifest;
	struct err err;
	enum manifest_state state;
	if (manifest_read(fs_real(), l.dir, &manifest, &state, &err) != 0)
		return cli_fail(cli, "%s", err.msg);
	if (state == MANIFEST_DAMAGED)
		strbuf_addf(
		    cli->err, "promq: note: %s/manifest is damaged: parts may be missing here\n", l.dir);
	size_t n;
	const struct manifest_part *parts = manifest_parts(manifest, &n);
	add_columns(l.table);
	for (size_t i = 0; i < n; i++)
		add_part(&l, parts[i].seq);
	add_log(&l);
	manifest_close(manifest);
	if (cli->form == OUTPUT_CSV)
		term_table_print_csv(cli->out, l.table);
	else if (cli->form == OUTPUT_JSON)
		term_table_print_json(cli->out, l.table);
	else
		term_table_print(cli->out, l.table);
	return l.failed ? EXIT_FAILURE_FOUND : EXIT_OK;
}
