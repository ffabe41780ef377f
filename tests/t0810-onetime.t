#!/bin/sh
# One-time codes: the command line that makes them, and what a request gets
# for one in CA mode and in RA mode (C-115, C-139, C-163).
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses and sets them
. "${0%/*}/lib.sh"

make_home

# The lines of an alias that takes such codes; of its mode first.
alias_ini() { # NAME MODE LINES...
	_alias=$1
	_mode=$2
	shift 2
	{
		printf '[challenge]\njudge = onetime\n'
		printf '[scep]\noperationmode = %s\n' "$_mode"
		[ "$_mode" = ra ] || printf 'cas = ManagementCA\n'
		[ "$_mode" = ca ] || printf '[approval]\nrequired = 0\n'
		[ "$_mode" = ca ] || printf '[ra]\ndefaultca = ManagementCA\n'
		printf '%s\n' "$@"
	} >"home/aliases/$_alias.ini"
	touch -d "3 seconds ago" "home/aliases/$_alias.ini"
}
alias_ini ra ra
alias_ini dev ca

new() { "$SCEP" challenge new "$@" 2>>log; }
list() { "$SCEP" challenge list "$@"; }

# What NAME's message gets: "issued", "resent", or the reason in the log.
gets() { # NAME ALIAS
	: >log
	request POST "/scep/$2/pkiclient.exe?operation=PKIOperation" "$1.der"
	[ "$STATUS" = 200 ] || { echo "http $STATUS" && return; }
	builder certrep --ca ca.pem --key "$1.key" --cert "$1.crt" --in body \
		--out-prefix "$1-" >"$1.rep" 2>>log
	case $(reply "$1" status) in
	0) sed -n 's/.*result=\([a-z]*\).*/\1/p' log | tail -n 1 ;;
	*) echo "$(reply "$1" status),$(reply "$1" failinfo):" \
		"$(sed -n 's/.*reason="\([^"]*\)".*/\1/p' log | tail -n 1)" ;;
	esac
}
NO="2,2:"

# --- making codes -------------------------------------------------------------

code=$(new --alias ra)
like "a code is 128 bits in upper-case digits, alone" "$code" \
	'^[0-9A-F]{32}$'
id=$(printf 'scep one-time code %s' "$code" | sha256sum | cut -c1-32)
like "listed by its id" "$(list)" \
	"^$(echo "$id" | cut -c1-16) +good +0/1 +20.*Z +ra +- +.*uid"
ok "whose name the code gives" \
	test -e "home/store/onetime/$(echo "$id" | cut -c1-2)/$id"
json=$(new --alias ra --json --for "CN=a,O=Lab" --count 3 --ttl 2h \
	--profile ENDUSER)
like "as JSON too" "$json" '"code":"[0-9A-F]{32}","id":"[0-9a-f]{32}"'
like "with what it is good for" "$json" \
	'"for":"CN=a,O=Lab","profile":"ENDUSER","used":0,"count":3'
code2=$(echo "$json" | sed 's/.*"code":"\([^"]*\)".*/\1/')
like "list tells the same" "$(list --json --match '*Lab')" \
	'"state":"good","alias":"ra","for":"CN=a,O=Lab","profile":"ENDUSER"'
is "matched alone" "$(list --match '*Lab' | wc -l)" 1
is "of an alias" "$(list --alias dev | wc -l)" 0
is "since" "$(list --since 1d | wc -l) $(list --since 2099-01-01 | wc -l)" \
	"2 0"
find home/store -type f -exec cat {} + >seen
list --json >>seen
"$SCEP" audit show --json >>seen
not_ok "no code is anywhere" grep -qi "$code\|$code2" seen
like "the audit says who and what for" "$("$SCEP" audit show)" \
	"challenge new.*$id.*alias ra, for any subject, 1 time, until 20"
like "each is another" "$(new --alias ra) $(new --alias ra)" \
	'^([0-9A-F]{32}) [0-9A-F]{32}$'

says() { # EXIT DESCRIPTION WANTED WORDS...
	_exit=$1 _d=$2 _wanted=$3
	shift 3
	exits "$_exit" "$_d" "$SCEP" challenge "$@"
	like "  and says what to do" "$(cat .out)" "^scep: .*$_wanted"
	is "  in one line" "$(wc -l <.out)" 1
}
says 2 "no alias" "--alias NAME" new
says 1 "an alias that is not there" "no alias none" new --alias none
says 1 "one that takes none" \
	'alias set scep challenge.judge onetime' new --alias scep
says 1 "a subject that is none" "XX" new --alias ra --for XX=a
says 1 "a profile that is not there" "profile list" \
	new --alias ra --profile none
says 2 "a SAN for nobody" "--san belongs to --for" \
	new --alias ra --san dNSName=a.example
says 1 "a SAN that is none" "example" \
	new --alias ra --for CN=a --san example
says 2 "CA mode, with a SAN" "entity set NAME --san" \
	new --alias dev --for CN=router1 --san dNSName=a.example
says 2 "a count of none" "count is 1 to 10000" new --alias ra --count 0
says 2 "one that is too high" "count is 1 to" new --alias ra --count 10001
says 2 "an end in the past" "past" new --alias ra --ttl 2020-01-01
says 2 "CA mode, for nobody" "--for CN=NAME" new --alias dev
says 1 "CA mode, for an entity that is not registered" \
	"router1.*entity list" new --alias dev --for CN=router1
says 1 "for what has no name" "no username" new --alias dev --for O=Lab
"$SCEP" entity add router1 --no-code >.out
"$SCEP" entity add router2 --no-code >.out
"$SCEP" entity block router2
says 1 "for one that is blocked" "entity unblock router2" \
	new --alias dev --for CN=router2
"$SCEP" entity unblock router2
is "nothing of these was made" "$(list | wc -l)" 4

# --- RA mode --------------------------------------------------------------------

pkcsreq box "$code" --subject "/O=Lab/CN=box"
for DOOR in cgi fcgi; do
	is "$DOOR: a code enrols, and again gets the same" \
		"$(gets box ra)" \
		"$([ $DOOR = cgi ] && echo issued || echo resent)"
done
DOOR=cgi
like "for any name" "$(openssl x509 -in box-0.pem -noout -subject)" \
	"O = Lab, CN = box"
like "the list says so" "$(list)" "^$(echo "$id" | cut -c1-16) +used up +1/1 "
first=$(serial box-0.pem)
pkcsreq box "$code" --subject "/O=Lab/CN=box"
is "re-signed: the same certificate" "$(gets box ra) $(serial box-0.pem)" \
	"resent $first"
pkcsreq thief "$code" --subject "/O=Lab/CN=thief"
is "another key: used up" "$(gets thief ra)" "$NO code is used up"
like "with a warning" "$(cat log)" \
	"level=warn.*one-time code $id: a right code that is used up"
pkcsreq thief "$(new --alias ra | tr A-F a-f)" --subject "/CN=thief"
is "lower case is good" "$(gets thief ra)" issued
pkcsreq no "" --subject /CN=no
is "no code" "$(gets no ra)" "$NO no challengePassword"
for wrong in 0 0123456789ABCDEF0123456789ABCDEF "${code}0" "$code " \
	"$(echo "$code" | tr 0-9 g-p)"; do
	pkcsreq no "$wrong" --subject /CN=no
	is "unknown: ${#wrong} characters" "$(gets no ra)" \
		"$NO unknown code"
done
alias_ini other ra
elsewhere=$(new --alias other)
pkcsreq no "$elsewhere" --subject /CN=no
is "of another alias" "$(gets no ra)" "$NO code of another alias"
like "with a warning of its id" "$(cat log)" \
	"level=warn.*one-time code [0-9a-f]{32}, which uid .*: code of another"
pkcsreq no "$elsewhere" --subject /CN=elsewhere
is "where it is good" "$(gets no other)" issued

# For one subject, as names are compared; three times.
pkcsreq b "$code2" --subject "/CN=b/O=Lab"
is "for another subject" "$(gets b ra)" "$NO the code is for another subject"
pkcsreq b "$code2" --subject "/CN=a"
is "for less" "$(gets b ra)" "$NO the code is for another subject"
pkcsreq b "$code2" --subject "/O=Lab/CN=a"
is "in another order" "$(gets b ra)" "$NO the code is for another subject"
sed -i 's/^\[ra\]/[ra]\nexisting = edit/' home/aliases/ra.ini
touch -d "3 seconds ago" home/aliases/ra.ini
for n in 1 2 3; do
	client_key "a$n"
	pkcsreq "a$n" "$code2" --subject "/CN= A /O=LAB"
	is "the same to whoever compares names, $n" "$(gets "a$n" ra)" issued
done
client_key a4
pkcsreq a4 "$code2" --subject "/CN=a/O=Lab"
is "and not a fourth time" "$(gets a4 ra)" "$NO code is used up"
# attempt 2 of a transaction is paid by another code
"$SCEP" cert revoke "$(serial a1-0.pem)" --yes >.out 2>&1
pkcsreq a1 "$code2" --subject "/CN=a/O=Lab"
is "revoked: the code bought one" "$(gets a1 ra)" "$NO code is used up"
pkcsreq a1 "$(new --alias ra)" --subject "/CN=a/O=Lab"
is "another buys the next attempt" "$(gets a1 ra)" issued
is "as attempt 2" "$(find home/store/transaction -name '*,2,outcome' |
	wc -l)" 1

