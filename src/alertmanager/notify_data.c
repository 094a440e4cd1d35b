#include "alertmanager/notify_data.h"

#include "model/duration.h"
#include "template/template_exec.h"
#include <inttypes.h>
#include <stdio.h>

static const struct template_class kv_class, pair_class, pairs_class, alert_class, alerts_class, data_class;

/* Go's zero time, year 1: what a firing alert has as its end. */
static const int64_t zero_time_s = -62135596800;

/* --- JSON -------------------------------------------------------------------------------------------------------- */
void notify_json_key(struct json *j, struct slice key)
{
	json_string(j, key);
	strbuf_addch(j->out, ':');
	j->after_key = true;
}

static void key_text(struct json *j, const char *key, struct slice s)
{
	json_key(j, key);
	json_string(j, s);
}

void notify_json_labels(struct json *j, const struct labels *ls)
{
	json_object_begin(j);
	LABELS_EACH (l, ls) {
		notify_json_key(j, l->name);
		json_string(j, l->value);
	}
	json_object_end(j);
}

static void key_labels(struct json *j, const char *key, const struct labels *ls)
{
	json_key(j, key);
	notify_json_labels(j, ls);
}

static void key_time(struct json *j, const char *key, int64_t t_ms)
{
	struct strbuf sb = STRBUF_INIT;
	rfc3339_print(&sb, t_ms, -1);
	key_text(j, key, strbuf_slice(&sb));
	strbuf_done(&sb);
}

void notify_json_alert(struct json *j, const struct notified_alert *a)
{
	json_object_begin(j);
	key_text(j, "status", a->is_resolved ? SL("resolved") : SL("firing"));
	key_labels(j, "labels", a->alert->labels);
	key_labels(j, "annotations", a->alert->annotations);
	key_time(j, "startsAt", a->alert->starts_at_ms);
	if (a->is_resolved)
		key_time(j, "endsAt", a->alert->ends_at_ms);
	else
		key_text(j, "endsAt", SL("0001-01-01T00:00:00Z"));
	key_text(j, "generatorURL", a->alert->generator_url);
	char fingerprint[17];
	snprintf(fingerprint, sizeof(fingerprint), "%016" PRIx64, a->fingerprint);
	key_text(j, "fingerprint", slice_cstr(fingerprint));
	json_object_end(j);
}

static void data_json(struct json *j, const struct notification *n, struct arena *arena)
{
	json_object_begin(j);
	key_text(j, "receiver", n->receiver);
	key_text(j, "status", slice_cstr(notification_status(n)));
	json_key(j, "alerts");
	json_array_begin(j);
	for (size_t i = 0; i < n->n_alerts; i++)
		notify_json_alert(j, &n->alerts[i]);
	json_array_end(j);
	key_text(j, "notification_reason", slice_cstr(notify_reason_text(n->reason)));
	key_labels(j, "groupLabels", n->group_labels);
	key_labels(j, "commonLabels", notification_common_labels(n, arena));
	key_labels(j, "commonAnnotations", notification_common_annotations(n, arena));
	key_labels(j, "routeLabels", n->route_labels);
	key_text(j, "externalURL", n->external_url);
	json_object_end(j);
}

static void object_json(struct json *j, const struct template_value *v, struct arena *arena)
{
	if (v->class == &alert_class) {
		notify_json_alert(j, v->as.object);
	} else if (v->class == &data_class) {
		data_json(j, v->as.object, arena);
	} else if (v->class == &pair_class) {
		const struct label *l = v->as.object;
		json_object_begin(j);
		key_text(j, "Name", l->name);
		key_text(j, "Value", l->value);
		json_object_end(j);
	} else {
		json_null(j);
	}
}

static void printed_json(struct json *j, const struct template_value *v)
{
	struct strbuf sb = STRBUF_INIT;
	template_print(&sb, v);
	json_string(j, strbuf_slice(&sb));
	strbuf_done(&sb);
}

