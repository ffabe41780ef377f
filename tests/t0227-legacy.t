#!/bin/sh
# legacy = yes: MD5, single DES and small keys, for clients of long ago, and
# for nobody else (C-66, C-86, C-87, C-100 to C-104).  Recorded requests of
# three of them, where SCEP_VECTORS names their folder.
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"
sanitized_client

DOOR=fcgi
make_home
code=$(add_entity old --count 100)
client_key old

# OPTIONS...: an old client's request, sent and read.
try() {
	n=$((${n:-0} + 1))
	pkcsreq old "$code" --txid "old-$n" "$@" 2>>log
	request POST "/scep?operation=PKIOperation" old.der
	[ "$STATUS" = 200 ] || { echo "status=http-$STATUS" >old.rep; return 1; }
	(
		unset OPENSSL_MODULES
		builder certrep --legacy --ca ca.pem --key old.key \
			--cert old.crt --in body --out-prefix old- >old.rep \
			2>>log
	)
}
has_provider() { grep -q 'legacy\.so' "/proc/$FCGI_PID/maps"; }

for options in "--digest md5" "--cipher des" "--break csr-md5"; do
	# shellcheck disable=SC2086 # words
	try $options
	is "without it, $options is badAlg" "$(reply old failinfo)" 0
	like "and the log names the setting" "$(tail -n 1 log)" \
		"scep alias set NAME legacy yes"
done
is "which answers with SHA-256 (C-102)" "$(reply old digest)" SHA256
not_ok "OpenSSL's legacy provider is not loaded" has_provider

"$SCEP" alias set scep legacy yes
ok "with it, MD5 is served" try --digest md5
is "SUCCESS" "$(reply old status)" 0
is "the digest is mirrored" "$(reply old digest)" MD5
like "and noted with alias and transaction" "$(tail -n 1 log)" \
	'alias=scep .*transaction=old-4 .*weak=MD5 '
ok "a certificate is signed with SHA-256 all the same" \
	sh -c 'openssl x509 -in old-0.pem -noout -text | grep -q sha256With'
not_ok "the provider is not loaded for that" has_provider
ok "MD5 and single DES" try --digest md5 --cipher des --break csr-md5
is "SUCCESS" "$(reply old status)" 0
is "the cipher is mirrored" "$(reply old cipher)" DES-CBC
like "both are noted" "$(tail -n 1 log)" 'weak="MD5 DES-CBC"'
ok "now the provider is loaded" has_provider
ok "SHA-1 and triple DES" try --digest sha1 --cipher des3
like "are noted too" "$(tail -n 1 log)" 'weak="SHA-1 DES-EDE3-CBC"'
ok "and others are served as before" try
unlike "without a note" "$(tail -n 1 log)" "weak="

# A request that was captured, bits changed: uniform as with any cipher.
try --cipher des --break flip-key
is "a bit of the key" "$(reply old failinfo)" 2
try --cipher des --break pad-zero
is "a bad padding" "$(reply old failinfo)" 2

# Without the provider: our own trouble, said once, and others are served.
DOOR=cgi
OPENSSL_MODULES=$FRESH/none
export OPENSSL_MODULES
mkdir none
try --cipher des
is "no provider: HTTP 503" "$(reply old status)" http-503
like "the log says what is missing" "$(tail -n 3 log)" \
	"legacy provider cannot be loaded"
ok "others are served" try --digest md5
unset OPENSSL_MODULES

# --- recorded requests ----------------------------------------------------------

vectors=${SCEP_VECTORS:-$TOP/../shared/vectors}
p12=$vectors/ejbca/p12.der
if [ ! -r "$p12" ]; then
	skip "recorded requests" "SCEP_VECTORS names no folder of them"
	done_testing
fi
# Small keys sign under legacy; what is certified is the profile's (C-80).
# The CA that they were sent to: its key is there, its certificate is not.
openssl pkcs12 -legacy -in "$p12" -passin pass:foo123 -nodes 2>/dev/null |
	awk '/friendlyName: /{ p = /privatesignkeyalias/ } p' >keys.pem
openssl pkey -in keys.pem -out sign.pem
openssl req -x509 -new -key sign.pem -subj "/CN=AdminCA1/O=EJBCA Sample/C=SE" \
	-set_serial 5948498700235771016 -days 3650 -sha256 -out admin.pem \
	-addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature
"$SCEP" ca import AdminCA1 --cert admin.pem --key sign.pem >.out 2>&1 ||
	diag "$(cat .out)"
for alias in modern ancient; do
	"$SCEP" alias add $alias --ca AdminCA1 >>log
done
"$SCEP" alias set ancient legacy yes
for name in openscep ciscovpn; do
	"$SCEP" entity add $name --ca AdminCA1 --count 2 --password foo123 \
		2>>log
done

# ALIAS FILE
replay() {
	request POST "/scep/$1?operation=PKIOperation" "$vectors/ejbca/$2.der"
	builder certrep --ca admin.pem --in body >rec.rep 2>>log
	line=$(tail -n 1 log)
}
for name in openscep sscep ciscovpnscep; do
	replay modern $name
	is "$name: badAlg" "$(sed -n 's/^failinfo=//p' rec.rep)" 0
	like "$name: the log names the setting" "$line" "legacy yes"
	replay ancient $name
	is "$name under legacy: opened, its code taken, its key refused" \
		"$(sed -n 's/^failinfo=//p' rec.rep)" 2
	like "$name: which the profile wants larger" "$line" \
		'reason="the RSA key is shorter than the profile asks"'
	like "$name: every weakness is noted" "$line" \
		'weak="MD5 DES-CBC'
	is "$name: answered with MD5" "$(sed -n 's/^digest=//p' rec.rep)" MD5
done
done_testing
