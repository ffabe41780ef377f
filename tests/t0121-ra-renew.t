#!/bin/sh
# An RA certificate that the CA made is renewed by whoever serves a request,
# and the old one serves those who hold it until 30 days after its end (C-83).
# shellcheck disable=SC1091,SC2016,SC2034,SC2154 # lib.sh uses them
. "${0%/*}/lib.sh"

faketime=$(find /usr/lib -name libfaketime.so.1 | head -n 1)
if [ -z "$faketime" ] || [ "${SCEP_FLAVOUR:-plain}" = asan ]; then
	skip_all_tests "needs libfaketime, on the plain build"
fi

# What day it is for the server; the clients' clocks stand still.
REAL=$SCEP
at_day() {
	printf '#!/bin/sh\nFAKETIME=+%sd LD_PRELOAD=%s exec "%s" "$@"\n' \
		"$1" "$faketime" "$REAL" >timed
	chmod +x timed
	SCEP=$FRESH/timed
}

# NAME RA: enrols through that RA certificate.
enrol() {
	_code=$(add_entity "$1")
	cp device.key "$1.key"
	builder pkcsreq --ca "$2" --key "$1.key" --challenge "$_code" \
		--txid "id-$1" --subject "/CN=$1" --cert-out "$1.crt" \
		--out "$1.der" || return 1
	request POST "/scep?operation=PKIOperation" "$1.der"
	[ "$STATUS" = 200 ] || return 1
	builder certrep --ca "$2" --key "$1.key" --cert "$1.crt" \
		--in body --out-prefix "$1-" >"$1.rep" 2>>log &&
		[ "$(reply "$1" status)" = 0 ] &&
		openssl verify -CAfile ca.pem -no_check_time "$1-0.pem"
}

# The RA certificate that GetCACert has first.
fetch() {
	request GET "/scep?operation=GetCACert"
	openssl pkcs7 -inform DER -in body -print_certs |
		openssl x509 -out "$1"
}

ras() { find "$ra" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort; }
ra=home/ca/EC/ra

client_key device
at_day 0
"$SCEP" init >.out 2>&1
"$SCEP" ca create EC --subject "CN=EC,O=Lab" --key ec:P-256 >>.out
"$SCEP" alias add scep --ca EC >>.out
"$SCEP" ca export EC --out ca.pem
fetch first.pem
is "the first generation" "$(cat first.pem)" "$(cat $ra/1/cert.pem)"
ok "a client enrols with it" enrol day0 first.pem
at_day 480
fetch got.pem
is "before two thirds of 730 days nothing happens" "$(ras)" 1

# Renewing fails: the old one goes on.
at_day 490
: >log
# shellcheck disable=SC3045 # dash has it
(
	trap '' XFSZ
	ulimit -f 2
	REQUEST_METHOD=GET QUERY_STRING=operation=GetCACert SCRIPT_NAME=/scep \
		exec "$SCEP" 2>&1
) | cat >reply
like "a renewal that fails is a line in the log" "$(cat -v reply)" \
	"level=warn .*RA certificate cannot be renewed"
like "the request is answered" "$(cat -v reply)" "x-x509-ca-ra-cert"
is "nothing is left of it" "$(ras)" 1

