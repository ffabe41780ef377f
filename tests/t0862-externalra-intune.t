#!/bin/sh
# An external RA whose judge is Intune: the CA's host has no way out to
# Microsoft, the RA's has.  What the CA has issued leaves the RA when Intune has
# acknowledged it, and not before (ejbca-behaviour 8 and 9).
# shellcheck disable=SC1091,SC2034,SC2154 # lib.sh uses them
. "${0%/*}/lib.sh"
. "$TOP/tests/queue.sh"
. "$TOP/tests/intune.sh"

two_homes
ln -s ra home
intune_start
cat >ra/aliases/mdm.ini <<END
[scep]
operationmode = externalra
cas = Lab
[renewal]
challenge = yes
[challenge]
judge = intune
[intune]
tenant = contoso
aadappid = app-1
aadappkey = "s3cret of app/1"
authority = $INTUNE/
resourceurl = $INTUNE/res/
graphresourceurl = $INTUNE/
cafile = its.pem
timeout = 5s
END
touch_alias mdm
at_ca
quietly "$SCEP" alias add mdm --from fleet.ini
at_ra
certs() { find . -name "$1-*.pem" | wc -l; }
times_told() { grep -c "\"transactionId\": \"id-$1\"" told 2>/dev/null; }

is "Intune says yes: it waits for the CA" "$(enrol phone "intune-phone" mdm)" \
	PENDING
is "Intune has heard of no certificate" "$(times_told phone)" ""
cp phone.der phone.first
ok "the CA takes it" pull
like "and issues" "$(cat pull.out)" "^mdm [0-9a-f]{16} issued CN=phone"

control '{"success": {"code": "ServiceException"}}'
is "a poll cannot tell Intune" "$(poll phone mdm)" "http 503"
is "no certificate left" "$(certs phone)" 0
like "the log says what to do" "$(cat log)" \
	"is held: intune has not acknowledged it; its client has to send the request again"
cp phone.first phone.der
is "Intune does not take the notification" "$(transmit phone mdm)" "http 503"
is "no certificate left" "$(certs phone)" 0
control '{}'
is "it takes it: the request again gets the certificate" \
	"$(transmit phone mdm)" SUCCESS
like "and the outcome was held" "$(cat ra/store/transaction/*/*,outcome)" \
	"^held = intune$"
heard=$(times_told phone)
is "a poll then, too" "$(poll phone mdm)" SUCCESS
is "and nobody is told twice" "$(times_told phone)" "$heard"

is "Intune says no" "$(enrol thief "not one of Intune's" mdm)" "failinfo 2"
is "and nothing waits" "$("$SCEP" queue list)" ""
at_ca
ok "scep check of the CA's home" "$SCEP" check
at_ra
done_testing
