noinst_LIBRARIES += libscrape.a
libscrape_a_SOURCES = \
	src/scrape/parse_text.c src/scrape/parse_text.h \
	src/scrape/parse_text_strict.c src/scrape/parse_text_strict.h \
	src/scrape/scrape_manager.h
