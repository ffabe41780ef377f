#!/bin/sh
# Renewal in CA mode (C-77, C-112, C-121 to C-127, C-174): RenewalReq (17), and
# PKCSReq (19) signed with an issued certificate.
# shellcheck disable=SC1091,SC2034,SC2154 # lib.sh uses them
. "${0%/*}/lib.sh"

make_home

# Keys are slow to make: a few are used over and over, by different entities.
for k in a b c d; do
	client_key "$k"
done

alias_set() { "$SCEP" alias set scep "$@" >>log 2>&1; }

# NAME KEY OPTIONS...: a first certificate by password, NAME-0.pem.
enrol() {
	_entity=$1 _key=$2
	shift 2
	_code=$(add_entity "$_entity" "$@")
	cp "$_key.key" "$_entity.key"
	pkcsreq "$_entity" "$_code" && send "$_entity" &&
		[ "$(reply "$_entity" status)" = 0 ]
}

# NAME KEY SIGNER-CERT SIGNER-KEY OPTIONS...: the renewal NAME.der with that
# new key, signed with the old certificate; type 17 unless --type says so.
renewal() {
	_name=$1 _key=$2 _cert=$3 _old=$4
	shift 4
	cp "$_old" "$_name.key" # the reply is for the old key (C-127)
	cp "$_cert" "$_name.crt"
	builder pkcsreq --ca ca.pem --key "$_key" --signer-cert "$_cert" \
		--signer-key "$_old" --txid "id-$_name" --type 17 \
		--csr-out "$_name.csr" --out "$_name.der" "$@"
}

# NAME: status and failInfo of its answer; 0 is a certificate.
answer() {
	send "$1"
	_fail=$(reply "$1" failinfo)
	echo "$(reply "$1" status)${_fail:+/$_fail}"
}
why() { grep -o "reason=.*" log | tail -n 1; }

request GET "/scep?operation=GetCACaps"
like "capabilities say Renewal (C-25)" "$(cat body)" '^Renewal'

ok "a first certificate" enrol r1 a --subject "CN=r1,O=Lab" \
	--san "dNSName=r1.example,iPAddress=10.0.0.1"
cp r1-0.pem r1.pem

# --- the window -------------------------------------------------------------
ok "a renewal on the first day" renewal early b.key r1.pem a.key --subject /CN=r1
is "is too early (C-125)" "$(answer early)" 2/2
like "the log says so" "$(why)" "too early"
alias_set window 0%
ok "a renewal by type 17, with a CN alone" \
	renewal n17 b.key r1.pem a.key --subject /CN=r1
is "gives a certificate (C-121)" "$(answer n17)" 0
is "with the entity's names" \
	"$(openssl x509 -in n17-0.pem -noout -subject -ext subjectAltName | tr -d ' \n')" \
	"$(openssl x509 -in r1.pem -noout -subject -ext subjectAltName | tr -d ' \n')"
is "for the new key" "$(openssl x509 -in n17-0.pem -noout -pubkey)" \
	"$(openssl pkey -in b.key -pubout)"
not_ok "and a new serial number" [ "$(serial n17-0.pem)" = "$(serial r1.pem)" ]

# --- replays ----------------------------------------------------------------
cp n17-0.pem first.pem
is "the same again gets the same (C-174)" \
	"$(answer n17) $(serial n17-0.pem)" "0 $(serial first.pem)"
ok "the same CSR under another transactionID" renewal again b.key r1.pem a.key \
	--csr n17.csr
is "gets the same" "$(answer again) $(serial again-0.pem)" \
	"0 $(serial first.pem)"
alias_set window 50%
ok "another CSR, signed by what has paid" \
	renewal twice c.key r1.pem a.key --subject /CN=r1
is "too early by the latest certificate, whoever signs" "$(answer twice)" 2/2
alias_set window 0%

# --- type 19, and the chain goes on ------------------------------------------
ok "by type 19, as the draft has it, with an empty challenge" \
	renewal n19 c.key first.pem b.key --type 19 --subject /CN=r1/O=lab \
	--challenge ""
is "gives a certificate (C-111, C-122)" "$(answer n19)" 0
ok "a stale challenge" renewal stale d.key n19-0.pem c.key --type 19 \
	--subject "/CN=R1/O= Lab" --challenge "$(cat r1.code 2>/dev/null)stale"
is "is ignored (C-112)" "$(answer stale)" 0
cp stale-0.pem latest.pem # of d.key

# --- what is refused, and how (fact sheet 5) -----------------------------------
ok "an old key" renewal oldkey d.key latest.pem d.key --subject /CN=r1
is "is refused" "$(answer oldkey)" 2/2
ok "the key of an older certificate" renewal older a.key latest.pem d.key \
	--subject /CN=r1
