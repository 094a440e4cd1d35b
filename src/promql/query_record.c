#include "promql/query_record.h"

static double seconds(int64_t ns)
{
	return (double)ns / 1e9;
}

static void put_number(struct json *j, const char *key, double v)
{
	json_key(j, key);
	json_double(j, v);
}

static void put_count(struct json *j, const char *key, uint64_t n)
{
	json_key(j, key);
	json_uint(j, n);
}

static void put_text(struct json *j, const char *key, struct slice s)
{
	json_key(j, key);
	json_string(j, s);
}

static void put_by_step(struct json *j, const char *key, const struct query_result *r, const uint64_t *n)
{
	if (n == NULL)
		return;
	json_key(j, key);
	json_array_begin(j);
	for (size_t k = 0; k < r->n_steps; k++) {
		json_array_begin(j);
		json_timestamp(j, r->grid_ms[k]);
		json_uint(j, n[k]);
		json_array_end(j);
	}
	json_array_end(j);
}

static void put_timings(struct json *j, const struct query_stats *s)
{
	json_object_begin(j);
	put_number(j, "evalTotalTime", seconds(s->prepare_ns + s->eval_ns + s->sort_ns));
	put_number(j, "resultSortTime", seconds(s->sort_ns));
	put_number(j, "queryPreparationTime", seconds(s->prepare_ns));
	put_number(j, "innerEvalTime", seconds(s->eval_ns));
	put_number(j, "execQueueTime", seconds(s->queue_ns));
	put_number(j, "execTotalTime", seconds(s->total_ns));
	json_object_end(j);
}

void query_record_put_stats(struct json *j, const struct query_stats *s, const struct query_result *r)
{
	json_object_begin(j);
	json_key(j, "timings");
	put_timings(j, s);
	json_key(j, "samples");
	json_object_begin(j);
	if (r)
		put_by_step(j, "totalQueryableSamplesPerStep", r, s->seen_by_step);
	put_count(j, "totalQueryableSamples", s->samples_seen);
	if (r)
		put_by_step(j, "samplesReadPerStep", r, s->fresh_by_step);
	put_count(j, "samplesRead", s->samples_fresh);
	put_count(j, "peakSamples", s->peak_samples);
	json_object_end(j);
	json_object_end(j);
}

void query_record_put_origin(struct json *j, const struct query_origin *o)
{
	if (o->path.len) {
		json_key(j, "httpRequest");
		json_object_begin(j);
		put_text(j, "clientIP", o->client_ip);
		put_text(j, "method", o->method);
		put_text(j, "path", o->path);
		json_object_end(j);
	}
	if (o->rule_group.len) {
		json_key(j, "ruleGroup");
		json_object_begin(j);
		put_text(j, "file", o->rule_file);
		put_text(j, "name", o->rule_group);
		json_object_end(j);
	}
}
