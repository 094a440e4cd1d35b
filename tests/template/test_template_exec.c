#include "template/template_exec.h"
#include "tests/lib/test.h"

/* .M map of texts, .L list of ints, .N an int, .T a time, .S text */
static struct template_value make_data(struct arena *a)
{
	struct template_entry *m = ARENA_ARRAY(a, struct template_entry, 2);
	m[0] = (struct template_entry){SL("b"), template_text(SL("2"))};
	m[1] = (struct template_entry){SL("a"), template_text(SL("1"))};
	struct template_value *l = ARENA_ARRAY(a, struct template_value, 3);
	for (int i = 0; i < 3; i++)
		l[i] = template_int(i * 10);
	struct template_entry *top = ARENA_ARRAY(a, struct template_entry, 5);
	top[0] = (struct template_entry){SL("M"), template_map(m, 2, true)};
	top[1] = (struct template_entry){SL("L"), template_list(l, 3)};
	top[2] = (struct template_entry){SL("N"), template_int(5)};
	top[3] = (struct template_entry){SL("T"), template_time_ms(1353755652128)};
	top[4] = (struct template_entry){SL("S"), template_text(SL("<x>"))};
	return template_map(top, 5, false);
}

static int run(struct arena *a, const char *text, struct strbuf *out, struct err *err)
{
	struct template_set *set = template_set_new(a, NULL);
	struct template_value data = make_data(a);
	struct template_options options = {0};
	int rc = template_parse(set, SL("t"), slice_cstr(text), err);
	return rc ? rc : template_exec(set, SL("t"), &data, &options, a, out, err);
}

static void language(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;
	} cases[] = {
	    {"a {{- 1 -}} b", "a1b"},
	    {"a {{/* gone */}} b{{- /* trimmed */ -}}  c", "a  bc"},
	    {"{{.M.a}}{{.M.zz}}{{.Nope}}", "1<no value>"},
	    {"{{range $k, $v := .M}}{{$k}}={{$v}},{{end}}", "a=1,b=2,"},
	    {"{{range .L}}{{.}} {{else}}none{{end}}", "0 10 20 "},
	    {"{{range $i, $e := .L}}{{if $i}}, {{end}}{{$e}}{{end}}", "0, 10, 20"},
	    {"{{range .L}}{{if eq . 10}}{{continue}}{{end}}{{.}};{{end}}", "0;20;"},
	    {"{{range .L}}{{if eq . 10}}{{break}}{{end}}{{.}};{{end}}", "0;"},
	    {"{{range 3}}{{.}}{{end}}", "012"},
	    {"{{with .M}}{{.b}}{{end}}{{with .Nope}}x{{else}}none{{end}}", "2none"},
	    {"{{if .Nope}}1{{else if .N}}2{{else}}3{{end}}", "2"},
	    {"{{$x := 1}}{{if true}}{{$x = 2}}{{$y := 3}}{{$y}}{{end}}{{$x}}", "32"},
	    {"{{define \"x\"}}<{{.}}>{{end}}{{template \"x\" .N}}{{template \"x\"}}", "<5><<no value>>"},
	    {"{{block \"y\" .N}}[{{.}}]{{end}}", "[5]"},
	    {"{{$.N}} {{.T.Year}} {{(.T.Add 1000000000).Format \"15:04:05\"}}", "5 2012 11:14:13"},
	    {"{{and 1 0 2}} {{or 0 \"\" 3}} {{not 0}}", "0 3 true"},
	    {"{{eq 1 2 1}} {{ne 1 2}} {{lt 1 2}} {{ge 2.5 2.5}} {{gt \"b\" \"a\"}}",
		"true true true true true"},
	    {"{{len .L}} {{index .L 1}} {{index .M \"b\"}} {{slice \"hello\" 1 3}}", "3 10 2 el"},
	    {"{{printf \"%03d-%s\" .N \"x\"}} {{1 | printf \"%d%d\" 2}}", "005-x 21"},
	    {"{{\"q\\t\\x41\\u00e9\"}} {{`raw\\n`}} {{'a'}} {{0x1F}} {{1_000}} {{-2.5e1}}",
		"q\tA\xc3\xa9 raw\\n 97 31 1000 -25"},
	    {"{{html .S}} {{js \"a'b\"}} {{urlquery \"a b\"}}", "&lt;x&gt; a\\'b a+b"},
	    {"{{.M}} {{.L}} {{.T}}", "map[a:1 b:2] [0 10 20] 2012-11-24 11:14:12.128 +0000 UTC"},
	    {"{{ (index .L 2) }}{{ print 1 2 \"x\" }}", "201 2x"},
	    {"{{with $x := .N}}{{$x}}{{end}}", "5"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *a = arena_new(ARENA_NO_LIMIT);
		struct strbuf out = STRBUF_INIT;
		struct err err;
		check_ok(cases[i].text, run(a, cases[i].text, &out, &err), &err);
		check_str(cases[i].text, strbuf_slice(&out), cases[i].want);
		strbuf_done(&out);
		arena_free(a);
	}
}

