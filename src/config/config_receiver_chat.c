/* Receivers that write into a conversation: Slack and its likes, and the chat webhooks. */
#include "config/config_http.h"
#include "config/config_receiver_priv.h"

/* A default that is a call of a default template. */
#define CALL(name) SL("{{ template \"" name "\" . }}")

/* --- fields of messages ------------------------------------------------------------------------------------------ */
VEC_DEFINE(field_vec, struct am_field);

static const struct config_field message_field_fields[] = {
    AM_TEXT_ROW(am_field, title),
    AM_TEXT_ROW(am_field, value),
    {"short", CONFIG_BOOL, offsetof(struct am_field, is_short)},
};

struct message_fields {
	const char *product; /* for errors */
	struct field_vec vec;
};

static void add_message_field(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	struct message_fields *list = arg;
	struct am_field f = {0};
	if (!config_decode(
		ctx, item, "config.Field", message_field_fields, ARRAY_LEN(message_field_fields), &f))
		return;
	if (f.title.len == 0)
		config_error(ctx, item, "missing title in %s field configuration", list->product);
	if (f.value.len == 0)
		config_error(ctx, item, "missing value in %s field configuration", list->product);
	field_vec_push(&list->vec, f);
}

static void decode_message_fields(
    struct config_ctx *ctx, const struct yaml_node *node, const char *product, struct am_fields *out)
{
	struct message_fields list = {.product = product};
	config_decode_list(ctx, node, "fields", add_message_field, &list);
	out->n = list.vec.len;
	out->v = ARENA_ARRAY(ctx->arena, struct am_field, list.vec.len);
	if (list.vec.len > 0)
		memcpy(out->v, list.vec.v, list.vec.len * sizeof(*out->v));
	field_vec_done(&list.vec);
}

/* Fields without `short` take the message's own; the decoder cannot tell "false" from "not given", so the list is
 * looked at again. */
static void apply_short_fields(const struct yaml_node *node, bool short_fields, struct am_fields *fields)
{
	const struct yaml_node *list = yaml_get(node, "fields");
	for (size_t i = 0; short_fields && list && list->kind == YAML_LIST && i < fields->n && i < list->n;
	     i++)
		if (list->items[i]->kind == YAML_MAP && !yaml_get(list->items[i], "short"))
			fields->v[i].is_short = true;
}

/* --- slack ------------------------------------------------------------------------------------------------------- */
static void decode_slack_fields(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	decode_message_fields(ctx, node, "Slack", field);
}

#define CONFIRM_ROW(key, member)                                                                             \
	{                                                                                                    \
		key, CONFIG_STRING, offsetof(struct am_slack_action, member)                                 \
	}

static const struct config_field slack_confirm_fields[] = {
    CONFIRM_ROW("title", confirm_title),
    CONFIRM_ROW("text", confirm_text),
    CONFIRM_ROW("ok_text", confirm_ok),
    CONFIRM_ROW("dismiss_text", confirm_dismiss),
};

/* The members stand in the action itself; `field` is the first of them. */
static void decode_slack_confirm(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct am_slack_action *a = CONTAINER_OF(field, struct am_slack_action, confirm_title);
	config_decode(ctx, node, "config.SlackConfirmationField", slack_confirm_fields,
	    ARRAY_LEN(slack_confirm_fields), a);
	if (a->confirm_text.len == 0)
		config_error(ctx, node, "missing text in Slack confirmation configuration");
	a->has_confirm = true;
}

static const struct config_field slack_action_fields[] = {
    AM_TEXT_ROW(am_slack_action, type),
    AM_TEXT_ROW(am_slack_action, text),
    AM_TEXT_ROW(am_slack_action, url),
    AM_TEXT_ROW(am_slack_action, style),
    AM_TEXT_ROW(am_slack_action, name),
    AM_TEXT_ROW(am_slack_action, value),
    {"confirm", CONFIG_CUSTOM, offsetof(struct am_slack_action, confirm_title),
	.decode = decode_slack_confirm},
};

VEC_DEFINE(slack_action_vec, struct am_slack_action);

