noinst_LIBRARIES += libtsdb.a
libtsdb_a_SOURCES =
