#!/bin/sh
# Each header compiles alone and begins with a comment; no file is over 1500 lines. TAP.
cd "${srcdir:-.}" || exit 1
CC=${CC:-cc}
n=0
bad=0
report() {
	n=$((n + 1))
	if [ -z "$2" ]; then echo "ok $n - $1"; else printf '%s\n' "$2" | sed 's/^/# /'; echo "not ok $n - $1"; bad=1; fi
}
flags="-std=gnu17 -fsyntax-only -D_GNU_SOURCE -Isrc -I. -I${builddir:-build} -I${builddir:-build}/src"
for h in $(find src -name '*.h' ! -name '*_table.h' | sort); do
	report "$h compiles alone" "$(printf '#include "%s"\n' "${h#src/}" | $CC $flags -x c - 2>&1 | head -n 5)"
done
report "headers begin with a comment" "$(find src -name '*.h' | while read -r h; do
	head -n 1 "$h" | grep -q '^/\*' || echo "$h has no head comment"; done)"
report "no file over 1500 lines" "$(find src tools tests bench fuzz \( -name '*.c' -o -name '*.cc' -o -name '*.h' \) | while read -r f; do
	lines=$(wc -l <"$f"); [ "$lines" -le 1500 ] || echo "$f has $lines lines"; done)"
report "each folder has a README" "$(for d in src/*/; do [ -e "$d/README.md" ] || echo "$d has none"; done)"
echo "1..$n"
exit $bad
