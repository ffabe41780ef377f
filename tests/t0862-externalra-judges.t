#!/bin/sh
# The judges of an external RA: Intune, a program, one-time codes.  They are
# asked on the RA's host, which answers devices; the CA's host gets files and
# gives files (rsync from one folder to another), and needs no network at all.
# shellcheck disable=SC1091,SC2034,SC2154 # lib.sh uses them
. "${0%/*}/lib.sh"
. "$TOP/tests/queue.sh"
. "$TOP/tests/intune.sh"

two_homes
ln -s ra home
intune_start

JUDGE=$FRESH/judge
cat >"$JUDGE" <<'EOT'
#!/bin/sh
case $(cat <&3) in
"open sesame") echo username=vouched ;;
"open as "*) cat profile.wanted ;;
*) exit 1 ;;
esac
EOT
chmod 755 "$JUDGE"
{
	cat ext.ini
	cat <<-EOT
	[renewal]
	challenge = yes
	[challenge]
	judge = intune
	[intune]
	tenant = contoso
	aadappid = app-1
	aadappkey = "s3cret of app/1"
	authority = $INTUNE/
	resourceurl = $INTUNE/res/
	graphresourceurl = $INTUNE/
	timeout = 4s
	cafile = its.pem
	EOT
} >mdm
{ cat ext.ini && printf '[challenge]\njudge = program\n[program]\npath = %s\n' \
	"$JUDGE"; } >prog
{ cat ext.ini && printf '[challenge]\njudge = onetime\n'; } >once
for name in mdm prog once; do
	at_ra
	quietly "$SCEP" alias add "$name" --from "$name"
	at_ca
	quietly "$SCEP" alias add "$name" --from fleet.ini
done
at_ra

steps() {
	awk '{ printf "%s%s", n++ ? " " : "", $1 }' steps 2>/dev/null
	rm -f steps
}
told() { # NAME KEY: of its last notification
	grep "\"transactionId\": \"id-$1\"" told | tail -n 1 |
	    python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$2"
}
touch told
times_told() { grep -c "\"transactionId\": \"id-$1\"" told; }
UNTOLD=ra/store/queue/mdm/untold
kept() { find "$UNTOLD" -type f 2>/dev/null | wc -l; }
marks() { find ra/store/transaction -name '*,released' | wc -l; }
# NAME CHALLENGE OPTIONS: asks, and the CA issues, or refuses.
ask() { # NAME [OPTIONS...]
	_n=$1
	shift
	is "$_n waits" "$(enrol "$_n" "intune-$_n" mdm "$@")" PENDING
	ok "the CA takes it" pull
}
again() { : >log && transmit "$1" mdm; }
polls() { : >log && poll "$1" mdm; }

# --- Intune: asked at once ---------------------------------------------------------

is "a challenge that is none" "$(enrol bad "not Intune's" mdm)" "failinfo 2"
is "makes no record, and nothing is kept" \
	"$("$SCEP" queue list | wc -l) $(kept)" "0 0"
is "Intune was asked" "$(steps)" "token discovery token validate"
is "one of Intune's waits" "$(enrol one intune-one mdm)" PENDING
is "and was asked about" "$(steps)" "token discovery token validate"
is "its request is kept" "$(kept)" 1
kept=$(find "$UNTOLD" -type f)
is "under its CSR" "${kept##*,}" "$(sha256sum <one.csr | cut -c1-64)"
openssl cms -verify -inform PEM -in "$kept" -noverify -out kept.der 2>/dev/null
openssl cms -decrypt -inform DER -in kept.der -inkey ra/ca/Lab/ra/1/key.pem \
	-out kept.plain 2>/dev/null
ok "with its challenge" grep -q intune-one kept.plain
not_ok "which the RA's key alone shows" grep -q intune-one kept.der
is "and no file in clear" "$(grep -rl intune-one ra/store)" ""
ok "the RA's home is whole" "$SCEP" check
is "a poll waits" "$(poll one mdm)" PENDING
ok "the CA takes it" pull
like "and issues" "$(cat pull.out)" "^mdm [0-9a-f]{16} issued CN=one"
is "what is kept does not travel" "$(find copy -name untold)" ""
is "nobody was asked or told on the CA's host" "$(steps)" ""

# --- and told before the certificate leaves ----------------------------------------------

control '{"success": {"status": 500}}'
is "not acknowledged: a poll" "$(polls one)" "http 503"
like "says why" "$(cat log)" "Intune has not acknowledged the certificate"
is "it was tried" "$(steps)" "token discovery token success"
is "the same request once more" "$(enrol one intune-one mdm >.word
	again one)" "http 503"
