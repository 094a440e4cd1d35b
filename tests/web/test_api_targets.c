#include "tests/web/web_fixture.h"

static void list(void *arg, struct arena *arena, struct scrape_list *out)
{
	(void)arg;
	static struct scrape_pool_info pools[] = {{SL_INIT("a"), 1}, {SL_INIT("b"), 0}};
	struct scrape_target_info *active = ARENA_ARRAY(arena, struct scrape_target_info, 2);
	active[0] = (struct scrape_target_info){.pool = SL("a"),
	    .discovered = labels_of(arena, "__address__", "x:1", "job", "a", NULL),
	    .labels = labels_of(arena, "instance", "x:1", "job", "a", NULL),
	    .scrape_url = SL("http://x:1/metrics"),
	    .global_url = SL("http://x:1/metrics"),
	    .last_scrape_ms = 1767225600250,
	    .last_scrape_seconds = 0.0125,
	    .health = SCRAPE_HEALTH_UP,
	    .interval_ms = 15000,
	    .timeout_ms = 10000};
	active[1] = (struct scrape_target_info){.pool = SL("b"),
	    .discovered = labels_of(arena, "__address__", "y:1", NULL),
	    .labels = labels_of(arena, "instance", "y:1", NULL),
	    .scrape_url = SL("http://y:1/metrics"),
	    .global_url = SL("http://y:1/metrics"),
	    .last_error = SL("connection refused"),
	    .health = SCRAPE_HEALTH_DOWN,
	    .interval_ms = 60000,
	    .timeout_ms = 500};
	struct scrape_dropped_info *dropped = ARENA_NEW(arena, struct scrape_dropped_info);
	*dropped = (struct scrape_dropped_info){SL("a"), labels_of(arena, "__address__", "z:1", NULL)};
	*out = (struct scrape_list){.pools = pools,
	    .n_pools = 2,
	    .active = active,
	    .n_active = 2,
	    .dropped = dropped,
	    .n_dropped = 1};
}

static void metadata(void *arg, const struct scrape_target_info *target, struct slice metric,
    void (*each)(void *each_arg, struct slice metric, const struct metadata *m), void *each_arg)
{
	(void)arg, (void)target;
	static const struct metadata up = {.type = METRIC_GAUGE, .help = SL_INIT("Up?"), .unit = SL_INIT("")};
	static const struct metadata size = {
	    .type = METRIC_HISTOGRAM, .help = SL_INIT("Size."), .unit = SL_INIT("bytes")};
	if (metric.len == 0 || slice_eq(metric, SL("my_up")))
		each(each_arg, SL("my_up"), &up);
	if (metric.len == 0 || slice_eq(metric, SL("size_bytes")))
		each(each_arg, SL("size_bytes"), &size);
}

static void store_metadata(void *arg, struct slice metric, size_t limit, struct arena *arena,
    void (*each)(void *each_arg, struct slice metric, const struct metadata *m), void *each_arg)
{
	(void)arg, (void)arena;
	static const struct metadata one = {
	    .type = METRIC_COUNTER, .help = SL_INIT("One."), .unit = SL_INIT("")};
	static const struct metadata two = {
	    .type = METRIC_UNKNOWN, .help = SL_INIT("Two."), .unit = SL_INIT("")};
	if (metric.len && !slice_eq(metric, SL("a_total")))
		return;
	each(each_arg, SL("a_total"), &one);
	each(each_arg, SL("a_total"), &two);
	if (limit != 1 && metric.len == 0)
		each(each_arg, SL("b"), &two);
}

#define ACTIVE_A                                                                                             \
	"{\"discoveredLabels\":{\"__address__\":\"x:1\",\"job\":\"a\"},\"labels\":{\"instance\":\"x:1\","    \
	"\"job\":\"a\"},"                                                                                    \
	"\"scrapePool\":\"a\",\"scrapeUrl\":\"http://x:1/metrics\",\"globalUrl\":\"http://x:1/"              \
	"metrics\",\"lastError\":\"\","                                                                      \
	"\"lastScrape\":\"2026-01-01T00:00:00.25Z\",\"lastScrapeDuration\":0.0125,\"health\":\"up\","        \
	"\"scrapeInterval\":\"15s\",\"scrapeTimeout\":\"10s\"}"
#define ACTIVE_B                                                                                             \
	"{\"discoveredLabels\":{\"__address__\":\"y:1\"},\"labels\":{\"instance\":\"y:1\"},\"scrapePool\":"  \
	"\"b\","                                                                                             \
	"\"scrapeUrl\":\"http://y:1/metrics\",\"globalUrl\":\"http://y:1/"                                   \
	"metrics\",\"lastError\":\"connection refused\","                                                    \
	"\"lastScrape\":\"0001-01-01T00:00:00Z\",\"lastScrapeDuration\":0,\"health\":\"down\","              \
	"\"scrapeInterval\":\"1m\","                                                                         \
	"\"scrapeTimeout\":\"500ms\"}"
