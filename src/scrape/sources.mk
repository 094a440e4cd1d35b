noinst_LIBRARIES += libscrape.a
libscrape_a_SOURCES = \
	src/scrape/scrape_manager.h
