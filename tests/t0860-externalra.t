#!/bin/sh
# An external RA: a host with a key of its own and the CA's certificate, and
# another that has the CA.  Nothing connects inward: rsync carries requests and
# answers (ejbca-behaviour 9).  strongSwan polls, AutoSscep and Juniper are
# imitated at the path that they know of EJBCA's external RA.
# shellcheck disable=SC1091,SC2016,SC2034,SC2154 # lib.sh uses them
. "${0%/*}/lib.sh"
. "$TOP/tests/queue.sh"

two_homes

# --- the RA's host has no key of the CA -----------------------------------------------

is "no key of the CA is here" "$(find ra/ca/Lab -name '*key*' | sort)" \
	"ra/ca/Lab/1/key.elsewhere
ra/ca/Lab/ra/1/key.pem"
at_ra
elsewhere="the private key of this CA is on another host"
for words in "crl issue Lab" "ca renew Lab" "ca rollover Lab" \
	"ca ra renew Lab" "ca request Lab --next" "ca export Lab --pkcs12 x.p12 --password p"; do
	# shellcheck disable=SC2086 # words
	not_ok "$words: cannot" "$SCEP" $words
	like "$words: and says why" "$(cat .out)" "$elsewhere|no RA certificate"
done

exits 1 "no CRL has come yet" "$SCEP" crl show Lab
is "and where it comes from" "$(cat .out)" "scep: no CRL yet; the key is on \
another host, and \`scep queue pull\` there brings one"
exits 1 "nor as JSON" "$SCEP" crl show --json
quietly "$SCEP" ca create Own --subject CN=Own --key rsa:2048
like "one with a key makes it" "$("$SCEP" crl show Own 2>&1)" "scep crl issue"
like "so it is said of both" "$("$SCEP" crl show 2>&1)" "scep crl issue"
rm -r ra/ca/Own

# It signs for nobody, and is imported so only where that is asked for.
printf '[scep]\noperationmode = ca\ncas = Lab\n' >ra/aliases/signs.ini
exits 1 "an alias that would have to sign" "$SCEP" alias check signs
like "is told of" "$(cat .out)" \
	"signs.ini:3: cas: its key is on another host, so operationmode must be externalra: Lab"
rm ra/aliases/signs.ini
at_ca
quietly "$SCEP" ca export Lab --pkcs12 lab.p12 --password p
openssl req -new -newkey rsa:2048 -nodes -keyout same.key -subj "/CN=Lab CA/O=Lab" \
	-out same.csr 2>/dev/null
exits 1 "an RA of the CA's own name" "$SCEP" ca ra sign Lab same.csr
like "is none" "$(cat .out)" "an RA needs another name than its CA's"
quietly "$SCEP" ca create Curve --subject CN=Curve --key ec:P-256
quietly "$SCEP" ca export Curve --out curve.pem
at_ra
: >nothing
exits 2 "a key, and none" "$SCEP" ca import Two --pkcs12 lab.p12 \
	--passphrase p --no-key
exits 2 "a passphrase for none" "$SCEP" ca import Two --cert ca.pem \
	--passphrase p --no-key
not_ok "an empty key file is not none" "$SCEP" ca import Two --cert ca.pem \
	--key nothing
not_ok "nothing of that is left" test -e ra/ca/Two
quietly "$SCEP" ca import Curve --cert curve.pem --no-key
printf '[scep]\noperationmode = externalra\ncas = Curve\n[ra]\nauthpwd = none\n' \
	>ra/aliases/curve.ini
exits 1 "a CA that nobody can encrypt to" "$SCEP" alias check curve
like "is told of, by its line" "$(cat .out)" "curve.ini:3: cas: its key is no \
RSA key, so that no external RA can encrypt to it: Curve"
at_ca
sed 's/Lab/Curve/' fleet.ini >ca/aliases/curve.ini
exits 1 "on the CA's host too" "$SCEP" alias check curve
like "by its line" "$(cat .out)" "curve.ini:4: defaultca: its key is no RSA \
key, so that no external RA can encrypt to it: Curve"
rm ca/aliases/curve.ini
at_ra
rm -r ra/aliases/curve.ini ra/ca/Curve

# --- GetCACert: RA, CA, root ----------------------------------------------------------

request GET "/scepraserver/scep/fleet/pkiclient.exe?operation=GetCACert"
is "GetCACert" "$STATUS $(header Content-Type)" \
	"200 application/x-x509-ca-ra-cert"
