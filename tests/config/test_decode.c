#include "tests/config/config_fixture.h"

struct inner {
	struct slice word;
	bool flag;
};

struct block {
	struct slice text, secret, path;
	bool flag, flag_set;
	int64_t number;
	uint64_t count, size;
	double ratio;
	int64_t wait_ms;
	struct config_strings list;
	struct config_pairs pairs;
	struct slice custom;
	struct inner inner;
};

#define AT(member) offsetof(struct block, member)

static void decode_custom(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct slice *out = field;
	if (config_decode_string(ctx, node, out) && slice_eq_cstr(*out, "bad"))
		config_error(ctx, node, "bad word (good would be right)");
}

static const struct config_field inner_fields[] = {
    {"word", CONFIG_STRING, offsetof(struct inner, word), .is_required = true},
    {"inner_flag", CONFIG_BOOL, offsetof(struct inner, flag)},
};

static const struct config_field fields[] = {
    {"text", CONFIG_STRING, AT(text)},
    {"secret", CONFIG_SECRET, AT(secret)},
    {"path", CONFIG_PATH, AT(path)},
    {"flag", CONFIG_BOOL, AT(flag), .set_offset = AT(flag_set)},
    {"number", CONFIG_INT, AT(number)},
    {"count", CONFIG_UINT, AT(count)},
    {"size", CONFIG_SIZE, AT(size)},
    {"ratio", CONFIG_DOUBLE, AT(ratio)},
    {"wait", CONFIG_DURATION, AT(wait_ms)},
    {"list", CONFIG_STRING_LIST, AT(list)},
    {"pairs", CONFIG_LABELS, AT(pairs)},
    {"custom", CONFIG_CUSTOM, AT(custom), .decode = decode_custom},
    {NULL, CONFIG_INLINE, AT(inner), .inline_fields = inner_fields,
	.n_inline_fields = ARRAY_LEN(inner_fields)},
};

static bool decode(struct config_fixture *f, const char *text, struct block *out)
{
	struct config_ctx ctx;
	struct yaml_node *root;
	if (!config_parse_yaml(f->arena, SL("dir/x.yml"), slice_cstr(text), &f->errors, &ctx, &root))
		return false;
	return config_decode(&ctx, root, "block", fields, ARRAY_LEN(fields), out);
}

static void every_type_is_read(void **state)
{
	(void)state;
	struct config_fixture f;
	config_fixture_init(&f);
	struct block b = {0};
	bool is_good = decode(&f,
	    "text: some words\nsecret: abc\npath: a/b.pem\nflag: yes\nnumber: -12\ncount: 7\nsize: "
	    "1.5KiB\nratio: 0.25\n"
	    "wait: 1h30m\nlist: [a, 'b', 3]\npairs: {x: 1, y: two}\ncustom: good\nword: w\ninner_flag: "
	    "true\n",
	    &b);
	check_errors("errors", &f, "");
	check_true("good", is_good);
	check_str("text", b.text, "some words");
	check_str("secret", b.secret, "abc");
	check_str("path", b.path, "dir/a/b.pem");
	check_true("flag", b.flag && b.flag_set && b.inner.flag);
	check_int("number", b.number, -12);
	check_int("count", b.count, 7);
	check_int("size", b.size, 1536);
	check_double("ratio", b.ratio, 0.25);
	check_int("wait", b.wait_ms, 5400000);
	check_int("list", b.list.n, 3);
	check_str("list[2]", b.list.v[2], "3");
	check_str("pairs[1]", b.pairs.v[1].name, "y");
	check_str("pairs[1]", b.pairs.v[1].value, "two");
	check_str("custom", b.custom, "good");
	check_str("word", b.inner.word, "w");
	config_fixture_done(&f);
}

static void nulls_leave_defaults(void **state)
{
	(void)state;
	struct config_fixture f;
	config_fixture_init(&f);
	struct block b = {.text = SL("default"), .number = 5, .flag = true};
	check_true("good", decode(&f, "text:\nnumber: ~\nflag: null\nword: w\n", &b));
	check_str("text", b.text, "default");
	check_int("number", b.number, 5);
	check_true("flag", b.flag && !b.flag_set);
	config_fixture_done(&f);
}

