noinst_LIBRARIES += libbase.a
libbase_a_CFLAGS = $(AM_CFLAGS) $(STRICT_CFLAGS)
libbase_a_SOURCES = \
	src/base/attr.h \
	src/base/arena.c src/base/arena.h \
	src/base/clock.c src/base/clock.h \
	src/base/err.c src/base/err.h \
	src/base/slice.c src/base/slice.h \
	src/base/strbuf.c src/base/strbuf.h \
	src/base/vec.h \
	src/base/xmalloc.c src/base/xmalloc.h
