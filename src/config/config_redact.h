/* A YAML tree as text again, with what is secret replaced by <secret>: the configuration as the API shows it. */
#pragma once

#include "base/strbuf.h"
#include "base/yaml.h"

void config_print_redacted(struct strbuf *out, const struct yaml_node *root);
