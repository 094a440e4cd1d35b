noinst_LIBRARIES += libscrape.a
libscrape_a_SOURCES =
