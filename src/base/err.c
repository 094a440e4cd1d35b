#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void end_with_dots(char *msg, size_t size)
{
	memcpy(msg + size - 4, "...", 4);
}

int err_setv(struct err *err, int code, const char *fmt, va_list ap)
{
	if (!err)
		return code;
	char text[sizeof(err->msg)]; /* the arguments may point into err->msg */
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	if (n >= (int)sizeof(text))
		end_with_dots(text, sizeof(text));
	memcpy(err->msg, text, sizeof(text));
	err->code = code;
	err->line = err->column = 0;
	err->os_error = 0;
	return code;
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	err_setv(err, code, fmt, ap);
	va_end(ap);
	return code;
}

int err_set_at(struct err *err, int code, uint32_t line, uint32_t column, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	err_setv(err, code, fmt, ap);
	va_end(ap);
	if (err) {
		err->line = line;
		err->column = column;
	}
	return code;
}

int err_set_errno(struct err *err, const char *fmt, ...)
{
	int saved = errno;
	if (!err)
		return ERR_IO;
	va_list ap;
	va_start(ap, fmt);
	err_setv(err, ERR_IO, fmt, ap);
	va_end(ap);
	err->os_error = saved;
	char reason[128];
	size_t len = strlen(err->msg);
	snprintf(err->msg + len, sizeof(err->msg) - len, ": %s", strerror_r(saved, reason, sizeof(reason)));
	return ERR_IO;
}

bool err_is_disk_full(const struct err *err)
{
	return err && (err->os_error == ENOSPC || err->os_error == EDQUOT);
}

int err_copy(struct err *to, const struct err *from)
{
	if (to)
		*to = *from;
	return from->code;
}

int err_prefix(struct err *err, const char *fmt, ...)
{
	if (!err)
		return ERR_INVALID;
	char text[sizeof(err->msg)];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	size_t len = n < 0 ? 0 : (size_t)n;
	if (len > sizeof(text) - 1)
		len = sizeof(text) - 1;
	size_t old = strlen(err->msg);
	size_t room = sizeof(text) - 1 - len;
	memcpy(text + len, err->msg, old < room ? old : room);
	text[len + (old < room ? old : room)] = '\0';
	if (old > room)
		end_with_dots(text, sizeof(text));
	memcpy(err->msg, text, sizeof(text));
	return err->code;
}

const char *err_code_name(int code)
{
	static const char *const names[] = {"ok", "invalid", "not found", "exists", "limit", "no memory", "i/o error",
	    "corrupt", "out of order", "too old", "duplicate", "timeout", "canceled", "unavailable", "unsupported",
	    "execution error", "busy"};
	if (code > 0 || -code >= (int)ARRAY_LEN(names))
		return "unknown";
	return names[-code];
}
