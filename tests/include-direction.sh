#!/bin/sh
# Who may include whom: the rooms of the house point one way only, and some
# doors have one keeper.  TAP; each breach is a line file:line: what.
#
#   tests/include-direction.sh [directory of the tree]
set -u
cd "${1:-$(dirname "$0")/..}" || exit 2

# room  rooms it may include, itself always among them; a top-level file
# enrol_x.c is of the room enrol
rooms() {
	cat <<-'EOT'
	base     base
	store    store base
	ca       ca base
	aliases  aliases base
	message  message ca base
	judge    judge fetch aliases store ca base
	fetch    fetch base
	enrol    enrol judge ca store aliases message base
	crl      crl ca store base
	admin    admin fetch queue enrol crl aliases ca store judge message base
	http     http base
	query    query base
	route    route aliases base
	fresh    fresh http base
	visit    visit http crl aliases ca store base
	access   access visit query http aliases ca base
	proxy    proxy visit fetch query http aliases store ca base
	getca    getca visit query message aliases ca store base queue
	signer signer visit message aliases ca store base
	password password visit message judge enrol aliases ca store base
	queue    queue signer visit enrol judge crl message aliases ca store base
	pkioperation pkioperation queue password signer visit query message enrol aliases ca store base
	getcert  getcert visit enrol aliases ca store base
	publish  publish visit fresh query route base
	serve    serve access proxy visit http query route message enrol aliases ca store fetch base page queue
	page     page visit http aliases ca store base
	workers  workers base
	manager  manager workers serve admin base
	scep     scep serve admin fetch
	EOT
}

# pattern (extended) TAB what it is TAB the only files that may have it
keepers() {
	printf '%s\t%s\t%s\n' \
	'#[[:space:]]*include[[:space:]]*[<"]([^>"]*/)?iniparser\.h|include.*dictionary\.h' \
	    'iniparser' 'base/ini.c' \
	'#[[:space:]]*include[[:space:]]*[<"]([^>"]*/)?fcgi' \
	    'libfcgi' 'http.c' \
	'#[[:space:]]*include[[:space:]]*[<"]([^>"]*/)?curl' \
	    'libcurl' 'fetch/curl.c' \
	'#[[:space:]]*include[[:space:]]*[<"]([^>"]*/)?cJSON' \
	    'cJSON' 'base/json.c' \
	'(^|[^_[:alnum:]>.])(open|openat|creat|link|linkat|rename|renameat|unlink|unlinkat|fsync|fdatasync|mkdir|mkdirat|symlink|symlinkat|mkstemp|mkostemp)\(' \
	    'file motions' 'base/file.c base/file_claim.c base/file_write.c' \
	'(^|[^_[:alnum:]>.])(fopen|fdopen|freopen|ftruncate)\(' \
	    'streams' 'admin/args_load.c admin/entity_import.c base/file_claim.c base/file_write.c' \
	'(^|[^_[:alnum:]>.])(time|clock_gettime|gettimeofday|timespec_get)\(' \
	    'the clock' 'base/time.c' \
	'PEM_read_bio_PrivateKey|d2i_PrivateKey|d2i_AutoPrivateKey|EVP_PKEY_decrypt|EVP_DigestSign|EVP_PKEY_sign' \
	    'private keys' 'ca/key.c ca/key_sign.c ca/key_unwrap.c judge/intune_jwt.c' \
	'(^|[^_[:alnum:]>.])(socket|socketpair|bind|listen|connect|accept|accept4|getaddrinfo)\(' \
	    'sockets' 'base/socket.c fetch/fetch.c fetch/helper.c'
}

scratch=$(mktemp) || exit 2
trap 'rm -f "$scratch"' EXIT
n=0
bad=0

# verdict NAME: one TAP line; what was found stands in $scratch
verdict() {
	n=$((n + 1))
	if [ -s "$scratch" ]; then
		bad=$((bad + 1))
		echo "not ok $n - $1"
		sed 's/^/# /' "$scratch"
		cat "$scratch" >&2
	else
		echo "ok $n - $1"
	fi
}

files_of() {
	if [ -d "$1" ]; then
		find "$1" -name '*.[ch]' | sort
	else
		for f in "$1".[ch] "$1"_*.[ch]; do
			[ -f "$f" ] && echo "$f"
		done
	fi
}

# The C of the server: everything but the tests.
sources() {
	find . -name '*.[ch]' ! -path './tests/*' ! -path './build/*' |
	    sed 's,^\./,,' | sort
}

rooms > "$scratch.rooms"
trap 'rm -f "$scratch" "$scratch".*' EXIT

while read -r room may; do
	# shellcheck disable=SC2046 # names of ours have no blanks
	set -- $(files_of "$room")
	[ $# -gt 0 ] || continue
	awk -v may="$may" '
		BEGIN { k = split(may, a, " "); while (k) ok[a[k--]] = 1 }
		/^[ \t]*#[ \t]*include[ \t]*"/ {
			split($0, q, "\"")
			to = q[2]
			if (to ~ /\//) sub(/\/.*/, "", to)
			else sub(/(_.*)?\.h$/, "", to)
			if (!(to in ok))
				printf "%s:%d: %s\n", FILENAME, FNR, $0
		}' "$@" > "$scratch"
	verdict "$room includes only: $may"
done < "$scratch.rooms"

# No file of the server stands outside the table.
sources | awk '
	NR == FNR { room[$1]; next }
	{
		r = $0
		if (!sub(/\/.*/, "", r)) sub(/(_.*)?\.[ch]$/, "", r)
		if (!(r in room)) print $0 ":1: in no room of the table"
	}' "$scratch.rooms" - > "$scratch"
verdict "every source belongs to a room"

# Every line as file:line:text, and again without strings and comments, which
# tell of these words too.
sources | xargs grep -Hn '' > "$scratch.lines"
sed -E 's,"([^"\\]|\\.)*",,g
	/#[[:space:]]*include/!s,/\*.*\*/,,
	/^[^:]*:[0-9]*:[[:space:]]*(\/?\*|\*\/)/d' \
    "$scratch.lines" > "$scratch.bare"

tab=$(printf '\t')
keepers | while IFS=$tab read -r pattern what keeper; do
	text=$scratch.bare
	case $what in iniparser | libfcgi | libcurl | cJSON) text=$scratch.lines ;; esac
	theirs=$(echo "$keeper" | sed 's/\./\\./g; s/ /|/g')
	grep -E "$pattern" "$text" | grep -Ev "^($theirs):" |
	    sed "s,^\([^:]*:[0-9]*\):,\1: $what belongs to $keeper: ,"
done > "$scratch"
verdict "each door has its keeper"

echo "1..$n"
[ "$bad" -eq 0 ]
