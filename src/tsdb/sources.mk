noinst_LIBRARIES += libtsdb.a
libtsdb_a_CFLAGS = $(AM_CFLAGS) $(STRICT_CFLAGS)
libtsdb_a_SOURCES =
# chunks and postings
libtsdb_a_SOURCES += \
	src/tsdb/bit_pack.c src/tsdb/bit_pack.h \
	src/tsdb/chunk_column.c src/tsdb/chunk_column.h src/tsdb/chunk_column_priv.h \
	src/tsdb/chunk_column_read.c \
	src/tsdb/chunk_summary.c src/tsdb/chunk_summary.h \
	src/tsdb/column_kernels.c src/tsdb/column_kernels.h \
	src/tsdb/int_column.c src/tsdb/int_column.h src/tsdb/int_column_priv.h \
	src/tsdb/int_column_read.c src/tsdb/int_column_sums.c \
	src/tsdb/rice_code.c src/tsdb/rice_code.h \
	src/tsdb/chunk_histogram.c src/tsdb/chunk_histogram.h \
	src/tsdb/chunk_xor.c src/tsdb/chunk_xor.h \
	src/tsdb/postings.c src/tsdb/postings.h src/tsdb/postings_priv.h \
	src/tsdb/postings_code.c \
	src/tsdb/postings_ops.c src/tsdb/postings_ops.h \
	src/tsdb/slab.c src/tsdb/slab.h
# parts
libtsdb_a_SOURCES += \
	src/tsdb/manifest.c src/tsdb/manifest.h \
	src/tsdb/page_cache.c src/tsdb/page_cache.h \
	src/tsdb/packed_column.c src/tsdb/packed_column.h \
	src/tsdb/page_file.c src/tsdb/page_file.h \
	src/tsdb/part_index.c src/tsdb/part_index.h src/tsdb/part_index_priv.h \
	src/tsdb/part_index_build.c \
	src/tsdb/part_priv.h \
	src/tsdb/part_meta.c src/tsdb/part_meta.h \
	src/tsdb/part_read.c src/tsdb/part_read.h \
	src/tsdb/part_write.c src/tsdb/part_write.h \
	src/tsdb/summary_pick.c src/tsdb/summary_pick.h \
	src/tsdb/tombstones.c src/tsdb/tombstones.h
# head, log and the store as a whole
libtsdb_a_SOURCES += \
	src/tsdb/tsdb.h
libtsdb_a_SOURCES += \
	src/tsdb/head_index.c src/tsdb/head_index.h \
	src/tsdb/key_table.c src/tsdb/key_table.h \
	src/tsdb/series_labels.c src/tsdb/series_labels.h \
	src/tsdb/store_census.c src/tsdb/store_census.h \
	src/tsdb/store_repair.c src/tsdb/store_repair.h \
	src/tsdb/store_verify.c src/tsdb/store_verify.h \
	src/tsdb/symbols.c src/tsdb/symbols.h \
	src/tsdb/tag_table.c src/tsdb/tag_table.h
libtsdb_a_SOURCES += \
	src/tsdb/column_order.c src/tsdb/column_order.h \
	src/tsdb/exemplar_ring.c src/tsdb/exemplar_ring.h \
	src/tsdb/head.c src/tsdb/head.h \
	src/tsdb/head_append.c src/tsdb/head_append.h \
	src/tsdb/head_exemplar.c src/tsdb/head_exemplar.h \
	src/tsdb/head_find.c src/tsdb/head_find.h \
	src/tsdb/head_histogram.c src/tsdb/head_histogram.h \
	src/tsdb/head_late.c src/tsdb/head_late.h \
	src/tsdb/head_memory.c src/tsdb/head_memory.h \
	src/tsdb/head_read.c src/tsdb/head_read.h \
	src/tsdb/head_seal.c src/tsdb/head_seal.h \
	src/tsdb/head_series.c src/tsdb/head_series.h \
	src/tsdb/last_sample.h \
	src/tsdb/metadata_store.c src/tsdb/metadata_store.h \
	src/tsdb/ooo_buffer.c src/tsdb/ooo_buffer.h \
	src/tsdb/ref_recycle.c src/tsdb/ref_recycle.h \
	src/tsdb/ref_set.c src/tsdb/ref_set.h \
	src/tsdb/series_snapshot.c src/tsdb/series_snapshot.h \
	src/tsdb/series_stripe.c src/tsdb/series_stripe.h \
	src/tsdb/wal_commit.c src/tsdb/wal_commit.h \
	src/tsdb/wal_frames.c src/tsdb/wal_frames.h \
	src/tsdb/wal_record.c src/tsdb/wal_record.h \
	src/tsdb/wal_apply.c src/tsdb/wal_apply.h \
	src/tsdb/wal_replay.c src/tsdb/wal_replay.h \
	src/tsdb/wal_segment.c src/tsdb/wal_segment.h
libtsdb_a_SOURCES += \
	src/tsdb/compact.c src/tsdb/compact.h \
	src/tsdb/compact_plan.c src/tsdb/compact_plan.h \
	src/tsdb/compact_run.c src/tsdb/compact_run.h \
	src/tsdb/backfill.c src/tsdb/backfill.h \
	src/tsdb/data_dir.c src/tsdb/data_dir.h \
	src/tsdb/newest_set.c src/tsdb/newest_set.h \
	src/tsdb/deletions.c src/tsdb/deletions.h \
	src/tsdb/ordinal_refs.c src/tsdb/ordinal_refs.h \
	src/tsdb/postings_runs.c src/tsdb/postings_runs.h \
	src/tsdb/series_grouping.c src/tsdb/series_grouping.h \
	src/tsdb/part_orphans.c src/tsdb/part_orphans.h \
	src/tsdb/part_set.c src/tsdb/part_set.h \
	src/tsdb/retention.c src/tsdb/retention.h \
	src/tsdb/sealed_times.c src/tsdb/sealed_times.h \
	src/tsdb/tsdb.c src/tsdb/tsdb_priv.h \
	src/tsdb/tsdb_delete.c src/tsdb/tsdb_snapshot.c \
	src/tsdb/tsdb_maintain.c src/tsdb/tsdb_replay.c \
	src/tsdb/disk_room.c src/tsdb/disk_room.h src/tsdb/tsdb_disk.c \
	src/tsdb/tsdb_querier.c src/tsdb/tsdb_querier.h \
	src/tsdb/tsdb_select.c src/tsdb/tsdb_select.h \
	src/tsdb/tsdb_status.c
