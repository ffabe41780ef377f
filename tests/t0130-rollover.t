#!/bin/sh
# A CA goes on: its next generation, by GetNextCACert and by enrolment ahead
# (C-23, C-37, C-39 to C-42, C-128, C-129), the former one for a while (C-130) and its CRL
# (C-202); renew, rename, an end without a next.
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

# NAME CERT [ALIAS]: sends NAME.der, which is for CERT; its reply must be
# signed by CERT's key.
ask() {
	request POST "/scep/${3:-scep}?operation=PKIOperation" "$1.der"
	[ "$STATUS" = 200 ] || return 1
	builder certrep --ca "$2" --key device.key --cert "$1.crt" \
		--in body --out-prefix "$1-" >"$1.rep" 2>>log
}
# NAME CERT [ALIAS [CA]]: enrols through CERT.
enrol() {
	_code=$(add_entity "$1" --ca "${4:-ManagementCA}")
	builder pkcsreq --ca "$2" --key device.key --challenge "$_code" \
		--txid "id-$1" --subject "/CN=$1" --cert-out "$1.crt" \
		--out "$1.der" || return 1
	ask "$1" "${5:-$2}" "${3:-scep}" && [ "$(reply "$1" status)" = 0 ]
}
# NAME CERT: polls for NAME by an envelope to CERT.
poll() {
	cp "$1.crt" "poll-$1.crt"
	builder pkcsreq --type 20 --ca "$2" --key device.key \
		--txid "id-$1" --subject "/CN=$1" --cert-out "poll-$1.crt" \
		--out "poll-$1.der" && ask "poll-$1" "${3:-$2}" &&
		[ "$(reply "poll-$1" status)" = 0 ] &&
		cmp -s "poll-$1-0.pem" "$1-0.pem"
}
get() { request GET "/scep/${2:-scep}?operation=$1"; }
below() { openssl verify -no_check_time -CAfile "$@"; }
begins() { openssl x509 -in "$1" -noout -startdate; }
ends() { openssl x509 -in "$1" -noout -enddate; }
text() { openssl x509 -in "$1" -noout -text; }
certs() { openssl pkcs7 -inform DER -in "$1" -print_certs; }
split() { # FILE PREFIX: certificates of a PKCS#7 into PREFIX0.pem and on
	certs "$1" | awk -v p="$2" '/BEGIN/ { f = p n++ ".pem" }
		/BEGIN/, /END/ { print >f }'
}
crl() { # URL-PATH: serial numbers of a CRL
	request GET "$1"
	[ "$STATUS" = 200 ] && cp body "$FRESH/got.crl" &&
		openssl crl -inform DER -in body -noout -text |
		sed -n 's/ *Serial Number: //p' | tr '\n' ' '
}
signed() { openssl crl -inform DER -in got.crl -noout -CAfile "$1"; }
number() { openssl crl -inform DER -in got.crl -noout -crlnumber; }

client_key device
at_day 0
"$SCEP" init >.out 2>&1
printf '[site]\nbaseurl = http://pki.test\n' >home/scep.ini
{
	"$SCEP" ca create ManagementCA --subject "CN=Management CA,O=Lab" \
		--key rsa:2048 --days 400
	"$SCEP" ca create EC --subject CN=EC --key ec:P-256 --days 400
	"$SCEP" ca create Sub --subject CN=Sub --key ec:P-256 --days 400 \
		--parent ManagementCA
	"$SCEP" alias add scep --ca ManagementCA
	"$SCEP" alias add ec --ca EC
} >>.out 2>&1
"$SCEP" ca export ManagementCA --out ca.pem
"$SCEP" ca export EC --out ec.pem
"$SCEP" ca export Sub --out sub.pem

# --- URLs in what CAs here get and give (C-192) ---------------------------------

like "a sub-CA names its issuer's CRL" "$(text sub.pem)" \
	"URI:http://pki.test/crl/ManagementCA/1.crl"
like "and its certificate" "$(text sub.pem)" \
	"CA Issuers - URI:http://pki.test/ca/ManagementCA/1.cer"
like "so does an RA" "$(text home/ca/EC/ra/1/cert.pem)" \
	"URI:http://pki.test/crl/EC/1.crl"
unlike "a root does not" "$(text ca.pem)" "URI:"

