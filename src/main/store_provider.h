/* The local store as the web's status pages want to see it. */
#pragma once

#include "tsdb/tsdb.h"
#include "web/providers.h"

struct web_store_provider store_provider(struct tsdb *db);
