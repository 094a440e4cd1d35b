noinst_LIBRARIES += libscrape.a
libscrape_a_SOURCES = \
	src/scrape/content_type.c src/scrape/content_type.h \
	src/scrape/interval_stats.c src/scrape/interval_stats.h \
	src/scrape/metadata_cache.c src/scrape/metadata_cache.h \
	src/scrape/parse_openmetrics.c src/scrape/parse_openmetrics.h \
	src/scrape/parse_text.c src/scrape/parse_text.h \
	src/scrape/parse_text_strict.c src/scrape/parse_text_strict.h \
	src/scrape/sample_labels.c src/scrape/sample_labels.h \
	src/scrape/scrape_append.c src/scrape/scrape_append.h \
	src/scrape/scrape_cache.c src/scrape/scrape_cache.h \
	src/scrape/scrape_env.c src/scrape/scrape_env.h \
	src/scrape/scrape_job.c src/scrape/scrape_job.h \
	src/scrape/scrape_loop.c src/scrape/scrape_loop.h \
	src/scrape/scrape_manager.c src/scrape/scrape_manager.h \
	src/scrape/scrape_pool.c src/scrape/scrape_pool.h \
	src/scrape/scrape_report.c src/scrape/scrape_report.h \
	src/scrape/target.c src/scrape/target.h
