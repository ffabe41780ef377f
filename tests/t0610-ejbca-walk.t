#!/bin/sh
# The walkthrough of EJBCA's page, with the program's name changed and
# strongSwan's pki in jscepcli's place: uploadfile, addendentity, genrsa, req,
# enrol; then what an administrator does afterwards.
# shellcheck disable=SC1091,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

command -v pki >/dev/null || skip_all_tests "strongSwan's pki is missing"
if ! { "$SCEP" init && "$SCEP" ca init ManagementCA "CN=ManagementCA,O=Lab" \
	soft null 2048 RSA 3650 null SHA256WithRSA; } >.out 2>&1; then
	echo "Bail out! no home: $(tail -n 1 .out)"
	exit 1
fi

cat >scep.properties <<'EOT'
scep.operationmode=ca
uploaded.includeca=true
scep.returnCaChainInGetCaCert=false
scep.allowLegacyDigestAlgorithm=false
scep.ra.certificateProfile=ENDUSER
scep.ra.entityProfile=EMPTY
scep.ra.authPwd=none
scep.ra.defaultCA=ManagementCA
scep.ra.namegenerationscheme=DN
scep.ra.namegenerationparameters=CN
scep.ra.namegenerationprefix=
scep.ra.namegenerationpostfix=
EOT
ok "config scep uploadfile" "$SCEP" config scep uploadfile --alias scep \
	--file scep.properties
ok "ra addendentity" "$SCEP" ra addendentity --username=testscep \
	--password=foo123 --dn="CN=testscep,O=Lab,C=SE" --caname=ManagementCA \
	--type=1 --token=USERGENERATED
ok "openssl genrsa" openssl genrsa -out test.key 2048
ok "openssl req" openssl req -new -key test.key -out test.csr \
	-subj "/C=SE/O=Lab/CN=testscep"

lighttpd_start 1
# As EJBCA's URLs are: alias and pkiclient.exe.
url=$URL/scep/scep/pkiclient.exe
ok "GetCACert" timeout 60 pki --scepca --url "$url" --caout ca.pem \
	--outform pem --force
ok "is ca getcacert" test "$("$SCEP" ca getcacert --caname ManagementCA)" = \
	"$(openssl x509 -in ca.pem)"

# NAME [URL [KEY]]: with the subject that the CSR has.
enrol() {
	timeout 60 pki --scep --url "${2:-$url}" --in "${3:-test.key}" \
		--dn "$(openssl req -in test.csr -noout -subject \
			-nameopt RFC2253 | cut -d= -f2-)" --password foo123 \
		--cacert-enc ca.pem --cacert-sig ca.pem \
		--outform pem >"$1.pem" 2>"$1.err"
}
ok "enrols" enrol first
ok "verifies" openssl verify -x509_strict -CAfile ca.pem first.pem
is "with the registered subject" \
	"$(openssl x509 -in first.pem -noout -subject)" \
	"subject=CN = testscep, O = Lab, C = SE"
is "for its key" "$(openssl x509 -in first.pem -noout -pubkey)" \
	"$(openssl req -in test.csr -noout -pubkey)"
is "ra getendentitycert is the same" \
	"$("$SCEP" ra getendentitycert --username testscep)" \
	"$(openssl x509 -in first.pem)"
like "its status" "$("$SCEP" ra findendentity --username testscep)" \
	"Status: +40 \(GENERATED\)"

ok "ra revokeendentity" "$SCEP" ra revokeendentity --username testscep -r 4
ok "ca createcrl" "$SCEP" ca createcrl --caname ManagementCA
ok "ca getcrl" "$SCEP" ca getcrl --caname ManagementCA -f crl.pem -pem
not_ok "the certificate is revoked" openssl verify -crl_check \
	-CAfile ca.pem -CRLfile crl.pem first.pem
rm first.pem
ok "ra setendentitystatus 10" "$SCEP" ra setendentitystatus \
	--username testscep -S 10
ok "enrols again with what it knows" enrol second
ok "verifies, also against the CRL" openssl verify -crl_check \
	-CAfile ca.pem -CRLfile crl.pem second.pem

# The same in RA mode: nobody is registered, the secret is the alias's.
sed -e 's/^scep\.operationmode=.*/scep.operationmode=ra/' \
	-e 's/^scep\.ra\.authPwd=.*/scep.ra.authPwd=foo123/' \
	-e 's/^scep\.ra\.namegenerationprefix=.*/&ra-/' \
	-e 's/^scep\./raalias./' scep.properties >ra.properties
ok "uploadfile in RA mode" "$SCEP" config scep uploadfile --alias raalias \
	--file ra.properties
url=$URL/scep/raalias/pkiclient.exe
ok "enrols" enrol third "$url"
is "with the request's subject" \
	"$(openssl x509 -in third.pem -noout -subject)" \
	"subject=CN = testscep, O = Lab, C = SE"
is "as the entity of its name" \
	"$("$SCEP" ra getendentitycert --username ra-testscep)" \
	"$(openssl x509 -in third.pem)"
client_key new
ok "another secret" "$SCEP" config scep updatealias raalias ra.authPwd foo124
not_ok "ends the former" enrol fourth "$url" new.key
like "the log says why" "$(cat lighttpd.log log)" 'alias=raalias .*reason="wrong'
ok "which comes back" "$SCEP" config scep updatealias raalias ra.authPwd foo123
ok "an entity that is here is edited, as in EJBCA" enrol fourth "$url" new.key
is "and has the newer one" \
	"$("$SCEP" ra getendentitycert --username ra-testscep)" \
	"$(openssl x509 -in fourth.pem)"

done_testing
