#!/bin/sh
# At every system call of a revocation and of a CRL that touches a file, the
# disk fails or the process is killed; then the command comes to its end, the
# next CRL has what was revoked, no number is left out (C-198), and `scep check`
# is content.
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

strace -e trace=none true 2>/dev/null ||
	skip_all_tests "strace cannot trace here"
no_leaks

make_home
calls="openat write fchmod fsync linkat symlinkat unlinkat"
round=0

# STRACE-WORDS -- COMMAND...
traced() {
	rm -f trace
	_words=
	while [ "$1" != -- ]; do
		_words="$_words $1"
		shift
	done
	shift
	# shellcheck disable=SC2086 # words
	strace -f -qq -o trace $_words "$SCEP" "$@" >>log 2>&1
}

fetch() {
	request GET /crl/ManagementCA.crl
	openssl crl -inform DER -in body -noout -text >crl.txt 2>&1
}
listed() { grep -q "Serial Number: $1\$" crl.txt; }
fresh() {
	round=$((round + 1))
	which=$(printf '0A%04X' $round)
}

# At most 8 of N calls: those that open records grow with them.
places() {
	[ "$1" -eq 0 ] || seq 1 $((($1 + 7) / 8)) "$1"
}

# CALL HOW: one serial number for each call of that name.
walk_revoke() {
	fresh
	traced -e "trace=$1" -- cert revoke "$which" --ca ManagementCA --yes
	_count=$(grep -c "$1(" trace) _bad=
	for _n in $(places "$_count"); do
		fresh
		traced -e "trace=$1" -e "inject=$1:$2:when=$_n" -- \
			cert revoke "$which" --ca ManagementCA --yes
		_said=$?
		fetch
		# Who was told that it is done may rely on it.
		[ $_said -ne 0 ] || listed "$which" || _bad="$_bad $_n:lost"
		"$SCEP" cert revoke "$which" --ca ManagementCA --yes \
			>>log 2>&1
		fetch
		listed "$which" || _bad="$_bad $_n:never"
	done
	is "revoke: $1, $2: $_count places" "${_bad:-none}" none
}

# The same for what issues a CRL, which a request does.
walk_issue() {
	fresh
	"$SCEP" cert revoke "$which" --ca ManagementCA --yes >>log 2>&1
	traced -e "trace=$1" -- crl issue
	_count=$(grep -c "$1(" trace) _bad=
	for _n in $(places "$_count"); do
		fresh
		"$SCEP" cert revoke "$which" --ca ManagementCA --yes \
			>>log 2>&1
		traced -e "trace=$1" -e "inject=$1:$2:when=$_n" -- crl issue
		fetch
		[ "$STATUS" = 200 ] || _bad="$_bad $_n:$STATUS"
		listed "$which" || _bad="$_bad $_n:lost"
	done
	is "issue: $1, $2: $_count places" "${_bad:-none}" none
}

for call in $calls; do
	hows="error=EIO signal=KILL"
	# Who is killed tells a sanitizer nothing.
	[ "$HURRY" = 0 ] || hows=error=EIO
	for how in $hows; do
		walk_revoke "$call" "$how"
		walk_issue "$call" "$how"
	done
done

# From hold to revoked, killed between the version and its bridge.
fresh
"$SCEP" cert revoke "$which" --ca ManagementCA --reason certificateHold \
	>>log 2>&1
traced -e trace=linkat -e inject=linkat:signal=KILL:when=2 -- \
	cert revoke "$which" --ca ManagementCA --yes --reason superseded
fetch
like "killed before the bridge: revoked, not held" \
	"$(grep -A4 "Serial Number: $which\$" crl.txt)" "Superseded"
not_ok "not to be let go" "$SCEP" cert unrevoke "$which" --ca ManagementCA
fetch
ok "still on the CRL" listed "$which"

# --- what a crash left -----------------------------------------------------------

exits 0 "check finds litter at most" "$SCEP" check
rm -f home/store/revoked/ManagementCA/1/0a/"$(echo "$which" |
	tr A-F a-f)",2
"$SCEP" check --repair >>log 2>&1
ok "check --repair mends it" "$SCEP" check
n=$(find home/store/crl -name '*.crl' | wc -l)
is "numbers have no gaps" "$(find home/store/crl -name '*.crl' |
	sed 's|.*/||; s|\.crl||' | sort -n | tr '\n' ' ')" \
	"$(seq 1 "$n" | tr '\n' ' ')"
is "nothing is left in new/" \
	"$(find home/store/revoked/*/1/new -type l -newermt 2000-01-01 \
		! -xtype l | wc -l)" 0
done_testing
