write_fixture = tests/ingest/write_fixture.c tests/ingest/write_fixture.h
unit_tests += tests/ingest/test_pb_reader
tests_ingest_test_pb_reader_SOURCES = tests/ingest/test_pb_reader.c
unit_tests += tests/ingest/test_remote_write
tests_ingest_test_remote_write_SOURCES = tests/ingest/test_remote_write.c tests/ingest/pb_build.h \
	$(write_fixture)
unit_tests += tests/ingest/test_remote_write_checklist
tests_ingest_test_remote_write_checklist_SOURCES = tests/ingest/test_remote_write_checklist.c tests/ingest/pb_build.h
unit_tests += tests/ingest/test_remote_write_room
tests_ingest_test_remote_write_room_SOURCES = tests/ingest/test_remote_write_room.c tests/ingest/pb_build.h \
	$(write_fixture)
