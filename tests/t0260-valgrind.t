#!/bin/sh
# A worker for a long time: 2,000 mixed requests, good and bad, in one FastCGI
# process under valgrind, every kind of the builder's among them; no error, no
# leak, no growth.
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

[ "${SCEP_FLAVOUR:-plain}" != asan ] ||
	skip_all_tests "valgrind runs on the plain build"
command -v valgrind >/dev/null || skip_all_tests "valgrind is missing"
make_home
code=$(add_entity long --count 10000)
printf 'a chosen word' | "$SCEP" entity add chosen --password - >/dev/null
client_key long
mkdir m slow
tab=$(printf '\t')

# Messages of every kind that the builder knows; those that end in a scrypt,
# which takes a second and more under valgrind, by themselves.
n=0
builder --list-breaks >breaks
while IFS=$tab read -r flaw answer what; do
	pkcsreq long "$code" --txid "v-$flaw" --break "$flaw" 2>>log
	case $flaw in
	csr-*-challenge | csr-no-attributes | csr-subject-empty-set)
		mv long.der "slow/$flaw.der"
		;;
	*)
		n=$((n + 1))
		mv long.der "m/$n.der"
		;;
	esac
done <breaks
ok "there are messages of every kind" test $n -gt 100
pkcsreq long "no$code" --txid v-wrong
mv long.der slow/wrong.der
pkcsreq long "$code" --txid v-unknown --subject /CN=unknown
mv long.der slow/unknown.der
pkcsreq long "a chosen word" --txid v-chosen --subject /CN=chosen
mv long.der slow/chosen.der
pkcsreq long "another word" --txid v-guess --subject /CN=chosen
mv long.der slow/guess.der

DOOR=fcgi
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"; }

# I: the I-th of the mixed requests; under valgrind, where it is slow, one in
# five is a message, so that each kind comes twice.
ask() {
	case $(($1 % 5))$slowly in
	0*) request GET "/scep?operation=GetCACaps" ;;
	1*) request GET "/scep/scep/pkiclient.exe?operation=GetCACert" ;;
	2*) request GET "/scep/nope?operation=$1" ;;
	3-slowly) request HEAD "/scep?operation=GetCACert" ;;
	*)
		posts=$((posts + 1))
		request POST /scep "m/$((posts % n + 1)).der"
		;;
	esac
	[ "${STATUS:-599}" -lt 500 ] || bad=$((bad + 1))
}

slowly='' posts=0

# FROM TO: that many requests; bad counts those that were not answered.
ask_all() {
	i=$1 bad=0
	while [ "$i" -lt "$2" ]; do
		i=$((i + 1))
		ask "$i"
	done
}

ask_slow() {
	bad=0
	for message in slow/*.der; do
		request POST /scep "$message"
		[ "$STATUS" = 200 ] || bad=$((bad + 1))
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
ask_slow
is "and those that cost a scrypt" "$bad" 0
diag "resident after 500: $early kB, after 2,000: $late kB"
ok "no growth" test $((late - early)) -lt 200
stop_servers
rm fcgi.sock

spawn-fcgi -n -s "$FRESH/fcgi.sock" -- "$(command -v valgrind)" -q \
	--error-exitcode=99 --leak-check=full --log-file="$FRESH/vg.log" \
	--errors-for-leak-kinds=definite,indirect "$SCEP" >>log 2>&1 &
pid=$!
wait_for test -S fcgi.sock
slowly=-slowly posts=0
ask_all 0 2000
is "2,000 requests under valgrind, each answered" "$bad" 0
ask_slow
is "and those that cost a scrypt" "$bad" 0
kill -TERM $pid
wait $pid
is "SIGTERM ends it with exit 0: no error, no leak" $? 0
is "valgrind has nothing to say" "$(cat vg.log)" ""
done_testing
