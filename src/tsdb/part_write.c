#include "tsdb/part_write.h"

#include "base/hashtab.h"
#include "base/vec.h"
#include "tsdb/chunk_column.h"
#include "tsdb/chunk_histogram.h"
#include "tsdb/chunk_summary.h"
#include "tsdb/page_file.h"
#include "tsdb/part_index.h"
#include "tsdb/part_priv.h"
#include <assert.h>
#include <stdlib.h>

/* Time columns of at most SMALL_TIMES bytes stay in the chunk; above MAX_SHARED_TIMES different ones no more are shared,
 * which bounds the memory of the writer. */
enum {
	DEFAULT_CHUNK_SAMPLES = 2048,
	HISTOGRAM_CHUNK_SAMPLES = 128,
	SMALL_TIMES = 8,
	MAX_SHARED_TIMES = 65536
};

VEC_DEFINE(number_vec, int64_t);

struct part_writer {
	struct fs *fs;
	char *parts_dir, *path, *tmp_path;
	struct part_meta meta;
	uint32_t chunk_samples;
	struct page_writer *chunks;
	struct part_index_builder *index;
	struct number_vec columns[DIR_COLUMNS];

	struct hashtab times_ids;    /* bytes of a shared time column -> id + 1 */
	struct strbuf times;         /* all of them */
	struct strbuf chunk, column; /* being made */
	struct strbuf summaries;     /* rows of all series */
	struct sample_summary last_summary;
	size_t chunks_of_series; /* flushed so far */
	bool has_summaries;      /* any of those of the current series; last_summary is the newest */

	/* The current series; it enters the index with its first sample. */
	struct labels *labels;
	bool in_index;
	int64_t last_t_ms;
	bool has_last;
	size_t n;        /* samples that wait for their chunk */
	bool histograms; /* of which kind they are */
	int64_t t[CHUNK_COLUMN_MAX_SAMPLES];
	double v[CHUNK_COLUMN_MAX_SAMPLES];
	struct arena *arena; /* copies of the histograms that wait */
	const struct histogram *h[HISTOGRAM_CHUNK_SAMPLES];
};

static char *join(const char *dir, const char *name, const char *suffix)
{
	return xasprintf("%s/%s%s", dir, name, suffix);
}

static struct part_writer *writer_of(const struct part_write_options *opt)
{
	struct part_writer *w = xcalloc(1, sizeof(*w));
	w->fs = opt->fs;
	w->parts_dir = xstrdup(opt->parts_dir);
	w->chunk_samples = opt->chunk_samples ? opt->chunk_samples : DEFAULT_CHUNK_SAMPLES;
	assert(w->chunk_samples <= CHUNK_COLUMN_MAX_SAMPLES && opt->n_parents <= PART_PARENTS_MAX);
	w->meta = (struct part_meta){.version = PART_VERSION,
	    .seq = opt->seq,
	    .newest_seq = opt->newest_seq ? opt->newest_seq : opt->seq,
	    .level = opt->level,
	    .out_of_order = opt->out_of_order,
	    .min_t_ms = INT64_MAX,
	    .max_t_ms = INT64_MIN,
	    .n_parents = (uint32_t)opt->n_parents};
	if (opt->n_parents > 0)
		memcpy(w->meta.parents, opt->parents, opt->n_parents * sizeof(*opt->parents));
	part_name(opt->seq, w->meta.name);
	w->path = join(opt->parts_dir, w->meta.name, "");
	w->tmp_path = join(opt->parts_dir, w->meta.name, ".tmp");
	w->index = part_index_builder_new();
	w->arena = arena_new(ARENA_NO_LIMIT);
	strbuf_init(&w->times, STRBUF_NO_LIMIT);
	strbuf_init(&w->chunk, STRBUF_NO_LIMIT);
	strbuf_init(&w->column, STRBUF_NO_LIMIT);
	strbuf_init(&w->summaries, STRBUF_NO_LIMIT);
	number_vec_push(&w->columns[DIR_TIMES], 0);
	return w;
}

