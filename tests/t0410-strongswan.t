#!/bin/sh
# strongSwan's pki behind lighttpd: a client that is not ours enrols with
# every cipher and digest it has.
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

command -v pki >/dev/null || skip_all_tests "strongSwan's pki is missing"
make_home
lighttpd_start 2
ok "lighttpd serves" curl -sf "$URL/scep?operation=GetCACaps"

# Its TPM plug-in complains on standard error; that is harmless.
enrol() { # NAME CODE OPTIONS...
	_name=$1 _code=$2
	shift 2
	[ -e "$_name.key" ] || client_key "$_name"
	timeout 60 pki --scep --url "$URL/scep" --in "$_name.key" \
		--dn "C=CH, CN=$_name" --password "$_code" \
		--cacert-enc sca.pem --cacert-sig sca.pem \
		--outform pem "$@" >"$_name.pem" 2>"$_name.err"
}

ok "--scepca fetches the CA" timeout 60 pki --scepca --url "$URL/scep" \
	--caout sca.pem --raout ra.pem --outform pem --force
is "it is our CA" "$(openssl x509 -in sca.pem -noout -fingerprint -sha256)" \
	"$(openssl x509 -in ca.pem -noout -fingerprint -sha256)"

for cipher in aes des3; do
	for digest in sha1 sha256 sha384 sha512; do
		name=d-$cipher-$digest
		code=$(add_entity "$name" --subject "CN=$name,O=Lab")
		ok "enrols with $cipher and $digest" enrol "$name" "$code" \
			--cipher "$cipher" --digest "$digest"
		ok "$name: verifies" openssl verify -x509_strict \
			-CAfile ca.pem "$name.pem"
		is "$name: the registered subject" \
			"$(openssl x509 -in "$name.pem" -noout -subject)" \
			"subject=CN = $name, O = Lab"
		is "$name: its own key" \
			"$(openssl x509 -in "$name.pem" -noout -pubkey)" \
			"$(openssl pkey -in "$name.key" -pubout 2>/dev/null)"
	done
done

code=$(add_entity san --san request)
ok "asks for a SAN" enrol san "$code" --san router1.example
like "which was admitted for it" \
	"$(openssl x509 -in san.pem -noout -ext subjectAltName)" \
	"DNS:router1.example"
code=$(add_entity nosan)
ok "asks for another" enrol nosan "$code" --san router1.example
unlike "which was not" "$(openssl x509 -in nosan.pem -noout -text)" \
	"router1.example"

code=$(add_entity wrong)
not_ok "a wrong code is refused" enrol wrong "not$code"
not_ok "and leaves no certificate" test -s wrong.pem
like "the log says why" "$(cat lighttpd.log log)" 'reason="wrong code"'
ok "and the right one is taken afterwards" enrol wrong "$code"

done_testing
