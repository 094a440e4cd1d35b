noinst_LIBRARIES += libpromql.a
libpromql_a_SOURCES =
