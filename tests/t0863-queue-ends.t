#!/bin/sh
# Ends and new beginnings between an external RA and its CA: answers are
# forgotten, and no old letter is decided once more; the CA renews its
# certificate, or begins with its next key; the RA's certificate ends while
# requests wait.
# shellcheck disable=SC1091,SC2034,SC2119,SC2154 # lib.sh uses them
. "${0%/*}/lib.sh"
. "$TOP/tests/queue.sh"

two_homes
cp -a ca ca.first && cp -a ra ra.first
SECRET="a joint secret of the fleet"
REAL=$SCEP
OUT=ra/store/queue/fleet/out IN=ra/store/queue/fleet/in

# DAYS: from now on the program's clock is so far ahead.
faketime=$(find /usr/lib -name libfaketime.so.1 | head -n 1)
[ "${SCEP_FLAVOUR:-plain}" != asan ] || faketime=
ahead() {
	printf '#!/bin/sh\nFAKETIME=+%sd LD_PRELOAD=%s NO_FAKE_STAT=1 exec "%s" "$@"\n' \
		"$1" "$faketime" "$REAL" >timed
	chmod 755 timed
	SCEP=$FRESH/timed
}
today() { SCEP=$REAL; }
only() { ls "$OUT"; }
take() { # pulls what lies in copy/ as it is
	at_ca
	"$SCEP" queue pull copy >pull.out 2>pull.err
	_pulled=$?
	at_ra
	return $_pulled
}
certs() { # CN: how many has the CA issued?
	at_ca
	"$SCEP" cert list --json | grep -c "CN=$1[\",]"
	at_ra
}
done_of() { find "ca/store/queue/$1/done" -type f | wc -l; }
marks() { find ca/store/queue -name 'pruned,*' | wc -l; }
# shellcheck disable=SC2120 # exits passes some
prune() { # [OPTIONS]
	at_ca
	"$SCEP" queue prune "$@" >.out 2>&1
	_pruned=$?
	at_ra
	return $_pruned
}

# --- the CA renews its certificate ---------------------------------------------------

served() { # the CA's certificate that GetCACert of the RA has
	request GET "/scep/fleet/pkiclient.exe?operation=GetCACert"
	openssl pkcs7 -inform DER -in body -print_certs |
	    awk '/^subject/ { n++ } n == 2' | openssl x509 -noout -fingerprint
}
now_of() { openssl x509 -in "ca/ca/Lab/$1/cert.pem" -noout -fingerprint; }
is "the CA's certificate" "$(served)" "$(now_of 1)"
at_ca
quietly "$SCEP" ca renew Lab --days 5000
quietly "$SCEP" ca rollover Lab --start "$(date -u -d '20 days' +%Y-%m-%d)"
at_ra
ok "after renew and rollover: a pull" pull
: >log
is "the new one is served" "$(served)" "$(now_of 2)"
like "the log has it" "$(cat log)" "CA Lab: its renewed certificate has come"
like "and the next one, at once" "$(cat log)" \
	"CA Lab: its next certificate has come"
ok "it is the CA host's" cmp ra/ca/Lab/2/cert.pem ca/ca/Lab/2/cert.pem
ok "so is the next one" cmp ra/ca/Lab/3/cert.pem ca/ca/Lab/3/cert.pem
not_ok "no key has come" test -e ra/ca/Lab/2/key.pem
quietly openssl req -x509 -new -key ca/ca/Lab/1/key.pem -days 400 -out by-hand.pem \
	-subj "$(openssl x509 -in ca/ca/Lab/1/cert.pem -noout -subject -nameopt compat |
		sed 's/^subject=//')" -addext keyUsage=critical,keyCertSign,cRLSign
exits 1 "none by hand in the place of the next one" \
	"$SCEP" ca install Lab by-hand.pem
like "it is told why" "$(cat .out)" "CA Lab has a next generation, .*: install this when"
is "a device is served" "$(enrol first "$SECRET" fleet)" PENDING
ok "the CA takes it" pull
is "its certificate" "$(poll first fleet)" SUCCESS
ok "of the renewed one" sh -c 'openssl verify -CAfile ca/ca/Lab/2/cert.pem \
	first-0.pem'
ok "news of the same are no other" "$SCEP" queue import --here
not_ok "no fourth" test -e ra/ca/Lab/4
# A CA below another: its issuer is no key that the RA could ask.
at_ca
quietly "$SCEP" ca create Sub --subject CN=Sub --parent Lab
quietly "$SCEP" ca export Sub --out sub.pem
at_ra
quietly "$SCEP" ca import Sub --cert sub.pem --no-key
sed 's/Lab/Sub/; $a authpwd = none' ext.ini >sub.ini
exits 1 "an external RA without a certificate of its own" "$SCEP" alias add sub \
	--from sub.ini
