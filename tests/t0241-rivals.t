#!/bin/sh
# I2 and I3 where two codes claim one attempt: two entities with one key and
# transactionID, or one entity whose code is set anew (C-115, C-136).  strace
# stops or kills the slower one where it hurts.
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

strace -e trace=none true 2>/dev/null ||
	skip_all_tests "strace cannot trace here"
no_leaks

make_home
client_key shared
REAL=$SCEP

# Two messages of one key under one transactionID, for entities a and b.
for entity in a b; do
	code=$(add_entity $entity)
	cp shared.key $entity.key
	pkcsreq $entity "$code" --txid shared
done

names() { openssl x509 -in "$1-0.pem" -noout -subject; }

# NAME INJECTION: NAME's request in a process that strace interferes with; in
# the background, its answer is NAME.late.
late() {
	rm -f "$1.trace"
	env REQUEST_METHOD=POST SCRIPT_NAME="${SCRIPT:-/scep}" \
		QUERY_STRING=operation=PKIOperation \
		CONTENT_LENGTH="$(wc -c <"$1.der")" \
		GATEWAY_INTERFACE=CGI/1.1 REMOTE_ADDR=192.0.2.1 \
		strace -f -qq -o "$1.trace" -e "trace=$2" -e "inject=$3" \
		"$REAL" <"$1.der" >"$1.late" 2>>log &
	LATE=$!
}

# NAME: is it stopped behind the call that strace was told of?  Its pid
# begins each line of the trace.
stopped() { grep -q 'stopped by SIGSTOP' "$1.trace"; }
go_on() {
	kill -CONT "$(sed -n '1s/ .*//p' "$1.trace")"
	wait "$LATE"
	cp "$1.late" reply
	split_reply
}

# --- b claims and dies, a enrols, b comes again ---------------------------

late b linkat linkat:signal=KILL
wait $LATE
is "b's worker died behind its claim" \
	"$(find home/store/used -type l | wc -l)" 1
send a
is "a enrols" "$(reply a status)" 0
is "as itself" "$(names a)" "subject=CN = a"
send b
is "b comes again: its code is still good" "$(reply b status)" 0
is "b gets its own certificate" "$(names b)" "subject=CN = b"
first=$(serial b-0.pem)
send b
is "and keeps it" "$(serial b-0.pem)" "$first"
is "two certificates" "$("$SCEP" cert list --json | wc -l)" 2
exits 0 "check is content" "$SCEP" check

# --- b claims and is slow ---------------------------------------------------

for entity in a b; do
	code=$("$SCEP" entity setpwd $entity --generate)
	pkcsreq $entity "$code" --txid slow
done
late b fsync fsync:signal=STOP:when=2
ok "b's worker is held before it issues" wait_for stopped b
send a
is "a enrols meanwhile" "$(reply a status) $(names a)" "0 subject=CN = a"
go_on b
is "b is told to try again, not a's certificate" "$STATUS" 503
send b
is "and gets its own" "$(reply b status) $(names b)" "0 subject=CN = b"

# --- setpwd between two workers of one entity -------------------------------

# The old code's worker has claimed, the record names the new code, whose
# worker has claimed the same attempt; then the old one is issued, and only
# then the old code is ended.
old=$("$SCEP" entity setpwd a --generate)
pkcsreq a "$old" --txid setpwd
cp a.der old.der
late old fsync fsync:signal=STOP:when=2
OLD=$LATE
ok "the old code has claimed" wait_for stopped old
printf 'chosen and new' >password
strace -f -qq -o setpwd.trace -e trace=linkat \
	-e inject=linkat:signal=STOP:when=2 \
	"$REAL" entity setpwd a --password-file password >>log 2>&1 &
SETPWD=$!
ok "the record names the new code" wait_for stopped setpwd
"$SCEP" entity set a --subject "CN=a,O=New" >>log 2>&1
pkcsreq a "chosen and new" --txid setpwd
late a fsync fsync:signal=STOP:when=2
NEW=$LATE
ok "the new code has claimed" wait_for stopped a
LATE=$OLD
go_on old
is "the old code's worker issues" "$STATUS" 200
LATE=$NEW
go_on a
is "the new code's worker: try again" "$STATUS" 503
kill -CONT "$(sed -n '1s/ .*//p' setpwd.trace)"
wait $SETPWD
send a
is "and gets another, under the present record" \
	"$(reply a status) $(names a)" "0 subject=CN = a, O = New"
pkcsreq a "$old" --txid setpwd --san dns:a
send a
is "the old code is worth nothing now" "$(reply a status)" 2

