#include "tests/lib/test.h"

#include "base/xmalloc.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void check_str_at(const char *file, int line, const char *name, struct slice got, struct slice want)
{
	if (slice_eq(got, want))
		return;
	print_error("%s:%d: %s\n  want: %" SL_FMT "\n  got:  %" SL_FMT "\n", file, line, name, SL_ARG(want),
	    SL_ARG(got));
	_fail(file, line);
}

void check_int_at(const char *file, int line, const char *name, int64_t got, int64_t want)
{
	if (got == want)
		return;
	print_error("%s:%d: %s\n  want: %" PRId64 "\n  got:  %" PRId64 "\n", file, line, name, want, got);
	_fail(file, line);
}

void check_double_at(const char *file, int line, const char *name, double got, double want)
{
	if (memcmp(&got, &want, sizeof(got)) == 0)
		return;
	print_error(
	    "%s:%d: %s\n  want: %.17g (%a)\n  got:  %.17g (%a)\n", file, line, name, want, want, got, got);
	_fail(file, line);
}

void check_ok_at(const char *file, int line, const char *name, int rc, const struct err *err)
{
	if (rc == 0)
		return;
	print_error(
	    "%s:%d: %s\n  failed: %s: %s\n", file, line, name, err_code_name(rc), err ? err->msg : "");
	_fail(file, line);
}

void check_true_at(const char *file, int line, const char *name, bool cond, const char *text)
{
	if (cond)
		return;
	print_error("%s:%d: %s\n  not true: %s\n", file, line, name, text);
	_fail(file, line);
}

void test_random_init(struct test_random *r)
{
	const char *given = getenv("TEST_SEED");
	uint64_t seed =
	    given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 1000003u + (uint64_t)getpid();
	print_message("# TEST_SEED=%" PRIu64 "\n", seed);
	r->state = seed;
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t test_random_u64(struct test_random *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t test_random_below(struct test_random *r, uint64_t n)
{
	return n ? test_random_u64(r) % n : 0;
}

double test_random_unit(struct test_random *r)
{
	return (double)(test_random_u64(r) >> 11) * 0x1p-53;
}

char *test_tmpdir(void)
{
	const char *base = getenv("TMPDIR");
	char *path = xasprintf("%s/promq-test-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(path))
		fail_msg("cannot make a temporary directory %s", path);
	return path;
}

void test_tmpdir_done(char *path)
{
	char *command = xasprintf("rm -rf '%s'", path);
	if (system(command) != 0)
		print_message("# could not remove %s\n", path);
	free(command);
	free(path);
}

const char *test_source_path(const char *relative)
{
	static char path[4096];
	const char *src = getenv("srcdir");
	snprintf(path, sizeof(path), "%s/%s", src ? src : ".", relative);
	return path;
}

char *test_read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		return NULL;
	struct strbuf sb = STRBUF_INIT;
	char *room;
	size_t n;
	while ((room = strbuf_reserve(&sb, 65536)) && (n = fread(room, 1, 65536, f)) > 0)
		strbuf_advance(&sb, n);
	fclose(f);
	if (len)
		*len = sb.len;
	return strbuf_take(&sb);
}

const char *test_conformance_dir(void)
{
	static char path[4096];
	const char *given = getenv("PROMQ_CONFORMANCE");
	if (given)
		snprintf(path, sizeof(path), "%s", given);
	else
		snprintf(path, sizeof(path), "%s", test_source_path("../shared/conformance"));
	struct stat st;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return path;
	print_message("# no conformance data at %s: those cases are skipped\n", path);
	return NULL;
}

int test_main(int argc, char **argv, const char *group, const struct CMUnitTest *tests, size_t n)
{
	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], "-f") == 0)
			cmocka_set_test_filter(argv[i + 1]);
	return _cmocka_run_group_tests(group, tests, n, NULL, NULL) == 0 ? 0 : 1;
}
