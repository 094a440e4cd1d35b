/* promq tsdb analyze: what the series of a store have in common, what they cost, which come and go */
#include "base/hashtab.h"
#include "base/json.h"
#include "model/duration.h"
#include "promql/parse.h"
#include "tools/arguments.h"
#include "tools/cmd_tsdb.h"
#include "tsdb/store_census.h"
#include <inttypes.h>
#include <stdlib.h>

static const char help[] = "Usage: promq tsdb analyze [OPTION]... [DIR]\n"
			   "\n"
			   "Counts the series of the store in DIR (default: " TSDB_DEFAULT_DIR
			   ") by metric, label and pair; which of them\n"
			   "come and go (\"churn\": how many series they would be, were each there all the "
			   "time, are missing); and the\n"
			   "bytes and bytes per sample of metrics, as far as their samples are in parts.\n"
			   "\n"
			   "  --limit N          lines of a list (default: 20)\n"
			   "  --match SELECTOR   only these series\n";

/* What series have in common: a label's name, a pair, a metric. Lives in the arena of the analysis. */
struct tally {
	struct slice name; /* as it is printed */
	uint64_t series, samples, bytes, part_samples;
	uint64_t values, value_bytes; /* of a label's name */
	double life_ms;               /* from first to last sample, of all its series together */
};
VEC_DEFINE(tally_vec, struct tally *);

struct tally_table {
	struct hashtab by_name;
	struct tally_vec all;
};

struct analysis {
	struct cli *cli;
	struct arena *arena;
	const struct matcher *const *matchers;
	size_t n_matchers;
	int64_t limit;
	struct tally_table metrics, names, pairs;
	struct strbuf text;
	uint64_t series, in_head, postings, samples, bytes, part_samples;
	int64_t min_t_ms, max_t_ms;
};

/* --- counting --- */

static struct tally *tally_of(struct analysis *a, struct tally_table *table, struct slice name, bool *is_new)
{
	struct tally *t = (struct tally *)hashtab_get(&table->by_name, name);
	*is_new = !t;
	if (t)
		return t;
	t = ARENA_NEW(a->arena, struct tally);
	t->name = arena_slice(a->arena, name);
	hashtab_put(&table->by_name, name, t);
	tally_vec_push(&table->all, t);
	return t;
}

static void add(struct tally *t, const struct census_series *s)
{
	t->series++;
	t->samples += s->samples;
	t->bytes += s->bytes;
	t->part_samples += s->part_samples;
	t->life_ms += (double)s->max_t_ms - (double)s->min_t_ms;
}

static void add_label(struct analysis *a, const struct label *l, const struct census_series *s)
{
	bool is_new;
	struct tally *name = tally_of(a, &a->names, l->name, &is_new);
	add(name, s);
	strbuf_reset(&a->text);
	strbuf_addf(&a->text, "%" SL_FMT "=%" SL_FMT, SL_ARG(l->name), SL_ARG(l->value));
	add(tally_of(a, &a->pairs, strbuf_slice(&a->text), &is_new), s);
	name->values += is_new;
	name->value_bytes += is_new ? l->value.len : 0;
	a->postings++;
}

static void count_series(void *arg, const struct census_series *s)
{
	struct analysis *a = (struct analysis *)arg;
	for (size_t i = 0; i < a->n_matchers; i++)
		if (!matcher_matches_labels(a->matchers[i], s->labels))
			return;
	bool is_new;
	a->series++;
	a->in_head += s->in_head;
	a->samples += s->samples;
	a->bytes += s->bytes;
	a->part_samples += s->part_samples;
	a->min_t_ms = s->min_t_ms < a->min_t_ms ? s->min_t_ms : a->min_t_ms;
	a->max_t_ms = s->max_t_ms > a->max_t_ms ? s->max_t_ms : a->max_t_ms;
	add(tally_of(a, &a->metrics, labels_metric_name(s->labels), &is_new), s);
	LABELS_EACH (l, s->labels)
		add_label(a, l, s);
}

/* --- telling --- */

static double all_ms(const struct analysis *a)
{
	return (double)a->max_t_ms - (double)a->min_t_ms;
}

