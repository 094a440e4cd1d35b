/* The receivers of alertmanager.yml: one struct for each of the eighteen kinds, and `global`, from which they
 * inherit. Decoding fills defaults and takes over what is inherited, so a sender looks at its own struct
 * only.
 *
 * Text fields are templates unless said otherwise; a default that is a template call stands there as its
 * text. Fields of type `secret` are ordinary slices that no message or page may show. */
#pragma once

#include "config/decode.h"
#include <stdbool.h>
#include <stdint.h>

struct config_http; /* config/config_http.h */
struct config_tls;

enum am_kind {
	AM_WEBHOOK,
	AM_EMAIL,
	AM_PAGERDUTY,
	AM_OPSGENIE,
	AM_WECHAT,
	AM_SLACK,
	AM_VICTOROPS,
	AM_PUSHOVER,
	AM_SNS,
	AM_TELEGRAM,
	AM_DISCORD,
	AM_WEBEX,
	AM_MSTEAMS,
	AM_MSTEAMSV2,
	AM_JIRA,
	AM_INCIDENTIO,
	AM_ROCKETCHAT,
	AM_MATTERMOST,
	AM_KINDS,
};

/* A secret given inline or by a file that is read at each delivery; a path is as written, not rebased. */
struct am_secret {
	struct slice value, file;
};

struct am_global {
	int64_t resolve_timeout_ms;
	const struct config_http *http;
	struct slice smtp_from, smtp_smarthost, smtp_hello, smtp_auth_username, smtp_auth_identity;
	struct am_secret smtp_auth_password, smtp_auth_secret;
	bool smtp_require_tls;
	const struct config_tls *smtp_tls;
	bool smtp_force_implicit_tls, has_smtp_force_implicit_tls;
	struct am_secret slack_api_url, slack_app_token;
	struct slice slack_app_url;
	struct slice pagerduty_url;
	struct slice opsgenie_api_url;
	struct am_secret opsgenie_api_key;
	struct slice wechat_api_url, wechat_api_corp_id;
	struct am_secret wechat_api_secret;
	struct slice victorops_api_url;
	struct am_secret victorops_api_key;
	struct slice telegram_api_url;
	struct am_secret telegram_bot_token;
	struct slice webex_api_url;
	struct slice rocketchat_api_url;
	struct am_secret rocketchat_token, rocketchat_token_id;
	struct am_secret mattermost_webhook_url;
	struct slice jira_api_url;
};

/* What every block has: its first member. */
struct am_common {
	bool send_resolved;
	const struct config_http *http; /* own, else the global one; NULL: defaults */
};

struct am_webhook {
	struct am_common common;
	struct am_secret url;
	uint64_t max_alerts;             /* 0: all */
	int64_t timeout_ns;              /* 0: the flush's deadline only */
	const struct yaml_node *payload; /* NULL: the standard body */
};

struct am_email {
	struct am_common common;
	struct slice to, from, smarthost_host, smarthost_port, hello;
	struct slice auth_username, auth_identity;
	struct am_secret auth_password, auth_secret;
	bool require_tls, has_require_tls;
	const struct config_tls *tls;
	bool force_implicit_tls, has_force_implicit_tls;
	struct slice html, text;
	struct config_pairs headers; /* names canonical; Subject, To and From always there */
	bool is_threaded, is_threaded_daily;
};

struct am_link {
	struct slice href, text, src, alt;
};
struct am_links {
	struct am_link *v;
	size_t n;
};

struct am_detail {
	struct slice name;
	const struct yaml_node *value;
};
struct am_details {
	struct am_detail *v;
	size_t n;
};

struct am_pagerduty {
	struct am_common common;
	struct am_secret routing_key, service_key;
	struct slice url, client, client_url, description, severity, source, class, component, group;
	struct am_details details;
	struct am_links images, links;
	int64_t timeout_ns;
};

struct am_responder {
	struct slice id, name, username, type;
};

struct am_opsgenie {
	struct am_common common;
	struct am_secret api_key;
	struct slice api_url, message, description, source, entity, note, priority, tags, actions;
	struct config_pairs details;
	struct am_responder *responders;
	size_t n_responders;
	bool update_alerts;
};

struct am_wechat {
	struct am_common common;
	struct am_secret api_secret;
	struct slice corp_id, api_url, agent_id, to_user, to_party, to_tag, message, message_type;
};

/* Fields of a chat message: slack, mattermost, rocketchat. */
struct am_field {
	struct slice title, value;
	bool is_short;
};
struct am_fields {
	struct am_field *v;
	size_t n;
};

struct am_slack_action {
	struct slice type, text, url, style, name, value;
	struct slice confirm_title, confirm_text, confirm_ok, confirm_dismiss;
	bool has_confirm;
};

