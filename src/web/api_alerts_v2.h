/* Alertmanager's HTTP API, version 2: alerts, groups, silences, receivers, status. A thin face over the router: it reads
 * parameters and bodies, and writes JSON. Owned by main; handlers run on the control lane. */
#pragma once

#include "net/http_server.h"

struct api_alerts_v2;
struct clock;
struct router;

/* All is borrowed. The caller frees it after the server. */
struct api_alerts_v2 *api_alerts_v2_new(struct router *router, struct clock *clock);
void api_alerts_v2_free(struct api_alerts_v2 *api);
/* Adds /api/v2/... to the server. */
void api_alerts_v2_add(struct api_alerts_v2 *api, struct http_server *server);
/* For a server that is an Alertmanager and nothing else: /-/healthy, /-/ready, /metrics, and 410 for /api/v1/... */
void api_alerts_v2_add_standalone(struct api_alerts_v2 *api, struct http_server *server);
