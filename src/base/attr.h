/* Attributes the rest of the tree writes in front of declarations. */
#pragma once

#define MUST_CHECK     __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define CLEANUP(fn)    __attribute__((cleanup(fn)))
#define UNUSED         __attribute__((unused))
#define NORETURN       __attribute__((noreturn))
#define likely(x)      __builtin_expect(!!(x), 1)
#define unlikely(x)    __builtin_expect(!!(x), 0)
#define ARRAY_LEN(a)   (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
