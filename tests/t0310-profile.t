#!/bin/sh
# Certificate profiles: what is built in, what a home's file says, what is
# taken from a request and what never is (C-117, C-118, C-120, C-178, C-183 to
# C-195).  openssl(1) is the judge of the certificates.
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

make_home
client_key device
log_says() { tail -n 4 log | grep -q "$1"; }

# NAME OPTIONS...: a message of one key for all, its code in $code.
ask() {
	_who=$1
	shift
	[ -e "$_who.key" ] || cp device.key "$_who.key"
	pkcsreq "$_who" "$code" "$@"
	send "$_who"
}

# FILE: the whole text; hex of its DER; its extended key usages.
text() { openssl x509 -in "$1" -noout -text; }
hex() { openssl x509 -in "$1" -outform DER | od -An -v -tx1 | tr -d ' \n'; }
eku() { openssl x509 -in "$1" -noout -ext extendedKeyUsage | sed -n '2s/^ *//p'; }
verifies() {
	openssl verify -x509_strict -purpose any -CAfile ca.pem "$1"
}
days() { # FILE: between its dates
	_until=$(openssl x509 -in "$1" -noout -enddate | cut -d= -f2)
	_from=$(openssl x509 -in "$1" -noout -startdate | cut -d= -f2)
	echo $((($(date -d "$_until" +%s) - $(date -d "$_from" +%s)) / 86400))
}

# NAME DESCRIPTION: it has a certificate, and openssl likes it.
succeeds() {
	is "$2" "$(reply "$1" status)" 0
	ok "$2: verifies" verifies "$1-0.pem"
}

# NAME REASON DESCRIPTION
refused() {
	is "$3: badRequest" "$(reply "$1" status) $(reply "$1" failinfo)" "2 2"
	ok "$3: the log says why" log_says "reason=\"$2"
}

# --- what is built in ---------------------------------------------------------

like "profile list" "$("$SCEP" profile list)" "^ENDUSER +good +built-in"
is "profile check" "$("$SCEP" profile check)" "7 profiles, all good"
like "profile show" "$("$SCEP" profile show router)" "^minrsa +2048  \(def"
exits 1 "no such profile" "$SCEP" profile show routers
exits 1 "and none has its name from a path" "$SCEP" profile show ../x
while read -r name days want; do
	code=$(add_entity "$name" --profile "$name")
	ask "$name"
	succeeds "$name" "$name"
	is "$name: its usages" "$(eku "$name-0.pem" | tr -d ' ')" "$want"
	is "$name: its days" "$(days "$name-0.pem")" "$days"
	like "$name: key usage" "$(text "$name-0.pem")" \
		"Digital Signature, Key Encipherment$"
	unlike "$name: no URLs where the site has none (C-192)" \
		"$(text "$name-0.pem")" "URI:|CRL Distribution"
done <<-'EOT'
	ENDUSER 730 TLSWebClientAuthentication,E-mailProtection
	router 730 TLSWebServerAuthentication,TLSWebClientAuthentication,ipsecInternetKeyExchange,1.3.6.1.5.5.8.2.2
	vpn 365 ipsecInternetKeyExchange,1.3.6.1.5.5.8.2.2,TLSWebServerAuthentication,TLSWebClientAuthentication
	tls-server 365 TLSWebServerAuthentication
	tls-client 365 TLSWebClientAuthentication
	mdm-device 365 TLSWebClientAuthentication
EOT
for file in ENDUSER mdm-device router tls-client tls-server vpn; do
	"$SCEP" profile show "$file" --ini >shown
	ok "$file: --ini is the file of the tree" \
		cmp shown "$TOP/profiles/$file.ini"
done

# --- entity, alias, ENDUSER ------------------------------------------------------

code=$(add_entity plain --count 9)
unlike "an entity may name no profile" "$("$SCEP" entity show plain --json)" \
	'"profile"'
ask plain
is "then it has ENDUSER" "$(eku plain-0.pem)" \
	"TLS Web Client Authentication, E-mail Protection"
ok "the alias names another" "$SCEP" alias set scep profile tls-server
ask plain --txid plain-2
is "the alias's counts" "$(eku plain-0.pem)" "TLS Web Server Authentication"
like "cert show tells" "$("$SCEP" cert show "$(serial plain-0.pem)")" \
	"Profile: +tls-server"
exits 1 "an alias names only what there is" \
	"$SCEP" alias set scep profile nosuch
