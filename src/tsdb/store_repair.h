/* Mending what store_verify finds, without the engine. What is damaged is moved to quarantine/<time>/ as it is, with a report
 * beside it, and nothing is ever deleted; in its place comes what could be saved:
 *
 *   part       the series that can be read whole, as a part of a new number
 *   log        the good records, in a segment of the same number; records that are gone are a gap then
 *   snapshot   the good frames; nothing when the header is damaged
 *   manifest   what a start of the server does: parts that are whole count again
 *
 * It needs the lock of the folder. One thread. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include <stdbool.h>
#include <stdint.h>

struct store_repair {
	struct fs *fs;
	const char *path;
	int64_t now_ms;                            /* names the folder below quarantine/ */
	void (*note)(void *arg, const char *text); /* what was found and what was done, one line each */
	void *arg;

	/* results; zeroed by the caller */
	uint64_t damages, mended;
};

/* ERR_BUSY: in use; ERR_NOT_FOUND: no store; ERR_IO: what was mended until then stays mended. */
MUST_CHECK int store_repair_run(struct store_repair *r, struct err *err);
