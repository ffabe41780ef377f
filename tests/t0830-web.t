#!/bin/sh
# The judge is a web service: what it is sent, as step-ca sends it, what its
# yes and its no do, and whatever else it may do: that is HTTP 503, and nothing
# is written.  tests/httpd.py stands for it, examples/webhook.py for a hook.
# shellcheck disable=SC1091,SC2016,SC2034,SC2154 # lib.sh uses them
. "${0%/*}/lib.sh"

make_home
mkdir hook home/hook

# --- certificates of services; the keys are small, the validity a century

authority() { # NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "hook/$1.key" -out "hook/$1.pem" -days 36500 \
		-subj "/CN=$1" -addext keyUsage=critical,keyCertSign \
		>>log 2>&1
}
certify() { # NAME SAN END
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "hook/$1.key" -out hook/csr -subj "/CN=$1" \
		-addext "subjectAltName=$2" >>log 2>&1
	openssl ca -batch -notext -config hook/cnf -cert hook/ca.pem \
		-keyfile hook/ca.key -in hook/csr -out "hook/$1.crt" \
		-startdate 20200101000000Z -enddate "$3" >>log 2>&1
	cat "hook/$1.crt" "hook/$1.key" >"hook/$1.pem"
}
cat >hook/cnf <<-'END'
	[ca]
	default_ca = x
	[x]
	database = hook/index
	serial = hook/serial
	new_certs_dir = hook
	default_md = sha256
	policy = p
	copy_extensions = copy
	unique_subject = no
	[p]
	commonName = supplied
END
: >hook/index
echo 01 >hook/serial
authority ca
authority other
certify good DNS:localhost,IP:127.0.0.1 21200101000000Z
certify misnamed DNS:other.example 21200101000000Z
certify expired DNS:localhost,IP:127.0.0.1 20200201000000Z
certify client DNS:client.example 21200101000000Z
cp hook/ca.pem hook/other.pem hook/client.crt hook/client.key home/hook/
pin() {
	openssl x509 -in "$1" -noout -pubkey | openssl pkey -pubin -outform DER |
		openssl dgst -sha256 -binary | openssl base64
}

# --- services

answer() { # RULE: what is answered from now on
	printf '[%s]\n' "$1" >answers.new
	mv answers.new answers.json
}
service() { # NAME OPTIONS...: listens on $PORT
	_service=$1
	shift
	python3 "$TOP/tests/httpd.py" --script answers.json --log asked \
		--port-file "$_service.port" "$@" >>httpd.log 2>&1 &
	SERVICE=$!
	server $SERVICE
	wait_for test -s "$_service.port"
	PORT=$(cat "$_service.port")
}
serve_with() { cp "hook/$1.pem" tls.new && mv tls.new tls.pem; }

answer '{"json": {"allow": true}}'
serve_with good
service one --cert tls.pem
ONE=$PORT
service two --cert tls.pem --client-ca hook/ca.pem
TWO=$PORT
service gone --cert tls.pem
GONE=$PORT
stop_server $SERVICE

# --- aliases

umask 077
openssl rand -base64 32 >home/hook/key
echo "token.of-the/hook=" >home/hook/token
umask 022

alias_web() { # NAME MODE PORT LINES OF [web]...
	_alias=$1 _mode=$2 _port=$3
	shift 3
	{
		printf '[scep]\noperationmode = %s\n' "$_mode"
		[ "$_mode" = ra ] || printf 'cas = ManagementCA\n'
		printf '[challenge]\njudge = web\n[web]\n'
		printf 'url = https://127.0.0.1:%s/hooks/scep?of=%s\n' \
			"$_port" "$_alias"
		printf '%s\n' "$@"
		[ "$_mode" = ca ] || printf '[ra]\ndefaultca = ManagementCA\n'
		[ "$_mode" = ca ] || printf '[approval]\nrequired = 0\n'
	} >"$_alias.ini"
	"$SCEP" alias add "$_alias" --from "$_alias.ini" >.out 2>&1 ||
		diag "$(cat .out)"
}
CA='cafile = hook/ca.pem'
KEY='secretfile = hook/key'
CERT='clientcert = hook/client.crt'
alias_web web ra "$ONE" "$CA" "$KEY" 'bearerfile = hook/token' \
	'timeout = 30s'