# --- before -----------------------------------------------------------------------

get GetCACaps
unlike "nothing to come: not in GetCACaps (C-41)" "$(cat body)" GetNextCACert
get GetNextCACert
is "and 404" "$STATUS" 404
ok "a client enrols" enrol old ca.pem
ok "and one at the EC CA's RA" enrol ecold home/ca/EC/ra/1/cert.pem ec EC

# A sub-CA whose issuer is elsewhere.
client_key far
openssl req -x509 -key far.key -out far.pem \
	-days 4000 -subj "/CN=Far Root" \
	-addext "keyUsage=critical,keyCertSign,cRLSign" 2>>log
printf '%s\n' basicConstraints=critical,CA:TRUE \
	keyUsage=critical,keyCertSign,cRLSign,digitalSignature >far.ext
far_sign() { # CSR CERT DAY DAYS
	FAKETIME=+${3}d LD_PRELOAD=$faketime openssl x509 -req -in "$1" \
		-CA far.pem -CAkey far.key -days "$4" -extfile far.ext \
		-CAcreateserial -out "$2" 2>>log
}
"$SCEP" ca request Away --subject CN=Away --key ec:P-256 --out away.csr
far_sign away.csr away.pem 0 400
ok "a sub-CA of an issuer elsewhere" "$SCEP" ca install Away away.pem far.pem

# --- status: 90 days before ---------------------------------------------------------

at_day 305
like "95 days before the end all is well" \
	"$("$SCEP" status)" "^ca ManagementCA: OK, 9[45] days left$"
at_day 330
like "70 days before, the command is named" "$("$SCEP" status)" \
	"^ca ManagementCA: WARNING, .*.scep ca rollover ManagementCA."
like "where the issuer is elsewhere, that one" "$("$SCEP" status)" \
	"^ca Away: WARNING, .*.scep ca request Away --next."

# --- rollover ---------------------------------------------------------------------

ok "the next generation" "$SCEP" ca rollover ManagementCA
exits 1 "is made once" "$SCEP" ca rollover ManagementCA
exits 1 "and not passed by a renewal" "$SCEP" ca renew ManagementCA
exits 2 "no start in the past" "$SCEP" ca rollover EC --start 2020-01-01
exits 1 "nor one behind the present one's end" \
	"$SCEP" ca rollover EC --start 2099-01-01
like "status: taken care of" "$("$SCEP" status)" \
	"^ca ManagementCA: OK, .* days left, the next one begins at"
next=home/ca/ManagementCA/2
is "it starts 30 days before the end" \
	"$(date -u -d "$(begins $next/cert.pem | cut -d= -f2)" +%s)" \
	"$(date -u -d "$(ends ca.pem | cut -d= -f2) -30 days" +%s)"
not_ok "with a key of its own" cmp -s $next/key.pem home/ca/ManagementCA/1/key.pem
like "show tells which is which" "$("$SCEP" ca show ManagementCA |
	sed -n 's/^State: *//p' | tr '\n' ' ')" "^current next $"
get GetCACaps
like "GetCACaps has it now (C-41)" "$(cat body)" "^GetNextCACert$"
get GetCACert
is "GetCACert has the current one alone" \
	"$(openssl x509 -inform DER -in body)" "$(openssl x509 -in ca.pem)"
get GetNextCACert
cp body next.p7
is "GetNextCACert" "$STATUS $(header Content-Type)" \
	"200 application/x-x509-next-ca-cert"
verify() { openssl cms -verify -binary -inform DER -in next.p7 -out inner.p7 \
	-nointern -certfile "$1" -CAfile "$1" -purpose any; }
ok "is signed by the current CA (C-39)" verify ca.pem
not_ok "and not by the next" verify $next/cert.pem
ok "is signed by the current CA" verify ca.pem
split inner.p7 inner
is "holds the next certificate, nested (C-40)" \
	"$(cat inner0.pem)" "$(cat $next/cert.pem)"
split next.p7 outer
is "and in the outer set" "$(cat outer0.pem)" "$(cat inner0.pem)"
is "alone: neither set has the signer's" "$(find . -name '*er1.pem')" ""
printed=$(openssl cms -cmsout -print -inform DER -in next.p7)
like "with SHA-256 (C-42)" "$printed" "algorithm: sha256 "
unlike "without SCEP attributes" "$printed" "2.16.840.1.113733"
is "contentType and messageDigest are all" "$(printf '%s\n' "$printed" |
	sed -n '/signedAttrs/,/signatureAlgorithm/s/.*object: //p' | wc -l)" 2
