/* A matrix is the hot path: a dashboard asks for a few hundred thousand points at a time. All series of a range query
 * stand on one grid, so each step's time is printed once, with what surrounds it, and copied for each point. */
#include "web/api_json.h"

#include "base/double_text.h"
#include "base/xmalloc.h"
#include "model/duration.h"

void json_labels(struct json *j, const struct labels *ls)
{
	json_object_begin(j);
	LABELS_EACH (l, ls) {
		json_key_slice(j, l->name);
		json_label(j, l->value);
	}
	json_object_end(j);
}

static int boundary_rule(const struct histogram_bucket *b)
{
	enum { OPEN_LEFT, OPEN_RIGHT, OPEN, CLOSED };
	if (b->lower_inclusive)
		return b->upper_inclusive ? CLOSED : OPEN_RIGHT;
	return b->upper_inclusive ? OPEN_LEFT : OPEN;
}

void json_histogram(struct json *j, const struct histogram *h)
{
	json_object_begin(j);
	json_key(j, "count");
	json_sample_value(j, h->count);
	json_key(j, "sum");
	json_sample_value(j, h->sum);
	struct histogram_walk w;
	struct histogram_bucket b;
	bool has_buckets = false;
	for (histogram_walk_init(&w, h); histogram_walk_next(&w, &b);) {
		if (b.count == 0)
			continue;
		if (!has_buckets) {
			json_key(j, "buckets");
			json_array_begin(j);
			has_buckets = true;
		}
		json_array_begin(j);
		json_int(j, boundary_rule(&b));
		json_sample_value(j, b.lower);
		json_sample_value(j, b.upper);
		json_sample_value(j, b.count);
		json_array_end(j);
	}
	if (has_buckets)
		json_array_end(j);
	json_object_end(j);
}

void json_time(struct json *j, int64_t t_ms)
{
	if (t_ms == 0) {
		json_cstr(j, "0001-01-01T00:00:00Z");
		return;
	}
	struct strbuf sb = STRBUF_INIT;
	rfc3339_print(&sb, t_ms, -1);
	json_string(j, strbuf_slice(&sb));
	strbuf_done(&sb);
}

void json_seconds(struct json *j, int64_t ms)
{
	json_double(j, (double)ms / 1000);
}

/* --- results of queries ------------------------------------------------------------------------------------------ */

/* The times of the grid, printed: `[1435781451.781,"` each. */
struct printed_grid {
	struct strbuf text;
	uint32_t *ends;
	const struct query_result *r;
};

static void grid_print(struct printed_grid *g, const struct query_result *r)
{
	*g = (struct printed_grid){.text = STRBUF_INIT, .r = r};
	if (r->step_ms <= 0)
		return;
	g->ends = xcalloc(r->n_steps, sizeof(*g->ends));
	for (size_t i = 0; i < r->n_steps; i++) {
		struct json j;
		json_init(&j, &g->text);
		strbuf_addch(&g->text, '[');
		json_timestamp(&j, r->grid_ms[i]);
		strbuf_adds(&g->text, ",\"");
		g->ends[i] = (uint32_t)g->text.len;
	}
}

static void grid_done(struct printed_grid *g)
{
	strbuf_done(&g->text);
	free(g->ends);
}

/* `[<time>,"` of a point. */
static void put_time(struct strbuf *out, const struct printed_grid *g, int64_t t_ms)
{
	const struct query_result *r = g->r;
	if (g->ends && t_ms >= r->start_ms) {
		uint64_t step = (uint64_t)(t_ms - r->start_ms) / (uint64_t)r->step_ms;
		if (step < r->n_steps && r->grid_ms[step] == t_ms) {
			uint32_t from = step ? g->ends[step - 1] : 0;
			strbuf_add(out, g->text.ptr + from, g->ends[step] - from);
			return;
		}
	}
	struct json j;
	json_init(&j, out);
	strbuf_addch(out, '[');
	json_timestamp(&j, t_ms);
	strbuf_add(out, ",\"", 2);
}

