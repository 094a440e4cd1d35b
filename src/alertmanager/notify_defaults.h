/* The default templates that every receiver's defaults call: their names are Alertmanager's. */
#pragma once

#include "template/template_parse.h"

MUST_CHECK int notify_defaults_parse(struct template_set *set, struct err *err);
