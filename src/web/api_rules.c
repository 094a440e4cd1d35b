/* rules, alerts. */
#include "web/api_call.h"

#include "base/double_text.h"
#include "base/sha2.h"
#include "rules/rule_manager.h"
#include "web/api_json.h"

enum rule_kind { RULE_ANY, RULE_ALERT, RULE_RECORD };

/* A list of names, given as `x[]`, or as `x`, as Grafana sends both. Empty: everything passes. */
struct name_filter {
	const char *param, *plain;
	struct slice_vec names;
};

enum { FILTER_RULE, FILTER_GROUP, FILTER_FILE, FILTERS };

struct rules_params {
	enum rule_kind kind;
	struct name_filter filters[FILTERS];
	struct matcher_set_vec sets;
	bool excludes_alerts;
	uint64_t group_limit; /* 0: none */
	struct slice next_token;
};

static void read_filter(struct api_call *c, struct name_filter *f)
{
	struct slice s;
	for (size_t k = 0; http_req_param_at(c->req, f->param, k, &s); k++)
		slice_vec_push(&f->names, s);
	for (size_t k = 0; http_req_param_at(c->req, f->plain, k, &s); k++)
		slice_vec_push(&f->names, s);
}

static bool passes(const struct name_filter *f, struct slice name)
{
	for (size_t i = 0; i < f->names.len; i++)
		if (slice_eq(f->names.v[i], name))
			return true;
	return f->names.len == 0;
}

static int read_kind(struct api_call *c, enum rule_kind *kind, struct err *err)
{
	struct slice s = api_param(c, "type");
	if (slice_eq_nocase(s, SL("alert")))
		*kind = RULE_ALERT;
	else if (slice_eq_nocase(s, SL("record")))
		*kind = RULE_RECORD;
	else if (s.len)
		return err_set(
		    err, ERR_INVALID, "invalid parameter \"type\": not supported value %s", api_quoted(c, s));
	return 0;
}

/* What Go's strconv.ParseBool takes. */
static bool parse_bool(struct slice s, bool *v)
{
	static const struct {
		const char *text;
		bool value;
	} words[] = {{"1", true}, {"t", true}, {"T", true}, {"true", true}, {"TRUE", true}, {"True", true},
	    {"0", false}, {"f", false}, {"F", false}, {"false", false}, {"FALSE", false}, {"False", false}};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!slice_eq_cstr(s, words[i].text))
			continue;
		*v = words[i].value;
		return true;
	}
	return false;
}

static int read_excludes_alerts(struct api_call *c, bool *out, struct err *err)
{
	struct slice s = api_param(c, "exclude_alerts");
	if (s.len == 0 || parse_bool(s, out))
		return 0;
	return err_set(err, ERR_INVALID,
	    "invalid parameter \"exclude_alerts\": error converting exclude_alerts: strconv.ParseBool: "
	    "parsing %s: invalid "
	    "syntax",
	    api_quoted(c, s));
}

static int read_paging(struct api_call *c, struct rules_params *p, struct err *err)
{
	struct slice limit = api_param(c, "group_limit");
	p->next_token = api_param(c, "group_next_token");
	if (limit.len == 0 && p->next_token.len)
		return err_set(err, ERR_INVALID,
		    "invalid parameter \"group_limit\": group_limit needs to be present in order to paginate "
		    "over the "
		    "groups");
	if (limit.len == 0)
		return 0;
	double v;
	if (!api_parse_count(limit, &v))
		return err_set(err, ERR_INVALID,
		    "invalid parameter \"group_limit\": group_limit needs to be a valid number: "
		    "strconv.ParseInt: parsing %s: "
		    "invalid syntax",
		    api_quoted(c, limit));
	if (v <= 0)
		return err_set(err, ERR_INVALID,
		    "invalid parameter \"group_limit\": group_limit needs to be greater than 0");
	p->group_limit = (uint64_t)v;
	return 0;
}

