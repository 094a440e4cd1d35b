#include "template/template_funcs.h"
#include "tests/lib/test.h"

static int run_query(void *arg, struct slice expr, int64_t now_ms, struct arena *arena,
    struct template_sample **out, size_t *n, struct err *err)
{
	(void)arg;
	if (slice_eq(expr, SL("bad")))
		return err_set(err, ERR_INVALID, "no such thing");
	struct template_sample *s = ARENA_ARRAY(arena, struct template_sample, 2);
	s[0] = (struct template_sample){labels_of(arena, "instance", "b", NULL), (double)now_ms, NULL};
	s[1] = (struct template_sample){labels_of(arena, "instance", "a", NULL), 2, NULL};
	*out = s;
	*n = 2;
	return 0;
}

static void texts(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want, *error;
	} cases[] = {
	    {"plain", "plain", NULL},
	    {"{{ $labels.instance }} is {{ $value | humanize }}", "i:1 is 1.5k", NULL},
	    {"{{ $value }} {{ .Value }} {{ $labels.none }}", "1500 1500 ", NULL},
	    {"{{ $externalLabels.site }} {{ $externalURL }}", "here http://p:9090", NULL},
	    {"{{ $labels }}", "map[instance:i:1 job:j]", NULL},
	    {"{{ range query \"up\" | sortByLabel \"instance\" }}{{ .Labels.instance }}{{ end }}", "ab",
		NULL},
	    {"{{ with query \"up\" }}{{ . | first | value }}{{ end }}", "1000", NULL},
	    {"{{ with printf \"x{a='%s'}\" .Labels.job | query }}{{ len . }}{{ end }}", "2", NULL},
	    {"{{ query \"bad\" }}", NULL,
		"error executing template __alert_A: template: __alert_A:1:115: executing \"__alert_A\" at "
		"<query \"bad\">: error "
		"calling query: no such thing"},
	    {"{{ $none }}", NULL,
		"error parsing template __alert_A: template: __alert_A:1: undefined variable \"$none\""},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct arena *a = arena_new(ARENA_NO_LIMIT);
		struct template_env env = {
		    .query = run_query, .now_ms = 1000, .external_url = SL("http://p:9090")};
		struct template_alert_data data = {
		    .labels = labels_of(a, "instance", "i:1", "job", "j", NULL),
		    .external_labels = labels_of(a, "site", "here", NULL),
		    .value = 1500};
		struct slice out;
		struct err err;
		int rc =
		    template_expand_alert(SL("A"), slice_cstr(cases[i].text), &data, &env, a, &out, &err);
		check_int(cases[i].text, rc, cases[i].error ? ERR_INVALID : 0);
		if (cases[i].error)
			check_str(cases[i].text, slice_cstr(err.msg), cases[i].error);
		else
			check_str(cases[i].text, out, cases[i].want);
		arena_free(a);
	}
}

static void what_can_be_known_at_load(void **state)
{
	(void)state;
	struct arena *a = arena_new(ARENA_NO_LIMIT);
	struct err err;
	check_int("good", template_check_alert(SL("A"), SL("{{ $labels.x }}"), a, &err), 0);
	check_int("bad", template_check_alert(SL("A"), SL("{{ $labels.x "), a, &err), ERR_INVALID);
	arena_free(a);
}

TEST_MAIN("template_alert", cmocka_unit_test(texts), cmocka_unit_test(what_can_be_known_at_load))
