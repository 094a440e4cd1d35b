noinst_LIBRARIES += libdiscovery.a
libdiscovery_a_SOURCES = \
	src/discovery/sd_manager.c src/discovery/sd_manager.h \
	src/discovery/static_sd.c src/discovery/static_sd.h \
	src/discovery/target_group.h
