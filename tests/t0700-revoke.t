#!/bin/sh
# Revoking (C-176, C-182), holding, letting go; CRLs of the command line, judged
# by openssl; parallel issuers; entries that leave (C-197 to C-203).
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

out() { "$@" 2>/dev/null; }
err() { { "$@" >/dev/null; } 2>&1; }
faketime=$(find /usr/lib -name libfaketime.so.1 2>/dev/null | head -n 1)
REAL=$SCEP
[ "${SCEP_FLAVOUR:-plain}" != asan ] || faketime=

# WHEN COMMAND...: with the server's clock there, relative to now.
at() {
	_when=$1
	shift
	printf '#!/bin/sh\n%s LD_PRELOAD=%s exec "%s" "$@"\n' \
		"FAKETIME=$_when" "$faketime" "$REAL" >timed
	chmod 755 timed
	SCEP=$FRESH/timed
	"$@"
	SCEP=$REAL
}
scep() { "$SCEP" "$@"; }

# The newest CRL as anybody fetches it, to crl.der; its text to crl.txt.
fetch() {
	request GET /crl/ManagementCA.crl
	cp body crl.der
	openssl crl -inform DER -in crl.der -noout -text >crl.txt 2>&1
}
number() {
	openssl crl -inform DER -in "${1:-crl.der}" -noout -crlnumber |
		sed 's/.*=0x//; s/.*=//'
}
listed() { grep -qi "Serial Number: *$1\$" crl.txt; }

make_home
code=$(add_entity box --count 9)
for name in one two three; do
	client_key $name
	pkcsreq $name "$code" --subject /CN=box
	send $name
done
one=$(serial one-0.pem)
two=$(serial two-0.pem)
three=$(serial three-0.pem)

# --- an empty one -----------------------------------------------------------

fetch
is "a CRL for who asks first" "$STATUS" 200
ok "openssl verifies it" openssl crl -inform DER -in crl.der -noout \
	-verify -CAfile ca.pem
is "number 1" "$(number)" 01
like "version 2 (C-197)" "$(cat crl.txt)" "Version 2"
like "authorityKeyIdentifier (C-198)" "$(cat crl.txt)" \
	"Authority Key Identifier"
like "no revoked certificates (C-199)" "$(cat crl.txt)" \
	"No Revoked Certificates"
# the whole TBSCertList: thisUpdate, nextUpdate, [0]; no empty SEQUENCE
is "nor an empty list of them" "$(openssl asn1parse -inform DER -in crl.der |
	awk '$1 ~ /:d=2/ { print $NF, $(NF - 1) }' FS='[ :]+' |
	grep -c 'l= *0')" 0
like "nextUpdate a week ahead" "$(cat crl.txt)" "Next Update: "
fetch
is "the same for the next" "$(number)" 01

# --- revoking -----------------------------------------------------------------

exits 2 "an unknown reason" scep cert revoke "$one" --reason bored --yes
exits 2 "removeFromCRL is none" \
	scep cert revoke "$one" --reason removeFromCRL --yes
exits 2 "not in the future" scep cert revoke "$one" --date 2099-01-01 --yes
exits 1 "an unknown certificate" scep cert revoke 0123456789 --yes
exits 0 "by serial" scep cert revoke "$one" --reason keyCompromise --yes
like "show tells" "$(out scep cert show "$one")" "^State: *revoked$"
like "and why" "$(out scep cert show "$one")" "^Reason: *keyCompromise$"
like "list too" "$(out scep cert list)" " revoked "
like "JSON too" "$(out scep cert show "$one" --json)" \
	'"state":"revoked".*"reason":"keyCompromise"'
like "in the audit" "$(out scep audit show)" \
	"cert revoke.*keyCompromise"
exits 1 "twice is once" scep cert revoke "$one" --yes
like "and says so" "$(err scep cert revoke "$one" --yes)" \
	"revoked already.*keyCompromise"