# The other way round: the code is ended before its worker issues.
old=$("$SCEP" entity setpwd b --generate)
pkcsreq b "$old" --txid setpwd
late b fsync fsync:signal=STOP:when=2
ok "the old code has claimed again" wait_for stopped b
new=$("$SCEP" entity setpwd b --generate)
go_on b
is "its worker comes too late: try again" "$STATUS" 503
pkcsreq b "$new" --txid setpwd
send b
is "the new code buys the next attempt" "$(reply b status)" 0

# --- one message, two workers, and the faster one dies -----------------------

code=$("$SCEP" entity setpwd b --generate)
pkcsreq b "$code" --txid twice
cp b.der slow.der
late slow fsync fsync:signal=STOP:when=2
ok "the slow worker has claimed" wait_for stopped slow
SLOW=$LATE
late b fsync fsync:signal=KILL:when=3
wait $LATE
LATE=$SLOW
go_on slow
is "the slow one answers with what the dead one issued" "$STATUS" 200
is "and gives it its second name" \
	"$(find home/store/transaction -name '*,outcome' -exec \
		grep -l 'kind = certificate' {} + | wc -l)" \
	"$(find home/store/cert -name '*.pem' | wc -l)"

# --- a claim that nobody comes back for --------------------------------------

code=$("$SCEP" entity setpwd b --generate)
pkcsreq b "$code" --txid lost
late b linkat linkat:signal=KILL
wait $LATE
cp b.der lost.der
pkcsreq b "$code" --txid found
send b
is "a dead claim holds its code" "$(reply b status)" 2
is "for check it is none while it is young" "$("$SCEP" check)" clean
faketime=$(find /usr/lib -name libfaketime.so.1 | head -n 1)
if [ -n "$faketime" ] && [ "${SCEP_FLAVOUR:-plain}" != asan ]; then
	later() {
		env LD_PRELOAD="$faketime" FAKETIME=+1h NO_FAKE_STAT=1 "$@"
	}
	like "an hour later check knows" "$(later "$SCEP" check)" \
		"used/.*died before it issued"
	like "and repair frees it" "$(later "$SCEP" check --repair)" \
		"mended *used/"
	is "then all is clean" "$(later "$SCEP" check)" clean
	printf '#!/bin/sh\nexec strace -f -y -o "%s/trace" -e %s "%s"\n' \
		"$FRESH" trace=fsync "$REAL" >traced.sh
	chmod 755 traced.sh
	SCEP=$FRESH/traced.sh
	send b
	SCEP=$REAL
	is "the code is good again" "$(reply b status)" 0
	is "once it is durable that the claim is dead" \
		"$(sed -n 's/.*fsync([0-9]*<\([^>]*\)>).*/\1/p' trace |
			sed 's|.*/store/||; s|/.*||' | tr '\n' ' ')" \
		"transaction used tmp transaction cert "
	cp lost.der b.der
	send b
	is "who comes too late finds it used" "$(reply b status)" 2
else
	skip "an hour later" "needs libfaketime, on the plain build"
fi
# --- RA mode: a makes the entity, and is issued while b looks whether it was ---

printf '[scep]\noperationmode = ra\n[approval]\nrequired = 0\n' >home/aliases/ra.ini
printf '[ra]\ndefaultca = ManagementCA\nauthpwd = "x y"\n' >>home/aliases/ra.ini
touch -d "3 seconds ago" home/aliases/ra.ini
SCRIPT=/scep/ra/pkiclient.exe
client_key ra1
client_key ra2
pkcsreq ra1 "x y" --subject /CN=wanted
pkcsreq ra2 "x y" --subject /CN=wanted
n=0
until "$SCEP" entity show wanted >.out 2>&1 || [ $n -ge 9 ]; do
	n=$((n + 1))
	late ra1 linkat linkat:signal=KILL:when=$n
	wait $LATE
done
ok "a has made the entity and died" "$SCEP" entity show wanted
wanted() { "$SCEP" cert list --json | grep -c '"subject":"CN=wanted"'; }
is "before its certificate" "$(wanted)" 0
late ra2 newfstatat newfstatat:delay_exit=1
wait $LATE
cp ra2.late reply
split_reply
is "b is told to come again" "$STATUS" 503
n=$(grep newfstatat ra2.trace | grep -n '"issued/' | head -n 1 | cut -d: -f1)
ok "b looks whether it was issued" test "${n:-0}" -gt 0
late ra2 newfstatat "newfstatat:signal=STOP:when=${n:-1}"
ok "b is held when it has looked" wait_for stopped ra2
request POST "$SCRIPT?operation=PKIOperation" ra1.der
is "a comes again and is issued" "$STATUS $(wanted)" "200 1"
: >log
go_on ra2
like "b has a no" "$(cat log)" "the entity exists: only its certificate"
is "one certificate" "$(wanted)" 1
exits 0 "check is content with that" "$SCEP" check
done_testing
