#!/bin/sh
# GetCACaps (C-19 to C-30) and GetCACert (C-31 to C-38), their types (C-14).
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

make_home

caps() { # ALIAS
	request GET "/scep/$1?operation=GetCACaps"
	cat body
}

for DOOR in cgi fcgi; do
	printf '%s\n' POSTPKIOperation Renewal SHA-1 SHA-256 SHA-384 \
		SHA-512 DES3 AES SCEPStandard | head -c -1 >wanted
	request GET "/scep?operation=GetCACaps"
	ok "$DOOR: the shipped alias's list, byte for byte" cmp body wanted
	is "$DOOR: text/plain without parameters" "$(header Content-Type)" \
		text/plain
	is "$DOOR: no empty line" "$(grep -c '^$' body)" 0
done
DOOR=cgi

"$SCEP" alias copy scep no
"$SCEP" alias set no sha1 no
unlike "sha1 = no takes SHA-1 away" "$(caps no)" '^SHA-1$'
like "and nothing else" "$(caps no)" '^DES3$'
"$SCEP" alias set no des3 no
unlike "des3 = no takes DES3 away" "$(caps no)" '^DES3$'
is "what is left" "$(caps no | tr '\n' ' ')" \
	"POSTPKIOperation Renewal SHA-256 SHA-384 SHA-512 AES SCEPStandard"
like "at most 1024 bytes" "$(caps scep | wc -c)" '^[0-9]{1,3}$'
unlike "GetNextCACert is not promised" "$(caps scep)" '^GetNextCACert$'
"$SCEP" alias set no clientcertificaterenewal no
unlike "nor Renewal, where it is off (C-25)" "$(caps no)" '^Renewal$'

# A root alone: one certificate, no byte behind it (C-31).
request GET "/scep?operation=GetCACert"
is "type of a root" "$(header Content-Type)" application/x-x509-ca-cert
is "one certificate and nothing else" \
	"$(openssl asn1parse -inform DER -in body | sed -n \
		's/^ *0:d=0 *hl=\([0-9]*\) *l= *\([0-9]*\).*/\1 \2/p' |
		awk '{ print $1 + $2 }')" "$(wc -c <body)"
openssl x509 -inform DER -in body -out got.pem
is "it is the CA" "$(cat got.pem)" "$(cat ca.pem)"
like "key usage (C-35)" "$(openssl x509 -in ca.pem -noout -ext keyUsage)" \
	"Digital Signature, Key Encipherment, Certificate Sign, CRL Sign"
for kind in sha256 sha1 md5; do
	like "ca show has its $kind fingerprint (C-38)" \
		"$("$SCEP" ca show ManagementCA)" \
		"$(openssl x509 -in ca.pem -noout -fingerprint -$kind |
			cut -d= -f2)"
done

# Whatever message= says, an answer comes (C-13).
"$SCEP" ca create "Big CA" --subject "CN=Big" --key rsa:2048 >/dev/null
"$SCEP" ca export "Big CA" --out big.pem
"$SCEP" alias set scep cas "ManagementCA, Big CA"
"$SCEP" alias set scep identifiers.MobileIronSCEP "Big CA"
answers() { # MESSAGE CERTIFICATE
	request GET "/scep?operation=GetCACert&message=$1"
	is "message=$1" "$(openssl x509 -inform DER -in body 2>&1)" \
		"$(cat "$2")"
}
for ident in "" CAIdentifier default ca 0 1 SCEP%20Authority ManagementCA \
	EnrollmentCAInstance DummyCAIdentity "%00" \
	"$(head -c 3000 /dev/zero | tr '\0' x)"; do
	answers "$ident" ca.pem
done
answers Big%20CA big.pem
answers MobileIronSCEP big.pem
answers mobileironscep big.pem
"$SCEP" alias set scep defaultca "Big CA"
answers "" big.pem
answers ManagementCA ca.pem

# A CA under another: its chain comes with it, in a SignedData (C-32).
cat >ext <<EOF
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign,digitalSignature,keyEncipherment
subjectKeyIdentifier=hash
EOF
client_key sub
openssl req -new -key sub.key -subj /CN=Sub \
	-out sub.csr 2>/dev/null
openssl x509 -req -in sub.csr -CA big.pem -CAkey "home/ca/Big%20CA/1/key.pem" \
	-CAcreateserial -days 30 -extfile ext -out sub.pem 2>/dev/null
ok "a sub-CA comes in with its chain" "$SCEP" ca import Sub --cert sub.pem \
	--key sub.key --chain big.pem
"$SCEP" alias add sub --ca Sub >/dev/null
request GET "/scep/sub?operation=GetCACert"
is "type of a chain" "$(header Content-Type)" application/x-x509-ca-ra-cert
openssl pkcs7 -inform DER -in body -print_certs -out chain.pem
is "the CA and its issuer, no duplicate" \
	"$(grep -c BEGIN chain.pem)" 2
is "the issuing CA first" "$(openssl x509 -in chain.pem -noout -subject)" \
	"subject=CN = Sub"
is "no signer (C-32)" "$(openssl cms -cmsout -print -inform DER -in body |
	grep -A1 'signerInfos:' | tail -n 1 | tr -d ' ')" "<EMPTY>"
done_testing
