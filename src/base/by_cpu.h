/* Functions whose loops are worth a version per kind of CPU, chosen once when the program starts. Plain loops are enough: the
 * compiler turns them into vector code. Elsewhere than on x86-64 Linux, under clang (which does not link such functions from an
 * archive) and under sanitizers (which run before the choice is made), the plain version is all there is. */
#pragma once

#if defined(__x86_64__) && defined(__linux__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) &&    \
    !defined(__SANITIZE_THREAD__)
#define BY_CPU __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), optimize("O3")))
#else
#define BY_CPU
#endif