is "first the RA's, then the CA's" "$(openssl pkcs7 -inform DER -in body \
	-print_certs | sed -n 's/^subject=//p')" "CN = Lab CA RA, O = Lab
CN = Lab CA, O = Lab"

# --- target = ra: the RA's judge ------------------------------------------------------

SECRET="a joint secret of the fleet"
is "a wrong secret" "$(enrol one wrong fleet)" "failinfo 2"
is "makes no record" "$("$SCEP" queue list)" ""
is "the right one waits" "$(enrol one "$SECRET" fleet)" PENDING
like "for the CA" "$("$SCEP" queue list)" "^fleet +[0-9a-f]{16} [0-9]+s +one +CN=one"
is "a poll waits" "$(poll one fleet)" PENDING
exits 1 "its alias is not renamed now" "$SCEP" alias rename fleet navy
like "since" "$(cat .out)" "1 request waits of alias fleet for the CA"
exits 1 "nor deleted" "$SCEP" alias delete fleet --yes
is "the same once more waits" "$(enrol one "$SECRET" fleet)" PENDING
is "it is one record" "$("$SCEP" queue list | wc -l)" 1
is "the challenge is not in it" "$(grep -rl "joint secret" ra/store)" ""
ok "the CA takes it" pull
like "and issues" "$(cat pull.out)" "^fleet [0-9a-f]{16} issued CN=one"
is "the poll fetches it" "$(poll one fleet)" SUCCESS
like "of the CA" "$(openssl x509 -in one-0.pem -noout -issuer -subject)" \
	"CN = Lab CA, O = Lab"
is "with RA certificate and CA" "$(openssl verify -CAfile ca.pem one-0.pem)" \
	"one-0.pem: OK"
is "nothing waits" "$("$SCEP" queue list)" ""
cp one-0.pem one.pem
is "and again" "$(poll one fleet)" SUCCESS
ok "the same" cmp one-0.pem one.pem
is "a stranger's poll" "$(client_key two; poll two fleet --txid id-one)" \
	"failinfo 4"
at_ca
is "the CA has an entity" "$("$SCEP" entity list | cut -d' ' -f1)" one
at_ra

# --- AutoSscep: a fresh run instead of a poll -----------------------------------------

as_auto() { enrol auto "$1" fleet --as autosscep --subject "/CN=auto/O=Lab"; }
is "AutoSscep waits" "$(as_auto "$SECRET")" PENDING
cp auto.der auto.first
is "a fresh run waits too" "$(as_auto "$SECRET")" PENDING
not_ok "with another message" cmp auto.der auto.first
is "another CSR of that transaction waits on the first" \
	"$(enrol auto "$SECRET" fleet --subject /CN=auto)" PENDING
like "and is never seen by the CA" "$(cat log)" \
	"another request than the one that waits; the CA will not see it"
ok "the CA takes it" pull
is "one record" "$(grep -c "issued CN=auto" pull.out)" 1
is "a fresh run with a wrong secret gets nothing" "$(as_auto wrong)" "failinfo 2"
is "with the right one the certificate" "$(as_auto "$SECRET")" SUCCESS
cp auto-0.pem auto.pem
is "and again" "$(as_auto "$SECRET")" SUCCESS
ok "the same" cmp auto-0.pem auto.pem
is "which is of its key" "$(openssl x509 -in auto.pem -noout -pubkey)" \
	"$(openssl pkey -in auto.key -pubout)"

# --- Juniper: waits, and retrieves ------------------------------------------------------

is "Juniper waits" "$(enrol srx "$SECRET" fleet --as juniper \
	--subject "/CN=srx/O=Lab" --san ip:192.0.2.17)" PENDING
is "retrieves too early" "$(poll srx fleet --as juniper)" PENDING
ok "the CA takes it" pull
is "retrieves" "$(poll srx fleet --as juniper)" SUCCESS
is "the leaf alone" "$(reply srx ncerts)" 1
like "with its address" "$(openssl x509 -in srx-0.pem -noout -ext \
	subjectAltName)" "IP Address:192.0.2.17"
"$SCEP" alias set fleet includeca yes >.out 2>&1
is "includeca" "$(poll srx fleet)" SUCCESS
is "the CA's certificate behind the leaf" "$(reply srx ncerts)" 2
is "which is the CA's, not the RA's" "$(openssl x509 -in srx-1.pem -noout \
	-subject)" "subject=CN = Lab CA, O = Lab"
"$SCEP" alias set fleet includeca no >.out 2>&1