builder wanted --cert ca.pem --serial "$(sed -n 's/^serial = //p' \
	ra/store/transaction/*/*,outcome)" --out wanted
getcert() { # NAME
	: >log
	builder pkcsreq --ca ra.pem --key "$1.key" --type 21 --csr wanted \
		--txid about --cert-out "$1.crt" --out "$1.der" 2>>log
	transmit "$1" mdm
}
is "GetCert" "$(getcert one)" "http 503"
like "says why" "$(cat log)" "is held: intune has not acknowledged it"
is "nothing has left" "$(marks) $(kept) $(times_told one)" "0 1 0"
like "cert list says so, where it waits" "$("$SCEP" cert list)" " unreleased "
ok "the RA's home is whole" "$SCEP" check
control '{}'
is "acknowledged: the poll has it" "$(polls one)" SUCCESS
cp one-0.pem one.pem
is "the CA's" "$(openssl verify -CAfile ca.pem one.pem)" "one.pem: OK"
is "Intune was told of this one" "$(told one certificateSerialNumber)" \
	"$(serial one.pem | tr A-F a-f)"
is "with the request that it had said yes to" "$(told one certificateRequest |
	base64 -d | sha256sum | cut -c1-64)" "${kept##*,}"
is "the mark stands, nothing is kept" "$(marks) $(kept)" "1 0"
like "cert list says so" "$("$SCEP" cert list)" " valid "
steps >/dev/null
is "another poll" "$(polls one)" SUCCESS
ok "the same certificate" cmp one-0.pem one.pem
is "GetCert" "$(getcert one)" SUCCESS
is "told once" "$(steps) $(times_told one)" " 1"

ask lost
control '{"success": {"close": -1, "done": true}}'
is "Intune's answer is lost" "$(polls lost) $(kept)" "http 503 1"
control '{}'
is "the next poll" "$(polls lost) $(kept)" "SUCCESS 0"
is "told twice, of one certificate" "$(times_told lost) $(grep id-lost told |
	sed 's/.*SerialNumber": "\([0-9a-f]*\)".*/\1/' | sort -u | wc -l)" "2 1"

ask again
is "the same request instead of a poll" "$(again again)" SUCCESS
is "told once, nothing is kept" "$(times_told again) $(kept)" "1 0"

# Revoked at the CA while it is held here: its CRL says so.
ask taken
control '{"success": {"status": 500}}'
is "held" "$(polls taken) $(kept)" "http 503 1"
control '{}'
builder wanted --cert ca.pem --serial "$(sed -n 's/^serial = //p' \
	"$(grep -l "^id = id-taken$" ra/store/transaction/*/*,outcome)")" \
	--out wanted
at_ca
"$SCEP" cert revoke "$(sed -n 's/^serial = //p' \
	"$(grep -l "^id = id-taken$" ra/store/transaction/*/*,outcome)")" \
	--yes >.out 2>&1 || diag "$(cat .out)"
at_ra
ok "the CRL comes" pull
before=$(marks)
steps >/dev/null
is "revoked: a poll" "$(polls taken)" "failinfo 2"
like "says why" "$(cat log)" "revoked, is on hold or has expired, and its judge"
is "Intune is not told, nothing is kept" "$(steps) $(marks) $(kept)" " $before 0"

# --- what is kept is lost, or another's ------------------------------------------------

