#!/bin/sh
# CA mode: a registered entity enrols with its code, with every algorithm,
# and gets the certificate that its record says (issue part 5; C-106 to C-120,
# C-148 to C-151, C-183 to C-195): by POST of DER (C-5), the ID any text and
# never altered (C-67, C-68), the signer self-signed (C-73), the answer for the
# signer's certificate (C-78).
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

make_home
log_says() { tail -n 4 log | grep -q "reason=\"$1"; }

# NAME DESCRIPTION: the message gets a certificate.
succeeds() {
	send "$1"
	is "$2" "$(reply "$1" status)" 0
	is "$2: signed by the CA, for the signer, certs-only" \
		"$(reply "$1" verified) $(reply "$1" recipient_ok) $(
			reply "$1" degenerate)" "yes yes yes"
}

# NAME REASON DESCRIPTION: FAILURE badRequest outside, the reason in the log.
refused() {
	send "$1"
	is "$3: FAILURE" "$(reply "$1" status)" 2
	is "$3: badRequest" "$(reply "$1" failinfo)" 2
	is "$3: the same words for all" "$(reply "$1" failinfotext)" \
		"request refused"
	is "$3: signed, and no content (C-90)" \
		"$(reply "$1" verified) $(reply "$1" content)" "yes absent"
	ok "$3: the log knows more" log_says "$2"
}

# --- the certificate -----------------------------------------------------------

for DOOR in cgi fcgi; do
	code=$(add_entity "router-$DOOR" --subject "CN=router1,O=Lab+OU=West,C=SE" \
		--san "dNSName=router1.example, iPAddress=10.0.0.1")
	pkcsreq "router-$DOOR" "$code" --subject "/CN=router-$DOOR/O=Other" \
		--san dns:evil.example --nonce 000102030405060708090a0b0c0d0e0f
	succeeds "router-$DOOR" "$DOOR: enrols"
	is "$DOOR: type" "$(header Content-Type)" application/x-pki-message
	builder certrep --ca ca.pem --key "router-$DOOR.key" \
		--cert "router-$DOOR.crt" --in body --txid "id-router-$DOOR" \
		--nonce 000102030405060708090a0b0c0d0e0f >nonces
	for line in txid_ok=yes recipient_nonce_ok=yes sender_nonce=16 \
		outer_certs=1 signed_by_ca=yes signature=rsaEncryption; do
		ok "$DOOR: $line (C-54, C-59 to C-61)" grep -qx $line nonces
	done
	cert=router-$DOOR-0.pem
	ok "$DOOR: verifies" openssl verify -x509_strict -CAfile ca.pem "$cert"
	is "$DOOR: the registered subject, not the request's" \
		"$(openssl x509 -in "$cert" -noout -subject \
			-nameopt oneline,-space_eq,-esc_msb)" \
		"subject=CN=router1, O=Lab + OU=West, C=SE"
	like "$DOOR: the registered SAN" \
		"$(openssl x509 -in "$cert" -noout -ext subjectAltName)" \
		"DNS:router1.example, IP Address:10.0.0.1"
	unlike "$DOOR: not the request's" \
		"$(openssl x509 -in "$cert" -noout -text)" evil
	is "$DOOR: the request's key" \
		"$(openssl x509 -in "$cert" -noout -pubkey)" \
		"$(openssl pkey -in "router-$DOOR.key" -pubout)"
	is "$DOOR: the leaf alone" "$(reply "router-$DOOR" ncerts)" 1
