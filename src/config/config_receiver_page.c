/* Receivers that page, file incidents, mail, or hand on: webhook, email, PagerDuty, Opsgenie, VictorOps, Pushover, SNS,
 * Jira, incident.io. */
#include "config/config_http.h"
#include "config/config_receiver_priv.h"

#define CALL(name) SL("{{ template \"" name "\" . }}")

/* --- webhook ----------------------------------------------------------------------------------------------------- */
static const struct config_field webhook_fields[] = {
    AM_COMMON_ROW,
    AM_SECRET_ROWS(am_webhook, "url", url),
    {"max_alerts", CONFIG_UINT, offsetof(struct am_webhook, max_alerts)},
    {"timeout", CONFIG_CUSTOM, offsetof(struct am_webhook, timeout_ns), .decode = am_decode_go_duration},
    {"payload", CONFIG_CUSTOM, offsetof(struct am_webhook, payload), .decode = am_decode_any},
};

static void webhook_defaults(void *block)
{
	(void)block;
}

static void webhook_finish(
    struct config_ctx *ctx, const struct yaml_node *node, const struct am_global *g, void *block)
{
	(void)g;
	const struct am_webhook *w = block;
	am_check_needed(ctx, node, "url", &w->url);
	am_check_url(ctx, node, "url", w->url.value);
	if (w->timeout_ns < 0)
		config_error(ctx, am_place(node, "timeout"), "timeout must not be negative");
}

AM_KIND(webhook, webhook, "webhook.plain", true);

/* --- email ------------------------------------------------------------------------------------------------------- */
struct email_threading {
	bool enabled;
	struct slice thread_by_date;
};

static const struct config_field threading_fields[] = {
    AM_BOOL_ROW(email_threading, enabled),
    AM_TEXT_ROW(email_threading, thread_by_date),
};

static void decode_threading(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct am_email *e = CONTAINER_OF(field, struct am_email, is_threaded);
	struct email_threading t = {0};
	if (!config_decode(
		ctx, node, "config.ThreadingConfig", threading_fields, ARRAY_LEN(threading_fields), &t))
		return;
	e->is_threaded = t.enabled;
	e->is_threaded_daily = slice_eq(t.thread_by_date, SL("daily"));
	if (t.enabled && !e->is_threaded_daily && !slice_eq(t.thread_by_date, SL("none")))
		config_error(ctx, am_place(node, "thread_by_date"),
		    "threading needs thread_by_date (none or daily would be right)");
}

/* "host:port"; the port is mandatory, the host may be empty, an IPv6 address stands in brackets. */
static void split_hostport(struct config_ctx *ctx, const struct yaml_node *at, struct slice s,
    struct slice *host, struct slice *port)
{
	size_t colon = s.len;
	while (colon > 0 && s.ptr[colon - 1] != ':')
		colon--;
	*port = slice_from(s, colon);
	*host = slice_of(s.ptr, colon > 0 ? colon - 1 : 0);
	bool is_bracketed = host->len >= 2 && host->ptr[0] == '[' && host->ptr[host->len - 1] == ']';
	if (is_bracketed)
		*host = slice_of(host->ptr + 1, host->len - 2);
	bool ok = colon > 0 && port->len > 0 && (is_bracketed || slice_find(*host, ':') == host->len);
	if (!ok)
		config_error(ctx, at,
		    "address %" SL_FMT ": missing port in address (host:port would be right)", SL_ARG(s));
}

/* The two parts fill what a `struct am_email` has of them. */
static void decode_smarthost(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct am_email *e = CONTAINER_OF(field, struct am_email, smarthost_host);
	struct slice text;
	if (config_decode_string(ctx, node, &text) && text.len > 0)
		split_hostport(ctx, node, text, &e->smarthost_host, &e->smarthost_port);
}

