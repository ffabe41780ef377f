#!/bin/sh
# A CA that has begun with its next key signs the CRLs of its former one still
# (C-202): they come to the external RA too, which answers for what that key
# has issued.
# shellcheck disable=SC1091,SC2034,SC2154 # lib.sh uses them
. "${0%/*}/lib.sh"
. "$TOP/tests/queue.sh"

faketime=$(find /usr/lib -name libfaketime.so.1 | head -n 1)
if [ -z "$faketime" ] || [ "${SCEP_FLAVOUR:-plain}" = asan ]; then
	skip_all_tests "needs libfaketime, on the plain build"
fi
two_homes
SECRET="a joint secret of the fleet"
IN=ra/store/queue/fleet/in
REAL=$SCEP

# DAYS: from now on the program's clock is so far ahead.
ahead() {
	printf '#!/bin/sh\nFAKETIME=+%sd LD_PRELOAD=%s NO_FAKE_STAT=1 exec "%s" "$@"\n' \
		"$1" "$faketime" "$REAL" >timed
	chmod 755 timed
	SCEP=$FRESH/timed
}
letters() { find "$1" -name 'news,*' | wc -l; }
revoke() { # FILE: on the CA's host
	at_ca
	quietly "$SCEP" cert revoke "$(serial "$1")" --ca Lab --yes
	at_ra
}
# CERT: by GetCRL of the RA, the CRL of who has issued it: got.crl.
get_crl() {
	builder wanted --cert "$1" --out wanted 2>>log
	builder pkcsreq --ca ra.pem --key old.key --type 22 --csr wanted \
		--txid about --cert-out old.crt --out about.der 2>>log
	request POST "/scep/fleet/pkiclient.exe?operation=PKIOperation" about.der
	[ "$STATUS" = 200 ] || { echo "http $STATUS" && return; }
	builder certrep --ca ra.pem --key old.key --cert old.crt --in body \
		--out-prefix got- >got.rep 2>>log
	openssl crl -in got-crl.pem -noout -text >got.crl
	echo "status $(reply got status)"
}
is_listed() { grep -q "Serial Number: $(serial "$1")" got.crl; }
of_key() { openssl crl -in got-crl.pem -noout -verify -CAfile "$1" 2>/dev/null; }

for name in old gone; do
	is "$name asks" "$(enrol $name "$SECRET" fleet)" PENDING
	ok "the CA takes it" pull
	is "and has its certificate" "$(poll $name fleet)" SUCCESS
	cp $name-0.pem $name.pem
done
is "with one key there is one letter of news" "$(letters copy/fleet/in)" 1

at_ca
quietly "$SCEP" ca rollover Lab --start "$(date -u -d '20 days' +%Y-%m-%d)"
at_ra
ok "a pull" pull
is "brings one letter before the next key begins" "$(letters copy/fleet/in)" 1
ok "which is taken" "$SCEP" queue import --here
ok "with the next certificate" test -e ra/ca/Lab/2/cert.pem

# --- the next key has begun ---------------------------------------------------------

ahead 21
ok "a pull" pull
is "two letters of news" "$(letters copy/fleet/in)" 2
quietly "$SCEP" queue import --here
is "all news are taken" "$(letters "$IN")" 0
is "GetCRL for the former key" "$(get_crl old.pem)" "status 0"
ok "is that key's" of_key ra/ca/Lab/1/cert.pem
not_ok "nothing is revoked yet" is_listed old.pem
revoke old.pem
ok "revoked on the CA's host: a pull" pull
is "GetCRL of the RA" "$(get_crl old.pem)" "status 0"
ok "has it" is_listed old.pem
ok "by the former key" of_key ra/ca/Lab/1/cert.pem
not_ok "and nothing else" is_listed gone.pem
is "GetCRL for the next key" "$(get_crl ra/ca/Lab/2/cert.pem)" "status 0"
ok "is that one's" of_key ra/ca/Lab/2/cert.pem
is "the one that lives is given again" "$(enrol gone "$SECRET" fleet)" SUCCESS
is "what was revoked is not: it is asked for anew" "$(enrol old "$SECRET" fleet)" PENDING
ok "the CA decides" pull

# --- when the CRL of the rollover would have ended ----------------------------------

ahead 40
ok "weeks later: a pull" pull
is "the former key still has a CRL" "$(get_crl old.pem)" "status 0"
ok "with what was revoked" is_listed old.pem

# --- by the stream, and what is none -------------------------------------------------

revoke gone.pem
printf '#!/bin/sh\nSCEP_HOME=%s exec "%s" queue "$@"\n' "$ROOT/ra" "$SCEP" >far
chmod 755 far
at_ca
ok "by the stream too" "$SCEP" queue pull --command "$FRESH/far"
at_ra
is "GetCRL" "$(get_crl gone.pem)" "status 0"
ok "has the other one" is_listed gone.pem

openssl x509 -in ra/ca/Lab/1/cert.pem -noout -pubkey | openssl pkey -pubin \
	-outform DER -out former.spki
former=news,$(sha256sum <former.spki | cut -c1-16)
carry_out
ok "new letters" pull
ok "one is named by the former key" test -e "$IN/$former"
present=$(cd "$IN" && find . -name 'news,*' ! -name "$former")
cp "$IN/$present" "$IN/$former"
exits 1 "the present news in its place" "$SCEP" queue import --here
like "are told of" "$(cat .out)" \
	"fleet: news is not taken: it was written under another name"
is "once" "$(grep -c "not taken" .out)" 1
is "and gone, and the others taken" "$(letters "$IN")" 0
ok "the RA's home is whole" "$SCEP" check

# --- its last certificate has ended --------------------------------------------------

ends=$(openssl x509 -in ra/ca/Lab/1/cert.pem -noout -enddate)
days=$((($(date -d "${ends#*=}" +%s) - $(date +%s)) / 86400))
"$SCEP" queue export >stream.out
cat >far <<-END
#!/bin/sh
[ "\$1" = import ] && exec cat >>$FRESH/stream.in
exec cat $FRESH/stream.out
END
news() { # how many letters does a pull make?
	: >stream.in
	at_ca
	quietly "$SCEP" queue pull --command "$FRESH/far"
	at_ra
	grep -c '^file fleet news,' stream.in
}
ahead $((days - 2))
is "two days before the former certificate's end: two letters" "$(news)" 2
ahead $((days + 2))
is "two days behind it: one" "$(news)" 1
SCEP=$REAL
done_testing
