#!/bin/sh
# What a next generation needs no other day for, so that it runs on every
# build, by both doors: GetNextCACert (C-39, C-41), enrolment ahead (C-128)
# by the CA's key and by its RA's, renew and rename.
# shellcheck disable=SC1091,SC2034,SC2154 # lib.sh uses them
. "${0%/*}/lib.sh"

make_home
"$SCEP" ca create EC --subject CN=EC --key ec:P-256 >.out
"$SCEP" alias add ec --ca EC >.out
builder key device.key
# NAME CERT CA ALIAS: enrols through CERT, whose key must sign the reply.
enrol() {
	_code=$(add_entity "$1" --ca "$3")
	builder pkcsreq --ca "$2" --key device.key --challenge "$_code" \
		--txid "id-$1" --subject "/CN=$1" --cert-out "$1.crt" \
		--out "$1.der" || return 1
	request POST "/scep/$4?operation=PKIOperation" "$1.der"
	builder certrep --ca "$2" --key device.key --cert "$1.crt" --in body \
		--out-prefix "$1-" >"$1.rep" 2>>log
	[ "$(reply "$1" status)" = 0 ]
}
get() { request GET "/scep/$1?operation=$2"; }
begins() { openssl x509 -in "$1" -noout -startdate; }
next=home/ca/ManagementCA/2/cert.pem
ra=home/ca/EC/ra/2/cert.pem

for DOOR in cgi fcgi; do
	get scep GetNextCACert
	is "$DOOR: before there is a next, 404 (C-41)" "$STATUS" 404
done
ok "rollover" "$SCEP" ca rollover ManagementCA --start 30d
ok "with an RA" "$SCEP" ca rollover EC --start 30d --days 300
for DOOR in fcgi cgi; do
	get scep GetCACaps
	like "$DOOR: the capability" "$(cat body)" "^GetNextCACert$"
	get scep GetNextCACert
	ok "$DOOR: by the current CA (C-39)" openssl cms -verify -binary \
		-inform DER -in body -nointern -certfile ca.pem -CAfile ca.pem \
		-purpose any -out inner.p7
	is "$DOOR: the next one" \
		"$(openssl pkcs7 -inform DER -in inner.p7 -print_certs |
			openssl x509)" "$(cat $next)"
	ok "$DOOR: enrolment ahead (C-128)" \
		enrol "$DOOR-ca" $next ManagementCA scep
	is "$DOOR: of what begins then" "$(begins "$DOOR-ca-0.pem")" \
		"$(begins $next)"
	ok "$DOOR: by the next RA" enrol "$DOOR-ra" $ra EC ec
	is "$DOOR: the same" "$(begins "$DOOR-ra-0.pem")" "$(begins $ra)"
done
ok "rename" "$SCEP" ca rename ManagementCA "Main CA"
for DOOR in fcgi cgi; do
	get scep "GetCACert&message=ManagementCA"
	is "$DOOR: the old name" "$(openssl x509 -inform DER -in body)" \
		"$(cat ca.pem)"
	request GET /crl/ManagementCA.crl
	is "$DOOR: its CRL" "$STATUS" 200
	request POST "/scep?operation=PKIOperation" cgi-ca.der
	is "$DOOR: a replay" "$STATUS" 200
done
is "mints nothing" "$("$SCEP" cert list --ca ManagementCA | wc -l)" 2
"$SCEP" ca create Own --subject CN=Own --key rsa:2048 >.out
ok "renew" "$SCEP" ca renew Own --days 4000
is "one key" "$("$SCEP" ca show Own --json |
	sed -n 's/.*"key_of":\([0-9]*\).*/\1/p')" 1
"$SCEP" ca request Own --next --out one.csr
"$SCEP" ca request Own --next --out two.csr
exits 1 "no rollover while its own request waits" "$SCEP" ca rollover Own
like "but what brings the answer" "$(cat .out)" "scep ca install Own CERT"
is "a request for the next is written again" "$(cat one.csr)" "$(cat two.csr)"
done_testing