# A profile of its own.
"$SCEP" profile list >.out
cp home/profiles/ENDUSER.ini home/profiles/SHORT.ini 2>/dev/null ||
	printf '[certificate]\nvalidity = 5d\n' >home/profiles/SHORT.ini
sed -i 's/^validity.*/validity = 5d/' home/profiles/SHORT.ini
touch -d "3 seconds ago" home/profiles/SHORT.ini
pkcsreq short "$(new --alias ra --profile SHORT)"
is "a code with a profile" "$(gets short ra)" issued
like "which the certificate has" \
	"$("$SCEP" cert show "$(serial short-0.pem)")" "Profile: +SHORT"

# --- what else it may be called ---------------------------------------------------

sans() {
	openssl x509 -in "$1-0.pem" -noout -ext subjectAltName 2>/dev/null |
		sed -n '2s/^ *//p'
}
# NAME CODE: asks for a SAN besides.
vpn() {
	client_key "$1"
	pkcsreq "$1" "$2" --san dns:vpn.example
	gets "$1" ra
}
is "a code for one name: a SAN is asked for" \
	"$(vpn san1 "$(new --alias ra --for CN=san1)")" issued
is "and the certificate has none" "$(sans san1)" ""
is "sent again" "$(gets san1 ra) $(sans san1)" "resent "
json=$(new --alias ra --json --for CN=san2 \
	--san "dNSName=a.example, iPAddress=192.0.2.7")
