#!/bin/sh
# strongSwan in RA mode with approvals: it waits in PENDING, is approved at
# the command line, its poll fetches the certificate, and it renews with that;
# one that is denied gives up (C-112, C-121, C-131 to C-134, C-141).
# shellcheck disable=SC1091,SC2016,SC2034,SC2154 # lib.sh uses them
. "${0%/*}/lib.sh"

command -v pki >/dev/null || skip_all_tests "strongSwan's pki is missing"
make_home
cat >ra.ini <<'END'
[scep]
operationmode = ra
[ra]
defaultca = ManagementCA
authpwd = "a joint secret of the fleet"
[approval]
required = 1
[renewal]
window = 0%
END
"$SCEP" alias add ra --from ra.ini >.out 2>&1 || diag "$(cat .out)"
for k in first-fcgi first-cgi second bad; do
	openssl genrsa -out $k.key 2048 2>/dev/null
done

# NAME KEY OPTIONS...: NAME.pem; what it says is in NAME.err.
enrol() {
	_name=$1 _key=$2
	shift 2
	timeout 60 pki --scep --url "$URL/scep/ra/pkiclient.exe" \
		--in "$_key.key" --dn "O=Lab, CN=$_name" --cacert-enc ca.pem \
		--cacert-sig ca.pem --interval 1 --maxpolltime 50 \
		--outform pem "$@" >"$_name.pem" 2>"$_name.err"
}
applies() { # NAME KEY: in the background, until it waits
	enrol "$1" "$2" --password "a joint secret of the fleet" &
	_waits=$!
	wait_for grep -q "request pending" "$1.err" ||
		{ diag "$(cat "$1.err")" && return 1; }
}
# CN: the number of the request that waits for it.
number() {
	"$SCEP" request list --json --match "$1" |
		sed -n 's/.*"request":"\([0-9a-f]*\)".*/\1/p'
}
polled() { grep -q "type=.*result=pending" log lighttpd.log; }
subject() { openssl x509 -in "$1.pem" -noout -subject; }

# --- PENDING, approved, renewed; by each door ----------------------------------------

for door in fcgi cgi; do
	case $door in
	fcgi) lighttpd_start 2 ;;
	cgi) lighttpd_cgi_start ;;
	esac
	name=gw-$door
	: >log
	: >lighttpd.log
	ok "$door: it is told to wait" applies "$name" "first-$door"
	like "$door: people see what for" "$("$SCEP" request list)" \
		" waiting +0 of 1 +ra +$name +O=Lab,CN=$name"
	ok "$door: it polls" wait_for polled
	not_ok "$door: and has nothing yet" test -s "$name.pem"
	ok "$door: yes" "$SCEP" request approve "$(number "$name")"
	ok "$door: its poll fetches the certificate" wait "$_waits"
	like "$door: which it trusts" "$(cat "$name.err")" \
		"Issued certificate is trusted"
	is "$door: of what was approved" "$(subject "$name")" \
		"subject=O = Lab, CN = $name"
	is "$door: for its key" "$(openssl x509 -in "$name.pem" -noout \
		-pubkey)" "$(openssl pkey -in "first-$door.key" -pubout 2>/dev/null)"
	cp "$name.pem" old.pem
	ok "$door: it renews with that, without anybody" enrol "$name" second \
		--cert old.pem --key "first-$door.key" || diag "$(cat "$name.err")"
	is "$door: as the same" "$(subject "$name")" "$(subject old)"
	is "$door: for its new key" "$(openssl x509 -in "$name.pem" -noout \
		-pubkey)" "$(openssl pkey -in second.key -pubout 2>/dev/null)"
	not_ok "$door: with another serial number" \
		test "$(serial "$name.pem")" = "$(serial old.pem)"
	like "$door: by RenewalReq" "$(cat log lighttpd.log)" \
		"RenewalReq.*result=issued"
	stop_servers
done

# --- denied ---------------------------------------------------------------------------

lighttpd_start 2
ok "another waits" applies bad bad
ok "no" "$SCEP" request deny "$(number bad)" --reason "unknown device"
not_ok "it gives up" wait "$_waits"
not_ok "without a certificate" test -s bad.pem
not_ok "and gets none when it asks again" enrol bad bad \
	--password "a joint secret of the fleet"
is "nothing waits" "$("$SCEP" request list)" ""
done_testing