static int params_read(struct api_call *c, struct rules_params *p, struct err *err)
{
	static const char *const names[FILTERS][2] = {
	    [FILTER_RULE] = {"rule_name[]", "rule_name"},
	    [FILTER_GROUP] = {"rule_group[]", "rule_group"},
	    [FILTER_FILE] = {"file[]", "file"},
	};
	for (size_t i = 0; i < FILTERS; i++) {
		p->filters[i].param = names[i][0];
		p->filters[i].plain = names[i][1];
		read_filter(c, &p->filters[i]);
	}
	int rc = api_param_matchers(c, &p->sets, err);
	if (rc || (rc = read_kind(c, &p->kind, err)) ||
	    (rc = read_excludes_alerts(c, &p->excludes_alerts, err)))
		return rc;
	return read_paging(c, p, err);
}

static void params_done(struct rules_params *p)
{
	for (size_t i = 0; i < FILTERS; i++)
		slice_vec_done(&p->filters[i].names);
	matcher_set_vec_done(&p->sets);
}

static bool set_matches(const struct matcher_set *set, const struct labels *ls)
{
	for (size_t i = 0; i < set->n; i++)
		if (!matcher_matches_labels(set->v[i], ls))
			return false;
	return true;
}

/* Upstream matches labels as written; one whose value is a template cannot match, since nobody knows its value. */
static bool labels_pass(const struct rules_params *p, const struct labels *ls)
{
	for (size_t i = 0; i < p->sets.len; i++)
		if (set_matches(&p->sets.v[i], ls))
			return true;
	return p->sets.len == 0;
}

static bool rule_passes(const struct rules_params *p, const struct rule_view *r)
{
	if (p->kind != RULE_ANY && (p->kind == RULE_ALERT) != r->is_alert)
		return false;
	return passes(&p->filters[FILTER_RULE], r->name) && labels_pass(p, r->labels);
}

/* --- writing ----------------------------------------------------------------------------------------------------- */

static void put_text(struct json *j, const char *key, struct slice s)
{
	json_key(j, key);
	json_string(j, s);
}

static void put_labels(struct json *j, const char *key, const struct labels *ls)
{
	json_key(j, key);
	json_labels(j, ls);
}

static void put_alert(struct json *j, const struct alert_view *a)
{
	char value[DOUBLE_TEXT_MAX];
	json_object_begin(j);
	put_labels(j, "labels", a->labels);
	put_labels(j, "annotations", a->annotations);
	json_key(j, "state");
	json_cstr(j, alert_state_name(a->state));
	json_key(j, "activeAt");
	json_time(j, a->active_at_ms);
	if (a->keep_firing_since_ms) {
		json_key(j, "keepFiringSince");
		json_time(j, a->keep_firing_since_ms);
	}
	put_text(j, "value", slice_of(value, double_to_shortest_e(a->value, value)));
	json_object_end(j);
}

static void put_alerts(struct json *j, const struct rule_view *r)
{
	for (size_t i = 0; i < r->n_alerts; i++)
		put_alert(j, &r->alerts[i]);
}

/* What both kinds of rules end with. */
static void put_result(struct json *j, const struct rule_view *r)
{
	json_key(j, "health");
	json_cstr(j, rule_health_name(r->health));
	if (r->last_error.len)
		put_text(j, "lastError", r->last_error);
	json_key(j, "evaluationTime");
	json_double(j, r->evaluation_seconds);
	json_key(j, "lastEvaluation");
	json_time(j, r->last_evaluation_ms);
	json_key(j, "type");
	json_cstr(j, r->is_alert ? "alerting" : "recording");
}

static void put_alerting_rule(struct json *j, const struct rule_view *r, bool excludes_alerts)
{
	json_key(j, "state");
	json_cstr(j, r->has_state ? alert_state_name(r->state) : "unknown");
	put_text(j, "name", r->name);
	put_text(j, "query", r->query);
	json_key(j, "duration");
	json_seconds(j, r->for_ms);
	json_key(j, "keepFiringFor");
	json_seconds(j, r->keep_firing_for_ms);
	put_labels(j, "labels", r->labels);
	put_labels(j, "annotations", r->annotations);
	json_key(j, "alerts");
	if (excludes_alerts) {
		json_null(j);
		return;
	}
	json_array_begin(j);
	put_alerts(j, r);
	json_array_end(j);
}

