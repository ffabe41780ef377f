#!/bin/sh
# I2, I3 of the store for one-time codes: whatever the number of processes, and
# wherever one is killed, a code buys no more than its count, and the same
# message again gets one answer (C-115, C-136, C-139, C-140).
# shellcheck disable=SC1091,SC2016,SC2034,SC2154 # lib.sh uses and sets them
. "${0%/*}/lib.sh"

N=64
[ "$HURRY" = 0 ] || N=16
make_home
alias_ini() { # NAME REQUIRED
	printf '[scep]\noperationmode = ra\n[ra]\ndefaultca = ManagementCA\n' \
		>"home/aliases/$1.ini"
	printf '[challenge]\njudge = onetime\n[approval]\nrequired = %s\n' "$2" \
		>>"home/aliases/$1.ini"
	touch -d "3 seconds ago" "home/aliases/$1.ini"
}
alias_ini ra 0
alias_ini ask 1
ALIAS=ra
new() { "$SCEP" challenge new --alias $ALIAS "$@"; }
issued() { "$SCEP" cert list --json | wc -l; }

# --- many at once ---------------------------------------------------------------

# The messages many1.der to manyN.der at once, a CGI process each.
storm() {
	_i=0 _pids=
	while [ $_i -lt $N ]; do
		_i=$((_i + 1))
		env REQUEST_METHOD=POST SCRIPT_NAME=/scep/$ALIAS/pkiclient.exe \
			QUERY_STRING=operation=PKIOperation \
			CONTENT_LENGTH="$(wc -c <many$_i.der)" \
			GATEWAY_INTERFACE=CGI/1.1 REMOTE_ADDR=192.0.2.1 \
			"$SCEP" <many$_i.der >many$_i.reply 2>>log &
		_pids="$_pids $!"
	done
	for _p in $_pids; do
		wait "$_p"
	done
}

# What became of them: lines "STATUS" of the answers, http-503 and the like.
answers() {
	_i=0
	while [ $_i -lt $N ]; do
		_i=$((_i + 1))
		cp many$_i.reply reply
		split_reply
		if [ "$STATUS" != 200 ]; then
			echo "http-$STATUS"
			continue
		fi
		builder certrep --ca ca.pem --key many$_i.key \
			--cert many$_i.crt --in body >s.rep
		reply s status
	done
}

# CODE ROUND: N keys, names and transactions with one code.
many() {
	i=0
	while [ $i -lt $N ]; do
		i=$((i + 1))
		pkcsreq many$i "$1" --subject "/CN=$2-$i" --txid "$2-$i"
	done
	: >log
	storm
	answers >got
}
many "$(new)" one
is "$N keys, one code: one certificate" "$(grep -c '^0$' got)" 1
is "and nobody else has more than a no" "$(grep -vc '^[02]$' got)" 0
is "which is that it is used up" "$(grep -c 'reason="code is used up"' log)" \
	$((N - 1))
is "one is stored" "$(issued)" 1
# The race for the last one is over: fewer keep the cores as busy.
N=16
many "$(new --count 3)" three
is "a code for three: three certificates" "$(grep -c '^0$' got)" 3
is "four are stored in all" "$(issued)" 4
ALIAS=ask
many "$(new)" wait
is "one code: one request waits" "$(grep -c '^3$' got)" 1
is "in the queue too" "$("$SCEP" request list | wc -l)" 1
is "the others have a no" "$(grep -c '^2$' got)" $((N - 1))
"$SCEP" request list --json | sed 's/.*"request":"\([^"]*\)".*/\1/' >number
ok "it is denied" "$SCEP" request deny "$(cat number)"
is "each code is used up" "$("$SCEP" challenge list | grep -c ' used up ')" 3

# One message, many times.
ALIAS=ra
pkcsreq same "$(new)"
i=0
while [ $i -lt $N ]; do
	i=$((i + 1))
	cp same.der many$i.der
	cp same.crt many$i.crt
	cp same.key many$i.key
