#!/bin/sh
# Who may include whom: a file includes headers of its own folder and of the layers its folder may see. TAP.
cd "${srcdir:-.}" || exit 1

allowed() {
	case $1 in
	base) echo base ;;
	net) echo net base ;;
	model) echo model net base ;;
	config) echo config model net base ;;
	storage) echo storage config model net base ;;
	template) echo template model net base ;;
	tsdb) echo tsdb storage config model net base ;;
	# promql sees the store through src/storage alone; grammar is what flex and bison make
	promql) echo promql grammar storage config model net base ;;
	scrape) echo scrape discovery storage config model net base ;;
	discovery) echo discovery storage config model net base ;;
	ingest) echo ingest storage config model net base ;;
	rules) echo rules promql template storage config model net base ;;
	# the router knows neither promql nor tsdb nor rules
	alertmanager) echo alertmanager template config model net base ;;
	web) echo web alertmanager rules promql scrape discovery storage config model net base ;;
	main) echo main web alertmanager rules promql scrape discovery ingest remote tsdb template storage config model net base ;;
	esac
}

# header:the one file that may include it
third_party='microhttpd.h:src/net/http_server.c curl/curl.h:src/net/http_client.c yaml.h:src/base/yaml.c
jansson.h:src/base/json_read.c re2/re2.h:src/model/label_regex.cc snappy-c.h:src/base/compress.c zlib.h:src/base/compress.c
xxhash.h:src/base/hash.c double-conversion/double-conversion.h:src/base/double_slow.cc nettle/md5.h:src/base/md5.c
nettle/hmac.h:src/base/hmac.c nettle/sha2.h:src/base/sha2.c crypt.h:src/base/password.c'

n=0
bad=0
for dir in src/*/; do
	layer=$(basename "$dir")
	[ "$layer" = README.md ] && continue
	may=" $(allowed "$layer") "
	n=$((n + 1))
	wrong=$(grep -Hn '^#include "[a-z_]*/' "$dir"*.[ch] "$dir"*.cc 2>/dev/null | while IFS=: read -r file line text; do
		target=$(printf '%s' "$text" | sed 's/^#include "\([a-z_]*\)\/.*/\1/')
		case $may in *" $target "*) ;; *) echo "# $file:$line: $layer may not include $target" ;; esac
	done)
	if [ -n "$wrong" ]; then
		echo "$wrong"
		echo "not ok $n - $layer"
		bad=1
	else
		echo "ok $n - $layer"
	fi
done
for pair in $third_party; do
	header=${pair%%:*}
	owner=${pair#*:}
	n=$((n + 1))
	others=$(grep -rl "^#include <$header>" src tools 2>/dev/null | grep -v "^$owner\$")
	if [ -n "$others" ]; then
		echo "# $header is included by $others"
		echo "not ok $n - $header"
		bad=1
	else
		echo "ok $n - $header"
	fi
done
echo "1..$n"
exit $bad