like "is told of" "$(cat .out)" \
	"cas: Sub: it has no RA certificate, and new requests get HTTP 503"
quietly "$SCEP" ca ra request Sub --out subra.csr
at_ca
quietly "$SCEP" ca ra sign Sub subra.csr --out subra.pem
sed 's/Lab/Sub/; s/queue-ra.pem/sub-ra.pem/' fleet.ini >subca.ini
cp subra.pem ca/sub-ra.pem
quietly "$SCEP" alias add sub --from subca.ini
at_ra
quietly "$SCEP" ca ra install Sub subra.pem
quietly "$SCEP" alias add sub --from sub.ini
request GET "/scep/sub/pkiclient.exe?operation=GetCACert"
at_ca
quietly "$SCEP" ca renew Sub --days 20
at_ra
ok "a pull" pull
ok "brings its renewed one" "$SCEP" queue import --here
ok "which is the CA host's" cmp ra/ca/Sub/2/cert.pem ca/ca/Sub/2/cert.pem
ok "with its issuer" openssl verify -CAfile ca/ca/Lab/2/cert.pem \
	ra/ca/Sub/2/cert.pem
ok "the RA's home is whole" "$SCEP" check

# --- answers are forgotten -----------------------------------------------------------

exits 2 "not what was said today" prune --older 1
ok "nothing is old" prune
is "nothing is forgotten" "$(cat .out) $(marks)" "0 forgotten, 1 kept 0"

