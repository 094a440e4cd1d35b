#include "scrape/content_type.h"

#include "base/utf8.h"

/* What the Accept header says for each protocol; NULL: this server does not ask for it. */
static const char *const media_types[SCRAPE_PROTOCOLS] = {
    [SCRAPE_TEXT_1] = "text/plain;version=1.0.0",
    [SCRAPE_TEXT_0] = "text/plain;version=0.0.4",
};

static const char *escaping_name(enum name_escaping e)
{
	switch (e) {
	case ESCAPE_UNDERSCORES:
		return "underscores";
	case ESCAPE_DOTS:
		return "dots";
	case ESCAPE_VALUES:
		return "values";
	case ESCAPE_ALLOW_UTF8:
	case ESCAPE_UNSET:
		break;
	}
	return "allow-utf-8";
}

void accept_header(struct strbuf *out, const struct scrape_config *config)
{
	int weight = SCRAPE_PROTOCOLS + 1;
	for (size_t i = 0; i < config->protocols.n; i++) {
		enum scrape_protocol p = config->protocols.v[i];
		if (!media_types[p])
			continue;
		strbuf_adds(out, media_types[p]);
		if (p == SCRAPE_TEXT_1)
			strbuf_addf(out, ";escaping=%s", escaping_name(config->name_escaping));
		strbuf_addf(out, ";q=0.%d,", weight--);
	}
	strbuf_addf(out, "*/*;q=0.%d", weight);
}

static int quoted_error(struct err *err, const char *before, struct slice s, const char *behind)
{
	struct strbuf sb = STRBUF_INIT;
	strbuf_adds(&sb, before);
	utf8_quote_go(&sb, s);
	strbuf_adds(&sb, behind);
	int rc = err_set(err, ERR_INVALID, "%" SL_FMT, SL_ARG(strbuf_slice(&sb)));
	strbuf_done(&sb);
	return rc;
}

static bool is_text(enum scrape_protocol p)
{
	return media_types[p] != NULL;
}

/* type "/" subtype, of the characters tokens are made of. */
static bool is_media_type(struct slice s)
{
	size_t slash = slice_find(s, '/');
	bool legal = slash > 0 && slash + 1 < s.len;
	for (size_t i = 0; legal && i < s.len; i++) {
		char c = s.ptr[i];
		legal = c > ' ' && c < 0x7f && !strchr("()<>@,;:\\\"[]?=", c) && (c != '/' || i == slash);
	}
	return legal;
}

int content_type_check(struct slice content_type, const struct scrape_config *config, struct err *err)
{
	struct slice type = slice_trim(slice_of(content_type.ptr, slice_find(content_type, ';')));
	if (slice_eq_nocase(type, SL("text/plain")))
		return 0;
	if (slice_eq_nocase(type, SL("application/openmetrics-text")) ||
	    slice_eq_nocase(type, SL("application/vnd.google.protobuf")))
		return err_set(err, ERR_UNSUPPORTED,
		    "the target answered in the format \"%" SL_FMT
		    "\" although it was not asked for; text/plain is needed",
		    SL_ARG(type));
	if (config->has_fallback_protocol && is_text(config->fallback_protocol))
		return 0;
	if (content_type.len == 0)
		return err_set(err, ERR_INVALID,
		    "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol "
		    "specified for target");
	if (!is_media_type(type))
		return quoted_error(err, "cannot parse Content-Type ", content_type,
		    " and no fallback_scrape_protocol for target");
	return quoted_error(err, "received unsupported Content-Type ", content_type,
	    " and no fallback_scrape_protocol specified for target");
}