done
DOOR=cgi
text=$(openssl x509 -in "$cert" -noout -text)
like "key usage" "$text" "Digital Signature, Key Encipherment$"
unlike "no CA rights" "$text" "CA:TRUE|Certificate Sign|CRL Sign"
like "signed with SHA-256" "$text" "Signature Algorithm: sha256WithRSA"
like "key identifiers" "$text" "Authority Key Identifier"
# DER, tag to end: issuer stands fourth in a leaf, subject sixth in a CA.
name_der() { # CERT FIELD OUT
	openssl x509 -in "$1" -outform DER -out der.tmp
	_at=$(openssl asn1parse -inform DER -in der.tmp |
		awk -F'[:= ]+' '/d=2/ { n++; if (n == '"$2"') print $2 }' |
		tr -d ' ')
	openssl asn1parse -inform DER -in der.tmp -strparse "$_at" -noout \
		-out "$3"
}
name_der "$cert" 4 issuer.der
name_der ca.pem 6 subject.der
ok "the CA's name, byte for byte (C-185)" cmp issuer.der subject.der
ok "which has three parts" test "$(wc -c <issuer.der)" -gt 40
is "two years" "$(($(date -d "$(openssl x509 -in "$cert" -noout -enddate |
	cut -d= -f2)" +%s) - $(date +%s) > 729 * 86400))" 1
like "cert show finds it by serial" \
	"$("$SCEP" cert show "$(serial "$cert")")" "router-fcgi"
like "cert list too" "$("$SCEP" cert list)" "router-cgi"
like "so do openssl and grep" "$(openssl x509 -in "$(grep -rl \
	'entity = router-cgi' home/store/cert | head -n 1)" -noout -subject)" \
	"router1"
like "the audit has it" "$(cat home/store/audit/*.log)" \
	'"verb":"enrol".*"outcome":"issued"'
# C-171
unlike "no code anywhere" "$(grep -r "$code" home log || :)" "."

# What the caps promise is true (C-21, C-26, C-86), BER is read (C-44), and the
# alias decides, without exception for who asks (C-30, C-101, C-103, C-175).

# --- algorithms: the reply mirrors the request (C-85, C-87, C-102) ----------------

openssl_name() {
	case $1 in
	aes*) echo "AES-${1#aes}-CBC" ;;
	des3) echo DES-EDE3-CBC ;;
	sha*) echo "SHA${1#sha}" ;;
	v15) echo rsaEncryption ;;
	oaep*) echo RSAES-OAEP ;;
	esac
}

# CIPHER DIGEST: are they in the last request's line?
logged() {
	case $1 in
	des3) _cipher=DES-EDE3-CBC ;;
	*) _cipher=AES-${1#aes}-CBC ;;
	esac
	tail -n 1 log | grep "digest=SHA-${2#sha} " |
		grep -q "cipher=$_cipher "
}

code=$(add_entity alg --count 100)
client_key alg
for cipher in aes128 aes192 aes256 des3; do
	for digest in sha1 sha256 sha384 sha512; do
		pkcsreq alg "$code" --cipher $cipher --digest $digest \
			--txid "$cipher-$digest"
		succeeds alg "$cipher, $digest"
		is "$cipher, $digest: mirrored" \
			"$(reply alg cipher) $(reply alg digest)" \
			"$(openssl_name $cipher) $(openssl_name $digest)"
		ok "$cipher, $digest: the log names both (C-104)" \
			logged $cipher $digest
	done
done
for transport in v15 oaep oaep256; do
	pkcsreq alg "$code" --transport $transport --txid "t-$transport"
	succeeds alg "$transport"
	is "$transport: mirrored" "$(reply alg transport)" \
		"$(openssl_name $transport)"
done
pkcsreq alg "$code" --ber indefinite --txid ber
succeeds alg "BER of indefinite lengths"
for flaw in md5 cipher-des; do
	pkcsreq alg "$code" --break $flaw --txid "weak-$flaw"
	send alg
	not_ok "$flaw: no cipher was taken, none is logged" \
		sh -c 'tail -n 1 log | grep -q cipher='
	is "$flaw: badAlg" "$(reply alg failinfo)" 0
done
"$SCEP" alias set scep sha1 no
"$SCEP" alias set scep des3 no
pkcsreq alg "$code" --digest sha1 --txid sha1-no
send alg
is "sha1 = no: badAlg" "$(reply alg failinfo)" 0
is "sha1 = no: signed with SHA-256" "$(reply alg digest)" SHA256
pkcsreq alg "$code" --cipher des3 --txid des3-no
send alg
is "des3 = no: badAlg" "$(reply alg failinfo)" 0
"$SCEP" alias unset scep sha1
"$SCEP" alias unset scep des3

