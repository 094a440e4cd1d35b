noinst_LIBRARIES += librules.a
librules_a_SOURCES = \
	src/rules/alert_restore.c \
	src/rules/alert_sender.c \
	src/rules/alert_sink.h \
	src/rules/alert_state.c src/rules/alert_state.h \
	src/rules/label_table.c src/rules/label_table.h \
	src/rules/rule_eval.c \
	src/rules/rule_file.c src/rules/rule_file.h \
	src/rules/rule_group.c \
	src/rules/rule_list.c \
	src/rules/rule_manager.c src/rules/rule_manager.h \
	src/rules/rule_metrics.c \
	src/rules/rule_priv.h \
	src/rules/rule_write.c
