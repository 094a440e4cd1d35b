/* The server as a whole: every object, made in the order of the layers and handed what it needs; ended in the reverse order.
 * One per process; all functions on the main thread, but server_reload(), which any thread may call. */
#pragma once

#include "main/options.h"

struct server;

/* Listens, loads the configuration, opens the store, starts everything. On failure nothing was touched that was there before,
 * and `problems` says why, a line each. While the store replays its log the server answers already, with "not ready". */
bool server_start(const struct options *o, struct server **out, struct strbuf *problems);
/* Loads all files anew and swaps them in; false: nothing has changed and `problems` says why. */
bool server_reload(struct server *s, struct strbuf *problems);
/* Ends everything, the store last. Takes NULL. */
void server_stop(struct server *s);
