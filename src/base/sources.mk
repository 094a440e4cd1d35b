noinst_LIBRARIES += libbase.a
libbase_a_CFLAGS = $(AM_CFLAGS) $(STRICT_CFLAGS)
libbase_a_SOURCES = \
	src/base/arena.c src/base/arena.h \
	src/base/attr.h src/base/by_cpu.h \
	src/base/clock.c src/base/clock.h \
	src/base/compress.c src/base/compress.h \
	src/base/counters.c src/base/counters.h src/base/counters_table.h \
	src/base/crc32c.c src/base/crc32c.h \
	src/base/double_slow.cc src/base/double_slow.h \
	src/base/double_text.c src/base/double_text.h \
	src/base/err.c src/base/err.h \
	src/base/fs.c src/base/fs.h \
	src/base/hash.c src/base/hash.h \
	src/base/hashtab.c src/base/hashtab.h \
	src/base/heap.c src/base/heap.h \
	src/base/json.c src/base/json.h \
	src/base/json_read.c src/base/json_read.h \
	src/base/letter_case.c src/base/letter_case.h \
	src/base/lock.c src/base/lock.h \
	src/base/log.c src/base/log.h \
	src/base/scheduler.c src/base/scheduler.h \
	src/base/md5.c src/base/md5.h \
	src/base/sha2.c src/base/sha2.h \
	src/base/slice.c src/base/slice.h \
	src/base/strbuf.c src/base/strbuf.h \
	src/base/thread_pool.c src/base/thread_pool.h \
	src/base/utf8.c src/base/utf8.h src/base/utf8_print_table.h \
	src/base/vec.h \
	src/base/xmalloc.c src/base/xmalloc.h \
	src/base/yaml.c src/base/yaml.h
libbase_a_SOURCES += src/base/byte_reader.h src/base/varint.h
