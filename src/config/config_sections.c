#include "config/config_sections.h"

#include "config/printer.h"

#define O(member) offsetof(struct config_otlp, member)
#define S(member) offsetof(struct config_storage, member)
#define T(member) offsetof(struct config_tracing, member)

void config_sections_init(struct config *c)
{
	c->storage.max_exemplars = 100000;
	c->otlp.translation_strategy = SL("UnderscoreEscapingWithSuffixes");
	c->otlp.label_name_underscore_sanitization = true;
	c->otlp.label_name_preserve_multiple_underscores = true;
	c->gogc = 75;
}

/* otlp */

static const struct config_field otlp_fields[] = {
    {"promote_all_resource_attributes", CONFIG_BOOL, O(promote_all_resource_attributes)},
    {"promote_resource_attributes", CONFIG_STRING_LIST, O(promote_resource_attributes)},
    {"ignore_resource_attributes", CONFIG_STRING_LIST, O(ignore_resource_attributes)},
    {"translation_strategy", CONFIG_STRING, O(translation_strategy)},
    {"keep_identifying_resource_attributes", CONFIG_BOOL, O(keep_identifying_resource_attributes)},
    {"convert_histograms_to_nhcb", CONFIG_BOOL, O(convert_histograms_to_nhcb)},
    {"promote_scope_metadata", CONFIG_BOOL, O(promote_scope_metadata)},
    {"label_name_underscore_sanitization", CONFIG_BOOL, O(label_name_underscore_sanitization),
	.prints_zero = true},
    {"label_name_preserve_multiple_underscores", CONFIG_BOOL, O(label_name_preserve_multiple_underscores),
	.prints_zero = true},
};

/* Trims; an empty or repeated name is an error. */
static void clean_attributes(
    struct config_ctx *ctx, const struct yaml_node *at, const char *key, struct config_strings *list)
{
	const struct yaml_node *place = yaml_get(at, key);
	for (size_t i = 0; i < list->n; i++) {
		list->v[i] = slice_trim(list->v[i]);
		if (list->v[i].len == 0)
			config_error(
			    ctx, place->items[i], "invalid '%s': empty OTel resource attribute", key);
		for (size_t k = 0; k < i; k++)
			if (list->v[i].len && slice_eq(list->v[i], list->v[k]))
				config_error(ctx, place->items[i],
				    "invalid '%s': duplicated OTel resource attribute \"%" SL_FMT "\"", key,
				    SL_ARG(list->v[i]));
	}
}

void config_decode_otlp(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct config_otlp *o = field;
	if (!config_decode(ctx, node, "config.OTLPConfig", otlp_fields, ARRAY_LEN(otlp_fields), o))
		return;
	if (o->promote_all_resource_attributes && o->promote_resource_attributes.n)
		config_error(ctx, node,
		    "'promote_all_resource_attributes' and 'promote_resource_attributes' cannot be "
		    "configured simultaneously");
	if (!o->promote_all_resource_attributes && o->ignore_resource_attributes.n)
		config_error(ctx, node,
		    "'ignore_resource_attributes' is only supported with 'promote_all_resource_attributes'");
	clean_attributes(ctx, node, "promote_resource_attributes", &o->promote_resource_attributes);
	clean_attributes(ctx, node, "ignore_resource_attributes", &o->ignore_resource_attributes);
	static const char *const strategies[] = {"UnderscoreEscapingWithSuffixes",
	    "NoUTF8EscapingWithSuffixes", "UnderscoreEscapingWithoutSuffixes", "NoTranslation", ""};
	for (size_t i = 0; i < ARRAY_LEN(strategies); i++)
		if (slice_eq_cstr(o->translation_strategy, strategies[i]))
			return;
	config_error(ctx, yaml_get(node, "translation_strategy"),
	    "unsupported OTLP translation strategy \"%" SL_FMT
	    "\" (UnderscoreEscapingWithSuffixes, UnderscoreEscapingWithoutSuffixes, "
	    "NoUTF8EscapingWithSuffixes or "
	    "NoTranslation)",
	    SL_ARG(o->translation_strategy));
}