static void add_slack_action(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	struct am_slack_action a = {0};
	config_decode(
	    ctx, item, "config.SlackAction", slack_action_fields, ARRAY_LEN(slack_action_fields), &a);
	if (a.type.len == 0)
		config_error(ctx, item, "missing type in Slack action configuration");
	if (a.text.len == 0)
		config_error(ctx, item, "missing text in Slack action configuration");
	if (a.url.len == 0 && a.name.len == 0)
		config_error(ctx, item, "missing name or url in Slack action configuration");
	if (a.url.len > 0) {
		a.name = a.value = SL_EMPTY; /* a link has none of them */
		a.has_confirm = false;
	}
	slack_action_vec_push(arg, a);
}

static void decode_slack_actions(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct am_slack *s = CONTAINER_OF(field, struct am_slack, actions);
	struct slack_action_vec vec = {0};
	config_decode_list(ctx, node, "actions", add_slack_action, &vec);
	s->n_actions = vec.len;
	s->actions = ARENA_ARRAY(ctx->arena, struct am_slack_action, vec.len);
	if (vec.len > 0)
		memcpy(s->actions, vec.v, vec.len * sizeof(*vec.v));
	slack_action_vec_done(&vec);
}

static const struct config_field slack_fields[] = {
    AM_COMMON_ROW,
    AM_SECRET_ROWS(am_slack, "api_url", api_url),
    AM_SECRET_ROWS(am_slack, "app_token", app_token),
    AM_TEXT_ROW(am_slack, app_url),
    AM_TEXT_ROW(am_slack, channel),
    AM_TEXT_ROW(am_slack, username),
    AM_TEXT_ROW(am_slack, color),
    AM_TEXT_ROW(am_slack, title),
    AM_TEXT_ROW(am_slack, title_link),
    AM_TEXT_ROW(am_slack, pretext),
    AM_TEXT_ROW(am_slack, text),
    AM_TEXT_ROW(am_slack, message_text),
    AM_TEXT_ROW(am_slack, fallback),
    AM_TEXT_ROW(am_slack, callback_id),
    AM_TEXT_ROW(am_slack, footer),
    AM_TEXT_ROW(am_slack, icon_emoji),
    AM_TEXT_ROW(am_slack, icon_url),
    AM_TEXT_ROW(am_slack, image_url),
    AM_TEXT_ROW(am_slack, thumb_url),
    {"fields", CONFIG_CUSTOM, offsetof(struct am_slack, fields), .decode = decode_slack_fields},
    {"actions", CONFIG_CUSTOM, offsetof(struct am_slack, actions), .decode = decode_slack_actions},
    AM_BOOL_ROW(am_slack, short_fields),
    AM_BOOL_ROW(am_slack, link_names),
    AM_BOOL_ROW(am_slack, update_message),
    {"mrkdwn_in", CONFIG_STRING_LIST, offsetof(struct am_slack, mrkdwn_in)},
    {"timeout", CONFIG_CUSTOM, offsetof(struct am_slack, timeout_ns), .decode = am_decode_go_duration},
};

static void slack_defaults(void *block)
{
	struct am_slack *s = block;
	s->color = SL("{{ if eq .Status \"firing\" }}danger{{ else }}good{{ end }}");
	s->username = CALL("slack.default.username");
	s->title = CALL("slack.default.title");
	s->title_link = CALL("slack.default.titlelink");
	s->icon_emoji = CALL("slack.default.iconemoji");
	s->icon_url = CALL("slack.default.iconurl");
	s->pretext = CALL("slack.default.pretext");
	s->text = CALL("slack.default.text");
	s->fallback = CALL("slack.default.fallback");
	s->callback_id = CALL("slack.default.callbackid");
	s->footer = CALL("slack.default.footer");
}

