#!/bin/sh
# CAs below a parent here or elsewhere, what GetCACert returns of them (C-31
# to C-37), GetCACertChain (C-18), key files with a passphrase, and a key that
# leaves.
# shellcheck disable=SC1091,SC2016,SC2034,SC2154 # lib.sh uses them
. "${0%/*}/lib.sh"

"$SCEP" init >.out 2>&1
client_key device

subjects() { # of body, in order, in one line
	openssl pkcs7 -inform DER -in body -print_certs 2>/dev/null |
		sed -n 's/^subject=//p' | tr '\n' ';'
}
get() { request GET "/scep/$1?operation=${2:-GetCACert}"; }
enrol() { # ALIAS NAME CODE CA
	cp device.key "$2.key"
	builder pkcsreq --ca "$4" --key "$2.key" --challenge "$3" \
		--txid "id-$2" --subject "/CN=$2" --cert-out "$2.crt" \
		--out "$2.der" || return 1
	request POST "/scep/$1?operation=PKIOperation" "$2.der"
	builder certrep --ca "$4" --key "$2.key" --cert "$2.crt" \
		--in body --out-prefix "$2-" >"$2.rep" 2>>log &&
		[ "$(reply "$2" status)" = 0 ]
}

# --- a sub-CA below a parent that is here, names with spaces -----------------------

ok "a root" "$SCEP" ca create "Lab Root" --subject "CN=Lab Root,O=Lab" \
	--key ec:P-384 --days 4000
"$SCEP" ca export "Lab Root" --out root.pem
exits 1 "a parent that does not exist" "$SCEP" ca create Sub \
	--subject CN=Sub --parent Nobody
ok "a sub-CA below it" "$SCEP" ca create "Sub CA 1" \
	--subject "CN=Sub CA 1,O=Lab" --parent "Lab Root" --key rsa:2048 \
	--days 9000
"$SCEP" ca export "Sub CA 1" --out sub.pem
ok "verifies" openssl verify -x509_strict -CAfile root.pem sub.pem
is "does not outlive the parent" \
	"$(openssl x509 -in sub.pem -noout -enddate)" \
	"$(openssl x509 -in root.pem -noout -enddate)"
like "is a CA (C-196)" "$(openssl x509 -in sub.pem -noout -text)" "CA:TRUE"
is "stands in its escaped folder with its chain" \
	"$(cat "home/ca/Sub%20CA%201/1/chain.pem")" "$(cat root.pem)"
ok "and one more below" "$SCEP" ca create Leaf --subject "CN=Leaf" \
	--parent "Sub CA 1" --key rsa:2048
"$SCEP" ca export Leaf --chain --out leaf-chain.pem
"$SCEP" ca export Leaf --out leaf.pem
is "its chain has both" "$(grep -c BEGIN leaf-chain.pem)" 3
"$SCEP" alias add sub --ca "Sub CA 1" >/dev/null
"$SCEP" alias add leaf --ca Leaf >/dev/null
code=$(add_entity one --ca Leaf)
ok "a device enrols below three" enrol leaf one "$code" leaf.pem
ok "and verifies" openssl verify -CAfile root.pem -untrusted leaf-chain.pem \
	one-0.pem

# --- what GetCACert returns ----------------------------------------------------------

get leaf
is "issuer first, root too" "$(subjects)" \
	"CN = Leaf;CN = Sub CA 1, O = Lab;CN = Lab Root, O = Lab;"
is "as ca-ra-cert" "$(header Content-Type)" application/x-x509-ca-ra-cert
"$SCEP" alias set leaf chainorder root-first
get leaf
is "chainorder = root-first" "$(subjects)" \
	"CN = Lab Root, O = Lab;CN = Sub CA 1, O = Lab;CN = Leaf;"
"$SCEP" alias set leaf chainroot no
get leaf
is "chainroot = no" "$(subjects)" "CN = Sub CA 1, O = Lab;CN = Leaf;"
"$SCEP" alias unset leaf chainorder
"$SCEP" alias set leaf returncachainingetcacert no
get leaf
is "Apple's setting: an intermediate alone" \
	"$(openssl x509 -inform DER -in body)" "$(cat leaf.pem)"
is "as ca-cert (C-32)" "$(header Content-Type)" application/x-x509-ca-cert
get leaf GetCACertChain
is "GetCACertChain has the chain all the same" "$(subjects)" \
	"CN = Leaf;CN = Sub CA 1, O = Lab;"