/* Values of templates are made level by level by a bounded execution; JSON_MAX_DEPTH bounds what is written. */
void notify_data_json(struct json *j, const struct template_value *v, struct arena *arena)
{
	if (j->depth + 2 >= JSON_MAX_DEPTH) {
		json_null(j);
		return;
	}
	switch (v->kind) {
	case TV_NIL:
		json_null(j);
		return;
	case TV_BOOL:
		json_bool(j, v->as.boolean);
		return;
	case TV_INT:
		json_int(j, v->as.integer);
		return;
	case TV_UINT:
		json_uint(j, v->as.uinteger);
		return;
	case TV_FLOAT:
		json_double(j, v->as.number);
		return;
	case TV_STRING:
		json_string(j, v->as.text);
		return;
	case TV_DURATION:
		json_int(j, v->as.duration_ns);
		return;
	case TV_TIME: {
		struct strbuf sb = STRBUF_INIT;
		rfc3339_print(&sb, v->as.time.s * 1000 + v->as.time.ns / 1000000, -1);
		json_string(j, strbuf_slice(&sb));
		strbuf_done(&sb);
		return;
	}
	case TV_LIST:
		json_array_begin(j);
		for (size_t i = 0; i < v->as.list.n; i++)
			notify_data_json(j, &v->as.list.v[i], arena);
		json_array_end(j);
		return;
	case TV_MAP:
		json_object_begin(j);
		for (size_t i = 0; i < v->as.map.n; i++) {
			notify_json_key(j, v->as.map.v[i].key);
			notify_data_json(j, &v->as.map.v[i].value, arena);
		}
		json_object_end(j);
		return;
	case TV_HISTOGRAM:
		printed_json(j, v);
		return;
	case TV_OBJECT:
		object_json(j, v, arena);
		return;
	}
}

/* --- label maps -------------------------------------------------------------------------------------------------- */
static struct template_value kv_of(struct arena *arena, const struct labels *ls)
{
	struct template_value v = template_labels(arena, ls);
	v.class = &kv_class;
	return v;
}

/* The entries with alertname in front. */
static const struct label *sorted_pairs(struct arena *arena, const struct template_value *kv)
{
	const struct template_map *m = &kv->as.map;
	struct label *l = ARENA_ARRAY(arena, struct label, m->n);
	size_t n = 0;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < m->n; i++)
			if (slice_eq(m->v[i].key, SL("alertname")) == (pass == 0))
				l[n++] = (struct label){m->v[i].key, m->v[i].value.as.text};
	return l;
}

static struct template_value pairs_of(struct arena *arena, const struct label *l, size_t n)
{
	struct template_value *v = ARENA_ARRAY(arena, struct template_value, n);
	for (size_t i = 0; i < n; i++)
		v[i] = template_object(&pair_class, &l[i]);
	struct template_value list = template_list(v, n);
	list.class = &pairs_class;
	return list;
}

static struct template_value names_or_values(
    struct arena *arena, const struct label *l, size_t n, bool values)
{
	struct slice *v = ARENA_ARRAY(arena, struct slice, n);
	for (size_t i = 0; i < n; i++)
		v[i] = values ? l[i].value : l[i].name;
	return template_texts(arena, v, n);
}

static bool is_listed(const struct template_value *names, struct slice key)
{
	for (size_t i = 0; i < names->as.list.n; i++)
		if (names->as.list.v[i].kind == TV_STRING && slice_eq(names->as.list.v[i].as.text, key))
			return true;
	return false;
}

static int kv_remove(struct arena *arena, const struct template_value *kv, const struct template_value *args,
    size_t n_args, struct template_value *out, struct err *err)
{
	if (n_args != 1 || args[0].kind != TV_LIST)
		return err_set(err, ERR_INVALID, "wrong type for value; expected []string; got %s",
		    n_args ? template_type_name(&args[0]) : "nothing");
	const struct template_map *m = &kv->as.map;
	struct template_entry *v = ARENA_ARRAY(arena, struct template_entry, m->n);
	size_t n = 0;
	for (size_t i = 0; i < m->n; i++)
		if (!is_listed(&args[0], m->v[i].key))
			v[n++] = m->v[i];
	*out = template_map(v, n, true);
	out->class = &kv_class;
	return 0;
}

