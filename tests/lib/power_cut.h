/* A disk that forgets what was not synced: a file system for tests (base/fs.h) that keeps a second picture of a folder, of
 * what a power cut would leave. A file's content is safe up to its last sync, a name (made, renamed, removed) up to the last
 * sync of its folder. Syncs themselves are pretended, so it is fast. When a sync fails, what it should have written is lost
 * for good, as with a real kernel: a later sync that goes well does not bring it. */
#pragma once

#include "base/fs.h"
#include "tests/lib/test.h"

struct power_cut;

/* Watches `root`, which must exist; what is below it already is safe. `fault` (NULL: none) is asked before every call, as in fs_faulty_new(). */
struct power_cut *power_cut_new(
    const char *root, int (*fault)(void *arg, enum fs_call call, const char *path, size_t *n), void *arg);
/* The files must be closed by now. */
void power_cut_free(struct power_cut *p);
struct fs *power_cut_fs(struct power_cut *p);

/* Whether a power cut now would leave `path`, which is below the root, as it is: the names on the way to it, and the
 * content if it is a file. The fault injector may ask, too. */
bool power_cut_is_safe(struct power_cut *p, const char *path);

/* Makes `root` what a power cut leaves now. With `random`, of what was not synced each page and each name survives or not
 * as it falls; without (NULL), nothing of it does. Nothing may be open; the watch ends. */
void power_cut_apply(struct power_cut *p, struct test_random *random);