static const struct config_field email_fields[] = {
    AM_COMMON_ROW,
    AM_TEXT_ROW(am_email, to),
    AM_TEXT_ROW(am_email, from),
    {"smarthost", CONFIG_CUSTOM, offsetof(struct am_email, smarthost_host), .decode = decode_smarthost},
    AM_TEXT_ROW(am_email, hello),
    AM_TEXT_ROW(am_email, auth_username),
    AM_TEXT_ROW(am_email, auth_identity),
    AM_SECRET_ROWS(am_email, "auth_password", auth_password),
    AM_SECRET_ROWS(am_email, "auth_secret", auth_secret),
    {"require_tls", CONFIG_BOOL, offsetof(struct am_email, require_tls),
	.set_offset = offsetof(struct am_email, has_require_tls)},
    {"tls_config", CONFIG_CUSTOM, offsetof(struct am_email, tls), .decode = am_decode_tls},
    {"force_implicit_tls", CONFIG_BOOL, offsetof(struct am_email, force_implicit_tls),
	.set_offset = offsetof(struct am_email, has_force_implicit_tls)},
    AM_TEXT_ROW(am_email, html),
    AM_TEXT_ROW(am_email, text),
    {"headers", CONFIG_LABELS, offsetof(struct am_email, headers)},
    {"threading", CONFIG_CUSTOM, offsetof(struct am_email, is_threaded), .decode = decode_threading},
};

static void email_defaults(void *block)
{
	struct am_email *e = block;
	e->html = CALL("email.default.html");
}

/* message-id -> Message-Id. */
static struct slice canonical_header(struct arena *arena, struct slice name)
{
	char *text = arena_strdup(arena, name);
	bool starts_word = true;
	for (size_t i = 0; i < name.len; i++) {
		char c = text[i];
		if (starts_word && c >= 'a' && c <= 'z')
			text[i] = (char)(c - 'a' + 'A');
		else if (!starts_word && c >= 'A' && c <= 'Z')
			text[i] = (char)(c - 'A' + 'a');
		starts_word = c == '-';
	}
	return slice_of(text, name.len);
}

static bool has_header(const struct config_pairs *headers, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(headers->v[i].name, name))
			return true;
	return false;
}

/* Canonical names, no duplicates; Subject, To and From are there in any case. */
static void finish_headers(struct config_ctx *ctx, const struct yaml_node *node, struct am_email *e)
{
	const struct config_pair defaults[] = {
	    {.name = SL("Subject"), .value = CALL("email.default.subject")},
	    {.name = SL("To"), .value = e->to},
	    {.name = SL("From"), .value = e->from},
	};
	struct config_pairs all = {
	    ARENA_ARRAY(ctx->arena, struct config_pair, e->headers.n + ARRAY_LEN(defaults)), 0};
	for (size_t i = 0; i < e->headers.n; i++) {
		struct config_pair p = e->headers.v[i];
		p.name = canonical_header(ctx->arena, p.name);
		if (has_header(&all, all.n, p.name)) {
			const struct yaml_node at = {.line = p.line, .column = p.column};
			config_error(
			    ctx, &at, "duplicate header \"%" SL_FMT "\" in email config", SL_ARG(p.name));
		}
		all.v[all.n++] = p;
	}
	if (e->is_threaded &&
	    (has_header(&all, all.n, SL("References")) || has_header(&all, all.n, SL("In-Reply-To"))))
		config_error(ctx, am_place(node, "headers"),
		    "conflicting configuration: threading.enabled conflicts with custom In-Reply-To or "
		    "References headers");
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		if (!has_header(&all, all.n, defaults[i].name))
			all.v[all.n++] = defaults[i];
	e->headers = all;
}

