#include "net/url.h"
#include "tests/lib/test.h"

static void parts(void **state)
{
	(void)state;
	static const struct {
		const char *in, *scheme, *userinfo, *host, *path, *query, *fragment;
	} cases[] = {
	    {"http://a:9090/x/y?q=1&r=2#f", "http", "", "a:9090", "/x/y", "q=1&r=2", "f"},
	    {"https://u:p@[::1]:80", "https", "u:p", "[::1]:80", "", "", ""},
	    {"/only/path", "", "", "", "/only/path", "", ""},
	    {"mailto:x", "mailto", "", "", "x", "", ""},
	    {"http://h/a@b", "http", "", "h", "/a@b", "", ""},
	    {"", "", "", "", "", "", ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct url u;
		struct err err;
		check_ok(cases[i].in, url_parse(slice_cstr(cases[i].in), &u, &err), &err);
		check_str(cases[i].in, u.scheme, cases[i].scheme);
		check_str(cases[i].in, u.userinfo, cases[i].userinfo);
		check_str(cases[i].in, u.host, cases[i].host);
		check_str(cases[i].in, u.path, cases[i].path);
		check_str(cases[i].in, u.query, cases[i].query);
		check_str(cases[i].in, u.fragment, cases[i].fragment);
	}
}

static void refused(void **state)
{
	(void)state;
	static const struct {
		const char *in, *want;
	} cases[] = {
	    {":foo", "parse \":foo\": missing protocol scheme"},
	    {"http://[::1/", "parse \"http://[::1/\": missing ']' in host"},
	    {"http://h:9a/", "parse \"http://h:9a/\": invalid port \":9a\" after host"},
	    {"http://a b/", "parse \"http://a b/\": invalid character in host name"},
	    {"http://a\n/", "parse \"http://a\n/\": invalid control character in URL"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct url u;
		struct err err;
		check_int(cases[i].in, url_parse(slice_cstr(cases[i].in), &u, &err), ERR_INVALID);
		check_str(cases[i].in, slice_cstr(err.msg), cases[i].want);
	}
}

static void escapes(void **state)
{
	(void)state;
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	static const struct {
		const char *in, *want;
		bool plus;
	} decode[] = {{"a%20b+c", "a b c", true}, {"a%20b+c", "a b+c", false}, {"%zz%4", "%zz%4", true},
	    {"%e2%82%AC", "€", false}};
	for (size_t i = 0; i < ARRAY_LEN(decode); i++)
		check_str(
		    decode[i].in, url_decode(slice_cstr(decode[i].in), decode[i].plus, a), decode[i].want);
	struct strbuf sb = STRBUF_INIT;
	url_query_escape(&sb, SL("up{a=\"b\"} /x~"));
	check_str("query", strbuf_slice(&sb), "up%7Ba%3D%22b%22%7D+%2Fx~");
	strbuf_reset(&sb);
	url_path_escape(&sb, SL("a b/c:d"));
	check_str("path", strbuf_slice(&sb), "a%20b%2Fc:d");
	strbuf_done(&sb);
	arena_free(a);
}

TEST_MAIN("url", cmocka_unit_test(parts), cmocka_unit_test(refused), cmocka_unit_test(escapes))
