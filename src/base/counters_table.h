/* METRIC(id, type, name, labels, help): one row a metric; rows of one name stand together and repeat the help.
 * Include with METRIC defined (base/counters.h). No include guard on purpose. */
/* clang-format off */
METRIC(TSDB_HEAD_SERIES,              GAUGE,   "prometheus_tsdb_head_series", "", "Total number of series in the head block.")
METRIC(TSDB_SAMPLES_APPENDED,         COUNTER, "prometheus_tsdb_head_samples_appended_total", "type=\"float\"", "Total number of appended samples.")
METRIC(TSDB_OUT_OF_ORDER,             COUNTER, "prometheus_tsdb_out_of_order_samples_total", "type=\"float\"", "Total number of out of order samples ingestion failed attempts due to out of order being disabled.")
METRIC(TSDB_OUT_OF_BOUNDS,            COUNTER, "prometheus_tsdb_out_of_bound_samples_total", "type=\"float\"", "Total number of out of bound samples ingestion failed attempts.")
METRIC(TSDB_PARTS_SEALED,             COUNTER, "promq_tsdb_parts_sealed_total", "", "Total number of parts that were sealed from the head.")
METRIC(TSDB_SEAL_FAILURES,            COUNTER, "promq_tsdb_maintenance_failures_total", "", "Total number of times that sealing, cutting the log or retention failed.")
METRIC(TSDB_TIME_RETENTIONS,          COUNTER, "prometheus_tsdb_time_retentions_total", "", "The number of times that blocks were deleted because the maximum time limit was exceeded.")
METRIC(WEB_FEDERATION_ERRORS, COUNTER, "prometheus_web_federation_errors_total", "", "Total number of errors that occurred while sending federation responses.")
METRIC(REMOTE_WRITE_SAMPLES,          COUNTER, "promq_remote_write_samples_total", "", "Samples and histograms that remote write requests brought.")
METRIC(REMOTE_WRITE_REFUSED,          COUNTER, "promq_remote_write_refused_samples_total", "", "Samples and histograms of remote write requests that were refused.")
METRIC(SCRAPE_POOLS,                  COUNTER, "prometheus_target_scrape_pools_total", "", "Total number of scrape pool creation attempts.")
METRIC(SCRAPE_POOL_RELOADS,           COUNTER, "prometheus_target_scrape_pool_reloads_total", "", "Total number of scrape pool reloads.")
METRIC(SCRAPE_TARGET_LIMIT,           COUNTER, "prometheus_target_scrape_pool_exceeded_target_limit_total", "", "Total number of times scrape pools hit the target limit, during sync or config reload.")
METRIC(SCRAPE_LABEL_LIMITS,           COUNTER, "prometheus_target_scrape_pool_exceeded_label_limits_total", "", "Total number of times scrape pools hit the label limits, during sync or config reload.")
METRIC(SCRAPE_SYNC_FAILED,            COUNTER, "prometheus_target_sync_failed_total", "", "Total number of target sync failures.")
METRIC(SCRAPE_SAMPLE_LIMIT,           COUNTER, "prometheus_target_scrapes_exceeded_sample_limit_total", "", "Total number of scrapes that hit the sample limit and were rejected.")
METRIC(SCRAPE_BODY_SIZE_LIMIT,        COUNTER, "prometheus_target_scrapes_exceeded_body_size_limit_total", "", "Total number of scrapes that hit the body size limit")
METRIC(SCRAPE_DUPLICATE,              COUNTER, "prometheus_target_scrapes_sample_duplicate_timestamp_total", "", "Total number of samples rejected due to duplicate timestamps but different values.")
METRIC(SCRAPE_OUT_OF_ORDER,           COUNTER, "prometheus_target_scrapes_sample_out_of_order_total", "", "Total number of samples rejected due to not being out of the expected order.")
METRIC(SCRAPE_OUT_OF_BOUNDS,          COUNTER, "prometheus_target_scrapes_sample_out_of_bounds_total", "", "Total number of samples rejected due to timestamp falling outside of the time bounds.")
/* clang-format on */
