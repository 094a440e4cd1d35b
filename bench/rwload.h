/* rwload's parts: what the series look like (rwload_series.c), making request bodies (rwload_gen.c), replaying them
 * (rwload_send.c). A file of bodies is records of {u32 samples, u32 length, one snappy block}, little-endian. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum value_shape { INTEGER_COUNTER, DECIMAL_COUNTER, BYTES_GAUGE, RARE_COUNTER, CONSTANT, NOISY_GAUGE };

struct load_series {
	enum value_shape shape;
	char *labels; /* as the bytes of a remote-write TimeSeries, owned */
	size_t labels_len;
	double v, rate;
	int32_t jitter_ms;
};

enum { SERIES_PER_TARGET = 1000 };

/* Series i of the load. `generation` g is the same series of the g-th pod that came after; 0 to 6 `extra_labels` are of the
 * target. */
void load_series_make(struct load_series *s, int i, int generation, int extra_labels);
void load_series_done(struct load_series *s);
/* Its value `seconds` after the last. */
double load_series_next(struct load_series *s, double seconds);

size_t put_varint(char *p, uint64_t v);

int rwload_gen(int argc, char **argv);
int rwload_send(int argc, char **argv);
