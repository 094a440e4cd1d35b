/* One API request on its way: the envelope {"status":...,"data":...} around what an endpoint writes, and the parameters
 * with Prometheus's rules and error texts. Lives on the stack of the worker. */
#pragma once

#include "base/arena.h"
#include "base/json.h"
#include "base/vec.h"
#include "model/matcher.h"
#include "storage/querier.h"
#include "web/web_priv.h"

VEC_DEFINE(slice_vec, struct slice);

struct api_call {
	struct web *web;
	const struct web_deps *deps;
	struct http_request *req;
	struct arena *arena; /* dies with the call */
	struct strbuf body;
	struct json json; /* over body */
	struct slice_vec warnings, infos;
	/* A large result, whose series are written while they are sent: after `before`, in front of `body`. NULL: all is in body */
	struct query_result *streamed;
	struct strbuf before;
	uint64_t stream_limit;
};

enum { API_NO_DATA = 1 };

/* The earliest and latest time a request can mean (upstream's minTime and maxTime). */
#define API_MIN_MS ((INT64_C(-9223372036854775) + INT64_C(62135596801)) * 1000)
#define API_MAX_MS ((INT64_C(9223372036854775) - INT64_C(62135596801)) * 1000 + 999)

/* Runs an endpoint and answers the request. */
void api_run(struct web *web, struct http_request *req, const struct web_route *route);

void api_warn(struct api_call *c, struct slice text); /* borrowed until the answer */
/* "..." as Go's %q writes it; in the arena. */
const char *api_quoted(struct api_call *c, struct slice s);

/* The text of a parameter, empty when it is absent. */
struct slice api_param(struct api_call *c, const char *name);
bool api_has_param(struct api_call *c, const char *name);

/* Each fails with ERR_INVALID and `invalid parameter "name": ...`. */
MUST_CHECK int api_param_limit(struct api_call *c, uint64_t *limit, struct err *err); /* 0: no limit */
/* A required time or duration, as query_range has them. */
MUST_CHECK int api_param_time(struct api_call *c, const char *name, int64_t *t_ms, struct err *err);
MUST_CHECK int api_param_duration(struct api_call *c, const char *name, int64_t *ms, struct err *err);
/* An optional time: `def_ms` when it is absent. */
MUST_CHECK int api_param_time_or(
    struct api_call *c, const char *name, int64_t def_ms, int64_t *t_ms, struct err *err);
/* `start` and `end`, both optional. */
MUST_CHECK int api_param_range(struct api_call *c, int64_t *start_ms, int64_t *end_ms, struct err *err);

/* Seconds or RFC 3339; seconds or a duration like "5m". For tests, and behind the functions above. */
MUST_CHECK int api_parse_time(struct arena *arena, struct slice s, int64_t *t_ms, struct err *err);
MUST_CHECK int api_parse_duration(struct arena *arena, struct slice s, int64_t *ms, struct err *err);

/* A whole number as Go's strconv.Atoi takes it; false: it is none. */
bool api_parse_count(struct slice s, double *v);

struct matcher_set {
	const struct matcher *const *v;
	size_t n;
};
VEC_DEFINE(matcher_set_vec, struct matcher_set);

/* All `match[]`, which may be none. Matchers live in the arena; the vector is the caller's to free, also after a failure. */
MUST_CHECK int api_param_matchers(struct api_call *c, struct matcher_set_vec *out, struct err *err);

/* "U__host_2e_name" is "host.name"; what is no such escape comes back as it is. */
struct slice api_unescape_name(struct arena *arena, struct slice name);

/* Runs a query for the client of this call: canceled when it goes; an error of the query is a bad parameter, and what exceeded
 * a bound names the selector to blame in a warning. The caller frees *out. */
struct promql_query;
struct query_result;
MUST_CHECK int api_run_query(
    struct api_call *c, struct promql_query *q, struct query_result **out, struct err *err);
