#!/bin/sh
# A worker for a long time: 2,000 mixed requests, good and bad, in one FastCGI
# process under valgrind; no error, no leak, no growth.
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

[ "${SCEP_FLAVOUR:-plain}" != asan ] ||
	skip_all_tests "valgrind runs on the plain build"
command -v valgrind >/dev/null || skip_all_tests "valgrind is missing"
make_home
code=$(add_entity long --count 10000)
client_key long
mkdir m

# Messages of every kind; no wrong code: its scrypt is slow under valgrind.
n=0
for flaw in none bad-signature txid-missing two-signers trailing deep-nest \
	flip-key flip-last pad-zero content-noise csr-bad-signature md5 \
	cipher-des recipient-other type-22 truncated csr-ber shuffled-certs \
	signer-huge cleartext; do
	n=$((n + 1))
	if [ $flaw = none ]; then
		pkcsreq long "$code" --txid "v-$n"
	else
		pkcsreq long "$code" --txid "v-$n" --break $flaw
	fi
	mv long.der "m/$n.der"
done

DOOR=fcgi
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"; }

ask() { # I: the I-th of the mixed requests
	case $(($1 % 5)) in
	0) request GET "/scep?operation=GetCACaps" ;;
	1) request GET "/scep/scep/pkiclient.exe?operation=GetCACert" ;;
	2) request GET "/scep/nope?operation=$1" ;;
	*) request POST /scep "m/$(($1 % n + 1)).der" ;;
	esac
	[ "${STATUS:-599}" -lt 500 ] || bad=$((bad + 1))
}

# FROM TO: that many requests; bad counts those that were not answered.
ask_all() {
	i=$1 bad=0
	while [ "$i" -lt "$2" ]; do
		i=$((i + 1))
		ask "$i"
	done
}

# Growth is looked for without valgrind, which has memory of its own.
fcgi_start
pid=$FCGI_PID
ask_all 0 500
early=$(rss)
ask_all 500 2000
late=$(rss)
is "2,000 requests, each answered" "$bad" 0
diag "resident after 500: $early kB, after 2,000: $late kB"
ok "no growth" test $((late - early)) -lt 200
stop_servers
rm fcgi.sock

spawn-fcgi -n -s "$FRESH/fcgi.sock" -- "$(command -v valgrind)" -q \
	--error-exitcode=99 --leak-check=full --log-file="$FRESH/vg.log" \
	--errors-for-leak-kinds=definite,indirect "$SCEP" >>log 2>&1 &
pid=$!
wait_for test -S fcgi.sock
ask_all 0 2000
is "2,000 requests under valgrind, each answered" "$bad" 0
kill -TERM $pid
wait $pid
is "SIGTERM ends it with exit 0: no error, no leak" $? 0
is "valgrind has nothing to say" "$(cat vg.log)" ""
done_testing
