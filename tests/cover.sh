#!/usr/bin/env bash
# Lines that the tests reached: a table by file, and pages in build/cover/html.
# `make cover` has built and run them.
set -u
cd "$(dirname "$0")/.." || exit 1

info=build/cover/coverage.info
log=build/cover/lcov.log

if ! lcov --quiet --capture --directory build/cover --base-directory . \
    --no-external --output-file "$info.all" >"$log" 2>&1 ||
    ! lcov --quiet --remove "$info.all" '*/tests/*' --output-file "$info" \
	>>"$log" 2>&1; then
	cat "$log" >&2
	exit 1
fi
genhtml --quiet --output-directory build/cover/html "$info" >>"$log" 2>&1
lcov --list "$info" 2>/dev/null | grep -v '^Reading'