like "--san is told" "$json" \
	'"for":"CN=san2","san":"dNSName=a.example, iPAddress=192.0.2.7"'
like "by the list too" "$(list --json --match CN=san2)" '"san":"dNSName=a.ex'
like "and by the audit" "$("$SCEP" audit show)" ", SAN dNSName=a.example"
is "another SAN is asked for" "$(vpn san2 "$(echo "$json" |
	sed 's/.*"code":"\([^"]*\)".*/\1/')")" issued
is "it has the one of the code" "$(sans san2)" \
	"DNS:a.example, IP Address:192.0.2.7"
is "--san request" \
	"$(vpn san3 "$(new --alias ra --for CN=san3 --san request)")" issued
is "it has the one that it asks for" "$(sans san3)" "DNS:vpn.example"
is "a code for any name" "$(vpn san4 "$(new --alias ra)")" issued
is "for that one too" "$(sans san4)" "DNS:vpn.example"
"$SCEP" entity set router1 --san dNSName=router1.example >.out

# --- CA mode ------------------------------------------------------------------

for1=$(new --alias dev --for "CN=router1" --count 2)
pkcsreq router2 "$for1"
is "a code for router1 is none for router2" "$(gets router2 dev)" \
	"$NO the code is for another subject"
pkcsreq router2 "$for1" --subject "/CN=ROUTER1"
is "another writing of the subject" "$(gets router2 dev)" issued
like "is that entity's" "$("$SCEP" cert show "$(serial router2-0.pem)")" \
	"Entity: +router1$"
