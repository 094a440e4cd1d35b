noinst_LIBRARIES += libtemplate.a
libtemplate_a_SOURCES = \
	src/template/go_time.h \
	src/template/template_exec.h \
	src/template/template_funcs.h \
	src/template/template_parse.h \
	src/template/value.h
