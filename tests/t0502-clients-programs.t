#!/bin/sh
# sscep, jSCEP, AutoSscep, OpenSCEP and cryptlib, imitated, each with its
# whole session (CLIENTS.md; C-9, C-10, C-13, C-35, C-65, C-68, C-69, C-86,
# C-118, C-132, C-138, C-142 to C-146).
# shellcheck disable=SC1091,SC2034 # lib.sh and clients.sh use them
. "${0%/*}/lib.sh"
. "$TOP/tests/clients.sh"

clients_home

# --- sscep: message=CAIdentifier, MD5 of the key as ID, and one ID for every
# GetCert and GetCRL; its entity's DN is a CN alone, or longer

AS=sscep
code=$(add_entity short --ca ManagementCA --subject CN=short)
session sscep /scep CAIdentifier ca.pem
capable
trusts
enrols short "$code"
is "sscep: a DN of one CN" "$(subject short)" "subject=CN=short"
is "sscep: its ID is the MD5 of its key" "$(reply short txid)" \
	"$(openssl pkey -in short.key -pubout -outform DER |
		openssl md5 -r | cut -c1-32 | tr '[:lower:]' '[:upper:]')"
is "sscep: SHA-512, the strongest that is listed, comes back" \
	"$(reply short digest)" SHA512
polls short
code=$(add_entity long --ca ManagementCA \
	--subject "CN=long,OU=Test,O=Example Ltd,L=Lund,C=SE")
enrols long "$code" --subject "/C=SE/L=Lund/O=Example Ltd/OU=Test/CN=long"
is "sscep: a longer DN, as it is registered" "$(subject long)" \
	"subject=C=SE,L=Lund,O=Example Ltd,OU=Test,CN=long"
fetches_cert long --txid "SSCEP transactionId"
fetches_cert long --txid "SSCEP transactionId"
fetches_crl long --txid "SSCEP transactionId"
before=$(openssl crl -in long-crl.pem -noout -crlnumber)
"$SCEP" cert revoke "$(serial short.pem)" --yes >>log
fetches_crl long --txid "SSCEP transactionId"
not_ok "sscep: the same ID gets a newer CRL" \
	test "$(openssl crl -in long-crl.pem -noout -crlnumber)" = "$before"
like "sscep: which has what was revoked" \
	"$(openssl crl -in long-crl.pem -noout -text)" "$(serial short.pem)"
VIA=trailing
ok "sscep: by GET, where it believes it must" submit long

# --- jSCEP: GET with + and / raw, BER, a counter for an ID that begins anew

AS=jscep VIA=raw
code=$(add_entity jscep --ca ManagementCA)
session jSCEP /scep "" ca.pem 'user-agent = "Java/17.0.9"'
capable
trusts
enrols jscep "$code" --txid 0 --subject "/C=SE/O=Lab/CN=jscep"
like "jSCEP: its request has a raw + or /" \
	"$(builder get --in jscep.der --style raw)" "[+/]"
polls jscep
for start in first second; do
	fetches_crl jscep --txid 1
	fetches_cert jscep --txid 2
done
fresh=$(reply jscep sender_nonce_hex)
fetches_cert jscep --txid 3
not_ok "jSCEP: a nonce of ours that it has not seen" \
	test "$(reply jscep sender_nonce_hex)" = "$fresh"

# --- AutoSscep: finds its CA by CADN, its certificate by the exact order of
# its DN; it does not poll but comes again

AS=autosscep VIA=trailing
dn=/C=SE/ST=Skane/O=Lab/OU=Auto/CN=autosscep/emailAddress=admin@lab.example
code=$(add_entity autosscep --ca Devices --count 2)
session AutoSscep /scep/pkiclient.exe Devices devices.pem http1.0
capable
trusts
is "AutoSscep: CADN" "$(openssl x509 -inform DER -in body -noout -subject \
	-nameopt RFC2253)" "subject=O=Lab,CN=Devices"
enrols autosscep "$code" --subject "$dn"
is "AutoSscep: CADN is the issuer" \
	"$(openssl x509 -in autosscep.pem -noout -issuer -nameopt RFC2253)" \
	"issuer=O=Lab,CN=Devices"
exact() { openssl x509 -in "$1" -noout -subject -nameopt compat; }
is "AutoSscep: the order of its DN" "$(exact autosscep.pem)" "subject=$dn"
cp autosscep.pem before.pem
message autosscep --challenge "$code" --subject "$dn"
not_ok "AutoSscep: a fresh run is another message" \
	cmp autosscep.der autosscep.first
ok "AutoSscep: of the same key, so of the same ID" submit autosscep
ok "AutoSscep: gets the certificate that was waiting" \
	cmp autosscep-0.pem before.pem
code=$(add_entity auto2 --ca Devices --subject \
	"C=SE,ST=Skane,O=Lab,OU=Auto,CN=auto2,emailAddress=admin@lab.example")
dn=/C=SE/ST=Skane/O=Lab/OU=Auto/CN=auto2/emailAddress=admin@lab.example
enrols auto2 "$code" --subject "$dn"
is "AutoSscep: the order of a registered DN" "$(exact auto2.pem)" "subject=$dn"

# --- OpenSCEP: MD5 and single DES by GET (a recorded request: t0227-legacy.t)

AS=openscep VIA=standard LEGACY=--legacy
code=$(add_entity openscep --ca ManagementCA)
session OpenSCEP /scep/old/pkiclient.exe ManagementCA ca.pem http1.0
capable
trusts
enrols openscep "$code" --subject "/C=SE/O=Lab/CN=openscep"
is "OpenSCEP: answered as it asked" \
	"$(reply openscep digest) $(reply openscep cipher)" "MD5 DES-CBC"
polls openscep
BASE=$URL/scep
submit openscep
is "OpenSCEP: badAlg where legacy is off" "$(reply openscep failinfo)" 0
LEGACY=''

# --- cryptlib: an attribute of its own, a free-form ID, keyEncipherment on
# the CA's certificate

AS=cryptlib VIA=post
code=$(add_entity cryptlib --ca ManagementCA)
session cryptlib /scep "" ca.pem
capable
trusts
like "cryptlib: the CA may encipher keys and sign" \
	"$(openssl x509 -inform DER -in body -noout -ext keyUsage)" \
	"Digital Signature, Key Encipherment"
enrols cryptlib "$code" --txid 7XXEY-ERLPU-2JDR9
is "cryptlib: its ID" "$(reply cryptlib txid)" 7XXEY-ERLPU-2JDR9
ok "cryptlib: its randomNonce was in the request" sh -c \
	'openssl asn1parse -inform DER -in cryptlib.der |
		grep -q 1.2.840.113549.1.9.25.3'

done_testing
