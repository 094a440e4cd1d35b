noinst_LIBRARIES += libmodel.a
libmodel_a_SOURCES = \
	src/model/alert.h \
	src/model/duration.c src/model/duration.h \
	src/model/exemplar.c src/model/exemplar.h \
	src/model/histogram.c src/model/histogram.h \
	src/model/histogram_ops.c \
	src/model/histogram_print.c \
	src/model/histogram_quantile.c \
	src/model/histogram_trim.c \
	src/model/histogram_walk.c \
	src/model/histogram_work.c src/model/histogram_work.h \
	src/model/label_builder.c src/model/label_builder.h \
	src/model/label_regex.cc src/model/label_regex.h \
	src/model/labels.c src/model/labels.h \
	src/model/matcher.c src/model/matcher.h \
	src/model/metadata.c src/model/metadata.h \
	src/model/regex_shape.c src/model/regex_shape.h \
	src/model/relabel.c src/model/relabel.h \
	src/model/stale_marker.h
libmodel_a_SOURCES += src/model/time_zone.c src/model/time_zone.h
