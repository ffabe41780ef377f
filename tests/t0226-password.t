#!/bin/sh
# Requests under a password: to a CA without an RSA key, by entities whose
# code was made recoverable, and in RA mode by whoever has the alias's secret
# (C-92 to C-97).
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"
sanitized_client

make_home
# A CA that nothing can be encrypted to: made with another key, which is
# replaced.
"$SCEP" ca create EC --subject "CN=EC CA" --key rsa:2048 >.out 2>&1
rm -f home/ca/EC/1/key.pem home/ca/EC/1/cert.pem
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-subj "/CN=EC CA" -days 3650 -sha256 -keyout home/ca/EC/1/key.pem \
	-addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature \
	-out home/ca/EC/1/cert.pem 2>.out || diag "$(cat .out)"
chmod 400 home/ca/EC/1/key.pem
chmod 640 home/ca/EC/1/cert.pem
cp home/ca/EC/1/cert.pem ec.pem
"$SCEP" alias set scep cas "ManagementCA, EC"
client_key dev
client_key sign p256

# KEY PASSWORD OPTIONS...: a request under the password, sent and read; an EC
# signer's answer comes under the code.
try() {
	_k=$1 _p=$2
	shift 2
	case $_k in
	sign) _under="--password $_p" ;;
	*) _under= ;;
	esac
	n=$((${n:-0} + 1))
	pkcsreq "$_k" "$code" --txid "p-$n" --password "$_p" "$@" 2>>log
	request POST "/scep/$ALIAS?operation=PKIOperation" "$_k.der"
	# shellcheck disable=SC2086 # words
	builder certrep --ca "$CA" --key "$_k.key" --cert "$_k.crt" \
		--in body $_under --out-prefix "$_k-" >"$_k.rep" 2>>log
}

CA=ca.pem ALIAS=scep
code=$(add_entity dev --ca ManagementCA --count 100)
try dev "$code"
is "no entity is recoverable: badAlg" "$(reply dev failinfo)" 0
like "the log says what makes one so" "$(tail -n 1 log)" \
	"entity add --recoverable"

exits 2 "--recoverable wants a generated code" \
	"$SCEP" entity setpwd dev --recoverable --password x
code=$("$SCEP" entity setpwd dev --generate --recoverable --count 100)
ok "a key that only the home's owner may read" \
	sh -c '[ "$(stat -c %a home/seal.key)" = 400 ]'
ok "which stands in no file of the store" \
	sh -c '! grep -rq "$(cut -c1-16 home/seal.key)" home/store'
ok "nor does the code" sh -c '! grep -rqF "$1" home/store' - "$code"
like "entity show tells the form" "$("$SCEP" entity show dev)" "sealed"

chmod 644 home/seal.key
exits 1 "scep check sees its mode" "$SCEP" check
like "and says so" "$(cat .out)" "seal.key.*0400"
ok "and mends it" "$SCEP" check --repair
mv home/seal.key kept
exits 1 "scep check misses the key" "$SCEP" check
like "and says what for" "$(cat .out)" "cannot be opened with seal.key"
mv kept home/seal.key

ok "a request under the code" try dev "$code"
is "SUCCESS" "$(reply dev status)" 0
is "by the key of an RSA signer" "$(reply dev transport)" rsaEncryption
for cipher in aes192 aes256 des3; do
	ok "with $cipher" try dev "$code" --cipher $cipher
	is "SUCCESS" "$(reply dev status)" 0
done

# The same refusal for all that is wrong (C-95, C-168).
try dev "wrong$code"
is "under another password: badAlg" "$(reply dev failinfo)" 0
wrong=$(tail -n 1 log | sed 's/.*reason=//; s/ms=.*//')
other=$(add_entity plain --ca ManagementCA)
try dev "$other" --subject /CN=plain
is "an entity that has no such code: badAlg" "$(reply dev failinfo)" 0
is "in the same words" \
	"$(tail -n 1 log | sed 's/.*reason=//; s/ms=.*//')" "$wrong"
try dev "$code" --subject /CN=stranger
is "nobody's name: badAlg" "$(reply dev failinfo)" 0
is "in the same words too" \
	"$(tail -n 1 log | sed 's/.*reason=//; s/ms=.*//')" "$wrong"
"$SCEP" entity block dev
try dev "$code"
is "a blocked entity: badAlg" "$(reply dev failinfo)" 0
"$SCEP" entity unblock dev

try dev "$code" --iterations 999
like "999 iterations are too few" "$(tail -n 1 log)" "out of range"
try dev "$code" --iterations 200001
like "200,001 are too many" "$(tail -n 1 log)" "out of range"
is "badAlg" "$(reply dev failinfo)" 0
ok "200,000 are taken" try dev "$code" --iterations 200000

# --- the CA without an RSA key -------------------------------------------------

