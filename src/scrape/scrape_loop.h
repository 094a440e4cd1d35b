/* One target's life: wake at its place in the interval, ask, append, report, sleep. At most one scrape runs at a time. The
 * scrape itself belongs to whichever thread carries it on (timer, client, pool, one after the other); what others read is
 * behind the lock. Refcounted: timers, requests and the pool hold references. */
#pragma once

#include "scrape/scrape_env.h"
#include "scrape/scrape_job.h"
#include "scrape/scrape_manager.h"
#include "scrape/target.h"

struct scrape_loop;

/* Takes over the arena that the target lives in. Does not run yet. One reference. */
struct scrape_loop *scrape_loop_new(
    struct scrape_env *env, struct scrape_job *job, struct arena *arena, const struct target *target);
void scrape_loop_unref(struct scrape_loop *l);
const struct target *scrape_loop_target(const struct scrape_loop *l);

void scrape_loop_start(struct scrape_loop *l);
/* For the scrapes from now on. */
void scrape_loop_set_job(struct scrape_loop *l, struct scrape_job *job);
/* No scrape begins any more; one whose request is under way is not waited for. With `write_stale` all its series end with
 * stale markers, a little more than one interval after the scrape that did not come, unless scrape_loop_stop() is called
 * again without it. Not called with the loop's own work on the stack. */
void scrape_loop_stop(struct scrape_loop *l, bool write_stale);
/* It is stopped and will do nothing more. */
bool scrape_loop_is_over(struct scrape_loop *l);

/* All but pool and global URL. */
void scrape_loop_info(struct scrape_loop *l, struct arena *arena, struct scrape_target_info *out);
void scrape_loop_metadata(struct scrape_loop *l, struct slice metric,
    void (*each)(void *arg, struct slice metric, const struct metadata *m), void *arg);
size_t scrape_loop_metadata_entries(struct scrape_loop *l);