# --- who it is: CN to the first space, serialNumber, unstructuredName ---------------

for subject in "/CN=named" "/CN=named at home" "/O=Lab/CN=named" \
	"/serialNumber=named" "/serialNumber=named x/unstructuredName=a.b" \
	"/unstructuredName=named"; do
	code=$("$SCEP" entity setpwd named --generate 2>/dev/null) ||
		code=$(add_entity named)
	pkcsreq named "$code" --subject "$subject" --txid "n-$subject"
	succeeds named "$subject is named"
done
is "the request's subject where none is registered" \
	"$(openssl x509 -in named-0.pem -noout -subject)" \
	"subject=unstructuredName = named"
code=$("$SCEP" entity setpwd named --generate)
pkcsreq named "$code" --subject "/CN=Named" --txid case
refused named "unknown entity" "another case is another name"
pkcsreq named "$code" --subject "/O=Lab" --txid none
refused named "unknown entity" "no name at all"
"$SCEP" alias set scep cutusername no
pkcsreq named "$code" --subject "/CN=named at home" --txid cut
refused named "unknown entity" "cutusername = no"
"$SCEP" alias unset scep cutusername

# --- the challenge in every string type (C-110), and in an extension ------------------

for type in printable utf8 t61 bmp universal ia5; do
	code=$("$SCEP" entity setpwd named --generate)
	pkcsreq named "$code" --challenge-type $type --txid "c-$type"
	succeeds named "challengePassword as $type"
done
code=$("$SCEP" entity setpwd named --generate)
pkcsreq named "$code" --challenge-in-extension --txid c-ext
succeeds named "challengePassword inside extensionRequest"
printf 'p\303\244ssword \342\202\254' | "$SCEP" entity setpwd named \
	--password - >/dev/null
pkcsreq named "$(printf 'p\303\244ssword \342\202\254')" \
	--challenge-type bmp --txid c-umlaut
succeeds named "a chosen password beyond ASCII, as BMPString"

# --- a request's SAN only where it is registered so ---------------------------------------

code=$(add_entity san --san request)
pkcsreq san "$code" --san "dns:a.example,ip:10.0.0.2,email:x@y.example"
succeeds san "--san request"
like "has the request's SAN" \
	"$(openssl x509 -in san-0.pem -noout -ext subjectAltName)" \
	"DNS:a.example, IP Address:10.0.0.2, email:x@y.example"

# --- refusals: one answer outside, different log lines (C-163) ----------------------------------------

code=$(add_entity device)
pkcsreq device "wrong-$code"
refused device "wrong code" "a wrong code"
pkcsreq device ""
refused device "no challengePassword" "no code"
pkcsreq nobody "$code"
refused nobody "unknown entity" "an unknown entity"
"$SCEP" entity block device
pkcsreq device "$code"
refused device "entity is blocked" "a blocked entity"
"$SCEP" entity unblock device
"$SCEP" ca create Other --subject CN=Other --key rsa:2048 >/dev/null
"$SCEP" alias set scep cas "ManagementCA, Other"
"$SCEP" ca export Other --out other.pem
pkcsreq device "$code" --ca other.pem
cp ca.pem first.pem
cp other.pem ca.pem
refused device "entity is registered with another CA" "another CA"
cp first.pem ca.pem
client_key small 1024
pkcsreq small "$code" --subject /CN=device
refused small "the RSA key is shorter" "a key too small for the profile"
pkcsreq device "$code"
succeeds device "after all this the code is still good"
pkcsreq device "$code" --txid again
refused device "code is used up" "a used code"
code=$(add_entity late --ca ManagementCA --ttl 1s)
wait_for sh -c '"$SCEP" entity show late | grep -qi expired'
pkcsreq late "$code"
refused late "code has expired" "an expired code"
is "no foreign name in a CertRep" "$(reply late failinfotext)" \
	"request refused"

# --- the same work for each (C-163), counted (behind the envelope: t0205) -------------------------------------------

