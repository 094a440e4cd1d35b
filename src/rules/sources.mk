noinst_LIBRARIES += librules.a
librules_a_SOURCES = \
	src/rules/alert_sink.h \
	src/rules/rule_manager.h