static void inherit_smtp(
    struct config_ctx *ctx, const struct yaml_node *node, const struct am_global *g, struct am_email *e)
{
	if (e->smarthost_port.len == 0 && g->smtp_smarthost.len > 0)
		split_hostport(ctx, node, g->smtp_smarthost, &e->smarthost_host, &e->smarthost_port);
	else if (e->smarthost_port.len == 0 && (!yaml_get(node, "smarthost") || e->smarthost_host.len == 0))
		config_error(ctx, node, "no global SMTP smarthost set");
	am_inherit_text(g->smtp_from, &e->from);
	if (e->from.len == 0)
		config_error(ctx, node, "no global SMTP from set");
	am_inherit_text(g->smtp_hello, &e->hello);
	am_inherit_text(g->smtp_auth_username, &e->auth_username);
	am_inherit_text(g->smtp_auth_identity, &e->auth_identity);
	am_inherit_secret(ctx, node, &g->smtp_auth_password, &e->auth_password, NULL);
	am_inherit_secret(ctx, node, &g->smtp_auth_secret, &e->auth_secret, NULL);
	if (!e->has_require_tls)
		e->require_tls = g->smtp_require_tls;
	if (!e->tls)
		e->tls = g->smtp_tls;
	if (!e->has_force_implicit_tls) {
		e->has_force_implicit_tls = g->has_smtp_force_implicit_tls;
		e->force_implicit_tls = g->smtp_force_implicit_tls;
	}
}

static void email_finish(
    struct config_ctx *ctx, const struct yaml_node *node, const struct am_global *g, void *block)
{
	struct am_email *e = block;
	if (e->to.len == 0)
		config_error(ctx, am_place(node, "to"), "missing to address in email config");
	am_check_one(ctx, node, "auth_password", &e->auth_password);
	am_check_one(ctx, node, "auth_secret", &e->auth_secret);
	inherit_smtp(ctx, node, g, e);
	finish_headers(ctx, node, e);
}

/* Mail programs have these as fields of their own; here they are headers. */
static const struct misplaced_key email_misplaced[] = {
    {"subject", "it belongs under headers: `headers: {Subject: ...}`"},
    {"Subject", "it belongs under headers: `headers: {Subject: ...}`"},
    {"cc", "it belongs under headers: `headers: {Cc: ...}`, and the address into `to` as well"},
    {"reply_to", "it belongs under headers: `headers: {Reply-To: ...}`"},
};

const struct receiver_kind receiver_kind_email = {"email", "email.plain", sizeof(struct am_email),
    email_fields, ARRAY_LEN(email_fields), false, email_defaults, email_finish, email_misplaced,
    ARRAY_LEN(email_misplaced)};

/* --- pagerduty --------------------------------------------------------------------------------------------------- */
static const struct config_field image_fields[] = {
    AM_TEXT_ROW(am_link, href),
    AM_TEXT_ROW(am_link, src),
    AM_TEXT_ROW(am_link, alt),
};
static const struct config_field link_fields[] = {
    AM_TEXT_ROW(am_link, href),
    AM_TEXT_ROW(am_link, text),
};

VEC_DEFINE(link_vec, struct am_link);

static void add_image(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	config_decode(
	    ctx, item, "config.PagerdutyImage", image_fields, ARRAY_LEN(image_fields), link_vec_add(arg));
}

static void add_link(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	config_decode(
	    ctx, item, "config.PagerdutyLink", link_fields, ARRAY_LEN(link_fields), link_vec_add(arg));
}

static void take_links(struct config_ctx *ctx, struct link_vec *vec, struct am_links *out)
{
	out->n = vec->len;
	out->v = ARENA_ARRAY(ctx->arena, struct am_link, vec->len);
	if (vec->len > 0)
		memcpy(out->v, vec->v, vec->len * sizeof(*vec->v));
	link_vec_done(vec);
}

static void decode_images(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct link_vec vec = {0};
	config_decode_list(ctx, node, "images", add_image, &vec);
	take_links(ctx, &vec, field);
}

static void decode_links(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct link_vec vec = {0};
	config_decode_list(ctx, node, "links", add_link, &vec);
	take_links(ctx, &vec, field);
}