if [ "${SCEP_FLAVOUR:-plain}" != asan ] && command -v valgrind >/dev/null; then
	# NAME: instructions of a CGI request with NAME.der, and in "verify"
	# those of them that checked the CSR's signature.
	cost() {
		env REQUEST_METHOD=POST SCRIPT_NAME=/scep QUERY_STRING= \
			CONTENT_LENGTH="$(wc -c <"$1.der")" \
			REMOTE_ADDR=192.0.2.1 valgrind --tool=callgrind \
			--callgrind-out-file=callgrind "$SCEP" \
			<"$1.der" 2>&1 >/dev/null |
			sed -n 's/.*Collected : \([0-9]*\).*/\1/p' | tail -n 1
		awk '/fn=\([0-9]*\) csr_verify$/ {
				id = $1
				sub(/^c?fn=/, "", id)
			}
			call { sum += $2; call = 0 }
			/^cfn=/ { ours = "cfn=" id == $1 }
			/^calls=/ { call = ours }
			END { print sum + 0 }' callgrind >verify
	}
	near() { # DESCRIPTION A B [PERCENT]: within 3 percent
		_more=$(($2 > $3 ? $2 - $3 : $3 - $2))
		ok "$1" test $((_more * 100)) -lt $((${4:-3} * $2))
	}
	code=$(add_entity work --ca ManagementCA)
	pkcsreq work "no$code" --txid w-1
	wrong=$(cost work)
	ok "a wrong code costs a scrypt" test "${wrong:-0}" -gt 50000000
	pkcsreq work "$code" --subject /CN=unknown --txid w-2
	near "an unknown name costs the same" "$wrong" "$(cost work)"
	pkcsreq work "$code" --txid w-3
	send work
	pkcsreq work "$code" --txid w-4
	near "a used code costs the same" "$wrong" "$(cost work)"
	"$SCEP" entity block work
	near "a blocked entity" "$wrong" "$(cost work)"
	"$SCEP" entity unblock work
	pkcsreq work ""
	near "no challengePassword" "$wrong" "$(cost work)"
	printf 'chosen by me' | "$SCEP" entity setpwd work --password - \
		>/dev/null
	within_an_hour 60
	pkcsreq work "chosen by you" --txid w-6
	near "a wrong chosen password" "$wrong" "$(cost work)"
	for i in 1 2 3 4 5 6 7 8 9; do
		send work
	done
	ok "ten of them" log_says "wrong code"
	near "a locked entity" "$wrong" "$(cost work)"
	code=$("$SCEP" entity setpwd work --generate --ttl 1s)
	wait_for sh -c '"$SCEP" entity show work | grep -qi expired'
	pkcsreq work "$code" --txid w-7
	near "an expired code" "$wrong" "$(cost work)"
	"$SCEP" entity set work --ca Other
	near "another CA's entity" "$wrong" "$(cost work)"
	"$SCEP" entity set work --ca ManagementCA

	# A code for 300 that is used up: the first certificate 299 times more,
	# as outcomes of other transactions.
	code=$("$SCEP" entity setpwd work --generate --count 300)
	pkcsreq work "$code" --txid w-8
	send work
	cp -a home full
	slot=$(find full/store/used -type l -exec sh -c \
		'readlink "$1" | grep -q "$(basename "$2")" && echo "$1"' \
		sh {} "$(grep -rl "$(serial work-0.pem | tr A-F a-f)" \
			full/store/transaction)" \;)
	one=full/store/used/x/$(readlink "$slot")
	name=$(basename "$one" ,1,outcome)
	i=0
	while [ $i -lt 300 ]; do
		to=$(printf 'ab%062x' $i)
		sed "s/$name/$to/" "full/store/${one#*x/../../}" \
			>"full/store/transaction/ab/$to,1,outcome"
		ln -s "../../transaction/ab/$to,1,outcome" \
			"${slot%,*},$i" 2>/dev/null
		i=$((i + 1))
	done
	is "300 redemptions" "$(find full/store/used -name \
		"$(basename "${slot%,*}"),*" | wc -l)" 300
	SCEP_HOME=$FRESH/full
	pkcsreq work "$code" --txid w-9
	near "a code for 300 that is used up" "$wrong" "$(cost work)"
	send work
	SCEP_HOME=$FRESH/home
	ok "of that it was" log_says "code is used up"
	rm -rf full