static double churn_of(const struct analysis *a, const struct tally *t)
{
	double all = all_ms(a);
	return all > 0 ? (double)t->series - t->life_ms / all : 0;
}
static double series_of(const struct analysis *a, const struct tally *t)
{
	(void)a;
	return (double)t->series;
}
static double values_of(const struct analysis *a, const struct tally *t)
{
	(void)a;
	return (double)t->values;
}
static double value_bytes_of(const struct analysis *a, const struct tally *t)
{
	(void)a;
	return (double)t->value_bytes;
}
static double bytes_of(const struct analysis *a, const struct tally *t)
{
	(void)a;
	return (double)t->bytes;
}

struct ranked {
	double value;
	const struct tally *tally;
};

static int largest_first(const void *x, const void *y)
{
	const struct ranked *a = (const struct ranked *)x, *b = (const struct ranked *)y;
	if (a->value != b->value)
		return a->value > b->value ? -1 : 1;
	return slice_cmp(a->tally->name, b->tally->name);
}

/* The largest of them, `limit` at most and none of value 0; *n of them, in the arena. */
static const struct ranked *rank(const struct analysis *a, const struct tally_table *table,
    double (*value)(const struct analysis *a, const struct tally *t), size_t *n)
{
	struct ranked *v = ARENA_ARRAY(a->arena, struct ranked, table->all.len + 1);
	size_t k = 0;
	VEC_EACH (struct tally *, t, &table->all) {
		v[k] = (struct ranked){value(a, *t), *t};
		k += v[k].value >= 0.5;
	}
	qsort(v, k, sizeof(*v), largest_first);
	*n = k < (size_t)a->limit ? k : (size_t)a->limit;
	return v;
}

static void print_top(const struct analysis *a, const char *title, const struct tally_table *table,
    double (*value)(const struct analysis *a, const struct tally *t))
{
	size_t n;
	const struct ranked *v = rank(a, table, value, &n);
	strbuf_addf(a->cli->out, "\n%s:\n", title);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(a->cli->out, "%.0f %" SL_FMT "\n", v[i].value, SL_ARG(v[i].tally->name));
}

static void add_per_sample(struct strbuf *out, uint64_t bytes, uint64_t samples)
{
	if (samples > 0)
		strbuf_addf(out, "%.2f", (double)bytes / (double)samples);
	else
		strbuf_addch(out, '-');
}

static void print_bytes(const struct analysis *a)
{
	size_t n;
	struct strbuf *out = a->cli->out;
	const struct ranked *v = rank(a, &a->metrics, bytes_of, &n);
	strbuf_adds(out, "\nMetric names with most bytes (bytes, bytes per sample, name):\n");
	for (size_t i = 0; i < n; i++) {
		const struct tally *t = v[i].tally;
		strbuf_addf(out, "%" PRIu64 " ", t->bytes);
		add_per_sample(out, t->bytes, t->part_samples);
		strbuf_addf(out, " %" SL_FMT "\n", SL_ARG(t->name));
	}
}

static void print_totals(const struct analysis *a, const char *dir)
{
	struct strbuf *out = a->cli->out;
	int64_t ns = 0;
	if (a->series == 0 || __builtin_mul_overflow((int64_t)(all_ms(a)), 1000000, &ns))
		ns = 0;
	strbuf_addf(out, "Store: %s\nDuration: ", dir);
	go_duration_print(out, ns);
	strbuf_addf(out,
	    "\nTotal Series: %" PRIu64 "\nSeries in the head: %" PRIu64 "\nLabel names: %zu\n"
	    "Postings (unique label pairs): %zu\nPostings entries (total label pairs): %" PRIu64
	    "\nSamples: %" PRIu64 "\nBytes of chunks: %" PRIu64 "\nBytes per sample: ",
	    a->series, a->in_head, a->names.all.len, a->pairs.all.len, a->postings, a->samples, a->bytes);
	add_per_sample(out, a->bytes, a->part_samples);
	strbuf_addch(out, '\n');
}

/* --- as JSON --- */

static void put_number(struct json *j, const char *key, uint64_t v)
{
	json_key(j, key);
	json_uint(j, v);
}

static void put_top(struct json *j, const struct analysis *a, const char *key,
    const struct tally_table *table, double (*value)(const struct analysis *a, const struct tally *t))
{
	size_t n;
	const struct ranked *v = rank(a, table, value, &n);
	json_key(j, key);
	json_array_begin(j);
	for (size_t i = 0; i < n; i++) {
		json_object_begin(j);
		json_key(j, "name");
		json_string(j, v[i].tally->name);
		json_key(j, "value");
		json_double(j, v[i].value);
		if (value == bytes_of)
			put_number(j, "samples", v[i].tally->part_samples);
		json_object_end(j);
	}
	json_array_end(j);
}

