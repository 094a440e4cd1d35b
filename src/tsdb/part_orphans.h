/* Part directories that the manifest does not name, at the start. With a whole manifest they are garbage of a crash and
 * go. When the manifest is damaged, or gone, they may be all there is of what was acknowledged: then those that are whole
 * are taken back into the list, and those that cannot be read are set aside as "<name>.damaged". But a part from which
 * another one was joined is not taken back, and leaves the list if it is there: that one has its samples, without those that
 * were deleted. */
#pragma once

#include "base/err.h"
#include "base/fs.h"
#include "tsdb/manifest.h"
#include "tsdb/page_cache.h"

struct part_orphans {
	struct fs *fs;
	const char *parts_dir;
	struct manifest *manifest;
	struct page_cache *cache;
	bool salvage; /* the manifest cannot be trusted to name all */
	void (*note)(void *arg, const char *text);
	void *arg;
};

MUST_CHECK int part_orphans_settle(const struct part_orphans *o, struct err *err);
