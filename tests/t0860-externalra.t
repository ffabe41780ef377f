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
	"ca ra create Lab --split" "ca ra renew Lab" "ca export Lab --pkcs12 x.p12 --password p"; do
	# shellcheck disable=SC2086 # words
	not_ok "$words: cannot" "$SCEP" $words
	like "$words: and says why" "$(cat .out)" "$elsewhere|no RA certificate"
done

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

done_testing
