#!/bin/sh
# I3 of the store for requests that wait: whoever is killed, at every call that
# makes or takes away a name, the next one finishes: one request, one
# certificate, and `scep check` is content (C-134, C-135, C-141).
# shellcheck disable=SC1091,SC2016,SC2034,SC2154 # lib.sh uses and sets them
. "${0%/*}/lib.sh"

strace -e trace=none true 2>/dev/null ||
	skip_all_tests "strace cannot trace here"
no_leaks

make_home
cat >ra.ini <<'END'
[scep]
operationmode = ra
[ra]
defaultca = ManagementCA
authpwd = "a joint secret of the fleet"
[approval]
required = 1
END
"$SCEP" alias add ra --from ra.ini >.out || diag "$(cat .out)"
ALIAS=ra
client_key box
calls="linkat symlinkat unlinkat"
REAL=$SCEP
round=0

traced() { # STRACE-OPTIONS
	rm -f trace
	printf '#!/bin/sh\nexec strace -f -qq -o "%s/trace" %s "%s" "$@"\n' \
		"$FRESH" "$*" "$REAL" >traced.sh
	chmod 755 traced.sh
	SCEP=$FRESH/traced.sh
}
plain() { SCEP=$REAL; }

# TYPE CSR: the message of this round's device.
message() {
	builder pkcsreq --ca ca.pem --key box.key --type "$1" \
		--challenge "a joint secret of the fleet" \
		--subject "/CN=box-$round" --txid "round-$round" \
		--cert-out box.crt --out box.der ${2:+--csr "$2"} 2>>log
}
transmit() {
	rm -f box-*.pem
	request POST "/scep/$ALIAS/pkiclient.exe?operation=PKIOperation" \
		box.der
	echo "status=http-$STATUS" >box.rep
	[ "$STATUS" != 200 ] || builder certrep --ca ca.pem --key box.key \
		--cert box.crt --in body --out-prefix box- >box.rep 2>>log
}
poll() {
	: >empty
	message 20 empty
	transmit
}
waiting() { "$SCEP" request list | wc -l; }
number() {
	"$SCEP" request list --json --match "box-$round" |
		sed -n 's/.*"request":"\([0-9a-f]*\)".*/\1/p'
}
approve() { "$SCEP" request approve "$id" >>log 2>&1; }
fail() { bad="$bad $n:$1"; }

# CALL SETUP COMMAND AFTER: kills COMMAND at every such call.
walk() {
	n=0 bad=
	"$2"
	traced -e "trace=$1"
	"$3"
	plain
	count=$(grep -c "$1(" trace)
	"$4"
	for n in $(killed_at "$count"); do
		"$2"
		traced -e "trace=$1" -e "inject=$1:signal=KILL:when=$n"
		"$3" 2>/dev/null
		plain
		"$4"
	done
	is "$3, killed at $1: $count places" "${bad:-none}" none
}

# --- a request begins to wait -------------------------------------------------

fresh() {
	round=$((round + 1))
	message 19
}
began() {
	message 19
	transmit
	[ "$(reply box status)" = 3 ] || fail "not pending"
	poll
	[ "$(reply box status)" = 3 ] || fail "poll"
	[ "$(waiting)" = 1 ] || fail "not one"
	"$SCEP" request deny "$(number)" >>log 2>&1 || fail "not denied"
	[ "$(waiting)" = 0 ] || fail "left"
}
for call in $calls; do walk "$call" fresh transmit began; done

# --- the last yes ----------------------------------------------------------------

asked() {
	fresh
	transmit
	id=$(number)
}
# Half of them are finished by the device, half by the approver.
approved() {
	poll
	case $(reply box status) in
	0) ;; # the yes was there
	3) approve || fail "not approved" ;;
	*) fail "lost" ;;
	esac
	poll
	[ "$(reply box status)" = 0 ] || fail "not issued"
	_serial=$(serial box-0.pem)
	message 19
	transmit
	[ "$(serial box-0.pem)" = "$_serial" ] || fail "twice"
	[ "$(waiting)" = 0 ] || fail "left"
}
again() {
	approve || [ "$("$SCEP" cert list --json --entity "box-$round" |
		wc -l)" = 1 ] || fail "not approved"
	approved
}
walk linkat asked approve approved
for call in symlinkat unlinkat; do walk "$call" asked approve again; done
is "one certificate for each" "$("$SCEP" cert list --json |
	sed 's/.*"entity":"\([^"]*\)".*/\1/' | sort | uniq -d)" ""

# --- the yes is for the device that people saw -------------------------------------

