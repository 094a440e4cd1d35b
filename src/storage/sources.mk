noinst_LIBRARIES += libstorage.a
libstorage_a_SOURCES = \
	src/storage/appender.c src/storage/appender.h \
	src/storage/mem_store.c src/storage/mem_store.h \
	src/storage/merge_series.c src/storage/merge_series.h \
	src/storage/querier.h \
	src/storage/sample_column.c
