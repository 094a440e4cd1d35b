#include "storage/appender.h"

static const char *const texts[] = {
    [APPEND_OK] = "ok",
    [APPEND_REPEATED] = "repeated",
    [APPEND_OUT_OF_ORDER] = "out of order sample",
    [APPEND_TOO_OLD] = "too old sample",
    [APPEND_EXPIRED] = "out of bounds",
    [APPEND_DUPLICATE] = "duplicate sample for timestamp",
    [APPEND_TOO_FAR] = "out of bounds: timestamp is too far in the future",
    [APPEND_UNKNOWN_REF] = "unknown series reference",
    [APPEND_LIMIT] = "series limit reached",
    [APPEND_NO_ROOM] = "no memory until samples are written out",
};
_Static_assert(ARRAY_LEN(texts) == APPEND_RESULTS, "one text per result");

const char *append_result_text(enum append_result r)
{
	return texts[r];
}

static const char *const exemplar_texts[] = {
    [EXEMPLAR_TAKEN] = "ok",
    [EXEMPLAR_REPEATED] = "duplicate exemplar",
    [EXEMPLAR_OUT_OF_ORDER] = "out of order exemplar",
    [EXEMPLAR_TOO_LONG] = "label length for exemplar exceeds maximum of 128 UTF-8 characters",
    [EXEMPLAR_INVALID] = "invalid labels of an exemplar",
    [EXEMPLAR_UNKNOWN_REF] = "unknown series reference",
    [EXEMPLAR_NO_ROOM] = "no memory for exemplars",
    [EXEMPLAR_OFF] = "exemplar storage is disabled",
};
_Static_assert(ARRAY_LEN(exemplar_texts) == EXEMPLAR_RESULTS, "one text per result");

const char *exemplar_result_text(enum exemplar_result r)
{
	return exemplar_texts[r];
}

static int append_by_ref(struct appender *a, struct kept_ref *kept, int64_t t_ms, double v,
    enum append_result *result, struct err *err)
{
	struct sample s = {.ref = kept->ref, .round = kept->round, .t_ms = t_ms, .v = v};
	uint8_t one = APPEND_OK;
	int rc = a->ops->append(a, &s, 1, &one, err);
	if (rc < 0)
		return rc;
	if (one != APPEND_UNKNOWN_REF)
		kept->round = a->round;
	*result = (enum append_result)one;
	return 0;
}

int appender_append_one(struct appender *a, struct kept_ref *kept, const struct labels *labels, int64_t t_ms,
    double v, enum append_result *result, struct err *err)
{
	enum append_result r = APPEND_UNKNOWN_REF;
	if (kept->ref != 0) {
		int rc = append_by_ref(a, kept, t_ms, v, &r, err);
		if (rc < 0)
			return rc;
	}
	if (r == APPEND_UNKNOWN_REF) {
		int rc = a->ops->add_series(a, NULL, labels, &kept->ref, err);
		kept->round = a->round;
		if (rc == 0)
			rc = append_by_ref(a, kept, t_ms, v, &r, err);
		if (rc < 0)
			return rc;
	}
	*result = r;
	return 0;
}