static void errors(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;
	} cases[] = {
	    {"{{", "template: t:1: unclosed action"},
	    {"a\n{{ .A", "template: t:2: unclosed action"},
	    {"{{nope}}", "template: t:1: function \"nope\" not defined"},
	    {"{{$x}}", "template: t:1: undefined variable \"$x\""},
	    {"{{end}}", "template: t:1: unexpected {{end}}"},
	    {"{{if 1}}", "template: t:1: unexpected EOF"},
	    {"{{if}}x{{end}}", "template: t:1: missing value for if"},
	    {"{{1 | 2}}", "template: t:1: non executable command in pipeline stage 2"},
	    {"{{\"a}}", "template: t:1: unterminated quoted string"},
	    {"{{(1}}", "template: t:1: unclosed left paren"},
	    {"{{/* x }}", "template: t:1: unclosed comment"},
	    {"{{break}}", "template: t:1: {{break}} outside {{range}}"},
	    {"{{1 !}}", "template: t:1: unrecognized character in action: U+0021 '!'"},
	    {"x{{.N.Foo}}",
		"template: t:1:3: executing \"t\" at <.N.Foo>: can't evaluate field Foo in type int"},
	    {"{{template \"none\"}}",
		"template: t:1:2: executing \"t\" at <template \"none\"}}>: template \"none\" not defined"},
	    {"{{index .L 7}}", "template: t:1:2: executing \"t\" at <index .L 7>: error calling index: index "
			       "out of range: 7"},
	    {"{{eq 1 \"a\"}}", "template: t:1:2: executing \"t\" at <eq 1 \"a\">: error calling eq: "
			       "incompatible types for comparison"},
	    {"{{range .T}}{{end}}",
		"template: t:1:8: executing \"t\" at <.T>: range can't iterate over time.Time"},
	    {"{{len}}",
		"template: t:1:2: executing \"t\" at <len>: wrong number of args for len: want 1 got 0"},
	    {"{{define \"r\"}}{{template \"r\"}}{{end}}{{template \"r\"}}",
		"template: t:1:16: executing \"r\" at <template \"r\"}}>: exceeded maximum template depth "
		"(100)"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *a = arena_new(ARENA_NO_LIMIT);
		struct strbuf out = STRBUF_INIT;
		struct err err = {0};
		check_int(cases[i].text, run(a, cases[i].text, &out, &err), ERR_INVALID);
		check_str(cases[i].text, slice_cstr(err.msg), cases[i].want);
		strbuf_done(&out);
		arena_free(a);
	}
}

static void bounded(void **state)
{
	(void)state;
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	struct err err;
	struct strbuf out;
	strbuf_init(&out, 1000);
	check_int("output", run(a, "{{range 100000}}0123456789{{end}}", &out, &err), ERR_LIMIT);
	strbuf_done(&out);
	strbuf_init(&out, STRBUF_NO_LIMIT);
	check_int("steps", run(a, "{{range 9000000000}}{{end}}", &out, &err), ERR_INVALID);
	struct strbuf deep = STRBUF_INIT;
	for (int i = 0; i < 10000; i++)
		strbuf_adds(&deep, "{{if 1}}");
	check_int("nesting", run(a, strbuf_cstr(&deep), &out, &err), ERR_INVALID);
	strbuf_reset(&deep);
	strbuf_adds(&deep, "{{");
	for (int i = 0; i < 10000; i++)
		strbuf_addch(&deep, '(');
	check_int("parentheses", run(a, strbuf_cstr(&deep), &out, &err), ERR_INVALID);
	strbuf_done(&deep);
	strbuf_done(&out);
	arena_free(a);
}

TEST_MAIN("template_exec", cmocka_unit_test(language), cmocka_unit_test(errors), cmocka_unit_test(bounded))
