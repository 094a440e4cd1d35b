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
METRIC(REMOTE_WRITE_SAMPLES,          COUNTER, "promq_remote_write_samples_total", "", "Samples and histograms that remote write requests brought for known series.")
METRIC(REMOTE_WRITE_REFUSED,          COUNTER, "promq_remote_write_refused_samples_total", "", "Samples and histograms of remote write requests that were refused.")
/* clang-format on */
