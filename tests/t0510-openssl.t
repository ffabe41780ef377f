#!/bin/sh
# The openssl command as a client: EJBCA's three commands for OpenSCEP
# (genrsa; req in DER; req in PEM), an envelope of `openssl cms -encrypt`, and
# answers read by hand, as examples/read-message.sh does it.
# shellcheck disable=SC1091,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

DOOR=fcgi
make_home
reader=$TOP/examples/read-message.sh
code=$(add_entity hand --count 3)

# --- genrsa; req in DER; req in PEM ---------------------------------------------

cat >req.cnf <<EOT
[req]
prompt = no
distinguished_name = dn
attributes = attributes
[dn]
C = SE
O = Lab
CN = hand
[attributes]
challengePassword = $code
EOT
ok "openssl genrsa" openssl genrsa -out key.pem 2048
ok "openssl req, in DER" openssl req -key key.pem -new -config req.cnf \
	-outform DER -out req.der
ok "openssl req, in PEM" openssl req -key key.pem -new -config req.cnf \
	-outform PEM -out req.pem

# CSR OPTIONS...: puts it into a message of key.pem, sends it.
enrol() {
	_csr=$1
	shift
	rm -f hand-*.pem
	builder pkcsreq --ca ca.pem --key key.pem --csr "$_csr" \
		--subject /CN=hand --cert-out hand.crt --out hand.der "$@"
	cp key.pem hand.key
	send hand
	[ "$(reply hand status)" = 0 ]
}
for form in der pem; do
	ok "the $form enrols" enrol req.$form --txid $form
	ok "$form: the certificate verifies" openssl verify -x509_strict \
		-CAfile ca.pem hand-0.pem
	is "$form: with the subject of openssl's request" \
		"$(openssl x509 -in hand-0.pem -noout -subject)" \
		"$(openssl req -inform DER -in req.der -noout -subject)"
	is "$form: and its key" "$(openssl x509 -in hand-0.pem -noout -pubkey)" \
		"$(openssl pkey -in key.pem -pubout)"
	cp hand-0.pem "$form.crt"
done
cp body answer.der
cp hand.der request.der
cp hand.crt signer.crt

# --- openssl cms writes the envelope --------------------------------------------

ok "openssl cms -encrypt" openssl cms -encrypt -binary -aes-128-cbc \
	-outform DER -in req.der -out envelope.der ca.pem
ok "its envelope enrols" enrol req.der --txid cms --envelope envelope.der
ok "the certificate verifies" openssl verify -CAfile ca.pem hand-0.pem
ok "openssl cms -encrypt, streamed: BER, and OAEP" openssl cms -encrypt \
	-binary -stream -aes-256-cbc -outform DER -in req.der \
	-out streamed.der -recip ca.pem -keyopt rsa_padding_mode:oaep
cp hand-0.pem before.pem
enrol req.der --txid cms --envelope streamed.der
ok "and the same transaction gets the same certificate" \
	cmp hand-0.pem before.pem

# --- and reads the answer ---------------------------------------------------------

ok "openssl cms -verify takes the answer" openssl cms -verify -binary \
	-inform DER -in answer.der -CAfile ca.pem -purpose any \
	-out inside.der
ok "openssl cms -decrypt opens it" openssl cms -decrypt -binary \
	-inform DER -in inside.der -recip signer.crt -inkey key.pem -out p7.der
ok "openssl pkcs7 -print_certs" openssl pkcs7 -inform DER -in p7.der \
	-print_certs -out printed.pem
is "prints the certificate" \
	"$(openssl x509 -in printed.pem -noout -fingerprint)" \
	"$(openssl x509 -in pem.crt -noout -fingerprint)"

ok "read-message.sh reads the answer" sh -c \
	"'$reader' answer.der signer.crt key.pem >said"
like "its type" "$(cat said)" "^messageType: 3$"
like "its status" "$(cat said)" "^pkiStatus: 0$"
like "its transactionID" "$(cat said)" "^transactionID: pem$"
like "its signature" "$(cat said)" "^Verification successful$"
like "who signed" "$(cat said)" "^subject=C=SE,O=Lab,CN=Test CA$"
is "and the certificate" "$(openssl x509 -in said -noout -fingerprint)" \
	"$(openssl x509 -in pem.crt -noout -fingerprint)"
ok "without a key it reads the outside" sh -c "'$reader' answer.der >said"
like "the same of it" "$(cat said)" "^transactionID: pem$"
unlike "and no more" "$(cat said)" "BEGIN CERTIFICATE"

# The CA's key opens a request; here it may leave its folder.
"$SCEP" ca export ManagementCA --pkcs12 ca.p12 --password lab >>log 2>&1
openssl pkcs12 -in ca.p12 -passin pass:lab -nodes -nocerts -out ca.key 2>>log
ok "read-message.sh reads a request" sh -c \
	"'$reader' request.der ca.pem ca.key >said"
like "its type" "$(cat said)" "^messageType: 19$"
like "its subject" "$(cat said)" "^subject=CN=hand,O=Lab,C=SE$"

enrol req.der --txid paid-out
is "a fourth certificate is not paid" "$(reply hand failinfo)" 2
ok "read-message.sh reads a refusal" sh -c \
	"'$reader' body hand.crt key.pem >said"
like "its status" "$(cat said)" "^pkiStatus: 2$"
like "its reason" "$(cat said)" "^failInfo: 2$"
like "without content" "$(cat said)" "^none$"
exits 2 "read-message.sh without a message" "$reader"

done_testing
