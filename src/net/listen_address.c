#include "net/listen_address.h"

#include "base/slice.h"
#include "base/xmalloc.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

/* Splits at the last colon; "" and brackets are taken off the host. */
static int split(const char *address, char host[256], const char **port, struct err *err)
{
	const char *colon = strrchr(address, ':');
	struct slice h = slice_of(address, colon ? (size_t)(colon - address) : 0);
	if (!colon || h.len >= 256)
		return err_set(
		    err, ERR_INVALID, "address %s: missing port in address (want host:port)", address);
	if (h.len >= 2 && h.ptr[0] == '[' && h.ptr[h.len - 1] == ']')
		h = slice_of(h.ptr + 1, h.len - 2);
	memcpy(host, h.ptr, h.len);
	host[h.len] = '\0';
	*port = colon + 1;
	return 0;
}

static int open_socket(const struct addrinfo *ai, bool both_families)
{
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	int on = 1, off = 0;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, both_families ? &off : &on, sizeof(on));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static unsigned bound_port(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	if (getsockname(fd, (struct sockaddr *)(void *)&ss, &len) != 0)
		return 0;
	if (ss.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)(void *)&ss)->sin6_port);
	return ntohs(((struct sockaddr_in *)(void *)&ss)->sin_port);
}

int listen_on(const char *address, int *fd, unsigned *port, struct err *err)
{
	char host[256];
	const char *service = "";
	int rc = split(address, host, &service, err);
	if (rc)
		return rc;
	bool any = host[0] == '\0';
	/* IPv6 first for "any": one socket then serves both families; machines without IPv6 fall to the second try. */
	const int families[] = {any ? AF_INET6 : AF_UNSPEC, AF_INET};
	for (size_t i = 0; i < (any ? 2u : 1u); i++) {
		struct addrinfo hints = {
		    .ai_family = families[i], .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
		struct addrinfo *list;
		int gai = getaddrinfo(any ? NULL : host, service, &hints, &list);
		if (gai != 0) {
			rc = err_set(err, ERR_INVALID, "listen tcp %s: %s", address, gai_strerror(gai));
			continue;
		}
		int got = open_socket(list, any);
		int saved = errno;
		freeaddrinfo(list);
		if (got >= 0) {
			*fd = got;
			*port = bound_port(got);
			return 0;
		}
		errno = saved;
		rc = err_set_errno(err, "listen tcp %s: bind", address);
		if (saved == EADDRINUSE)
			return rc;
	}
	return rc;
}
