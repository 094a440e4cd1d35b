/* METRIC(id, type, name, labels, help): one row a metric; rows of one name stand together and repeat the help.
 * Include with METRIC defined (base/counters.h). No include guard on purpose. */
/* clang-format off */
METRIC(TSDB_HEAD_SERIES,              GAUGE,   "prometheus_tsdb_head_series", "", "Total number of series in the head block.")
METRIC(TSDB_SAMPLES_APPENDED,         COUNTER, "prometheus_tsdb_head_samples_appended_total", "type=\"float\"", "Total number of appended samples.")
/* clang-format on */
