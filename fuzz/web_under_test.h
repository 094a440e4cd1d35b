/* What the HTTP targets talk to: a web, a remote write receiver and an alert router behind one real server on loopback,
 * over a store in plain arrays and clocks that stand still. Made anew now and then. */
#pragma once

#include "base/slice.h"

/* Sends the bytes on a connection of its own and reads until the server closes. Returns the status of the first answer, 0
 * when there was none. `is_whole`: they are a request that says Connection: close; else the sending side is closed behind
 * them, which tells the server that the client is gone. */
int web_under_test_send(struct slice bytes, bool is_whole);
