/* Alertmanager's HTTP API, version 2: alerts, groups, silences, receivers, status. A thin face over the
 * router: it reads parameters and bodies, and writes JSON. Owned by main; handlers run on the control lane.
 */
#pragma once

#include "net/http_server.h"

struct clock;
struct router;

struct api_alerts_v2;

/* `router` is borrowed. The caller frees it after the server. */
struct api_alerts_v2 *api_alerts_v2_new(struct router *router, struct clock *clock);
void api_alerts_v2_free(struct api_alerts_v2 *api);
/* Adds /api/v2/... and the answers of the removed /api/v1 paths to the server. */
void api_alerts_v2_add(struct api_alerts_v2 *api, struct http_server *server);
