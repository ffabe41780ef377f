#!/bin/sh
# A worker for a long time: 2,000 mixed requests, good and bad, to one FastCGI
# process behind lighttpd, under valgrind too, every kind of the builder's
# among them; no error, no leak, no growth.
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

rss() { awk '/^VmRSS/ { print $2 }' "/proc/$WORKERS/status"; }

# For curl, which asks them all by itself: a request with these words.
block() {
	printf '%s\n' "$@" 'silent' 'output = "/dev/null"' \
		'write-out = "%{http_code}\n"' next
}
post() {
	block "url = \"$URL/scep?operation=PKIOperation\"" \
		"data-binary = \"@$1\"" \
		'header = "Content-Type: application/x-pki-message"'
}

# I: the I-th of the mixed requests; under valgrind, where it is slow, one in
# five is a message, so that each kind comes twice.
mixed() {
	case $(($1 % 5))$slowly in
	0*) block "url = \"$URL/scep?operation=GetCACaps\"" ;;
	1*) block "url = \"$URL/scep/scep/pkiclient.exe?operation=GetCACert\"" ;;
	2*) block "url = \"$URL/scep/nope?operation=$1\"" ;;
	3-slowly) block "url = \"$URL/scep?operation=GetCACert\"" head ;;
	*)
		posts=$((posts + 1))
		post "m/$((posts % n + 1)).der"
		;;
	esac
}

slowly='' posts=0

# The requests in the file asked; bad counts those that were not answered.
ask() {
	wanted=$(grep -c '^next$' asked)
	sed -i '$d' asked # the last one has no next
	curl -K asked >codes
	bad=$((wanted - $(grep -c '^[2-4]' codes)))
}

# FROM TO: that many requests.
ask_all() {
	i=$1
	while [ "$i" -lt "$2" ]; do
		i=$((i + 1))
		mixed "$i"
	done >asked
	ask
}

ask_slow() {
	for message in slow/*.der; do
		post "$message"
	done >asked
	ask
	bad=$((bad + $(grep -vc 200 codes)))
}

# Growth is looked for without valgrind, which has memory of its own.
lighttpd_start 1
WORKERS=${WORKERS% }
ask_all 0 500
early=$(rss)
is "500 requests, each answered" "$bad" 0
ask_all 500 2000
late=$(rss)
is "2,000 requests, each answered" "$bad" 0
ask_slow
is "and those that cost a scrypt" "$bad" 0
diag "resident after 500: $early kB, after 2,000: $late kB"
ok "no growth" test $((late - early)) -lt 200
stop_servers
rm scep.sock

# The shell is there to say how it ended.  Its descriptor 0 is the socket, which
# a command in the background has only if it is told.
cat >watched <<-EOT
	#!/bin/sh
	exec 3<&0
	"$(command -v valgrind)" -q --error-exitcode=99 --leak-check=full \\
		--errors-for-leak-kinds=definite,indirect \\
		--log-file="$FRESH/vg.log" "$TESTED" <&3 3<&- &
	trap 'kill -TERM \$!' TERM
	wait \$!
	wait \$!
	echo \$? >"$FRESH/ended"
EOT
chmod 755 watched
SCEP=$FRESH/watched
lighttpd_start 1
WORKERS=${WORKERS% }
slowly=-slowly posts=0
ask_all 0 2000
is "2,000 requests under valgrind, each answered" "$bad" 0
ask_slow
is "and those that cost a scrypt" "$bad" 0
kill -TERM "$WORKERS"
ok "SIGTERM ends it" wait_for test -s ended
is "with exit 0: no error, no leak" "$(cat ended)" 0
is "valgrind has nothing to say" "$(cat vg.log)" ""
SCEP=$TESTED
done_testing
