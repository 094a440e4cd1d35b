#include "config/printer.h"

#include "base/double_text.h"
#include "model/duration.h"

#include <inttypes.h>
#include <stdio.h>

void config_printer_init(struct config_printer *p, struct strbuf *out)
{
	*p = (struct config_printer){.out = out};
}

/* Indents; the first line of a list entry has its dash where the last two blanks would be. */
static void begin_line(struct config_printer *p)
{
	int blanks = 2 * p->depth - (p->has_dash ? 2 : 0);
	for (int i = 0; i < blanks; i++)
		strbuf_addch(p->out, ' ');
	if (p->has_dash)
		strbuf_adds(p->out, "- ");
	p->has_dash = false;
}

/* What a YAML reader would take for something else than text. */
static bool reads_as_other(struct slice s)
{
	static const char *const words[] = {"true", "false", "yes", "no", "on", "off", "y", "n", "null", "~",
	    ".nan", ".inf", "-.inf", "+.inf"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (slice_eq_nocase(s, slice_cstr(words[i])))
			return true;
	double number;
	return double_parse(s, &number) ||
	       (s.len > 1 && s.ptr[0] == '0' && (s.ptr[1] == 'x' || s.ptr[1] == 'o'));
}

static bool is_plain(struct slice s)
{
	if (s.len == 0 || s.ptr[0] == ' ' || s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == ':' ||
	    reads_as_other(s))
		return false;
	if (memchr("-?:,[]{}#&*!|>'\"%@`", s.ptr[0], 19))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		bool is_mark =
		    (c == ':' && i + 1 < s.len && s.ptr[i + 1] == ' ') || (c == '#' && s.ptr[i - 1] == ' ');
		if (c < 0x20 || c == 0x7f || is_mark)
			return false;
	}
	return true;
}

static bool has_control(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
			return true;
	return false;
}

static void add_double_quoted(struct strbuf *out, struct slice s)
{
	strbuf_addch(out, '"');
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (c == '\n')
			strbuf_adds(out, "\\n");
		else if (c == '\t')
			strbuf_adds(out, "\\t");
		else if (c == '"' || c == '\\')
			strbuf_addf(out, "\\%c", c);
		else if ((unsigned char)c < 0x20 || c == 0x7f)
			strbuf_addf(out, "\\x%02x", (unsigned)(unsigned char)c);
		else
			strbuf_addch(out, c);
	}
	strbuf_addch(out, '"');
}

static void add_scalar(struct strbuf *out, struct slice s)
{
	if (is_plain(s)) {
		strbuf_add_slice(out, s);
		return;
	}
	if (has_control(s)) {
		add_double_quoted(out, s);
		return;
	}
	strbuf_addch(out, '\'');
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\'')
			strbuf_addch(out, '\'');
		strbuf_addch(out, s.ptr[i]);
	}
	strbuf_addch(out, '\'');
}

static void add_key(struct config_printer *p, struct slice key)
{
	begin_line(p);
	add_scalar(p->out, key);
	strbuf_addch(p->out, ':');
}

static void print_raw(struct config_printer *p, const char *key, struct slice text)
{
	add_key(p, slice_cstr(key));
	strbuf_addch(p->out, ' ');
	strbuf_add_slice(p->out, text);
	strbuf_addch(p->out, '\n');
}

void config_print_text(struct config_printer *p, const char *key, struct slice value)
{
	if (value.len == 0)
		return;
	add_key(p, slice_cstr(key));
	strbuf_addch(p->out, ' ');
	add_scalar(p->out, value);
	strbuf_addch(p->out, '\n');
}

/* Where in a URL a password stands: scheme://user:HERE@host. Empty: none. */
static struct slice password_in(struct slice url)
{
	const char *colons = url.len ? memmem(url.ptr, url.len, "://", 3) : NULL;
	if (!colons)
		return SL_EMPTY;
	struct slice rest = slice_from(url, (size_t)(colons - url.ptr) + 3);
	rest.len = slice_find(rest, '/');
	struct slice user = slice_of(rest.ptr, slice_find(rest, '@'));
	size_t colon = slice_find(user, ':');
	if (user.len == rest.len || colon == user.len)
		return SL_EMPTY;
	return slice_from(user, colon + 1);
}

