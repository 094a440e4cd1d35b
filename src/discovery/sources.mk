noinst_LIBRARIES += libdiscovery.a
libdiscovery_a_SOURCES =
