/* MD5, for the hashmod action of relabelling: not for anything that needs a secure hash. Thread-safe. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { MD5_BYTES = 16 };

void md5(const void *bytes, size_t n, uint8_t out[MD5_BYTES]);
