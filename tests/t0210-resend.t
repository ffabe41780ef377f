#!/bin/sh
# A re-sent PKCSReq gets the same certificate; what buys another one, and what
# does not (STORE.md, Transactions; C-70, C-72, C-136 to C-138, C-173).
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

make_home
code=$(add_entity box --subject "CN=box,O=One")

# What NAME's message gets: a serial, or the reason in the log.
gets() {
	: >log
	send "$1"
	case $(reply "$1" status) in
	0) serial "$1-0.pem" ;;
	2) sed -n 's/.*reason="\([^"]*\)".*/\1/p' log | tail -n 1 ;;
	*) echo "http $STATUS" ;;
	esac
}

# A message, and the signer's certificate that its reply is for.
keep() { cp box.der "$1.der" && cp box.crt "$1.crt"; }
back() { cp "$1.der" box.der && cp "$1.crt" box.crt; }

pkcsreq box "$code"
first=$(gets box)
like "the first" "$first" "^[0-9A-F]{32}$"
for DOOR in cgi fcgi; do
	is "$DOOR: the same bytes: the same certificate" "$(gets box)" "$first"
done
DOOR=cgi
cp body one
send box
not_ok "the reply is encrypted and signed afresh" cmp -s one body
pkcsreq box "$code" --csr box.csr
is "re-signed, same CSR: the same" "$(gets box)" "$first"
pkcsreq box "$code" --san dns:a
is "a new CSR, same key and code: the same" "$(gets box)" "$first"
pkcsreq box "wrong"
is "the key alone is not enough" "$(gets box)" "wrong code"
pkcsreq box "$code" --txid other
is "another transactionID: the code is spent" "$(gets box)" \
	"code is used up"
client_key rival
pkcsreq rival "$code" --subject /CN=box --txid id-box
is "another key cannot fetch it (C-72)" "$(gets rival)" "code is used up"
is "one certificate was issued" "$("$SCEP" cert list --json | wc -l)" 1

# A crash before cert/ was linked: whoever reads the outcome links it.
pem=$(find home/store/cert -name '*.pem')
rm "$pem"
exits 0 "check warns" "$SCEP" check
pkcsreq box "$code" --csr box.csr
is "still the same" "$(gets box)" "$first"
ok "and it has its second name again" test -e "$pem"

# A code set later is a new enrolment, under the present record.
"$SCEP" entity set box --subject "CN=box,O=Two"
is "a changed record alone changes nothing" "$(gets box)" "$first"
new=$("$SCEP" entity setpwd box --generate)
keep old
pkcsreq box "$new"
second=$(gets box)
not_ok "a new code: a new certificate" test "$second" = "$first"
like "of the present record" \
	"$(openssl x509 -in box-0.pem -noout -subject)" "O = Two"
is "which answers its own re-sending" "$(gets box)" "$second"
keep new
back old
is "the old request's bytes: the old certificate" "$(gets box)" "$first"
pkcsreq box "$code" --san dns:b
is "the old code in a new request" "$(gets box)" "wrong code"
is "two certificates in all" "$("$SCEP" cert list --json | wc -l)" 2

# Replays of one client by an eavesdropper, a day and a year later.
back new
faketime=$(find /usr/lib -name libfaketime.so.1 | head -n 1)
if [ -n "$faketime" ] && [ "${SCEP_FLAVOUR:-plain}" != asan ]; then
	at() { # WHEN COMMAND...: the server's clock
		_when=$1
		shift
		printf '#!/bin/sh\n%s LD_PRELOAD=%s exec "%s" "$@"\n' \
			"FAKETIME=$_when" "$faketime" "$REAL" >timed
		chmod 755 timed
		SCEP=$FRESH/timed
		"$@"
		SCEP=$REAL
	}
	REAL=$SCEP
	is "a replay after a day" "$(at +1d gets box)" "$second"
	is "after 400 days" "$(at +400d gets box)" "$second"
	is "after three years" "$(at +1100d gets box)" "$second"
	pkcsreq box "$new" --san dns:c
	is "a new CSR in the first half of its life" \
		"$(at +300d gets box)" "$second"
	is "in the second half it needs a new code" \
		"$(at +400d gets box)" "code is used up"
	third=$("$SCEP" entity setpwd box --generate)
	pkcsreq box "$third"
	like "and gets a new one with it" "$(at +400d gets box)" \
		"^[0-9A-F]{32}$"
	not_ok "another" test "$(gets box)" = "$second"
	late=$("$SCEP" entity add late --generate)
	pkcsreq late "$late"
	is "a CA that has expired: 503, not FAILURE" \
		"$(at +3660d gets late)" "http 503"
	is "nothing is spent by it" "$(at -1d gets late)" "http 503"
	like "and in time it is issued" "$(gets late)" "^[0-9A-F]{32}$"
else
	skip "years later" "needs libfaketime, on the plain build"
fi

# A code that pays for two: two keys, and no third.
code=$(add_entity twin --count 2)
for key in a b c; do
	client_key "$key"
	pkcsreq $key "$code" --subject /CN=twin
done
like "the first key" "$(gets a)" "^[0-9A-F]{32}$"
like "the second key" "$(gets b)" "^[0-9A-F]{32}$"
is "no third" "$(gets c)" "code is used up"
pkcsreq a "$code" --subject /CN=twin --san dns:d
is "the first again, re-signed, pays nothing" "$(gets a)" \
	"$(serial a-0.pem)"

# Deleted and added again: a new entity, the old code is worth nothing.
"$SCEP" entity delete twin --yes
is "deleted" "$(gets c)" "unknown entity"
"$SCEP" entity add twin --generate >/dev/null
is "added again, old code" "$(gets c)" "wrong code"
# The name in cert/ that was lost with the process that issued comes back
# before the answer leaves (STORE.md, A grant, 6).
code=$(add_entity lost)
pkcsreq lost "$code"
send lost
name=$(find home/store/cert -iname "$(serial lost-0.pem).pem")
ok "a certificate has its name by serial" rm "$name"
send lost
is "the message again" "$(reply lost status)" 0
ok "brings the name back" test -e "$name"
done_testing
