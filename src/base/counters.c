/* An exposition gathers families by name, from the table first, then from the collectors; each family's samples are text
 * of their own until all are there to be sorted. */
#include "base/counters.h"

#include "base/double_text.h"
#include "base/hashtab.h"
#include "base/lock.h"
#include "base/vec.h"

#include <stdarg.h>
#include <stdlib.h>

_Atomic uint64_t metric_cells[M_COUNT];

enum row_type { ROW_COUNTER, ROW_GAUGE };

static const struct row {
	const char *name, *labels, *help;
	enum row_type type;
} rows[] = {
#define METRIC(id, type_, name_, labels_, help_)                                                             \
	{.name = (name_), .labels = (labels_), .help = (help_), .type = ROW_##type_},
#include "base/counters_table.h"
#undef METRIC
};

static uint64_t bits_of(double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof(bits));
	return bits;
}

static double double_of(uint64_t bits)
{
	double v;
	memcpy(&v, &bits, sizeof(v));
	return v;
}

void gauge_set(enum metric_id id, double value)
{
	atomic_store_explicit(&metric_cells[id], bits_of(value), memory_order_relaxed);
}

void gauge_add(enum metric_id id, double delta)
{
	uint64_t old = atomic_load_explicit(&metric_cells[id], memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&metric_cells[id], &old, bits_of(double_of(old) + delta),
	    memory_order_relaxed, memory_order_relaxed))
		;
}

uint64_t counter_get(enum metric_id id)
{
	return atomic_load_explicit(&metric_cells[id], memory_order_relaxed);
}

double gauge_get(enum metric_id id)
{
	return double_of(counter_get(id));
}

/* --- writing --------------------------------------------------------------------------------------------------- */

struct family {
	char *name;
	char *type;
	char *help;
	struct strbuf samples;
};
VEC_DEFINE(family_vec, struct family *);

struct metrics_writer {
	struct family_vec families;
	struct hashtab by_name;
	struct family *current;
};

void metrics_family(struct metrics_writer *w, const char *name, const char *type, const char *help)
{
	w->current = hashtab_get(&w->by_name, slice_cstr(name));
	if (w->current)
		return;
	struct family *f = xcalloc(1, sizeof(*f));
	f->name = xstrdup(name);
	f->type = xstrdup(type);
	f->help = xstrdup(help);
	strbuf_init(&f->samples, STRBUF_NO_LIMIT);
	family_vec_push(&w->families, f);
	hashtab_put(&w->by_name, slice_cstr(name), f);
	w->current = f;
}

/* Text format 0.0.4: help escapes backslash and line feed, a label value the quote too. */
static void put_escaped(struct strbuf *out, const char *s, bool is_label)
{
	for (; *s; s++) {
		if (*s == '\n')
			strbuf_adds(out, "\\n");
		else if (*s == '\\' || (is_label && *s == '"'))
			strbuf_addf(out, "\\%c", *s);
		else
			strbuf_addch(out, *s);
	}
}

static void put_value(struct strbuf *out, double v)
{
	char text[DOUBLE_TEXT_MAX];
	strbuf_addch(out, ' ');
	strbuf_add(out, text, double_to_go_g(v, text));
	strbuf_addch(out, '\n');
}

void metrics_sample(struct metrics_writer *w, const char *suffix, double value, ...)
{
	struct strbuf *out = &w->current->samples;
	strbuf_adds(out, w->current->name);
	strbuf_adds(out, suffix);
	va_list ap;
	va_start(ap, value);
	char before = '{';
	for (const char *name; (name = va_arg(ap, const char *)); before = ',') {
		strbuf_addf(out, "%c%s=\"", before, name);
		put_escaped(out, va_arg(ap, const char *), true);
		strbuf_addch(out, '"');
	}
	va_end(ap);
	if (before == ',')
		strbuf_addch(out, '}');
	put_value(out, value);
}

static void write_row(struct metrics_writer *w, const struct row *row, enum metric_id id)
{
	metrics_family(w, row->name, row->type == ROW_COUNTER ? "counter" : "gauge", row->help);
	struct strbuf *out = &w->current->samples;
	strbuf_adds(out, row->name);
	if (row->labels[0])
		strbuf_addf(out, "{%s}", row->labels);
	put_value(out, row->type == ROW_COUNTER ? (double)counter_get(id) : gauge_get(id));
}

/* --- collectors ------------------------------------------------------------------------------------------------ */

struct collector {
	void (*collect)(void *arg, struct metrics_writer *w);
	void *arg;
};
VEC_DEFINE(collector_vec, struct collector);

static struct lock registry = {.mutex = PTHREAD_MUTEX_INITIALIZER, .class = LOCK_METRICS, .name = "metrics"};
static struct collector_vec collectors; /* METRICS */

void counters_add_collector(void (*collect)(void *arg, struct metrics_writer *w), void *arg)
{
	lock_take(&registry);
	collector_vec_push(&collectors, (struct collector){.collect = collect, .arg = arg});
	lock_release(&registry);
}

void counters_remove_collector(void (*collect)(void *arg, struct metrics_writer *w), void *arg)
{
	lock_take(&registry);
	for (size_t i = 0; i < collectors.len; i++) {
		if (collectors.v[i].collect != collect || collectors.v[i].arg != arg)
			continue;
		memmove(&collectors.v[i], &collectors.v[i + 1],
		    (collectors.len - i - 1) * sizeof(collectors.v[0]));
		collectors.len--;
		break;
	}
	if (collectors.len == 0)
		collector_vec_done(&collectors);
	lock_release(&registry);
}

static void gather(struct metrics_writer *w)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		write_row(w, &rows[i], (enum metric_id)i);
	lock_take(&registry);
	VEC_EACH (struct collector, c, &collectors)
		c->collect(c->arg, w);
	lock_release(&registry);
}

static int by_name(const void *a, const void *b)
{
	const struct family *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

static void put_family(struct strbuf *out, const struct family *f)
{
	if (f->samples.len == 0)
		return;
	strbuf_addf(out, "# HELP %s ", f->name);
	put_escaped(out, f->help, false);
	strbuf_addf(out, "\n# TYPE %s %s\n", f->name, f->type);
	strbuf_add_slice(out, strbuf_slice(&f->samples));
}

static void family_free(struct family *f)
{
	free(f->name);
	free(f->type);
	free(f->help);
	strbuf_done(&f->samples);
	free(f);
}

void counters_expose(struct strbuf *out)
{
	struct metrics_writer w = {0};
	gather(&w);
	if (w.families.len)
		qsort(w.families.v, w.families.len, sizeof(w.families.v[0]), by_name);
	for (size_t i = 0; i < w.families.len; i++) {
		put_family(out, w.families.v[i]);
		family_free(w.families.v[i]);
	}
	family_vec_done(&w.families);
	hashtab_done(&w.by_name);
}
