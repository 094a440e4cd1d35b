#include "scrape/scrape_env.h"

#include "base/xmalloc.h"

struct scrape_env *scrape_env_new(void)
{
	struct scrape_env *env = (struct scrape_env *)xcalloc(1, sizeof(*env));
	lock_init(&env->lock, LOCK_POOL, "scrape_env");
	cond_init(&env->idle);
	interval_stats_init(&env->intervals);
	env->refs = 1;
	return env;
}

struct scrape_env *scrape_env_ref(struct scrape_env *env)
{
	env->refs++;
	return env;
}

void scrape_env_unref(struct scrape_env *env)
{
	if (--env->refs > 0)
		return;
	interval_stats_done(&env->intervals);
	cond_done(&env->idle);
	lock_done(&env->lock);
	free(env);
}

bool scrape_env_enter(struct scrape_env *env)
{
	lock_take(&env->lock);
	bool entered = !env->stopping;
	env->working += entered;
	lock_release(&env->lock);
	return entered;
}

void scrape_env_leave(struct scrape_env *env)
{
	lock_take(&env->lock);
	if (--env->working == 0)
		cond_broadcast(&env->idle);
	lock_release(&env->lock);
}

void scrape_env_stop(struct scrape_env *env)
{
	lock_take(&env->lock);
	env->stopping = true;
	while (env->working > 0)
		cond_wait(&env->idle, &env->lock);
	lock_release(&env->lock);
}
