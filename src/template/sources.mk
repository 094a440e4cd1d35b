noinst_LIBRARIES += libtemplate.a
libtemplate_a_SOURCES = \
	src/template/go_time.c src/template/go_time.h \
	src/template/template_alert.c \
	src/template/template_builtin.c src/template/template_call.h \
	src/template/template_exec.c src/template/template_exec.h src/template/template_exec_priv.h \
	src/template/template_funcs.c src/template/template_funcs.h \
	src/template/template_humanize.c \
	src/template/template_lex.c src/template/template_lex.h \
	src/template/template_parse.c src/template/template_parse.h src/template/template_tree.h \
	src/template/template_printf.c src/template/template_printf.h \
	src/template/template_time.c src/template/template_time.h \
	src/template/value.c src/template/value.h
