#!/bin/sh
# Phones, Windows and MikroTik's routers, imitated, each with its whole
# session (CLIENTS.md; C-2, C-11, C-13, C-23, C-24, C-41, C-59, C-74, C-76,
# C-84, C-85, C-108, C-149).
# shellcheck disable=SC1091,SC2034 # lib.sh and clients.sh use them
. "${0%/*}/lib.sh"
. "$TOP/tests/clients.sh"

clients_home

# --- MobileIron: asks for a CA of its own name, in two spellings

AS=apple
for ident in MobileIronSCEP MobilIronSCEP; do
	"$SCEP" alias set scep "identifiers.$ident" Devices >>log
	code=$(add_entity "$ident" --ca Devices)
	session MobileIron /scep "$ident" devices.pem
	capable
	trusts
	enrols "$ident" "$code"
	polls "$ident"
	"$SCEP" alias unset scep "identifiers.$ident" >>log
	CA=ca.pem
	trusts
done

# --- Windows, by Intune or as NDES client: OAEP with an empty SEQUENCE, a
# critical AKI, 7 KiB with its attestation

AS=windows
code=$(add_entity WIN10 --ca ManagementCA --san request)
session Windows /certsrv/mscep/mscep.dll/pkiclient.exe default ca.pem \
	'user-agent = "Mozilla/4.0 (compatible; Win32; NDES client)"'
capable
trusts
# What stands beside challenge and extensions: the version of the system, the
# client's programs, and the attestation, of 5000 bytes.
attest=$(od -An -v -tx1 -N4996 /dev/urandom | tr -d ' \n')
ms=1.3.6.1.4.1.311.13.2.3=160c31302e302e31393034352e32
ms=$ms,1.3.6.1.4.1.311.21.20=3009020105130457494e31
ms=$ms,1.3.6.1.4.1.311.21.24=04821384$attest
enrols WIN10 "$code" --attributes "$ms" --san dns:win10.lab.example
like "Windows: its request has over 7 KiB in base64" \
	"$(builder get --in WIN10.der | wc -c)" "^([7-9]|1[0-9])[0-9]{3}$"
like "Windows: its certificate's AKI is critical" \
	"$(openssl x509 -in WIN10.crt -noout -text)" \
	"Authority Key Identifier: critical"
is "Windows: OAEP, AES-128 and SHA-1 come back" \
	"$(reply WIN10 transport) $(reply WIN10 cipher) $(reply WIN10 digest)" \
	"RSAES-OAEP AES-128-CBC SHA1"
like "Windows: its ID has 40 lower digits" "$(reply WIN10 txid)" \
	'^[0-9a-f]{40}$'
like "Windows: the SAN" "$(san WIN10)" DNS:win10.lab.example
polls WIN10
VIA=standard
ok "Windows: 7 KiB by GET too" submit WIN10

# --- Apple: GetCACert before GetCACaps; BER, CSR version 2, a nonce of 8
# bytes, a signer of its own name; includeca, and the leaf is first all the same

AS=apple VIA=post
"$SCEP" alias set scep includeca yes >>log
code=$(add_entity iphone --ca ManagementCA --san request)
session Apple /scep EnrollmentCAInstance ca.pem \
	'user-agent = "mdmclient/1.0"'
trusts
capable
enrols iphone "$code" --san email:user@lab.example \
	--subject "/C=SE/O=Lab/CN=iphone"
is "Apple: the CSR has version 2" \
	"$(openssl asn1parse -inform DER -in iphone.csr |
		sed -n 's/.*INTEGER *:\(..\)$/\1/p' | head -n 1)" 02
is "Apple: its nonce of 8 bytes came back" "$(said iphone nonce |
	wc -c) $(reply iphone recipient_nonce_ok)" "17 yes"
is "Apple: ours has 16" "$(reply iphone sender_nonce)" 16
is "Apple: it signs with another name, serial 1" \
	"$(openssl x509 -in iphone.crt -noout -subject) $(serial iphone.crt)" \
	"subject=CN = MDM SCEP SIGNER, C = US 01"
is "Apple: its ID" "$(reply iphone txid)" \
	"$(openssl rsa -in iphone.key -RSAPublicKey_out -outform DER 2>>log |
		openssl sha1 -r | cut -c1-40 | tr '[:lower:]' '[:upper:]')"
is "Apple: two certificates" "$(reply iphone ncerts)" 2
is "Apple: its own, by its key, is the first" \
	"$(openssl x509 -in iphone-0.pem -noout -subject)" \
	"$(openssl x509 -in iphone.pem -noout -subject)"
polls iphone
VIA=macos
ok "Apple: by GET, with + and / as they are" submit iphone
ok "Apple: the same certificate" cmp iphone-0.pem iphone.pem
"$SCEP" alias unset scep includeca >>log

# --- MikroTik: POST, triple DES and SHA-1 as they are listed; a name of its
# own for the CA; asks for the next CA, which is refused without a word

AS=mikrotik VIA=post
code=$(add_entity mikrotik --ca ManagementCA)
session MikroTik /scep DummyCAIdentity ca.pem
capable
unlike "MikroTik: no next CA is promised" "$(cat body)" GetNextCACert
trusts
enrols mikrotik "$code"
is "MikroTik: triple DES and SHA-1 come back" \
	"$(reply mikrotik cipher) $(reply mikrotik digest)" "DES-EDE3-CBC SHA1"
for _n in 1 2; do
	ask GetNextCACert
	is "MikroTik: the next CA is refused" "$STATUS $TYPE" "404 text/plain"
done
polls mikrotik

done_testing