is "with that entity's SAN" "$(sans router2)" "DNS:router1.example"
pkcsreq router1 "$for1"
is "and router1's own" "$(gets router1 dev)" issued
is "the same again" "$(gets router1 dev)" resent
client_key again
pkcsreq again "$for1" --subject /CN=router1
is "twice is all" "$(gets again dev)" "$NO code is used up"
pkcsreq again "$("$SCEP" entity setpwd router1 --generate)" \
	--subject /CN=router1
is "the entity's own code is none" "$(gets again dev)" "$NO unknown code"
# what was made when the alias was in RA mode
alias_ini dev ra
unbound=$(new --alias dev)
alias_ini dev ca
pkcsreq again "$unbound" --subject /CN=router1
like "a code for nobody" "$(gets again dev)" "^$NO the code is for no entity"
for1=$(new --alias dev --for "CN=router1")
pkcsreq again "$for1" --subject /CN=router1
"$SCEP" entity block router1
is "blocked meanwhile" "$(gets again dev)" "$NO entity is blocked"
"$SCEP" entity unblock router1
is "and unblocked" "$(gets again dev)" issued
"$SCEP" entity delete router1 --yes >.out
client_key late
pkcsreq late "$(new --alias dev --for CN=router2)" --subject /CN=router2
is "an entity's own alias" "$(gets late dev)" issued

# --- their end ------------------------------------------------------------------

FAKE=$(find /usr/lib -name libfaketime.so.1 | head -n 1)
later() { # OFFSET COMMAND...
	_offset=$1
	shift
	env LD_PRELOAD="$FAKE" FAKETIME="$_offset" NO_FAKE_STAT=1 "$@"
}
soon=$(new --alias ra)
long=$(new --alias ra --ttl 3h --for CN=long)
if [ -n "$FAKE" ] && [ "${SCEP_FLAVOUR:-plain}" != asan ]; then
	like "60 minutes is the default" "$(later +59m "$SCEP" challenge list \
		--json)" '"state":"good"'
	printf '#!/bin/sh\nexport LD_PRELOAD="%s" FAKETIME=+61m\n' "$FAKE" \
		>later.sh
	printf 'export NO_FAKE_STAT=1\nexec "%s" "$@"\n' "$SCEP" >>later.sh
	chmod 755 later.sh
	REAL=$SCEP
	pkcsreq soon "$soon"
	pkcsreq long "$long"
	SCEP=$FRESH/later.sh
	is "then it is over" "$(gets soon ra)" "$NO code has expired"
	is "and not one with a ttl of its own" "$(gets long ra)" issued
	like "the list says so" "$(list)" " expired +0/1 "
	ok "check does not mind" "$SCEP" check
	SCEP=$REAL
	is "before that it is good" "$(gets soon ra)" issued
else
	skip "codes expire" "no libfaketime"
fi
gone=$(new --alias ra --for CN=gone)
goneid=$(list --json --match CN=gone | sed 's/.*"id":"\([^"]*\)".*/\1/')
says 2 "delete what" "expired" delete
says 1 "too few digits" "at least 8 digits" delete "${goneid%?????????????????????????}"
says 1 "no such id" "no code 00000000" delete 00000000
ok "by the beginning of its id" "$SCEP" challenge delete \
	"$(echo "$goneid" | cut -c1-10)"