is "is refused too" "$(answer older)" 2/2
client_key e
refused() { # NAME ANSWER DESCRIPTION OPTIONS...
	_n=$1 _want=$2 _what=$3
	shift 3
	renewal "$_n" e.key latest.pem d.key "$@"
	is "$_what: $_want" "$(answer "$_n")" "$_want"
}
refused names 2/1 "another CN" --subject /CN=r2
refused more 2/1 "one attribute too many" --subject /CN=r1/OU=Sales
refused pop 2/1 "a CSR whose signature is wrong" --subject /CN=r1 \
	--break csr-bad-signature
refused pad 2/1 "wrong padding" --subject /CN=r1 --break pad-zero
refused noise 2/1 "no CSR at all" --subject /CN=r1 --break content-noise
refused san 2/2 "a SAN too many" --subject /CN=r1 --san "dns:r9.example"
refused outer 2/1 "a bad outer signature" --subject /CN=r1 --break bad-signature
ok "a SAN that it has, and ignored attributes" renewal within e.key latest.pem \
	d.key --subject "/CN=r1/serialNumber=4711/unstructuredName=x.y" \
	--san "dns:r1.example"
is "are fine (C-123)" "$(answer within)" 0
cp within-0.pem latest.pem # of e.key
unlike "and do not get into the certificate" \
	"$(openssl x509 -in latest.pem -noout -subject)" 4711

# A stranger's certificate that names our CA as its issuer.
openssl req -x509 -key a.key -subj "/CN=Test CA/O=Lab/C=SE" -out fake.pem \
	2>/dev/null
openssl req -new -key b.key -subj /CN=r1 2>/dev/null |
	openssl x509 -req -CA fake.pem -CAkey a.key -out forged.pem \
		-set_serial "0x$(serial latest.pem)" 2>/dev/null
for type in 17 19; do
	renewal forged$type c.key forged.pem b.key --subject /CN=r1 --type $type
	is "$type by a forged certificate" "$(answer forged$type)" 2/1
done
openssl req -x509 -key a.key -subj /CN=r1 -out self.pem 2>/dev/null
renewal self b.key self.pem a.key --subject /CN=r1
is "17 by a self-signed one" "$(answer self)" 2/1

# --- another entity, revoked, held, blocked, deleted -----------------------------
ok "a second entity" enrol r2 a
renewal other b.key r2-0.pem a.key --subject /CN=r1
is "another entity's names" "$(answer other)" 2/1
"$SCEP" cert revoke "$(serial r2-0.pem)" --reason certificateHold >>log
for type in 17 19; do
	renewal held$type b.key r2-0.pem a.key --subject /CN=r2 --type $type
	is "$type by one that is held" "$(answer held$type)" 2/1
done
"$SCEP" cert unrevoke "$(serial r2-0.pem)" >>log
"$SCEP" entity block r2 >>log
renewal blocked b.key r2-0.pem a.key --subject /CN=r2
is "a blocked entity" "$(answer blocked)" 2/2
"$SCEP" entity unblock r2 >>log
renewal freed b.key r2-0.pem a.key --subject /CN=r2
is "unblocked, it goes on" "$(answer freed)" 0
"$SCEP" cert revoke "$(serial freed-0.pem)" --reason keyCompromise >>log
renewal gone c.key freed-0.pem b.key --subject /CN=r2
is "one that was revoked" "$(answer gone)" 2/1
renewal back c.key r2-0.pem a.key --subject /CN=r2
is "as what it bought was revoked, the old one buys again" "$(answer back)" 0

# --- settings ------------------------------------------------------------------
ok "a third entity" enrol r3 a
alias_set clientcertificaterenewalwitholdkey yes
renewal same a.key r3-0.pem a.key --subject /CN=r3
is "the old key, where that is admitted" "$(answer same)" 0
ok "one that keeps its key" enrol stays a --subject CN=stays
cp stays.der enrolment.der && cp stays-0.pem stays.pem && cp stays.csr kept.csr
ok "renews with the very CSR that it enrolled with" renewal kept a.key stays.pem \
	a.key --type 19 --csr kept.csr --txid id-stays
is "and gets another certificate" "$(answer kept)" 0
not_ok "of another serial number" [ "$(serial kept-0.pem)" = "$(serial stays.pem)" ]
cp kept-0.pem kept.pem
is "the same again gets that" "$(answer kept) $(serial kept-0.pem)" \
	"0 $(serial kept.pem)"
cp enrolment.der stays.der
is "the enrolment, sent again, its own" "$(answer stays) $(serial stays-0.pem)" \
	"0 $(serial stays.pem)"