static int kv_get(struct template_exec *x, const struct template_value *self, struct slice name,
    const struct template_value *args, size_t n_args, struct template_value *out, struct err *err)
{
	struct arena *arena = template_exec_arena(x);
	size_t n = self->as.map.n;
	if (slice_eq(name, SL("SortedPairs")))
		*out = pairs_of(arena, sorted_pairs(arena, self), n);
	else if (slice_eq(name, SL("Names")) || slice_eq(name, SL("Values")))
		*out = names_or_values(arena, sorted_pairs(arena, self), n, slice_eq(name, SL("Values")));
	else if (slice_eq(name, SL("Remove")))
		return kv_remove(arena, self, args, n_args, out, err);
	else
		return ERR_NOT_FOUND;
	return 0;
}

static void kv_print(struct strbuf *out, const struct template_value *self)
{
	struct arena *arena = arena_new(ARENA_NO_LIMIT);
	const struct label *l = sorted_pairs(arena, self);
	for (size_t i = 0; i < self->as.map.n; i++)
		strbuf_addf(
		    out, "%s%" SL_FMT "=%" SL_FMT, i ? ", " : "", SL_ARG(l[i].name), SL_ARG(l[i].value));
	arena_free(arena);
}

static const struct template_class kv_class = {"template.KV", kv_get, kv_print};

static int pair_get(struct template_exec *x, const struct template_value *self, struct slice name,
    const struct template_value *args, size_t n_args, struct template_value *out, struct err *err)
{
	(void)x, (void)args, (void)n_args, (void)err;
	const struct label *l = self->as.object;
	if (slice_eq(name, SL("Name")))
		*out = template_text(l->name);
	else if (slice_eq(name, SL("Value")))
		*out = template_text(l->value);
	else
		return ERR_NOT_FOUND;
	return 0;
}

static void pair_print(struct strbuf *out, const struct template_value *self)
{
	const struct label *l = self->as.object;
	strbuf_addf(out, "{%" SL_FMT " %" SL_FMT "}", SL_ARG(l->name), SL_ARG(l->value));
}

static const struct template_class pair_class = {"template.Pair", pair_get, pair_print};

static int pairs_get(struct template_exec *x, const struct template_value *self, struct slice name,
    const struct template_value *args, size_t n_args, struct template_value *out, struct err *err)
{
	(void)args, (void)n_args, (void)err;
	struct arena *arena = template_exec_arena(x);
	bool values = slice_eq(name, SL("Values"));
	if (!values && !slice_eq(name, SL("Names")))
		return ERR_NOT_FOUND;
	struct label *l = ARENA_ARRAY(arena, struct label, self->as.list.n);
	for (size_t i = 0; i < self->as.list.n; i++)
		l[i] = *(const struct label *)self->as.list.v[i].as.object;
	*out = names_or_values(arena, l, self->as.list.n, values);
	return 0;
}

static void pairs_print(struct strbuf *out, const struct template_value *self)
{
	for (size_t i = 0; i < self->as.list.n; i++) {
		const struct label *l = self->as.list.v[i].as.object;
		strbuf_addf(out, "%s%" SL_FMT "=%" SL_FMT, i ? ", " : "", SL_ARG(l->name), SL_ARG(l->value));
	}
}

static const struct template_class pairs_class = {"template.Pairs", pairs_get, pairs_print};

/* --- alerts ------------------------------------------------------------------------------------------------------ */
static int alert_get(struct template_exec *x, const struct template_value *self, struct slice name,
    const struct template_value *args, size_t n_args, struct template_value *out, struct err *err)
{
	(void)args, (void)n_args, (void)err;
	struct arena *arena = template_exec_arena(x);
	const struct notified_alert *a = self->as.object;
	if (slice_eq(name, SL("Status")))
		*out = template_text(a->is_resolved ? SL("resolved") : SL("firing"));
	else if (slice_eq(name, SL("Labels")))
		*out = kv_of(arena, a->alert->labels);
	else if (slice_eq(name, SL("Annotations")))
		*out = kv_of(arena, a->alert->annotations);
	else if (slice_eq(name, SL("StartsAt")))
		*out = template_time_ms(a->alert->starts_at_ms);
	else if (slice_eq(name, SL("EndsAt")))
		*out = template_time_ms(a->is_resolved ? a->alert->ends_at_ms : zero_time_s * 1000);
	else if (slice_eq(name, SL("GeneratorURL")))
		*out = template_text(a->alert->generator_url);
	else if (slice_eq(name, SL("Fingerprint")))
		*out = template_text(arena_printf(arena, "%016" PRIx64, a->fingerprint));
	else
		return ERR_NOT_FOUND;
	return 0;
}