static void add_url(struct strbuf *out, struct slice url)
{
	struct slice password = password_in(url);
	struct strbuf masked = STRBUF_INIT;
	if (password.len) {
		strbuf_add(&masked, url.ptr, (size_t)(password.ptr - url.ptr));
		strbuf_adds(&masked, "xxxxx");
		strbuf_add_slice(&masked, slice_from(url, (size_t)(password.ptr - url.ptr) + password.len));
		url = strbuf_slice(&masked);
	}
	add_scalar(out, url);
	strbuf_done(&masked);
}

static void print_url(struct config_printer *p, const char *key, struct slice value)
{
	if (value.len == 0)
		return;
	add_key(p, slice_cstr(key));
	strbuf_addch(p->out, ' ');
	add_url(p->out, value);
	strbuf_addch(p->out, '\n');
}

void config_print_secret(struct config_printer *p, const char *key, struct slice value)
{
	if (value.len)
		print_raw(p, key, SL(CONFIG_SECRET_MASK));
}

void config_print_open_slice(struct config_printer *p, struct slice key)
{
	add_key(p, key);
	strbuf_addch(p->out, '\n');
	p->depth++;
}

void config_print_open(struct config_printer *p, const char *key)
{
	config_print_open_slice(p, slice_cstr(key));
}

void config_print_close(struct config_printer *p)
{
	p->depth--;
}

void config_print_item(struct config_printer *p)
{
	p->has_dash = true;
}

void config_print_item_end(struct config_printer *p)
{
	if (!p->has_dash)
		return;
	begin_line(p);
	strbuf_adds(p->out, "{}\n");
}

static void print_entry(struct config_printer *p, struct slice text)
{
	p->has_dash = true;
	begin_line(p);
	add_scalar(p->out, text);
	strbuf_addch(p->out, '\n');
}

void config_print_list(struct config_printer *p, const char *key, const struct config_strings *list)
{
	if (list->n == 0)
		return;
	config_print_open(p, key);
	for (size_t i = 0; i < list->n; i++)
		print_entry(p, list->v[i]);
	config_print_close(p);
}

void config_print_pairs(struct config_printer *p, const char *key, const struct config_pairs *pairs)
{
	if (pairs->n == 0)
		return;
	config_print_open(p, key);
	for (size_t i = 0; i < pairs->n; i++) {
		add_key(p, pairs->v[i].name);
		strbuf_addch(p->out, ' ');
		add_scalar(p->out, pairs->v[i].value);
		strbuf_addch(p->out, '\n');
	}
	config_print_close(p);
}

static void print_duration(struct config_printer *p, const char *key, int64_t ms)
{
	struct strbuf sb = STRBUF_INIT;
	duration_print(&sb, ms);
	print_raw(p, key, strbuf_slice(&sb));
	strbuf_done(&sb);
}

/* In the largest unit that divides it. */
static void print_size(struct config_printer *p, const char *key, uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	size_t unit = 0;
	while (bytes && bytes % 1024 == 0 && unit + 1 < ARRAY_LEN(units)) {
		bytes /= 1024;
		unit++;
	}
	char text[40];
	int n = snprintf(text, sizeof(text), "%" PRIu64 "%s", bytes, units[unit]);
	print_raw(p, key, slice_of(text, (size_t)n));
}

static void print_double(struct config_printer *p, const char *key, double v)
{
	char text[DOUBLE_TEXT_MAX];
	print_raw(p, key, slice_of(text, double_to_shortest_f(v, text)));
}

static void print_integer(struct config_printer *p, const char *key, bool is_negative, uint64_t magnitude)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%s%" PRIu64, is_negative ? "-" : "", magnitude);
	print_raw(p, key, slice_of(text, (size_t)n));
}

