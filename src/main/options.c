#include "main/options.h"

#include "config/decode.h"
#include "model/duration.h"

#include <stdlib.h>

enum option_type { STRING, BOOL, DURATION, SIZE, UINT, LIST };
enum option_effect { WORKS, IGNORED };

static const struct {
	const char *name;
	enum option_type type;
	const char *def;
	enum option_effect effect;
	const char *help;
} table[OPTIONS] = {
#define OPTION(id, name, type, def, effect, help) {name, type, def, effect, help},
#include "main/options_table.h"
#undef OPTION
};

static bool parse_uint(struct slice s, uint64_t *v)
{
	*v = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9' || *v > (UINT64_MAX - 9) / 10)
			return false;
		*v = *v * 10 + (uint64_t)(s.ptr[i] - '0');
	}
	return s.len > 0;
}

static bool parse_bool(struct slice s, bool *v)
{
	*v = slice_eq(s, SL("true"));
	return *v || slice_eq(s, SL("false"));
}

static int check_value(enum option_id id, struct slice value, struct err *err)
{
	int64_t ms;
	uint64_t n;
	bool b;
	switch (table[id].type) {
	case DURATION:
		return duration_parse(value, &ms, err);
	case SIZE:
		return config_size_parse(value, &n)
			   ? 0
			   : err_set(err, ERR_INVALID, "not a size such as 512MB: \"%" SL_FMT "\"",
				 SL_ARG(value));
	case UINT:
		return parse_uint(value, &n)
			   ? 0
			   : err_set(err, ERR_INVALID, "not a whole number: \"%" SL_FMT "\"", SL_ARG(value));
	case BOOL:
		return parse_bool(value, &b)
			   ? 0
			   : err_set(err, ERR_INVALID, "not true or false: \"%" SL_FMT "\"", SL_ARG(value));
	case STRING:
	case LIST:
		return 0;
	}
	return 0;
}

static int find(struct slice name)
{
	for (int i = 0; i < OPTIONS; i++)
		if (slice_eq_cstr(name, table[i].name))
			return i;
	return -1;
}

PRINTF_LIKE(2, 3)
static void complain(struct strbuf *problems, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	if (problems->len)
		strbuf_addch(problems, '\n');
	strbuf_addv(problems, fmt, ap);
	va_end(ap);
}

static void complain_unknown(struct strbuf *problems, struct slice name)
{
	const char *names[OPTIONS];
	for (size_t i = 0; i < OPTIONS; i++)
		names[i] = table[i].name;
	const char *near = config_nearest(name, names, OPTIONS);
	if (near)
		complain(
		    problems, "unknown long flag '--%" SL_FMT "' (did you mean --%s?)", SL_ARG(name), near);
	else
		complain(problems, "unknown long flag '--%" SL_FMT "' (--help lists them all)", SL_ARG(name));
}

static void set(struct options *o, enum option_id id, struct slice value, struct strbuf *problems)
{
	struct err err;
	if (check_value(id, value, &err))
		complain(problems, "flag --%s: %s", table[id].name, err.msg);
	else
		string_vec_push(&o->values[id], slice_dup(value));
}

/* One argument after "--"; *next is the argument behind it (NULL: none), set to NULL when it was used as the value. */
static void parse_flag(struct options *o, struct slice text, const char **next, struct strbuf *problems)
{
	size_t equals = slice_find(text, '=');
	struct slice name = slice_of(text.ptr, equals);
	int id = find(name);
	if (id < 0 && slice_starts(name, SL("no-")) && equals == text.len) {
		id = find(slice_from(name, 3));
		if (id >= 0 && table[id].type == BOOL) {
			set(o, (enum option_id)id, SL("false"), problems);
			return;
		}
		id = -1;
	}
	if (id < 0) {
		complain_unknown(problems, name);
	} else if (equals < text.len) {
		set(o, (enum option_id)id, slice_from(text, equals + 1), problems);
	} else if (table[id].type == BOOL) {
		set(o, (enum option_id)id, SL("true"), problems);
	} else if (!*next) {
		complain(problems, "expected argument for flag '--%s'", table[id].name);
	} else {
		set(o, (enum option_id)id, slice_cstr(*next), problems);
		*next = NULL;
	}
}