exits 1 "not to be undone" scep cert unrevoke "$one"
exits 1 "what is not revoked cannot be let go" scep cert unrevoke "$two"
fetch
ok "the next answer has it, without a command" listed "$one"
like "with its reason (C-200)" "$(cat crl.txt)" "Key Compromise"
is "and the next number" "$(number)" 02
cat ca.pem >chain.pem
openssl crl -inform DER -in crl.der -out crl.pem
not_ok "openssl verify -crl_check refuses it" openssl verify \
	-CAfile ca.pem -CRLfile crl.pem -crl_check one-0.pem
ok "and takes another" openssl verify -CAfile ca.pem -CRLfile crl.pem \
	-crl_check two-0.pem

ok "without a reason" scep cert revoke two-0.pem --yes --date 2026-01-02
fetch
ok "by file" listed "$two"
is "unspecified is left out (C-200)" "$(grep -c 'Reason Code' crl.txt)" 1
like "with the date that was told" "$(cat crl.txt)" "Jan  2 00:00:00 2026"

ok "hold" scep cert revoke "$three" --reason certificateHold
fetch
ok "is on the CRL" listed "$three"
like "as a hold" "$(cat crl.txt)" "Certificate Hold"
like "cert list says held" "$(out scep cert list)" " held "
ok "let go" scep cert unrevoke "$three"
fetch
not_ok "is off the CRL" listed "$three"
unlike "no removeFromCRL in a full one" "$(cat crl.txt)" "Remove From"
ok "held again" scep cert revoke "$three" --reason certificateHold
ok "then revoked for good" scep cert revoke "$three" --yes \
	--reason superseded
exits 1 "for good" scep cert unrevoke "$three"
fetch
like "as superseded" "$(cat crl.txt)" "Superseded"
ok "check is content" scep check

# --- a revoked certificate answers no new request (C-136 d) --------------------

cp one.der before.der && cp one.crt before.crt
pkcsreq one "$code" --subject /CN=box --san dns:a
send one
is "a new request gets another" "$(reply one status)" 0
not_ok "serial number" test "$(serial one-0.pem)" = "$one"
fourth=$(serial one-0.pem)
cp before.der one.der && cp before.crt one.crt
send one
is "the old bytes get the old answer" "$(serial one-0.pem)" "$one"

# --- an entity -------------------------------------------------------------------

exits 2 "a reason for nothing" scep entity block box --reason superseded
ok "block alone" scep entity block box
fetch
not_ok "revokes nothing" listed "$fourth"
ok "block --revoke" scep entity block box --revoke \
	--reason cessationOfOperation
fetch
ok "revokes what is left" listed "$fourth"
is "four in all" "$(grep -c 'Serial Number' crl.txt)" 4
like "audit has the block" "$(out scep audit show)" "entity block  box  done"
like "and the certificate" "$(out scep audit show)" \
	"entity block  $(echo "$fourth" | tr A-F a-f)  done.*cessation"

# --- the command line's CRLs ---------------------------------------------------

last=$(number)
is "nothing is due" "$(out scep crl issue --due)" ""
like "issue makes one all the same" "$(out scep crl issue)" \
	"^ManagementCA  *1  *[0-9]"
fetch
not_ok "with another number" test "$(number)" = "$last"
like "show" "$(out scep crl show)" "^Entries: *4$"
like "show --json" "$(out scep crl show ManagementCA --json)" \
	'"state":"current".*"entries":4}'
ok "show --out" scep crl show --out shown.der
ok "is what is served" cmp shown.der crl.der
ok "show --pem" sh -c '"$SCEP" crl show --pem | openssl crl -noout'
exits 1 "of an unknown CA" scep crl issue Nobody
"$SCEP" cert revoke 0a0b --ca ManagementCA --yes >/dev/null
like "due" "$(out scep crl show)" "^State: *due$"
like "issue --due" "$(out scep crl issue --due)" "^ManagementCA"
fetch
ok "a serial that is not here" listed 0A0B
exits 2 "no hex" scep cert revoke nobody --ca ManagementCA --yes

# --- many at once ------------------------------------------------------------------