static const struct config_field pagerduty_fields[] = {
    AM_COMMON_ROW,
    AM_SECRET_ROWS(am_pagerduty, "routing_key", routing_key),
    AM_SECRET_ROWS(am_pagerduty, "service_key", service_key),
    AM_TEXT_ROW(am_pagerduty, url),
    AM_TEXT_ROW(am_pagerduty, client),
    AM_TEXT_ROW(am_pagerduty, client_url),
    AM_TEXT_ROW(am_pagerduty, description),
    AM_TEXT_ROW(am_pagerduty, severity),
    AM_TEXT_ROW(am_pagerduty, source),
    AM_TEXT_ROW(am_pagerduty, class),
    AM_TEXT_ROW(am_pagerduty, component),
    AM_TEXT_ROW(am_pagerduty, group),
    {"details", CONFIG_CUSTOM, offsetof(struct am_pagerduty, details), .decode = am_decode_details},
    {"images", CONFIG_CUSTOM, offsetof(struct am_pagerduty, images), .decode = decode_images},
    {"links", CONFIG_CUSTOM, offsetof(struct am_pagerduty, links), .decode = decode_links},
    {"timeout", CONFIG_CUSTOM, offsetof(struct am_pagerduty, timeout_ns), .decode = am_decode_go_duration},
};

static void pagerduty_defaults(void *block)
{
	struct am_pagerduty *p = block;
	p->description = CALL("pagerduty.default.description");
	p->client = CALL("pagerduty.default.client");
	p->client_url = CALL("pagerduty.default.clientURL");
	p->severity = SL("error");
}

static void pagerduty_finish(
    struct config_ctx *ctx, const struct yaml_node *node, const struct am_global *g, void *block)
{
	struct am_pagerduty *p = block;
	if (!am_secret_is_set(&p->routing_key) && !am_secret_is_set(&p->service_key))
		config_error(ctx, node, "missing service or routing key in PagerDuty config");
	am_check_one(ctx, node, "routing_key", &p->routing_key);
	am_check_one(ctx, node, "service_key", &p->service_key);
	am_check_url(ctx, node, "url", p->url);
	am_inherit_text(g->pagerduty_url, &p->url);
	am_inherit_text(p->client, &p->source);
}

AM_KIND(pagerduty, pagerduty, "pagerduty.plain", true);

/* --- opsgenie ---------------------------------------------------------------------------------------------------- */
static const struct config_field responder_fields[] = {
    AM_TEXT_ROW(am_responder, id),
    AM_TEXT_ROW(am_responder, name),
    AM_TEXT_ROW(am_responder, username),
    AM_TEXT_ROW(am_responder, type),
};

VEC_DEFINE(responder_vec, struct am_responder);

static bool is_template(struct slice s)
{
	for (size_t i = 0; i + 1 < s.len; i++)
		if (s.ptr[i] == '{' && s.ptr[i + 1] == '{')
			return true;
	return false;
}

static void add_responder(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	static const char *const types[] = {"team", "teams", "user", "escalation", "schedule"};
	struct am_responder *r = responder_vec_add(arg);
	if (!config_decode(ctx, item, "config.OpsGenieConfigResponder", responder_fields,
		ARRAY_LEN(responder_fields), r))
		return;
	if (r->id.len == 0 && r->name.len == 0 && r->username.len == 0)
		config_error(ctx, item,
		    "opsGenieConfig responder has to have at least one of id, username or name specified");
	bool known = is_template(r->type);
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		known |= slice_eq_nocase(r->type, slice_cstr(types[i]));
	if (!known)
		config_error(ctx, am_place(item, "type"),
		    "opsGenieConfig responder type \"%" SL_FMT
		    "\" does not match valid options team|teams|user|escalation|schedule",
		    SL_ARG(r->type));
}

static void decode_responders(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct am_opsgenie *o = CONTAINER_OF(field, struct am_opsgenie, responders);
	struct responder_vec vec = {0};
	config_decode_list(ctx, node, "responders", add_responder, &vec);
	o->n_responders = vec.len;
	o->responders = ARENA_ARRAY(ctx->arena, struct am_responder, vec.len);
	if (vec.len > 0)
		memcpy(o->responders, vec.v, vec.len * sizeof(*vec.v));
	responder_vec_done(&vec);
}

