#include "config/config_redact.h"

/* Secret wherever they stand. */
static const char *const secret_keys[] = {"alert_source_token", "api_key", "api_secret", "app_token",
    "auth_password", "auth_secret", "bearer_token", "bot_token", "client_certificate_key", "client_secret",
    "credentials", "key", "mattermost_webhook_url", "opsgenie_api_key", "password", "rocketchat_token",
    "rocketchat_token_id", "secret_key", "secrets", "service_key", "slack_api_url", "slack_app_token",
    "smtp_auth_password", "smtp_auth_secret", "telegram_bot_token", "token", "token_id", "user_key",
    "victorops_api_key", "webhook_url", "wechat_api_secret"};

/* Secret in the blocks of one kind only. */
static const struct {
	const char *list, *key;
} secret_places[] = {
    {"slack_configs", "api_url"},
    {"webhook_configs", "url"},
    {"incidentio_configs", "url"},
    {"pagerduty_configs", "routing_key"},
};

static bool is_secret(struct slice list, struct slice key)
{
	for (size_t i = 0; i < ARRAY_LEN(secret_keys); i++)
		if (slice_eq_cstr(key, secret_keys[i]))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(secret_places); i++)
		if (slice_eq_cstr(list, secret_places[i].list) && slice_eq_cstr(key, secret_places[i].key))
			return true;
	return false;
}

static bool is_plain(struct slice s)
{
	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool word =
		    (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_' || c == '/';
		if (!word && !(i > 0 && (c == '-' || c == '.')))
			return false;
	}
	return true;
}

/* In double quotes YAML reads JSON's escapes. */
static void print_scalar(struct strbuf *out, const struct yaml_node *node)
{
	if (!node->is_quoted && is_plain(node->text)) {
		strbuf_add_slice(out, node->text);
		return;
	}
	strbuf_addch(out, '"');
	for (size_t i = 0; i < node->text.len; i++) {
		unsigned char c = (unsigned char)node->text.ptr[i];
		if (c == '"' || c == '\\')
			strbuf_addf(out, "\\%c", c);
		else if (c == '\n')
			strbuf_adds(out, "\\n");
		else if (c < ' ' || c == 0x7f)
			strbuf_addf(out, "\\x%02x", c);
		else
			strbuf_addch(out, (char)c);
	}
	strbuf_addch(out, '"');
}

static void indent(struct strbuf *out, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		strbuf_adds(out, "  ");
}

/* `list` is the key of the list this node is an item of. The depth is bounded by that of the document. */
static void print_node(struct strbuf *out, const struct yaml_node *node, struct slice list, unsigned depth);

static void print_pair(
    struct strbuf *out, const struct yaml_node *map, size_t i, struct slice list, unsigned depth)
{
	const struct yaml_node *key = map->keys[i], *value = map->items[i];
	print_scalar(out, key);
	strbuf_addch(out, ':');
	if (is_secret(list, key->text) && value->kind != YAML_NULL) {
		strbuf_adds(out, " <secret>\n");
		return;
	}
	bool is_nested = (value->kind == YAML_MAP || value->kind == YAML_LIST) && value->n > 0;
	if (is_nested) {
		strbuf_addch(out, '\n');
		indent(out, depth + (value->kind == YAML_MAP));
	} else {
		strbuf_addch(out, ' ');
	}
	print_node(
	    out, value, value->kind == YAML_LIST ? key->text : list, depth + (value->kind == YAML_MAP));
}

static void print_node(struct strbuf *out, const struct yaml_node *node, struct slice list, unsigned depth)
{
	switch (node->kind) {
	case YAML_NULL:
		strbuf_adds(out, "null\n");
		return;
	case YAML_SCALAR:
		print_scalar(out, node);
		strbuf_addch(out, '\n');
		return;
	case YAML_LIST:
	case YAML_MAP:
		break;
	}
	if (node->n == 0)
		strbuf_adds(out, node->kind == YAML_LIST ? "[]\n" : "{}\n");
	for (size_t i = 0; i < node->n; i++) {
		if (i > 0)
			indent(out, depth);
		if (node->kind == YAML_MAP) {
			print_pair(out, node, i, list, depth);
			continue;
		}
		strbuf_adds(out, "- ");
		print_node(out, node->items[i], list, depth + 1);
	}
}

void config_print_redacted(struct strbuf *out, const struct yaml_node *root)
{
	if (root->kind != YAML_NULL)
		print_node(out, root, SL_EMPTY, 0);
}
