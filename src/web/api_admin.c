/* The admin endpoints of the store: deleting series, cleaning up after it, snapshots; and sealing, which is promq's own: it
 * brings everything that is in memory into its final form on disk, before a backup or a measurement. */
#include "web/api_call.h"

/* The store cannot do any of it yet; who is not allowed to ask is told that first. */
static int refuse(struct api_call *c, const char *what, struct err *err)
{
	if (!c->web->options.enable_admin)
		return err_set(err, ERR_UNAVAILABLE, "admin APIs disabled");
	return err_set(err, ERR_UNSUPPORTED, "not implemented: %s", what);
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

int api_admin_delete_series(struct api_call *c, struct err *err)
{
	return refuse(c, "deleting series", err);
}

int api_admin_clean_tombstones(struct api_call *c, struct err *err)
{
	return refuse(c, "cleaning tombstones", err);
}

int api_admin_snapshot(struct api_call *c, struct err *err)
{
	return refuse(c, "snapshots", err);
}
