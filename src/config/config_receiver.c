/* `global`, and what all kinds of receivers share. The kinds themselves: config_receiver_chat.c (messengers),
 * config_receiver_page.c (paging and the rest). */
#include "config/config_receiver_priv.h"

#include "config/config_http.h"
#include "model/duration.h"

static const struct receiver_kind *const kinds[AM_KINDS] = {
    [AM_WEBHOOK] = &receiver_kind_webhook,
    [AM_EMAIL] = &receiver_kind_email,
    [AM_PAGERDUTY] = &receiver_kind_pagerduty,
    [AM_OPSGENIE] = &receiver_kind_opsgenie,
    [AM_WECHAT] = &receiver_kind_wechat,
    [AM_SLACK] = &receiver_kind_slack,
    [AM_VICTOROPS] = &receiver_kind_victorops,
    [AM_PUSHOVER] = &receiver_kind_pushover,
    [AM_SNS] = &receiver_kind_sns,
    [AM_TELEGRAM] = &receiver_kind_telegram,
    [AM_DISCORD] = &receiver_kind_discord,
    [AM_WEBEX] = &receiver_kind_webex,
    [AM_MSTEAMS] = &receiver_kind_msteams,
    [AM_MSTEAMSV2] = &receiver_kind_msteamsv2,
    [AM_JIRA] = &receiver_kind_jira,
    [AM_INCIDENTIO] = &receiver_kind_incidentio,
    [AM_ROCKETCHAT] = &receiver_kind_rocketchat,
    [AM_MATTERMOST] = &receiver_kind_mattermost,
};

const char *am_kind_name(enum am_kind kind)
{
	return kinds[kind]->name;
}

/* --- fields ------------------------------------------------------------------------------------------------------ */
static void decode_http(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct config_http *http = ARENA_NEW(ctx->arena, struct config_http);
	config_http_init(http);
	config_decode_http(ctx, node, http);
	*(const struct config_http **)field = http;
}

const struct config_field am_common_fields[AM_COMMON_FIELDS] = {
    {"send_resolved", CONFIG_BOOL, offsetof(struct am_common, send_resolved)},
    {"http_config", CONFIG_CUSTOM, offsetof(struct am_common, http), .decode = decode_http},
};

void am_decode_tls(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct config_tls *tls = ARENA_NEW(ctx->arena, struct config_tls);
	config_decode_tls(ctx, node, tls);
	*(const struct config_tls **)field = tls;
}

void am_decode_any(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	(void)ctx;
	*(const struct yaml_node **)field = node;
}

void am_decode_details(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct am_details *out = field;
	if (node->kind != YAML_MAP) {
		config_error(ctx, node, "a map of names and values would be right here");
		return;
	}
	out->n = node->n;
	out->v = ARENA_ARRAY(ctx->arena, struct am_detail, node->n);
	for (size_t i = 0; i < node->n; i++)
		out->v[i] = (struct am_detail){node->keys[i]->text, node->items[i]};
}

/* "30s", in Go's dialect; a bare number is nanoseconds, as Go's YAML reads it. */
void am_decode_go_duration(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct slice text;
	struct err err;
	if (!config_decode_string(ctx, node, &text))
		return;
	bool is_number = text.len > 0;
	for (size_t i = 0; i < text.len; i++)
		is_number &= text.ptr[i] >= '0' && text.ptr[i] <= '9';
	struct slice full = is_number ? arena_printf(ctx->arena, "%" SL_FMT "ns", SL_ARG(text)) : text;
	if (go_duration_parse(full, field, &err))
		config_error(ctx, node, "%s (a number with ns, us, ms, s, m or h would be right)", err.msg);
}

/* --- checks ------------------------------------------------------------------------------------------------------ */
const struct yaml_node *am_place(const struct yaml_node *node, const char *key)
{
	const struct yaml_node *at = node && node->kind == YAML_MAP ? yaml_get(node, key) : NULL;
	return at ? at : node;
}

bool am_check_one(
    struct config_ctx *ctx, const struct yaml_node *node, const char *key, const struct am_secret *secret)
{
	if (secret->value.len == 0 || secret->file.len == 0)
		return true;
	config_error(ctx, am_place(node, key), "at most one of %s & %s_file must be configured", key, key);
	return false;
}

bool am_check_needed(
    struct config_ctx *ctx, const struct yaml_node *node, const char *key, const struct am_secret *secret)
{
	if (am_secret_is_set(secret))
		return am_check_one(ctx, node, key, secret);
	config_error(ctx, node, "one of %s or %s_file must be configured", key, key);
	return false;
}

void am_inherit_secret(struct config_ctx *ctx, const struct yaml_node *node, const struct am_secret *global,
    struct am_secret *own, const char *missing)
{
	if (am_secret_is_set(own))
		return;
	*own = *global;
	if (missing && !am_secret_is_set(own))
		config_error(ctx, node, "%s", missing);
}

void am_inherit_text(struct slice global, struct slice *own)
{
	if (own->len == 0)
		*own = global;
}

static bool has_action(struct slice s)
{
	for (size_t i = 0; i + 1 < s.len; i++)
		if (s.ptr[i] == '{' && s.ptr[i + 1] == '{')
			return true;
	return false;
}