alias_set clientcertificaterenewalwitholdkey no
alias_set challenge yes
renewal wrong b.key same-0.pem a.key --subject /CN=r3 --challenge wrong
is "a wrong challenge, where one is wanted" "$(answer wrong)" 2/2
alias_set challenge no
alias_set clientcertificaterenewal no
renewal off b.key same-0.pem a.key --subject /CN=r3
is "17 where renewal is off" "$(answer off)" 2/2
request GET "/scep?operation=GetCACaps"
unlike "capabilities do not say Renewal then" "$(cat body)" '^Renewal'
alias_set clientcertificaterenewal yes

# --- superseded ------------------------------------------------------------------
status_of() { "$SCEP" cert show "$1" | grep -E '^(State|Reason)'; }
alias_set supersede used
renewal next b.key same-0.pem a.key --subject /CN=r3
is "a renewal" "$(answer next)" 0
unlike "leaves the old one valid" "$(status_of "$(serial same-0.pem)")" revoked
renewal seen c.key next-0.pem b.key --subject /CN=r3
is "until the new one is used" "$(answer seen)" 0
like "then it is superseded (C-126)" \
	"$(status_of "$(serial same-0.pem)")" superseded
alias_set supersede 0d
renewal days d.key seen-0.pem c.key --subject /CN=r3
is "after some days" "$(answer days)" 0
"$SCEP" crl issue >>log 2>&1
like "the CRL has it" "$(status_of "$(serial seen-0.pem)")" superseded
alias_set supersede no

# --- another profile, a listed CA ---------------------------------------------------
ok "a fourth entity" enrol r4 a
"$SCEP" entity set r4 --profile tls-server >>log 2>&1
renewal moved b.key r4-0.pem a.key --subject /CN=r4
is "its profile was changed (C-124)" "$(answer moved)" 2/2
"$SCEP" entity set r4 --profile ENDUSER >>log 2>&1
{
	"$SCEP" ca create Other --subject "CN=Other CA" --key rsa:2048
	"$SCEP" alias add other --ca Other
	"$SCEP" ca export Other --out other.pem
} >>log 2>&1
code=$(add_entity r5 --ca Other)
builder pkcsreq --ca other.pem --key a.key --subject /CN=r5 --txid r5 \
	--challenge "$code" --cert-out r5.crt --out r5.der
SCEP_ALIAS=other request POST "/other?operation=PKIOperation" r5.der
builder certrep --ca other.pem --key a.key --cert r5.crt --in body \
	--out-prefix r5- >r5.rep
renewal strange b.key r5-0.pem a.key --subject /CN=r5
is "a certificate of a CA that is not listed" "$(answer strange)" 2/1
alias_set renewal.cas Other
is "of one that is (C-77)" "$(answer strange)" 0
ok "the new one is by the addressed CA" \
	openssl verify -CAfile ca.pem strange-0.pem

# --- at once ---------------------------------------------------------------------
renewal p0 e.key days-0.pem d.key --subject /CN=r3
for i in 1 2; do
	renewal "p$i" e.key days-0.pem d.key --csr p0.csr
done
lighttpd_start 2
for i in 0 0 1 2; do
	curl -s --data-binary "@p$i.der" -o /dev/null \
		"$URL/scep?operation=PKIOperation" &
	racers="${racers:-} $!"
done
for pid in $racers; do wait "$pid"; done
serials=
for i in 0 1 2; do
	is "one of several at once, asked again" "$(answer p$i)" 0
	serials="$serials $(serial p$i-0.pem)"
done
is "all have one certificate" \
	"$(echo "$serials" | tr ' ' '\n' | sort -u | grep -c .)" 1

# --- superseded, and fetched by a poll --------------------------------------------
client_key f
renewal polled f.key p0-0.pem e.key --subject /CN=r3
is "one more" "$(answer polled)" 0
alias_set supersede 0d
: >empty
renewal polled f.key p0-0.pem e.key --type 20 --csr empty
is "that is fetched by a poll" "$(answer polled)" 0
"$SCEP" crl issue >>log 2>&1
like "supersedes too (C-126)" "$(status_of "$(serial p0-0.pem)")" superseded
alias_set supersede no

# --- time ------------------------------------------------------------------------
faketime=$(find /usr/lib -name libfaketime.so.1 | head -n 1)
if [ -z "$faketime" ] || [ "${SCEP_FLAVOUR:-plain}" = asan ]; then
	skip "half a life, and expiry" "needs libfaketime, on the plain build"
else
	alias_set window 50%
	real=$SCEP
	for day in 364:2/2 366:0 735:2/1; do # of 730
		printf '#!/bin/sh\nFAKETIME=+%sd LD_PRELOAD=%s exec "%s" "$@"\n' \
			"${day%:*}" "$faketime" "$real" >timed
		chmod +x timed
		SCEP=$FRESH/timed
		renewal "day${day%:*}" "b.key" r4-0.pem a.key --subject /CN=r4
		is "on day ${day%:*} (C-125)" "$(answer "day${day%:*}")" \
			"${day#*:}"
	done
	SCEP=$real
fi

done_testing