int part_writer_new(const struct part_write_options *opt, struct part_writer **out, struct err *err)
{
	struct part_writer *w = writer_of(opt);
	char *path = join(w->tmp_path, PART_FILE_CHUNKS, "");
	int rc = fs_mkdir(w->fs, w->parts_dir, err);
	if (rc == 0)
		rc = fs_remove_tree(w->fs, w->tmp_path, err);
	if (rc == 0)
		rc = fs_mkdir(w->fs, w->tmp_path, err);
	if (rc == 0)
		rc = page_writer_new(w->fs, path, &w->chunks, err);
	free(path);
	if (rc) {
		part_writer_free(w);
		return rc;
	}
	page_writer_add(w->chunks, CHUNKS_MAGIC, PART_MAGIC_BYTES);
	*out = w;
	return 0;
}

static void writer_free(struct part_writer *w)
{
	page_writer_free(w->chunks);
	part_index_builder_free(w->index);
	for (size_t i = 0; i < DIR_COLUMNS; i++)
		number_vec_done(&w->columns[i]);
	hashtab_done(&w->times_ids);
	strbuf_done(&w->times);
	strbuf_done(&w->chunk);
	strbuf_done(&w->column);
	strbuf_done(&w->summaries);
	labels_free(w->labels);
	arena_free(w->arena);
	free(w->parts_dir);
	free(w->path);
	free(w->tmp_path);
	free(w);
}

void part_writer_free(struct part_writer *w)
{
	if (!w)
		return;
	page_writer_free(w->chunks);
	w->chunks = NULL;
	/* Nobody can do anything about a failure here; the next start tries again. */
	int rc = fs_remove_tree(w->fs, w->tmp_path, NULL);
	(void)rc;
	writer_free(w);
}

bool part_writer_is_empty(const struct part_writer *w)
{
	return w->meta.samples == 0 && w->n == 0;
}

/* --- chunks ------------------------------------------------------------------------------------------------------- */

/* The number of the waiting samples' time column, made when it is new. False: it stays in the chunk. */
static bool share_times(struct part_writer *w, uint64_t *id)
{
	strbuf_reset(&w->column);
	chunk_times_encode(w->t, w->n, &w->column);
	if (w->column.len <= SMALL_TIMES)
		return false;
	struct slice key = strbuf_slice(&w->column);
	uintptr_t known = (uintptr_t)hashtab_get(&w->times_ids, key);
	if (known == 0) {
		if (w->times_ids.len == MAX_SHARED_TIMES)
			return false;
		known = w->times_ids.len + 1;
		hashtab_put(&w->times_ids, key, (void *)known);
		strbuf_add_slice(&w->times, key);
		number_vec_push(&w->columns[DIR_TIMES], (int64_t)w->times.len);
	}
	*id = known - 1;
	return true;
}

static void encode_waiting(struct part_writer *w)
{
	uint64_t id;
	strbuf_reset(&w->chunk);
	if (w->histograms)
		chunk_histogram_encode(w->t, w->h, w->n, &w->chunk);
	else if (share_times(w, &id))
		chunk_column_encode_shared(w->v, w->n, id, &w->chunk);
	else
		chunk_column_encode(w->t, w->v, w->n, &w->chunk);
}

static int enter_index(struct part_writer *w, struct err *err)
{
	if (w->in_index)
		return 0;
	int rc = part_index_builder_add(w->index, w->labels, err);
	if (rc)
		return rc;
	number_vec_push(&w->columns[DIR_FIRST_CHUNK], (int64_t)w->meta.chunks);
	number_vec_push(&w->columns[DIR_SUMMARY], (int64_t)w->summaries.len);
	w->in_index = true;
	w->has_summaries = false;
	w->chunks_of_series = 0;
	return 0;
}

/* A series has a row for each of its chunks, or none at all. */
static void summarise_waiting(struct part_writer *w)
{
	struct sample_summary s;
	w->chunks_of_series++;
	if (w->histograms || !chunk_summary_make(w->t, w->v, w->n, &s)) {
		if (w->has_summaries)
			chunk_summary_encode(NULL, NULL, &w->summaries);
		return;
	}
	for (size_t i = 1; !w->has_summaries && i < w->chunks_of_series; i++)
		chunk_summary_encode(NULL, NULL, &w->summaries);
	chunk_summary_encode(&s, w->has_summaries ? &w->last_summary : NULL, &w->summaries);
	w->last_summary = s;
	w->has_summaries = true;
}

