noinst_LIBRARIES += libnet.a
libnet_a_SOURCES = \
	src/net/http_client.c src/net/http_client.h \
	src/net/http_metrics.c src/net/http_metrics.h \
	src/net/http_params.c src/net/http_params.h \
	src/net/http_routes.c src/net/http_routes.h \
	src/net/http_server.c src/net/http_server.h \
	src/net/listen_address.c src/net/listen_address.h \
	src/net/url.c src/net/url.h
