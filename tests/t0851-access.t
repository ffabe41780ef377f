#!/bin/sh
# [access] peers: who may ask is what the web server has verified, in whatever
# words it says it; a header is nothing.  And aliases of proxies on the
# command line.
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

make_home
scep() { "$SCEP" "$@"; }
err() { { "$@" >/dev/null; } 2>&1; }
ok "peers" scep alias set scep peers \
	"CN=proxy1,O=Lab,C=SE; C=SE,O=Lab\\, too,CN=Zoë"

openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out k.key 2>>log
cert() { # FILE SUBJECT
	openssl req -x509 -new -key k.key -subj "$2" -utf8 -days 30 -out "$1" \
		2>>log
}
cert listed.pem /CN=proxy1/O=Lab/C=SE
cert other.pem /CN=proxy2/O=Lab/C=SE
cert slash.pem "/O=x/CN=proxy1"

GET="/scep?operation=GetCACert"

# STATUS BODY DESCRIPTION: the last answer, whole.
refused() {
	is "$2" "$STATUS $(cat body)" "403 $1"
	is "$2: not to be kept" "$(header Cache-Control)" no-store
}
NONE="a client certificate is needed here"
OTHER="this client certificate may not ask here"
ODD="this client certificate cannot be read"

for DOOR in cgi fcgi; do
	request GET "$GET"
	refused "$NONE" "$DOOR: plain HTTP"
	SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_S_DN="C=SE,O=Lab,CN=proxy1" \
		request GET "$GET"
	is "$DOOR: a listed one" "$STATUS" 200
	for _v in NONE FAILED:expired GENEROUS success "SUCCESS " ""; do
		SSL_CLIENT_VERIFY=$_v SSL_CLIENT_S_DN="C=SE,O=Lab,CN=proxy1" \
			SSL_CLIENT_CERT=$(cat listed.pem) request GET "$GET"
		refused "$NONE" "$DOOR: SSL_CLIENT_VERIFY=$_v"
	done
	SSL_CLIENT_S_DN="C=SE,O=Lab,CN=proxy1" \
		SSL_CLIENT_CERT=$(cat listed.pem) request GET "$GET"
	refused "$NONE" "$DOOR: verified by nobody"
	HTTP_SSL_CLIENT_VERIFY=SUCCESS HTTP_X_SSL_CLIENT_VERIFY=SUCCESS \
		HTTP_SSL_CLIENT_S_DN="C=SE,O=Lab,CN=proxy1" \
		HTTP_SSL_CLIENT_CERT=$(cat listed.pem) request GET "$GET"
	refused "$NONE" "$DOOR: in headers"
	SSL_CLIENT_VERIFY=SUCCESS HTTP_SSL_CLIENT_S_DN="C=SE,O=Lab,CN=proxy1" \
		HTTP_SSL_CLIENT_CERT=$(cat listed.pem) request GET "$GET"
	refused "$NONE" "$DOOR: the name in a header"
	SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_CERT=$(cat listed.pem) \
		request GET "$GET"
	is "$DOOR: by the certificate" "$STATUS" 200
	SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_CERT=$(cat other.pem) \
		request GET "$GET"
	refused "$OTHER" "$DOOR: another one"
done
DOOR=cgi

# --- words ----------------------------------------------------------------------

says() { # STATUS TEXT
	SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_S_DN=$2 request GET "$GET"
	is "subject $2" "$STATUS" "$1"
}
says 200 "C=SE,O=Lab,CN=proxy1"
says 200 "C=SE,O=lab,CN=PROXY1"
says 200 "CN = proxy1, O = Lab, C = SE"
says 403 "CN=proxy1,O=Lab,C=SE"
says 403 "C = SE, O = Lab, CN = proxy1"
says 200 'CN=Zo\C3\AB,O=Lab\, too,C=SE'
says 200 'CN=Zoë,O=Lab\, too,C=SE'
says 200 'C = SE, O = "Lab, too", CN = Zoë'
says 403 'C=SE,O=Lab\,CN=proxy1'
says 403 "C=SE,O=Lab,CN=proxy1,CN=proxy2"
says 403 "/CN=proxy1/O=Lab/C=SE"
refused "$ODD" "with slashes"
: >log
says 403 "$(printf 'C=SE,O=Lab,CN=proxy1,CN=%0240d' 1)"
refused "$ODD" "as long as what lighttpd cuts"
like "the log says what to do" "$(cat log)" \
	"hand over SSL_CLIENT_CERT\" status=403"