void am_check_url(struct config_ctx *ctx, const struct yaml_node *node, const char *key, struct slice url)
{
	if (url.len == 0 || has_action(url) || slice_eq(url, SL("<secret>")))
		return;
	const struct yaml_node *at = am_place(node, key);
	size_t colon = slice_find(url, ':');
	struct slice scheme = slice_of(url.ptr, colon), rest = slice_from(url, colon);
	if (!slice_eq_nocase(scheme, SL("http")) && !slice_eq_nocase(scheme, SL("https")))
		config_error(ctx, at,
		    "unsupported scheme \"%" SL_FMT "\" for URL (http:// or https:// would be right)",
		    colon < url.len ? (int)scheme.len : 0, scheme.ptr);
	else if (!slice_starts(rest, SL("://")) || rest.len == 3 || rest.ptr[3] == '/')
		config_error(ctx, at, "missing host for URL");
}

struct slice am_with_slash(struct arena *arena, struct slice url)
{
	if (url.len == 0 || slice_ends(url, SL("/")))
		return url;
	return arena_printf(arena, "%" SL_FMT "/", SL_ARG(url));
}

/* --- global ------------------------------------------------------------------------------------------------------ */
#define GLOBAL_TEXT(member)        AM_TEXT_ROW(am_global, member)
#define GLOBAL_SECRET(key, member) AM_SECRET_ROWS(am_global, key, member)

static const struct config_field global_fields[] = {
    {"resolve_timeout", CONFIG_DURATION, offsetof(struct am_global, resolve_timeout_ms)},
    {"http_config", CONFIG_CUSTOM, offsetof(struct am_global, http), .decode = decode_http},
    GLOBAL_TEXT(smtp_from),
    GLOBAL_TEXT(smtp_smarthost),
    GLOBAL_TEXT(smtp_hello),
    GLOBAL_TEXT(smtp_auth_username),
    GLOBAL_TEXT(smtp_auth_identity),
    GLOBAL_SECRET("smtp_auth_password", smtp_auth_password),
    GLOBAL_SECRET("smtp_auth_secret", smtp_auth_secret),
    AM_BOOL_ROW(am_global, smtp_require_tls),
    {"smtp_tls_config", CONFIG_CUSTOM, offsetof(struct am_global, smtp_tls), .decode = am_decode_tls},
    {"smtp_force_implicit_tls", CONFIG_BOOL, offsetof(struct am_global, smtp_force_implicit_tls),
	.set_offset = offsetof(struct am_global, has_smtp_force_implicit_tls)},
    GLOBAL_SECRET("slack_api_url", slack_api_url),
    GLOBAL_SECRET("slack_app_token", slack_app_token),
    GLOBAL_TEXT(slack_app_url),
    GLOBAL_TEXT(pagerduty_url),
    GLOBAL_TEXT(opsgenie_api_url),
    GLOBAL_SECRET("opsgenie_api_key", opsgenie_api_key),
    GLOBAL_TEXT(wechat_api_url),
    GLOBAL_TEXT(wechat_api_corp_id),
    GLOBAL_SECRET("wechat_api_secret", wechat_api_secret),
    GLOBAL_TEXT(victorops_api_url),
    GLOBAL_SECRET("victorops_api_key", victorops_api_key),
    GLOBAL_TEXT(telegram_api_url),
    GLOBAL_SECRET("telegram_bot_token", telegram_bot_token),
    GLOBAL_TEXT(webex_api_url),
    GLOBAL_TEXT(rocketchat_api_url),
    GLOBAL_SECRET("rocketchat_token", rocketchat_token),
    GLOBAL_SECRET("rocketchat_token_id", rocketchat_token_id),
    GLOBAL_SECRET("mattermost_webhook_url", mattermost_webhook_url),
    GLOBAL_TEXT(jira_api_url),
};

static void global_defaults(struct am_global *g)
{
	*g = (struct am_global){
	    .resolve_timeout_ms = 5 * 60 * 1000,
	    .smtp_hello = SL("localhost"),
	    .smtp_require_tls = true,
	    .slack_app_url = SL("https://slack.com/api/chat.postMessage"),
	    .pagerduty_url = SL("https://events.pagerduty.com/v2/enqueue"),
	    .opsgenie_api_url = SL("https://api.opsgenie.com/"),
	    .wechat_api_url = SL("https://qyapi.weixin.qq.com/cgi-bin/"),
	    .victorops_api_url = SL("https://alert.victorops.com/integrations/generic/20131114/alert/"),
	    .telegram_api_url = SL("https://api.telegram.org"),
	    .webex_api_url = SL("https://webexapis.com/v1/messages"),
	    .rocketchat_api_url = SL("https://open.rocket.chat/"),
	};
}