/* A receiver has one way to reach Slack: a webhook, or a bot's token; the global ones fill in when it has none. */
static void slack_finish(
    struct config_ctx *ctx, const struct yaml_node *node, const struct am_global *g, void *block)
{
	struct am_slack *s = block;
	am_check_one(ctx, node, "api_url", &s->api_url);
	am_check_one(ctx, node, "app_token", &s->app_token);
	if (am_secret_is_set(&s->app_token) && am_secret_is_set(&s->api_url))
		config_error(ctx, am_place(node, "app_token"),
		    "at most one of app_token/app_token_file & api_url/api_url_file must be configured");
	if (s->update_message && !slice_eq(s->api_url.value, SL("https://slack.com/api/chat.postMessage")))
		config_error(ctx, am_place(node, "update_message"),
		    "update_message needs api_url to be https://slack.com/api/chat.postMessage");
	am_check_url(ctx, node, "api_url", s->api_url.value);
	am_check_url(ctx, node, "app_url", s->app_url);
	am_inherit_text(g->slack_app_url, &s->app_url);
	bool has_own_auth = s->common.http && s->common.http->authorization.is_set;
	if (!am_secret_is_set(&s->api_url) && !am_secret_is_set(&s->app_token) && !has_own_auth)
		s->app_token = g->slack_app_token;
	if (!am_secret_is_set(&s->api_url) && !am_secret_is_set(&s->app_token))
		am_inherit_secret(ctx, node, &g->slack_api_url, &s->api_url,
		    "no Slack API URL nor App token set either inline or in a file");
	apply_short_fields(node, s->short_fields, &s->fields);
}

AM_KIND(slack, slack, "slack.plain", false);

/* --- mattermost -------------------------------------------------------------------------------------------------- */
static void decode_mattermost_fields(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	decode_message_fields(ctx, node, "Mattermost", field);
}

#define ATTACHMENT_ROWS(type, at)                                                                            \
	{"fallback", CONFIG_STRING, offsetof(struct type, at fallback)},                                     \
	    {"color", CONFIG_STRING, offsetof(struct type, at color)},                                       \
	    {"pretext", CONFIG_STRING, offsetof(struct type, at pretext)},                                   \
	    {"text", CONFIG_STRING, offsetof(struct type, at text)},                                         \
	    {"author_name", CONFIG_STRING, offsetof(struct type, at author_name)},                           \
	    {"author_link", CONFIG_STRING, offsetof(struct type, at author_link)},                           \
	    {"author_icon", CONFIG_STRING, offsetof(struct type, at author_icon)},                           \
	    {"title", CONFIG_STRING, offsetof(struct type, at title)},                                       \
	    {"title_link", CONFIG_STRING, offsetof(struct type, at title_link)},                             \
	    {"thumb_url", CONFIG_STRING, offsetof(struct type, at thumb_url)},                               \
	    {"footer", CONFIG_STRING, offsetof(struct type, at footer)},                                     \
	    {"footer_icon", CONFIG_STRING, offsetof(struct type, at footer_icon)},                           \
	    {"image_url", CONFIG_STRING, offsetof(struct type, at image_url)},                               \
	{                                                                                                    \
		"fields", CONFIG_CUSTOM, offsetof(struct type, at fields),                                   \
		    .decode = decode_mattermost_fields                                                       \
	}

static const struct config_field attachment_fields[] = {ATTACHMENT_ROWS(am_mattermost_attachment, )};

VEC_DEFINE(attachment_vec, struct am_mattermost_attachment);

static void add_attachment(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	struct am_mattermost_attachment a = {0};
	config_decode(
	    ctx, item, "config.MattermostAttachment", attachment_fields, ARRAY_LEN(attachment_fields), &a);
	attachment_vec_push(arg, a);
}

static void decode_attachments(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct am_mattermost *m = CONTAINER_OF(field, struct am_mattermost, attachments);
	struct attachment_vec vec = {0};
	config_decode_list(ctx, node, "attachments", add_attachment, &vec);
	m->n_attachments = vec.len;
	m->attachments = ARENA_ARRAY(ctx->arena, struct am_mattermost_attachment, vec.len);
	if (vec.len > 0)
		memcpy(m->attachments, vec.v, vec.len * sizeof(*vec.v));
	attachment_vec_done(&vec);
}