else
	skip "the same work" "counted on the plain build, by valgrind"
fi

# --- and the same work in files ---------------------------------------------------------------------

if strace -e trace=none true 2>/dev/null; then
	"$SCEP" entity show work >/dev/null 2>&1 ||
		add_entity work --ca ManagementCA >/dev/null
	code=$("$SCEP" entity setpwd work --generate)
	files() { # NAME: calls that change a file, without the audit and the log
		printf '#!/bin/sh\nexec strace -f -qq -o "%s/trace" -e %s "%s"\n' \
			"$FRESH" trace=openat,linkat,symlinkat,mkdirat "$SCEP" \
			>traced.sh
		chmod 755 traced.sh
		ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" \
			SCEP=$FRESH/traced.sh send "$1"
		grep -Eo 'O_CREAT|^[0-9]+ +[a-z]*link|mkdir' trace |
			sed 's/.* //' | sort | uniq -c | tr -s ' \n' ' '
	}
	pkcsreq work "no$code" --txid f-1
	is "a wrong generated code" "$(files work)" " 1 O_CREAT 2 link "
	pkcsreq work "$code" --subject /CN=unknown --txid f-2
	is "an unknown name" "$(files work)" " 1 O_CREAT 2 link "
	printf 'chosen by me' | "$SCEP" entity setpwd work --password - \
		>/dev/null
	pkcsreq work "chosen by you" --txid f-3
	is "a wrong chosen password" "$(files work)" " 1 O_CREAT 2 link "
	is "of which one mark is left" "$(find home/store/try -type f \
		-newer work.der | wc -l)" 1
else
	skip "the same work in files" "strace cannot trace here"
fi

# --- wrong passwords: marks, a delay, unlock (C-169, C-172) ------------------------------------------------------

printf 'a chosen word' | "$SCEP" entity setpwd device --password - >/dev/null
within_an_hour 60
i=0
while [ $i -lt 10 ]; do
	i=$((i + 1))
	pkcsreq device "guess $i" --txid "guess-$i"
	send device
done
ok "ten guesses are looked at" log_says "wrong code"
pkcsreq device "a chosen word" --txid eleven
refused device "too many wrong codes this hour" "the eleventh, although right"
like "entity show tells" "$("$SCEP" entity show device)" "Locked until"
faketime=$(find /usr/lib -name libfaketime.so.1 | head -n 1)
if [ -n "$faketime" ] && [ "${SCEP_FLAVOUR:-plain}" != asan ]; then
	REAL=$SCEP
	printf '#!/bin/sh\nLD_PRELOAD=%s FAKETIME=+1h exec "%s" "$@"\n' \
		"$faketime" "$REAL" >timed
	chmod 755 timed
	SCEP=$FRESH/timed
	pkcsreq device "a chosen word" --txid next-hour
	send device
	is "the next hour admits it" "$(reply device status)" 0
	SCEP=$REAL
	printf 'a chosen word' | "$SCEP" entity setpwd device --password - \
		>/dev/null
	i=0
	while [ $i -lt 10 ]; do
		i=$((i + 1))
		pkcsreq device "guess $i" --txid "more-$i"
		send device
	done
else
	skip "the next hour" "needs libfaketime, on the plain build"
fi
ok "entity unlock" "$SCEP" entity unlock device
pkcsreq device "a chosen word" --txid twelve
succeeds device "the right one is taken again"

# --- includeca ----------------------------------------------------------------------------------------

code=$(add_entity vpn --ca ManagementCA)
"$SCEP" alias set scep includeca yes
pkcsreq vpn "$code"
succeeds vpn "includeca = yes (Cisco VPN)"
is "two certificates" "$(reply vpn ncerts)" 2
is "the leaf first" "$(openssl x509 -in vpn-0.pem -noout -subject)" \
	"subject=CN = vpn"
