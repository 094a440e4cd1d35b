/* Two ways to one number: the CPU's CRC instruction, eight bytes at a time, and eight tables ("slicing by 8")
 * where there is none. Which one is found out once. */
#include "base/crc32c.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#if defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#endif

static const uint32_t castagnoli = 0x82f63b78u; /* the polynomial, bits reversed */

static uint32_t tables[8][256];
static bool cpu_has_crc;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

static bool ask_cpu(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("sse4.2");
#elif defined(__aarch64__) && defined(HWCAP_CRC32)
	return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
#else
	return false;
#endif
}

static void prepare(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? castagnoli : 0);
		tables[0][i] = crc;
	}
	for (uint32_t i = 0; i < 256; i++)
		for (int k = 1; k < 8; k++)
			tables[k][i] = (tables[k - 1][i] >> 8) ^ tables[0][tables[k - 1][i] & 0xff];
	cpu_has_crc = ask_cpu();
}

static uint64_t load64(const unsigned char *p)
{
	uint64_t x;
	memcpy(&x, p, sizeof(x));
	return x;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t by_instruction(
    uint32_t crc, const unsigned char *p, size_t n)
{
	uint64_t c = crc;
	for (; n >= 8; n -= 8, p += 8)
		c = __builtin_ia32_crc32di(c, load64(p));
	uint32_t out = (uint32_t)c;
	for (; n; n--, p++)
		out = __builtin_ia32_crc32qi(out, *p);
	return out;
}
#elif defined(__aarch64__)
__attribute__((target("+crc"))) static uint32_t by_instruction(uint32_t crc, const unsigned char *p, size_t n)
{
	for (; n >= 8; n -= 8, p += 8)
		crc = __crc32cd(crc, load64(p));
	for (; n; n--, p++)
		crc = __crc32cb(crc, *p);
	return crc;
}
#else
static uint32_t by_instruction(uint32_t crc, const unsigned char *p, size_t n)
{
	return ~crc32c_portable(~crc, p, n);
}
#endif

uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t n)
{
	pthread_once(&prepared, prepare);
	const unsigned char *p = bytes;
	crc = ~crc;
	for (; n >= 8; n -= 8, p += 8) {
		uint32_t low = crc ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
					 (uint32_t)p[3] << 24);
		crc = tables[7][low & 0xff] ^ tables[6][low >> 8 & 0xff] ^ tables[5][low >> 16 & 0xff] ^
		      tables[4][low >> 24] ^ tables[3][p[4]] ^ tables[2][p[5]] ^ tables[1][p[6]] ^
		      tables[0][p[7]];
	}
	for (; n; n--, p++)
		crc = (crc >> 8) ^ tables[0][(crc ^ *p) & 0xff];
	return ~crc;
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t n)
{
	pthread_once(&prepared, prepare);
	return cpu_has_crc ? ~by_instruction(~crc, bytes, n) : crc32c_portable(crc, bytes, n);
}
