#!/bin/sh
# RA certificates (C-33, C-34, C-83, C-151 to C-153): an EC CA with an RSA one,
# single and split, made, imported, renewed by hand and by themselves.
# shellcheck disable=SC1091,SC2016,SC2034,SC2154 # lib.sh uses them
. "${0%/*}/lib.sh"

# NAME CODE ENCRYPT-TO SIGNED-BY OPTIONS...: enrols, the reply in NAME.rep.
enrol() {
	_n=$1 _c=$2 _to=$3 _by=$4
	shift 4
	[ -e "$_n.key" ] || cp device.key "$_n.key"
	builder pkcsreq --ca "$_to" --key "$_n.key" --challenge "$_c" \
		--txid "id-$_n" --subject "/CN=$_n" --cert-out "$_n.crt" \
		--out "$_n.der" "$@" || return 1
	request POST "/scep/${ALIAS:-scep}?operation=PKIOperation" "$_n.der"
	[ "$STATUS" = 200 ] || return 1
	builder certrep --ca "$_by" --key "$_n.key" --cert "$_n.crt" \
		--in body --out-prefix "$_n-" >"$_n.rep" 2>>log
}

# The certificates of GetCACert as got-1.pem and on; prints how many.
get_certs() { # ALIAS [OPERATION]
	rm -f got-*.pem
	request GET "/scep/$1?operation=${2:-GetCACert}"
	openssl pkcs7 -inform DER -in body -print_certs 2>/dev/null |
		awk '/BEGIN/ { n++ } /BEGIN/,/END/ { print >"got-" n ".pem" }
			END { print n + 0 }'
}

usage_of() { openssl x509 -in "$1" -noout -ext keyUsage | sed -n '2s/^ *//p'; }
subject_of() { openssl x509 -in "$1" -noout -subject | sed 's/^subject=//'; }

client_key device
"$SCEP" init >.out 2>&1

# --- an EC CA gets an RSA RA certificate by itself ----------------------------

ok "ca create makes an EC CA" "$SCEP" ca create "EC CA" \
	--subject "CN=EC CA,O=Lab,C=SE" --key ec:P-256
"$SCEP" alias add scep --ca "EC CA" >/dev/null
"$SCEP" ca export "EC CA" --out ca.pem
ra=home/ca/EC%20CA/ra
ok "with an RA certificate" openssl verify -x509_strict -CAfile ca.pem \
	$ra/1/cert.pem
is "for both uses" "$(usage_of $ra/1/cert.pem)" \
	"Digital Signature, Key Encipherment"
is "the CA itself cannot be encrypted to" "$(usage_of ca.pem)" \
	"Digital Signature, Certificate Sign, CRL Sign"
is "its key is not for others" "$(stat -c %a $ra/1/key.pem)" 400
is "named after the CA" "$(subject_of $ra/1/cert.pem)" \
	"CN = EC CA RA, O = Lab, C = SE"
is "GetCACert has both" "$(get_certs scep)" 2
is "as a SignedData" "$(header Content-Type)" application/x-x509-ca-ra-cert
is "the RA certificate first" "$(subject_of got-1.pem)" \
	"CN = EC CA RA, O = Lab, C = SE"
is "the CA behind" "$(cat got-2.pem)" "$(cat ca.pem)"
cp got-1.pem ra1.pem

code=$(add_entity one --count 3)
ok "a device enrols through it" enrol one "$code" ra1.pem ra1.pem
is "with success" "$(reply one status)" 0
ok "its certificate is the CA's" openssl verify -x509_strict -CAfile ca.pem \
	one-0.pem
"$SCEP" alias set scep includeca yes
code=$(add_entity two)
ok "includeca" enrol two "$code" ra1.pem ra1.pem
is "has the CA behind the leaf" "$(cat two-1.pem)" "$(cat ca.pem)"
code=$(add_entity wrong)
ok "a refusal too is the RA's" enrol wrong "no$code" ra1.pem ra1.pem
is "and is one" "$(reply wrong status)" 2
client_key x
openssl req -x509 -key x.key -out x.pem -days 9 \
	-subj "/CN=stranger" 2>/dev/null
ok "an unknown recipient is refused by the RA" enrol one "$code" x.pem ra1.pem
is "as badRequest" "$(reply one failinfo)" 2
like "ca list shows that there is one" "$("$SCEP" ca list)" "EC 256, RA .*CN=EC"
like "and ca show" "$("$SCEP" ca show "EC CA")" "^RA: *generation 1, one"
like "ca ra show" "$("$SCEP" ca ra show "EC CA")" "Renewal: *by itself"
exits 1 "a second ra create" "$SCEP" ca ra create "EC CA"

# --- split ---------------------------------------------------------------------

ok "ra renew --split" "$SCEP" ca ra renew "EC CA" --split
is "GetCACert has three" "$(get_certs scep)" 3
is "encryption first" "$(usage_of got-1.pem)" "Key Encipherment"
is "signatures behind" "$(usage_of got-2.pem)" "Digital Signature"
cp got-1.pem enc.pem
cp got-2.pem sign.pem
code=$(add_entity split)
ok "a device enrols" enrol split "$code" enc.pem sign.pem
code=$(add_entity old)
ok "who holds the old one still can, and is answered by it" \
	enrol old "$code" ra1.pem ra1.pem
code=$(add_entity both)
ok "the signing certificate is no recipient" enrol both "$code" \
	sign.pem sign.pem
is "it opens nothing" "$(reply both status)" 2

chmod 644 $ra/2/sign-key.pem
exits 1 "check sees a key that others can read" "$SCEP" check
like "and which" "$(cat .out)" "ra/2/sign-key.pem: the key's mode"
mkdir $ra/.new-0123
ok "check --repair" "$SCEP" check --repair
is "mends it" "$(stat -c %a $ra/2/sign-key.pem)" 400
like "and names litter" "$(cat .out)" "^warning.*ra/.new-0123"
rmdir $ra/.new-0123

