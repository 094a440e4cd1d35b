/* promq tsdb create-blocks-from openmetrics: samples of a file into parts of a store.
 *
 * The file is read once to check it whole and to count its samples by window of time, then again for as many windows at a
 * time as fit into memory, so that a part has all there is of its window. */
#include "base/hashtab.h"
#include "model/duration.h"
#include "scrape/parse_openmetrics.h"
#include "tools/arguments.h"
#include "tools/cmd_tsdb.h"
#include "tsdb/backfill.h"
#include <inttypes.h>
#include <stdlib.h>

static const char help[] =
    "Usage: promq tsdb create-blocks-from openmetrics [OPTION]... FILE [DIR]\n"
    "       promq tsdb create-blocks-from rules ...   (see promq tsdb create-blocks-from rules --help)\n"
    "\n"
    "Writes the samples of FILE, OpenMetrics text with a timestamp on every line, into the store in DIR "
    "(default:\n" TSDB_DEFAULT_DIR
    "; made when it is not there). No server may run on it. All of the file counts, or nothing.\n"
    "\n"
    "  --max-block-duration D   of a part: 2h to 1d (default)\n"
    "  --label NAME=VALUE       on all series; may be given several times\n"
    "  -q, --quiet              no list of the parts\n";

enum {
	PIECE_BYTES = 4 << 20,
	LINE_MAX_BYTES = 16 << 20,
	MAX_WINDOWS = 100000,
	SAMPLES_AT_ONCE = 8 << 20,
};

struct window {
	int64_t index;
	uint64_t samples;
};
VEC_DEFINE(window_vec, struct window);

struct import {
	struct cli *cli;
	const char *path;
	int64_t window_ms;
	struct argument_list label_args;
	struct label *extra;
	size_t n_extra;
	bool quiet;

	struct window_vec windows; /* ascending */
	struct hashtab known;      /* raw text of a series -> its number + 1 */
	struct backfill *store;
	int64_t first, last; /* windows of this pass */
	struct arena *arena; /* of one series */
};

/* --- reading the file --- */

static int at_line(const struct import *im, const struct err *why, struct err *err)
{
	return err_set(err, why->code, "%s:%u: %s", im->path, why->line, why->msg);
}

static int parse_piece(struct import *im, struct openmetrics_parser *p,
    int (*each)(struct import *im, struct openmetrics_parser *p, struct err *err), struct err *err)
{
	struct err why;
	int rc;
	while ((rc = openmetrics_next(p, &why)) == 0) {
		if (p->entry != OPENMETRICS_SERIES)
			continue;
		rc = each(im, p, &why);
		if (rc != 0) {
			why.line = (uint32_t)openmetrics_line(p);
			break;
		}
	}
	return rc < 0 ? at_line(im, &why, err) : 0;
}

/* How much of `text` are whole lines. */
static size_t whole_lines(struct slice text)
{
	size_t n = text.len;
	while (n > 0 && text.ptr[n - 1] != '\n')
		n--;
	return n;
}

/* Reads on behind the unfinished line that buf holds. *more: not the end of the file. */
static int read_piece(
    struct import *im, int fd, uint64_t *offset, struct strbuf *buf, bool *more, struct err *err)
{
	size_t got = PIECE_BYTES;
	char *to = strbuf_reserve(buf, PIECE_BYTES);
	if (!to)
		return err_set(err, ERR_LIMIT, "%s: a line of more than %d bytes", im->path, LINE_MAX_BYTES);
	int rc = fs_pread(fs_real(), fd, to, PIECE_BYTES, *offset, &got, err);
	if (rc != 0)
		return rc;
	strbuf_advance(buf, got);
	*offset += got;
	*more = got == PIECE_BYTES;
	return 0;
}

static int scan_pieces(struct import *im, int fd, struct strbuf *buf,
    int (*each)(struct import *im, struct openmetrics_parser *p, struct err *err), struct err *err)
{
	struct openmetrics_parser p;
	uint64_t offset = 0;
	bool more = true;
	openmetrics_init(&p, SL_EMPTY, true);
	while (more) {
		int rc = read_piece(im, fd, &offset, buf, &more, err);
		if (rc != 0)
			return rc;
		struct slice text = strbuf_slice(buf);
		size_t n = more ? whole_lines(text) : text.len;
		openmetrics_continue(&p, slice_of(text.ptr, n), more);
		rc = parse_piece(im, &p, each, err);
		if (rc != 0)
			return rc;
		openmetrics_continue(&p, SL_EMPTY, more); /* what it points into moves now */
		memmove(buf->ptr, buf->ptr + n, buf->len - n);
		buf->len -= n;
	}
	return 0;
}