is "gone waits" "$(enrol gone intune-gone mdm)" PENDING
mv "$UNTOLD"/* gone.kept
exits 1 "lost while it waits: scep check" "$SCEP" check
like "says so" "$(cat .out)" "has nothing in untold/ that its judge could be"
ok "the CA takes it" pull
is "a poll" "$(polls gone)" "http 503"
like "what to do" "$(cat log)" \
	"untold/.* is missing: restore it, or have the device send its request again"
ask swapped
swapped=$(find "$UNTOLD" -type f)
cp "$swapped" swapped.kept
cp gone.kept "$swapped"
is "another's" "$(polls swapped)" "http 503"
like "is not taken" "$(cat log)" "is not taken: it was written under another name"
sed '/BEGIN/,$d' swapped.kept >"$swapped"
is "half of it" "$(polls swapped)" "http 503"
exits 1 "scep check" "$SCEP" check
like "says so" "$(cat .out)" "cannot be read; restore it"
cp swapped.kept "$swapped"
is "restored" "$(polls swapped)" SUCCESS
is "of the lost one the same request" "$(enrol gone intune-gone mdm)" SUCCESS
is "both were told of, once" "$(times_told swapped) $(times_told gone)" "1 1"
cp swapped.kept "$swapped"
touch -d "1 hour ago" "$swapped"
ok "left behind by a crash" "$SCEP" check --repair
is "it is taken away" "$(kept)" 0

# --- the CA refuses ----------------------------------------------------------------------------

at_ca
quietly "$SCEP" entity block one
at_ra
ask no --subject /CN=one
like "the CA refuses" "$(cat pull.out)" "refused CN=one: entity is blocked"
steps >/dev/null
is "the device hears of it" "$(polls no)" "failinfo 2"
is "and Intune, before" "$(steps)" "token discovery token failure"
is "by its number" "$(told no hResult)" $((0x20000102))
is "with the CA's words" "$(told no errorDescription)" "entity is blocked"
is "once" "$(polls no) $(steps) $(times_told no) $(kept)" "failinfo 2  1 0"
ask no2 --subject /CN=one
control '{"failure": {"status": 500}}'
is "that it cannot be told changes nothing" "$(polls no2)" "failinfo 2"
like "but a line" "$(cat log)" "was not told why"
control '{}'
ask no3 --subject /CN=one
steps >/dev/null
is "a new request instead of a poll" "$(again no3)" PENDING
is "Intune hears of the last one first" "$(steps)" \
	"token discovery token failure validate"
is "the new one is kept" "$(kept)" 1

exits 1 "revocations are not the RA's" "$SCEP" intune revocations --alias mdm
like "but the CA's" "$(cat .out)" "external RA: certificates are revoked on"

# --- a program ------------------------------------------------------------------------------------

is "the program says no" "$(enrol p1 "open barley" prog)" "failinfo 2"
is "nothing waits" "$("$SCEP" queue list --alias prog)" ""
is "it says yes" "$(enrol p1 "open sesame" prog)" PENDING
ok "the CA takes it" pull
is "the poll fetches it" "$(poll p1 prog)" SUCCESS
at_ca
ok "for whom the program says" "$SCEP" entity show vouched
at_ra

# What a certificate is like is the CA's alias to say ([queue] profiles).
as() { # NAME PROFILE: asks, the judge wants that profile, and the CA decides
	printf 'username=%s\nprofile=%s\n' "$1" "$2" >"$ROOT/profile.wanted"
	is "$1 waits" "$(enrol "$1" "open as $2" prog)" PENDING
	pull
}
usage_of() { openssl x509 -in "$1-0.pem" -noout -ext extendedKeyUsage | tail -n 1; }
sed -i "s|cat profile.wanted|cat $ROOT/profile.wanted|" "$JUDGE"
touch -d '5 seconds ago' "$JUDGE"
as w1 tls-server
like "a profile that is not the alias's" "$(cat pull.out)" "^prog .* refused \
CN=w1: [[]queue[]] profiles does not name the certificate profile that the RA wants"
like "which the CA's log names" "$(cat pull.err)" "alias prog: its external RA \
wants certificate profile tls-server, which is neither certificateprofile nor"
: >log
is "the device hears of it" "$(poll w1 prog)" "failinfo 2"
like "the RA's log has the same words" "$(cat log)" "alias prog: the CA has \
refused [0-9a-f]{16}: [[]queue[]] profiles does not name the certificate profile that"
at_ca
exits 1 "no entity was made" "$SCEP" entity show w1
at_ra
as w2 enduser
is "the alias's own, in any case" "$(poll w2 prog)" SUCCESS
at_ca
exits 1 "one that there is not" "$SCEP" alias set prog queue.profiles tls-server,router2
like "is told of, by its line" "$(cat .out)" "prog.ini:[0-9]+: profiles: no such \
profile, .scep profile list. shows them: router2"
quietly "$SCEP" alias set prog queue.profiles tls-server,router
touch -d '5 seconds ago' ca/aliases/prog.ini
at_ra
as w3 tls-server
is "one that is listed" "$(poll w3 prog)" SUCCESS
like "counts" "$(usage_of w3)" "TLS Web Server Authentication"
as w4 vpn
is "another one does not" "$(poll w4 prog)" "failinfo 2"

# --- one-time codes -----------------------------------------------------------------------------------

code=$("$SCEP" challenge new --alias once)
is "a code that is none" "$(enrol o0 "$(echo "$code" | tr 0-9A-F 1-9A-F0)" \
	once)" "failinfo 2"
is "a code" "$(enrol o1 "$code" once)" PENDING
is "is used up when its request waits" "$(enrol o2 "$code" once)" "failinfo 2"
is "of another the same request waits on" "$(enrol o1 "$code" once)" PENDING
ok "the CA takes it" pull
is "one request" "$(grep -c "^once" pull.out)" 1
is "the poll fetches it" "$(poll o1 once)" SUCCESS
is "and nothing for the other" "$(poll o2 once)" "failinfo 4"

# The CA says no: the code has had its request.
code=$("$SCEP" challenge new --alias once)
is "a code for who is blocked there" \
	"$(enrol o4 "$code" once --subject /CN=one)" PENDING
ok "the CA takes it" pull
like "and refuses" "$(cat pull.out)" "refused CN=one: entity is blocked"
is "the device hears of it" "$(poll o4 once)" "failinfo 2"
: >log
is "nothing else comes before the CA by it" "$(enrol o5 "$code" once)" \
	"failinfo 2"
ok "it is used up" grep -q 'reason="code is used up"' log
is "not by the same device either" \
	"$(enrol o4 "$code" once --subject /CN=o4)" "failinfo 2"
ok "the RA's home is whole" "$SCEP" check
ok "and it can be swept away" "$SCEP" challenge delete --expired

# A code for one name has no other.
code=$("$SCEP" challenge new --alias once --for CN=san)
is "a SAN is asked for" "$(enrol san "$code" once --san dns:vpn.example)" PENDING
code=$("$SCEP" challenge new --alias once --for CN=sans \
	--san dNSName=a.example)
is "and another than the code's" \
	"$(enrol sans "$code" once --san dns:vpn.example)" PENDING
ok "the CA takes them" pull
is "they have their certificates" "$(poll san once) $(poll sans once)" \
	"SUCCESS SUCCESS"
is "with the code's SANs" "$(openssl x509 -in san-0.pem -noout -text |
	grep -c vpn) $(openssl x509 -in sans-0.pem -noout -text |
	sed -n 's/.*DNS:/DNS:/p')" "0 DNS:a.example"

# It is deleted between paying and the queue.
if strace -e trace=none true 2>/dev/null; then
	code=$("$SCEP" challenge new --alias once --for CN=late)
	"$SCEP" challenge list --json --match CN=late |
		sed 's/.*"id":"\([^"]*\)".*/\1/' >id
	client_key late
	builder pkcsreq --ca ra.pem --key late.key --challenge "$code" \
		--subject /CN=late --txid late --cert-out late.crt \
		--out late.der 2>>log
	env REQUEST_METHOD=POST SCRIPT_NAME=/scep/once/pkiclient.exe \
		QUERY_STRING=operation=PKIOperation \
		CONTENT_LENGTH="$(wc -c <late.der)" \
		GATEWAY_INTERFACE=CGI/1.1 REMOTE_ADDR=192.0.2.1 \
		strace -f -qq -o trace -e trace=fsync \
		-e inject=fsync:signal=STOP:when=2 \
		"$SCEP" <late.der >reply 2>>log &
	late=$!
	stopped() { grep -q 'stopped by SIGSTOP' trace; }
	ok "one has paid and is slow" wait_for stopped
	is "it does not wait yet" "$("$SCEP" queue list --alias once)" ""
	ok "its code is deleted" "$SCEP" challenge delete "$(cat id)" --yes
	kill -CONT "$(sed -n '1s/ .*//p' trace)"
	wait $late
	split_reply
	is "it is to come again" "$STATUS" 503
	is "nothing goes to the CA" "$("$SCEP" queue list --alias once)" ""
	is "and finds no code" "$(transmit late once) $(poll late once)" \
		"failinfo 2 failinfo 4"
	ok "the RA's home is whole" "$SCEP" check
