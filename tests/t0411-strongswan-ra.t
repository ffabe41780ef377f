#!/bin/sh
# strongSwan's pki against an EC CA: it fetches the RA certificates, encrypts
# to one and checks the signature of one, single and split (C-33, C-152).
# shellcheck disable=SC1091,SC2016,SC2034,SC2154 # lib.sh uses them
. "${0%/*}/lib.sh"

command -v pki >/dev/null || skip_all_tests "strongSwan's pki is missing"
"$SCEP" init >.out 2>&1
ok "an EC CA below an EC root" sh -c '"$SCEP" ca create Root \
	--subject CN=Root,C=SE --key ec:P-384 && "$SCEP" ca create EC \
	--subject "CN=EC CA,C=SE" --key ec:P-256 --parent Root'
"$SCEP" alias add scep --ca EC >>.out
"$SCEP" ca export Root --out root.pem
"$SCEP" ca export EC --out ca.pem
lighttpd_start 1

# Writes sca.pem, sca-1.pem and so on, and the same for RA certificates.
fetch() {
	rm -f sca*.pem sra*.pem
	timeout 60 pki --scepca --url "$URL/scep" --caout sca.pem \
		--raout sra.pem --outform pem --force 2>fetch.err
}

enrol() { # NAME ENCRYPT-TO SIGNED-BY
	_code=$(add_entity "$1" --subject "CN=$1" --ca EC)
	[ -e key.key ] || client_key key
	timeout 60 pki --scep --url "$URL/scep" --in key.key --dn "CN=$1" \
		--password "$_code" --cacert-enc "$2" --cacert-sig "$3" \
		--cacert root.pem --outform pem >"$1.pem" 2>"$1.err" &&
		openssl verify -CAfile root.pem -untrusted ca.pem "$1.pem"
}
with_usage() { # USAGE: the RA certificate that has it
	for _f in sra*.pem; do
		! openssl x509 -in "$_f" -noout -ext keyUsage |
			grep -q "$1" || echo "$_f"
	done
}

ok "--scepca" fetch
is "one RA certificate" "$(cat sra*.pem)" "$(cat home/ca/EC/ra/1/cert.pem)"
is "two CA certificates" "$(cat sca*.pem | grep -c BEGIN)" 2
ok "enrols through it" enrol single sra.pem sra.pem
"$SCEP" ca ra renew EC --split >>.out
ok "--scepca, split" fetch
is "two RA certificates" "$(cat sra*.pem | grep -c BEGIN)" 2
ok "enrols through both" enrol split "$(with_usage "Key Encipherment")" \
	"$(with_usage "Digital Signature")"
done_testing
