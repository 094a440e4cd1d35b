/* Every path the web answers, in one table. */
#include "web/web_priv.h"

enum { GET = HTTP_GET, GET_POST = HTTP_GET | HTTP_POST, POST_PUT = HTTP_POST | HTTP_PUT };

/* clang-format off */
static const struct web_route routes[] = {
	{GET_POST, "/api/v1/query",                HTTP_LANE_QUERY,   ROUTE_PARTS, api_query, NULL},
	{GET_POST, "/api/v1/query_range",          HTTP_LANE_QUERY,   ROUTE_PARTS, api_query_range, NULL},
	{GET_POST, "/api/v1/explain",              HTTP_LANE_QUERY,   ROUTE_PARTS, api_explain, NULL},
	{GET_POST, "/api/v1/query_exemplars",      HTTP_LANE_QUERY,   0, api_query_exemplars, NULL},
	{GET_POST, "/api/v1/format_query",         HTTP_LANE_CONTROL, ROUTE_PARTS, api_format_query, NULL},
	{GET_POST, "/api/v1/parse_query",          HTTP_LANE_CONTROL, ROUTE_PARTS, api_parse_query, NULL},
	{GET_POST, "/api/v1/series",               HTTP_LANE_QUERY,   ROUTE_GATED | ROUTE_PARTS, api_series, NULL},
	{GET_POST, "/api/v1/labels",               HTTP_LANE_QUERY,   ROUTE_GATED | ROUTE_PARTS, api_labels, NULL},
	{GET,      "/api/v1/label/:name/values",   HTTP_LANE_QUERY,   ROUTE_GATED | ROUTE_PARTS, api_label_values, NULL},
	{GET,      "/api/v1/rules",                HTTP_LANE_CONTROL, 0, api_rules, NULL},
	{GET,      "/api/v1/alerts",               HTTP_LANE_CONTROL, 0, api_alerts, NULL},
	{GET,      "/api/v1/targets",              HTTP_LANE_CONTROL, 0, api_targets, NULL},
	{GET,      "/api/v1/targets/metadata",     HTTP_LANE_CONTROL, 0, api_targets_metadata, NULL},
	{GET,      "/api/v1/scrape_pools",         HTTP_LANE_CONTROL, 0, api_scrape_pools, NULL},
	{GET,      "/api/v1/scrape_pools/config",  HTTP_LANE_CONTROL, 0, api_scrape_pool_config, NULL},
	{GET,      "/api/v1/metadata",             HTTP_LANE_CONTROL, 0, api_metadata, NULL},
	{GET,      "/api/v1/alertmanagers",        HTTP_LANE_CONTROL, 0, api_alertmanagers, NULL},
	{GET,      "/api/v1/status/config",        HTTP_LANE_CONTROL, 0, api_status_config, NULL},
	{GET,      "/api/v1/status/flags",         HTTP_LANE_CONTROL, ROUTE_EARLY, api_status_flags, NULL},
	{GET,      "/api/v1/status/buildinfo",     HTTP_LANE_CONTROL, ROUTE_EARLY, api_status_buildinfo, NULL},
	{GET,      "/api/v1/status/runtimeinfo",   HTTP_LANE_CONTROL, 0, api_status_runtimeinfo, NULL},
	{GET,      "/api/v1/status/tsdb",          HTTP_LANE_CONTROL, 0, api_status_tsdb, NULL},
	{GET,      "/api/v1/status/slow_queries",  HTTP_LANE_CONTROL, 0, api_status_slow_queries, NULL},
	{GET,      "/api/v1/status/walreplay",     HTTP_LANE_CONTROL, ROUTE_EARLY, api_status_walreplay, NULL},
	{POST_PUT, "/api/v1/admin/tsdb/delete_series",    HTTP_LANE_CONTROL, 0, api_admin_delete_series, NULL},
	{POST_PUT, "/api/v1/admin/tsdb/clean_tombstones", HTTP_LANE_CONTROL, 0, api_admin_clean_tombstones, NULL},
	{POST_PUT, "/api/v1/admin/tsdb/seal",             HTTP_LANE_CONTROL, 0, api_admin_seal, NULL},
	{POST_PUT, "/api/v1/admin/tsdb/snapshot",         HTTP_LANE_CONTROL, 0, api_admin_snapshot, NULL},
	{GET,      "/federate",                    HTTP_LANE_QUERY,   ROUTE_GATED, NULL, page_federate},
	{GET,      "/metrics",                     HTTP_LANE_CONTROL, ROUTE_EARLY, NULL, page_metrics},
	{GET,      "/version",                     HTTP_LANE_CONTROL, ROUTE_EARLY, NULL, page_version},
	{GET,      "/-/healthy",                   HTTP_LANE_CONTROL, ROUTE_EARLY, NULL, page_healthy},
	{GET,      "/-/ready",                     HTTP_LANE_CONTROL, ROUTE_EARLY, NULL, page_ready},
	{POST_PUT, "/-/reload",                    HTTP_LANE_CONTROL, ROUTE_EARLY, NULL, page_reload},
	{GET,      "/-/reload",                    HTTP_LANE_CONTROL, ROUTE_EARLY, NULL, page_wrong_method},
	{POST_PUT, "/-/quit",                      HTTP_LANE_CONTROL, ROUTE_EARLY, NULL, page_quit},
	{GET,      "/-/quit",                      HTTP_LANE_CONTROL, ROUTE_EARLY, NULL, page_wrong_method},
	{GET,      "/",                            HTTP_LANE_CONTROL, ROUTE_EARLY, NULL, page_root},
	{GET,      "/graph",                       HTTP_LANE_CONTROL, ROUTE_EARLY, NULL, page_graph},
	{GET,      "/query",                       HTTP_LANE_CONTROL, ROUTE_EARLY, NULL, page_query},
};
/* clang-format on */

const struct web_route *web_routes(size_t *n)
{
	*n = ARRAY_LEN(routes);
	return routes;
}