is "its type" "$(header Content-Type)" application/x-x509-ca-ra-cert-chain
"$SCEP" ca create Alone --subject CN=Alone --key rsa:2048 >/dev/null
"$SCEP" alias add alone --ca Alone >/dev/null
get alone
is "a root alone" "$(header Content-Type)" application/x-x509-ca-cert
get alone GetCACertChain
is "GetCACertChain of a root is a SignedData too" "$(subjects)" "CN = Alone;"
is "of its type" "$(header Content-Type)" application/x-x509-ca-ra-cert-chain
get alone GetNextCACert
is "GetNextCACert: there is none (C-41)" "$STATUS" 404
is "said in plain text" "$(header Content-Type) $(cat body)" \
	"text/plain there is no next CA certificate"
get alone GetCACaps
unlike "and not promised" "$(cat body)" "GetNextCACert"
exits 1 "chainorder has two values" "$SCEP" alias set alone chainorder x
# A chain that holds one twice, and an expired one (C-37).
openssl req -new -key device.key -subj "/CN=Old" -out old.csr
openssl x509 -req -in old.csr -signkey device.key -days -1 -out old.pem \
	2>/dev/null
cat "home/ca/Leaf/1/chain.pem" leaf.pem sub.pem old.pem >chain
cat chain >home/ca/Leaf/1/chain.pem
"$SCEP" alias unset leaf returncachainingetcacert
get leaf
is "never one twice, none that has expired" "$(subjects)" \
	"CN = Leaf;CN = Sub CA 1, O = Lab;"

# --- an issuer elsewhere: request and install ------------------------------------------

cat >ext <<EOF
basicConstraints=critical,CA:TRUE,pathlen:0
keyUsage=critical,keyCertSign,cRLSign,digitalSignature,keyEncipherment
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
EOF
client_key off
openssl req -x509 -key off.key -out off.pem \
	-subj "/CN=Offline Root" -days 900 2>/dev/null
answer() { # CSR OUT OPTIONS...
	_csr=$1 _out=$2
	shift 2
	openssl x509 -req -in "$_csr" -CA off.pem -CAkey off.key -days 800 \
		-set_serial "0x$(openssl rand -hex 8)" -out "$_out" "$@" \
		2>/dev/null
}
ok "ca request writes a CSR" "$SCEP" ca request "Off Sub" \
	--subject "CN=Off Sub,O=Lab" --key rsa:2048 --out off.csr
ok "which is signed" openssl req -in off.csr -noout -verify
like "and asks for a CA" "$(openssl req -in off.csr -noout -text)" "CA:TRUE"
is "the key is durable and guarded" \
	"$(stat -c %a "home/ca/.request-Off%20Sub/key.pem")" 400
"$SCEP" ca request "Off Sub" --out again.csr
ok "it can be had again" cmp off.csr again.csr
exits 1 "but not made anew" "$SCEP" ca request "Off Sub" --subject CN=x
exits 1 "nor its name taken" "$SCEP" ca create "Off Sub" --subject CN=x
unlike "it is no CA yet" "$("$SCEP" ca list)" "Off Sub"
is "nor anything wrong" "$("$SCEP" check)" clean
exits 2 "no request waits of another" "$SCEP" ca request Other
exits 1 "nor a certificate for it" "$SCEP" ca install Other off.pem
answer off.csr no-ca.pem
not_ok "an answer that is no CA" "$SCEP" ca install "Off Sub" no-ca.pem
like "is refused" "$(cat .out)" "no CA certificate"
not_ok "another's certificate too" "$SCEP" ca install "Off Sub" off.pem
like "for its key" "$(cat .out)" "key is not the certificate's"
not_ok "no file" "$SCEP" ca install "Off Sub" nothing.pem
answer off.csr off-sub.pem -extfile ext
ok "the right one is taken, with its chain in the wrong order" sh -c \
	'cat leaf.pem off.pem >bag.pem && "$1" ca install "Off Sub" \
	off-sub.pem bag.pem' sh "$SCEP"
like "what does not belong is left out" "$(cat .out)" \
	"1 certificates of the chain are not issuers"
is "the chain" "$(cat "home/ca/Off%20Sub/1/chain.pem")" "$(cat off.pem)"
not_ok "what waited is gone" test -e "home/ca/.request-Off%20Sub"
"$SCEP" alias add off --ca "Off Sub" >/dev/null
code=$(add_entity two --ca "Off Sub")
ok "a device enrols" enrol off two "$code" off-sub.pem
exits 1 "pathlen:0 allows no CA below" "$SCEP" ca create Below \
	--subject CN=Below --parent "Off Sub"
