#include "scrape/scrape_job.h"

#include "base/hash.h"
#include "base/xmalloc.h"
#include "scrape/content_type.h"

static void mix(struct strbuf *sb, struct slice s)
{
	strbuf_add(sb, &s.len, sizeof(s.len));
	strbuf_add_slice(sb, s);
}

static uint64_t label_fingerprint(const struct scrape_config *c)
{
	struct strbuf sb = STRBUF_INIT;
	strbuf_addf(&sb, "%d%d", c->honor_labels, (int)c->name_validation);
	for (size_t i = 0; i < c->metric_relabel.n; i++) {
		const struct relabel_rule *r = &c->metric_relabel.v[i];
		strbuf_addf(
		    &sb, "|%d %llu %zu", (int)r->action, (unsigned long long)r->modulus, r->n_source_labels);
		mix(&sb, r->separator);
		mix(&sb, r->target_label);
		mix(&sb, r->replacement);
		mix(&sb, r->regex_text);
		for (size_t k = 0; k < r->n_source_labels; k++)
			mix(&sb, r->source_labels[k]);
	}
	uint64_t hash = hash64(sb.ptr, sb.len);
	strbuf_done(&sb);
	return hash;
}

static size_t count_custom(const struct config_headers *h)
{
	size_t n = 0;
	for (size_t i = 0; i < h->n; i++)
		n += h->v[i].values.n + h->v[i].secrets.n;
	return n;
}

static void add_header(struct scrape_job *job, struct slice name, struct slice value)
{
	job->headers[job->n_headers++] =
	    arena_printf(job->arena, "%" SL_FMT ": %" SL_FMT, SL_ARG(name), SL_ARG(value)).ptr;
}

static void make_headers(struct scrape_job *job)
{
	const struct config_headers *custom = &job->config->http.headers;
	job->headers = ARENA_ARRAY(job->arena, const char *, 2 + count_custom(custom));
	struct strbuf accept = STRBUF_INIT;
	accept_header(&accept, job->config);
	add_header(job, SL("Accept"), strbuf_slice(&accept));
	strbuf_done(&accept);
	if (!job->config->enable_compression)
		add_header(job, SL("Accept-Encoding"), SL("identity"));
	for (size_t i = 0; i < custom->n; i++) {
		const struct config_header *h = &custom->v[i];
		for (size_t k = 0; k < h->values.n; k++)
			add_header(job, h->name, h->values.v[k]);
		for (size_t k = 0; k < h->secrets.n; k++)
			add_header(job, h->name, h->secrets.v[k]);
	}
}

struct scrape_job *scrape_job_new(
    struct config_generation *g, const struct scrape_config *config, const char *forced_error)
{
	struct scrape_job *job = (struct scrape_job *)xcalloc(1, sizeof(*job));
	job->refs = 1;
	job->generation = config_generation_ref(g);
	job->config = config;
	job->arena = arena_new(ARENA_NO_LIMIT);
	job->label_fingerprint = label_fingerprint(config);
	job->forced_error = forced_error ? arena_strdup(job->arena, slice_cstr(forced_error)) : NULL;
	config_http_auth(&config->http, job->arena, &job->auth);
	make_headers(job);
	return job;
}

struct scrape_job *scrape_job_ref(struct scrape_job *job)
{
	job->refs++;
	return job;
}

void scrape_job_unref(struct scrape_job *job)
{
	if (!job || --job->refs > 0)
		return;
	arena_free(job->arena);
	config_generation_unref(job->generation);
	free(job);
}