"$SCEP" alias unset scep profile
exits 1 "an entity too" "$SCEP" entity set plain --profile nosuch
"$SCEP" entity set plain --profile tls-client
ask plain --txid plain-3
is "an entity's own comes first" "$(eku plain-0.pem)" \
	"TLS Web Client Authentication"
ok "and can be taken back" "$SCEP" entity set plain --profile ""
cp home/aliases/scep.ini alias.good
echo 'profile = nosuch' | sed -i '/^cas/r /dev/stdin' home/aliases/scep.ini
exits 1 "scep check finds an alias that names none" "$SCEP" check
cp alias.good home/aliases/scep.ini
touch -d "5 seconds ago" home/aliases/scep.ini

# --- a profile of the home ----------------------------------------------------------

sed 's,^;\(baseurl =\).*,\1 http://pki.example.org/,' home/scep.ini >new.ini
echo 'baseurl = pki.example.org' | cat - home/scep.ini >home/bad.ini
mv home/bad.ini home/scep.ini
code=$("$SCEP" entity setpwd plain --count 9 --generate)
ask plain --txid plain-4
is "with a broken scep.ini nothing is issued: 503" "$STATUS" 503
cat new.ini >home/scep.ini
cat >home/profiles/full.ini <<'EOT'
[certificate]
validity = 90d
backdate = 0s
keys = rsa
maxrsa = 2048
keyusage = digitalSignature, nonRepudiation, keyEncipherment
eku = clientAuth, 1.2.3.4.5
copy = keyUsage, extendedKeyUsage, sid, 1.2.3
policies = 1.3.6.1.4.1.55555.1 http://pki.example.org/cps, 1.3.6.1.4.1.55555.2
ocspurl = http://ocsp.example.org/${ca}/${generation}
mstemplate = 1.3.6.1.4.1.311.21.8.77.1 100 5
mstemplatename = Web
EOT
# A file counts when it has been quiet for a second.
touch -d '5 seconds ago' home/profiles/full.ini
ok "profile check NAME" "$SCEP" profile check full
sid=301da01b060a2b060104018237190201a00d040b532d312d352d32312d3432
code=$(add_entity full --profile full --count 99)
ask full --extensions "1.3.6.1.4.1.311.25.2=$sid,!1.2.3=0500,1.2.4=0500"
succeeds full "full"
text=$(text full-0.pem)
is "its days" "$(days full-0.pem)" 90
like "its CRL (C-192)" "$text" \
	"URI:http://pki.example.org/crl/ManagementCA/1.crl"
like "its CA" "$text" \
	"CA Issuers - URI:http://pki.example.org/ca/ManagementCA/1.cer"
like "its OCSP responder" "$text" \
	"OCSP - URI:http://ocsp.example.org/ManagementCA/1"
like "its policies" "$text" "Policy: 1.3.6.1.4.1.55555.2"
like "and their statement" "$text" "CPS: http://pki.example.org/cps"
like "its key usage" "$text" \
	"Digital Signature, Non Repudiation, Key Encipherment"
like "its template, byte for byte" "$(hex full-0.pem)" \
	"06092b060104018237150704153013060b2b06010401823715084d01020164020105"
like "its template's name" "$(hex full-0.pem)" \
	"06092b060104018237140204081e06005700650062"
like "the SID that was asked for" "$(hex full-0.pem)" \
	"06092b060104018237190204..$sid"
like "a listed extension, not critical (C-193)" "$(hex full-0.pem)" \
	"06022a0304020500"
unlike "one that is not listed" "$(hex full-0.pem)" "06022a04"
code=$(add_entity unlisted --profile router)
ask unlisted --extensions "1.3.6.1.4.1.311.25.2=$sid"
succeeds unlisted "a SID that nobody listed is ignored"
unlike "and is not there" "$(hex unlisted-0.pem)" "2b0601040182371902"
like "the built-in ones have URLs now" "$(text unlisted-0.pem)" \
	"/crl/ManagementCA/1.crl"
code=$(add_entity curve --profile full)
client_key curve 0
pkcsreq curve "$code" --signer-key device.key
"$SCEP" alias set scep samekey no
cp device.key curve.key
send curve
is "an EC key where the profile has RSA alone: badAlg (C-160)" \
	"$(reply curve failinfo)" 0
ok "and why" log_says "type of key is not supported"
"$SCEP" alias unset scep samekey

# --- profile try says beforehand what will be ------------------------------------------