"$SCEP" ca request "EC Off" --subject "CN=EC Off" --key ec:P-256 >ec.csr
openssl x509 -req -in ec.csr -CA sub.pem -days 30 -set_serial 77 \
	-CAkey "home/ca/Sub%20CA%201/1/key.pem" -extfile ext -out ec.pem \
	2>/dev/null
ok "an EC CA, whose issuers are found here" "$SCEP" ca install "EC Off" ec.pem
is "both of them" "$(grep -c BEGIN "home/ca/EC%20Off/1/chain.pem")" 2
ok "gets an RA certificate" test -e "home/ca/EC%20Off/ra/1/key.pem"
exits 1 "once" "$SCEP" ca install "EC Off" ec.pem

# --- PKCS#12 -------------------------------------------------------------------------

exits 2 "an export without a password" "$SCEP" ca export Leaf --pkcs12 x.p12
echo topsecret >pass
ok "ca export --pkcs12" "$SCEP" ca export "Off Sub" --pkcs12 off.p12 \
	--password-file pass
is "for nobody else" "$(stat -c %a off.p12)" 600
ok "has the key" sh -c 'openssl pkcs12 -in off.p12 -passin pass:topsecret \
	-nodes -nocerts | openssl pkey -pubout >out.pub'
is "of the certificate" "$(cat out.pub)" \
	"$(openssl x509 -in off-sub.pem -noout -pubkey)"
is "and the chain" "$(openssl pkcs12 -in off.p12 -passin pass:topsecret \
	-nokeys 2>/dev/null | grep -c BEGIN)" 2
like "the audit has a line of it" "$("$SCEP" audit show)" \
	"ca export .*Off Sub .*done.*key and certificate"
is "an export of the certificate alone is none" \
	"$("$SCEP" audit show | grep -c 'ca export')" 2

# --- encrypted key files ---------------------------------------------------------------

exits 1 "no passphrase to be found" "$SCEP" ca create Locked \
	--subject CN=Locked --key ec:P-256 --encrypt-key
SCEP_KEY_PASSPHRASE="open sesame"
export SCEP_KEY_PASSPHRASE
ok "ca create --encrypt-key" "$SCEP" ca create Locked --subject CN=Locked \
	--key ec:P-256 --encrypt-key
ok "ca ra renew" "$SCEP" ca ra renew Locked --split
for key in 1/key.pem ra/1/key.pem ra/2/key.pem ra/2/sign-key.pem; do
	like "$key is encrypted" "$(head -n 1 home/ca/Locked/$key)" \
		"BEGIN ENCRYPTED PRIVATE KEY"
done
ok "with this passphrase" openssl pkey -in home/ca/Locked/1/key.pem \
	-passin "pass:open sesame" -noout
"$SCEP" alias add locked --ca Locked >/dev/null
get locked
is "the environment opens it" "$STATUS" 200
unset SCEP_KEY_PASSPHRASE
: >log
get locked
is "without a passphrase: 503" "$STATUS" 503
like "and the log says what to set" "$(cat log)" "SCEP_KEY_PASSPHRASE"
SCEP_KEY_PASSPHRASE=wrong
export SCEP_KEY_PASSPHRASE
get locked
is "with a wrong one: 503" "$STATUS" 503
unset SCEP_KEY_PASSPHRASE
get alone
is "others do not mind" "$STATUS" 200
mkdir cred
CREDENTIALS_DIRECTORY=$FRESH/cred
export CREDENTIALS_DIRECTORY
echo "open sesame" >cred/scep-key-passphrase
get locked
is "systemd's credential opens it" "$STATUS" 200
echo "another" >cred/scep-key-passphrase
echo "open sesame" >cred/scep-key-passphrase.Locked
get locked
is "that of the CA first" "$STATUS" 200
unset CREDENTIALS_DIRECTORY
echo "open sesame" >"$FRESH/phrase"
printf '[keys]\npassphrasefile = %s\n' "$FRESH/phrase" >>home/scep.ini
get locked
is "scep.ini's file opens it" "$STATUS" 200
ok "ca request --encrypt-key" "$SCEP" ca request "Sealed" \
	--subject CN=Sealed --key rsa:2048 --encrypt-key --out sealed.csr
answer sealed.csr sealed.pem -extfile ext
ok "ca install" "$SCEP" ca install Sealed sealed.pem off.pem
like "keeps it encrypted" "$(head -n 1 home/ca/Sealed/1/key.pem)" ENCRYPTED
cp home/ca/Leaf/1/key.pem leaf.key
ok "ca import --encrypt-key" "$SCEP" ca import Leaf2 --cert leaf.pem \
	--key leaf.key --encrypt-key
like "too" "$(head -n 1 home/ca/Leaf2/1/key.pem)" ENCRYPTED
done_testing