mv inner0.pem next.pem

# --- enrolment ahead ------------------------------------------------------------------

ok "a request to the next is answered by the next (C-128)" enrol ahead next.pem
ok "it issued" below next.pem ahead-0.pem
is "from its own beginning on (C-129)" "$(begins ahead-0.pem)" \
	"$(begins next.pem)"
like "the URLs are the next one's" "$(text ahead-0.pem)" \
	"URI:http://pki.test/crl/ManagementCA/2.crl"
ok "a request to the current as before" enrol now ca.pem
ok "the current issued" below ca.pem now-0.pem
request GET /crl/ManagementCA/2.crl
is "no CRL of what has not begun" "$STATUS" 404
"$SCEP" cert revoke old >.out
"$SCEP" cert revoke ahead >>.out

# The EC CA with its RA, the local sub-CA, the one with an issuer elsewhere.
ok "one with an RA gets the next RA too" "$SCEP" ca rollover EC
rm -rf home/ca/EC/ra/2
ok "which is made by the same command if a crash took it" \
	"$SCEP" ca rollover EC
get GetNextCACert ec
cp body ecnext.p7
split ecnext.p7 ecnext
is "GetNextCACert: the next CA, then its RA" \
	"$(cat ecnext0.pem ecnext1.pem)" \
	"$(cat home/ca/EC/2/cert.pem home/ca/EC/ra/2/cert.pem)"
ok "a request to the next RA is answered by it" enrol ecahead ecnext1.pem ec EC
ok "the next CA issued" below ecnext0.pem ecahead-0.pem
is "from its beginning" "$(begins ecahead-0.pem)" "$(begins ecnext0.pem)"
get GetCACert ec
split body ecnow
is "clients of today get today's RA" "$(cat ecnow0.pem)" \
	"$(cat home/ca/EC/ra/1/cert.pem)"
ok "a sub-CA by its local parent" "$SCEP" ca rollover Sub
ok "by the parent's next, where it starts with that" \
	below next.pem home/ca/Sub/2/cert.pem
exits 1 "not without the issuer" "$SCEP" ca rollover Away
"$SCEP" ca request Away --next --out away2.csr
"$SCEP" ca request Away --next --out again.csr
is "a request is made once" "$(cat away2.csr)" "$(cat again.csr)"
is "for the same name" "$(openssl req -in away2.csr -noout -subject)" \
	"subject=CN = Away"
exits 1 "the present certificate is no answer" \
	"$SCEP" ca install Away away.pem far.pem
far_sign away2.csr away2.pem 371 400
cp -r home/ca/Away/request saved
ok "the answer becomes the next" "$SCEP" ca install Away away2.pem far.pem
not_ok "and waits no more" test -e home/ca/Away/request
mv saved home/ca/Away/request
exits 1 "what a crash has left of it makes no other one" \
	"$SCEP" ca install Away away2.pem far.pem
not_ok "and is cleared away" test -e home/ca/Away/request
like "show" "$("$SCEP" ca show Away | sed -n 's/^State: *//p' | tr '\n' ' ')" \
	"^current next $"
ok "with an RA, as its key is no RSA key" test -e home/ca/Away/ra/2/cert.pem

# --- activation -----------------------------------------------------------------------

find home/ca -printf '%p %T@ %s\n' | sort >before
at_day 371
get GetCACert
is "time makes it the current one" "$(openssl x509 -inform DER -in body)" \
	"$(openssl x509 -in next.pem)"
get GetNextCACert
is "404 again" "$STATUS" 404
get GetCACaps
unlike "and no capability" "$(cat body)" GetNextCACert
get GetCACert ec
split body ecthen
is "the next RA with its CA" "$(cat ecthen0.pem)" "$(cat ecnext1.pem)"
find home/ca -printf '%p %T@ %s\n' | sort >after
ok "nothing was written for it" cmp before after
ok "the former key opens a poll (C-130)" poll now ca.pem
ok "and a request, which the former issues" enrol late ca.pem
ok "so it is" below ca.pem late-0.pem
ok "the former RA too" enrol eclate ecnow0.pem ec EC
is "the former's CRL has what it issued (C-202)" \
	"$(crl /crl/ManagementCA/1.crl)" "$(serial old-0.pem) "