"$SCEP" profile try full --csr full.csr --json >tried
tried() { sed -n "s/.*\"field\":\"$1\",\"value\":\"\([^\"]*\)\".*/\1/p" tried; }
for url in $(tried CRL) $(tried caIssuers) $(tried OCSP); do
	like "try knows $url" "$text" "URI:$url"
done
is "try knows three URLs" "$(grep -c '"value":"http' tried)" 3
is "key usage" "$(tried keyUsage)" \
	"digitalSignature, nonRepudiation, keyEncipherment"
is "extended key usage" "$(tried extKeyUsage)" "clientAuth, 1.2.3.4.5"
is "extensions" "$(tried extension | tr '\n' ' ')" \
	"1.3.6.1.4.1.311.25.2 1.2.3 "
is "what is ignored" "$(tried ignored)" "1.2.4"
is "subject" "$(tried subject)" "CN=full"
openssl req -in full.csr -inform DER -out full.pem
like "for people, from PEM" \
	"$("$SCEP" profile try full --csr full.pem --ca ManagementCA)" \
	"^policy +1.3.6.1.4.1.55555.1 http://pki.example.org/cps  \(profile\)"
add_entity named --subject "CN=Name,O=Lab" --san dNSName=n.example >/dev/null
like "under an entity's record" \
	"$("$SCEP" profile try full --csr full.csr --entity named)" \
	"^subject +CN=Name,O=Lab  \(entity\)"
exits 1 "a key that the profile does not take" \
	"$SCEP" profile try full --csr curve.csr
like "and which rule refuses" \
	"$("$SCEP" profile try full --csr curve.csr 2>&1)" \
	"refused: this type of key is not supported"
openssl req -in full.csr -inform DER -outform DER 2>/dev/null |
	head -c 100 >short.csr
exits 1 "half a request" "$SCEP" profile try full --csr short.csr
exits 2 "no request" "$SCEP" profile try full
client_key small 1024
builder pkcsreq --ca ca.pem --key small.key --csr-out small.csr --out x.der
like "RSA 1024" "$("$SCEP" profile try ENDUSER --csr small.csr 2>&1)" \
	"refused: the RSA key is shorter"

# --- what a request cannot have (C-178) ---------------------------------------------------

# Nothing of a CA, and each extension at most once (C-193).
harmless() {
	text "$1" >cert.txt
	! grep -Eq 'CA:TRUE|Certificate Sign|CRL Sign|Name Constraints|Any|evil' \
		cert.txt &&
		! grep -Eq 'Policy Constraints|Mappings|Netscape|OCSP Sig' \
		cert.txt && openssl x509 -in "$1" -outform DER |
		openssl asn1parse -inform DER |
		sed -n '/cont \[ 3 \]/,$s/.*OBJECT  *://p' >oids &&
		[ "$(grep -c 'X509v3 Key Usage' oids)" = 1 ] &&
		[ -z "$(grep -E 'X509v3|^1\.2\.3$' oids | sort | uniq -d)" ]
}
code=$("$SCEP" entity setpwd full --count 99 --generate)
n=0
while read -r answer asked; do
	n=$((n + 1))
	ask full --txid "evil-$n" --extensions "$asked"
	if [ "$answer" = ok ]; then
		succeeds full "asks for $asked"
		ok "$asked: nothing of a CA" harmless full-0.pem
	else
		refused full "$(echo "$answer" | tr _ ' ')" "asks for $asked"
	fi
done <<-'EOT'
	ok 2.5.29.19=30030101ff
	ok !2.5.29.19=30030101ff
	ok 2.5.29.15=030202a4
	ok 2.5.29.15=030201fe
	no_requested_key_usage 2.5.29.15=03020106
	the_requested_keyUsage_is_unreadable 2.5.29.15=0500
	an_extension_is_requested_twice 2.5.29.15=03020780,2.5.29.15=03020106
	ok 2.5.29.37=301406082b0601050507030206082b06010505070309
	no_requested_extended_key_usage 2.5.29.37=300a06082b06010505070309
	no_requested_extended_key_usage 2.5.29.37=30060604551d2500
	the_requested_extKeyUsage_is_unreadable 2.5.29.37=0500
	ok !2.5.29.30=3007a00530038201e4
	ok 2.5.29.32=300830060604551d2000
	ok 2.5.29.36=3003800100,2.5.29.54=020100,2.5.29.33=3000
	ok 2.5.29.35=3003800101,2.5.29.14=040101
	ok 2.5.29.31=300f300da00ba00986076576696c3a2f2f
	ok 2.16.840.1.113730.1.1=03020007
	ok !1.3.6.1.4.1.11129.2.4.3=0500
	ok 1.3.6.1.4.1.311.21.7=300406022a03
	ok 1.2.3=0500,1.2.3=0500
	an_extension_is_requested_twice 1.2.3=0500,1.2.3=0101ff
	a_requested_extension_is_not_DER 1.2.3=05
	a_requested_extension_is_not_DER 1.2.3=
	a_requested_extension_is_not_DER 1.2.3=05000500
	the_requested_SID_is_malformed 1.3.6.1.4.1.311.25.2=0500