static void all_errors_come_at_once(void **state)
{
	(void)state;
	static const struct {
		const char *name, *in, *want;
	} cases[] = {
	    {"unknown key", "word: w\ntxet: a\n",
		"dir/x.yml:2:1: field txet not found in type block (did you mean \"text\"?)\n"},
	    {"unknown key, nothing near", "word: w\nqqqqqqqq: a\n",
		"dir/x.yml:2:1: field qqqqqqqq not found in type block\n"},
	    {"missing", "text: a\n", "dir/x.yml:1:1: \"word\" is missing in block\n"},
	    {"empty where required", "word: ''\n", "dir/x.yml:1:1: \"word\" is missing in block\n"},
	    {"three of them", "word: w\nflag: maybe\nnumber: 1.5\nwait: 5 minutes\n",
		"dir/x.yml:2:7: yaml: unmarshal errors: cannot unmarshal !!str `maybe` into bool (true or "
		"false is wanted here)\n"
		"dir/x.yml:3:9: yaml: unmarshal errors: cannot unmarshal !!str `1.5` into int (a whole "
		"number is wanted here)\n"
		"dir/x.yml:4:7: unknown unit \" minutes\" in duration \"5 minutes\" (a duration is a number "
		"with a unit, such as "
		"30s, 5m or 1h30m)\n"},
	    {"quoted number", "word: w\ncount: '7'\n",
		"dir/x.yml:2:8: yaml: unmarshal errors: cannot unmarshal !!str `7` into uint (a whole number "
		"of 0 or more is "
		"wanted here)\n"},
	    {"too big", "word: w\ncount: 99999999999999999999\n",
		"dir/x.yml:2:8: yaml: unmarshal errors: cannot unmarshal !!str `99999999999999999999` into "
		"uint (a whole number "
		"of 0 or more is wanted here)\n"},
	    {"size", "word: w\nsize: 10 apples\n",
		"dir/x.yml:2:7: \"10 apples\" is not a valid size (a number with a unit, such as 512KB, 10MB "
		"or 1.5GiB)\n"},
	    {"list for text", "word: [w]\n",
		"dir/x.yml:1:7: yaml: unmarshal errors: cannot unmarshal !!seq into string (a text is wanted "
		"here)\n"},
	    {"text for list", "word: w\nlist: a\n",
		"dir/x.yml:2:7: yaml: unmarshal errors: cannot unmarshal !!str `a` into []string (a list is "
		"wanted here: [\"a\", "
		"\"b\"])\n"},
	    {"custom", "word: w\ncustom: bad\n", "dir/x.yml:2:9: bad word (good would be right)\n"},
	    {"no map", "[1, 2]\n",
		"dir/x.yml:1:1: yaml: unmarshal errors: cannot unmarshal !!seq into block (a map of keys and "
		"values is wanted "
		"here)\n"},
	    {"section twice", "word: w\ntext: a\nword: x\n",
		"dir/x.yml:3:1: field word already set in type config.plain (it stands at line 1 too)\n"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct config_fixture f;
		config_fixture_init(&f);
		struct block b = {0};
		check_true(cases[i].name, !decode(&f, cases[i].in, &b));
		check_errors(cases[i].name, &f, cases[i].want);
		config_fixture_done(&f);
	}
}

static void warnings_refuse_nothing(void **state)
{
	(void)state;
	struct config_fixture f;
	config_fixture_init(&f);
	struct config_ctx ctx = {.arena = f.arena, .file = SL("a"), .dir = SL("."), .errors = &f.errors};
	config_warn(&ctx, NULL, "careful with %d", 1);
	check_true("no error", !config_has_errors(&f.errors));
	struct strbuf sb = STRBUF_INIT;
	config_errors_print(&sb, &f.errors);
	check_slice("printed", strbuf_slice(&sb), SL("a: warning: careful with 1\n"));
	strbuf_done(&sb);
	config_fixture_done(&f);
}

static void sizes(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		bool is_good;
		uint64_t want;
	} cases[] = {{"0", true, 0}, {"1B", true, 1}, {"2KB", true, 2048}, {"1.5GiB", true, 1610612736},
	    {"10MB", true, 10485760}, {"1EB", true, (uint64_t)1 << 60}, {"100", false, 0}, {"", false, 0},
	    {"MB", false, 0}, {"1XB", false, 0}, {"1K", false, 0}, {"-1MB", false, 0}, {"1BB", false, 0},
	    {"16EB", false, 0}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint64_t v = 0;
		check_int(cases[i].in, config_size_parse(slice_cstr(cases[i].in), &v), cases[i].is_good);
		if (cases[i].is_good)
			check_int(cases[i].in, v, cases[i].want);
	}
}

static void nearest_word(void **state)
{
	(void)state;
	static const char *const names[] = {"consul_sd_configs", "static_configs", "job_name", "a"};
	check_str("one letter too many", slice_cstr(config_nearest(SL("consult_sd_configs"), names, 4)),
	    "consul_sd_configs");
	check_str("two letters swapped", slice_cstr(config_nearest(SL("jbo_name"), names, 4)), "job_name");
	check_true("far from all", !config_nearest(SL("remote_write"), names, 4));
	check_true("not the one-letter name", !config_nearest(SL("xy"), names, 4));
	check_true("empty", !config_nearest(SL_EMPTY, names, 4));
}

static void files_that_cannot_be_read(void **state)
{
	(void)state;
	struct config_fixture f;
	config_fixture_init(&f);
	struct config_ctx ctx;
	struct yaml_node *root;
	struct slice content;
	check_true(
	    "missing", !config_read_yaml(f.arena, "/nonexistent/x.yml", &f.errors, &ctx, &root, &content));
	check_int("one error", f.errors.len, 1);
	check_str("names the file", f.errors.v[0].file, "/nonexistent/x.yml");
	config_fixture_done(&f);
}

TEST_MAIN("decode", cmocka_unit_test(every_type_is_read), cmocka_unit_test(nulls_leave_defaults),
    cmocka_unit_test(all_errors_come_at_once), cmocka_unit_test(warnings_refuse_nothing),
    cmocka_unit_test(sizes), cmocka_unit_test(nearest_word), cmocka_unit_test(files_that_cannot_be_read))
