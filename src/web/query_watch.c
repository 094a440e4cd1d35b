#include "web/query_watch.h"

static void look(void *arg, int64_t when_ms)
{
	struct query_watch *w = arg;
	lock_take(&w->lock);
	if (w->is_over)
		goto out;
	if (http_req_gone(w->req))
		atomic_store(&w->is_canceled, true);
	else
		w->timer = scheduler_at(w->scheduler, when_ms + QUERY_WATCH_INTERVAL_MS, look, w);
out:
	lock_release(&w->lock);
}

void query_watch_begin(struct query_watch *w, struct scheduler *scheduler, struct http_request *req)
{
	*w = (struct query_watch){.scheduler = scheduler, .req = req};
	if (!scheduler)
		return;
	lock_init(&w->lock, LOCK_QUERY_WATCH, "query watch");
	lock_take(&w->lock);
	int64_t first_ms = clock_now_ms(scheduler_clock(scheduler)) + QUERY_WATCH_INTERVAL_MS;
	w->timer = scheduler_at(scheduler, first_ms, look, w);
	lock_release(&w->lock);
}

/* Once is_over is seen no timer is set, and the newest one is either stopped or waited for. */
void query_watch_end(struct query_watch *w)
{
	if (!w->scheduler)
		return;
	lock_take(&w->lock);
	w->is_over = true;
	timer_id newest = w->timer;
	lock_release(&w->lock);
	scheduler_cancel(w->scheduler, newest);
	lock_done(&w->lock);
}
