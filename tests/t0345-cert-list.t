#!/bin/sh
# What `cert list --expires` tells administrators in time: what ends, and is
# neither revoked nor renewed.
# shellcheck disable=SC1091,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

faketime=$(find /usr/lib -name libfaketime.so.1 2>/dev/null | head -n 1)
[ "${SCEP_FLAVOUR:-plain}" != asan ] || faketime=

make_home
ok "renewals at any time" "$SCEP" alias set scep window 0%
"$SCEP" profile show ENDUSER --ini | sed 's/^;*validity.*/validity = 5d/' \
	>home/profiles/SHORT.ini
touch -d "3 seconds ago" home/profiles/SHORT.ini

list() { "$SCEP" cert list "$@" 2>&1; }
# The entities of those that end, each as often as it has one.
ending() { # TIME OPTIONS...
	_time=$1
	shift
	list --expires "$_time" "$@" | awk '{ print $5 }' | sort | tr '\n' ' '
}

# NAME OPTIONS...: a certificate, NAME-0.pem.
enrol() {
	_entity=$1
	shift
	pkcsreq "$_entity" "$(add_entity "$_entity" "$@")" && send "$_entity" &&
		[ "$(reply "$_entity" status)" = 0 ]
}
# OLD NEW: NEW-0.pem in the place of OLD-0.pem.
renew() {
	client_key "$2-new"
	cp "$1.key" "$2.key"
	cp "$1-0.pem" "$2.crt"
	builder pkcsreq --ca ca.pem --key "$2-new.key" \
		--signer-cert "$1-0.pem" --signer-key "$1.key" \
		--subject "/CN=$1" --txid "id-$2" --type 17 --out "$2.der" &&
		send "$2" && [ "$(reply "$2" status)" = 0 ]
}

is "nothing ends where nothing is" "$(ending 30d)" ""
ok "one that lasts" enrol far
is "does not end soon" "$(ending 30d)" ""
is "but some day" "$(ending 3000d)" "far "
ok "one that ends" enrol near --profile SHORT
ok "another" enrol old --profile SHORT
is "end within 30 days" "$(ending 30d)" "near old "
is "or by a date" "$(ending "$(date -u -d '+7 days' +%F)")" "near old "
is "not within a day" "$(ending 1d)" ""
is "all are listed without it" "$(list | wc -l)" 3
like "the line is the usual one" "$(list --expires 30d --entity near)" \
	"^[0-9a-f]{30,40} +20[^ ]*Z +valid +ManagementCA +near +CN=near"
is "JSON is of the same" "$(list --expires 30d --json |
	sed 's/.*"entity":"\([^"]*\)".*/\1/' | sort | tr '\n' ' ')" "near old "
is "other options count too" "$(ending 30d --match 'o*')" "old "

serial=$(serial near-0.pem)
ok "revoked" "$SCEP" cert revoke "$serial" --reason certificateHold
is "is no longer told of" "$(ending 30d)" "old "
ok "let go" "$SCEP" cert unrevoke "$serial"
is "is again" "$(ending 30d)" "near old "

ok "renewed" renew old young
is "only the new one counts" "$(list --expires 30d --match old |
	awk '{ print toupper($1) }')" "$(serial young-0.pem)"
is "both are there" "$(list --match old | wc -l)" 2
ok "the new one is revoked" "$SCEP" cert revoke "$(serial young-0.pem)" --yes
is "so the old one counts" "$(list --expires 30d --match old |
	awk '{ print toupper($1) }')" "$(serial old-0.pem)"

if [ -n "$faketime" ]; then
	is "what has ended does not end any more" \
		"$(FAKETIME=+6d LD_PRELOAD=$faketime list --expires 30d)" ""
else
	skip "what has ended does not end any more" "no libfaketime here"
fi

exits 2 "a time that is none" "$SCEP" cert list --expires soon
like "is said" "$(cat .out)" "^scep: .*soon"
like "the help says how cron asks" "$("$SCEP" help cert list)" \
	"scep cert list --expires 30d"

done_testing