client_key rival
asked
traced -e trace=linkat -e inject=linkat:delay_enter=6000000:when=2
approve &
pid=$!
plain
until [ -e "$(echo home/store/approval/*/"$id",1)" ] ||
	! kill -0 $pid 2>/dev/null; do :; done
builder pkcsreq --ca ca.pem --key rival.key --subject "/CN=box-$round" \
	--challenge "a joint secret of the fleet" --txid rival \
	--cert-out rival.crt --out rival.der 2>>log
request POST "/scep/$ALIAS/pkiclient.exe?operation=PKIOperation" rival.der
builder certrep --ca ca.pem --key rival.key --cert rival.crt --in body \
	--out-prefix rival- >rival.rep 2>>log
is "another key, while the certificate is being issued" \
	"$(reply rival status)" 3
wait $pid
poll
is "the device gets it" "$(reply box status)" 0
ok "nobody else" "$SCEP" request deny "$(number)"

# --- yes and no at once ---------------------------------------------------------

# FIRST SECOND CALL: FIRST is held behind each such call that it makes, SECOND
# is heard whole, FIRST goes on.  Whoever came too late is told by exit 1.
held() { grep -q 'stopped by SIGSTOP' trace; }
over() { ! kill -0 "$pid" 2>/dev/null || held; }
answer() {
	case $1 in
	poll) poll ;; # the device, which finishes what people said
	*) "$SCEP" request "$1" "$id" >>log 2>&1 ;;
	esac
}
at_once() {
	n=1 bad=
	while [ $n -le 20 ]; do
		asked
		traced -e "trace=$3" -e "inject=$3:signal=STOP:when=$n"
		"$SCEP" request "$1" "$id" >>log 2>&1 &
		pid=$!
		plain
		wait_for over || fail "neither held nor over"
		held || break
		answer "$2"
		second=$?
		kill -CONT "$(sed -n '1s/ .*//p' trace)"
		wait $pid
		first=$?
		poll
		case "$(reply box status) $1 $first $second" in
		"0 approve 0 1" | "0 deny 1 0") ;; # yes was first
		"2 approve 1 0" | "2 deny 0 1") ;;
		"0 approve 0 0") [ "$2" = poll ] || fail "both" ;;
		*) fail "$(reply box status) $first $second" ;;
		esac
		n=$((n + 1 + 2 * HURRY))
	done
	wait $pid
	is "$1 at every $3, $2 in between, to the end" "${bad:-none}" none
}
for call in $calls; do
	at_once approve deny "$call"
	at_once deny approve "$call"
	at_once approve poll "$call"
done

# --- alias rename ------------------------------------------------------------------

asked
names() {
	from=$ALIAS
	to=ra
	[ "$from" != ra ] || to=rb
}
rename() { "$SCEP" alias rename "$from" "$to" >>log 2>&1; }
renamed() {
	rename # finishes, or finds nothing to be done
	ALIAS=$to
	[ -e "home/aliases/$to.ini" ] || fail "no alias"
	[ ! -e "home/aliases/$from.ini" ] || fail "two aliases"
	[ "$(waiting)" = 1 ] || fail "not one"
	[ "$(number)" = "$id" ] || fail "another"
	poll
	[ "$(reply box status)" = 3 ] || fail "poll"
}
for call in $calls; do walk "$call" names rename renamed; done
approve
poll
is "and is issued in the end" "$(reply box status)" 0

# A yes while it is being renamed, and renamed back before anybody asks: what
# was issued under one name does not wait under the other.
n=1 bad=
while [ $n -le 20 ]; do
	asked
	names
	traced -e trace=linkat -e "inject=linkat:signal=STOP:when=$n"
	rename &
	pid=$!
	plain
	wait_for over || fail "neither held nor over"
	held || break
	approve
	kill -CONT "$(sed -n '1s/ .*//p' trace)"
	wait $pid || fail "not renamed"
	"$SCEP" alias rename "$to" "$from" >>log 2>&1 || fail "not back"
	[ "$(waiting)" = 0 ] || approve || fail "stale"
	[ "$(waiting)" = 0 ] || fail "left"
	[ "$("$SCEP" cert list --json --entity "box-$round" | wc -l)" = 1 ] ||
		fail "not one"
	n=$((n + 1 + HURRY))
done
wait $pid
ALIAS=$to
approve
is "a yes at every linkat of rename, to the end" "${bad:-none}" none

ok "check finds litter at most" "$SCEP" check
ok "which repair takes away" "$SCEP" check --repair
done_testing
