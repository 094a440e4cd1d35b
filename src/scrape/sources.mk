noinst_LIBRARIES += libscrape.a
libscrape_a_SOURCES = \
	src/scrape/content_type.c src/scrape/content_type.h \
	src/scrape/parse_text.c src/scrape/parse_text.h \
	src/scrape/parse_text_strict.c src/scrape/parse_text_strict.h \
	src/scrape/sample_labels.c src/scrape/sample_labels.h \
	src/scrape/scrape_cache.c src/scrape/scrape_cache.h \
	src/scrape/scrape_manager.h \
	src/scrape/target.c src/scrape/target.h