done
storm
answers >got
is "$N identical requests: one certificate" \
	"$("$SCEP" cert list --json | grep -c '"entity":"same"')" 1
is "and no other answer than that, or to try again" \
	"$(grep -vc '^0$\|^http-503$' got)" 0
"$SCEP" challenge delete --expired >>log
is "which ends them all" "$("$SCEP" challenge list)" ""

# --- killed ---------------------------------------------------------------------

if ! strace -e trace=none true 2>/dev/null; then
	skip "killed anywhere" "strace cannot trace here"
	done_testing
fi
no_leaks
client_key box
client_key rival
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
fail() { bad="$bad $n:$1"; }

message() { # WHO
	builder pkcsreq --ca ca.pem --key "$1.key" --challenge "$code" \
		--subject "/CN=$1-$round" --txid "$1-$round" \
		--cert-out "$1.crt" --out "$1.der" 2>>log
}
transmit() { # WHO
	rm -f "$1"-*.pem
	request POST "/scep/$ALIAS/pkiclient.exe?operation=PKIOperation" \
		"$1.der"
	echo "status=http-$STATUS" >"$1.rep"
	[ "$STATUS" != 200 ] || builder certrep --ca ca.pem --key "$1.key" \
		--cert "$1.crt" --in body --out-prefix "$1-" >"$1.rep" 2>>log
}
ask() { transmit box; }
state() {
	"$SCEP" challenge list --json | tail -n 1 |
		sed 's/.*"state":"\([^"]*\)".*"used":\([0-9]*\).*/\1 \2/'
}
waiting() { "$SCEP" request list --json --match "$1-$round" | wc -l; }
number() {
	"$SCEP" request list --json --match "box-$round" |
		sed -n 's/.*"request":"\([0-9a-f]*\)".*/\1/p'
}

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
		grep -q "killed by SIGKILL" trace || fail "not killed"
		"$4"
	done
	is "$3, killed at $1: $count places" "${bad:-none}" none
}

# One code a round; the other key never has anything of it.
fresh() {
	round=$((round + 1))
	code=$(new)
	message box
}
refused() {
	message rival
	transmit rival
	[ "$(reply rival status)" = 2 ] || fail "rival"
	[ "$(state)" = "used up 1" ] || fail "$(state)"
}
granted() {
	ask
	[ "$(reply box status)" = 0 ] || fail "lost"
	cp box-0.pem kept.pem
	message box
	ask
	cmp -s box-0.pem kept.pem || fail "twice"
	refused
	"$SCEP" challenge delete --expired >>log 2>&1 || fail "not deleted"
}
for call in $calls; do walk "$call" fresh ask granted; done

# Cron comes before the device does.
swept() {
	"$SCEP" challenge delete --expired >>log 2>&1 || fail "not swept"
	ask
	[ "$(reply box status)" = 0 ] || fail "lost"
	"$SCEP" challenge delete --expired >>log 2>&1 || fail "not deleted"
	[ -z "$("$SCEP" challenge list)" ] || fail "left"
}
walk linkat fresh ask swept

ALIAS=ask
waits() {
	ask
	[ "$(reply box status)" = 3 ] || fail "not pending"
	[ "$(waiting box)" = 1 ] || fail "not one"
	refused
	[ "$(waiting rival)" = 0 ] || fail "two"
	"$SCEP" request deny "$(number)" >>log 2>&1 || fail "not denied"
	refused
	"$SCEP" challenge delete --expired >>log 2>&1 || fail "not deleted"
}
for call in $calls; do walk "$call" fresh ask waits; done

# The last yes: half of them are finished by the device, half by the approver.
# Its code is over and gone by then.
asked() {
	fresh
	ask
	id=$(number)
	[ $((round % 2)) = 0 ] ||
		"$SCEP" challenge delete --expired >>log 2>&1
}
approve() { "$SCEP" request approve "$id" >>log 2>&1; }
approved() {
	approve
	ask
	[ "$(reply box status)" = 0 ] || fail "not issued"
	cp box-0.pem kept.pem
	ask
	cmp -s box-0.pem kept.pem || fail "twice"
	message rival
	transmit rival
	[ "$(reply rival status)" = 2 ] || fail "rival"
	[ "$("$SCEP" cert list --json --entity "box-$round" | wc -l)" = 1 ] ||
		fail "not one"
}
for call in $calls; do walk "$call" asked approve approved; done
is "nobody else has anything" "$("$SCEP" cert list --json |
	grep -c '"entity":"rival')" 0