struct am_slack {
	struct am_common common;
	struct am_secret api_url, app_token;
	struct slice app_url, channel, username, color, title, title_link, pretext, text, message_text,
	    fallback;
	struct slice callback_id, footer, icon_emoji, icon_url, image_url, thumb_url;
	struct am_fields fields;
	struct am_slack_action *actions;
	size_t n_actions;
	bool short_fields, link_names, update_message;
	struct config_strings mrkdwn_in;
	int64_t timeout_ns;
};

struct am_victorops {
	struct am_common common;
	struct am_secret api_key;
	struct slice api_url, routing_key, message_type, state_message, entity_display_name, monitoring_tool;
	struct config_pairs custom_fields;
};

struct am_pushover {
	struct am_common common;
	struct am_secret user_key, token;
	struct slice title, message, url, url_title, device, sound, priority;
	int64_t retry_ns, expire_ns, ttl_ns;
	bool html, monospace;
};

struct am_sns {
	struct am_common common;
	struct slice region, access_key, secret_key, profile, role_arn, external_id, service_name;
	bool use_fips_sts_endpoint, use_aws_http_client;
	struct slice api_url, topic_arn, phone_number, target_arn, subject, message;
	struct config_pairs attributes;
};

struct am_telegram {
	struct am_common common;
	struct slice api_url;
	struct am_secret bot_token;
	int64_t chat_id, message_thread_id;
	struct slice chat_id_file; /* used when chat_id is 0 */
	struct slice message, parse_mode;
	bool disable_notifications;
};

struct am_discord {
	struct am_common common;
	struct am_secret webhook_url;
	struct slice title, message, content, username, avatar_url;
};

struct am_webex {
	struct am_common common;
	struct slice api_url, room_id, message;
};

/* msteams_configs and msteamsv2_configs. */
struct am_msteams {
	struct am_common common;
	struct am_secret webhook_url;
	struct slice title, summary, text;
};

struct am_jira {
	struct am_common common;
	struct slice api_url, api_type, project, issue_type, priority;
	struct slice summary, description;
	bool update_summary, update_description;
	struct config_strings labels;
	struct am_details fields;
	struct slice reopen_transition, resolve_transition, wont_fix_resolution;
	int64_t reopen_duration_ms;
};

struct am_incidentio {
	struct am_common common;
	struct am_secret url, alert_source_token;
	uint64_t max_alerts;
	int64_t timeout_ns;
};

struct am_rocketchat_action {
	struct slice text, url, msg;
};

struct am_rocketchat {
	struct am_common common;
	struct slice api_url;
	struct am_secret token, token_id;
	struct slice channel, color, title, title_link, text, emoji, icon_url, image_url, thumb_url;
	struct am_fields fields;
	struct am_rocketchat_action *actions;
	size_t n_actions;
	bool short_fields, link_names;
};

struct am_mattermost_attachment {
	struct slice fallback, color, pretext, text, author_name, author_link, author_icon, title, title_link;
	struct slice thumb_url, footer, footer_icon, image_url;
	struct am_fields fields;
};

struct am_mattermost {
	struct am_common common;
	struct am_secret webhook_url;
	struct slice channel, username, icon_url, icon_emoji, type;
	struct am_mattermost_attachment own; /* the message's own, used when there are no attachments */
	struct am_mattermost_attachment *attachments;
	size_t n_attachments;
	struct slice props_card, priority;
	bool requested_ack, persistent_notifications, has_priority;
};

/* One block of one of the lists of a receiver. */
struct am_integration {
	enum am_kind kind;
	uint32_t index; /* in the list of its kind */
	bool send_resolved;
	const struct config_http *http; /* the block's own, else the global one; NULL: defaults */
	uint32_t line, column;
	union {
		const struct am_webhook *webhook;
		const struct am_email *email;
		const struct am_pagerduty *pagerduty;
		const struct am_opsgenie *opsgenie;
		const struct am_wechat *wechat;
		const struct am_slack *slack;
		const struct am_victorops *victorops;
		const struct am_pushover *pushover;
		const struct am_sns *sns;
		const struct am_telegram *telegram;
		const struct am_discord *discord;
		const struct am_webex *webex;
		const struct am_msteams *msteams;
		const struct am_jira *jira;
		const struct am_incidentio *incidentio;
		const struct am_rocketchat *rocketchat;
		const struct am_mattermost *mattermost;
		void *block;
	};
};

/* "webhook", "email", ...: the name in metrics, logs and the notification log. */
const char *am_kind_name(enum am_kind kind);

/* --- used by config_alertmanager.c ------------------------------------------------------------------------ */
/* Fills defaults, decodes `global` (NULL: not given), checks it. */
void am_global_decode(struct config_ctx *ctx, const struct yaml_node *node, struct am_global *out);
/* Decodes one block of `<kind>_configs`; inherits from `global`. */
void am_integration_decode(struct config_ctx *ctx, const struct yaml_node *node,
    const struct am_global *global, enum am_kind kind, struct am_integration *out);
