#include "net/url.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_scheme_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
	       c == '-' || c == '.';
}

/* Takes the part of *rest before the first `c`; false, and *rest unchanged, when there is none. */
static bool take_until(struct slice *rest, char c, struct slice *part)
{
	size_t at = slice_find(*rest, c);
	if (at == rest->len)
		return false;
	*part = slice_of(rest->ptr, at);
	*rest = slice_from(*rest, at + 1);
	return true;
}

static int check_host(struct slice text, struct slice host, struct err *err)
{
	if (host.len && host.ptr[0] == '[' && slice_find(host, ']') == host.len)
		return err_set(err, ERR_INVALID, "parse \"%" SL_FMT "\": missing ']' in host", SL_ARG(text));
	struct slice after =
	    host.len && host.ptr[0] == '[' ? slice_from(host, slice_find(host, ']') + 1) : host;
	size_t colon = slice_find(after, ':');
	for (size_t i = colon + 1; i < after.len; i++)
		if (after.ptr[i] < '0' || after.ptr[i] > '9')
			return err_set(err, ERR_INVALID,
			    "parse \"%" SL_FMT "\": invalid port \"%" SL_FMT "\" after host", SL_ARG(text),
			    SL_ARG(slice_from(after, colon)));
	for (size_t i = 0; i < host.len; i++)
		if ((unsigned char)host.ptr[i] <= ' ')
			return err_set(err, ERR_INVALID,
			    "parse \"%" SL_FMT "\": invalid character in host name", SL_ARG(text));
	return 0;
}

int url_parse(struct slice text, struct url *out, struct err *err)
{
	struct url u = {.scheme = SL_EMPTY,
	    .userinfo = SL_EMPTY,
	    .host = SL_EMPTY,
	    .query = SL_EMPTY,
	    .fragment = SL_EMPTY};
	struct slice rest = text;
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
			return err_set(err, ERR_INVALID,
			    "parse \"%" SL_FMT "\": invalid control character in URL", SL_ARG(text));

	size_t colon = 0;
	while (colon < rest.len && is_scheme_char(rest.ptr[colon]))
		colon++;
	if (colon < rest.len && rest.ptr[colon] == ':') {
		if (colon == 0)
			return err_set(
			    err, ERR_INVALID, "parse \"%" SL_FMT "\": missing protocol scheme", SL_ARG(text));
		u.scheme = slice_of(rest.ptr, colon);
		rest = slice_from(rest, colon + 1);
	}
	struct slice before;
	if (take_until(&rest, '#', &before)) {
		u.fragment = rest;
		rest = before;
	}
	if (take_until(&rest, '?', &before)) {
		u.query = rest;
		rest = before;
	}
	if (slice_starts(rest, SL("//"))) {
		rest = slice_from(rest, 2);
		size_t slash = slice_find(rest, '/');
		struct slice authority = slice_of(rest.ptr, slash);
		rest = slice_from(rest, slash);
		size_t at = authority.len;
		while (at > 0 && authority.ptr[at - 1] != '@')
			at--;
		if (at > 0)
			u.userinfo = slice_of(authority.ptr, at - 1);
		u.host = slice_from(authority, at);
		int rc = check_host(text, u.host, err);
		if (rc)
			return rc;
	}
	u.path = rest;
	*out = u;
	return 0;
}

struct slice url_decode(struct slice s, bool plus_is_space, struct arena *arena)
{
	if (slice_find(s, '%') == s.len && (!plus_is_space || slice_find(s, '+') == s.len))
		return s;
	char *text = arena_alloc(arena, s.len + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (c == '%' && i + 2 < s.len && hex_digit(s.ptr[i + 1]) >= 0 &&
		    hex_digit(s.ptr[i + 2]) >= 0) {
			c = (char)(hex_digit(s.ptr[i + 1]) * 16 + hex_digit(s.ptr[i + 2]));
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		text[n++] = c;
	}
	text[n] = '\0';
	return slice_of(text, n);
}

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_' || c == '.' || c == '~';
}

static void escape(struct strbuf *out, struct slice s, const char *also_plain, bool space_is_plus)
{
	static const char hex[] = "0123456789ABCDEF";
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		if (is_unreserved(c) || (c && strchr(also_plain, c))) {
			strbuf_addch(out, c);
		} else if (c == ' ' && space_is_plus) {
			strbuf_addch(out, '+');
		} else {
			strbuf_addch(out, '%');
			strbuf_addch(out, hex[(unsigned char)c >> 4]);
			strbuf_addch(out, hex[(unsigned char)c & 15]);
		}
	}
}

void url_query_escape(struct strbuf *out, struct slice s)
{
	escape(out, s, "", true);
}

void url_path_escape(struct strbuf *out, struct slice s)
{
	escape(out, s, "$&+:=@", false);
}

bool url_next_pair(struct slice *rest, struct slice *name, struct slice *value, struct arena *arena)
{
	while (rest->len) {
		struct slice pair;
		if (!take_until(rest, '&', &pair)) {
			pair = *rest;
			*rest = SL_EMPTY;
		}
		if (!pair.len)
			continue;
		struct slice left = pair, right = SL_EMPTY;
		if (take_until(&pair, '=', &left))
			right = pair;
		*name = url_decode(left, true, arena);
		*value = url_decode(right, true, arena);
		return true;
	}
	return false;
}
