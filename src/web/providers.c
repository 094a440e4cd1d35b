#include "web/providers.h"

static void list_targets(void *arg, struct arena *arena, struct scrape_list *out)
{
	scrape_manager_list(arg, arena, out);
}

static void target_metadata(void *arg, const struct scrape_target_info *target, struct slice metric,
    void (*each)(void *each_arg, struct slice metric, const struct metadata *m), void *each_arg)
{
	scrape_manager_metadata(
	    arg, target->pool, target->labels, target->scrape_url, metric, each, each_arg);
}

struct web_target_provider web_targets_of(struct scrape_manager *m)
{
	return (struct web_target_provider){.list = list_targets, .metadata = target_metadata, .arg = m};
}

static void list_rules(void *arg, struct arena *arena, struct rule_group_view **out, size_t *n)
{
	rule_manager_list(arg, arena, out, n);
}

struct web_rule_provider web_rules_of(struct rule_manager *m)
{
	return (struct web_rule_provider){.list = list_rules, .arg = m};
}
