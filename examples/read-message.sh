#!/bin/sh
# Reads a SCEP message by hand, step by step, with the openssl command alone:
# what a client has sent or what the server has answered.  For the days when
# a device says no more than "enrolment failed".
#
#	read-message.sh MESSAGE                  the outside: attributes, signer
#	read-message.sh MESSAGE CERT KEY         and what is in the envelope
#
# MESSAGE is the body of a POST or of an answer (DER).  CERT and KEY are of
# whom the envelope is for, in PEM: the CA's, or its RA's, for a request; for
# an answer the client's own, the certificate that signed its request.
#
# A message is recorded with, for example,
#	curl --data-binary @request.der -o answer.der \
#	    'http://ca.example/scep?operation=PKIOperation'
set -eu

[ $# -eq 1 ] || [ $# -eq 3 ] || {
	echo "usage: ${0##*/} MESSAGE [CERT KEY]" >&2
	exit 2
}
message=$1
[ -r "$message" ] || {
	echo "${0##*/}: cannot read $message" >&2
	exit 1
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# What stands in the signed attributes; 2.16.840.1.113733.1.9.2 and so on.
echo "== attributes"
openssl cms -cmsout -print -inform DER -in "$message" 2>/dev/null |
	awk '
	/object:/ { name = $0 }
	name ~ /1\.9\.2\)/ && /STRING:/ { say("messageType") }
	name ~ /1\.9\.3\)/ && /STRING:/ { say("pkiStatus") }
	name ~ /1\.9\.4\)/ && /STRING:/ { say("failInfo") }
	name ~ /1\.9\.7\)/ && /STRING:/ { say("transactionID") }
	function say(what) { sub(/.*STRING:/, ""); print what ": " $0 }'

# The signature, by the certificate that is in the message; whose it is has
# to be compared by eye.  A FAILURE carries no content.
echo "== signer"
openssl cms -verify -inform DER -in "$message" -noverify -binary \
	-certsout "$folder/signer.pem" -out "$folder/envelope.der" 2>&1 |
	sed 's/^CMS //'
[ ! -s "$folder/signer.pem" ] || openssl x509 -in "$folder/signer.pem" \
	-noout -subject -issuer -serial -nameopt RFC2253

[ $# -eq 3 ] || exit 0
echo "== content"
if [ ! -s "$folder/envelope.der" ]; then
	echo "none"
	exit 0
fi
openssl cms -decrypt -inform DER -in "$folder/envelope.der" -recip "$2" \
	-inkey "$3" -binary -out "$folder/content.der"
# A request is inside a PKCSReq; certificates or a CRL inside an answer.
openssl req -inform DER -in "$folder/content.der" -verify -noout -subject \
	-nameopt RFC2253 2>/dev/null ||
	openssl pkcs7 -inform DER -in "$folder/content.der" -print_certs