static const struct config_field props_fields[] = {
    {"card", CONFIG_STRING, 0},
};

static void decode_props(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	config_decode(ctx, node, "config.MattermostProps", props_fields, ARRAY_LEN(props_fields), field);
}

static const struct config_field priority_fields[] = {
    AM_TEXT_ROW(am_mattermost, priority),
    AM_BOOL_ROW(am_mattermost, requested_ack),
    AM_BOOL_ROW(am_mattermost, persistent_notifications),
};

static void decode_priority(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct am_mattermost *m = CONTAINER_OF(field, struct am_mattermost, priority);
	config_decode(ctx, node, "config.MattermostPriority", priority_fields, ARRAY_LEN(priority_fields), m);
	m->has_priority = true;
}

static const struct config_field mattermost_fields[] = {
    AM_COMMON_ROW,
    AM_SECRET_ROWS(am_mattermost, "webhook_url", webhook_url),
    AM_TEXT_ROW(am_mattermost, channel),
    AM_TEXT_ROW(am_mattermost, username),
    AM_TEXT_ROW(am_mattermost, icon_url),
    AM_TEXT_ROW(am_mattermost, icon_emoji),
    AM_TEXT_ROW(am_mattermost, type),
    ATTACHMENT_ROWS(am_mattermost, own.),
    {"attachments", CONFIG_CUSTOM, offsetof(struct am_mattermost, attachments), .decode = decode_attachments},
    {"props", CONFIG_CUSTOM, offsetof(struct am_mattermost, props_card), .decode = decode_props},
    {"priority", CONFIG_CUSTOM, offsetof(struct am_mattermost, priority), .decode = decode_priority},
};

static void mattermost_defaults(void *block)
{
	struct am_mattermost *m = block;
	m->username = CALL("mattermost.default.username");
	m->own.color = CALL("mattermost.default.color");
	m->own.text = CALL("mattermost.default.text");
	m->own.title = CALL("mattermost.default.title");
	m->own.title_link = CALL("mattermost.default.titlelink");
	m->own.fallback = CALL("mattermost.default.fallback");
}

static void mattermost_finish(
    struct config_ctx *ctx, const struct yaml_node *node, const struct am_global *g, void *block)
{
	struct am_mattermost *m = block;
	am_check_one(ctx, node, "webhook_url", &m->webhook_url);
	am_check_url(ctx, node, "webhook_url", m->webhook_url.value);
	am_inherit_secret(ctx, node, &g->mattermost_webhook_url, &m->webhook_url,
	    "no global Mattermost Webhook URL set either inline or in a file");
}

AM_KIND(mattermost, mattermost, "mattermost.plain", true);

/* --- rocketchat -------------------------------------------------------------------------------------------------- */
static void decode_rocketchat_fields(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	decode_message_fields(ctx, node, "Rocketchat", field);
}

static const struct config_field rocketchat_action_fields[] = {
    AM_TEXT_ROW(am_rocketchat_action, text),
    AM_TEXT_ROW(am_rocketchat_action, url),
    AM_TEXT_ROW(am_rocketchat_action, msg),
};

VEC_DEFINE(rocketchat_action_vec, struct am_rocketchat_action);

static void add_rocketchat_action(struct config_ctx *ctx, const struct yaml_node *item, void *arg)
{
	struct am_rocketchat_action a = {0};
	config_decode(ctx, item, "config.RocketchatAttachmentAction", rocketchat_action_fields,
	    ARRAY_LEN(rocketchat_action_fields), &a);
	rocketchat_action_vec_push(arg, a);
}

static void decode_rocketchat_actions(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct am_rocketchat *r = CONTAINER_OF(field, struct am_rocketchat, actions);
	struct rocketchat_action_vec vec = {0};
	config_decode_list(ctx, node, "actions", add_rocketchat_action, &vec);
	r->n_actions = vec.len;
	r->actions = ARENA_ARRAY(ctx->arena, struct am_rocketchat_action, vec.len);
	if (vec.len > 0)
		memcpy(r->actions, vec.v, vec.len * sizeof(*vec.v));
	rocketchat_action_vec_done(&vec);
}

