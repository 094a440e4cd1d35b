/* Go's fmt verbs over template values; private to this folder. */
#pragma once

#include "template/value.h"

/* Appends. Wrong verbs and missing arguments print as Go prints them: %!d(string=x), %!v(MISSING). */
void template_printf(struct strbuf *out, struct slice format, const struct template_value *args, size_t n);
/* print: spaces between operands when neither is text; println: always, and a newline. */
void template_sprint(struct strbuf *out, const struct template_value *args, size_t n, bool newline);
