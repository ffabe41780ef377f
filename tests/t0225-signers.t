#!/bin/sh
# Every kind of signature and key transport: PSS, the forms of OAEP, BER at
# every level, and signers that nobody can encrypt to, whose answers come
# under their challenge (C-43 to C-51, C-79, C-84, C-85, C-92 to C-99, C-105).
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"
sanitized_client

DOOR=fcgi
make_home
code=$(add_entity many --count 1000)
client_key many

# NAME OPTIONS...: builds with NAME.key as CN=many, sends, reads.
try() {
	_key=$1
	shift
	pkcsreq "$_key" "$code" --subject /CN=many "$@" 2>>log
	send "$_key"
}

n=0
enrols() { # WHAT OPTIONS...: SUCCESS
	_what=$1
	shift
	n=$((n + 1))
	ok "$_what" try many --txid "t-$n" "$@"
	is "$_what: SUCCESS" "$(reply many status)" 0
}

for digest in sha256 sha384 sha512; do
	enrols "PSS with $digest" --pss --digest $digest
	is "PSS with $digest: mirrored" "$(reply many digest)" \
		"$(echo $digest | tr '[:lower:]' '[:upper:]')"
done
try many --txid pss-sha1 --pss --digest sha1
is "PSS with SHA-1 is badAlg" "$(reply many failinfo)" 0

for transport in v15 oaep oaep-null oaep-absent oaep256; do
	enrols "key transport $transport" --transport $transport \
		--ber indefinite --break shuffled-certs,ski-signer
	case $transport in
	v15) wanted=rsaEncryption ;;
	*) wanted=RSAES-OAEP ;;
	esac
	is "key transport $transport: mirrored" "$(reply many transport)" \
		$wanted
done

# --- signers that cannot be encrypted to --------------------------------------

# NAME: reads body as the answer to NAME, under the code.
read_answer() {
	builder certrep --ca ca.pem --key "$1.key" --cert "$1.crt" --in body \
		--password "${2:-$code}" --out-prefix "$1-" >"$1.rep" 2>>log
}

for kind in p256 p384 p521 ed25519; do
	client_key $kind $kind
	case $kind in
	p384) digest=sha384 ;;
	*) digest=sha512 ;;
	esac
	pkcsreq $kind "$code" --subject /CN=many --digest $digest
	request POST "/scep?operation=PKIOperation" $kind.der
	ok "$kind: the answer opens under the challenge" read_answer $kind
	is "$kind: SUCCESS" "$(reply $kind status)" 0
	is "$kind: a password recipient" "$(reply $kind transport)" password
	is "$kind: the CSR's key" \
		"$(openssl x509 -in $kind-0.pem -noout -pubkey)" \
		"$(openssl pkey -in $kind.key -pubout)"
	not_ok "$kind: not under another" read_answer $kind "not$code"
done

# As OpenSSL prints the last one's envelope (C-81, C-92 to C-94).
openssl cms -verify -noverify -inform DER -in body -out env.der 2>>log
openssl cms -cmsout -print -inform DER -in env.der >env.txt 2>>log
envelope=$(tr -d ' ' <env.txt | tr '\n' ' ')
like "EnvelopedData version 3" "$envelope" "envelopedData: version:3"
like "PasswordRecipientInfo version 0" "$envelope" "d.pwri: version:0"
like "with PBKDF2" "$envelope" "algorithm:PBKDF2"
like "of 100,000 rounds" "$envelope" "INTEGER:0186A0"
like "of HMAC-SHA-256" "$envelope" "hmacWithSHA256"
like "and PWRI-KEK" "$envelope" "id-alg-PWRI-KEK"

# A re-send gets the same certificate, under a new key.
cp body first
serial=$(serial ed25519-0.pem)
request POST "/scep?operation=PKIOperation" ed25519.der
ok "a re-send" read_answer ed25519
is "gets the same certificate" "$(serial ed25519-0.pem)" "$serial"
not_ok "in another answer" cmp -s first body

pkcsreq p256 "$code" --subject /CN=many --txid none --break csr-no-challenge
request POST "/scep?operation=PKIOperation" p256.der
read_answer p256
is "without a challenge there is no way back: badAlg (C-99)" \
	"$(reply p256 failinfo)" 0
like "and the log says so" "$(tail -n 1 log)" "no challengePassword"
for type in 20 21 22; do
	pkcsreq p256 "$code" --subject /CN=many --txid none --type $type
	request POST "/scep?operation=PKIOperation" p256.der
	read_answer p256
	is "messageType $type, which has none: badAlg" \
		"$(reply p256 failinfo)" 0
done

# A chosen password may not protect what an observer can keep (C-96).
"$SCEP" entity add person --password "correct horse" >.out 2>&1
pkcsreq p256 "correct horse" --subject /CN=person --txid chosen
request POST "/scep?operation=PKIOperation" p256.der
read_answer p256 "correct horse"
is "under a chosen password: badAlg" "$(reply p256 failinfo)" 0
like "and the log says what to do" "$(tail -n 1 log)" "setpwd NAME --generate"
is "which issued nothing" "$("$SCEP" cert list --json | grep -c person)" 0
done_testing