static size_t count_histograms(const struct result_series *s)
{
	size_t n = 0;
	for (size_t i = 0; s->h && i < s->n; i++)
		n += s->h[i] != NULL;
	return n;
}

/* The floats among points from..to, with a comma in front of all but the first of the series. */
static void put_points(struct strbuf *out, const struct printed_grid *g, const struct result_series *s,
    size_t from, size_t to, bool *any)
{
	for (size_t i = from; i < to; i++) {
		if (s->h && s->h[i])
			continue;
		if (*any)
			strbuf_addch(out, ',');
		*any = true;
		put_time(out, g, s->t_ms[i]);
		char *room = strbuf_reserve(out, DOUBLE_TEXT_MAX + 2);
		if (!room)
			return;
		size_t n = double_to_json(s->v[i], room);
		memcpy(room + n, "\"]", 2);
		strbuf_advance(out, n + 2);
	}
}

static void put_values(struct json *j, const struct printed_grid *g, const struct result_series *s)
{
	bool any = false;
	json_key(j, "values");
	json_raw(j, SL("["));
	put_points(j->out, g, s, 0, s->n, &any);
	strbuf_addch(j->out, ']');
}

static void put_histograms(struct json *j, const struct result_series *s)
{
	json_key(j, "histograms");
	json_array_begin(j);
	for (size_t i = 0; i < s->n; i++) {
		if (!s->h[i])
			continue;
		json_array_begin(j);
		json_timestamp(j, s->t_ms[i]);
		json_histogram(j, s->h[i]);
		json_array_end(j);
	}
	json_array_end(j);
}

static void put_matrix_series(struct json *j, const struct printed_grid *g, const struct result_series *s)
{
	size_t n_histograms = count_histograms(s);
	json_object_begin(j);
	json_key(j, "metric");
	json_labels(j, s->labels);
	if (s->n > n_histograms)
		put_values(j, g, s);
	if (n_histograms)
		put_histograms(j, s);
	json_object_end(j);
}

static void put_vector_series(struct json *j, const struct result_series *s)
{
	const struct histogram *h = s->h ? s->h[0] : NULL;
	json_object_begin(j);
	json_key(j, "metric");
	json_labels(j, s->labels);
	json_key(j, h ? "histogram" : "value");
	json_array_begin(j);
	json_timestamp(j, s->t_ms[0]);
	if (h)
		json_histogram(j, h);
	else
		json_sample_value(j, s->v[0]);
	json_array_end(j);
	json_object_end(j);
}

static void put_all_series(struct json *j, const struct query_result *r, size_t n)
{
	struct printed_grid g;
	grid_print(&g, r);
	json_array_begin(j);
	for (size_t i = 0; i < n; i++) {
		if (r->kind == QUERY_MATRIX)
			put_matrix_series(j, &g, &r->series[i]);
		else
			put_vector_series(j, &r->series[i]);
	}
	json_array_end(j);
	grid_done(&g);
}

/* --- piece by piece ------------------------------------------------------------------------------------------------ */

struct result_stream {
	struct query_result *result;
	struct strbuf before, after;
	struct printed_grid grid;
	size_t n_series, series; /* that are wanted, / that is being written */
	size_t point;            /* of it, that comes */
	bool any_point, in_series, begun;
};

struct result_stream *result_stream_new(
    struct query_result *r, size_t limit, struct strbuf *before, struct strbuf *after)
{
	struct result_stream *s = xcalloc(1, sizeof(*s));
	s->result = r;
	s->n_series = limit && limit < r->n_series ? limit : r->n_series;
	s->before = *before;
	s->after = *after;
	strbuf_init(before, STRBUF_NO_LIMIT);
	strbuf_init(after, STRBUF_NO_LIMIT);
	grid_print(&s->grid, r);
	return s;
}

