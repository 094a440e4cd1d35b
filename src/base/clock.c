#include "base/clock.h"

#include "base/xmalloc.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

struct clock {
	bool is_virtual;
	_Atomic int64_t now_ms; /* virtual clocks only */
};

static struct clock real_clock;

struct clock *clock_real(void)
{
	return &real_clock;
}

struct clock *clock_virtual_new(int64_t now_ms)
{
	struct clock *c = xcalloc(1, sizeof(*c));
	c->is_virtual = true;
	atomic_init(&c->now_ms, now_ms);
	return c;
}

void clock_virtual_free(struct clock *c)
{
	free(c);
}

void clock_virtual_set(struct clock *c, int64_t now_ms)
{
	assert(c->is_virtual && now_ms >= atomic_load(&c->now_ms));
	atomic_store(&c->now_ms, now_ms);
}

static int64_t system_ns(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t clock_now_ms(const struct clock *c)
{
	return c->is_virtual ? atomic_load(&c->now_ms) : system_ns(CLOCK_REALTIME) / 1000000;
}

int64_t clock_mono_ns(const struct clock *c)
{
	return c->is_virtual ? atomic_load(&c->now_ms) * 1000000 : system_ns(CLOCK_MONOTONIC);
}
