/* Tables of the conformance data: cases/NAME.json holds {"about": ..., "cases": [...]}. */
#pragma once

#include "base/arena.h"
#include "base/json_read.h"

struct test_cases;

/* NULL when there is no conformance data, which is said in the test's output; a broken file fails the test. */
struct test_cases *test_cases_open(const char *name);
void test_cases_close(struct test_cases *c); /* takes NULL */
size_t test_cases_count(const struct test_cases *c);
/* A member that stands beside the list: the data all cases share. */
const struct json_value *test_cases_member(const struct test_cases *c, const char *name);
const struct json_value *test_case(const struct test_cases *c, size_t i);

/* A member that is text, or {"bytes_hex": "..."}, or absent: then empty. Lives in the arena of the cases. */
struct slice test_case_text(struct test_cases *c, const struct json_value *v, const char *member);
struct slice test_case_bytes(struct test_cases *c, const struct json_value *v);
bool test_case_bool(const struct json_value *v, const char *member);
/* A number, or "NaN", "+Inf", "-Inf". */
double test_case_double(const struct json_value *v, const char *member);
struct arena *test_cases_arena(struct test_cases *c);
