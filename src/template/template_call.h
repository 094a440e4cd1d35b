/* What files of template functions share, here and in other layers. */
#pragma once

#include "template/template_exec.h"

/* The head of a function that templates call. */
#define FUNC(name)                                                                                           \
	static int name(struct template_exec *x, const struct template_value *args, size_t n,                \
	    struct template_value *out, struct err *err)

/* The buffer's content as a text value in the arena of the execution; the buffer is done. */
struct template_value template_take_text(struct template_exec *x, struct strbuf *sb);

/* An argument that must be text. ERR_INVALID: "wrong type for value; expected string; got int". */
MUST_CHECK int template_want_text(const struct template_value *v, struct slice *out, struct err *err);