# --- target = ca: the entity's own code pays at the CA ----------------------------------

at_ca
code=$(add_entity router --ca Lab --subject CN=router,O=Lab)
at_ra
is "a wrong code waits as well" "$(enrol router wrong codes)" PENDING
ok "the CA judges it" pull
like "and refuses" "$(cat pull.out)" "^codes .* refused CN=router: wrong code"
is "the poll hears of it" "$(poll router codes)" "failinfo 2"
is "the right one, in the same transaction" "$(enrol router "$code" codes)" PENDING
is "no code in clear on the RA's host" "$(grep -rl "$code" ra)" ""
ok "the CA takes it" pull
is "the poll fetches it" "$(poll router codes)" SUCCESS
is "with the entity's name" "$(openssl x509 -in router-0.pem -noout -subject)" \
	"subject=CN = router, O = Lab"
is "the code is used up" "$(enrol other "$code" codes --subject /CN=router)" PENDING
ok "the CA judges that" pull
is "nothing for it" "$(poll other codes)" "failinfo 2"
like "since" "$(cat pull.out)" "code is used up"

# --- judge = entity on the RA's host ------------------------------------------------------

code=$(add_entity desk1 --ca Lab --subject CN=desk1,O=Desk)
is "an entity's code" "$(enrol desk1 "$code" desk)" PENDING
is "pays there" "$(enrol desk2 "$code" desk --subject /CN=desk1)" "failinfo 2"
"$SCEP" entity setpwd desk1 --generate >.out 2>&1 || diag "$(cat .out)"
is "another code, and it waits as before" "$(poll desk1 desk)" PENDING
ok "the RA's home is whole" "$SCEP" check
ok "the CA takes it" pull
is "the poll fetches it" "$(poll desk1 desk)" SUCCESS
is "what the RA has registered" "$(openssl x509 -in desk1-0.pem -noout \
	-subject)" "subject=CN = desk1, O = Desk"

# --- direct requests to the CA's alias ----------------------------------------------------

at_ca
builder pkcsreq --ca ca.pem --key two.key --challenge "" --subject /CN=two \
	--cert-out two.crt --out two.der --txid id-two
request POST "/scep/fleet/pkiclient.exe?operation=PKIOperation" two.der
builder certrep --ca ca.pem --key two.key --cert two.crt --in body >two.rep
is "the queue's alias has no secret: nobody gets in directly" \
	"$(reply two status) $(reply two failinfo)" "2 2"
like "the log says why" "$(cat log)" "from its external RA alone"
at_ra

# --- approvals at the CA --------------------------------------------------------------------

at_ca
"$SCEP" alias set fleet approval.required 1 >.out 2>&1 || diag "$(cat .out)"
touch -d '5 seconds ago' ca/aliases/fleet.ini
at_ra
is "people have to say yes" "$(enrol slow "$SECRET" fleet)" PENDING
ok "a pull asks them" pull
like "and says so" "$(cat pull.out)" "1 wait"
is "it waits on" "$(poll slow fleet)" PENDING
at_ca
ok "yes" "$SCEP" request approve "$("$SCEP" request list --json |
	sed -n 's/.*"request":"\([0-9a-f]*\)".*/\1/p')"
at_ra
is "it waits for the next pull" "$(poll slow fleet)" PENDING
ok "which has it" pull
is "the poll fetches it" "$(poll slow fleet)" SUCCESS
at_ca
"$SCEP" alias set fleet approval.required 0 >.out 2>&1
touch -d '5 seconds ago' ca/aliases/fleet.ini
at_ra

# --- GetCert and GetCRL -----------------------------------------------------------------------

# NAME TYPE ALIAS: about one.pem
about() {
	builder wanted --cert one.pem --out wanted
	builder pkcsreq --ca ra.pem --key "$1.key" --type "$2" --csr wanted \
		--txid about --cert-out "$1.crt" --out "$1.der" 2>>log
	transmit "$1" "$3"
}
is "GetCert" "$(about one 21 fleet)" SUCCESS
ok "the certificate" cmp one-0.pem one.pem
is "of a stranger" "$(about two 21 fleet)" "failinfo 4"
is "GetCRL" "$(about one 22 fleet)" SUCCESS
unlike "nothing revoked" "$(openssl crl -in one-crl.pem -noout -text)" \
	"$(serial one.pem)"
