/* main() of a fuzz target built without a fuzzer: runs each file of the folders and files it is given once, which makes
 * `make check` replay the corpus. Prints TAP. */
#include "base/strbuf.h"
#include "base/xmalloc.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f) {
		fprintf(stderr, "# cannot read %s\n", path);
		return 0;
	}
	struct strbuf sb = STRBUF_INIT;
	char *room;
	size_t n;
	while ((room = strbuf_reserve(&sb, 65536)) && (n = fread(room, 1, 65536, f)) > 0)
		strbuf_advance(&sb, n);
	fclose(f);
	/* An exact-size copy, so that the address sanitizer sees a read behind the end. */
	uint8_t *data = xmalloc(sb.len);
	if (sb.len)
		memcpy(data, sb.ptr, sb.len);
	LLVMFuzzerTestOneInput(data, sb.len);
	free(data);
	strbuf_done(&sb);
	return 1;
}

static int run_folder(const char *path)
{
	DIR *d = opendir(path);
	if (!d)
		return 0;
	int count = 0;
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		char *file = xasprintf("%s/%s", path, e->d_name);
		count += run_file(file);
		free(file);
	}
	closedir(d);
	return count;
}

int main(int argc, char **argv)
{
	printf("1..%d\n", argc - 1);
	int failed = 0;
	for (int i = 1; i < argc; i++) {
		struct stat st;
		bool is_folder = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode);
		int count = is_folder ? run_folder(argv[i]) : run_file(argv[i]);
		failed += count == 0;
		printf("%sok %d - %d inputs of %s\n", count ? "" : "not ", i, count, argv[i]);
	}
	return failed ? 1 : 0;
}