static const struct config_field rocketchat_fields[] = {
    AM_COMMON_ROW,
    AM_TEXT_ROW(am_rocketchat, api_url),
    AM_SECRET_ROWS(am_rocketchat, "token", token),
    AM_SECRET_ROWS(am_rocketchat, "token_id", token_id),
    AM_TEXT_ROW(am_rocketchat, channel),
    AM_TEXT_ROW(am_rocketchat, color),
    AM_TEXT_ROW(am_rocketchat, title),
    AM_TEXT_ROW(am_rocketchat, title_link),
    AM_TEXT_ROW(am_rocketchat, text),
    AM_TEXT_ROW(am_rocketchat, emoji),
    AM_TEXT_ROW(am_rocketchat, icon_url),
    AM_TEXT_ROW(am_rocketchat, image_url),
    AM_TEXT_ROW(am_rocketchat, thumb_url),
    {"fields", CONFIG_CUSTOM, offsetof(struct am_rocketchat, fields), .decode = decode_rocketchat_fields},
    {"actions", CONFIG_CUSTOM, offsetof(struct am_rocketchat, actions), .decode = decode_rocketchat_actions},
    AM_BOOL_ROW(am_rocketchat, short_fields),
    AM_BOOL_ROW(am_rocketchat, link_names),
};

static void rocketchat_defaults(void *block)
{
	struct am_rocketchat *r = block;
	r->color = SL("{{ if eq .Status \"firing\" }}red{{ else }}green{{ end }}");
	r->title = CALL("rocketchat.default.title");
	r->title_link = CALL("rocketchat.default.titlelink");
	r->text = CALL("rocketchat.default.text");
	r->emoji = CALL("rocketchat.default.emoji");
	r->icon_url = CALL("rocketchat.default.iconurl");
}

/* Each member of a pair comes from global by itself, as in Alertmanager; the inline value wins at the sending. */
static void rocketchat_finish(
    struct config_ctx *ctx, const struct yaml_node *node, const struct am_global *g, void *block)
{
	struct am_rocketchat *r = block;
	am_check_one(ctx, node, "token", &r->token);
	am_check_one(ctx, node, "token_id", &r->token_id);
	am_check_url(ctx, node, "api_url", r->api_url);
	am_inherit_text(g->rocketchat_api_url, &r->api_url);
	am_inherit_text(g->rocketchat_token.value, &r->token.value);
	am_inherit_text(g->rocketchat_token.file, &r->token.file);
	am_inherit_text(g->rocketchat_token_id.value, &r->token_id.value);
	am_inherit_text(g->rocketchat_token_id.file, &r->token_id.file);
	if (!am_secret_is_set(&r->token))
		config_error(ctx, node, "no global Rocketchat Token set either inline or in a file");
	if (!am_secret_is_set(&r->token_id))
		config_error(ctx, node, "no global Rocketchat TokenID set either inline or in a file");
	apply_short_fields(node, r->short_fields, &r->fields);
}

AM_KIND(rocketchat, rocketchat, "rocketchat.plain", false);

/* --- chat webhooks ----------------------------------------------------------------------------------------------- */
static const struct config_field discord_fields[] = {
    AM_COMMON_ROW,
    AM_SECRET_ROWS(am_discord, "webhook_url", webhook_url),
    AM_TEXT_ROW(am_discord, title),
    AM_TEXT_ROW(am_discord, message),
    AM_TEXT_ROW(am_discord, content),
    AM_TEXT_ROW(am_discord, username),
    AM_TEXT_ROW(am_discord, avatar_url),
};

static void discord_defaults(void *block)
{
	struct am_discord *d = block;
	d->title = CALL("discord.default.title");
	d->message = CALL("discord.default.message");
}

static void discord_finish(
    struct config_ctx *ctx, const struct yaml_node *node, const struct am_global *g, void *block)
{
	(void)g;
	struct am_discord *d = block;
	am_check_needed(ctx, node, "webhook_url", &d->webhook_url);
	am_check_url(ctx, node, "webhook_url", d->webhook_url.value);
}