# Killed, or failed by the disk, at each step of a renewal: the next request
# finds the old one or the whole new one.
GET="REQUEST_METHOD=GET QUERY_STRING=operation=GetCACert SCRIPT_NAME=/scep"
struck() { # STRACE-WORDS: one request; true if the call was reached
	# shellcheck disable=SC2086 # words
	env $GET strace -f -qq -o trace -e "trace=$1" -e "inject=$1:$2" \
		"$SCEP" >reply 2>>log </dev/null
	grep -q "$3" trace
}
whole() { # what is there now can be loaded; the old one if not the new one
	case $(ras | grep -v '^\.' | tr '\n' ' ') in
	"1 " | "1 2 ") ;;
	*) return 1 ;;
	esac
	at_day 480
	request GET "/scep?operation=GetCACert"
	at_day 490
	[ "$STATUS" = 200 ] && "$SCEP" check
}
if strace -e trace=none true 2>/dev/null; then
	rounds=0
	for how in signal=KILL error=EIO; do
		for call in mkdirat renameat; do
			n=1
			while struck $call "$how:when=$n" \
				"KILLED\|killed\|INJECTED"; do
				rounds=$((rounds + 1))
				[ $how != error=EIO ] ||
					grep -q "x-x509-ca-ra-cert" reply ||
					diag "$call $n: no answer"
				whole >.out 2>&1 || diag "$how $call $n" \
					"$(ras)" "$(cat .out)"
				rm -rf $ra/2 $ra/.new-* $ra/.renewing
				n=$((n + 1))
			done
			rm -rf $ra/2 $ra/.renewing
		done
	done >troubles 2>&1
	is "struck at each step, all is whole and every answer comes" \
		"$(cat troubles)" ""
	like "there were enough of them" "$rounds" '^(9|1[0-9])$'
else
	skip "struck at each step" "strace cannot trace here"
fi

# Eight at once.
renewals() { "$REAL" audit show | grep -c 'server .*ca ra renew .*EC .*done'; }
before=$(renewals)
for i in 1 2 3 4 5 6 7 8; do
	REQUEST_METHOD=GET QUERY_STRING=operation=GetCACert SCRIPT_NAME=/scep \
		"$SCEP" >"many$i" 2>>log </dev/null &
	pids="${pids:-} $!"
done
# shellcheck disable=SC2086 # pids
wait $pids
is "eight workers make one" "$(ras | tr '\n' ' ')" "1 2 "
is "and all of them answer" "$(grep -c "x-x509-ca-ra-cert" many? |
	grep -c ':1$')" 8
is "which is one line of the audit" \
	"$(renewals)" $((before + 1))
fetch second.pem
is "the second generation" "$(cat second.pem)" "$(cat $ra/2/cert.pem)"
not_ok "has a key of its own" cmp -s $ra/1/key.pem $ra/2/key.pem
ok "who cached the first enrols with it" enrol day490 first.pem
ok "and others with the second" enrol other490 second.pem
at_day 755
ok "the first, 25 days after its end" enrol day755 first.pem
at_day 761
: >log
not_ok "but not 31 days after" enrol day761 first.pem
like "as it is nobody's now" "$(cat log)" "the envelope is for no CA"
ok "the second goes on" enrol other761 second.pem
at_day 980
ok "a PKIOperation too renews" enrol day980 second.pem
is "the third generation" "$(ras | tr '\n' ' ')" "1 2 3 "
fetch third.pem
is "is what clients get" "$(cat third.pem)" "$(cat $ra/3/cert.pem)"
ok "and enrol with" enrol third980 third.pem

"$SCEP" ca ra renew EC >.out
is "by hand, the next" "$(ras | tr '\n' ' ')" "1 2 3 4 "
ok "the third as before" enrol fourth980 third.pem

# Not where a new one would not last longer: the CA's end is near.
"$SCEP" ca create Short --subject "CN=Short" --key ec:P-256 --days 100 >.out
"$SCEP" alias set scep cas "EC, Short" && "$SCEP" alias set scep defaultca Short
at_day 1075
fetch short.pem
is "no renewal up to the CA's own end" "$(ls home/ca/Short/ra)" 1
# Long after: the last one has ended, nobody asked meanwhile.
"$SCEP" alias set scep defaultca EC
at_day 2600
fetch late.pem
is "one that has ended while nobody came is renewed" \
	"$(cat late.pem)" "$(cat $ra/5/cert.pem)"
SCEP=$REAL
rm -rf home/ca/Short
"$SCEP" alias set scep cas EC
done_testing