ok "signed by its key" signed ca.pem
is "the current one's what that did" \
	"$(crl /crl/ManagementCA.crl)" "$(serial ahead-0.pem) "
ok "signed by the current key" signed next.pem

builder wanted --cert ca.pem --out wanted.der
builder pkcsreq --type 22 --csr wanted.der --ca next.pem --key device.key \
	--txid crl --subject /CN=now --cert-out crl.crt --out crl.der
ask crl next.pem
ok "GetCRL by the former certificate gets that key's (C-145)" \
	openssl crl -in crl-crl.pem -noout -CAfile ca.pem

# --- grace ---------------------------------------------------------------------------

at_day 399
ok "29 days later a poll still" poll now ca.pem
at_day 401
: >log
not_ok "31 days later not" poll now ca.pem
like "it is for no CA any more" "$(cat log)" "the envelope is for no CA"
not_ok "nor the former RA" enrol gone ecnow0.pem ec EC
is "the CRL is served on" "$(crl /crl/ManagementCA/1.crl)" \
	"$(serial old-0.pem) "
printf '[site]\nbaseurl = http://pki.test\n[ca]\ngrace = 40d\n' >home/scep.ini
ok "grace is a setting" poll now ca.pem
ok "behind the former's end the current issues, the former's key answers" \
	enrol later ca.pem
ok "so it does" below next.pem later-0.pem
printf '[ca]\ngrace = soon\n' >home/scep.ini
like "and a bad one is told" "$("$SCEP" check 2>&1; get GetCACert; cat log)" \
	"scep.ini:2: grace: it must be a duration"
printf '[site]\nbaseurl = http://pki.test\n' >home/scep.ini

# --- renew ------------------------------------------------------------------------------

crl /crl/ManagementCA.crl >.out
first=$(number)
ok "a new certificate for the same key" "$SCEP" ca renew ManagementCA --days 900
"$SCEP" ca export ManagementCA --out renewed.pem
is "has the same key" "$(openssl x509 -in renewed.pem -noout -pubkey)" \
	"$(openssl x509 -in next.pem -noout -pubkey)"
not_ok "and another serial number" test "$(serial renewed.pem)" = \
	"$(serial next.pem)"
get GetCACert
is "is served at once" "$(openssl x509 -inform DER -in body)" \
	"$(openssl x509 -in renewed.pem)"
ok "either certificate is a recipient: the new" enrol byrenewed renewed.pem
ok "and the old" enrol bynext next.pem
ok "either verifies what was issued before" below renewed.pem later-0.pem
ok "and since" below next.pem byrenewed-0.pem
"$SCEP" cert revoke byrenewed >.out
is "one CRL for the key" \
	"$(crl /crl/ManagementCA.crl | tr ' ' '\n' | sort | xargs)" \
	"$(printf '%s\n' "$(serial ahead-0.pem)" \
		"$(serial byrenewed-0.pem)" | sort | xargs)"
is "whose numbers go on" "$(($(number | sed 's/.*=//')))" \
	"$(($(echo "$first" | sed 's/.*=//') + 1))"
request GET /ca/ManagementCA/2.cer
is "the URL of the old has the new" "$(openssl x509 -inform DER -in body)" \
	"$(openssl x509 -in renewed.pem)"
like "show says so" "$("$SCEP" ca show ManagementCA)" "^Key: *of generation 2$"

# --- rename -------------------------------------------------------------------------------

"$SCEP" alias set scep cas "EC, ManagementCA"
"$SCEP" alias set scep defaultca EC
printf '\n[identifiers]\nMobile = ManagementCA\n' >>home/aliases/scep.ini
touch -d "1 hour ago" home/aliases/scep.ini
exits 1 "not to a name that is taken" "$SCEP" ca rename ManagementCA EC
exits 1 "not one that is not here" "$SCEP" ca rename Nobody Somebody
if strace -e trace=none true 2>/dev/null; then
	n=1 left=
	while strace -f -qq -o trace -e trace=renameat \
		-e "inject=renameat:signal=KILL:when=$n" "$REAL" ca rename \
		ManagementCA "Main CA" >.out 2>&1
	      grep -q "killed by SIGKILL" trace; do
		for name in ManagementCA "Main%20CA"; do
			request GET "/crl/$name/2.crl"
			left="$left$STATUS "
		done
		n=$((n + 1))
	done
	like "killed at each step, the old name is served, the new once it is" \
		"$left" "^200 404 (200 404 |200 200 )+$"
