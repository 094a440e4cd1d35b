/* The admin endpoints of the store: deleting series, cleaning up after it, snapshots; and sealing, which is promq's own: it
 * brings everything that is in memory into its final form on disk, before a backup or a measurement. */
#include "web/api_call.h"

/* Who is not allowed to ask is told that first. */
static int check_allowed(const struct api_call *c, bool store_can, const char *what, struct err *err)
{
	if (!c->web->options.enable_admin)
		return err_set(err, ERR_UNAVAILABLE, "admin APIs disabled");
	return store_can ? 0 : err_set(err, ERR_UNSUPPORTED, "not implemented: %s", what);
}

/* With compact=1 the parts are joined too, as time alone would do it. */
int api_admin_seal(struct api_call *c, struct err *err)
{
	const struct web_store_provider *store = &c->deps->store;
	if (!c->web->options.enable_admin)
		return err_set(err, ERR_UNAVAILABLE, "admin APIs disabled");
	if (!store->seal)
		return err_set(err, ERR_UNSUPPORTED, "this store has nothing to seal");
	int rc = store->seal(store->arg, err);
	if (rc == 0 && store->compact && slice_eq(api_param(c, "compact"), SL("1")))
		rc = store->compact(store->arg, err);
	return rc ? rc : API_NO_DATA;
}

/* --- deleting ---------------------------------------------------------------------------------------------------- */

static int delete_all(struct api_call *c, const struct matcher_set_vec *sets, struct err *err)
{
	const struct web_store_provider *store = &c->deps->store;
	int64_t start_ms, end_ms;
	if (sets->len == 0)
		return err_set(err, ERR_INVALID, "no match[] parameter provided");
	int rc = api_param_range(c, &start_ms, &end_ms, err);
	for (size_t i = 0; i < sets->len && rc == 0; i++)
		rc = store->delete_series(store->arg, sets->v[i].v, sets->v[i].n, start_ms, end_ms, err);
	return rc;
}

int api_admin_delete_series(struct api_call *c, struct err *err)
{
	struct matcher_set_vec sets = {0};
	int rc = check_allowed(c, c->deps->store.delete_series != NULL, "deleting series", err);
	if (rc == 0)
		rc = api_param_matchers(c, &sets, err);
	if (rc == 0)
		rc = delete_all(c, &sets, err);
	matcher_set_vec_done(&sets);
	return rc ? rc : API_NO_DATA;
}

int api_admin_clean_tombstones(struct api_call *c, struct err *err)
{
	const struct web_store_provider *store = &c->deps->store;
	int rc = check_allowed(c, store->clean_tombstones != NULL, "cleaning tombstones", err);
	if (rc == 0)
		rc = store->clean_tombstones(store->arg, err);
	return rc ? rc : API_NO_DATA;
}

/* --- snapshots --------------------------------------------------------------------------------------------------- */

/* As Go's strconv.ParseBool; absent is false. */
static int param_bool(struct api_call *c, const char *name, bool *out, struct err *err)
{
	static const struct {
		const char *text;
		bool value;
	} known[] = {{"", false}, {"1", true}, {"t", true}, {"T", true}, {"TRUE", true}, {"true", true},
	    {"True", true}, {"0", false}, {"f", false}, {"F", false}, {"FALSE", false}, {"false", false},
	    {"False", false}};
	struct slice text = api_param(c, name);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (slice_eq(text, slice_cstr(known[i].text))) {
			*out = known[i].value;
			return 0;
		}
	}
	return err_set(err, ERR_INVALID,
	    "invalid parameter \"%s\": unable to parse boolean: strconv.ParseBool: parsing %s: invalid "
	    "syntax",
	    name, api_quoted(c, text));
}

int api_admin_snapshot(struct api_call *c, struct err *err)
{
	const struct web_store_provider *store = &c->deps->store;
	bool skip_head = false;
	struct slice name = SL_EMPTY;
	int rc = check_allowed(c, store->snapshot != NULL, "snapshots", err);
	if (rc == 0)
		rc = param_bool(c, "skip_head", &skip_head, err);
	if (rc == 0)
		rc = store->snapshot(store->arg, !skip_head, c->arena, &name, err);
	if (rc)
		return rc;
	json_object_begin(&c->json);
	json_key(&c->json, "name");
	json_string(&c->json, name);
	json_object_end(&c->json);
	return 0;
}