static const struct config_field opsgenie_fields[] = {
    AM_COMMON_ROW,
    AM_SECRET_ROWS(am_opsgenie, "api_key", api_key),
    AM_TEXT_ROW(am_opsgenie, api_url),
    AM_TEXT_ROW(am_opsgenie, message),
    AM_TEXT_ROW(am_opsgenie, description),
    AM_TEXT_ROW(am_opsgenie, source),
    AM_TEXT_ROW(am_opsgenie, entity),
    AM_TEXT_ROW(am_opsgenie, note),
    AM_TEXT_ROW(am_opsgenie, priority),
    AM_TEXT_ROW(am_opsgenie, tags),
    AM_TEXT_ROW(am_opsgenie, actions),
    {"details", CONFIG_LABELS, offsetof(struct am_opsgenie, details)},
    {"responders", CONFIG_CUSTOM, offsetof(struct am_opsgenie, responders), .decode = decode_responders},
    AM_BOOL_ROW(am_opsgenie, update_alerts),
};

static void opsgenie_defaults(void *block)
{
	struct am_opsgenie *o = block;
	o->message = CALL("opsgenie.default.message");
	o->description = CALL("opsgenie.default.description");
	o->source = CALL("opsgenie.default.source");
}

/* Key and key file come from global one by one, as in Alertmanager; the inline key wins at the sending. */
static void opsgenie_finish(
    struct config_ctx *ctx, const struct yaml_node *node, const struct am_global *g, void *block)
{
	struct am_opsgenie *o = block;
	am_check_one(ctx, node, "api_key", &o->api_key);
	am_check_url(ctx, node, "api_url", o->api_url);
	am_inherit_text(g->opsgenie_api_url, &o->api_url);
	o->api_url = am_with_slash(ctx->arena, o->api_url);
	am_inherit_text(g->opsgenie_api_key.value, &o->api_key.value);
	am_inherit_text(g->opsgenie_api_key.file, &o->api_key.file);
	if (!am_secret_is_set(&o->api_key))
		config_error(ctx, node, "no global OpsGenie API Key set either inline or in a file");
}

static const struct misplaced_key opsgenie_misplaced[] = {
    {"teams", "the older form: `responders: [{name: ..., type: team}]` would be right"},
};

const struct receiver_kind receiver_kind_opsgenie = {"opsgenie", "opsgenie.plain", sizeof(struct am_opsgenie),
    opsgenie_fields, ARRAY_LEN(opsgenie_fields), true, opsgenie_defaults, opsgenie_finish, opsgenie_misplaced,
    ARRAY_LEN(opsgenie_misplaced)};

/* --- victorops --------------------------------------------------------------------------------------------------- */
static const struct config_field victorops_fields[] = {
    AM_COMMON_ROW,
    AM_SECRET_ROWS(am_victorops, "api_key", api_key),
    AM_TEXT_ROW(am_victorops, api_url),
    AM_TEXT_ROW(am_victorops, routing_key),
    AM_TEXT_ROW(am_victorops, message_type),
    AM_TEXT_ROW(am_victorops, state_message),
    AM_TEXT_ROW(am_victorops, entity_display_name),
    AM_TEXT_ROW(am_victorops, monitoring_tool),
    {"custom_fields", CONFIG_LABELS, offsetof(struct am_victorops, custom_fields)},
};

static void victorops_defaults(void *block)
{
	struct am_victorops *v = block;
	v->message_type = SL("CRITICAL");
	v->state_message = CALL("victorops.default.state_message");
	v->entity_display_name = CALL("victorops.default.entity_display_name");
	v->monitoring_tool = CALL("victorops.default.monitoring_tool");
}