at_ca
"$SCEP" cert revoke "$(serial one.pem)" --yes >.out 2>&1
at_ra
ok "the next pull" pull
is "GetCRL" "$(about one 22 fleet)" SUCCESS
like "has the revoked one" "$(openssl crl -in one-crl.pem -noout -text)" \
	"$(serial one.pem)"
is "signed by the CA" "$(openssl crl -in one-crl.pem -noout -CAfile ca.pem 2>&1)" \
	"verify OK"
request GET "/crl/Lab.crl"
is "by HTTP too" "$STATUS $(header Content-Type)" "200 application/pkix-crl"
is "a revoked one is no answer any more" "$(enrol one "$SECRET" fleet)" PENDING
ok "the CA decides" pull

# --- renewal ------------------------------------------------------------------------------------

for home in ra ca; do
	printf '[renewal]\nwindow = 0%%\n' >>$home/aliases/fleet.ini
	touch -d '5 seconds ago' $home/aliases/fleet.ini
done
cp srx-0.pem srx.old
client_key new
renew() { # OLD KEY
	builder pkcsreq --ca ra.pem --key new.key --type 17 --subject "$2" \
		--signer-cert "$1.old" --signer-key "$1.key" --txid id-new \
		--cert-out new.crt --csr-out new.csr --out new.der 2>>log
	cp "$1.old" new.crt
	cp new.key keep.key && cp "$1.key" new.key
	transmit new fleet
	cp keep.key new.key
}
is "a renewal waits" "$(renew srx /O=Lab/CN=srx)" PENDING
ok "the CA takes it" pull
like "and issues" "$(cat pull.out)" "issued .*CN=srx"
is "the same message gets it" "$(cp srx.key new.key; transmit new fleet)" SUCCESS
is "of the new key" "$(openssl x509 -in new-0.pem -noout -pubkey)" \
	"$(openssl pkey -in keep.key -pubout)"
cp one.pem one.old
is "a revoked one renews nothing" "$(renew one /CN=one)" "failinfo 1"

# --- GetNextCACert --------------------------------------------------------------------------------

next() {
	request GET "/scepraserver/scep/fleet/pkiclient.exe?operation=GetNextCACert"
}
next
is "no next one" "$STATUS" 404
at_ca
quietly "$SCEP" ca rollover Lab --days 3650
at_ra
ok "a pull brings it" pull
next
is "GetNextCACert" "$STATUS $(header Content-Type)" \
	"200 application/x-x509-next-ca-cert"
ok "signed by the CA" openssl cms -verify -inform DER -in body -certfile \
	ca.pem -noverify -nointern -out next.der
is "the next one of the CA's host" "$(openssl pkcs7 -inform DER -in next.der \
	-print_certs | openssl x509 -noout -serial)" \
	"$(openssl x509 -in ca/ca/Lab/2/cert.pem -noout -serial)"
request GET "/scepraserver/scep/fleet/pkiclient.exe?operation=GetCACaps"
like "GetCACaps says so" "$(cat body)" "^GetNextCACert$"
ok "it is a generation here" test -e ra/ca/Lab/2/cert.pem
not_ok "without a key" test -e ra/ca/Lab/2/key.pem
ok "another pull brings nothing new" pull
not_ok "and no third" test -e ra/ca/Lab/3

# --- strongSwan polls -------------------------------------------------------------------------------

if command -v pki >/dev/null; then
	lighttpd_start 2
	client_key gw
	timeout 60 pki --scep --url "$URL/scepraserver/scep/fleet/pkiclient.exe" \
		--in gw.key --dn "O=Lab, CN=gw" --cacert-enc ra.pem \
		--cacert-sig ra.pem --cacert ca.pem --interval 1 --maxpolltime 50 --outform pem \
		--password "$SECRET" >gw.pem 2>gw.err &
	waits=$!
	ok "strongSwan waits" wait_for grep -q "request pending" gw.err ||
		diag "$(cat gw.err)"
	polled() { grep -q "GetCertInitial.*result=pending\|CertPoll.*result=pending" log lighttpd.log; }
	ok "and polls" wait_for polled
	ok "the CA takes it" pull
	ok "strongSwan has its certificate" wait "$waits" || diag "$(cat gw.err)"
	is "which is good" "$(openssl verify -CAfile ca.pem gw.pem)" "gw.pem: OK"
	stop_servers
else
	skip "strongSwan" "pki is missing"
fi

# --- both homes are whole -----------------------------------------------------------------------------

at_ca
ok "scep check of the CA's home" "$SCEP" check
at_ra
ok "a last look" "$SCEP" queue list --json
done_testing