#define DROPPED   "{\"discoveredLabels\":{\"__address__\":\"z:1\"},\"scrapePool\":\"a\"}"
#define OK(data)  "{\"status\":\"success\",\"data\":" data "}"
#define BAD(text) "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"" text "\"}"

static void answers(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		int status;
		const char *body;
	} cases[] = {
	    {"/api/v1/targets", 200,
		OK("{\"activeTargets\":[" ACTIVE_A "," ACTIVE_B "],\"droppedTargets\":[" DROPPED
		   "],\"droppedTargetCounts\":{\"a\":1,\"b\":0}}")},
	    {"/api/v1/targets?state=active&scrapePool=b", 200,
		OK("{\"activeTargets\":[" ACTIVE_B "],\"droppedTargets\":[],\"droppedTargetCounts\":{}}")},
	    {"/api/v1/targets?state=dropped", 200,
		OK("{\"activeTargets\":[],\"droppedTargets\":[" DROPPED
		   "],\"droppedTargetCounts\":{\"a\":1,\"b\":0}}")},
	    {"/api/v1/targets?state=other", 200,
		OK("{\"activeTargets\":[],\"droppedTargets\":[],\"droppedTargetCounts\":{}}")},
	    {"/api/v1/scrape_pools", 200, OK("{\"scrapePools\":[\"a\",\"b\"]}")},
	    {"/api/v1/scrape_pools/config", 400, BAD("no scrapePool parameter provided")},
	    {"/api/v1/targets/metadata?match_target=%7Bjob=%22a%22%7D", 200,
		OK("[{\"target\":{\"instance\":\"x:1\",\"job\":\"a\"},\"metric\":\"my_up\",\"type\":"
		   "\"gauge\",\"help\":\"Up?\","
		   "\"unit\":\"\"},{\"target\":{\"instance\":\"x:1\",\"job\":\"a\"},\"metric\":\"size_"
		   "bytes\","
		   "\"type\":\"histogram\",\"help\":\"Size.\",\"unit\":\"bytes\"}]")},
	    {"/api/v1/targets/metadata?metric=my_up&limit=1", 200,
		OK("[{\"target\":{\"instance\":\"x:1\",\"job\":\"a\"},\"type\":\"gauge\",\"help\":\"Up?\","
		   "\"unit\":\"\"}]")},
	    {"/api/v1/targets/metadata?limit=x", 400, BAD("limit must be a number")},
	    {"/api/v1/metadata", 200,
		OK("{\"a_total\":[{\"type\":\"counter\",\"help\":\"One.\",\"unit\":\"\"},"
		   "{\"type\":\"unknown\",\"help\":\"Two.\",\"unit\":\"\"}],"
		   "\"b\":[{\"type\":\"unknown\",\"help\":\"Two.\",\"unit\":\"\"}]}")},
	    {"/api/v1/metadata?limit=1&limit_per_metric=1", 200,
		OK("{\"a_total\":[{\"type\":\"counter\",\"help\":\"One.\",\"unit\":\"\"}]}")},
	    {"/api/v1/metadata?metric=none", 200, OK("{}")},
	    {"/api/v1/metadata?limit=0", 200, OK("{}")},
	    {"/api/v1/metadata?limit_per_metric=x", 400, BAD("limit_per_metric must be a number")},
	    {"/api/v1/alertmanagers", 200, OK("{\"activeAlertmanagers\":[],\"droppedAlertmanagers\":[]}")},
	};
	struct web_fixture f;
	web_fixture_start(&f, NULL, 0);
	f.deps.targets = (struct web_target_provider){.list = list, .metadata = metadata};
	f.deps.store.metadata = store_metadata;
	web_fixture_ready(&f);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		web_fixture_expect(&f, cases[i].path, cases[i].status, cases[i].body);
	web_fixture_stop(&f);
}

static void alertmanagers(void *arg, struct arena *arena, struct web_alertmanagers *out)
{
	(void)arg, (void)arena;
	static struct slice active[] = {SL_INIT("http://am:9093/api/v2/alerts")};
	*out = (struct web_alertmanagers){.active = active, .n_active = 1};
}

static void known_alertmanagers(void **state)
{
	(void)state;
	struct web_fixture f;
	web_fixture_start(&f, NULL, 0);
	f.deps.alertmanagers.list = alertmanagers;
	web_fixture_ready(&f);
	web_fixture_expect(&f, "/api/v1/alertmanagers", 200,
	    OK("{\"activeAlertmanagers\":[{\"url\":\"http://am:9093/api/v2/"
	       "alerts\"}],\"droppedAlertmanagers\":[]}"));
	web_fixture_expect(&f, "/api/v1/targets", 200,
	    OK("{\"activeTargets\":[],\"droppedTargets\":[],\"droppedTargetCounts\":{}}"));
	web_fixture_stop(&f);
}

TEST_MAIN("api_targets", cmocka_unit_test(answers), cmocka_unit_test(known_alertmanagers))
