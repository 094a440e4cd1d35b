#include "net/listen_address.h"
#include "tests/lib/test.h"

#include <stdio.h>
#include <unistd.h>

static void a_port_in_use_is_named(void **state)
{
	(void)state;
	int fd, second;
	unsigned port;
	struct err err;
	check_ok("free port", listen_on("127.0.0.1:0", &fd, &port, &err), &err);
	check_true("port known", port > 0);
	char address[64], want[128];
	snprintf(address, sizeof(address), "127.0.0.1:%u", port);
	snprintf(want, sizeof(want), "listen tcp %s: bind: Address already in use", address);
	check_int("second", listen_on(address, &second, &port, &err), ERR_IO);
	check_str("second", slice_cstr(err.msg), want);
	close(fd);
}

static void forms(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		int want;
	} cases[] = {{":0", 0}, {"localhost:0", 0}, {"127.0.0.1", ERR_INVALID}, {"127.0.0.1:x", ERR_INVALID},
	    {"999.1.1.1:0", ERR_INVALID}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int fd;
		unsigned port;
		struct err err;
		int rc = listen_on(cases[i].in, &fd, &port, &err);
		check_int(cases[i].in, rc, cases[i].want);
		if (rc == 0)
			close(fd);
	}
}

TEST_MAIN("listen_address", cmocka_unit_test(a_port_in_use_is_named), cmocka_unit_test(forms))
