noinst_LIBRARIES += libalertmanager.a
libalertmanager_a_SOURCES =