/* The waiting samples become a chunk. */
static int flush(struct part_writer *w, struct err *err)
{
	if (w->n == 0)
		return 0;
	int rc = enter_index(w, err);
	if (rc)
		return rc;
	encode_waiting(w);
	summarise_waiting(w);
	int64_t min = w->t[0], max = w->t[w->n - 1];
	number_vec_push(&w->columns[DIR_OFFSET], (int64_t)page_writer_offset(w->chunks));
	number_vec_push(&w->columns[DIR_MIN_T], min);
	number_vec_push(&w->columns[DIR_MAX_T], max);
	number_vec_push(&w->columns[DIR_COUNT], (int64_t)w->n);
	number_vec_push(
	    &w->columns[DIR_ENCODING], w->histograms ? CHUNK_ENCODING_HISTOGRAM : CHUNK_ENCODING_COLUMN);
	page_writer_add(w->chunks, w->chunk.ptr, w->chunk.len);
	w->meta.chunks++;
	w->meta.samples += w->n;
	w->meta.min_t_ms = min < w->meta.min_t_ms ? min : w->meta.min_t_ms;
	w->meta.max_t_ms = max > w->meta.max_t_ms ? max : w->meta.max_t_ms;
	w->n = 0;
	arena_reset(w->arena);
	return 0;
}

int part_writer_series(struct part_writer *w, const struct labels *labels, struct err *err)
{
	int rc = flush(w, err);
	if (rc)
		return rc;
	if (w->labels && labels_cmp(w->labels, labels) >= 0)
		return err_set(
		    err, ERR_INVALID, "series of a part must come in the order of their labels, each once");
	labels_free(w->labels);
	w->labels = labels_copy(labels);
	w->in_index = false;
	w->has_last = false;
	return 0;
}

/* Room for a sample of this kind at `t`. */
static int before_sample(struct part_writer *w, bool histogram, int64_t t, struct err *err)
{
	assert(w->labels);
	if (w->has_last && t <= w->last_t_ms)
		return err_set(err, ERR_INVALID, "samples of a part must ascend in time");
	w->last_t_ms = t;
	w->has_last = true;
	size_t most = histogram ? HISTOGRAM_CHUNK_SAMPLES : w->chunk_samples;
	if (w->n == most || w->histograms != histogram) {
		int rc = flush(w, err);
		if (rc)
			return rc;
	}
	w->histograms = histogram;
	return 0;
}

int part_writer_floats(struct part_writer *w, const int64_t *t, const double *v, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		int rc = before_sample(w, false, t[i], err);
		if (rc)
			return rc;
		w->t[w->n] = t[i];
		w->v[w->n++] = v[i];
	}
	return 0;
}

int part_writer_histograms(
    struct part_writer *w, const int64_t *t, const struct histogram *const *h, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		int rc = before_sample(w, true, t[i], err);
		if (rc)
			return rc;
		w->t[w->n] = t[i];
		w->h[w->n++] = histogram_copy(w->arena, h[i]);
	}
	return 0;
}

int part_writer_column(struct part_writer *w, const struct sample_column *c, struct err *err)
{
	if (!c->h)
		return part_writer_floats(w, c->t, c->v, c->n, err);
	int rc = 0;
	for (size_t i = 0, end; i < c->n && rc == 0; i = end) {
		end = i + 1;
		while (end < c->n && !c->h[end] == !c->h[i])
			end++;
		rc = c->h[i] ? part_writer_histograms(w, c->t + i, c->h + i, end - i, err)
			     : part_writer_floats(w, c->t + i, c->v + i, end - i, err);
	}
	return rc;
}

/* --- the other files ---------------------------------------------------------------------------------------------- */

static int new_file(struct part_writer *w, const char *name, struct page_writer **out, struct err *err)
{
	char *path = join(w->tmp_path, name, "");
	int rc = page_writer_new(w->fs, path, out, err);
	free(path);
	return rc;
}

