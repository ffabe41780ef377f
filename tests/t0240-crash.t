#!/bin/sh
# I1, I3, I4 of the store: at every system call of one enrolment that touches
# a file the disk fails, or the process is killed; the same message again then
# gets one certificate, and `scep check` is content (C-140, C-166).
# strace makes it happen.
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

strace -e trace=none true 2>/dev/null ||
	skip_all_tests "strace cannot trace here"
no_leaks

make_home
code=$(add_entity box --count 10000)
client_key box
calls="openat write fchmod fsync linkat symlinkat unlinkat renameat"
round=0

# A CGI request of box.der under strace; words for strace.
traced() {
	rm -f trace
	SCEP_REAL=$SCEP
	printf '#!/bin/sh\nexec strace -f -qq -o "%s/trace" %s "%s"\n' \
		"$FRESH" "$*" "$SCEP_REAL" >traced.sh
	chmod 755 traced.sh
	SCEP=$FRESH/traced.sh
	send box
	_sent=$?
	SCEP=$SCEP_REAL
	return $_sent
}

# A message that was not sent before: the next round's transaction.
fresh() {
	round=$((round + 1))
	pkcsreq box "$code" --txid "round-$round"
}

issued() { find home/store/transaction -name '*,outcome' | wc -l; }

# --- four fsyncs, each before the answer ----------------------------------

fresh
ok "an enrolment under strace" traced -y -e trace=fsync,fdatasync,write
is "four fsyncs" "$(grep -c 'fsync(' trace)" 4
is "by name: used, the outcome's file, transaction, cert" \
	"$(sed -n 's/.*fsync([0-9]*<\([^>]*\)>).*/\1/p' trace |
		sed 's|.*/store/||; s|/.*||' | tr '\n' ' ')" \
	"used tmp transaction cert "
is "all before the answer" \
	"$(sed -n '/Status: 200/,$p' trace | grep -c 'fsync(')" 0
like "the answer was written" "$(cat trace)" "Status: 200"
before=$(issued)
# The directories that were fsynced before the answer, in order.
synced() {
	sed -n '/Status: 200/q; s/.*fsync([0-9]*<\([^>]*\)>).*/\1/p' trace |
		sed 's|.*/store/||; s|/.*||' | tr '\n' ' '
}
ok "the same message again" traced -e trace=fsync
is "is answered" "$(reply box status)" 0
is "from what is there" "$(issued)" "$before"

# Its issuer may not have come to its last fsyncs: the reader does them.
rm "$(find home/store/cert -name '*.pem')"
ok "again, without its name in cert/" traced -y -e trace=fsync,write
is "is answered after two fsyncs" "$(reply box status) $(synced)" \
	"0 transaction cert "
fresh
traced -e trace=symlinkat,linkat -e inject=linkat:signal=KILL
ok "a claim that its maker did not fsync" traced -y -e trace=fsync,write
is "is fsynced by whoever finds it" "$(reply box status) $(synced)" \
	"0 used tmp transaction cert "

# --- every call fails once, or is the last --------------------------------

# CALL HOW: walks over the calls of that name.
walk() {
	fresh
	traced -e "trace=$1"
	_count=$(grep -c "$1(" trace)
	_bad=
	case $2 in
	signal=KILL) _places=$(killed_at "$_count") ;;
	*) _places=$(fails_at "$_count") ;;
	esac
	for _n in $_places; do
		fresh
		_had=$(issued)
		traced -e "trace=$1" -e "inject=$1:$2:when=$_n"
		case $STATUS in
		200 | 503 | '') ;; # '': killed
		*) _bad="$_bad $_n:$STATUS" ;;
		esac
		if [ "$STATUS" = 200 ] && [ "$(reply box status)" != 0 ]; then
			_bad="$_bad $_n:refused"
		fi
		send box
		[ "$(reply box status)" = 0 ] || _bad="$_bad $_n:lost"
		[ "$(issued)" -eq $((_had + 1)) ] || _bad="$_bad $_n:twice"
		mv box-0.pem first.pem
		send box
		cmp -s box-0.pem first.pem || _bad="$_bad $_n:changed"
	done
	is "$1, $2: $_count places" "${_bad:-none}" none
}

# Both errors go one way, and a sanitizer sees it by either.
hows='error=ENOSPC error=EIO signal=KILL'
[ "$HURRY" = 0 ] || hows='error=ENOSPC signal=KILL'
for call in $calls; do
	[ "$call" != renameat ] || continue # see below
	for how in $hows; do
		walk "$call" "$how"
	done
done
fresh
traced -e trace=rename,renameat,renameat2
is "an enrolment renames nothing" "$(grep -c rename trace)" 0

exits 0 "check finds litter at most" "$SCEP" check
# What is young may be somebody's work: once more when nothing is young.
faketime=$(find /usr/lib -name libfaketime.so.1 | head -n 1)
aged() {
	if [ -n "$faketime" ] && [ "${SCEP_FLAVOUR:-plain}" != asan ]; then
		env LD_PRELOAD="$faketime" FAKETIME=+2d NO_FAKE_STAT=1 "$@"
	else
		"$@"
	fi
}
exits 0 "two days later too" aged "$SCEP" check
ok "and mends it" aged "$SCEP" check --repair
is "then there is none" "$(aged "$SCEP" check)" clean
left=$(find home/store/cert -name '*.pem' | wc -l)
is "each outcome has its name in cert/" "$left" "$(issued)"
sed -n 's/.*"verb":"enrol".*"outcome":"issued".*"serial":"\([0-9a-f]*\)".*/\1/p' \
	home/store/audit/*.log | sort -u >audited
find home/store/cert -name '*.pem' | sed 's|.*/||; s|\.pem$||' | sort >kept
is "and each its line in the audit" "$(comm -3 audited kept)" ""

# --- a disk that is full, and then is not ----------------------------------

if [ "$(id -u)" -eq 0 ] && mkdir small && mount -t tmpfs \
	-o size=1m,mode=755 none small 2>/dev/null; then
	SCEP_HOME=$FRESH/small/home
	"$SCEP" init >/dev/null 2>&1
	"$SCEP" ca import ManagementCA --cert ca.pem \
		--key home/ca/ManagementCA/1/key.pem >/dev/null
	"$SCEP" alias add scep >/dev/null
	"$SCEP" entity add box --generate >code
	"$SCEP" entity add other --generate >spare
	head -c 2000000 /dev/zero >small/fill 2>/dev/null
	pkcsreq box "$(cat code)" --txid full
	send box
	is "a full disk: 503" "$STATUS" 503
	like "with Retry-After" "$(cat headers)" "^Retry-After: [0-9]"
	is "nothing half-born is visible" \
		"$(find small/home/store -name '*outcome' | wc -l)" 0
	rm small/fill
	send box
	is "room again: the same message" "$(reply box status)" 0
	mount -o remount,ro small
	send box
	is "read-only: what is issued is still answered" "$STATUS" 200
	pkcsreq box "$(cat spare)" --subject /CN=other --txid readonly
	send box
	is "and nothing else, not even with a good code" "$STATUS" 503
	pkcsreq box "$(cat spare)" --subject /CN=nobody --txid readonly
	send box
	is "an unknown name is told the same" "$STATUS" 503
	mount -o remount,rw small
	pkcsreq box "$(cat spare)" --subject /CN=other --txid readonly
	send box
	is "writable again: the same message" "$(reply box status)" 0
	SCEP_HOME=$FRESH/home
	umount small
else
	skip "a full disk" "only root can mount a small one"
fi
done_testing