pkcsreq gone "$gone"
is "a deleted code" "$(gets gone ra)" "$NO unknown code"
gone=$(new --alias ra --for CN=gone)
printf '%s\n' "$gone" | "$SCEP" challenge delete --code - >.out 2>&1
is "by the code itself" "$(cat .out)" "1 code deleted"
is "that one" "$(list --match CN=gone | wc -l)" 0
printf '%s\n' "$gone" >typed
not_ok "which is gone then" sh -c '"$SCEP" challenge delete --code - <typed'
is "a certificate stays" "$(gets box ra) $(serial box-0.pem)" "resent $first"
good=$(list | grep -c ' good ')
ok "all that are over" "$SCEP" challenge delete --expired
is "and no others" "$(list | wc -l) $(list | grep -c ' good ')" "$good $good"
pkcsreq thief2 "$code" --subject "/CN=thief2"
is "a code that was used is not good again" "$(gets thief2 ra)" \
	"$NO unknown code"
is "a replay still gets its certificate" \
	"$(gets box ra) $(serial box-0.pem)" "resent $first"
is "again: nothing" "$("$SCEP" challenge delete --expired)" "0 codes deleted"
like "the audit has each" "$("$SCEP" audit show)" "challenge delete.*$id"

# --- renewals, and what an alias may say --------------------------------------------

alias_ini bad ra '[renewal]' 'challenge = yes'
exits 1 "a renewal does not use up a code" "$SCEP" alias check bad
like "and says so" "$(cat .out)" "bad.ini:[0-9]+: .*old certificate pays"
rm home/aliases/bad.ini
printf '[scep]\noperationmode = ca\ncas = ManagementCA\n[challenge]\nttl = 5m\n' \
	>home/aliases/bad.ini
exits 1 "ttl without such codes" "$SCEP" alias check bad
like "is told too" "$(cat .out)" "judge = onetime alone"
rm home/aliases/bad.ini

# --- approval ------------------------------------------------------------------

alias_ini ask ra
sed -i 's/^required = 0/required = 1/' home/aliases/ask.ini
touch -d "3 seconds ago" home/aliases/ask.ini
state() { list --json --match "CN=$1" | sed 's/.*"state":"\([^"]*\)".*/\1/'; }
number() {
	"$SCEP" request list --json --match "$1" |
		sed -n 's/.*"request":"\([0-9a-f]*\)".*/\1/p'
}
client_key yes
yes=$(new --alias ask --for CN=yes)
pkcsreq yes "$yes"
is "it waits" "$(gets yes ask)" "3,: "
is "and is paid for" "$(state yes)" "used up"
like "the request says by which" "$("$SCEP" request show "$(number yes)")" \
	"Code: +[0-9a-f]{32}"
client_key yes2
pkcsreq yes2 "$yes" --subject /CN=yes
is "no second one waits for it" "$(gets yes2 ask)" "$NO code is used up"
is "sent again it waits" "$(gets yes ask)" "3,: "
ok "the code is deleted" "$SCEP" challenge delete --expired
is "and the request waits" "$("$SCEP" request list | wc -l)" 1
ok "until it is approved" "$SCEP" request approve "$(number yes)"
is "then it has its certificate" "$(gets yes ask)" resent
client_key den
den=$(new --alias ask --for CN=den)
pkcsreq den "$den"
is "another waits" "$(gets den ask)" "3,: "
ok "and is denied" "$SCEP" request deny "$(number den)"
is "its code stays used" "$(state den)" "used up"
client_key den2
pkcsreq den2 "$den" --subject /CN=den
is "also for others" "$(gets den2 ask)" "$NO code is used up"
# the alias gets another name
client_key mov
pkcsreq mov "$(new --alias ask --for CN=mov)"
is "one waits" "$(gets mov ask)" "3,: "
ok "while the alias is renamed" "$SCEP" alias rename ask asks
is "its code stays used" "$(state mov)" "used up"
ok "it is approved" "$SCEP" request approve "$(number mov)"
is "and issued" "$(gets mov asks)" resent
done_testing
