/* One version of a function per instruction set, chosen when the program starts, for loops that become vector code. Sanitizers
 * run too late for that, and clang does not link such functions from an archive. */
#pragma once

#if defined(__x86_64__) && defined(__linux__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) &&    \
    !defined(__SANITIZE_THREAD__)
#define BY_CPU __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), optimize("O3")))
#else
#define BY_CPU
#endif
