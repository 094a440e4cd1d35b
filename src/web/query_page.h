/* The page for people until there is a user interface: a line for a query, its result as a table. */
#pragma once

extern const char query_page[];
