/* Listening sockets from text: "0.0.0.0:9090", ":9090" (all addresses of both families), "[::1]:9090". */
#pragma once

#include "base/err.h"

/* A bound, listening, non-blocking socket. ERR_INVALID: not an address; ERR_IO: "listen tcp ADDRESS: bind: reason". */
MUST_CHECK int listen_on(const char *address, int *fd, unsigned *port, struct err *err);