static void put_all(const struct analysis *a, const char *dir)
{
	struct json j;
	json_init(&j, a->cli->out);
	json_object_begin(&j);
	json_key(&j, "store");
	json_cstr(&j, dir);
	if (a->series > 0) {
		json_key(&j, "minTime");
		json_int(&j, a->min_t_ms);
		json_key(&j, "maxTime");
		json_int(&j, a->max_t_ms);
	}
	put_number(&j, "series", a->series);
	put_number(&j, "seriesInHead", a->in_head);
	put_number(&j, "labelNames", a->names.all.len);
	put_number(&j, "labelPairs", a->pairs.all.len);
	put_number(&j, "postings", a->postings);
	put_number(&j, "samples", a->samples);
	put_number(&j, "samplesInParts", a->part_samples);
	put_number(&j, "chunkBytes", a->bytes);
	put_top(&j, a, "churningLabelPairs", &a->pairs, churn_of);
	put_top(&j, a, "churningLabelNames", &a->names, churn_of);
	put_top(&j, a, "commonLabelPairs", &a->pairs, series_of);
	put_top(&j, a, "labelNamesByValueBytes", &a->names, value_bytes_of);
	put_top(&j, a, "labelNamesByValues", &a->names, values_of);
	put_top(&j, a, "metricsBySeries", &a->metrics, series_of);
	put_top(&j, a, "metricsByBytes", &a->metrics, bytes_of);
	json_object_end(&j);
	strbuf_addch(a->cli->out, '\n');
}

static void print_all(const struct analysis *a, const char *dir)
{
	if (a->cli->form == OUTPUT_JSON) {
		put_all(a, dir);
		return;
	}
	print_totals(a, dir);
	print_top(a, "Label pairs most involved in churning", &a->pairs, churn_of);
	print_top(a, "Label names most involved in churning", &a->names, churn_of);
	print_top(a, "Most common label pairs", &a->pairs, series_of);
	print_top(a, "Label names with highest cumulative label value length", &a->names, value_bytes_of);
	print_top(a, "Highest cardinality labels", &a->names, values_of);
	print_top(a, "Highest cardinality metric names", &a->metrics, series_of);
	print_bytes(a);
}

/* --- all of it --- */

static int analyze(struct analysis *a, const char *dir)
{
	struct tsdb *db;
	struct err err;
	if (!cmd_tsdb_open(a->cli, dir, &db))
		return EXIT_FAILURE_FOUND;
	int rc = store_census(db, count_series, a, &err);
	tsdb_close(db);
	if (rc != 0)
		return cli_fail(a->cli, "%s", err.msg);
	print_all(a, dir);
	return EXIT_OK;
}

static void table_done(struct tally_table *t)
{
	hashtab_done(&t->by_name);
	tally_vec_done(&t->all);
}

int cmd_tsdb_analyze(struct cli *cli, int argc, char **argv)
{
	struct analysis a = {
	    .cli = cli, .limit = 20, .text = STRBUF_INIT, .min_t_ms = INT64_MAX, .max_t_ms = INT64_MIN};
	const char *match = NULL;
	const struct argument known[] = {
	    {"limit", 0, ARGUMENT_NUMBER, &a.limit},
	    {"match", 0, ARGUMENT_TEXT, &match},
	};
	char **rest;
	int n_rest;
	struct err err;
	int code =
	    arguments_parse(cli, "tsdb analyze", help, known, ARRAY_LEN(known), argc, argv, &rest, &n_rest);
	if (code >= 0)
		return code;
	const char *dir = cmd_tsdb_dir(cli, "tsdb analyze", rest, n_rest);
	if (!dir)
		return EXIT_FAILURE_FOUND;
	if (match &&
	    promql_parse_selector(cli->arena, slice_cstr(match), &a.matchers, &a.n_matchers, &err) != 0)
		return cli_fail(cli, "%s", err.msg);
	a.arena = arena_new(ARENA_NO_LIMIT);
	code = analyze(&a, dir);
	table_done(&a.metrics);
	table_done(&a.names);
	table_done(&a.pairs);
	strbuf_done(&a.text);
	arena_free(a.arena);
	return code;
}