AM_KIND(discord, discord, "discord.plain", true);

static const struct config_field msteams_fields[] = {
    AM_COMMON_ROW,
    AM_SECRET_ROWS(am_msteams, "webhook_url", webhook_url),
    AM_TEXT_ROW(am_msteams, title),
    AM_TEXT_ROW(am_msteams, summary),
    AM_TEXT_ROW(am_msteams, text),
};

static void msteams_defaults(void *block)
{
	struct am_msteams *m = block;
	m->title = CALL("msteams.default.title");
	m->summary = CALL("msteams.default.summary");
	m->text = CALL("msteams.default.text");
}

static void msteams_finish(
    struct config_ctx *ctx, const struct yaml_node *node, const struct am_global *g, void *block)
{
	(void)g;
	struct am_msteams *m = block;
	am_check_needed(ctx, node, "webhook_url", &m->webhook_url);
	am_check_url(ctx, node, "webhook_url", m->webhook_url.value);
}

AM_KIND(msteams, msteams, "msteams.plain", true);

static void msteamsv2_defaults(void *block)
{
	struct am_msteams *m = block;
	m->title = CALL("msteamsv2.default.title");
	m->text = CALL("msteamsv2.default.text");
}

/* The one kind whose own http_config takes the global proxy. */
static void msteamsv2_finish(
    struct config_ctx *ctx, const struct yaml_node *node, const struct am_global *g, void *block)
{
	struct am_msteams *m = block;
	msteams_finish(ctx, node, g, block);
	if (!m->common.http || !g->http || m->common.http->proxy.proxy_url.len > 0)
		return;
	struct config_http *http = ARENA_NEW(ctx->arena, struct config_http);
	*http = *m->common.http;
	http->proxy.proxy_url = g->http->proxy.proxy_url;
	m->common.http = http;
}

/* Without a summary; the struct is shared. */
static const struct config_field msteamsv2_fields[] = {
    AM_COMMON_ROW,
    AM_SECRET_ROWS(am_msteams, "webhook_url", webhook_url),
    AM_TEXT_ROW(am_msteams, title),
    AM_TEXT_ROW(am_msteams, text),
};
const struct receiver_kind receiver_kind_msteamsv2 = {"msteamsv2", "msteamsv2.plain",
    sizeof(struct am_msteams), msteamsv2_fields, ARRAY_LEN(msteamsv2_fields), true, msteamsv2_defaults,
    msteamsv2_finish, NULL, 0};

static const struct config_field webex_fields[] = {
    AM_COMMON_ROW,
    AM_TEXT_ROW(am_webex, api_url),
    AM_TEXT_ROW(am_webex, room_id),
    AM_TEXT_ROW(am_webex, message),
};

static void webex_defaults(void *block)
{
	struct am_webex *w = block;
	w->message = CALL("webex.default.message");
}

static void webex_finish(
    struct config_ctx *ctx, const struct yaml_node *node, const struct am_global *g, void *block)
{
	struct am_webex *w = block;
	if (w->room_id.len == 0)
		config_error(ctx, am_place(node, "room_id"), "missing room_id on webex_config");
	if (!w->common.http || !w->common.http->authorization.is_set)
		config_error(
		    ctx, am_place(node, "http_config"), "missing webex_configs.http_config.authorization");
	am_check_url(ctx, node, "api_url", w->api_url);
	am_inherit_text(g->webex_api_url, &w->api_url);
}

AM_KIND(webex, webex, "webex.plain", true);

/* --- telegram ---------------------------------------------------------------------------------------------------- */
static const struct config_field telegram_fields[] = {
    AM_COMMON_ROW,
    AM_TEXT_ROW(am_telegram, api_url),
    AM_SECRET_ROWS(am_telegram, "bot_token", bot_token),
    {"chat_id", CONFIG_INT, offsetof(struct am_telegram, chat_id)},
    AM_TEXT_ROW(am_telegram, chat_id_file),
    {"message_thread_id", CONFIG_INT, offsetof(struct am_telegram, message_thread_id)},
    AM_TEXT_ROW(am_telegram, message),
    AM_TEXT_ROW(am_telegram, parse_mode),
    AM_BOOL_ROW(am_telegram, disable_notifications),
};