void config_otlp_check(struct config_ctx *ctx, const struct yaml_node *at, const struct config *c)
{
	struct slice s = c->otlp.translation_strategy;
	bool needs_utf8 = slice_eq_cstr(s, "NoUTF8EscapingWithSuffixes") || slice_eq_cstr(s, "NoTranslation");
	if (needs_utf8 && c->global.name_validation == NAMES_LEGACY)
		config_error(ctx, at,
		    "OTLP translation strategy \"%" SL_FMT "\" is not allowed when UTF8 is disabled",
		    SL_ARG(s));
}

void config_print_otlp(struct config_printer *p, const char *key, const void *field)
{
	config_print_open(p, key);
	config_print_fields(p, otlp_fields, ARRAY_LEN(otlp_fields), field);
	config_print_close(p);
}

/* storage */

static const struct config_field retention_fields[] = {
    {"time", CONFIG_DURATION, S(retention_ms)},
    {"size", CONFIG_SIZE, S(retention_bytes)},
    {"percentage", CONFIG_DOUBLE, S(retention_percentage)},
};

/* The blocks within are decoded into the one struct: each callback is given the struct's address. */
static void decode_retention(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct config_storage *s = field;
	if (!config_decode(
		ctx, node, "config.TSDBRetentionConfig", retention_fields, ARRAY_LEN(retention_fields), s))
		return;
	if (!(s->retention_percentage >= 0 && s->retention_percentage <= 100))
		config_error(ctx, yaml_get(node, "percentage"),
		    "'storage.tsdb.retention.percentage' must be in the range [0, 100]");
}

static void print_retention(struct config_printer *p, const char *key, const void *field)
{
	const struct config_storage *s = field;
	if (!s->retention_ms && !s->retention_bytes && s->retention_percentage == 0)
		return;
	config_print_open(p, key);
	config_print_fields(p, retention_fields, ARRAY_LEN(retention_fields), s);
	config_print_close(p);
}

static void decode_encoding(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	static const struct config_field fields[] = {{"floats", CONFIG_STRING, S(float_encoding)}};
	struct config_storage *s = field;
	if (!config_decode(ctx, node, "config.ChunkEncodingConfig", fields, ARRAY_LEN(fields), s))
		return;
	if (s->float_encoding.len && !slice_eq_cstr(s->float_encoding, "xor") &&
	    !slice_eq_cstr(s->float_encoding, "xor2"))
		config_error(ctx, yaml_get(node, "floats"),
		    "unknown chunk encoding \"%" SL_FMT "\" for floats (xor or xor2)",
		    SL_ARG(s->float_encoding));
}

static void print_encoding(struct config_printer *p, const char *key, const void *field)
{
	const struct config_storage *s = field;
	if (s->float_encoding.len == 0)
		return;
	config_print_open(p, key);
	config_print_text(p, "floats", s->float_encoding);
	config_print_close(p);
}

static const struct config_field tsdb_fields[] = {
    {"out_of_order_time_window", CONFIG_DURATION, S(out_of_order_time_window_ms)},
    {"stale_series_compaction_threshold", CONFIG_DOUBLE, S(stale_series_compaction_threshold)},
    {"chunk_encoding", CONFIG_CUSTOM, 0, .decode = decode_encoding, .print = print_encoding},
    {"retention", CONFIG_CUSTOM, 0, .decode = decode_retention, .print = print_retention},
};

static void decode_tsdb(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct config_storage *s = field;
	if (!config_decode(ctx, node, "config.TSDBConfig", tsdb_fields, ARRAY_LEN(tsdb_fields), s))
		return;
	s->has_out_of_order_time_window = yaml_get(node, "out_of_order_time_window") != NULL;
	if (!(s->stale_series_compaction_threshold >= 0 && s->stale_series_compaction_threshold <= 1))
		config_error(ctx, yaml_get(node, "stale_series_compaction_threshold"),
		    "'storage.tsdb.stale_series_compaction_threshold' must be in the range [0, 1]");
}

