#include "config/config_scrape.h"

#include "config/config_file.h"
#include "config/config_sd.h"
#include "config/printer.h"

#define AT(member)        offsetof(struct scrape_config, member)
#define LIMIT_AT(member)  offsetof(struct scrape_limits, member)
#define SWITCH_AT(member) offsetof(struct scrape_switches, member)

/* Protocols. */

static const char *const protocol_names[SCRAPE_PROTOCOLS] = {
    [SCRAPE_PROTOBUF] = "PrometheusProto",
    [SCRAPE_OPENMETRICS_1] = "OpenMetricsText1.0.0",
    [SCRAPE_OPENMETRICS_0] = "OpenMetricsText0.0.1",
    [SCRAPE_TEXT_1] = "PrometheusText1.0.0",
    [SCRAPE_TEXT_0] = "PrometheusText0.0.4",
};

const char *scrape_protocol_name(enum scrape_protocol p)
{
	return protocol_names[p];
}

bool scrape_protocol_parse(struct slice s, enum scrape_protocol *out)
{
	for (unsigned i = 0; i < SCRAPE_PROTOCOLS; i++)
		if (slice_eq_cstr(s, protocol_names[i])) {
			*out = (enum scrape_protocol)i;
			return true;
		}
	return false;
}

static bool decode_protocol(struct config_ctx *ctx, const struct yaml_node *node, enum scrape_protocol *out)
{
	struct slice text = SL_EMPTY;
	if (!config_decode_string(ctx, node, &text))
		return false;
	if (scrape_protocol_parse(text, out))
		return true;
	const char *near = config_nearest(text, protocol_names, SCRAPE_PROTOCOLS);
	config_error(ctx, node,
	    "unknown scrape protocol %" SL_FMT
	    ", supported: [OpenMetricsText0.0.1 OpenMetricsText1.0.0 PrometheusProto "
	    "PrometheusText0.0.4 PrometheusText1.0.0]%s%s%s",
	    SL_ARG(text), near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
	return false;
}

/* All of them, as Go prints a list: for the message about one that stands twice. */
static struct slice given_protocols(struct config_ctx *ctx, const struct yaml_node *node)
{
	struct strbuf sb = STRBUF_INIT;
	for (size_t i = 0; i < node->n; i++)
		strbuf_addf(&sb, "%s%" SL_FMT, i ? " " : "", SL_ARG(node->items[i]->text));
	struct slice text = arena_slice(ctx->arena, strbuf_slice(&sb));
	strbuf_done(&sb);
	return text;
}

void config_decode_scrape_protocols(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct scrape_protocols *out = field;
	if (node->kind != YAML_LIST || node->n == 0) {
		config_error(
		    ctx, node, "scrape_protocols cannot be empty (a list, such as [PrometheusText0.0.4])");
		return;
	}
	bool seen[SCRAPE_PROTOCOLS] = {false};
	for (size_t i = 0; i < node->n; i++) {
		enum scrape_protocol p = SCRAPE_PROTOBUF;
		if (!decode_protocol(ctx, node->items[i], &p))
			continue;
		if (seen[p]) {
			struct slice all = given_protocols(ctx, node);
			config_error(ctx, node->items[i],
			    "duplicated protocol in scrape_protocols, got [%" SL_FMT "]", SL_ARG(all));
			continue;
		}
		seen[p] = true;
		out->v[out->n++] = p;
	}
}

void config_print_scrape_protocols(struct config_printer *p, const char *key, const void *field)
{
	const struct scrape_protocols *list = field;
	struct slice names[SCRAPE_PROTOCOLS];
	for (size_t i = 0; i < list->n; i++)
		names[i] = slice_cstr(protocol_names[list->v[i]]);
	config_print_list(p, key, &(struct config_strings){.v = names, .n = list->n});
}

/* fallback_protocol stands right behind has_fallback_protocol. */
struct fallback {
	bool is_set;
	enum scrape_protocol protocol;
};
_Static_assert(AT(fallback_protocol) - AT(has_fallback_protocol) == offsetof(struct fallback, protocol),
    "the two fields are read and printed as one");

static void decode_fallback(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct fallback *out = field;
	if (node->kind == YAML_SCALAR) {
		out->is_set = decode_protocol(ctx, node, &out->protocol);
		return;
	}
	config_error(ctx, node,
	    "yaml: unmarshal errors: cannot unmarshal a list into config.ScrapeProtocol (one protocol is "
	    "wanted here, such as "
	    "PrometheusText0.0.4)");
}

static void print_fallback(struct config_printer *p, const char *key, const void *field)
{
	const struct fallback *f = field;
	if (f->is_set)
		config_print_text(p, key, slice_cstr(protocol_names[f->protocol]));
}

/* Names. */

static const char *const validations[] = {
    [NAMES_UNSET] = "", [NAMES_UTF8] = "utf8", [NAMES_LEGACY] = "legacy"};
static const char *const escapings[] = {[ESCAPE_UNSET] = "",
    [ESCAPE_ALLOW_UTF8] = "allow-utf-8",
    [ESCAPE_UNDERSCORES] = "underscores",
    [ESCAPE_DOTS] = "dots",
    [ESCAPE_VALUES] = "values"};

static bool decode_word(struct config_ctx *ctx, const struct yaml_node *node, const char *const *words,
    size_t n, struct slice *text, unsigned *out)
{
	if (!config_decode_string(ctx, node, text))
		return true;
	for (unsigned i = 0; i < n; i++)
		if (slice_eq_cstr(*text, words[i])) {
			*out = i;
			return true;
		}
	return false;
}

void config_decode_name_validation(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	unsigned which = 0;
	struct slice text = SL_EMPTY;
	if (!decode_word(ctx, node, validations, ARRAY_LEN(validations), &text, &which))
		config_error(ctx, node,
		    "invalid metric_name_validation_scheme: unrecognized ValidationScheme: \"%" SL_FMT
		    "\" (utf8 or legacy)",
		    SL_ARG(text));
	*(enum name_validation *)field = (enum name_validation)which;
}

void config_decode_name_escaping(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	unsigned which = 0;
	struct slice text = SL_EMPTY;
	if (!decode_word(ctx, node, escapings, ARRAY_LEN(escapings), &text, &which))
		config_error(ctx, node,
		    "unknown metric name escaping scheme specified, must be one of 'allow-utf-8', "
		    "'underscores', 'dots', or "
		    "'values', got \"%" SL_FMT "\"",
		    SL_ARG(text));
	*(enum name_escaping *)field = (enum name_escaping)which;
}

void config_print_name_validation(struct config_printer *p, const char *key, const void *field)
{
	config_print_text(p, key, slice_cstr(validations[*(const enum name_validation *)field]));
}

void config_print_name_escaping(struct config_printer *p, const char *key, const void *field)
{
	config_print_text(p, key, slice_cstr(escapings[*(const enum name_escaping *)field]));
}

/* URL parameters. */

static void decode_params(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct scrape_params *out = field;
	if (node->kind != YAML_MAP) {
		config_error(ctx, node,
		    "yaml: unmarshal errors: a map of parameters is wanted here, each with a list of values");
		return;
	}
	out->v = ARENA_ARRAY(ctx->arena, struct scrape_param, node->n);
	out->n = node->n;
	for (size_t i = 0; i < node->n; i++) {
		out->v[i].name = node->keys[i]->text;
		config_decode_strings(ctx, node->items[i], &out->v[i].values);
	}
}

static void print_params(struct config_printer *p, const char *key, const void *field)
{
	const struct scrape_params *params = field;
	if (params->n == 0)
		return;
	config_print_open(p, key);
	for (size_t i = 0; i < params->n; i++) {
		char *name = slice_dup(params->v[i].name);
		config_print_list(p, name, &params->v[i].values);
		free(name);
	}
	config_print_close(p);
}

static void decode_metric_relabels(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	config_decode_relabels_named(
	    ctx, node, "empty or null metric relabeling rule in scrape config", field);
}

/* clang-format off */
const struct config_field scrape_limit_fields[SCRAPE_LIMIT_FIELDS] = {
	{"body_size_limit", CONFIG_SIZE, LIMIT_AT(body_size_bytes)},
	{"sample_limit", CONFIG_UINT, LIMIT_AT(samples)},
	{"target_limit", CONFIG_UINT, LIMIT_AT(targets)},
	{"label_limit", CONFIG_UINT, LIMIT_AT(labels)},
	{"label_name_length_limit", CONFIG_UINT, LIMIT_AT(label_name_length)},
	{"label_value_length_limit", CONFIG_UINT, LIMIT_AT(label_value_length)},
	{"keep_dropped_targets", CONFIG_UINT, LIMIT_AT(keep_dropped_targets)},
};

const struct config_field scrape_switch_fields[SCRAPE_SWITCH_FIELDS] = {
	{"scrape_native_histograms", CONFIG_BOOL, SWITCH_AT(native_histograms),
	    .set_offset = SWITCH_AT(has_native_histograms)},
	{"convert_classic_histograms_to_nhcb", CONFIG_BOOL, SWITCH_AT(convert_classic_to_nhcb),
	    .set_offset = SWITCH_AT(has_convert_classic_to_nhcb)},
	{"always_scrape_classic_histograms", CONFIG_BOOL, SWITCH_AT(always_classic_histograms),
	    .set_offset = SWITCH_AT(has_always_classic_histograms)},
	{"extra_scrape_metrics", CONFIG_BOOL, SWITCH_AT(extra_metrics), .set_offset = SWITCH_AT(has_extra_metrics)},
};

static const struct config_field fields[] = {
	{"job_name", CONFIG_STRING, AT(job_name)},
	{"honor_labels", CONFIG_BOOL, AT(honor_labels)},
	{"honor_timestamps", CONFIG_BOOL, AT(honor_timestamps), .prints_zero = true},
	{"track_timestamps_staleness", CONFIG_BOOL, AT(track_timestamps_staleness), .prints_zero = true},
	{"params", CONFIG_CUSTOM, AT(params), .decode = decode_params, .print = print_params},
	{"scrape_interval", CONFIG_DURATION, AT(scrape_interval_ms)},
	{"scrape_timeout", CONFIG_DURATION, AT(scrape_timeout_ms)},
	{"scrape_protocols", CONFIG_CUSTOM, AT(protocols),
	    .decode = config_decode_scrape_protocols, .print = config_print_scrape_protocols},
	{"fallback_scrape_protocol", CONFIG_CUSTOM, AT(has_fallback_protocol),
	    .decode = decode_fallback, .print = print_fallback},
	{NULL, CONFIG_INLINE, AT(switches),
	    .inline_fields = scrape_switch_fields, .n_inline_fields = SCRAPE_SWITCH_FIELDS},
	{"metrics_path", CONFIG_STRING, AT(metrics_path)},
	{"scheme", CONFIG_STRING, AT(scheme)},
	{"enable_compression", CONFIG_BOOL, AT(enable_compression), .prints_zero = true},
	{NULL, CONFIG_INLINE, AT(limits),
	    .inline_fields = scrape_limit_fields, .n_inline_fields = SCRAPE_LIMIT_FIELDS},
	{"native_histogram_bucket_limit", CONFIG_UINT, AT(native_histogram_bucket_limit)},
	{"native_histogram_min_bucket_factor", CONFIG_DOUBLE, AT(native_histogram_min_bucket_factor)},
	{"metric_name_validation_scheme", CONFIG_CUSTOM, AT(name_validation),
	    .decode = config_decode_name_validation, .print = config_print_name_validation},
	{"metric_name_escaping_scheme", CONFIG_CUSTOM, AT(name_escaping),
	    .decode = config_decode_name_escaping, .print = config_print_name_escaping},
	{"scrape_failure_log_file", CONFIG_PATH, AT(scrape_failure_log_file)},
	{NULL, CONFIG_INLINE, AT(http), CONFIG_HTTP_INLINE},
	{"relabel_configs", CONFIG_CUSTOM, AT(relabel), .decode = config_decode_relabels, .print = config_print_relabels},
	{"metric_relabel_configs", CONFIG_CUSTOM, AT(metric_relabel),
	    .decode = decode_metric_relabels, .print = config_print_relabels},
	{NULL, CONFIG_INLINE, AT(sources),
	    .inline_fields = target_source_fields, .n_inline_fields = TARGET_SOURCE_FIELDS},
};
/* clang-format on */

/* Somebody wrote a URL where host:port belongs; with relabelling it may still become an address. */
static void check_static_targets(struct config_ctx *ctx, const struct scrape_config *s)
{
	if (s->relabel.n)
		return;
	for (size_t i = 0; i < s->sources.static_groups.n; i++) {
		const struct static_group *g = &s->sources.static_groups.v[i];
		struct yaml_node at = {.line = g->line, .column = g->column};
		for (size_t k = 0; k < g->targets.n; k++) {
			struct slice target = g->targets.v[k];
			if (slice_find(target, '/') < target.len)
				config_error(ctx, &at,
				    "\"%" SL_FMT
				    "\" is not a valid hostname (host:port, without scheme or path)",
				    SL_ARG(target));
		}
	}
}

void scrape_config_decode(struct config_ctx *ctx, const struct yaml_node *node, struct scrape_config *s)
{
	*s = (struct scrape_config){.metrics_path = SL("/metrics"),
	    .scheme = SL("http"),
	    .honor_timestamps = true,
	    .enable_compression = true,
	    .file = ctx->file,
	    .line = node->line,
	    .column = node->column};
	config_http_init(&s->http);
	if (node->kind == YAML_NULL) {
		config_error(ctx, node, "empty or null scrape config section");
		return;
	}
	config_decode(ctx, node, "config.ScrapeConfig", fields, ARRAY_LEN(fields), s);
	if (node->kind != YAML_MAP)
		return;
	if (s->job_name.len == 0)
		config_error(ctx, node, "job_name is empty");
	config_http_check(ctx, node, &s->http);
	check_static_targets(ctx, s);
}

/* What a job takes from global. */

static void inherit_limits(struct scrape_limits *mine, const struct scrape_limits *global)
{
	for (size_t i = 0; i < SCRAPE_LIMIT_FIELDS; i++) {
		size_t at = scrape_limit_fields[i].offset;
		uint64_t *v = (uint64_t *)(void *)((char *)mine + at);
		if (*v == 0)
			*v = *(const uint64_t *)(const void *)((const char *)global + at);
	}
}

static void inherit_switches(struct scrape_switches *mine, const struct scrape_switches *global)
{
	for (size_t i = 0; i < SCRAPE_SWITCH_FIELDS; i++) {
		const struct config_field *f = &scrape_switch_fields[i];
		if (!*((const bool *)mine + f->set_offset))
			*((bool *)mine + f->offset) = *((const bool *)global + f->offset);
	}
}

static void inherit_times(struct config_ctx *ctx, const struct yaml_node *at, struct scrape_config *s,
    const struct config_global *global)
{
	if (s->scrape_interval_ms == 0)
		s->scrape_interval_ms = global->scrape_interval_ms;
	if (s->scrape_timeout_ms > s->scrape_interval_ms)
		config_error(ctx, at,
		    "scrape timeout greater than scrape interval for scrape config with job name \"%" SL_FMT
		    "\"",
		    SL_ARG(s->job_name));
	if (s->scrape_timeout_ms == 0)
		s->scrape_timeout_ms = global->scrape_timeout_ms < s->scrape_interval_ms
					   ? global->scrape_timeout_ms
					   : s->scrape_interval_ms;
}

static void inherit_protocols(struct scrape_config *s, const struct config_global *global)
{
	if (s->protocols.n == 0)
		s->protocols = global->protocols;
	if (s->protocols.n)
		return;
	struct scrape_protocols *p = &s->protocols;
	if (s->switches.native_histograms)
		p->v[p->n++] = SCRAPE_PROTOBUF;
	for (unsigned i = SCRAPE_OPENMETRICS_1; i < SCRAPE_PROTOCOLS; i++)
		p->v[p->n++] = (enum scrape_protocol)i;
}

/* Escaping that nobody chose follows the validation that is in force here. */
static void inherit_names(struct config_ctx *ctx, const struct yaml_node *at, struct scrape_config *s,
    const struct config_global *global)
{
	bool has_own_validation = s->name_validation != NAMES_UNSET;
	if (!has_own_validation)
		s->name_validation =
		    global->name_validation == NAMES_UNSET ? NAMES_UTF8 : global->name_validation;
	bool is_legacy = s->name_validation == NAMES_LEGACY;
	if (s->name_escaping == ESCAPE_UNSET && !(has_own_validation && is_legacy))
		s->name_escaping = global->name_escaping;
	if (s->name_escaping == ESCAPE_UNSET)
		s->name_escaping = is_legacy ? ESCAPE_UNDERSCORES : ESCAPE_ALLOW_UTF8;
	if (is_legacy && s->name_escaping == ESCAPE_ALLOW_UTF8)
		config_error(ctx, at,
		    "utf8 metric names requested but validation scheme is not set to UTF8 for scrape config "
		    "with job name "
		    "\"%" SL_FMT "\"",
		    SL_ARG(s->job_name));
}

void scrape_config_inherit(struct config_ctx *ctx, const struct yaml_node *at, struct scrape_config *s,
    const struct config_global *global)
{
	inherit_times(ctx, at, s, global);
	inherit_limits(&s->limits, &global->limits);
	inherit_switches(&s->switches, &global->switches);
	inherit_protocols(s, global);
	inherit_names(ctx, at, s, global);
	if (s->scrape_failure_log_file.len == 0)
		s->scrape_failure_log_file = global->scrape_failure_log_file;
}

void config_print_scrape(struct config_printer *p, const struct scrape_config *s)
{
	config_print_fields(p, fields, ARRAY_LEN(fields), s);
}
