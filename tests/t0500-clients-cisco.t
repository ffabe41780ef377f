#!/bin/sh
# Cisco's and Juniper's devices, imitated, each with its whole session
# (CLIENTS.md; C-2, C-3, C-10, C-13, C-44, C-74, C-76, C-118, C-120, C-150).
# shellcheck disable=SC1091,SC2034 # lib.sh and clients.sh use them
. "${0%/*}/lib.sh"
. "$TOP/tests/clients.sh"

clients_home

# --- Cisco IOS: HTTP/1.0 GET without Host, /pkiclient.exe, a subject without
# CN that must come back as it is, another one in its own certificate

AS=cisco-ios VIA=trailing
code=$(add_entity FTX1840ALH5 --ca ManagementCA)
session "Cisco IOS" /cgi-bin/pkiclient.exe trustpoint-1 ca.pem http1.0 \
	'user-agent = "Mozilla/4.0 (compatible; MSIE 5.0; Cisco PKI)"' \
	'header = "Host:"'
capable
trusts
enrols ios "$code" --signer-subject /CN=router1.lab.example \
	--subject /serialNumber=FTX1840ALH5+unstructuredName=router1.lab.example
is "Cisco IOS: no attribute of its subject is lost, in their one RDN" \
	"$(openssl x509 -in ios.pem -noout -subject -nameopt RFC2253,sname)" \
	"subject=$(openssl req -inform DER -in ios.csr -noout -subject \
		-nameopt RFC2253,sname | sed 's/^subject=//')"
like "Cisco IOS: which are these" "$(subject ios)" \
	"unstructuredName=router1.lab.example\+serialNumber=FTX1840ALH5"
polls ios

# --- PIX, ASA: BER, a certificate of version 1 with its ID as serial, three
# attributes in one RDN, MD5 and single DES

AS=pix VIA=trailing LEGACY=--legacy
code=$(add_entity fw1.lab.example --ca ManagementCA)
session "PIX" /scep/old/pkiclient.exe ManagementCA ca.pem http1.0 \
	'header = "Host:"'
capable
trusts
enrols fw1 "$code" --subject \
	/serialNumber=805312311+CN=fw1.lab.example+unstructuredName=fw1
like "PIX: its certificate has version 1" \
	"$(openssl x509 -in fw1.crt -noout -text)" "Version: 1 "
is "PIX: its serial is its ID in ASCII" "$(serial fw1.crt)" \
	"$(said fw1 txid | tr -d '\n' | od -An -v -tx1 | tr -d ' \n' |
		tr '[:lower:]' '[:upper:]')"
is "PIX: three attributes in one RDN" "$(subject fw1)" \
	"subject=$(openssl req -inform DER -in fw1.csr -noout -subject \
		-nameopt RFC2253 | sed 's/^subject=//')"
is "PIX: answered by MD5 and single DES, as it asked" \
	"$(reply fw1 digest) $(reply fw1 cipher)" "MD5 DES-CBC"
polls fw1

# --- Cisco's VPN client: 1024 bits, and the CA's certificate in the reply

AS=cisco-vpn BITS=1024
session "Cisco VPN client" /scep/old/pkiclient.exe ManagementCA ca.pem http1.0
capable
trusts
"$SCEP" alias set old includeca yes >>log
code=$(add_entity ciscovpn --ca ManagementCA)
enrols ciscovpn "$code" --subject "/CN=ciscovpn/OU=Lab/O=Example/C=SE"
is "Cisco VPN client: the leaf, then its CA" "$(reply ciscovpn ncerts)" 2
is "Cisco VPN client: which it looks for in the reply" \
	"$(openssl x509 -in ciscovpn-1.pem -noout -fingerprint)" \
	"$(openssl x509 -in ca.pem -noout -fingerprint)"
is "Cisco VPN client: its ID is its serial" "$(serial ciscovpn.crt)" \
	"$(said ciscovpn txid)"
is "Cisco VPN client: no signingTime is put upon it" \
	"$(reply ciscovpn signing_time)" ""
LEGACY='' BITS=2048

# --- Cisco ISE: it signs for devices with a key of its own, one code pays for
# them all, and asks for the CRL

AS=cisco-ios VIA=post SIGNER=ise
"$SCEP" alias add ise --ca Devices >>log
"$SCEP" alias set ise samekey no >>log
"$SCEP" entity add byod --ca Devices --san request --count 3 --generate >code
code=$(cat code)
client_key ise
session "Cisco ISE" /scep/ise/pkiclient.exe "" devices.pem
capable
trusts
for mac in 00-11-22-33-44-55 00-11-22-33-44-66 00-11-22-33-44-77; do
	enrols "$mac" "$code" --subject "/CN=byod $mac" --san "dns:$mac" \
		--signer-subject /CN=ise.lab.example
	like "Cisco ISE: the MAC address is in the SAN" "$(san "$mac")" \
		"DNS:$mac"
	is "Cisco ISE: and in the subject" "$(subject "$mac")" \
		"subject=CN=byod $mac"
done
is "Cisco ISE: three devices under one code" \
	"$("$SCEP" cert list --ca Devices --json | wc -l)" 3
fetches_crl "$mac"
message "$mac" --subject "/CN=byod fourth" --txid fourth --challenge "$code"
submit "$mac"
is "Cisco ISE: a fourth is not paid" "$(reply "$mac" status)" 2
unset SIGNER

# --- Juniper: CA IDENT names the CA, an IP address in the SAN, the leaf alone

AS=juniper
code=$(add_entity srx1 --ca Devices --san request)
session "Juniper" /ejbca/publicweb/apply/scep/scep/pkiclient.exe Devices \
	devices.pem
capable
trusts
enrols srx1 "$code" --san ip:192.0.2.17 --subject /CN=srx1/OU=Lab/O=Example
like "Juniper: its address" "$(san srx1)" "IP Address:192.0.2.17"
is "Juniper: the leaf alone" "$(reply srx1 ncerts)" 1
polls srx1

done_testing