static void check_custom_fields(struct config_ctx *ctx, const struct am_victorops *v)
{
	static const char *const fixed[] = {"routing_key", "message_type", "state_message",
	    "entity_display_name", "monitoring_tool", "entity_id", "entity_state"};
	for (size_t i = 0; i < v->custom_fields.n; i++) {
		const struct config_pair *p = &v->custom_fields.v[i];
		const struct yaml_node at = {.line = p->line, .column = p->column};
		for (size_t k = 0; k < ARRAY_LEN(fixed); k++)
			if (slice_eq_cstr(p->name, fixed[k]))
				config_error(ctx, &at,
				    "victorOps config contains custom field %s which cannot be used as it "
				    "conflicts with "
				    "the fixed/static fields",
				    fixed[k]);
	}
}

static void victorops_finish(
    struct config_ctx *ctx, const struct yaml_node *node, const struct am_global *g, void *block)
{
	struct am_victorops *v = block;
	if (v->routing_key.len == 0)
		config_error(ctx, am_place(node, "routing_key"), "missing Routing key in VictorOps config");
	am_check_one(ctx, node, "api_key", &v->api_key);
	check_custom_fields(ctx, v);
	am_check_url(ctx, node, "api_url", v->api_url);
	am_inherit_text(g->victorops_api_url, &v->api_url);
	v->api_url = am_with_slash(ctx->arena, v->api_url);
	am_inherit_text(g->victorops_api_key.value, &v->api_key.value);
	am_inherit_text(g->victorops_api_key.file, &v->api_key.file);
	if (!am_secret_is_set(&v->api_key))
		config_error(ctx, node, "no global VictorOps API Key set either inline or in a file");
}

AM_KIND(victorops, victorops, "victorops.plain", true);

/* --- pushover ---------------------------------------------------------------------------------------------------- */
static const struct config_field pushover_fields[] = {
    AM_COMMON_ROW,
    AM_SECRET_ROWS(am_pushover, "user_key", user_key),
    AM_SECRET_ROWS(am_pushover, "token", token),
    AM_TEXT_ROW(am_pushover, title),
    AM_TEXT_ROW(am_pushover, message),
    AM_TEXT_ROW(am_pushover, url),
    AM_TEXT_ROW(am_pushover, url_title),
    AM_TEXT_ROW(am_pushover, device),
    AM_TEXT_ROW(am_pushover, sound),
    AM_TEXT_ROW(am_pushover, priority),
    {"retry", CONFIG_CUSTOM, offsetof(struct am_pushover, retry_ns), .decode = am_decode_go_duration},
    {"expire", CONFIG_CUSTOM, offsetof(struct am_pushover, expire_ns), .decode = am_decode_go_duration},
    {"ttl", CONFIG_CUSTOM, offsetof(struct am_pushover, ttl_ns), .decode = am_decode_go_duration},
    AM_BOOL_ROW(am_pushover, html),
    AM_BOOL_ROW(am_pushover, monospace),
};

static void pushover_defaults(void *block)
{
	struct am_pushover *p = block;
	p->title = CALL("pushover.default.title");
	p->message = CALL("pushover.default.message");
	p->url = CALL("pushover.default.url");
	p->priority = SL("{{ if eq .Status \"firing\" }}2{{ else }}0{{ end }}");
	p->retry_ns = 60LL * 1000000000;
	p->expire_ns = 3600LL * 1000000000;
}

static void pushover_finish(
    struct config_ctx *ctx, const struct yaml_node *node, const struct am_global *g, void *block)
{
	(void)g;
	struct am_pushover *p = block;
	am_check_needed(ctx, node, "user_key", &p->user_key);
	am_check_needed(ctx, node, "token", &p->token);
	if (p->html && p->monospace)
		config_error(
		    ctx, am_place(node, "monospace"), "at most one of monospace & html must be configured");
}

AM_KIND(pushover, pushover, "pushover.plain", true);

