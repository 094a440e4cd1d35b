/* Labels of a target come in this order: the group's, its own; where still missing, job and the __ labels that carry the
 * job's settings; then relabelling; then the checks. Settings travel as labels so that relabelling may change them. */
#include "scrape/target.h"

#include "base/hash.h"
#include "base/utf8.h"
#include "model/duration.h"
#include "model/label_builder.h"
#include "model/relabel.h"
#include "net/url.h"

#define PARAM_PREFIX "__param_"
#define META_PREFIX  "__meta_"

/* --- before relabelling -------------------------------------------------------------------------------------------------- */

static void set_if_absent(struct label_builder *b, struct slice name, struct slice value)
{
	if (label_builder_get(b, name).len == 0)
		label_builder_set_copy(b, name, value);
}

static void set_duration(struct label_builder *b, struct slice name, int64_t ms)
{
	struct strbuf sb = STRBUF_INIT;
	duration_print(&sb, ms);
	set_if_absent(b, name, strbuf_slice(&sb));
	strbuf_done(&sb);
}

static struct slice bool_text(bool b)
{
	return b ? SL("true") : SL("false");
}

static void set_defaults(struct label_builder *b, const struct scrape_config *c, struct arena *arena)
{
	set_if_absent(b, SL("job"), c->job_name);
	set_duration(b, SL("__scrape_interval__"), c->scrape_interval_ms);
	set_duration(b, SL("__scrape_timeout__"), c->scrape_timeout_ms);
	set_if_absent(b, SL("__metrics_path__"), c->metrics_path);
	set_if_absent(b, SL("__scheme__"), c->scheme);
	set_if_absent(b, SL("__scrape_native_histograms__"), bool_text(c->switches.native_histograms));
	set_if_absent(
	    b, SL("__convert_classic_histograms_to_nhcb__"), bool_text(c->switches.convert_classic_to_nhcb));
	set_if_absent(
	    b, SL("__always_scrape_classic_histograms__"), bool_text(c->switches.always_classic_histograms));
	for (size_t i = 0; i < c->params.n; i++) {
		const struct scrape_param *p = &c->params.v[i];
		if (p->values.n > 0)
			set_if_absent(
			    b, arena_printf(arena, PARAM_PREFIX "%" SL_FMT, SL_ARG(p->name)), p->values.v[0]);
	}
}

/* --- checks --------------------------------------------------------------------------------------------------------------- */

static int quoted_error(struct err *err, struct slice s, const char *behind)
{
	struct strbuf q = STRBUF_INIT;
	utf8_quote_go(&q, s);
	int rc = err_set(err, ERR_INVALID, "%" SL_FMT "%s", SL_ARG(strbuf_slice(&q)), behind);
	strbuf_done(&q);
	return rc;
}

static int check_address(struct slice address, struct err *err)
{
	if (address.len == 0)
		return err_set(err, ERR_INVALID, "no address");
	if (slice_find(address, '/') < address.len)
		return quoted_error(err, address, " is not a valid hostname");
	return 0;
}

static int parse_duration(struct slice text, const char *what, int64_t *ms, struct err *err)
{
	int rc = duration_parse(text, ms, err);
	if (rc < 0)
		return err_prefix(err, "error parsing scrape %s: ", what);
	if (*ms == 0)
		return err_set(err, ERR_INVALID, "scrape %s cannot be 0", what);
	return 0;
}

static int parse_timing(const struct label_builder *b, struct target *t, struct err *err)
{
	struct slice interval = label_builder_get(b, SL("__scrape_interval__"));
	struct slice timeout = label_builder_get(b, SL("__scrape_timeout__"));
	int rc = parse_duration(interval, "interval", &t->interval_ms, err);
	if (rc == 0)
		rc = parse_duration(timeout, "timeout", &t->timeout_ms, err);
	if (rc == 0 && t->timeout_ms > t->interval_ms)
		rc = err_set(err, ERR_INVALID,
		    "scrape timeout cannot be greater than scrape interval (\"%" SL_FMT "\" > \"%" SL_FMT
		    "\")",
		    SL_ARG(timeout), SL_ARG(interval));
	return rc;
}

static int check_switches(const struct label_builder *b, struct err *err)
{
	static const struct slice names[] = {SL_INIT("__scrape_native_histograms__"),
	    SL_INIT("__convert_classic_histograms_to_nhcb__"),
	    SL_INIT("__always_scrape_classic_histograms__")};
	static const char *const booleans[] = {
	    "1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct slice value = label_builder_get(b, names[i]);
		bool known = value.len == 0;
		for (size_t k = 0; k < ARRAY_LEN(booleans); k++)
			known = known || slice_eq_cstr(value, booleans[k]);
		if (!known)
			return err_set(err, ERR_INVALID, "%" SL_FMT " must be a boolean, not \"%" SL_FMT "\"",
			    SL_ARG(names[i]), SL_ARG(value));
	}
	return 0;
}

/* --- after it --------------------------------------------------------------------------------------------------------------- */

static const struct labels *without_prefix(const struct labels *ls, struct slice prefix, struct arena *arena)
{
	struct label_builder b;
	label_builder_init(&b, arena, NULL);
	LABELS_EACH (l, ls) {
		if (!slice_starts(l->name, prefix))
			label_builder_set(&b, l->name, l->value);
	}
	return labels_copy_to(arena, label_builder_labels(&b));
}

