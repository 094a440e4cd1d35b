/* Errors: a code for programs, one finished sentence for people, and a position where there is one.
 *
 * A function that can fail returns `int`: 0, or a negative ERR_* code; iterators also return 1 for "end".
 * Its last parameter is `struct err *err`, which it fills when (and only when) it fails; NULL is allowed
 * where the caller needs the code alone. `struct err` is plain memory of the caller: nothing to free.
 * Out-parameters are written on success only. Details are added on the way up with err_prefix(). */
#pragma once

#include "base/attr.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum err_code {
	ERR_OK = 0,
	ERR_INVALID = -1,      /* input that breaks a rule: syntax, type, range (HTTP 400) */
	ERR_NOT_FOUND = -2,    /* the named thing does not exist */
	ERR_EXISTS = -3,       /* the named thing exists already */
	ERR_LIMIT = -4,        /* a configured bound would be passed */
	ERR_NO_MEMORY = -5,    /* a large allocation was refused */
	ERR_IO = -6,           /* the operating system said no; errno's text is in the message */
	ERR_CORRUPT = -7,      /* stored bytes fail their checksum or their format */
	ERR_OUT_OF_ORDER = -8, /* a sample older than the accepted window of its series */
	ERR_TOO_OLD = -9,      /* a sample older than the store accepts at all */
	ERR_DUPLICATE = -10,   /* same series, same timestamp, another value */
	ERR_TIMEOUT = -11,     /* the deadline passed */
	ERR_CANCELED = -12,    /* the client went, or the server stops */
	ERR_UNAVAILABLE = -13, /* not now: starting, stopping, disk full */
	ERR_UNSUPPORTED = -14, /* legal, but not implemented; the message says what */
	ERR_EXECUTION = -15,   /* a query failed while it ran (HTTP 422) */
	ERR_BUSY = -16,        /* locked by somebody else */
};

struct err {
	int code;
	uint32_t line;   /* 1-based; 0: no position */
	uint32_t column; /* 1-based, in bytes */
	int os_error;    /* errno behind it, when err_set_errno() made it; else 0 */
	char msg[2048];  /* cut with "..." when longer */
};

/* Sets code and message (printf-like), forgets any position; returns `code`, so that a failing function ends
 * with `return err_set(err, ERR_..., "...")`. `err` may be NULL. Safe when arguments point into err->msg. */
int err_set(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
int err_setv(struct err *err, int code, const char *fmt, va_list ap) PRINTF_LIKE(3, 0);

/* As err_set, with a position. */
int err_set_at(struct err *err, int code, uint32_t line, uint32_t column, const char *fmt, ...) PRINTF_LIKE(5, 6);

/* ERR_IO with ": " and the text of errno behind the message. Reads errno first of all. */
int err_set_errno(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Whether the system said that the disk is full (or the quota used up). NULL: no. */
bool err_is_disk_full(const struct err *err);

/* All of another error, also what the system said. Returns its code. `to` may be NULL. */
int err_copy(struct err *to, const struct err *from);

/* Puts "<text>" before the message that is there. Returns err->code (ERR_INVALID when err is NULL). */
int err_prefix(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* "out of order" and the like: the code for a reader without message. */
const char *err_code_name(int code);