if [ -n "$faketime" ]; then
	# one issued, one refused, one that waits for people
	at_ca
	code=$(add_entity router --ca Lab --subject CN=router,O=Lab)
	at_ra
	is "a wrong code" "$(enrol router guess-it-right codes)" PENDING
	is "one of the fleet" "$(enrol issued "$SECRET" fleet)" PENDING
	carry_out
	cp -a copy old
	ok "the CA decides" pull
	is "refused" "$(poll router codes)" "failinfo 2"
	is "issued" "$(poll issued fleet)" SUCCESS
	cp issued-0.pem issued.pem
	at_ca
	quietly "$SCEP" alias set fleet approval.required 1
	touch -d '5 seconds ago' ca/aliases/fleet.ini
	at_ra
	is "people have to say yes" "$(enrol slow "$SECRET" fleet)" PENDING
	ok "they are asked" pull
	# what was refused would be granted now
	at_ca
	quietly "$SCEP" entity setpwd router --password guess-it-right
	at_ra

	if strace -e trace=none true 2>/dev/null; then
		bad='' n=0 hit=yes
		cp -a ca whole
		ahead 100
		for call in linkat unlinkat; do
			n=0 hit=yes
			while [ $hit = yes ] && [ $n -lt 12 ]; do
				n=$((n + 1))
				rm -rf ca && cp -a whole ca
				at_ca
				strace -f -qq -o trace -e trace=$call \
					-e inject=$call:signal=KILL:when=$n \
					"$SCEP" queue prune >.out 2>&1 && hit=no
				at_ra
				[ "$(($(done_of fleet) + $(done_of codes)))" = 3 ] ||
					[ "$(marks)" -ge 1 ] || bad="$bad $call:$n"
				prune || bad="$bad $call:$n:prune"
				[ "$(($(done_of fleet) + $(done_of codes)))" = 0 ] ||
					bad="$bad $call:$n:left"
			done
			ok "prune killed at $((n - 1)) of $call" \
				test $n -gt 1 -a $hit = no
		done
		is "never an answer gone without a mark" "$bad" ""
		rm -rf ca && mv whole ca
		today
	else
		skip "prune killed" "strace cannot trace here"
	fi

	ahead 100
	ok "in a hundred days" prune
	is "answers are forgotten" "$(cat .out)" "3 forgotten, 0 kept"
	is "none is left" "$(done_of fleet) $(done_of codes)" "0 0"
	is "a mark for each alias" "$(marks)" 2
	ahead 101
	ok "the day after" prune
	is "nothing more" "$(cat .out) $(marks)" "0 forgotten, 0 kept 2"
	today
	ok "scep check of the CA's home" env SCEP_HOME="$ROOT/ca" "$SCEP" check
	rm -rf copy && mv old copy
	ok "old letters are brought again" take
	like "the refused one is not granted" "$(cat pull.out)" \
		"^codes .* refused CN=router: it was written before the day up to which"
	is "no certificate" "$(certs router)" 0
	like "the issued one is the same" "$(cat pull.out)" "^fleet .* resent CN=issued"
	is "one certificate" "$(certs issued)" 1
	ok "and again" take
	like "they have their answers" "$(cat pull.out)" "2 answered before"
	is "the RA believes its own" "$(poll router codes)" "failinfo 2"
	at_ca
	ok "yes to the one that waited" "$SCEP" request approve \
		"$("$SCEP" request list --json |
		sed -n 's/.*"request":"\([0-9a-f]*\)".*/\1/p')"
	quietly "$SCEP" alias set fleet approval.required 0
	touch -d '5 seconds ago' ca/aliases/fleet.ini
	at_ra
	ok "the next pull has it" pull
	is "the poll fetches it" "$(poll slow fleet)" SUCCESS
	ahead 12
	is "newer requests are taken" "$(enrol router guess-it-right codes)" PENDING
	ok "and granted" pull
	is "with a certificate" "$(poll router codes)" SUCCESS
	today
	is "one" "$(certs router)" 1
	# a letter of a clock that is wrong
	ahead 3
	is "a clock that is wrong" "$(enrol early "$SECRET" fleet)" PENDING
	today
	exits 1 "its letter is not taken" pull
	like "and told of" "$(cat pull.err)" \
		"it was written in the future: a clock is wrong"
	rm -f "$OUT"/*
else
	skip "forgetting" "needs libfaketime, on the plain build"
fi

# --- news first --------------------------------------------------------------------------

if [ -n "$faketime" ]; then
	begins=$(openssl x509 -in ca/ca/Lab/3/cert.pem -noout -startdate)
	begins=$(date -d "${begins#*=}" +%s)
	days=$(((begins - $(date +%s)) / 86400 + 2))
	rm -f "$IN"/* && rm -rf ra/ca/Lab/3 ra/store/queue/*/news,*
	ok "news that tell of the next key" pull
	cp copy/fleet/in/news,* news.kept
	name=$(basename copy/fleet/in/news,*)
	ahead $((days - 5))
	is "a request" "$(enrol late "$SECRET" fleet)" PENDING || diag "$(cat log)"
	rm -rf ra/ca/Lab/3 ra/store/queue/*/news,*
	ahead $days
	ok "an answer by it" pull
	rm -f ra/store/queue/*/in/news,*
	cp news.kept "$IN/$name"
	ok "both are taken, whatever their names" "$SCEP" queue import --here
	ok "the next certificate is here" test -e ra/ca/Lab/3/cert.pem
	is "the answer too" "$("$SCEP" queue list)" ""

	# nobody came for all the time in which the next key was announced
	is "another one" "$(enrol later "$SECRET" fleet)" PENDING
	rm -rf ra/ca/Lab/3 ra/store/queue/*/news,*
	ok "its answer" pull
	exits 1 "is by a key that is not known" "$SCEP" queue import --here
	like "which is told" "$(cat .out)" \
		"news is not taken: who signed it is not known here"
	ok "a person brings the certificate" "$SCEP" ca install Lab \
		ca/ca/Lab/3/cert.pem
	not_ok "once" "$SCEP" ca install Lab ca/ca/Lab/3/cert.pem
	not_ok "without a key" test -e ra/ca/Lab/3/key.pem
	ok "the next pull" pull
	ok "brings what can be taken" "$SCEP" queue import --here
	is "nothing waits" "$("$SCEP" queue list)" ""
	today
else
	skip "news first" "needs libfaketime, on the plain build"
fi

# --- [queue] ra on the CA's host -----------------------------------------------------------

at_ca
ok "the RA's certificate is good" "$SCEP" alias check fleet
is "without a word" "$(grep -c "fleet.ini" .out)" 0
mv ca/queue-ra.pem ra.keep
exits 1 "no file" "$SCEP" alias check fleet
like "is told of, by its line" "$(cat .out)" \
	"fleet.ini:8: ra: it cannot be used, and requests are not taken: queue-ra.pem"
echo "no certificate" >ca/queue-ra.pem
exits 1 "no certificate" "$SCEP" alias check fleet
like "is told of" "$(cat .out)" "fleet.ini:8: ra: it cannot be used"
cp ra.keep ca/queue-ra.pem
at_ra
if [ -n "$faketime" ]; then
	at_ca
	ahead 710
	ok "near its end" "$SCEP" alias check fleet
	like "there is a warning" "$(cat .out)" \
		"fleet.ini:8: ra: its last certificate ends 20.*\`scep ca ra sign\`"
	ahead 740
	exits 1 "behind it" "$SCEP" alias check fleet
	like "an error" "$(cat .out)" \
		"fleet.ini:8: ra: no certificate in it is valid now, the last one ends 20"
	at_ra
	ahead 710
	ok "the RA's host warns too" "$SCEP" alias check fleet
	like "by its line" "$(cat .out)" \
		"fleet.ini:3: cas: Lab: its RA certificate ends 20.*\`scep ca ra request Lab\`"
	ahead 740
	exits 1 "and says that it is over" "$SCEP" alias check fleet
	like "by its line" "$(cat .out)" \
		"fleet.ini:3: cas: Lab: its RA certificate has ended 20.*new requests get HTTP 503"
	today
else
	skip "ends of [queue] ra" "needs libfaketime, on the plain build"
fi

# --- the RA's certificate ends while requests wait --------------------------------------------

# The homes of the beginning: the CA has not rolled over there.
ok "scep check of the CA's home" env SCEP_HOME="$ROOT/ca" "$SCEP" check
rm -rf ca ra copy && mv ca.first ca && mv ra.first ra

# A refused one, whose record the RA has lost, and which came again days later:
# each letter has an answer of its own, which is forgotten in its own time.
if [ -n "$faketime" ]; then
	at_ca
	code=$(add_entity lost --ca Lab --subject CN=lost,O=Lab)
	at_ra
	is "a wrong code" "$(enrol lost guess-it-right codes)" PENDING
	carry_out
	rm ra/store/queue/codes/out/*
	take
	like "is refused" "$(cat pull.out)" "refused CN=lost: wrong code"
	ahead 5
	is "its record was lost; it comes again" \
		"$(enrol lost guess-it-right codes)" PENDING
	ok "in five days" pull
	like "it has the same answer" "$(cat pull.out)" "^0 issued, 0 refused, 0 wait, 1 answered"
	cp -a copy further
	is "which it gets" "$(poll lost codes)" "failinfo 2"
	is "two answers are kept" "$(done_of codes)" 2
	at_ca
	quietly "$SCEP" entity setpwd lost --password guess-it-right
	at_ra
	ahead 93
	ok "the first one is forgotten" prune
	is "alone" "$(cat .out)" "1 forgotten, 1 kept"
	rm -rf copy && mv further copy
	ok "the second letter once more" take
	like "has its answer" "$(cat pull.out)" \
		"^0 issued, 0 refused, 0 wait, 1 answered before"
	today
	is "no certificate" "$(certs lost)" 0
fi
if [ -n "$faketime" ]; then
	is "a request waits" "$(enrol waits "$SECRET" fleet)" PENDING
	ahead 735
	: >log
	is "when it has ended nothing more is taken" \
		"$(enrol late2 "$SECRET" fleet)" "http 503"
	like "the log says why" "$(cat log)" \
		"no RA certificate of CA Lab is valid now.*scep ca ra request Lab"
	is "one waits" "$("$SCEP" queue list 2>list.err | grep -c CN=)" 1
	like "the list says what to do" "$(cat list.err)" \
		"alias fleet: CA Lab: its RA certificate has ended 20.* must be pulled within 30 days"
	"$SCEP" status >status.out 2>&1
	like "so does status" "$(cat status.out)" \
		"has expired; \`scep ca ra request\` begins the next"
	is "who has waited waits on" "$(poll waits fleet)" PENDING
	carry_out
	cp -a ca later
	ahead 790
	SCEP_HOME=$ROOT/later
	"$SCEP" queue pull copy >pull.out 2>pull.err
	is "sixty days later it is too late" $? 1
	like "which is told" "$(cat pull.err)" \
		"the RA's certificate ended more than 30 days ago: remove the request"
	rm -rf later
	at_ra
	ahead 735
	ok "before that the CA takes it" pull
	is "the RA's certificate is a new one" "$(quietly "$SCEP" ca ra request \
		Lab --out ra2.csr && at_ca && quietly "$SCEP" ca ra sign Lab \
		ra2.csr --out ra2.pem && at_ra &&
		quietly "$SCEP" ca ra install Lab ra2.pem && echo yes)" yes
	is "who has waited has its certificate" "$(poll waits fleet)" SUCCESS
	cat ra2.pem >>ca/queue-ra.pem
	is "a device that has the old one is taken" \
		"$(enrol late2 "$SECRET" fleet)" PENDING
	ok "by the new one" pull
	is "and served" "$(poll late2 fleet)" SUCCESS
	today
else
	skip "the end of an RA" "needs libfaketime, on the plain build"
fi
done_testing