# A name that people did not see: the device comes again when the approver was
# killed behind the last yes.
named() {
	round=$((round + 1))
	code=$(new --for "CN=box-$round")
	builder pkcsreq --ca ca.pem --key box.key --challenge "$code" \
		--subject "/CN=box-$round" --txid "box-$round" \
		--san dns:vpn.example --cert-out box.crt --out box.der 2>>log
	ask
	id=$(number)
}
plainly() {
	ask
	[ "$(reply box status)" != 3 ] || { approve && ask; } # no yes yet
	[ "$(reply box status)" = 0 ] || fail "not issued"
	openssl x509 -in box-0.pem -noout -text | grep -q vpn && fail "a SAN"
}
walk linkat named approve plainly

# The code is deleted while its request is on the way into the queue: stopped
# before its record, behind that, and while the deletion itself is stopped.
held() { grep -q 'stopped by SIGSTOP' "$1.trace"; }
go_on() { # NAME PID
	kill -CONT "$(sed -n '1s/ .*//p' "$1.trace")"
	wait "$2"
}
slow() { # CALL WHEN: the request in the background, and stopped there
	rm -f slow.trace
	fresh
	env REQUEST_METHOD=POST SCRIPT_NAME=/scep/$ALIAS/pkiclient.exe \
		QUERY_STRING=operation=PKIOperation \
		CONTENT_LENGTH="$(wc -c <box.der)" \
		GATEWAY_INTERFACE=CGI/1.1 REMOTE_ADDR=192.0.2.1 \
		strace -f -qq -o slow.trace -e "trace=$1" \
		-e "inject=$1:signal=STOP:when=$2" \
		"$REAL" <box.der >slow.reply 2>>log &
	slow=$!
	ok "a request has paid, and is stopped at $1 $2" wait_for held slow
}
delete() { printf '%s\n' "$code" | "$SCEP" challenge delete --code - >>log 2>&1; }
stranded() {
	cp slow.reply reply
	split_reply
	is "it is to come again" "$STATUS" 503
	is "and does not wait" "$(waiting box) $(find home/store/waiting -name \
		'*,[0-9]*' | wc -l)" "0 0"
	ask
	is "its code is gone" "$(reply box status)" 2
}
slow fsync 2
delete
go_on slow $slow
stranded
slow linkat 1
delete
go_on slow $slow
stranded
slow fsync 2
printf '%s\n' "$code" >typed
strace -f -qq -o delete.trace -e trace=linkat \
	-e inject=linkat:signal=STOP:when=1 \
	"$REAL" challenge delete --code - <typed >>log 2>&1 &
deletion=$!
ok "the deletion has ended its attempt, and is stopped" wait_for held delete
go_on slow $slow
go_on delete $deletion
stranded

# Making and ending codes.
ALIAS=ra
nothing() { made=$("$SCEP" challenge list | wc -l); }
make() { new >code; }
whole() {
	[ -n "$(cat code)" ] || made=$((made - 1))
	"$SCEP" challenge list >>log 2>&1 || fail "unreadable"
	[ "$("$SCEP" challenge list | wc -l)" -ge $((made)) ] || fail "less"
	fresh
	ask
	[ "$(reply box status)" = 0 ] || fail "no good"
}
for call in linkat unlinkat; do walk "$call" nothing make whole; done
ended() {
	delete # again, or for the first time
	message box
	ask
	[ "$(reply box status)" = 2 ] || fail "good"
}
for call in unlinkat fsync; do walk "$call" fresh delete ended; done

ok "check finds litter at most" "$SCEP" check
ok "which repair takes away" "$SCEP" check --repair
done_testing