EOT
ask full --txid many-50 --extensions "$(seq -f 1.2.4.%g=0500 50 | paste -sd,)"
succeeds full "50 extensions"
ask full --txid many-51 --extensions "$(seq -f 1.2.4.%g=0500 51 | paste -sd,)"
is "51 extensions: badRequest" "$(reply full failinfo)" 2
ask full --txid good-again
succeeds full "a good request right after"

# --- subjects survive (C-118, C-120) ----------------------------------------------------------

# PIX puts three attributes into one name part.
cat >pix.cnf <<'EOT'
[req]
distinguished_name = dn
attributes = attrs
prompt = no
string_mask = nombstr
[dn]
0.serialNumber = pix
1.+unstructuredName = pix.example
2.+CN = pix
O = Lab
UID = u
DC = example
[attrs]
EOT
code=$(add_entity pix)
echo "challengePassword = $code" >>pix.cnf
openssl req -new -key device.key -config pix.cnf -outform DER -out pix.csr
cp device.key pix.key
builder pkcsreq --ca ca.pem --key pix.key --csr pix.csr --subject /CN=pix \
	--cert-out pix.crt --out pix.der --txid pix
send pix
succeeds pix "a PIX's subject"
name() { openssl "$1" -in "$2" ${3:+-inform "$3"} -noout -subject \
	-nameopt multiline,show_type; }
is "as it was written, types and all" "$(name x509 pix-0.pem)" \
	"$(name req pix.csr DER)"
like "three in one" "$(openssl x509 -in pix-0.pem -noout -subject)" \
	"CN = pix \+ serialNumber = pix \+ unstructuredName = pix.example"

# --- a broken file is our trouble, and of nobody else -------------------------------------------

code=$(add_entity broken --profile full)
cp home/profiles/full.ini full.good
sed 's/clientAuth/clientAuthentication/' full.good >home/profiles/full.ini
touch -d '4 seconds ago' home/profiles/full.ini
ask broken
is "503 (C-166)" "$STATUS" 503
ok "with file and line" log_says 'profiles/full.ini:7: eku: no such usage'
exits 1 "profile check" "$SCEP" profile check
exits 1 "scep check" "$SCEP" check
like "profile list" "$("$SCEP" profile list)" "^full +broken +profiles/full.ini"
code=$(add_entity other --profile vpn)
ask other
succeeds other "others go on"
cp full.good home/profiles/full.ini
touch -d '3 seconds ago' home/profiles/full.ini
send broken
succeeds broken "mended: the same message has its certificate"
DOOR=fcgi
code=$(add_entity worker --profile full --count 9)
ask worker --txid w-1
succeeds worker "a worker"
sed 's/clientAuth/clientAuthentication/' full.good >home/profiles/full.ini
touch -d '2 seconds ago' home/profiles/full.ini
ask worker --txid w-2
succeeds worker "goes on with the last good version"
sed 's/^validity.*/validity = 10d/' full.good >home/profiles/full.ini
touch -d '6 seconds ago' home/profiles/full.ini
ask worker --txid w-3
is "and takes a new one without a restart" "$(days worker-0.pem)" 10
stop_servers
DOOR=cgi

# --- a home's file in the place of a built-in one --------------------------------------------------

printf '[certificate]\nvalidity = 2020-01-01\n' >home/profiles/vpn.ini
touch -d '5 seconds ago' home/profiles/vpn.ini
like "profile list" "$("$SCEP" profile list)" "^vpn +good +profiles/vpn.ini"
code=$(add_entity past --profile vpn)
ask past
refused past "the profile's validity has ended" "a date that has passed"
printf '[certificate]\nvalidity = 2099-01-01\n' >home/profiles/vpn.ini
touch -d '4 seconds ago' home/profiles/vpn.ini
ask past --txid past-2
succeeds past "a date behind the CA's end"
is "is cut to it (C-186)" \
	"$(openssl x509 -in past-0.pem -noout -enddate)" \
	"$(openssl x509 -in ca.pem -noout -enddate)"
done_testing