int options_parse(struct options *o, int argc, char **argv, struct err *err)
{
	memset(o, 0, sizeof(*o));
	struct strbuf problems = STRBUF_INIT;
	for (int i = 1; i < argc; i++) {
		const char *next = i + 1 < argc ? argv[i + 1] : NULL;
		bool had_next = next != NULL;
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			o->wants_help = true;
		else if (strcmp(argv[i], "--version") == 0)
			o->wants_version = true;
		else if (strncmp(argv[i], "--", 2) == 0)
			parse_flag(o, slice_cstr(argv[i] + 2), &next, &problems);
		else
			complain(&problems, "unexpected %s", argv[i]);
		i += had_next && !next;
	}
	int rc = problems.len ? err_set(err, ERR_INVALID, "%s", strbuf_cstr(&problems)) : 0;
	strbuf_done(&problems);
	return rc;
}

void options_done(struct options *o)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		while (o->values[i].len)
			free(string_vec_pop(&o->values[i]));
		string_vec_done(&o->values[i]);
	}
}

const char *options_text(const struct options *o, enum option_id id)
{
	const struct string_vec *v = &o->values[id];
	return v->len ? v->v[v->len - 1] : table[id].def;
}

bool options_bool(const struct options *o, enum option_id id)
{
	return strcmp(options_text(o, id), "true") == 0;
}

int64_t options_ms(const struct options *o, enum option_id id)
{
	int64_t ms = 0;
	if (duration_parse(slice_cstr(options_text(o, id)), &ms, NULL))
		return 0;
	return ms;
}

uint64_t options_uint(const struct options *o, enum option_id id)
{
	uint64_t n = 0;
	struct slice text = slice_cstr(options_text(o, id));
	if (table[id].type == SIZE)
		return config_size_parse(text, &n) ? n : 0;
	return parse_uint(text, &n) ? n : 0;
}

bool options_given(const struct options *o, enum option_id id)
{
	return o->values[id].len > 0;
}

bool options_feature(const struct options *o, const char *feature)
{
	const struct string_vec *lists = &o->values[OPT_ENABLE_FEATURE];
	VEC_EACH (char *, list, lists) {
		struct slice rest = slice_cstr(*list);
		while (rest.len) {
			size_t comma = slice_find(rest, ',');
			if (slice_eq_cstr(slice_trim(slice_of(rest.ptr, comma)), feature))
				return true;
			rest = slice_from(rest, comma < rest.len ? comma + 1 : comma);
		}
	}
	return false;
}

const char *option_name(enum option_id id)
{
	return table[id].name;
}

bool options_is_ignored(const struct options *o, enum option_id id)
{
	return table[id].effect == IGNORED && options_given(o, id);
}

void options_print_help(struct strbuf *out)
{
	strbuf_adds(out, "usage: promqd [<flags>]\n\nA Prometheus-compatible metrics database, rule engine "
			 "and alert router.\n\nFlags:\n"
			 "  -h, --help\n      Show this help.\n  --version\n      Show the version.\n");
	for (size_t i = 0; i < OPTIONS; i++) {
		if (table[i].effect == IGNORED)
			continue;
		if (table[i].type == BOOL)
			strbuf_addf(out, "  --[no-]%s\n", table[i].name);
		else
			strbuf_addf(out, "  --%s=\"%s\"%s\n", table[i].name, table[i].def,
			    table[i].type == LIST ? " ..." : "");
		strbuf_addf(out, "      %s\n", table[i].help);
	}
	strbuf_adds(out, "\nAccepted without effect, for command lines made for Prometheus:\n");
	for (size_t i = 0; i < OPTIONS; i++)
		if (table[i].effect == IGNORED)
			strbuf_addf(out, "  --%s\n", table[i].name);
}
