#!/bin/sh
# `scep intune revocations`: what Intune wants revoked (ejbca-behaviour 8),
# against the stand-in of t0840.
# shellcheck disable=SC1091,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"
. "$TOP/tests/intune.sh"

make_home
intune_start
intune_alias mdm

"$SCEP" alias check mdm >.out 2>&1
enrol() { # NAME
	pkcsreq "$1" "intune-$1"
	request POST "/scep/mdm/pkiclient.exe?operation=PKIOperation" "$1.der"
	builder certrep --ca ca.pem --key "$1.key" --cert "$1.crt" --in body \
		--out-prefix "$1-" >"$1.rep" 2>>log
	serial "$1-0.pem" | tr A-F a-f
}
a=$(enrol a)
b=$(enrol b)
c=$(enrol c)
like "three certificates" "$a $b $c" "^[0-9a-f]{8,} [0-9a-f]{8,} [0-9a-f]{8,}$"

CA="CN=Test CA,O=Lab,C=SE"
wants() { # CONTEXT SERIAL [ISSUER]
	printf '%s{"requestContext": "%s", "serialNumber": "%s", ' \
		"${more:+, }" "$1" "$2"
	printf '"issuerName": "%s", "caConfiguration": "%s"}' \
		"${3-$CA}" "${3-$CA}"
	more=yes
}
asks() { # REQUESTS [MORE]
	control "{${2:+$2, }\"revocations\": [$1]}"
	more=
}
revocations() { "$SCEP" intune revocations --alias mdm "$@" 2>err; }
steps() {
	awk '{ printf "%s%s", n++ ? " " : "", $1 }' steps 2>/dev/null
	rm -f steps
}
told() { # CONTEXT
	grep "\"$1\"" told | tail -n 1 | sed 's/.*"succeeded": \([a-z]*\), "errorCode": \([0-9]*\),.*/\1 \2/'
}
state() { "$SCEP" cert show "$1" | sed -n 's/^State: *//p'; }

steps >/dev/null
asks ""
is "nothing to do" "$(revocations)" "nothing to revoke"
is "is asked for, and not answered" "$(steps)" "token discovery token download"

more=
asks "$(wants r1 "$a"; wants r2 4711; wants r3 "$b" "CN=Other"; wants r4 xyz
	wants r5 "0$(echo "$c" | tr a-f A-F)" "C=SE")"
like "a dry run" "$(revocations --dry-run)" "^$a +to-revoke +$CA$"
is "revokes nothing, tells nothing" "$(state "$a") $(steps)" \
	"valid token discovery token download"
is "the run" "$(revocations --json)" "$(cat <<EOT
{"serial":"$a","issuer":"$CA","result":"revoked","code":0}
{"serial":"4711","issuer":"$CA","result":"not-found","code":4004}
{"serial":"$b","issuer":"CN=Other","result":"not-found","code":4004}
{"serial":"xyz","issuer":"$CA","result":"unreadable","code":4002}
{"serial":"0$(echo "$c" | tr a-f A-F)","issuer":"C=SE","result":"not-found","code":4004}
EOT
)"
is "all steps" "$(steps)" "token discovery token download upload"
is "one is revoked" "$(state "$a") $(state "$b")" "revoked valid"
like "without a reason, which Intune has not" "$("$SCEP" cert show "$a")" \
	"Reason: +unspecified"
is "told of each" "$(told r1), $(told r2), $(told r3), $(told r4)" \
	"true 0, false 4004, false 4004, false 4002"
like "in the audit" "$("$SCEP" audit show --json)" \
	"\"verb\":\"intune revocations\".*$a"

# Serial numbers as Java writes them, no issuer, and again.
asks "$(wants s1 "$(echo "$b" | sed 's/^0//')" ""; wants s2 "$a")"
like "a zero less, no issuer" "$(revocations --reason cessationOfOperation)" \
	"revoked +-"
is "is found all the same" "$(state "$b"), $(told s1), $(told s2)" \
	"revoked, true 0, false 4005"
like "for that reason" "$("$SCEP" cert show "$b")" \
	"Reason: +cessationOfOperation"

# A hold is no revocation yet, in a dry run neither.
e=$(enrol e)
"$SCEP" cert revoke "$e" --reason certificateHold >.out 2>&1
asks "$(wants h1 "$e")"
like "on hold: a dry run" "$(revocations --dry-run)" "^$e +to-revoke +$CA$"
is "leaves it" "$(state "$e")" held
like "the run" "$(revocations)" "^$e +revoked +$CA$"
is "revokes it" "$(state "$e"), $(told h1)" "revoked, true 0"
like "for good: a dry run" "$(revocations --dry-run)" "^$e +already "

# Results that are lost: done is done, and the next run says so.
asks "$(wants t1 "$c")" '"upload": {"status": 500}'
exits 75 "Intune does not take the results" revocations
like "which is said" "$(cat err)" "answers with HTTP 500"
is "revoked all the same" "$(state "$c"), $(told t1)" "revoked, "
asks "$(wants t1 "$c")"
ok "the next run" revocations
is "tells it as a conflict" "$(told t1)" "false 4005"
asks "$(wants t1 "$c")" '"upload": {"json": {"value": false}}'
exits 75 "refused results" revocations

# Intune down, or without the right; words that are wrong.
control '{"download": {"status": 503}}'
exits 75 "down" revocations
control '{"download": {"json": {"value": {}}}}'
exits 75 "no list" revocations
control '{"providers": ["ScepRequestValidationFEService"]}'
exits 75 "no permission" revocations
like "which is said" "$(cat err)" "names no PkiConnectorFEService"
asks "$(wants u1 "$a"; wants u2 "$b"; wants u3 "$c" "CN=Other")"
is "no more than asked for" "$(revocations --max 2 | wc -l | tr -d ' ')" 2
is "of one issuer" "$(revocations --issuer CN=Other | wc -l | tr -d ' ')" 1
exits 2 "--max 0" revocations --max 0
exits 2 "--max 501" revocations --max 501
exits 2 "a hold is none" revocations --reason certificateHold
exits 2 "no alias" "$SCEP" intune revocations
exits 1 "another judge" "$SCEP" intune revocations --alias scep
like "is said" "$("$SCEP" intune revocations --alias scep 2>&1)" \
	"judge of alias scep"
exits 1 "no such alias" "$SCEP" intune revocations --alias nobody

# Trouble of our own: that one is asked for again, the others are told.
d=$(enrol d)
asks "$(wants v1 "$d"; wants v2 4712)"
mv home/store/revoked home/store/away
: >home/store/revoked
exits 75 "the store is in trouble" revocations
rm home/store/revoked
mv home/store/away home/store/revoked
is "each is told of" "$(told v1), $(told v2)" "false 4100, false 4004"
ok "mended" revocations
is "revoked" "$(state "$d"), $(told v1)" "revoked, true 0"

# --- systemd ---------------------------------------------------------------------

if command -v systemd-analyze >/dev/null; then
	mkdir units
	for unit in service timer; do
		sed "s|/usr/local/bin/scep|$SCEP|" \
			"$TOP/examples/scep-intune.$unit" \
			>"units/scep-intune.$unit"
	done
	ok "systemd takes the units" systemd-analyze verify --man=no \
		units/scep-intune.service units/scep-intune.timer
else
	skip "systemd takes the units" "no systemd-analyze"
fi
is "Microsoft had nothing to complain about" \
	"$(cat complaints 2>/dev/null)" ""

done_testing