static void telegram_defaults(void *block)
{
	struct am_telegram *t = block;
	t->message = CALL("telegram.default.message");
	t->parse_mode = SL("HTML");
}

static void telegram_finish(
    struct config_ctx *ctx, const struct yaml_node *node, const struct am_global *g, void *block)
{
	struct am_telegram *t = block;
	am_check_one(ctx, node, "bot_token", &t->bot_token);
	if (t->chat_id == 0 && t->chat_id_file.len == 0)
		config_error(ctx, node, "missing chat_id or chat_id_file on telegram_config");
	if (t->chat_id != 0 && t->chat_id_file.len > 0)
		config_error(ctx, am_place(node, "chat_id_file"),
		    "at most one of chat_id & chat_id_file must be configured");
	bool known = t->parse_mode.len == 0 || slice_eq(t->parse_mode, SL("Markdown")) ||
		     slice_eq(t->parse_mode, SL("MarkdownV2")) || slice_eq(t->parse_mode, SL("HTML"));
	if (!known)
		config_error(ctx, am_place(node, "parse_mode"),
		    "unknown parse_mode on telegram_config, must be Markdown, MarkdownV2, HTML or empty "
		    "string");
	am_check_url(ctx, node, "api_url", t->api_url);
	am_inherit_text(g->telegram_api_url, &t->api_url);
	am_inherit_secret(
	    ctx, node, &g->telegram_bot_token, &t->bot_token, "missing bot_token on telegram_config");
}

AM_KIND(telegram, telegram, "telegram.plain", true);

/* --- wechat ------------------------------------------------------------------------------------------------------ */
static const struct config_field wechat_fields[] = {
    AM_COMMON_ROW,
    AM_SECRET_ROWS(am_wechat, "api_secret", api_secret),
    AM_TEXT_ROW(am_wechat, corp_id),
    AM_TEXT_ROW(am_wechat, api_url),
    AM_TEXT_ROW(am_wechat, agent_id),
    AM_TEXT_ROW(am_wechat, to_user),
    AM_TEXT_ROW(am_wechat, to_party),
    AM_TEXT_ROW(am_wechat, to_tag),
    AM_TEXT_ROW(am_wechat, message),
    AM_TEXT_ROW(am_wechat, message_type),
};

static void wechat_defaults(void *block)
{
	struct am_wechat *w = block;
	w->message = CALL("wechat.default.message");
	w->to_user = CALL("wechat.default.to_user");
	w->to_party = CALL("wechat.default.to_party");
	w->to_tag = CALL("wechat.default.to_tag");
	w->agent_id = CALL("wechat.default.agent_id");
	w->message_type = SL("text");
}

static void wechat_finish(
    struct config_ctx *ctx, const struct yaml_node *node, const struct am_global *g, void *block)
{
	struct am_wechat *w = block;
	if (!slice_eq(w->message_type, SL("text")) && !slice_eq(w->message_type, SL("markdown")))
		config_error(ctx, am_place(node, "message_type"),
		    "weChat message type \"%" SL_FMT "\" does not match valid options text|markdown",
		    SL_ARG(w->message_type));
	am_check_one(ctx, node, "api_secret", &w->api_secret);
	am_check_url(ctx, node, "api_url", w->api_url);
	am_inherit_secret(ctx, node, &g->wechat_api_secret, &w->api_secret,
	    "no global Wechat Api Secret set either inline or in a file");
	am_inherit_text(g->wechat_api_corp_id, &w->corp_id);
	if (w->corp_id.len == 0)
		config_error(ctx, node, "no global Wechat CorpID set");
	am_inherit_text(g->wechat_api_url, &w->api_url);
	w->api_url = am_with_slash(ctx->arena, w->api_url);
}

AM_KIND(wechat, wechat, "wechat.plain", false);