static void put_rule(struct json *j, const struct rule_view *r, bool excludes_alerts)
{
	json_object_begin(j);
	if (r->is_alert) {
		put_alerting_rule(j, r, excludes_alerts);
	} else {
		put_text(j, "name", r->name);
		put_text(j, "query", r->query);
		put_labels(j, "labels", r->labels);
	}
	put_result(j, r);
	json_object_end(j);
}

static void put_group(struct json *j, const struct rules_params *p, const struct rule_group_view *g)
{
	json_object_begin(j);
	put_text(j, "name", g->name);
	put_text(j, "file", g->file);
	json_key(j, "rules");
	json_array_begin(j);
	for (size_t i = 0; i < g->n_rules; i++)
		if (rule_passes(p, &g->rules[i]))
			put_rule(j, &g->rules[i], p->excludes_alerts);
	json_array_end(j);
	json_key(j, "interval");
	json_seconds(j, g->interval_ms);
	json_key(j, "limit");
	json_int(j, g->limit);
	json_key(j, "evaluationTime");
	json_double(j, g->evaluation_seconds);
	json_key(j, "lastEvaluation");
	json_time(j, g->last_evaluation_ms);
	json_object_end(j);
}

static bool group_passes(const struct rules_params *p, const struct rule_group_view *g)
{
	if (!passes(&p->filters[FILTER_GROUP], g->name) || !passes(&p->filters[FILTER_FILE], g->file))
		return false;
	for (size_t i = 0; i < g->n_rules; i++)
		if (rule_passes(p, &g->rules[i]))
			return true;
	return false;
}

/* The name of a place between two pages: that of the group the next one begins with. */
static struct slice token_of(struct api_call *c, const struct rule_group_view *g)
{
	struct slice name = arena_printf(c->arena, "%" SL_FMT ";%" SL_FMT, SL_ARG(g->file), SL_ARG(g->name));
	char hex[SHA256_HEX];
	sha256_hex(name, hex);
	return arena_slice(c->arena, slice_of(hex, sizeof(hex)));
}

/* Index of the group a page begins with; n when no group has that token. */
static size_t find_token(
    struct api_call *c, struct slice token, const struct rule_group_view *groups, size_t n)
{
	if (token.len == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (slice_eq(token_of(c, &groups[i]), token))
			return i;
	return n;
}

static void list_groups(struct api_call *c, struct rule_group_view **groups, size_t *n)
{
	*groups = NULL;
	*n = 0;
	if (c->deps->rules.list)
		c->deps->rules.list(c->deps->rules.arg, c->arena, groups, n);
}

static int put_groups(struct api_call *c, const struct rules_params *p, struct err *err)
{
	struct rule_group_view *groups;
	size_t n;
	uint64_t written = 0;
	struct slice next = SL_EMPTY;
	list_groups(c, &groups, &n);
	size_t i = find_token(c, p->next_token, groups, n);
	if (p->next_token.len && i == n)
		return err_set(err, ERR_INVALID,
		    "invalid parameter \"group_next_token\": invalid group_next_token '%" SL_FMT
		    "'. were rule groups changed?",
		    SL_ARG(p->next_token));
	json_object_begin(&c->json);
	json_key(&c->json, "groups");
	json_array_begin(&c->json);
	for (; i < n; i++) {
		if (!group_passes(p, &groups[i]))
			continue;
		if (p->group_limit && written == p->group_limit) {
			next = token_of(c, &groups[i]);
			break;
		}
		put_group(&c->json, p, &groups[i]);
		written++;
	}
	json_array_end(&c->json);
	if (next.len)
		put_text(&c->json, "groupNextToken", next);
	json_object_end(&c->json);
	return 0;
}

int api_rules(struct api_call *c, struct err *err)
{
	struct rules_params p = {0};
	int rc = params_read(c, &p, err);
	if (rc == 0)
		rc = put_groups(c, &p, err);
	params_done(&p);
	return rc;
}

int api_alerts(struct api_call *c, struct err *err)
{
	(void)err;
	struct rule_group_view *groups;
	size_t n;
	list_groups(c, &groups, &n);
	json_object_begin(&c->json);
	json_key(&c->json, "alerts");
	json_array_begin(&c->json);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < groups[i].n_rules; k++)
			put_alerts(&c->json, &groups[i].rules[k]);
	json_array_end(&c->json);
	json_object_end(&c->json);
	return 0;
}
