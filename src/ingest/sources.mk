noinst_LIBRARIES += libingest.a
libingest_a_SOURCES = \
	src/ingest/ingest_limits.h \
	src/ingest/pb_histogram.c src/ingest/pb_histogram.h \
	src/ingest/pb_reader.c src/ingest/pb_reader.h \
	src/ingest/remote_write.c src/ingest/remote_write.h \
	src/ingest/write_request.c src/ingest/write_request.h