/* --- sns --------------------------------------------------------------------------------------------------------- */
static const struct config_field sigv4_fields[] = {
    AM_TEXT_ROW(am_sns, region),
    AM_TEXT_ROW(am_sns, access_key),
    {"secret_key", CONFIG_SECRET, offsetof(struct am_sns, secret_key)},
    AM_TEXT_ROW(am_sns, profile),
    AM_TEXT_ROW(am_sns, role_arn),
    AM_TEXT_ROW(am_sns, external_id),
    AM_TEXT_ROW(am_sns, service_name),
    AM_BOOL_ROW(am_sns, use_fips_sts_endpoint),
};

static void decode_sigv4(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct am_sns *s = CONTAINER_OF(field, struct am_sns, region);
	config_decode(ctx, node, "sigv4.plain", sigv4_fields, ARRAY_LEN(sigv4_fields), s);
	if ((s->access_key.len > 0) != (s->secret_key.len > 0))
		config_error(ctx, node,
		    "must provide a AWS SigV4 Access key and Secret Key if credentials are specified in the "
		    "SNS config");
	if (s->external_id.len > 0 && s->role_arn.len == 0)
		config_error(ctx, am_place(node, "external_id"), "external_id needs role_arn");
}

static const struct config_field sns_fields[] = {
    AM_COMMON_ROW,
    {"sigv4", CONFIG_CUSTOM, offsetof(struct am_sns, region), .decode = decode_sigv4},
    AM_TEXT_ROW(am_sns, api_url),
    AM_TEXT_ROW(am_sns, topic_arn),
    AM_TEXT_ROW(am_sns, phone_number),
    AM_TEXT_ROW(am_sns, target_arn),
    AM_TEXT_ROW(am_sns, subject),
    AM_TEXT_ROW(am_sns, message),
    {"attributes", CONFIG_LABELS, offsetof(struct am_sns, attributes)},
    AM_BOOL_ROW(am_sns, use_aws_http_client),
};

static void sns_defaults(void *block)
{
	struct am_sns *s = block;
	s->subject = CALL("sns.default.subject");
	s->message = CALL("sns.default.message");
}

/* An odd number of targets passes, as in Alertmanager: one, or all three. */
static void sns_finish(
    struct config_ctx *ctx, const struct yaml_node *node, const struct am_global *g, void *block)
{
	(void)g;
	const struct am_sns *s = block;
	bool is_odd = (s->target_arn.len > 0) != ((s->topic_arn.len > 0) != (s->phone_number.len > 0));
	if (!is_odd)
		config_error(
		    ctx, node, "must provide either a Target ARN, Topic ARN, or Phone Number for SNS config");
}

AM_KIND(sns, sns, "sns.plain", true);

/* --- jira -------------------------------------------------------------------------------------------------------- */
struct jira_text {
	struct slice template;
	bool enable_update;
};

static const struct config_field jira_text_fields[] = {
    AM_TEXT_ROW(jira_text, template),
    AM_BOOL_ROW(jira_text, enable_update),
};

/* A text, or {template: ..., enable_update: ...}. */
static void decode_jira_text(
    struct config_ctx *ctx, const struct yaml_node *node, struct slice *text, bool *may_update)
{
	if (node->kind != YAML_MAP) {
		config_decode_string(ctx, node, text);
		return;
	}
	struct jira_text t = {*text, true};
	config_decode(ctx, node, "config.JiraFieldConfig", jira_text_fields, ARRAY_LEN(jira_text_fields), &t);
	*text = t.template;
	*may_update = t.enable_update;
}

static void decode_jira_summary(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct am_jira *j = CONTAINER_OF(field, struct am_jira, summary);
	decode_jira_text(ctx, node, &j->summary, &j->update_summary);
}

static void decode_jira_description(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct am_jira *j = CONTAINER_OF(field, struct am_jira, description);
	decode_jira_text(ctx, node, &j->description, &j->update_description);
}

