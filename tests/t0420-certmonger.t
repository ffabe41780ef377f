#!/bin/sh
# certmonger as a whole daemon, without a system bus: GETs everything, walks
# message=0, 1, ..., asks for GetCACertChain, keeps its certificate in a file
# and renews it (C-121, C-122).
# shellcheck disable=SC1091,SC2016,SC2034,SC2154 # lib.sh uses and sets them
. "${0%/*}/lib.sh"

helper=/usr/lib/certmonger/scep-submit
[ -x $helper ] || skip_all_tests "certmonger is missing"
make_home
lighttpd_start 2

like "capabilities" "$(timeout 60 $helper -u "$URL/scep" -c)" "SCEPStandard"
timeout 60 $helper -u "$URL/scep" -C >got.pem
is "the CA" "$(openssl x509 -in got.pem -noout -fingerprint)" \
	"$(openssl x509 -in ca.pem -noout -fingerprint)"
like "asked with message=0" "$(cat lighttpd.log log)" "operation=GetCACert"

for d in requests cas local config tmp; do
	mkdir -m 700 "cm-$d"
done
export CERTMONGER_REQUESTS_DIR="$FRESH/cm-requests"
export CERTMONGER_CAS_DIR="$FRESH/cm-cas"
export CERTMONGER_LOCAL_CA_DIR="$FRESH/cm-local"
export CERTMONGER_CONFIG_DIR="$FRESH/cm-config"
export CERTMONGER_TMPDIR="$FRESH/cm-tmp"
certmonger -n -L -P "$FRESH/cm.sock" -d 2 >>cm.log 2>&1 &
server $!
ok "the daemon runs" wait_for test -S cm.sock
export CERTMONGER_PVT_ADDRESS="unix:path=$FRESH/cm.sock"

code=$(add_entity peer1 --subject "CN=peer1,O=Lab")
ok "add-scep-ca" timeout 60 getcert add-scep-ca -c peer -u "$URL/scep" \
	-N "$FRESH/ca.pem" -r "$FRESH/ca.pem"
ok "request" timeout 60 getcert request -c peer -k "$FRESH/k.pem" \
	-f "$FRESH/c.pem" -N CN=peer1 -L "$code" -g 2048 -I job
state() { timeout 20 getcert list -i job | sed -n 's/.*status: //p'; }
monitoring() { [ "$(state)" = MONITORING ]; }
ok "it enrols and watches" wait_for monitoring || diag "$(tail -n 5 cm.log)"
ok "the certificate verifies" openssl verify -CAfile ca.pem c.pem
is "has the registered subject" "$(openssl x509 -in c.pem -noout -subject)" \
	"subject=CN = peer1, O = Lab"
is "and the daemon's key" "$(openssl x509 -in c.pem -noout -pubkey)" \
	"$(openssl pkey -in k.pem -pubout)"

timeout 20 getcert list >listed
is "getcert list: the one request" \
	"$(sed -n 's/^Number of .*: //p' listed)" 1.
while IFS='|' read -r what wanted; do
	like "getcert list: $what" "$(cat listed)" "^[[:space:]]*$wanted\$"
done <<EOT
its name|Request ID 'job':
not stuck|stuck: no
its CA|CA: peer
who issued it|issuer: C=SE,O=Lab,CN=Test CA
to whom|subject: O=Lab,CN=peer1
it will renew it|auto-renew: yes
EOT
like "getcert list: until when" "$(cat listed)" "expires: 20[0-9][0-9]-"

# The code is spent: what pays for another is the certificate itself, signed
# with its own key, which certmonger keeps.
ok "a window that is open, for the same key" sh -c '"$SCEP" alias set scep \
	renewal.window 0% &&
	"$SCEP" alias set scep clientcertificaterenewalwitholdkey yes'
cp c.pem first.pem
renewed() { monitoring && ! cmp -s c.pem first.pem; }
ok "resubmit" timeout 60 getcert resubmit -i job
ok "it has another certificate" wait_for renewed
[ "$failed" -eq 0 ] ||
	diag "$(timeout 20 getcert list -i job; tail -n 5 cm.log log lighttpd.log)"
not_ok "of another serial number" test "$(serial c.pem)" = "$(serial first.pem)"
ok "which verifies" openssl verify -CAfile ca.pem c.pem
is "has the same subject" "$(openssl x509 -in c.pem -noout -subject)" \
	"$(openssl x509 -in first.pem -noout -subject)"
is "and the key" "$(openssl x509 -in c.pem -noout -pubkey)" \
	"$(openssl pkey -in k.pem -pubout)"
like "by the certificate, not the code" "$(cat lighttpd.log log)" \
	"type=[A-Za-z]+ .*result=issued"
done_testing