static void print_field(
    struct config_printer *p, const struct config_field *f, const void *field, bool is_set)
{
	bool zero = f->prints_zero || is_set;
	switch (f->type) {
	case CONFIG_STRING:
	case CONFIG_PATH:
		if (is_set && ((const struct slice *)field)->len == 0)
			print_raw(p, f->key, SL("''"));
		config_print_text(p, f->key, *(const struct slice *)field);
		break;
	case CONFIG_URL:
		print_url(p, f->key, *(const struct slice *)field);
		break;
	case CONFIG_SECRET:
		config_print_secret(p, f->key, *(const struct slice *)field);
		break;
	case CONFIG_BOOL:
		if (zero || *(const bool *)field)
			print_raw(p, f->key, *(const bool *)field ? SL("true") : SL("false"));
		break;
	case CONFIG_INT: {
		int64_t v = *(const int64_t *)field;
		if (zero || v)
			print_integer(p, f->key, v < 0, v < 0 ? -(uint64_t)v : (uint64_t)v);
		break;
	}
	case CONFIG_UINT:
		if (zero || *(const uint64_t *)field)
			print_integer(p, f->key, false, *(const uint64_t *)field);
		break;
	case CONFIG_DOUBLE:
		if (zero || *(const double *)field != 0)
			print_double(p, f->key, *(const double *)field);
		break;
	case CONFIG_DURATION:
		if (zero || *(const int64_t *)field)
			print_duration(p, f->key, *(const int64_t *)field);
		break;
	case CONFIG_SIZE:
		if (zero || *(const uint64_t *)field)
			print_size(p, f->key, *(const uint64_t *)field);
		break;
	case CONFIG_STRING_LIST:
		config_print_list(p, f->key, field);
		break;
	case CONFIG_LABELS:
		config_print_pairs(p, f->key, field);
		break;
	case CONFIG_CUSTOM:
		if (f->print)
			f->print(p, f->key, field);
		break;
	case CONFIG_INLINE:
		config_print_fields(p, f->inline_fields, f->n_inline_fields, field);
		break;
	}
}

void config_print_fields(
    struct config_printer *p, const struct config_field *fields, size_t n_fields, const void *block)
{
	for (size_t i = 0; i < n_fields; i++) {
		const struct config_field *f = &fields[i];
		bool is_set = f->set_offset && *(const bool *)((const char *)block + f->set_offset);
		print_field(p, f, (const char *)block + f->offset, is_set);
	}
}

/* Trees. */

static bool is_secret_key(struct slice key)
{
	static const char *const keys[] = {"password", "credentials", "bearer_token", "token", "auth_token",
	    "secret_key", "client_secret", "client_certificate_key", "key", "application_secret",
	    "consumer_key", "application_credential_secret", "service_account_key", "private_key",
	    "key_passphrase", "secrets", "proxy_connect_header", "certificate_password"};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (slice_eq_cstr(key, keys[i]))
			return true;
	return false;
}

static void print_value(struct config_printer *p, const struct yaml_node *node, bool is_secret)
{
	strbuf_addch(p->out, ' ');
	if (node->kind == YAML_NULL)
		strbuf_adds(p->out, "null");
	else if (is_secret)
		strbuf_adds(p->out, CONFIG_SECRET_MASK);
	else if (node->kind != YAML_SCALAR)
		strbuf_adds(p->out, node->kind == YAML_LIST ? "[]" : "{}");
	else if (node->is_quoted || password_in(node->text).len)
		add_url(p->out, node->text);
	else
		strbuf_add_slice(p->out, node->text);
	strbuf_addch(p->out, '\n');
}

static void print_map_entry(
    struct config_printer *p, const struct yaml_node *key, const struct yaml_node *value)
{
	bool is_secret = is_secret_key(key->text);
	bool is_deep = (value->kind == YAML_LIST || value->kind == YAML_MAP) && value->n > 0 && !is_secret;
	if (!is_deep) {
		add_key(p, key->text);
		print_value(p, value, is_secret);
		return;
	}
	config_print_open_slice(p, key->text);
	config_print_node(p, value);
	config_print_close(p);
}

void config_print_node(struct config_printer *p, const struct yaml_node *node)
{
	for (size_t i = 0; i < node->n; i++) {
		if (node->kind == YAML_MAP) {
			print_map_entry(p, node->keys[i], node->items[i]);
			continue;
		}
		const struct yaml_node *item = node->items[i];
		config_print_item(p);
		if ((item->kind == YAML_MAP || item->kind == YAML_LIST) && item->n > 0) {
			config_print_node(p, item);
			continue;
		}
		begin_line(p);
		p->out->len--; /* print_value() adds its own blank */
		print_value(p, item, false);
	}
}
