#include "tsdb/wal_frames.h"

#include "base/crc32c.h"
#include "tsdb/head_series.h"
#include <string.h>

void wal_frames_open(struct wal_frames *w, struct slice content, size_t offset, uint64_t place)
{
	*w = (struct wal_frames){.content = content, .offset = offset, .place = place};
}

int wal_frames_next(struct wal_frames *w, struct wal_frame *f, struct slice *payload)
{
	static const uint8_t zeros[WAL_FRAME_BYTES];
	size_t left = w->content.len - w->offset;
	const uint8_t *p = (const uint8_t *)w->content.ptr + w->offset;
	size_t look = left < WAL_FRAME_BYTES ? left : WAL_FRAME_BYTES;
	if (look == 0 || memcmp(p, zeros, look) == 0)
		return 1;
	if (look < WAL_FRAME_BYTES)
		return ERR_CORRUPT;
	wal_frame_decode(p, f);
	if (f->len > WAL_RECORD_MAX_BYTES || f->len > left - WAL_FRAME_BYTES)
		return ERR_CORRUPT;
	uint32_t crc = crc32c(0, p + WAL_FRAME_BYTES, f->len);
	if (f->check != wal_frame_check(f, crc, w->place, w->offset))
		return ERR_CORRUPT;
	*payload = slice_of((const char *)p + WAL_FRAME_BYTES, f->len);
	w->offset += WAL_FRAME_BYTES + f->len;
	return 0;
}

/* Whether a frame could begin here at all: a checksum is taken of those only. */
static bool is_plausible(const struct wal_frame *f, size_t left, uint64_t after)
{
	return f->len > 0 && f->len <= left && f->len <= WAL_RECORD_MAX_BYTES && f->type > 0 &&
	       f->type <= WAL_TYPE_MAX && f->version > 0 && f->version <= WAL_RECORD_VERSION &&
	       f->stripe < HEAD_STRIPES && f->number > after;
}

bool wal_frames_resync(struct wal_frames *w, uint64_t after)
{
	struct wal_frames at = *w;
	struct wal_frame f;
	struct slice payload;
	for (at.offset++; at.offset + WAL_FRAME_BYTES <= at.content.len; at.offset++) {
		size_t offset = at.offset;
		wal_frame_decode((const uint8_t *)at.content.ptr + offset, &f);
		if (!is_plausible(&f, at.content.len - offset - WAL_FRAME_BYTES, after))
			continue;
		if (wal_frames_next(&at, &f, &payload) == 0) {
			w->offset = offset;
			return true;
		}
	}
	return false;
}