# The certificate counts, its text does not: here an attribute of another
# certificate looks like the listed name's.
SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_S_DN="C=SE,O=Lab,CN=proxy1" \
	SSL_CLIENT_CERT=$(cat other.pem) request GET "$GET"
refused "$OTHER" "the certificate counts"
: >log
SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_S_DN="" \
	SSL_CLIENT_CERT=$(sed '2,$s/^/	/' listed.pem) request GET "$GET"
is "with tabs" "$STATUS" 200
like "the log says who" "$(cat log)" 'peer="CN=proxy1,O=Lab,C=SE" .*status=200'
SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_CERT=$(sed ':a;N;$!ba;s/\n/%0A/g
	s/ /%20/g;s/+/%2B/g;s,/,%2F,g;s/=/%3D/g' listed.pem) request GET "$GET"
is "in percent escapes" "$STATUS" 200
SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_S_DN="C=SE,O=Lab,CN=proxy1" \
	SSL_CLIENT_CERT="$(head -n 3 listed.pem)" request GET "$GET"
refused "$ODD" "half a certificate"
# A subject that is none, which OpenSSL's own parser would not let in.
openssl x509 -in listed.pem -outform DER -out listed.der
python3 - <<'EOT'
der = bytearray(open("listed.der", "rb").read())
der[der.rindex(b"\x31\x0f\x30\x0d\x06\x03\x55\x04\x03")] = 0x30
open("odd.der", "wb").write(der)
EOT
{ echo "-----BEGIN CERTIFICATE-----" && base64 odd.der &&
    echo "-----END CERTIFICATE-----"; } >odd.pem
SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_CERT=$(cat odd.pem) request GET "$GET"
refused "$ODD" "a subject that is none"
SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_S_DN="C=SE,O=Lab,CN=proxy1" \
	SSL_CLIENT_CERT=$(head -c 33000 /dev/zero | tr '\0' x) request GET "$GET"
refused "$NONE" "more than any certificate"
: >log
SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_CERT=$(cat other.pem) request GET "$GET"
like "the log has what to list" "$(cat log)" \
	'reason="not one of \[access\] peers"'
like "and its name" "$(cat log)" 'peer="CN=proxy2,O=Lab,C=SE"'

# --- before anything else ---------------------------------------------------------

pkcsreq one "$(add_entity one)"
request POST "/scep?operation=PKIOperation" one.der
refused "$NONE" "a good message"
head -c 100 /dev/urandom >junk
request POST "/scep?operation=PKIOperation" junk
refused "$NONE" "a bad one"
for op in GetCACaps GetCACert GetCACertChain GetNextCACert; do
	request GET "/scep?operation=$op"
	refused "$NONE" "$op"
	request POST "/scep?operation=$op" junk
	refused "$NONE" "$op by POST"
done
SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_CERT=$(cat listed.pem)
export SSL_CLIENT_VERIFY SSL_CLIENT_CERT
ok "the good message is good later" send one
is "and gets its certificate" "$(reply one status)" 0
unset SSL_CLIENT_VERIFY SSL_CLIENT_CERT
ok "without peers" scep alias unset scep peers
request GET "$GET"
is "everybody may ask" "$STATUS" 200

# --- the command line ---------------------------------------------------------------

is "a DN that is none" "$(err scep alias set scep peers "CN=a; proxy1")" \
	"scep: nothing was changed: aliases/scep.ini:19: peers: \"proxy1\" is \
no name as CN=proxy1,O=Lab,C=SE"
is "an empty one" "$(err scep alias set scep peers "CN=a;;CN=b")" \
	"scep: nothing was changed: aliases/scep.ini:19: peers: it has an empty name"

chmod 600 k.key
far="--proxy https://ca.example.org/scep/ca/pkiclient.exe"
# shellcheck disable=SC2086 # words
add() { scep alias add far $far "$@"; }
is "a proxy needs its papers" "$(err add | head -n 1)" \
	"scep: --proxy needs --clientcert and --clientkey"
is "papers need a proxy" "$(err scep alias add far --ca ManagementCA \
	--clientcert "$FRESH/listed.pem" | head -n 1)" \
	"scep: --clientcert, --clientkey and --cafile go with --proxy"
is "a proxy has no CA" "$(err add --ca ManagementCA --clientcert x \
	--clientkey y | head -n 1)" "scep: a proxy has no CA: --ca or --proxy"
is "no such certificate" "$(err add --clientcert "$FRESH/none.pem" \
	--clientkey "$FRESH/k.key")" "scep: nothing was changed: clientcert: \
there is no $FRESH/none.pem"
is "no certificate" "$(err add --clientcert "$FRESH/junk" \
	--clientkey "$FRESH/k.key" | sed 's/:[^:]*$//')" \
	"scep: nothing was changed: $FRESH/junk"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
	-out another.key 2>>log && chmod 600 another.key
like "another key" "$(err add --clientcert "$FRESH/listed.pem" \
	--clientkey "$FRESH/another.key")" "^scep: nothing was changed: \
aliases/far.ini:10: clientkey: it is not the key of clientcert$"
chmod 644 k.key
like "a key that all can read" "$(err add --clientcert "$FRESH/listed.pem" \
	--clientkey "$FRESH/k.key")" "lets others read or write it"
chmod 600 k.key
ok "a proxy" add --clientcert "$FRESH/listed.pem" --clientkey "$FRESH/k.key" \
	--cafile "$FRESH/other.pem"
like "is good" "$(scep alias check far)" "^far: good$"
like "and says where it goes, and as whom" "$(scep alias check far)" \
	"^  passes on to https://ca.example.org/scep/ca/pkiclient.exe as \
CN=proxy1,O=Lab,C=SE, until 20"
like "list" "$(scep alias list --match far)" \
	"^far +proxy +https://ca.example.org/scep/ca/pkiclient.exe$"
like "list --json" "$(scep alias list --json --match far)" \
	'"mode":"proxy","cas":"","url":"https://ca.example'
like "show" "$(scep alias show far)" "^proxy.keep +1h  \(default\)"
unlike "show has nothing of a CA" "$(scep alias show far)" "defaultca|judge"
like "keys of a CA are errors" "$(err scep alias set far sha1 no)" \
	"with operationmode = proxy only \[proxy\] and \[access\] count"
like "a query in the URL" "$(err scep alias set far proxy.url \
	'https://ca.example.org/scep?x=y')" "it ends before '\?' and '#'"
like "plain HTTP" "$(err scep alias set far proxy.url \
	http://ca.example.org/scep)" "it must be as https://host/path"
like "HTTPS in capitals" "$(err scep alias set far proxy.url \
	HTTPS://ca.example.org/scep)" "it must be as https://host/path"
ok "a proxy may have peers too" scep alias set far peers CN=a
ok "copy" scep alias copy far far2
ok "rename" scep alias rename far2 far3
ok "all are good" scep alias check
ok "status" scep status
ok "check" scep check
mkdir home/store/kept home/store/kept/far3
chmod 750 home/store/kept home/store/kept/far3
ok "a room of answers" touch home/store/kept/far3/pause
chmod 640 home/store/kept/far3/pause
ok "delete" scep alias delete far3 --yes
not_ok "takes them along" test -e home/store/kept/far3
ok "delete the other" scep alias delete far --yes
done_testing
