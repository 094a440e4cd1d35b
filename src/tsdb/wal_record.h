/* What stands in the log: frames, each one record with its number and checksum, and the forms of the records. The bytes are
 * in docs/formats/wal.md. Encoders write to plain memory or a strbuf; decoders believe nothing. */
#pragma once

#include "base/byte_reader.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"
#include "model/exemplar.h"
#include "model/labels.h"
#include "model/metadata.h"
#include "storage/appender.h"
#include <stdbool.h>
#include <stdint.h>

enum wal_type {
	WAL_SERIES = 1,     /* refs and their labels */
	WAL_SAMPLES = 2,    /* floats of the series of one stripe */
	WAL_HISTOGRAMS = 3, /* native histograms of the series of one stripe */
	WAL_METADATA = 4,   /* type, help and unit of metrics */
	WAL_EXEMPLARS = 6,  /* exemplars, with the labels of their series */
	WAL_TYPE_MAX = WAL_EXEMPLARS,
};

enum {
	WAL_FRAME_BYTES = 20,
	WAL_RECORD_MAX_BYTES = 1 << 24, /* a payload: larger ones are damage */
	WAL_RECORD_VERSION = 1,
	WAL_SAMPLE_MAX_BYTES = 1 + 10 + 10 + 8, /* one sample in a WAL_SAMPLES record */
};

/* The head of a frame; `len` bytes of payload follow. */
struct wal_frame {
	uint32_t len;
	uint32_t check;  /* over payload, the other fields, and the frame's place: segment and offset */
	uint64_t number; /* grows by one a record; the same number twice is the same record written again */
	uint8_t type;
	uint8_t version;
	uint16_t stripe; /* of samples and histograms; else 0 */
};

void wal_frame_encode(const struct wal_frame *f, uint8_t out[WAL_FRAME_BYTES]);
void wal_frame_decode(const uint8_t in[WAL_FRAME_BYTES], struct wal_frame *f);
/* The checksum from the payload's crc32c; the place is part of it, so that what a segment held in an earlier life, or what
 * was copied elsewhere, is not taken for a record. */
uint32_t wal_frame_check(const struct wal_frame *f, uint32_t payload_crc, uint64_t segment, uint64_t offset);

/* --- samples: a control byte each, then what differs from the sample before --- */
struct wal_samples_writer {
	uint8_t *bytes; /* the caller's; room for WAL_SAMPLE_MAX_BYTES before each sample */
	size_t len;
	series_ref last_ref;
	int64_t last_t_ms, last_step_ms;
};
void wal_samples_begin(struct wal_samples_writer *w, uint8_t *bytes);
void wal_samples_add(struct wal_samples_writer *w, series_ref ref, int64_t t_ms, double v);

struct wal_samples_reader {
	struct byte_reader r;
	series_ref last_ref;
	int64_t last_t_ms, last_step_ms;
};
void wal_samples_open(struct wal_samples_reader *r, struct slice payload);
/* 0 with the next sample, 1 at the end, ERR_CORRUPT. */
MUST_CHECK int wal_samples_next(struct wal_samples_reader *r, struct sample *s);

/* --- series: labels as differences to the series before --- */
struct wal_series_writer {
	struct strbuf *out; /* borrowed */
	series_ref last_ref;
	struct label *l; /* of the series before */
	size_t n, cap;
};
void wal_series_begin(struct wal_series_writer *w, struct strbuf *out);
/* `l`: the n labels, sorted. Their text is borrowed until the next series was added: that of interned strings, best. */
void wal_series_add(struct wal_series_writer *w, series_ref ref, const struct label *l, size_t n);
void wal_series_done(struct wal_series_writer *w);

struct wal_series_reader {
	struct byte_reader r;
	series_ref last_ref;
	struct label *l; /* sorted names, not empty, text borrowed from the payload */
	size_t n, cap;
};
void wal_series_open(struct wal_series_reader *r, struct slice payload);
/* 0 with the next series, its labels in r->l[0..n-1]; 1 at the end; ERR_CORRUPT. */
MUST_CHECK int wal_series_next(struct wal_series_reader *r, series_ref *ref);
void wal_series_close(struct wal_series_reader *r);

/* --- histograms --- */
void wal_histogram_add(struct strbuf *out, series_ref ref, int64_t t_ms, struct slice chunk);
/* 0 with the next one, its chunk borrowed; 1 at the end; ERR_CORRUPT. */
MUST_CHECK int wal_histogram_next(struct byte_reader *r, series_ref *ref, int64_t *t_ms, struct slice *chunk);

/* --- metadata --- */
void wal_metadata_add(struct strbuf *out, struct slice metric, const struct metadata *m);
MUST_CHECK int wal_metadata_next(struct byte_reader *r, struct slice *metric, struct metadata *m);

/* --- exemplars: each behind its series, as in a record of series (the ref says nothing) --- */
void wal_exemplar_add(struct wal_series_writer *w, const struct labels *series, const struct exemplar *e);

struct wal_exemplar {
	struct exemplar exemplar; /* without its labels: */
	size_t n;
	struct label l[EXEMPLAR_MAX_LABELS]; /* sorted, text borrowed from the payload */
};
/* 0 with the next one, the labels of its series in r->l[0..n-1]; 1 at the end; ERR_CORRUPT. */
MUST_CHECK int wal_exemplar_next(struct wal_series_reader *r, struct wal_exemplar *out);