else
	skip "a code that is deleted meanwhile" "strace cannot trace here"
fi

# A request that no record can hold pays nothing.
code=$("$SCEP" challenge new --alias once)
client_key big
{
	printf '[req]\nprompt = no\ndistinguished_name = n\n'
	printf 'attributes = a\nreq_extensions = e\n[n]\nCN = big\n'
	printf '[a]\nchallengePassword = %s\n[e]\n1.2.3.4 = ASN1:UTF8:' "$code"
	head -c 40000 /dev/zero | tr '\0' x
} >big.cnf
openssl req -new -key big.key -config big.cnf -outform DER -out big.req
is "a request that is too large" \
	"$(enrol big "$code" once --csr big.req)" "failinfo 2"
ok "is said to be" grep -q 'reason="the request is too large for a record"' log
is "its code is good for another" "$(enrol o3 "$code" once)" PENDING
ok "the CA takes that" pull
is "the poll fetches it" "$(poll o3 once)" SUCCESS
is "no challenge is in the store" "$(grep -rl "$code\|sesame\|intune-" \
	ra/store ca/store)" ""

is "Microsoft had nothing to complain about" \
	"$(cat complaints 2>/dev/null)" ""
at_ca
ok "scep check of the CA's home" "$SCEP" check
at_ra
done_testing