void result_stream_free(void *arg)
{
	struct result_stream *s = arg;
	grid_done(&s->grid);
	strbuf_done(&s->before);
	strbuf_done(&s->after);
	query_result_free(s->result);
	free(s);
}

/* A series of a matrix with floats alone, which may be long: some of its points. */
static void stream_points(struct result_stream *s, const struct result_series *series, struct strbuf *out)
{
	enum { POINTS = 512 };
	size_t to = series->n - s->point < POINTS ? series->n : s->point + POINTS;
	if (!s->in_series) {
		struct json j;
		json_init(&j, out);
		strbuf_adds(out, "{\"metric\":");
		json_labels(&j, series->labels);
		strbuf_adds(out, ",\"values\":[");
		s->in_series = true;
		s->any_point = false;
	}
	put_points(out, &s->grid, series, s->point, to, &s->any_point);
	s->point = to;
	if (to < series->n)
		return;
	strbuf_adds(out, "]}");
	s->in_series = false;
	s->point = 0;
	s->series++;
}

static void stream_some(struct result_stream *s, struct strbuf *out)
{
	const struct result_series *series = &s->result->series[s->series];
	struct json j;
	if (!s->in_series && s->series > 0)
		strbuf_addch(out, ',');
	if (s->result->kind == QUERY_MATRIX && !series->h && series->n > 0) {
		stream_points(s, series, out);
		return;
	}
	json_init(&j, out);
	if (s->result->kind == QUERY_MATRIX)
		put_matrix_series(&j, &s->grid, series);
	else
		put_vector_series(&j, series);
	s->series++;
}

bool result_stream_fill(void *arg, struct strbuf *out)
{
	struct result_stream *s = arg;
	if (!s->begun)
		strbuf_add_slice(out, strbuf_slice(&s->before));
	s->begun = true;
	while (s->series < s->n_series && out->len < RESULT_STREAM_PIECE_BYTES && !strbuf_overflowed(out))
		stream_some(s, out);
	if (s->series < s->n_series)
		return true;
	strbuf_add_slice(out, strbuf_slice(&s->after));
	return false;
}

/* --- as a whole ---------------------------------------------------------------------------------------------------- */

static const char *kind_name(enum query_value_kind kind)
{
	static const char *const names[] = {[QUERY_SCALAR] = "scalar",
	    [QUERY_STRING] = "string",
	    [QUERY_VECTOR] = "vector",
	    [QUERY_MATRIX] = "matrix"};
	return names[kind];
}

bool json_query_result_begin(struct json *j, const struct query_result *r, size_t limit)
{
	enum { MANY_POINTS = 20000 };
	size_t n = limit && limit < r->n_series ? limit : r->n_series, points = 0;
	if (r->kind != QUERY_VECTOR && r->kind != QUERY_MATRIX)
		return false;
	for (size_t i = 0; i < n && points < MANY_POINTS; i++)
		points += r->series[i].n + 8; /* labels take about as much as that */
	if (points < MANY_POINTS)
		return false;
	json_key(j, "resultType");
	json_cstr(j, kind_name(r->kind));
	json_key(j, "result");
	json_array_begin(j);
	return true;
}

void json_query_result(struct json *j, const struct query_result *r, size_t limit)
{
	json_key(j, "resultType");
	json_cstr(j, kind_name(r->kind));
	json_key(j, "result");
	if (r->kind == QUERY_VECTOR || r->kind == QUERY_MATRIX) {
		put_all_series(j, r, limit && limit < r->n_series ? limit : r->n_series);
		return;
	}
	json_array_begin(j);
	if (r->kind == QUERY_SCALAR) {
		json_timestamp(j, r->series[0].t_ms[0]);
		json_sample_value(j, r->series[0].v[0]);
	} else {
		json_timestamp(j, r->start_ms);
		json_string(j, r->string);
	}
	json_array_end(j);
}