static const struct config_field jira_fields[] = {
    AM_COMMON_ROW,
    AM_TEXT_ROW(am_jira, api_url),
    AM_TEXT_ROW(am_jira, api_type),
    AM_TEXT_ROW(am_jira, project),
    AM_TEXT_ROW(am_jira, issue_type),
    AM_TEXT_ROW(am_jira, priority),
    {"summary", CONFIG_CUSTOM, offsetof(struct am_jira, summary), .decode = decode_jira_summary},
    {"description", CONFIG_CUSTOM, offsetof(struct am_jira, description), .decode = decode_jira_description},
    {"labels", CONFIG_STRING_LIST, offsetof(struct am_jira, labels)},
    {"fields", CONFIG_CUSTOM, offsetof(struct am_jira, fields), .decode = am_decode_details},
    AM_TEXT_ROW(am_jira, reopen_transition),
    AM_TEXT_ROW(am_jira, resolve_transition),
    AM_TEXT_ROW(am_jira, wont_fix_resolution),
    {"reopen_duration", CONFIG_DURATION, offsetof(struct am_jira, reopen_duration_ms)},
};

static void jira_defaults(void *block)
{
	struct am_jira *j = block;
	j->api_type = SL("auto");
	j->summary = CALL("jira.default.summary");
	j->description = CALL("jira.default.description");
	j->priority = CALL("jira.default.priority");
	j->update_summary = j->update_description = true;
}

static void jira_finish(
    struct config_ctx *ctx, const struct yaml_node *node, const struct am_global *g, void *block)
{
	struct am_jira *j = block;
	if (j->project.len == 0)
		config_error(ctx, am_place(node, "project"), "missing project in jira_config");
	if (j->issue_type.len == 0)
		config_error(ctx, am_place(node, "issue_type"), "missing issue_type in jira_config");
	bool known = slice_eq(j->api_type, SL("auto")) || slice_eq(j->api_type, SL("cloud")) ||
		     slice_eq(j->api_type, SL("datacenter"));
	if (!known)
		config_error(ctx, am_place(node, "api_type"),
		    "unknown api_type on jira_config, must be auto, cloud or datacenter");
	am_check_url(ctx, node, "api_url", j->api_url);
	am_inherit_text(g->jira_api_url, &j->api_url);
	if (j->api_url.len == 0)
		config_error(ctx, node, "no global Jira Cloud URL set");
}

AM_KIND(jira, jira, "jira.plain", true);

/* --- incident.io ------------------------------------------------------------------------------------------------- */
static const struct config_field incidentio_fields[] = {
    AM_COMMON_ROW,
    AM_SECRET_ROWS(am_incidentio, "url", url),
    AM_SECRET_ROWS(am_incidentio, "alert_source_token", alert_source_token),
    {"max_alerts", CONFIG_UINT, offsetof(struct am_incidentio, max_alerts)},
    {"timeout", CONFIG_CUSTOM, offsetof(struct am_incidentio, timeout_ns), .decode = am_decode_go_duration},
};

static void incidentio_defaults(void *block)
{
	(void)block;
}

static void incidentio_finish(
    struct config_ctx *ctx, const struct yaml_node *node, const struct am_global *g, void *block)
{
	(void)g;
	const struct am_incidentio *i = block;
	bool has_token = am_secret_is_set(&i->alert_source_token);
	bool has_http_auth = i->common.http && i->common.http->authorization.is_set;
	am_check_needed(ctx, node, "url", &i->url);
	am_check_url(ctx, node, "url", i->url.value);
	am_check_one(ctx, node, "alert_source_token", &i->alert_source_token);
	if (has_token && has_http_auth)
		config_error(ctx, am_place(node, "alert_source_token"),
		    "cannot specify alert_source_token or alert_source_token_file when using "
		    "http_config.authorization");
	if (i->common.http && !has_token && !has_http_auth)
		config_error(ctx, node,
		    "at least one of alert_source_token, alert_source_token_file or "
		    "http_config.authorization must be "
		    "configured");
}

AM_KIND(incidentio, incidentio, "incidentio.plain", true);
