noinst_LIBRARIES += libtsdb.a
libtsdb_a_CFLAGS = $(AM_CFLAGS) $(STRICT_CFLAGS)
libtsdb_a_SOURCES =
# chunks and postings
libtsdb_a_SOURCES += \
	src/tsdb/bit_pack.c src/tsdb/bit_pack.h \
	src/tsdb/chunk_column.c src/tsdb/chunk_column.h src/tsdb/chunk_column_priv.h \
	src/tsdb/chunk_column_read.c \
	src/tsdb/int_column.c src/tsdb/int_column.h \
	src/tsdb/chunk_histogram.c src/tsdb/chunk_histogram.h \
	src/tsdb/chunk_xor.c src/tsdb/chunk_xor.h \
	src/tsdb/postings.c src/tsdb/postings.h src/tsdb/postings_priv.h \
	src/tsdb/postings_code.c \
	src/tsdb/postings_ops.c src/tsdb/postings_ops.h \
	src/tsdb/slab.c src/tsdb/slab.h
# parts
libtsdb_a_SOURCES += \
	src/tsdb/manifest.c src/tsdb/manifest.h \
	src/tsdb/page_cache.c src/tsdb/page_cache.h \
	src/tsdb/packed_column.c src/tsdb/packed_column.h \
	src/tsdb/page_file.c src/tsdb/page_file.h \
	src/tsdb/part_index.c src/tsdb/part_index.h src/tsdb/part_index_priv.h \
	src/tsdb/part_index_build.c \
	src/tsdb/part_priv.h \
	src/tsdb/part_meta.c src/tsdb/part_meta.h \
	src/tsdb/part_read.c src/tsdb/part_read.h \
	src/tsdb/part_write.c src/tsdb/part_write.h
# head, log and the store as a whole
libtsdb_a_SOURCES += \
	src/tsdb/tsdb.h
