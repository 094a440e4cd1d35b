/* The texts of alert rules: labels and annotations, with their variables set by a prelude, as Prometheus does. */
#include "template/template_funcs.h"

enum { MAX_OUTPUT_BYTES = 1 << 20 };

static const char prelude[] =
    "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}"
    "{{$value := .Value}}";

static struct slice template_name(struct slice alert, struct arena *arena)
{
	return arena_printf(arena, "__alert_%" SL_FMT, SL_ARG(alert));
}

/* The set with the text in it; NULL and an error. */
static struct template_set *parse(struct slice name, struct slice text, struct arena *arena, struct err *err)
{
	struct template_set *set = template_set_new(arena, &template_prometheus_funcs);
	struct slice whole = arena_printf(arena, "%s%" SL_FMT, prelude, SL_ARG(text));
	if (template_parse(set, name, whole, err) == 0)
		return set;
	err_prefix(err, "error parsing template %" SL_FMT ": ", SL_ARG(name));
	return NULL;
}

static struct template_value alert_data(
    const struct template_alert_data *data, const struct template_env *env, struct arena *arena)
{
	struct template_entry *e = ARENA_ARRAY(arena, struct template_entry, 4);
	e[0] = (struct template_entry){SL("ExternalLabels"), template_labels(arena, data->external_labels)};
	e[1] = (struct template_entry){SL("ExternalURL"), template_text(env->external_url)};
	e[2] = (struct template_entry){SL("Labels"), template_labels(arena, data->labels)};
	e[3] = (struct template_entry){SL("Value"), template_float(data->value)};
	if (data->histogram)
		e[3].value = (struct template_value){.kind = TV_HISTOGRAM, .as.histogram = data->histogram};
	return template_map(e, 4, false);
}

struct template_alert {
	struct slice name, text;
	const struct template_set *set; /* NULL: the text has no actions */
};

int template_alert_parse(struct slice name, struct slice text, struct arena *arena,
    const struct template_alert **out, struct err *err)
{
	struct template_alert t = {.text = text};
	if (slice_find(text, '{') < text.len) {
		t.name = template_name(name, arena);
		t.set = parse(t.name, text, arena, err);
		if (!t.set)
			return ERR_INVALID;
	}
	struct template_alert *kept = ARENA_ARRAY(arena, struct template_alert, 1);
	*kept = t;
	*out = kept;
	return 0;
}

int template_check_alert(struct slice name, struct slice text, struct arena *arena, struct err *err)
{
	const struct template_alert *ignored;
	return template_alert_parse(name, text, arena, &ignored, err);
}

int template_alert_expand(const struct template_alert *t, const struct template_alert_data *data,
    const struct template_env *env, struct arena *arena, struct slice *out, struct err *err)
{
	if (!t->set) {
		*out = t->text;
		return 0;
	}
	struct template_value value = alert_data(data, env, arena);
	struct template_options options = {.user = (void *)(uintptr_t)env};
	struct strbuf sb;
	strbuf_init(&sb, MAX_OUTPUT_BYTES);
	int rc = template_exec(t->set, t->name, &value, &options, arena, &sb, err);
	if (rc == 0)
		*out = arena_slice(arena, strbuf_slice(&sb));
	else
		err_prefix(err, "error executing template %" SL_FMT ": ", SL_ARG(t->name));
	strbuf_done(&sb);
	return rc;
}

int template_expand_alert(struct slice name, struct slice text, const struct template_alert_data *data,
    const struct template_env *env, struct arena *arena, struct slice *out, struct err *err)
{
	const struct template_alert *t;
	int rc = template_alert_parse(name, text, arena, &t, err);
	return rc == 0 ? template_alert_expand(t, data, env, arena, out, err) : rc;
}