static const struct template_class alert_class = {"template.Alert", alert_get, NULL};

enum alert_choice { ALL_ALERTS, FIRING_ALERTS, RESOLVED_ALERTS };

static struct template_value alerts_of(
    struct arena *arena, const struct template_value *from, size_t n, enum alert_choice choice)
{
	struct template_value *v = ARENA_ARRAY(arena, struct template_value, n);
	size_t len = 0;
	for (size_t i = 0; i < n; i++) {
		const struct notified_alert *a = from[i].as.object;
		if (choice == ALL_ALERTS || a->is_resolved == (choice == RESOLVED_ALERTS))
			v[len++] = from[i];
	}
	struct template_value list = template_list(v, len);
	list.class = &alerts_class;
	return list;
}

static int alerts_get(struct template_exec *x, const struct template_value *self, struct slice name,
    const struct template_value *args, size_t n_args, struct template_value *out, struct err *err)
{
	(void)args, (void)n_args, (void)err;
	bool firing = slice_eq(name, SL("Firing"));
	if (!firing && !slice_eq(name, SL("Resolved")))
		return ERR_NOT_FOUND;
	*out = alerts_of(template_exec_arena(x), self->as.list.v, self->as.list.n,
	    firing ? FIRING_ALERTS : RESOLVED_ALERTS);
	return 0;
}

static const struct template_class alerts_class = {"template.Alerts", alerts_get, NULL};

/* --- the root ---------------------------------------------------------------------------------------------------- */
static struct template_value all_alerts(struct arena *arena, const struct notification *n)
{
	struct template_value *v = ARENA_ARRAY(arena, struct template_value, n->n_alerts);
	for (size_t i = 0; i < n->n_alerts; i++)
		v[i] = template_object(&alert_class, &n->alerts[i]);
	return alerts_of(arena, v, n->n_alerts, ALL_ALERTS);
}

static int data_get(struct template_exec *x, const struct template_value *self, struct slice name,
    const struct template_value *args, size_t n_args, struct template_value *out, struct err *err)
{
	(void)args, (void)n_args, (void)err;
	struct arena *arena = template_exec_arena(x);
	const struct notification *n = self->as.object;
	if (slice_eq(name, SL("Receiver")))
		*out = template_text(n->receiver);
	else if (slice_eq(name, SL("Status")))
		*out = template_text(slice_cstr(notification_status(n)));
	else if (slice_eq(name, SL("Alerts")))
		*out = all_alerts(arena, n);
	else if (slice_eq(name, SL("NotificationReason")))
		*out = template_text(slice_cstr(notify_reason_text(n->reason)));
	else if (slice_eq(name, SL("GroupLabels")))
		*out = kv_of(arena, n->group_labels);
	else if (slice_eq(name, SL("CommonLabels")))
		*out = kv_of(arena, notification_common_labels(n, arena));
	else if (slice_eq(name, SL("CommonAnnotations")))
		*out = kv_of(arena, notification_common_annotations(n, arena));
	else if (slice_eq(name, SL("RouteLabels")))
		*out = kv_of(arena, n->route_labels);
	else if (slice_eq(name, SL("ExternalURL")))
		*out = template_text(n->external_url);
	else
		return ERR_NOT_FOUND;
	return 0;
}

static const struct template_class data_class = {"*template.Data", data_get, NULL};

struct template_value notify_data_root(const struct notification *n)
{
	return template_object(&data_class, n);
}
