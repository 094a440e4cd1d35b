/* What every unit test includes: cmocka with the headers it needs, checks that print want and got, and a main that takes
 * `-f NAME` to run the matching cases only. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those before it. */
#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "base/strbuf.h"

/* Fails with file and line, the case's name, want and got. */
#define check_str(name, got, want)   check_str_at(__FILE__, __LINE__, (name), (got), slice_cstr(want))
#define check_slice(name, got, want) check_str_at(__FILE__, __LINE__, (name), (got), (want))
#define check_int(name, got, want)   check_int_at(__FILE__, __LINE__, (name), (int64_t)(got), (int64_t)(want))
/* Bit-equal doubles; any NaN equals any NaN only if the bits do. */
#define check_double(name, got, want) check_double_at(__FILE__, __LINE__, (name), (got), (want))
#define check_ok(name, rc, err)       check_ok_at(__FILE__, __LINE__, (name), (rc), (err))
#define check_true(name, cond)        check_true_at(__FILE__, __LINE__, (name), (cond), #cond)

void check_str_at(const char *file, int line, const char *name, struct slice got, struct slice want);
void check_int_at(const char *file, int line, const char *name, int64_t got, int64_t want);
void check_double_at(const char *file, int line, const char *name, double got, double want);
void check_ok_at(const char *file, int line, const char *name, int rc, const struct err *err);
void check_true_at(const char *file, int line, const char *name, bool cond, const char *text);

/* A pseudo-random stream for property tests; the seed is printed, and taken from TEST_SEED when that is set. */
struct test_random {
	uint64_t state;
};
void test_random_init(struct test_random *r);
uint64_t test_random_u64(struct test_random *r);
uint64_t test_random_below(struct test_random *r, uint64_t n);
double test_random_unit(struct test_random *r);

/* A fresh directory below $TMPDIR, removed by test_tmpdir_done(). */
char *test_tmpdir(void);
void test_tmpdir_done(char *path);

/* The path of a file of the source tree; static buffer, one at a time. */
const char *test_source_path(const char *relative);
/* A whole file, on the heap, NUL-terminated; NULL when it is not there. */
char *test_read_file(const char *path, size_t *len);
/* The folder of third-party conformance data, or NULL: then it has said that the cases are skipped and why, and the test
 * returns. (Not cmocka's skip(): its TAP output calls a skipped test "not ok".) */
const char *test_conformance_dir(void);

/* main() of a test program. */
int test_main(int argc, char **argv, const char *group, const struct CMUnitTest *tests, size_t n);
#define TEST_MAIN(group, ...)                                                                                \
	int main(int argc, char **argv)                                                                      \
	{                                                                                                    \
		const struct CMUnitTest tests[] = {__VA_ARGS__};                                             \
		return test_main(argc, argv, group, tests, sizeof(tests) / sizeof(tests[0]));                \
	}