# Each says by which number its revocation was shown.
before=$(find home/store/crl -name '*.crl' | wc -l)
pids=
for i in 1 2 3 4 5 6; do
	for half in c d; do
		which=0${half}0$i
		"$SCEP" cert revoke "$which" --ca ManagementCA --yes \
			>/dev/null
		echo "$which $("$SCEP" crl issue)"
	done >"issued.$i" 2>>log &
	pids="$pids $!"
done
# shellcheck disable=SC2086 # words
wait $pids
after=$(find home/store/crl -name '*.crl' | wc -l)
ok "more CRLs" test "$after" -gt $((before + 1))
is "numbers without gaps" "$(find home/store/crl -name '*.crl' |
	sed 's|.*/||; s|\.crl||' | sort -n | tr '\n' ' ')" \
	"$(seq 1 "$after" | tr '\n' ' ')"
wrong=
had=0
for n in $(seq $((before + 1)) "$after"); do
	openssl crl -inform DER -noout -text \
		-in home/store/crl/ManagementCA/1/"$n".crl >"n$n.txt"
	has=$(grep -c 'Serial Number' "n$n.txt")
	[ "$has" -ge "$had" ] || wrong="$wrong shrunk:$n"
	[ "$(number home/store/crl/ManagementCA/1/"$n".crl)" = \
		"$(printf '%02X' "$n")" ] || wrong="$wrong number:$n"
	had=$has
done
is "each has its number, none forgets what one before had" "$wrong" ""
cat issued.? | grep ManagementCA | sort >issued
is "twelve were asked for" "$(wc -l <issued)" 12
wrong=
while read -r which _ _ n _; do
	grep -qi "Serial Number: *$which\$" "n$n.txt" ||
		wrong="$wrong $which:$n"
done <issued
is "each shows what had been revoked before it" "$wrong" ""
fetch
is "and the newest shows all" \
	"$(grep -c 'Serial Number: 0[CD]0[1-6]$' crl.txt)" 12

# --- 503 and the last one, when nothing can be signed ---------------------------------

if [ -n "$faketime" ]; then
	# A day before the end the next one comes (C-203).
	last=$(number)
	at +5d fetch
	is "five days later: the same" "$(number)" "$last"
	at +6.5d fetch
	not_ok "six and a half: the next" test "$(number)" = "$last"
	last=$(number)
	cp home/ca/ManagementCA/1/key.pem key.pem
	echo damaged >home/ca/ManagementCA/1/key.new
	mv -f home/ca/ManagementCA/1/key.new home/ca/ManagementCA/1/key.pem
	within_an_hour 30 # once an hour, by a clock that is days ahead
	: >log
	at +7d fetch
	is "no key: the last one" "$(number)" "$last"
	at +7d fetch
	is "which is warned of once" \
		"$(grep -c "no new CRL (.*handed out until" log)" 1
	is "and so is the key" "$(grep -c "1/key.pem" log)" 1
	at +7d request GET /crl/ManagementCA/1.crl
	is "by its generation too" "$STATUS" 200
	at +20d fetch
	is "until its nextUpdate" "$STATUS" 503
	like "with Retry-After" "$(cat headers)" "^Retry-After:"
	: >log
	at +20d fetch
	unlike "warned of once an hour" "$(cat log)" "no CRL"
	at +20.1d fetch
	like "and again in another" "$(cat log)" "no CRL"
	cp key.pem home/ca/ManagementCA/1/key.new
	mv -f home/ca/ManagementCA/1/key.new home/ca/ManagementCA/1/key.pem
	chmod 0400 home/ca/ManagementCA/1/key.pem
	at +20d fetch
	is "the key is back: a CRL" "$STATUS" 200

	# C-201: an entry leaves when it was on one behind its notAfter.
	at +729d fetch
	ok "before the end of the certificate: on it" listed "$one"
	at +735d fetch
	ok "behind it: on the first" listed "$one"
	at +750d fetch
	not_ok "and then no more" listed "$one"
	ok "one whose end is not known stays" listed 0A0B
	at +3655d fetch
	is "an expired CA still has a CRL" "$STATUS" 200
	ok "which its key signed" listed 0A0B
	rm -f home/store/crl/ManagementCA/1/warned,*
else
	skip "later" "needs libfaketime, on the plain build"
fi
done_testing
