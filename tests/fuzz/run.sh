#!/usr/bin/env bash
# libFuzzer on each target for a while; new inputs stay in build/fuzz, a crash
# is copied into the corpus, where `make check` replays it for ever.
#
#   tests/fuzz/run.sh SECONDS tests/fuzz/fuzz_X.c...
set -u
cd "$(dirname "$0")/../.." || exit 1

seconds=$1
shift
bad=0
for source; do
	name=$(basename "$source" .c)
	found=build/fuzz/found/$name
	mkdir -p "$found"
	echo "  FUZZ  $name, $seconds s"
	if ! build/fuzz/tests/fuzz/"$name" -max_total_time="$seconds" \
	    -timeout=10 -rss_limit_mb=1024 \
	    -artifact_prefix="tests/fuzz/corpus/$name/" \
	    "$found" "tests/fuzz/corpus/$name" >"$found.log" 2>&1; then
		bad=$((bad + 1))
		grep -A 40 -m 1 -E 'ERROR|SUMMARY' "$found.log" >&2
		echo "$name: a crash; its input is in tests/fuzz/corpus/$name" >&2
	fi
	grep -E '^#[0-9]+.*DONE' "$found.log"
done
[ "$bad" -eq 0 ]