is "then the issuing CA" "$(cat vpn-1.pem)" "$(cat ca.pem)"
"$SCEP" alias set scep includeca no
succeeds vpn "includeca = no (Juniper)"
is "one certificate" "$(reply vpn ncerts)" 1

# Of two generations the one that issued goes out, whichever was asked by.
"$SCEP" alias set scep includeca yes
cp -a home rolled
SCEP_HOME=$FRESH/rolled
client_key gen2
openssl req -x509 -key gen2.key -out gen2.pem \
	-subj "/C=SE/O=Lab/CN=Test CA" -days 3650 2>/dev/null
mkdir rolled/ca/ManagementCA/2
cp gen2.key rolled/ca/ManagementCA/2/key.pem
cp gen2.pem rolled/ca/ManagementCA/2/cert.pem
chmod 400 rolled/ca/ManagementCA/2/key.pem
cp vpn-0.pem leaf.pem
cp gen2.pem ca.pem
pkcsreq vpn "$code" --csr vpn.csr
send vpn
is "sent again by the next generation" "$(cat vpn-0.pem)" "$(cat leaf.pem)"
is "the CA is its issuer" "$(cat vpn-1.pem)" "$(cat first.pem)"
SCEP_HOME=$FRESH/home
cp first.pem ca.pem

# --- one broken CA of several -------------------------------------------------------------------------

"$SCEP" alias set scep cas "Other, ManagementCA"
code=$(add_entity spare --ca ManagementCA)
key=home/ca/Other/1/key.pem
cp -p $key other.key
echo junk >junk
cp junk other.tmp && chmod 400 other.tmp && mv -f other.tmp $key
pkcsreq spare "$code"
: >log
succeeds spare "another CA's key is junk"
like "which is said" "$(cat log)" "alias scep: its CA Other is left out"
pkcsreq spare "$code" --ca other.pem --txid to-other
send spare
is "a message to that one: 503, no FAILURE" "$STATUS" 503
builder wanted --cert other.pem --out wanted
builder pkcsreq --ca ca.pem --key spare.key --type 22 --csr wanted \
	--cert-out spare.crt --out spare.der --txid crl-of-other
send spare
is "GetCRL for that one: 503, no FAILURE" "$STATUS" 503
"$SCEP" alias set scep cas Other
pkcsreq spare "$code"
send spare
is "none is left: 503" "$STATUS" 503
"$SCEP" alias set scep cas "Other, ManagementCA"
mv -f other.key $key
pkcsreq spare "wrong" --ca other.pem --txid to-other
cp other.pem ca.pem
send spare
is "mended: it answers" "$(reply spare status)" 2
cp first.pem ca.pem

# The issuing CA is below a root: it goes out, the root does not.
cat >sub.cnf <<'END'
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign, digitalSignature, keyEncipherment
subjectKeyIdentifier = hash
END
{
	client_key root
	openssl req -x509 -key root.key \
		-out root.pem -subj "/CN=Root" -days 3650
	client_key sub
	openssl req -new -key sub.key -out sub.csr \
		-subj "/CN=Sub CA"
	openssl x509 -req -in sub.csr -CA root.pem -CAkey root.key -days 3000 \
		-set_serial 7 -extfile sub.cnf -extensions ca -out sub.pem
} 2>/dev/null
ok "a CA below a root" "$SCEP" ca import SubCA --cert sub.pem --key sub.key \
	--chain root.pem
"$SCEP" alias set scep cas SubCA
"$SCEP" alias set scep includeca yes
code=$(add_entity below --ca SubCA)
cp sub.pem ca.pem
pkcsreq below "$code"
send below
is "enrols" "$(reply below status) $(reply below ncerts)" "0 2"
is "the leaf first" "$(openssl x509 -in below-0.pem -noout -subject)" \
	"subject=CN = below"
is "then the issuing CA, not the root" "$(cat below-1.pem)" "$(cat sub.pem)"
done_testing