/* The shared time columns follow the chunks; their places were counted from zero. */
static int finish_chunks(struct part_writer *w, struct err *err)
{
	uint64_t end = page_writer_offset(w->chunks);
	struct page_writer *chunks = w->chunks;
	number_vec_push(&w->columns[DIR_OFFSET], (int64_t)end);
	number_vec_push(&w->columns[DIR_FIRST_CHUNK], (int64_t)w->meta.chunks);
	for (size_t i = 0; i < w->columns[DIR_TIMES].len; i++)
		w->columns[DIR_TIMES].v[i] += (int64_t)end;
	page_writer_add(chunks, w->times.ptr, w->times.len);
	w->chunks = NULL;
	return page_writer_finish(chunks, &w->meta.chunks_bytes, err);
}

static int write_dir(struct part_writer *w, struct err *err)
{
	struct page_writer *dir;
	struct strbuf contents = STRBUF_INIT;
	int rc = new_file(w, PART_FILE_DIR, &dir, err);
	if (rc)
		return rc;
	page_writer_add(dir, DIR_MAGIC, PART_MAGIC_BYTES);
	page_writer_add(dir, w->summaries.ptr, w->summaries.len);
	number_vec_push(&w->columns[DIR_SUMMARY], (int64_t)w->summaries.len);
	for (size_t i = 0; i < w->columns[DIR_SUMMARY].len; i++)
		w->columns[DIR_SUMMARY].v[i] += PART_MAGIC_BYTES;
	for (size_t i = 0; i < DIR_COLUMNS; i++) {
		struct packed_column c;
		packed_column_write(dir, w->columns[i].v, w->columns[i].len, &c);
		packed_column_add(&contents, &c);
	}
	uint8_t trailer[DIR_TRAILER_BYTES];
	uint64_t offset = page_writer_offset(dir);
	for (unsigned i = 0; i < 8; i++)
		trailer[i] = (uint8_t)(offset >> (8 * i));
	for (unsigned i = 0; i < 4; i++) {
		trailer[8 + i] = (uint8_t)(contents.len >> (8 * i));
		trailer[12 + i] = (uint8_t)(DIR_TRAILER_MAGIC >> (8 * i));
	}
	page_writer_add(dir, contents.ptr, contents.len);
	page_writer_add(dir, trailer, sizeof(trailer));
	strbuf_done(&contents);
	return page_writer_finish(dir, &w->meta.dir_bytes, err);
}

static int write_index(struct part_writer *w, struct err *err)
{
	struct page_writer *index;
	int rc = new_file(w, PART_FILE_INDEX, &index, err);
	if (rc)
		return rc;
	part_index_builder_write(w->index, index);
	return page_writer_finish(index, &w->meta.index_bytes, err);
}

static int write_meta(struct part_writer *w, struct err *err)
{
	char *path = join(w->tmp_path, PART_FILE_META, "");
	w->meta.series = part_index_builder_count(w->index);
	int rc = part_meta_write(w->fs, path, &w->meta, err);
	free(path);
	return rc;
}

static int publish(struct part_writer *w, struct err *err)
{
	int rc = fs_sync_dir(w->fs, w->tmp_path, err);
	if (rc == 0)
		rc = fs_rename(w->fs, w->tmp_path, w->path, err);
	return rc ? rc : fs_sync_dir(w->fs, w->parts_dir, err);
}

int part_writer_commit(struct part_writer *w, struct part_meta *meta, struct err *err)
{
	int rc = flush(w, err);
	if (rc == 0 && w->meta.samples == 0)
		rc = err_set(err, ERR_INVALID, "a part without samples");
	if (rc == 0)
		rc = finish_chunks(w, err);
	if (rc == 0)
		rc = write_dir(w, err);
	if (rc == 0)
		rc = write_index(w, err);
	if (rc == 0)
		rc = write_meta(w, err);
	if (rc == 0)
		rc = publish(w, err);
	if (rc) {
		part_writer_free(w);
		return rc;
	}
	if (meta)
		*meta = w->meta;
	writer_free(w);
	return 0;
}