/* As Go prints a path: slashes and what else is plain there stay. */
static void add_path(struct strbuf *out, struct slice path)
{
	if (path.len > 0 && path.ptr[0] != '/')
		strbuf_addch(out, '/');
	for (size_t i = 0; i < path.len; i++) {
		char c = path.ptr[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			     (c != '\0' && strchr("-_.~$&+,/:;=@", c));
		if (plain)
			strbuf_addch(out, c);
		else
			strbuf_addf(out, "%%%02X", (unsigned char)c);
	}
}

static void add_param(struct strbuf *out, struct slice name, struct slice value, bool *any)
{
	strbuf_addch(out, *any ? '&' : '?');
	*any = true;
	url_query_escape(out, name);
	strbuf_addch(out, '=');
	url_query_escape(out, value);
}

static const struct scrape_param *configured(const struct scrape_config *c, struct slice name)
{
	for (size_t i = 0; i < c->params.n; i++)
		if (slice_eq(c->params.v[i].name, name))
			return &c->params.v[i];
	return NULL;
}

/* Labels are sorted, so the parameters come sorted too. The first value of each is the label's; a parameter whose label
 * relabelling took away has its configured values still. */
static void add_params(
    struct strbuf *out, const struct labels *ls, const struct scrape_config *c, struct arena *arena)
{
	struct label_builder first;
	label_builder_init(&first, arena, NULL);
	for (size_t i = 0; i < c->params.n; i++)
		if (c->params.v[i].values.n > 0)
			label_builder_set(&first, c->params.v[i].name, c->params.v[i].values.v[0]);
	LABELS_EACH (l, ls) {
		if (slice_starts(l->name, SL(PARAM_PREFIX)))
			label_builder_set(&first, slice_from(l->name, strlen(PARAM_PREFIX)), l->value);
	}
	bool any = false;
	for (size_t i = 0; i < first.n; i++) {
		add_param(out, first.l[i].name, first.l[i].value, &any);
		const struct scrape_param *p = configured(c, first.l[i].name);
		for (size_t k = 1; p && k < p->values.n; k++)
			add_param(out, p->name, p->values.v[k], &any);
	}
}

static struct slice make_url(const struct labels *ls, const struct scrape_config *c, struct arena *arena)
{
	struct strbuf sb = STRBUF_INIT;
	strbuf_add_slice(&sb, labels_get(ls, SL("__scheme__")));
	strbuf_adds(&sb, "://");
	strbuf_add_slice(&sb, labels_get(ls, SL("__address__")));
	add_path(&sb, labels_get(ls, SL("__metrics_path__")));
	add_params(&sb, ls, c, arena);
	struct slice url = arena_slice(arena, strbuf_slice(&sb));
	strbuf_done(&sb);
	return url;
}

static int finish(struct label_builder *b, const struct scrape_config *c, struct arena *arena,
    struct target *t, struct err *err)
{
	int rc = check_address(label_builder_get(b, SL("__address__")), err);
	if (rc == 0)
		rc = parse_timing(b, t, err);
	if (rc == 0)
		rc = check_switches(b, err);
	if (rc < 0)
		return rc;
	set_if_absent(b, SL("instance"), label_builder_get(b, SL("__address__")));
	t->all = without_prefix(label_builder_labels(b), SL(META_PREFIX), arena);
	LABELS_EACH (l, t->all) {
		if (!utf8_valid(l->value))
			return quoted_error(err, l->value, " is not a valid label value");
	}
	t->labels = without_prefix(t->all, SL("__"), arena);
	t->unix_socket = labels_get(t->all, SL("__unix_socket__"));
	t->url = make_url(t->all, c, arena);
	t->hash = hash64_seed(t->url.ptr, t->url.len, labels_fingerprint(t->all));
	return 0;
}

int target_make(const struct scrape_config *config, const struct target_group *group, size_t i,
    struct arena *arena, struct target *out, enum target_fate *fate, struct err *err)
{
	struct target t = {0};
	struct label_builder b;
	label_builder_init(&b, arena, group->shared);
	LABELS_EACH (l, group->targets[i])
		label_builder_set(&b, l->name, l->value);
	set_defaults(&b, config, arena);
	t.discovered = labels_copy_to(arena, label_builder_labels(&b));
	bool kept = relabel_apply(config->relabel.v, config->relabel.n, &b);
	if (kept) {
		int rc = finish(&b, config, arena, &t, err);
		if (rc < 0)
			return rc;
	}
	*out = t;
	*fate = kept ? TARGET_ACTIVE : TARGET_DROPPED;
	return 0;
}

static bool is_local_host(struct slice host)
{
	return slice_eq(host, SL("localhost")) || slice_eq(host, SL("127.0.0.1")) ||
	       slice_eq(host, SL("[::1]"));
}

/* "host" and ":port". */
static struct slice split_port(struct slice address, struct slice *port)
{
	size_t colon = address.len;
	for (size_t i = address.len; i-- > 0 && address.ptr[i] != ']';)
		if (address.ptr[i] == ':') {
			colon = i;
			break;
		}
	*port = slice_from(address, colon);
	return slice_of(address.ptr, colon);
}

struct slice target_global_url(struct slice url, struct slice external, struct arena *arena)
{
	struct url parts;
	if (external.len == 0 || url_parse(url, &parts, NULL) < 0)
		return url;
	struct slice port, own_port;
	struct slice host = split_port(parts.host, &port);
	if (!is_local_host(host))
		return url;
	struct slice own_host = split_port(external, &own_port);
	size_t behind = (size_t)(parts.host.ptr + parts.host.len - url.ptr);
	return arena_printf(arena, "%" SL_FMT "://%" SL_FMT "%" SL_FMT "%" SL_FMT, SL_ARG(parts.scheme),
	    SL_ARG(own_host), SL_ARG(port), SL_ARG(slice_from(url, behind)));
}