static void check_global_pairs(
    struct config_ctx *ctx, const struct yaml_node *node, const struct am_global *g)
{
	const struct {
		const char *key;
		const struct am_secret *secret;
	} pairs[] = {
	    {"smtp_auth_password", &g->smtp_auth_password},
	    {"smtp_auth_secret", &g->smtp_auth_secret},
	    {"slack_api_url", &g->slack_api_url},
	    {"slack_app_token", &g->slack_app_token},
	    {"opsgenie_api_key", &g->opsgenie_api_key},
	    {"wechat_api_secret", &g->wechat_api_secret},
	    {"victorops_api_key", &g->victorops_api_key},
	    {"telegram_bot_token", &g->telegram_bot_token},
	    {"rocketchat_token", &g->rocketchat_token},
	    {"rocketchat_token_id", &g->rocketchat_token_id},
	    {"mattermost_webhook_url", &g->mattermost_webhook_url},
	};
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		am_check_one(ctx, node, pairs[i].key, pairs[i].secret);
	bool same_url = slice_eq(g->slack_api_url.value, g->slack_app_url);
	if (am_secret_is_set(&g->slack_app_token) && am_secret_is_set(&g->slack_api_url) && !same_url)
		config_error(ctx, am_place(node, "slack_app_token"),
		    "at most one of slack_app_token/slack_app_token_file & slack_api_url/slack_api_url_file "
		    "must be "
		    "configured");
}

static void check_global_urls(struct config_ctx *ctx, const struct yaml_node *node, struct am_global *g)
{
	am_check_url(ctx, node, "slack_api_url", g->slack_api_url.value);
	am_check_url(ctx, node, "slack_app_url", g->slack_app_url);
	am_check_url(ctx, node, "pagerduty_url", g->pagerduty_url);
	am_check_url(ctx, node, "opsgenie_api_url", g->opsgenie_api_url);
	am_check_url(ctx, node, "wechat_api_url", g->wechat_api_url);
	am_check_url(ctx, node, "victorops_api_url", g->victorops_api_url);
	am_check_url(ctx, node, "telegram_api_url", g->telegram_api_url);
	am_check_url(ctx, node, "webex_api_url", g->webex_api_url);
	am_check_url(ctx, node, "rocketchat_api_url", g->rocketchat_api_url);
	am_check_url(ctx, node, "mattermost_webhook_url", g->mattermost_webhook_url.value);
	am_check_url(ctx, node, "jira_api_url", g->jira_api_url);
	g->opsgenie_api_url = am_with_slash(ctx->arena, g->opsgenie_api_url);
	g->wechat_api_url = am_with_slash(ctx->arena, g->wechat_api_url);
	g->victorops_api_url = am_with_slash(ctx->arena, g->victorops_api_url);
}

void am_global_decode(struct config_ctx *ctx, const struct yaml_node *node, struct am_global *out)
{
	global_defaults(out);
	if (!node)
		return;
	config_decode(ctx, node, "config.plain", global_fields, ARRAY_LEN(global_fields), out);
	check_global_pairs(ctx, node, out);
	check_global_urls(ctx, node, out);
}

/* --- misplaced keys ---------------------------------------------------------------------------------------------- */
static const char *misplaced_hint(const struct receiver_kind *k, struct slice key)
{
	for (size_t i = 0; i < k->n_misplaced; i++)
		if (slice_eq_cstr(key, k->misplaced[i].key))
			return k->misplaced[i].hint;
	return NULL;
}

/* The block without keys that belong elsewhere: those are told with their right place, which the decoder's "unknown
 * field" could not say. */
static const struct yaml_node *tell_misplaced(
    struct config_ctx *ctx, const struct yaml_node *node, const struct receiver_kind *k)
{
	if (node->kind != YAML_MAP || k->n_misplaced == 0)
		return node;
	struct yaml_node *rest = ARENA_NEW(ctx->arena, struct yaml_node);
	*rest = *node;
	rest->keys = ARENA_ARRAY(ctx->arena, struct yaml_node *, node->n);
	rest->items = ARENA_ARRAY(ctx->arena, struct yaml_node *, node->n);
	rest->n = 0;
	for (size_t i = 0; i < node->n; i++) {
		const char *hint = misplaced_hint(k, node->keys[i]->text);
		if (hint) {
			config_error(ctx, node->keys[i], "field %" SL_FMT " not found in type %s (%s)",
			    SL_ARG(node->keys[i]->text), k->type_name, hint);
			continue;
		}
		rest->keys[rest->n] = node->keys[i];
		rest->items[rest->n++] = node->items[i];
	}
	return rest;
}

/* --- blocks ------------------------------------------------------------------------------------------------------ */
void am_integration_decode(struct config_ctx *ctx, const struct yaml_node *node,
    const struct am_global *global, enum am_kind kind, struct am_integration *out)
{
	const struct receiver_kind *k = kinds[kind];
	struct am_common *common = arena_zalloc(ctx->arena, k->bytes);
	common->send_resolved = k->send_resolved;
	k->set_defaults(common);
	node = tell_misplaced(ctx, node, k);
	config_decode(ctx, node, k->type_name, k->fields, k->n_fields, common);
	k->finish(ctx, node, global, common);
	if (!common->http)
		common->http = global->http;
	out->kind = kind;
	out->send_resolved = common->send_resolved;
	out->http = common->http;
	out->line = node->line;
	out->column = node->column;
	out->block = common;
}
