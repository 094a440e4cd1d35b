/* Shared by config_receiver.c and the files that decode the kinds of receivers: the description of a kind, and small
 * decoders and checks that several kinds use. */
#pragma once

#include "config/config_receiver.h"

/* A key that people write into a block and that has its place elsewhere. */
struct misplaced_key {
	const char *key, *hint;
};

/* Everything config_receiver.c needs to know about a kind. */
struct receiver_kind {
	const char *name;      /* "slack" */
	const char *type_name; /* as Alertmanager's errors call the block */
	size_t bytes;
	const struct config_field *fields;
	size_t n_fields;
	bool send_resolved; /* the default */
	void (*set_defaults)(void *block);
	/* Takes over from global and checks. */
	void (*finish)(struct config_ctx *ctx, const struct yaml_node *node, const struct am_global *global,
	    void *block);
	const struct misplaced_key *misplaced;
	size_t n_misplaced;
};

extern const struct receiver_kind receiver_kind_webhook, receiver_kind_email, receiver_kind_pagerduty,
    receiver_kind_opsgenie, receiver_kind_wechat, receiver_kind_slack, receiver_kind_victorops,
    receiver_kind_pushover, receiver_kind_sns, receiver_kind_telegram, receiver_kind_discord,
    receiver_kind_webex, receiver_kind_msteams, receiver_kind_msteamsv2, receiver_kind_jira,
    receiver_kind_incidentio, receiver_kind_rocketchat, receiver_kind_mattermost;

#define AM_KIND(kind, block, type, resolved)                                                                 \
	const struct receiver_kind receiver_kind_##kind = {#kind, type, sizeof(struct am_##block),           \
	    block##_fields, ARRAY_LEN(block##_fields), resolved, kind##_defaults, kind##_finish, NULL, 0}

enum { AM_COMMON_FIELDS = 2 };
extern const struct config_field am_common_fields[AM_COMMON_FIELDS];
/* The row of what every block has. */
#define AM_COMMON_ROW                                                                                        \
	{                                                                                                    \
		NULL, CONFIG_INLINE, 0, .inline_fields = am_common_fields,                                   \
					.n_inline_fields = AM_COMMON_FIELDS                                  \
	}
/* Two rows: a secret and its file. */
#define AM_SECRET_ROWS(type, key, member)                                                                    \
	{key, CONFIG_SECRET, offsetof(struct type, member.value)},                                           \
	{                                                                                                    \
		key "_file", CONFIG_STRING, offsetof(struct type, member.file)                               \
	}
#define AM_TEXT_ROW(type, member)                                                                            \
	{                                                                                                    \
#member, CONFIG_STRING, offsetof(struct type, member)                                        \
	}
#define AM_BOOL_ROW(type, member)                                                                            \
	{                                                                                                    \
#member, CONFIG_BOOL, offsetof(struct type, member)                                          \
	}

/* decode() of fields. */
void am_decode_go_duration(
    struct config_ctx *ctx, const struct yaml_node *node, void *field); /* int64_t ns */
void am_decode_details(
    struct config_ctx *ctx, const struct yaml_node *node, void *field); /* struct am_details */
void am_decode_tls(
    struct config_ctx *ctx, const struct yaml_node *node, void *field); /* const struct config_tls * */
void am_decode_any(
    struct config_ctx *ctx, const struct yaml_node *node, void *field); /* const struct yaml_node * */

static inline bool am_secret_is_set(const struct am_secret *s)
{
	return s->value.len > 0 || s->file.len > 0;
}
/* The key's node, or the block's own: where an error about the key belongs. */
const struct yaml_node *am_place(const struct yaml_node *node, const char *key);
/* "at most one of x & x_file must be configured". False when both are. */
bool am_check_one(
    struct config_ctx *ctx, const struct yaml_node *node, const char *key, const struct am_secret *secret);
/* That, and "one of x or x_file must be configured". */
bool am_check_needed(
    struct config_ctx *ctx, const struct yaml_node *node, const char *key, const struct am_secret *secret);
/* The global pair when neither is set here; `missing` is the error when there is none either (NULL: may be unset). */
void am_inherit_secret(struct config_ctx *ctx, const struct yaml_node *node, const struct am_secret *global,
    struct am_secret *own, const char *missing);
/* The global text when this one is empty. */
void am_inherit_text(struct slice global, struct slice *own);
/* An http(s) URL with a host, unless it is empty, a template, or "<secret>". */
void am_check_url(struct config_ctx *ctx, const struct yaml_node *node, const char *key, struct slice url);
/* One more "/" at the end unless it is there. */
struct slice am_with_slash(struct arena *arena, struct slice url);