alias_web named ca "$ONE" "$CA" "$KEY" 'id = 7d3c64dc-ec0e'
alias_web hasty ra "$ONE" "$CA" "$KEY" 'timeout = 1s'
alias_web mutual ra "$TWO" "$CA" "$CERT" 'clientkey = hook/client.key'
alias_web naked ra "$TWO" "$CA"
like "an asker whom nobody can know: a warning" "$(cat .out)" \
	'naked.*without secretfile, bearerfile or clientcert'
alias_web pinned ra "$ONE" "$CA" "$KEY" "pin = sha256//$(pin hook/good.pem)"
alias_web unpinned ra "$ONE" "$CA" "$KEY" "pin = sha256//$(pin hook/ca.pem)"
alias_web foreign ra "$ONE" "$KEY" 'cafile = hook/other.pem'
alias_web down ra "$GONE" "$CA" "$KEY"
touch -d '5 seconds ago' home/aliases/*.ini

ask() { # NAME ALIAS [OPTIONS OF BUILDER...]: a request; the reply in NAME.rep
	_n=$1 _as=$2
	shift 2
	[ -e "$_n.der" ] || pkcsreq "$_n" "magic word" "$@"
	: >asked
	request POST "/scep/$_as/pkiclient.exe?operation=PKIOperation" "$_n.der"
	echo "status=http-$STATUS" >"$_n.rep"
	[ "$STATUS" != 200 ] || builder certrep --ca ca.pem --key "$_n.key" \
		--cert "$_n.crt" --in body --out-prefix "$_n-" \
		>"$_n.rep" 2>>log
}
# EXPRESSIONS: of the last request that a service has got, a line for each;
# ask and body are Python's.
asked() {
	python3 -c '
import base64, hashlib, hmac, json, sys
ask = json.loads(open("asked").read().splitlines()[-1])
body = json.loads(ask["body"])
for words in sys.argv[1:]:
    print(eval(words))' "$@"
}
in_store() { find home/store -type f | sort; }
subject() { openssl x509 -in "$1" -noout -subject | sed 's/^subject=//'; }

# --- what is sent

line() { sed -n "$1p" said; }
sent() {
	DOOR=$1
	answer '{"method": "POST", "json": {"allow": true}}'
	ask "fine-$1" web --subject "/C=SE/O=Lab/OU=a/OU=b/CN=fine-$1/UID=7" \
		--san dns:a.example,ip:192.0.2.7,email:a@b.example
	is "$1: yes: a certificate" "$(reply "fine-$1" status)" 0
	asked 'ask["method"], ask["path"], ask["query"], ask["headers"]["content-type"]' \
		'ask["headers"]["x-smallstep-signature"]' \
		'hmac.new(base64.b64decode(open("home/hook/key").read()), ask["body"].encode(), hashlib.sha256).hexdigest()' \
		'ask["headers"]["x-smallstep-webhook-id"]' \
		'ask["headers"]["authorization"]' \
		'body["scepChallenge"], body["scepTransactionID"], body["provisionerName"]' \
		'sorted(body["x509CertificateRequest"]["subject"].items())' \
		'[body["x509CertificateRequest"][n] for n in ("dnsNames", "ipAddresses", "emailAddresses", "uris")]' \
		'body["x509CertificateRequest"]["publicKeyAlgorithm"]' \
		'body["x509CertificateRequest"]["raw"]' \
		'body["x509CertificateRequest"]["publicKey"]' >said
	is "$1: POST of JSON" "$(line 1)" \
		"('POST', '/hooks/scep', 'of=web', 'application/json')"
	is "$1: signed as step-ca signs" "$(line 2)" "$(line 3)"
	is "$1: its name" "$(line 4)" web
	is "$1: the token" "$(line 5)" "Bearer token.of-the/hook="
	is "$1: challenge and transaction" "$(line 6)" \
		"('magic word', 'id-fine-$1', 'web')"
	is "$1: the subject" "$(line 7)" \
		"[('commonName', 'fine-$1'), ('country', ['SE']), ('extraNames', [{'type': '0.9.2342.19200300.100.1.1', 'value': '7'}]), ('organization', ['Lab']), ('organizationalUnit', ['a', 'b'])]"
	is "$1: the SAN" "$(line 8)" \
		"[['a.example'], ['192.0.2.7'], ['a@b.example'], None]"
	line 10 | openssl base64 -d -A >raw.der
	ok "$1: the request itself" cmp raw.der "fine-$1.csr"
	line 11 | openssl base64 -d -A | openssl pkey -pubin -inform DER >pub.pem
	is "$1: its key" "$(cat pub.pem)" \
		"$(openssl pkey -in "fine-$1.key" -pubout)"
	is "$1: of which kind" "$(line 9)" RSA
}
sent cgi
sent fcgi
DOOR=cgi
ask fine-cgi web
is "the same bytes again: the same certificate, nobody is asked" \
	"$(reply fine-cgi status) $(wc -l <asked)" "0 0"

# Microsoft's attribute asks for extensions too, and so does another list of
# the common one: what would be certified is what the service sees.
EVIL=301930170603551d110410300e820c6576696c2e6578616d706c65
unseen() { # NAME OID
	ask "$1" web --attributes "$2=$EVIL"
	like "$1: a certificate with that name" "$(openssl x509 -in "$1-0.pem" \
		-noout -ext subjectAltName)" 'DNS:evil.example'
	is "$1: the service has seen it" "$(asked \
		'[body["x509CertificateRequest"][n] for n in ("dnsNames", "extensions")]')" \
		"[['evil.example'], [{'id': '2.5.29.17', 'critical': False, 'value': 'MA6CDGV2aWwuZXhhbXBsZQ=='}]]"
}
unseen microsoft 1.3.6.1.4.1.311.2.1.14
unseen verisign 2.16.840.1.113733.1.9.8

# Of several the service would see the last, and step-ca certifies no other.
several() { # NAME SUBJECT WHICH
	ask "$1" web --subject "$2"
	is "$1: no" "$(reply "$1" status) $(reply "$1" failinfo)" "2 2"
	is "$1: nobody is asked" "$(wc -l <asked)" 0
	like "$1: why" "$(tail -n 3 log)" "several $3"
}
several names /CN=admin/CN=device commonNames
several serials /CN=device/serialNumber=1/serialNumber=2 serialNumbers

# --- no

refused() { # DESCRIPTION ANSWER LOG
	answer "$2"
	no=$((no + 1))
	ask "no-$no" web
	is "$1: FAILURE badRequest" \
		"$(reply "no-$no" status) $(reply "no-$no" failinfo)" "2 2"
	like "$1: the log says whose no it is" "$(tail -n 3 log)" "$3"
}
no=0
refused "no" '{"json": {"allow": false}}' 'the web service says no'
refused "no, and why" \
	'{"json": {"allow": false, "error": {"message": "not yours"}}}' \
	'the web service says no: not yours'
refused "no, with the challenge in it" \
	'{"json": {"allow": false, "error": "magic word?"}}' \
	'says no: \(words that hold the challenge\)'
refused "no is no whatever data says" \
	'{"json": {"allow": false, "data": {"validity": "long"}}}' \
	'the web service says no'

# --- whatever else: try again, and nothing is written

unclear() { # DESCRIPTION ANSWER LOG [ALIAS]
	[ -z "$2" ] || answer "$2"
	[ -e again.der ] || pkcsreq again "magic word"
	_before=$(in_store)
	ask again "${4:-web}"
	is "$1: try again" "$(reply again status)" http-503
	like "$1: the log says why" "$(tail -n 4 log)" "$3"
	is "$1: nothing is written" "$(in_store)" "$_before"
}
DOOR=fcgi
unclear "another status" '{"status": 201, "json": {"allow": true}}' \
	'the answer has status 201, not 200'
unclear "its own trouble" '{"status": 500, "json": {"allow": true}}' \
	'status 500'
unclear "a redirect" '{"status": 307, "headers": {"Location": "/yes"},
	"json": {"allow": true}}' 'status 307'
is "which is not followed" "$(wc -l <asked)" 1
unclear "no JSON" '{"body": "allow"}' 'not one JSON object'
unclear "half of it" '{"body": "{\"allow\": true"}' 'not one JSON object'
unclear "more behind it" '{"body": "{\"allow\": true} {}"}' \
	'not one JSON object'
DOOR=cgi
unclear "no JSON for a process of its own" '{"body": "allow"}' \
	'not one JSON object'
DOOR=fcgi
NOALLOW='no allow that is true or false'
unclear "no object" '{"body": "true"}' "$NOALLOW"
unclear "no allow" '{"json": {"data": {}}}' "$NOALLOW"
unclear "allow as text" '{"json": {"allow": "true"}}' "$NOALLOW"
unclear "allow as a number" '{"json": {"allow": 1}}' "$NOALLOW"
unclear "allow is null" '{"json": {"allow": null}}' "$NOALLOW"
unclear "allow twice" '{"body": "{\"allow\": true, \"allow\": true}"}' \
	"$NOALLOW"
unclear "another's allow" '{"json": {"Allow": true}}' "$NOALLOW"
unclear "an override that is no text" \
	'{"json": {"allow": true, "data": {"username": 7}}}' \
	'username: it is no text'
unclear "a subject that is none" \
	'{"json": {"allow": true, "data": {"subject": "router"}}}' \
	'subject: no DN'
unclear "ten MiB" '{"size": 10485760}' ': .*1048576'
DOOR=cgi # a worker would ask once and pause then (t0835)
unclear "an answer that ends in the middle" \
	'{"json": {"allow": true}, "close": 5}' 'hooks/scep'
unclear "no answer" '{"close": -1}' 'hooks/scep'
unclear "no HTTP" '{"raw": "{\"allow\": true}"}' 'hooks/scep'
DOOR=fcgi
unclear "slow" '{"delay": 3, "json": {"allow": true}}' 'timed out' \
	hasty
DOOR=cgi
unclear "slow for a process of its own" '' 'timed out' hasty
answer '{"json": {"allow": true}}'
unclear "down" '' 'hooks/scep' down
unclear "another CA's" '' 'certificate' foreign
unclear "another key" '' 'pin' unpinned
unclear "no client certificate" '' 'hooks/scep' naked
serve_with misnamed
unclear "the name of another" '' 'subject name'
serve_with expired
unclear "an expired certificate" '' 'expired'
serve_with good
DOOR=fcgi
chmod 644 home/hook/key
unclear "a key that everybody can read" '' 'chmod 0600 hook/key'
chmod 600 home/hook/key
ask again web
is "then yes: the same request is granted" "$(reply again status)" 0

# --- how we and the service know each other

ask pinned pinned
is "the pinned key" "$(reply pinned status)" 0
is "no token where there is none" "$(asked \
	'ask["headers"].get("authorization")')" None
ask mutual mutual
is "a client certificate" "$(reply mutual status) $(asked 'ask["client"]')" \
	"0 client"
is "no signature where there is no key" "$(asked \
	'ask["headers"].get("x-smallstep-signature")')" None

# --- overrides, RA mode

answer '{"json": {"allow": true, "error": null, "data": {
	"username": "shelf-7", "subject": "CN=shelf7,O=Lab",
	"san": "dNSName=shelf7.example", "validity": "1d", "profile": "ENDUSER",
	"room": {"floor": 3}}}}'
ask over web
is "overrides: granted" "$(reply over status)" 0
is "overrides: the subject" "$(subject over-0.pem)" "CN = shelf7, O = Lab"
like "overrides: the SAN" \
	"$(openssl x509 -in over-0.pem -noout -ext subjectAltName)" \
	'DNS:shelf7.example'
like "overrides: the entity" "$("$SCEP" entity show shelf-7 2>&1)" shelf7
answer '{"json": {"allow": true, "data": ["for a template"]}}'
ask template web
is "data that is no object is others' business" "$(reply template status)" 0

# --- CA mode: the entity must be registered

answer '{"json": {"allow": true}}'
"$SCEP" entity add known --no-code >>log 2>&1
ask known named
is "CA mode: a registered entity" "$(reply known status)" 0
is "CA mode: its name for us" "$(asked \
	'ask["headers"]["x-smallstep-webhook-id"]')" 7d3c64dc-ec0e
ask stranger named
is "CA mode: nobody else" \
	"$(reply stranger status) $(reply stranger failinfo)" "2 2"
"$SCEP" entity add badge --subject "CN=badge" --generate >>log 2>&1
answer '{"json": {"allow": true, "data": {"username": "badge"}}}'
ask bearer named
is "CA mode: for another name" "$(reply bearer status)" 0
is "CA mode: the certificate is the entity's" "$(subject bearer-0.pem)" \
	"CN = badge"

# --- the ready hook

PORT=$(free_port)
cp home/hook/key hook.key
printf '# those that may\nopen-sesame cave\nopen-vault vault\n' >devices.txt
"$TOP/examples/webhook.py" --list devices.txt --secret hook.key \
	--cert hook/good.pem --client-ca hook/ca.pem --port "$PORT" \
	>>hook.log 2>&1 &
server $!
alias_web listed ra "$PORT" "$CA" "$KEY" "$CERT" \
	'clientkey = hook/client.key'
touch -d '5 seconds ago' home/aliases/listed.ini
listening() { curl -sk "https://127.0.0.1:$PORT/"; [ $? -ne 7 ]; }
wait_for listening
wait_for test -s hook.log # of listening, which has no certificate
: >hook.log
not_ok "a client that refuses its certificate" \
	curl -s --cacert home/hook/other.pem "https://127.0.0.1:$PORT/"
not_ok "one that has none" curl -sk "https://127.0.0.1:$PORT/"
both_told() { [ "$(wc -l <hook.log)" -ge 2 ]; }
wait_for both_told
is "are a line each in its log, and no traceback" "$(wc -l <hook.log) $(
	grep -c '^127.0.0.1: ' hook.log)" "2 2"
pkcsreq cave open-sesame
ask cave listed
is "the ready hook says yes" "$(reply cave status)" 0
pkcsreq thief open-vault --subject "/O=Bank/CN=vault" --san dns:bank.example
ask thief listed
is "to the name on the list, and to no other" "$(reply thief status) $(
	subject thief-0.pem)" "0 CN = vault"
unlike "nor to a SAN" "$(openssl x509 -in thief-0.pem -noout -text)" \
	'Alternative Name'
pkcsreq house open-sesame
ask house listed
is "and no" "$(reply house status) $(reply house failinfo)" "2 2"
openssl rand -base64 32 >home/hook/key
unclear "and nothing to who signs with another key" '' 'status 403' listed

# --- what alias check looks at

checks() { # DESCRIPTION REGEX LINES OF [web]...
	_d=$1 _regex=$2
	shift 2
	alias_web tried ra "$ONE" "$@" >/dev/null 2>&1
	like "alias check: $_d" "$(cat .out)" "$_regex"
	not_ok "alias check: $_d: it is no alias" test -e home/aliases/tried.ini
}
echo "not base64!" >home/hook/bad
echo "two words" >home/hook/words
chmod 600 home/hook/bad home/hook/words
checks "a key that is none" 'hook/bad is not base64' 'secretfile = hook/bad'
checks "a token that is none" 'no token has' 'bearerfile = hook/words'
checks "no such file" 'hook/none' 'secretfile = hook/none'
checks "a certificate alone" 'clientkey' "$CERT"
checks "a key alone" 'clientcert' 'clientkey = hook/client.key'
openssl ecparam -genkey -name prime256v1 -noout -out home/hook/another.key \
	2>>log
checks "the key of another" 'not the key of' "$CERT" \
	'clientkey = hook/another.key'
checks "no certificates" 'hook/bad' 'cafile = hook/bad'
checks "an id that no header has" 'id' 'id = two words'
not_ok "alias check: no TLS" "$SCEP" alias set web web.url http://127.0.0.1/
like "alias check: it must be" "$(cat .out)" 'it must be as https://'

# --- secrets

cat log .out >all.log
unlike "no challenge in the log" "$(cat all.log)" 'magic word|open-sesame|open-vault'
unlike "no token" "$(cat all.log)" 'token\.of'
unlike "no key" "$(cat all.log)" "$(cut -c 1-20 home/hook/key)"
not_ok "no challenge in the store" grep -rq 'magic word' home/store

done_testing