static int scan(struct import *im,
    int (*each)(struct import *im, struct openmetrics_parser *p, struct err *err), struct err *err)
{
	int fd;
	int rc = fs_open(fs_real(), im->path, FS_READ, &fd, err);
	if (rc != 0)
		return rc;
	struct strbuf buf;
	strbuf_init(&buf, LINE_MAX_BYTES + PIECE_BYTES);
	rc = scan_pieces(im, fd, &buf, each, err);
	strbuf_done(&buf);
	fs_close(fs_real(), fd);
	return rc;
}

/* --- the first pass --- */

static int64_t window_of(const struct import *im, int64_t t_ms)
{
	return t_ms / im->window_ms - (t_ms % im->window_ms < 0);
}

/* The place of the window, or where it belongs; most samples lie in the one before. */
static size_t find_window(const struct window_vec *w, int64_t index)
{
	size_t from = 0, to = w->len;
	while (from < to) {
		size_t middle = (from + to) / 2;
		if (w->v[middle].index < index)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

static int count_sample(struct import *im, struct openmetrics_parser *p, struct err *err)
{
	if (!p->has_time)
		return err_set(err, ERR_INVALID, "expected timestamp for series %" SL_FMT ", got none",
		    SL_ARG(p->series));
	int64_t index = window_of(im, p->t_ms);
	size_t at = find_window(&im->windows, index);
	if (at < im->windows.len && im->windows.v[at].index == index) {
		im->windows.v[at].samples++;
		return 0;
	}
	if (im->windows.len == MAX_WINDOWS)
		return err_set(err, ERR_LIMIT, "samples of more than %d parts: are the timestamps seconds?",
		    MAX_WINDOWS);
	window_vec_push(&im->windows, (struct window){0, 0});
	memmove(
	    &im->windows.v[at + 1], &im->windows.v[at], (im->windows.len - at - 1) * sizeof(struct window));
	im->windows.v[at] = (struct window){index, 1};
	return 0;
}

/* --- the other passes --- */

static bool is_extra(const struct import *im, struct slice name)
{
	for (size_t i = 0; i < im->n_extra; i++)
		if (slice_eq(im->extra[i].name, name))
			return true;
	return false;
}

/* The series of the sample, with the labels that were asked for in place of its own of that name. */
static int find_series(struct import *im, struct openmetrics_parser *p, uint32_t *series, struct err *err)
{
	uintptr_t known = (uintptr_t)hashtab_get(&im->known, p->series);
	if (known) {
		*series = (uint32_t)(known - 1);
		return 0;
	}
	struct label *l;
	size_t n, k = 0;
	arena_reset(im->arena);
	openmetrics_labels(p, im->arena, &l, &n);
	struct label *all = ARENA_ARRAY(im->arena, struct label, n + im->n_extra);
	for (size_t i = 0; i < n; i++)
		if (!is_extra(im, l[i].name))
			all[k++] = l[i];
	for (size_t i = 0; i < im->n_extra; i++)
		all[k++] = im->extra[i];
	const struct labels *labels;
	int rc = labels_from_pairs(im->arena, all, k, &labels, err);
	if (rc != 0)
		return rc;
	*series = backfill_series(im->store, labels);
	hashtab_put(&im->known, p->series, (void *)(uintptr_t)(*series + 1));
	return 0;
}

static int take_sample(struct import *im, struct openmetrics_parser *p, struct err *err)
{
	int64_t index = window_of(im, p->t_ms);
	uint32_t series;
	if (index < im->first || index > im->last)
		return 0;
	int rc = find_series(im, p, &series, err);
	return rc ? rc : backfill_add(im->store, series, p->t_ms, p->value, err);
}

static int run_passes(struct import *im, struct err *err)
{
	const struct window_vec *w = &im->windows;
	int rc = 0;
	for (size_t from = 0, to; rc == 0 && from < w->len; from = to) {
		uint64_t samples = w->v[from].samples;
		for (to = from + 1; to < w->len && samples + w->v[to].samples <= SAMPLES_AT_ONCE; to++)
			samples += w->v[to].samples;
		im->first = w->v[from].index;
		im->last = w->v[to - 1].index;
		rc = scan(im, take_sample, err);
		if (rc == 0)
			rc = backfill_flush(im->store, err);
	}
	return rc;
}

/* --- all of it --- */

void cmd_tsdb_print_backfill(struct cli *cli, const struct backfill_result *r, bool quiet)
{
	struct strbuf *out = cli->out;
	for (size_t i = 0; i < r->n_parts && !quiet; i++) {
		const struct part_meta *m = &r->parts[i];
		strbuf_addf(out, "%s  ", m->name);
		rfc3339_print(out, m->min_t_ms, -1);
		strbuf_adds(out, "  ");
		rfc3339_print(out, m->max_t_ms, -1);
		strbuf_addf(out, "  %" PRIu64 " series, %" PRIu64 " samples\n", m->series, m->samples);
	}
	if (r->dropped > 0)
		strbuf_addf(cli->err,
		    "promq: note: samples left out, as their series had one at that time already: %" PRIu64
		    "\n",
		    r->dropped);
}

static int import(struct import *im, const char *dir, struct err *err)
{
	struct backfill_options o = {
	    .fs = fs_real(), .path = dir, .window_ms = im->window_ms, .max_samples = SAMPLES_AT_ONCE};
	struct backfill_result result;
	int rc = scan(im, count_sample, err);
	if (rc == 0)
		rc = backfill_open(&o, &im->store, err);
	if (rc != 0)
		return rc;
	rc = run_passes(im, err);
	if (rc == 0)
		rc = backfill_commit(im->store, &result, err);
	if (rc == 0)
		cmd_tsdb_print_backfill(im->cli, &result, im->quiet);
	backfill_close(im->store);
	return rc;
}

static bool take_labels(struct import *im)
{
	im->extra = ARENA_ARRAY(im->cli->arena, struct label, im->label_args.len + 1);
	VEC_EACH (const char *, arg, &im->label_args) {
		struct slice text = slice_cstr(*arg);
		size_t equal = slice_find(text, '=');
		struct slice name = slice_of(text.ptr, equal);
		if (equal == text.len || !label_name_valid(name) || is_extra(im, name)) {
			cli_fail(im->cli,
			    "tsdb create-blocks-from: --label is NAME=VALUE, each name once, not \"%s\"",
			    *arg);
			return false;
		}
		im->extra[im->n_extra++] = (struct label){name, slice_from(text, equal + 1)};
	}
	return true;
}

static int run(struct import *im, char **rest, int n_rest)
{
	struct err err;
	if (n_rest < 1 || n_rest > 2)
		return cli_fail(im->cli, "tsdb create-blocks-from openmetrics: want FILE and perhaps DIR");
	if (im->window_ms < 2 * 3600000 || im->window_ms > 24 * 3600000)
		return cli_fail(im->cli, "tsdb create-blocks-from: --max-block-duration is 2h to 1d");
	if (!take_labels(im))
		return EXIT_FAILURE_FOUND;
	im->path = rest[0];
	im->arena = arena_new(ARENA_NO_LIMIT);
	int rc = import(im, n_rest == 2 ? rest[1] : TSDB_DEFAULT_DIR, &err);
	arena_free(im->arena);
	window_vec_done(&im->windows);
	hashtab_done(&im->known);
	return rc == 0 ? EXIT_OK : cli_fail(im->cli, "%s", err.msg);
}

int cmd_tsdb_create_blocks(struct cli *cli, int argc, char **argv)
{
	struct import im = {.cli = cli, .window_ms = 24 * 3600000};
	const struct argument known[] = {
	    {"max-block-duration", 0, ARGUMENT_DURATION, &im.window_ms},
	    {"label", 0, ARGUMENT_LIST, &im.label_args},
	    {"quiet", 'q', ARGUMENT_FLAG, &im.quiet},
	};
	char **rest;
	int n_rest, code;
	if (argc >= 2 && strcmp(argv[1], "rules") == 0)
		return cmd_tsdb_create_blocks_of_rules(cli, argc - 1, argv + 1);
	if (argc < 2 || strcmp(argv[1], "openmetrics") != 0) {
		if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
			strbuf_adds(cli->out, help);
			return EXIT_OK;
		}
		return cli_fail(cli, "tsdb create-blocks-from: want \"openmetrics\" or \"rules\" (see promq tsdb "
				     "create-blocks-from --help)");
	}
	code = arguments_parse(cli, "tsdb create-blocks-from openmetrics", help, known, ARRAY_LEN(known),
	    argc - 1, argv + 1, &rest, &n_rest);
	if (code < 0)
		code = run(&im, rest, n_rest);
	argument_list_done(&im.label_args);
	return code;
}
