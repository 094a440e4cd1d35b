#!/bin/sh
# The manual of the query language says what the parser's tables say: otherwise `make docs`. TAP.
manual=${srcdir:-.}/docs/promql.md
made=$("${builddir:-build}/tools/promql_manual") || made=
echo "1..1"
if [ -n "$made" ] && [ "$made" = "$(cat "$manual")" ]; then
	echo "ok 1 - docs/promql.md is up to date"
	exit 0
fi
printf '%s\n' "$made" | diff "$manual" - | head -n 20 | sed 's/^/# /'
echo "not ok 1 - docs/promql.md is up to date: run make docs"
exit 1
