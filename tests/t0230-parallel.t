#!/bin/sh
# I2: whatever the number of processes, one attempt of a transaction has one
# certificate, and a code buys no more than its count (C-115, C-136, C-139).
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

N=64
[ "$HURRY" = 0 ] || N=16
make_home

# The messages PREFIX1.der to PREFIXn.der at once, a CGI process each.
storm() { # PREFIX
	_i=0 _pids=
	while [ $_i -lt $N ]; do
		_i=$((_i + 1))
		env REQUEST_METHOD=POST SCRIPT_NAME=/scep \
			QUERY_STRING=operation=PKIOperation \
			CONTENT_LENGTH="$(wc -c <"$1$_i.der")" \
			GATEWAY_INTERFACE=CGI/1.1 REMOTE_ADDR=192.0.2.1 \
			"$SCEP" <"$1$_i.der" >"$1$_i.reply" 2>>log &
		_pids="$_pids $!"
	done
	for _p in $_pids; do
		wait "$_p"
	done
}

# PREFIX KEY: reads the answers; serials of the successes, a line each.
serials() {
	_i=0
	while [ $_i -lt $N ]; do
		_i=$((_i + 1))
		cp "$1$_i.reply" reply
		split_reply
		_key=$1$_i
		[ -e "$_key.key" ] || _key=$2
		builder certrep --ca ca.pem --key "$_key.key" \
			--cert "$_key.crt" --in body --out-prefix s- >s.rep
		[ "$(reply s status)" != 0 ] || serial s-0.pem
	done
}

# One message, many times: a Cisco that sends twice, a worker pool, a retry.
code=$(add_entity one)
pkcsreq one "$code"
i=0
while [ $i -lt $N ]; do
	i=$((i + 1))
	cp one.der "same$i.der"
done
storm same
serials same one >got
is "$N identical requests: all answered" "$(wc -l <got)" $N
is "with one certificate" "$(sort -u got | wc -l)" 1
is "one is stored" "$("$SCEP" cert list --json | wc -l)" 1

# One code, many keys: each another transaction, and one of them pays.
code=$(add_entity many)
i=0
while [ $i -lt $N ]; do
	i=$((i + 1))
	pkcsreq "many$i" "$code" --subject /CN=many
done
storm many
serials many none >got
is "$N keys, one code: one certificate" "$(wc -l <got)" 1
is "two are stored in all" "$("$SCEP" cert list --json | wc -l)" 2

# The same with a code that pays for three.
code=$("$SCEP" entity setpwd many --generate --count 3)
i=0
while [ $i -lt $N ]; do
	i=$((i + 1))
	rm "many$i.der"
	pkcsreq "many$i" "$code" --subject /CN=many
done
storm many
serials many none >got
is "$N keys, a code for three: three certificates" "$(wc -l <got)" 3
is "all different" "$(sort -u got | wc -l)" 3
is "five are stored in all" "$("$SCEP" cert list --json | wc -l)" 5

# Wrong passwords in parallel cannot outrun the count of marks.
within_an_hour 100
printf 'right password' | "$SCEP" entity setpwd one --password - >/dev/null
i=0
while [ $i -lt $N ]; do
	i=$((i + 1))
	pkcsreq one "guess$i" --txid "guess$i"
	mv one.der "guess$i.der"
done
: >log
storm guess
looked=$(grep -c 'reason="wrong code"' log)
ok "$N guesses at once: ten were looked at, if that" test "$looked" -le 10
i=0
while [ $i -lt 12 ]; do
	i=$((i + 1))
	cp one.key "guess$i.key"
	cp one.crt "guess$i.crt"
	send "guess$i"
done
is "one after the other: ten in all" \
	"$(grep -c 'reason="wrong code"' log)" 10
is "and the last one is told so" "$(reply guess12 status)" 2
ok "of which the log warns" grep -q \
	'level=warn.*entity one: locked, and still being tried' log

# The right password in parallel: a busy server says so, and FAILURE to nobody
# (C-166).
[ $N -lt 40 ] || N=40
printf 'right password' | "$SCEP" entity setpwd one --password - \
	--count $N >/dev/null
i=0
while [ $i -lt $N ]; do
	i=$((i + 1))
	pkcsreq one "right password" --txid "right$i"
	mv one.der "right$i.der"
done
: >log
storm right
is "$N right passwords at once: none is refused" \
	"$(grep -c 'result=refused' log)" 0
ok "some are issued" grep -q 'result=issued' log
is "the others are told to come again" "$(($(grep -c 'result=issued' log) +
	$(grep -c 'status=503' log)))" $N
cp one.key right1.key
cp one.crt right1.crt
send right1
is "and who does is served" "$(reply right1 status)" 0
done_testing
