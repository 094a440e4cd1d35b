#include "base/double_text.h"
#include "model/histogram.h"

static void print_number(struct strbuf *out, double v)
{
	char *to = strbuf_reserve(out, DOUBLE_TEXT_MAX);
	if (to)
		strbuf_advance(out, double_to_go_g(v, to));
}

static void print_bucket(struct strbuf *out, const struct histogram_bucket *b)
{
	strbuf_adds(out, ", ");
	strbuf_addch(out, b->lower_inclusive ? '[' : '(');
	print_number(out, b->lower);
	strbuf_addch(out, ',');
	print_number(out, b->upper);
	strbuf_addch(out, b->upper_inclusive ? ']' : ')');
	strbuf_addch(out, ':');
	print_number(out, b->count);
}

void histogram_print(struct strbuf *out, const struct histogram *h)
{
	strbuf_adds(out, "{count:");
	print_number(out, h->count);
	strbuf_adds(out, ", sum:");
	print_number(out, h->sum);
	struct histogram_walk w;
	struct histogram_bucket b;
	histogram_walk_init(&w, h);
	while (histogram_walk_next(&w, &b))
		if (b.count != 0)
			print_bucket(out, &b);
	strbuf_addch(out, '}');
}
