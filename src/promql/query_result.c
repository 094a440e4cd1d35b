#include "promql/query_result.h"

#include "base/double_text.h"
#include "base/strbuf.h"
#include <inttypes.h>

void query_result_free(struct query_result *r)
{
	if (r)
		arena_free(r->arena);
}

static void print_point(struct strbuf *out, const struct result_series *s, size_t i)
{
	char text[DOUBLE_TEXT_MAX];

	if (s->h && s->h[i])
		histogram_print(out, s->h[i]);
	else
		strbuf_add(out, text, double_to_json(s->v[i], text));
	strbuf_addf(out, " @[%" PRId64 "]", s->t_ms[i]);
}

void query_result_print(struct strbuf *out, const struct query_result *r)
{
	if (r->kind == QUERY_STRING) {
		strbuf_add_slice(out, r->string);
		return;
	}
	for (size_t i = 0; i < r->n_series; i++) {
		labels_print_metric(out, r->series[i].labels);
		strbuf_adds(out, " =>");
		for (size_t j = 0; j < r->series[i].n; j++) {
			strbuf_addch(out, ' ');
			print_point(out, &r->series[i], j);
		}
		strbuf_addch(out, '\n');
	}
}