else
	"$SCEP" ca rename ManagementCA "Main CA" >.out
fi
ok "the same command again finishes it" \
	"$SCEP" ca rename ManagementCA "Main CA"
is "the aliases name the new" \
	"$(grep -v '^;' home/aliases/scep.ini | grep "CA" | tr '\n' ' ')" \
	'cas = EC, Main CA Mobile = Main CA '
ok "alias check" "$SCEP" alias check
like "list" "$("$SCEP" ca list)" "^Main CA "
for name in ManagementCA "Main%20CA"; do
	get "GetCACert&message=$name"
	is "message=$name" "$(openssl x509 -inform DER -in body)" \
		"$(openssl x509 -in renewed.pem)"
	is "/crl/$name" "$(crl "/crl/$name/1.crl")" "$(serial old-0.pem) "
	is "cert list --ca $name" "$("$SCEP" cert list --ca \
		"$(echo "$name" | sed 's/%20/ /')" | wc -l)" 7
done
"$SCEP" alias set scep defaultca "Main CA"
ok "a poll across the name" poll later next.pem
ask bynext next.pem
ok "a replay gets the same" below next.pem bynext-0.pem
is "by its transaction" "$(reply bynext status) $("$SCEP" cert list \
	--entity bynext | wc -l)" "0 1"
_code=$(add_entity bynext2 --ca "Main CA")
ok "an entity of the old name enrols" enrol olden next.pem scep "Main CA"
"$SCEP" entity setpwd bynext --password secret >.out 2>&1
builder pkcsreq --ca next.pem --key device.key --challenge secret \
	--txid id-more --subject "/CN=bynext" --cert-out more.crt --out more.der
ok "and one that was added by the old name" ask more next.pem
is "so it does" "$(reply more status)" 0
like "in certificates the new name stands" "$(text more-0.pem)" \
	"URI:http://pki.test/crl/Main%20CA/2.crl"
openssl req -new -key device.key -subj /CN=own -out own.csr
for name in ManagementCA "Main CA"; do
	printf '[entity]\ncas = %s\n' "$name" >home/profiles/own.ini
	touch -d "1 hour ago" home/profiles/own.ini
	ok "a profile for $name is for that CA" "$SCEP" profile try own \
		--csr own.csr --ca "Main CA"
	ok "and its entities' CA is called so or so" "$SCEP" entity add \
		"of $name" --ca ManagementCA --profile own --generate
done
exits 1 "nobody else is called so" "$SCEP" ca create ManagementCA \
	--subject CN=Thief --key ec:P-256
ok "but the CA itself may be again" "$SCEP" ca rename "Main CA" ManagementCA
request GET "/crl/Main%20CA/2.crl"
is "and keeps both names" "$STATUS" 200
printf 'what = 1\n' >>home/ca/ManagementCA/ca.ini
get GetCACert
like "ca.ini: a key that there is not" "$STATUS $(cat log)" \
	"503.*|ca/ManagementCA/ca.ini:3: \[ca\] what: no such key"
sed -i '/what/d' home/ca/ManagementCA/ca.ini

# --- an end without a next ------------------------------------------------------------

at_day 1500
like "status" "$("$SCEP" status)" \
	"^ca ManagementCA: CRITICAL, has expired; .scep ca rollover"
get GetCACert
is "an expired CA still answers GetCACert" "$STATUS" 200
is "and its CRL" "$(crl /crl/ManagementCA.crl | wc -w)" 2
request POST "/scep?operation=PKIOperation" bynext.der
is "but no PKIOperation" "$STATUS" 503
request POST "/scep?operation=PKIOperation" later.der
is "not even one that is for a former key" "$STATUS" 503
ok "until it is renewed" "$SCEP" ca renew ManagementCA
ask bynext next.pem
is "which is at once" "$(reply bynext status)" 0
rm -rf home/ca/Away
SCEP=$REAL
done_testing
