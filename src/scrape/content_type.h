/* Which format a target may answer in, and which it did. */
#pragma once

#include "config/config_scrape.h"

/* The value of the Accept header: the job's protocols in order, as far as this server reads them, with falling weights. */
void accept_header(struct strbuf *out, const struct scrape_config *config);
/* The format of an answer. ERR_INVALID, ERR_UNSUPPORTED: none that can be read, in upstream's words. */
MUST_CHECK int content_type_check(
    struct slice content_type, const struct scrape_config *config, struct err *err);