CA=ec.pem
code=$(add_entity ecdev --ca EC --count 100 --recoverable)
ok "an RSA signer to an EC CA" try dev "$code" --subject /CN=ecdev
is "SUCCESS" "$(reply dev status)" 0
is "signed by it" "$(reply dev signature)" ecdsa-with-SHA256
ok "an EC signer to an EC CA, passwords both ways" \
	try sign "$code" --subject /CN=ecdev
is "SUCCESS" "$(reply sign status)" 0
is "a password recipient" "$(reply sign transport)" password
"$SCEP" alias set scep legacy yes
ok "MD5, which no EC key signs with" \
	try dev "$code" --subject /CN=ecdev --digest md5
is "is answered with SHA-256 (C-102)" "$(reply dev digest)" SHA256
ok "of the EC CA" openssl verify -CAfile ec.pem sign-0.pem

# --- RA mode: the alias's own secret ----------------------------------------------

# NAME CA LINES...: an alias in RA mode.
alias_ra() {
	_alias=$1 _ca=$2
	shift 2
	{
		printf '[scep]\noperationmode = ra\n[approval]\nrequired = 0\n'
		printf '[ra]\ndefaultca = %s\nexisting = edit\n' "$_ca"
		printf '%s\n' "$@"
	} >ra.ini
	"$SCEP" alias add "$_alias" --from ra.ini >.out || diag "$(cat .out)"
}
# The log's line of the last refusal, less who and how long.
words() { tail -n 1 log | sed 's/.*failinfo=//; s/ ms=.*//'; }

secret=vT7qLw2Zk9RbXc4NfHs8JmPd
alias_ra fleet ManagementCA "authpwd = \"$secret\""
alias_ra ecfleet EC "authpwd = \"$secret\""
code=$secret ALIAS=fleet CA=ca.pem
for DOOR in cgi fcgi; do
	ok "$DOOR: a request under the secret of the alias" \
		try dev "$secret" --subject "/CN=ra-$DOOR"
	is "$DOOR: SUCCESS" "$(reply dev status)" 0
	ok "$DOOR: by defaultca" openssl verify -CAfile ca.pem dev-0.pem
done
DOOR=cgi
ok "an EC signer is answered under it" \
	try sign "$secret" --subject /CN=ra-sign
is "SUCCESS" "$(reply sign status) $(reply sign transport)" "0 password"
is "for its own key" "$(openssl x509 -in sign-0.pem -noout -pubkey)" \
	"$(openssl pkey -in sign.key -pubout)"
before=$("$SCEP" entity list --json | wc -l)
try dev "${secret}x" --subject /CN=ra-wrong
is "another secret: badAlg" "$(reply dev status) $(reply dev failinfo)" "2 0"
outside=$(words)
code=${secret}x
try dev "$secret" --subject /CN=ra-wrong
is "the right one outside, another within" \
	"$(reply dev status) $(reply dev failinfo)" "2 2"
is "nobody was made" "$("$SCEP" entity list --json | wc -l)" "$before"
like "the log says what was wrong outside" "$outside" "opens the envelope"

ALIAS=ecfleet CA=ec.pem code=$secret
ok "a CA without an RSA key" try dev "$secret" --subject /CN=ra-ec
is "SUCCESS, signed by it" "$(reply dev status) $(reply dev signature)" \
	"0 ecdsa-with-SHA256"
ok "to an EC signer, one secret both ways" \
	try sign "$secret" --subject /CN=ra-ecsign
is "SUCCESS" "$(reply sign status) $(reply sign transport)" "0 password"
ok "of the EC CA" openssl verify -CAfile ec.pem sign-0.pem
ok "the same again" try sign "$secret" --subject /CN=ra-ecsign \
	--csr sign.csr
is "SUCCESS" "$(reply sign status)" 0
try sign "${secret}x" --subject /CN=ra-ecno
is "another secret: badAlg" "$(reply sign status) $(reply sign failinfo)" "2 0"

# What can be guessed at leisure opens nothing, and nothing says which it is.
for weak in short "a long secret made of a few words" 1234567890123456789012 \
	aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; do
	"$SCEP" alias set fleet ra.authpwd "\"$weak\"" >.out || diag "$(cat .out)"
	code=$weak ALIAS=fleet CA=ca.pem
	try dev "$weak" --subject /CN=ra-weak
	is "a weak authpwd: badAlg" "$(reply dev status) $(reply dev failinfo)" \
		"2 0"
	like "the log says what to do" "$(tail -n 1 log)" "long authpwd"
done
alias_ra open ManagementCA 'authpwd = none'
ALIAS=open code=$secret
try dev "$secret" --subject /CN=ra-open
is "authpwd = none: badAlg" "$(reply dev status) $(reply dev failinfo)" "2 0"
cat log home/store/audit/* >seen
find home/store -type f -exec cat {} + >>seen
not_ok "the secret is in no log and no record" grep -qF "$secret" seen
done_testing