static void print_tsdb(struct config_printer *p, const char *key, const void *field)
{
	config_print_open(p, key);
	config_print_fields(p, tsdb_fields, ARRAY_LEN(tsdb_fields), field);
	config_print_close(p);
}

static const struct config_field exemplar_fields[] = {{"max_exemplars", CONFIG_INT, S(max_exemplars)}};

static void decode_exemplars(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	config_decode(
	    ctx, node, "config.ExemplarsConfig", exemplar_fields, ARRAY_LEN(exemplar_fields), field);
}

static void print_exemplars(struct config_printer *p, const char *key, const void *field)
{
	config_print_open(p, key);
	config_print_fields(p, exemplar_fields, ARRAY_LEN(exemplar_fields), field);
	config_print_close(p);
}

static const struct config_field storage_fields[] = {
    {"tsdb", CONFIG_CUSTOM, 0, .decode = decode_tsdb, .print = print_tsdb},
    {"exemplars", CONFIG_CUSTOM, 0, .decode = decode_exemplars, .print = print_exemplars},
};

void config_decode_storage(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	config_decode(ctx, node, "config.StorageConfig", storage_fields, ARRAY_LEN(storage_fields), field);
}

static bool storage_is_default(const struct config_storage *s)
{
	return !s->out_of_order_time_window_ms && s->stale_series_compaction_threshold == 0 &&
	       !s->float_encoding.len && !s->retention_ms && !s->retention_bytes &&
	       s->retention_percentage == 0 && s->max_exemplars == 100000;
}

void config_print_storage(struct config_printer *p, const char *key, const void *field)
{
	if (storage_is_default(field))
		return;
	config_print_open(p, key);
	config_print_fields(p, storage_fields, ARRAY_LEN(storage_fields), field);
	config_print_close(p);
}

/* tracing */

static const struct config_field tracing_fields[] = {
    {"client_type", CONFIG_STRING, T(client_type)},
    {"endpoint", CONFIG_STRING, T(endpoint)},
    {"sampling_fraction", CONFIG_DOUBLE, T(sampling_fraction)},
    {"insecure", CONFIG_BOOL, T(insecure)},
    {"tls_config", CONFIG_CUSTOM, T(tls), .decode = config_decode_tls, .print = config_print_tls},
    {"headers", CONFIG_LABELS, T(headers)},
    {"compression", CONFIG_STRING, T(compression)},
    {"timeout", CONFIG_DURATION, T(timeout_ms)},
};

void config_decode_tracing(struct config_ctx *ctx, const struct yaml_node *node, void *field)
{
	struct config_tracing *t = field;
	*t = (struct config_tracing){.is_set = true, .client_type = SL("grpc"), .timeout_ms = 10000};
	if (!config_decode(ctx, node, "config.TracingConfig", tracing_fields, ARRAY_LEN(tracing_fields), t))
		return;
	if (t->endpoint.len == 0)
		config_error(ctx, node, "tracing endpoint must be set");
	if (!slice_eq_cstr(t->client_type, "grpc") && !slice_eq_cstr(t->client_type, "http"))
		config_error(ctx, yaml_get(node, "client_type"),
		    "expected tracing client type to be to be http or grpc, but got %" SL_FMT,
		    SL_ARG(t->client_type));
	if (t->compression.len && !slice_eq_cstr(t->compression, "gzip"))
		config_error(ctx, yaml_get(node, "compression"),
		    "invalid compression type %" SL_FMT " provided, valid options: gzip",
		    SL_ARG(t->compression));
	config_check_headers(ctx, &t->headers, "authorization header configuration is not yet supported");
	config_warn(ctx, node, "tracing: no traces are sent yet: the section is read and checked only");
}

void config_print_tracing(struct config_printer *p, const char *key, const void *field)
{
	if (!((const struct config_tracing *)field)->is_set)
		return;
	config_print_open(p, key);
	config_print_fields(p, tracing_fields, ARRAY_LEN(tracing_fields), field);
	config_print_close(p);
}