# --- a broken one does not stop the CA ----------------------------------------

mv $ra/2/sign-key.pem good.pem
echo junk >$ra/2/sign-key.pem
chmod 400 $ra/2/sign-key.pem
: >log
is "the RA before it is served" "$(get_certs scep)" 2
is "which is" "$(cat got-1.pem)" "$(cat ra1.pem)"
is "one line in the log" "$(grep -c "ra/2/sign-key.pem" log)" 1
request GET "/crl/EC CA.crl"
is "CRLs go on" "$STATUS" 200
ok "as does the command line" "$SCEP" crl issue "EC CA"
exits 1 "check finds it" "$SCEP" check
like "and says so" "$(cat .out)" "an RA certificate cannot be loaded"
mv -f good.pem $ra/2/sign-key.pem
ok "mended" "$SCEP" check

# --- a worker that has loaded the old one ------------------------------------

DOOR=fcgi
is "a worker serves it" "$(get_certs scep)" 3
ok "ra renew --single beside it" "$SCEP" ca ra renew "EC CA" --single
is "the next answer has the new one" "$(get_certs scep)" 2
is "which is the newest" "$(cat got-1.pem)" "$(cat $ra/3/cert.pem)"
DOOR=cgi

# --- imported: EJBCA's scepraserver.p12 ------------------------------------------

"$SCEP" ca create Root --subject "CN=Root" --key rsa:2048 >/dev/null
"$SCEP" alias add root --ca Root >/dev/null
ca_key=home/ca/Root/1/key.pem
ca_cert=home/ca/Root/1/cert.pem
cat >ext <<EOF
[ra]
keyUsage=critical,digitalSignature,keyEncipherment
[enc]
keyUsage=critical,keyEncipherment
[sign]
keyUsage=critical,digitalSignature
[bad]
keyUsage=critical,digitalSignature
[ca]
basicConstraints=critical,CA:TRUE
[sub]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign,digitalSignature,keyEncipherment
EOF
issue() { # CN SECTION FILE
	openssl req -new -key device.key -subj "/CN=$1" -out csr 2>/dev/null
	openssl x509 -req -in csr -CA $ca_cert -CAkey $ca_key -days 20 \
		-set_serial "0x$(openssl rand -hex 8)" -extfile ext \
		-extensions "$2" -out "$3" 2>/dev/null
}
issue scepraserver ra ejbca.pem
openssl pkcs12 -export -inkey device.key -in ejbca.pem -certfile $ca_cert \
	-passout pass:foo123 -out scepraserver.p12
not_ok "a wrong passphrase" "$SCEP" ca ra import Root scepraserver.p12 \
	--passphrase bar
ok "scepraserver.p12 comes in" "$SCEP" ca ra import Root scepraserver.p12 \
	--passphrase foo123
unlike "no warning about it" "$(cat .out)" lacks
is "GetCACert: RA and CA" "$(get_certs root)" 2
is "the RA first" "$(cat got-1.pem)" "$(cat ejbca.pem)"
exits 2 "status tells that it ends" "$SCEP" status
like "and that it is not renewed by itself" "$(cat .out)" \
	"ra of ca Root: CRITICAL, (19|20) days left, and it is not renewed"
like "it is not renewed by itself" "$("$SCEP" ca ra show Root)" \
	"Renewal: *by hand"
code=$(add_entity imp --ca Root)
ALIAS=root
ok "a device enrols through it" enrol imp "$code" ejbca.pem ejbca.pem
issue enc enc enc.pem
issue sign sign sign.pem
for part in enc sign; do
	openssl pkcs12 -export -inkey device.key -in $part.pem \
		-passout pass:foo123 -out $part.p12
done
ok "two certificates come in" "$SCEP" ca ra import Root enc.p12 \
	--sign sign.p12 --passphrase foo123
is "GetCACert: both and the CA" "$(get_certs root)" 3
code=$(add_entity imp2 --ca Root)
ok "a device enrols" enrol imp2 "$code" enc.pem sign.pem
code=$(add_entity direct --ca Root)
ok "and to the CA itself, whose key is RSA" enrol direct "$code" \
	"$ca_cert" "$ca_cert"
ALIAS=scep
not_ok "an RA of another CA is refused" "$SCEP" ca ra import "EC CA" \
	scepraserver.p12 --passphrase foo123
like "and why" "$(cat .out)" "has not issued"
issue sub ca sub.pem
not_ok "a CA is no RA" "$SCEP" ca ra import Root --cert sub.pem \
	--key device.key
issue bad bad bad.pem
ok "one that lacks a usage comes in" "$SCEP" ca ra import Root \
	--cert bad.pem --key device.key
like "with a warning that names clients and cure (C-35)" "$(cat .out)" \
	"lacks keyEncipherment: jscep.*ca ra create"
: >log
get_certs root >/dev/null
like "the log says it when it is served" "$(cat log)" \
	"level=warn .*CA Root: the RA certificate lacks keyEncipherment"
"$SCEP" alias set root strictkeyusage yes
get_certs root >/dev/null
is "strictkeyusage refuses" "$STATUS" 503
like "and says so" "$(cat log)" "strictkeyusage = yes says"
code=$(add_entity strict --ca Root)
ALIAS=root
not_ok "requests too" enrol strict "$code" bad.pem bad.pem
is "with 503" "$STATUS" 503
ALIAS=scep
ok "ra renew is the cure" "$SCEP" ca ra renew Root
is "now it is served" "$(get_certs root)" 2
done_testing
