#!/bin/sh
# A proxy in front and the CA behind: two homes, two web servers, mutual TLS
# between them; the one inside is lighttpd, Apache and nginx in turn, by the
# examples.  Who may not come in, and what the proxy answers while the CA's
# host is down or lies.
# shellcheck disable=SC1091,SC2016,SC2034,SC2154 # lib.sh uses them
. "${0%/*}/lib.sh"

outer=$FRESH/outer
make_home
"$SCEP" alias set scep peers "CN=proxy1,O=Lab,C=SE" >.out

# --- who is who: a CA for servers and proxies, another for strangers ----------

issuer() { # NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$1.key" -out "$1.pem" -subj "/CN=$1" -days 30 2>>log
}

leaf() { # NAME ISSUER SUBJECT DAYS [EXTENSION]
	echo "${5:-keyUsage=digitalSignature}" >ext
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$1-key.pem" -subj "$3" 2>>log |
	    openssl x509 -req -CA "$2.pem" -CAkey "$2.key" -days "$4" \
		-extfile ext -out "$1.pem" 2>>log
	chmod 600 "$1-key.pem"
}

issuer peers-ca
issuer strangers
leaf tls peers-ca /CN=localhost 30 "subjectAltName=DNS:localhost,IP:127.0.0.1"
leaf good peers-ca /CN=proxy1/O=Lab/C=SE 30
leaf unlisted peers-ca /CN=proxy2/O=Lab/C=SE 30
leaf backwards peers-ca /C=SE/O=Lab/CN=proxy1 30
leaf expired peers-ca /CN=proxy1/O=Lab/C=SE -1
leaf wrong strangers /CN=proxy1/O=Lab/C=SE 30

be() { # NAME: the proxy shows that certificate from now on
	for _f in .pem -key.pem; do
		cp -p "$1$_f" "mine$_f.new" && mv "mine$_f.new" "mine$_f"
	done
}

# --- the servers ---------------------------------------------------------------

TLS=$(free_port)
OPEN=$(free_port)
inside=https://127.0.0.1:$TLS/scep

# An example as it is, but for its paths and ports; and a second port without
# TLS, as somebody may have it for other aliases.
instance() { # CONFIGURATION
	sed -e "s|/run/scep/scep.sock|$FRESH/inner.sock|" \
		-e "s|/etc/scep/|$FRESH/|" \
		-e "s|/var/www/html|$FRESH|" \
		-e "s|/var/log/lighttpd/error.log|$FRESH/inner.log|" \
		-e "/^server.username/d" -e "/^server.groupname/d" \
		-e "s|^server.port .*|server.port = $TLS|" \
		-e "s|^server.bind .*|server.bind = \"127.0.0.1\"|" \
		-e "s|listen 443 ssl;|listen 127.0.0.1:$TLS ssl; listen 127.0.0.1:$OPEN;|" \
		-e "s|VirtualHost \*:443|VirtualHost 127.0.0.1:$TLS|" \
		"$TOP/examples/$1-peers.conf"
}

lighttpd_inside() {
	instance lighttpd >inner.conf
	echo "\$SERVER[\"socket\"] == \"127.0.0.1:$OPEN\"" \
		'{ ssl.engine = "disable" }' >>inner.conf
	lighttpd -D -f inner.conf >>inner.log 2>&1 &
}

apache_inside() {
	_modules=/usr/lib/apache2/modules
	{
		for _m in mpm_event authz_core env ssl proxy proxy_fcgi; do
			echo "LoadModule ${_m}_module $_modules/mod_$_m.so"
		done
		cat <<-EOT
		ServerRoot $FRESH
		ServerName localhost
		DefaultRuntimeDir $FRESH
		PidFile $FRESH/apache.pid
		ErrorLog $FRESH/inner.log
		Listen 127.0.0.1:$TLS
		Listen 127.0.0.1:$OPEN
		DocumentRoot $FRESH
		StartServers 1
		ThreadsPerChild 8
		MaxRequestWorkers 8
		EOT
		[ "$(id -u)" -ne 0 ] || printf 'User www-data\nGroup www-data\n'
		instance apache
		echo "<VirtualHost 127.0.0.1:$OPEN>"
		instance apache | sed -n '/<LocationMatch/,/<\/LocationMatch/p'
		echo "</VirtualHost>"
	} >inner.conf
	apache2 -f "$FRESH/inner.conf" -DFOREGROUND >>inner.log 2>&1 &
}

nginx_inside() {
	{
		[ "$(id -u)" -ne 0 ] || echo "user root;"
		cat <<-EOT
		daemon off;
		worker_processes 1;
		pid $FRESH/nginx.pid;
		error_log $FRESH/inner.log info;
		events { }
		http {
		access_log off;
		EOT
		for _t in client_body proxy fastcgi uwsgi scgi; do
			echo "${_t}_temp_path $FRESH/$_t;"
		done
		instance nginx
		echo "}"
	} >inner.conf
	nginx -c "$FRESH/inner.conf" -e "$FRESH/inner.log" >>inner.log 2>&1 &
}

# The CA's own web server; its pid is INSIDE.
start_inside() { # KIND
	"$1_inside"
	INSIDE=$!
	server "$INSIDE"
	wait_for curl -s -o /dev/null "http://127.0.0.1:$OPEN/scep"
}

get() { curl -s -o body -D headers -w '%{http_code}' "$@"; }

# Past the proxy: NAME shows its certificate to the server inside.
direct() { # NAME ARGUMENTS...
	_who=$1
	shift
	get --cacert peers-ca.pem --cert "$_who.pem" --key "$_who-key.pem" "$@"
}

# --- the homes -------------------------------------------------------------------

spawn-fcgi -F 2 -M 0666 -s "$FRESH/inner.sock" -- "$SCEP" >spawned 2>>log
sed -n 's/.*PID: //p' spawned >pids
while read -r _pid; do
	server "$_pid"
done <pids
start_inside lighttpd
be good
ok "a home for the proxy" env SCEP_HOME="$outer" "$SCEP" init
ok "and its alias" env SCEP_HOME="$outer" "$SCEP" alias add scep \
	--proxy "$inside/scep/pkiclient.exe" --clientcert "$FRESH/mine.pem" \
	--clientkey "$FRESH/mine-key.pem" --cafile "$FRESH/peers-ca.pem"
is "which is good" "$(SCEP_HOME=$outer "$SCEP" alias check scep |
	sed 's/ until .*//')" "scep: good
  passes on to $inside/scep/pkiclient.exe as CN=proxy1,O=Lab,C=SE,"
is "and listed" "$(SCEP_HOME=$outer "$SCEP" alias list | tail -n 1 |
	tr -s ' ')" "scep proxy $inside/scep/pkiclient.exe"
home=$SCEP_HOME
SCEP_HOME=$outer
lighttpd_start 1 # what one has found out, another does not know
SCEP_HOME=$home

openssl x509 -in ca.pem -outform DER -out ca.der
GET="$URL/scep?operation"
forget() { rm -rf "$outer/store/kept"; }

# --- each server inside -----------------------------------------------------------

strongswan() { # NAME CODE
	client_key "$1"
	timeout 60 pki --scepca --url "$URL/scep" --caout sca.pem \
		--raout ra.pem --outform pem --force >>log 2>&1 &&
	    timeout 60 pki --scep --url "$URL/scep" --in "$1.key" \
		--dn "C=CH, CN=$1" --password "$2" --cacert-enc sca.pem \
		--cacert-sig sca.pem --cipher aes --digest sha256 \
		--outform pem >"$1.pem" 2>>log &&
	    openssl verify -CAfile ca.pem "$1.pem"
}

answered() { # NAME
	builder certrep --ca ca.pem --key "$1.key" --cert "$1.crt" --in body \
		--out-prefix "$1-" >"$1.rep" 2>>log &&
	    [ "$(reply "$1" status)" = 0 ]
}

# What a client says of itself is in a header, whatever that is called.
forged() { # ARGUMENTS of get
	get "$@" -H "SSL-CLIENT-VERIFY: SUCCESS" \
		-H "SSL_CLIENT_VERIFY: SUCCESS" -H "SSL_CLIENT_VERIFY;" \
		-H "X-SSL-CLIENT-VERIFY: SUCCESS" \
		-H "SSL-CLIENT-S-DN: CN=proxy1,O=Lab,C=SE" \
		-H "SSL_CLIENT_S_DN: CN=proxy1,O=Lab,C=SE" \
		-H "X-SSL-CLIENT-S-DN: CN=proxy1,O=Lab,C=SE" \
		-H "SSL-CLIENT-CERT: $forged_cert" \
		-H "SSL_CLIENT_CERT: $forged_cert" \
		-H "X-SSL-CLIENT-CERT: $forged_cert"
}
forged_cert=$(sed ':a;N;$!ba;s/\n/%0A/g' good.pem)

passes() { # KIND
	is "$1: GetCACert through both" "$(get "$GET=GetCACert")" 200
	ok "$1: is the CA's" cmp body ca.der
	is "$1: GetCACaps" "$(get "$GET=GetCACaps")" 200
	like "$1: are the CA's" "$(cat body)" "^POSTPKIOperation"
	is "$1: GetCACertChain" "$(get "$GET=GetCACertChain")" 200
	like "$1: of its type" "$(header '[Cc]ontent-[Tt]ype')" \
		"^application/x-x509-ca-ra-cert-chain"
	is "$1: HEAD" "$(get -I "$GET=GetCACert")" 200
	is "$1: GetNextCACert: none" "$(get "$GET=GetNextCACert")" 404
	ok "$1: strongSwan enrols" strongswan "$1-ss" "$(add_entity "$1-ss")"
	pkcsreq "$1" "$(add_entity "$1")"
	is "$1: POST" "$(get --data-binary "@$1.der" "$GET=PKIOperation")" 200
	ok "$1: gets its certificate" answered "$1"
	is "$1: not to be kept" "$(header '[Cc]ache-[Cc]ontrol' | tr -d '\r')" \
		no-store
	_q=$(builder get --in "$1.der" --style newlines)
	is "$1: GET" "$(get -g "$GET=PKIOperation&message=$_q")" 200
	ok "$1: gets it too" answered "$1"
	head -c 900 /dev/urandom >junk
	is "$1: nonsense: the CA's 400" \
		"$(get --data-binary @junk "$GET=PKIOperation")" 400
}

# KIND STATUS: what it answers to certificates that are not good.
refuses() {
	is "$1: the proxy's own certificate is in" \
		"$(direct good "$inside?operation=GetCACert")" 200
	is "$1: an unlisted one" \
		"$(direct unlisted "$inside?operation=GetCACert")" 403
	is "$1: is told so" "$(cat body)" \
		"this client certificate may not ask here"
	is "$1: nor with a message" "$(direct unlisted --data-binary "@$1.der" \
		"$inside?operation=PKIOperation")" 403
	is "$1: nor one with the same words in another order" \
		"$(direct backwards "$inside?operation=GetCACert")" 403
	is "$1: an expired one" \
		"$(direct expired "$inside?operation=GetCACert")" "$2"
	is "$1: another CA's" \
		"$(direct wrong "$inside?operation=GetCACert")" "$2"
	is "$1: none" \
		"$(get --cacert peers-ca.pem "$inside?operation=GetCACert")" "$2"
	is "$1: plain HTTP" \
		"$(get "http://127.0.0.1:$OPEN/scep?operation=GetCACert")" 403
	is "$1: is told why" "$(cat body)" "a client certificate is needed here"
	is "$1: plain HTTP with forged headers" \
		"$(forged "http://127.0.0.1:$OPEN/scep?operation=GetCACert")" 403
	is "$1: an unlisted one with forged headers" \
		"$(forged --cacert peers-ca.pem --cert unlisted.pem \
			--key unlisted-key.pem "$inside?operation=GetCACert")" 403
	# what a device outside hears
	be unlisted
	is "$1: an unlisted proxy's device" "$(get --data-binary "@$1.der" \
		"$GET=PKIOperation")" 503
	is "$1: hears" "$(cat body)" "temporarily unavailable, try again"
	like "$1: why is ours to know" "$(cat lighttpd.log)" \
		"does not admit us: clientcert must be good"
	for _bad in expired wrong; do
		be $_bad
		is "$1: the device of one that is $_bad" \
			"$(get --data-binary "@$1.der" "$GET=PKIOperation")" \
			503
	done
	be good
}

first=yes
for row in lighttpd:000 apache:000 nginx:403; do
	kind=${row%:*}
	forget
	[ $first = yes ] || start_inside "$kind"
	first=no
	passes "$kind"
	refuses "$kind" "${row#*:}"
	stop_server "$INSIDE"
	[ "$failed" -eq 0 ] || diag "$(tail -n 20 inner.log | cut -c1-200)"
done

# --- the CA's host is down -----------------------------------------------------

kept=$outer/store/kept/scep
: >lighttpd.log
is "down: what is fresh is given" "$(get "$GET=GetCACert")" 200
ok "down: as it was" cmp body ca.der
unlike "down: without a word" "$(cat lighttpd.log)" "level=(warn|error)"
like "down: but for its age" "$(cat lighttpd.log)" \
	"operation=GetCACert.* kept=[0-9]+ status=200"
age() { sed -i 's/^fetched = .*/fetched = 2020-01-01T00:00:00Z/' "$kept"/*; }
age
for op in GetCACert GetCACaps GetCACertChain GetCACert; do
	is "down: $op, though it is old" "$(get "$GET=$op")" 200
done
ok "down: as it was" cmp body ca.der
is "down: said once" "$(grep -c "what was kept of it is given" \
	lighttpd.log)" 1
is "down: GetNextCACert" "$(get "$GET=GetNextCACert")" 503
is "down: what nobody has asked before" \
	"$(get "$GET=GetCACert&message=nobody")" 503
is "down: PKIOperation" \
	"$(get --data-binary @nginx.der "$GET=PKIOperation")" 503
like "down: come again" "$(header '[Rr]etry-[Aa]fter')" "^[0-9]+"
is "down: said to the device" "$(cat body)" \
	"temporarily unavailable, try again"

start_inside nginx
gets() { # STATUS MESSAGE: is it that?
	[ "$(get --data-binary "@$2" "$GET=PKIOperation${3:-}")" = "$1" ]
}
ok "up again: the same message, soon" wait_for gets 200 nginx.der
ok "up again: gets its certificate" answered nginx
is "up again: GetCACert" "$(get "$GET=GetCACert")" 200
rm "$kept/pause"
is "up again: is asked for" "$(get "$GET=GetCACert")" 200
is "up again: and kept" "$(grep -l "^question = GetCACert " "$kept"/* |
	xargs grep -c "^fetched = 2020")" 0

# Our own trouble is none of the CA's host's.
age
mv mine-key.pem mine-key.away
: >lighttpd.log
is "no key of ours: what was kept is given" "$(get "$GET=GetCACert")" 200
ok "no key of ours: as it was" cmp body ca.der
like "no key of ours: the log has the reason" "$(cat lighttpd.log)" \
	"mine-key.pem"
like "no key of ours: and what comes of it" "$(cat lighttpd.log)" \
	"cannot be asked .system failure.; what was kept of it is given"
unlike "no key of ours: and no other" "$(cat lighttpd.log)" "does not answer"
not_ok "no key of ours: nobody pauses" test -e "$kept/pause"
is "no key of ours: PKIOperation" \
	"$(get --data-binary @nginx.der "$GET=PKIOperation")" 503
cp ca.pem mine-key.pem && chmod 600 mine-key.pem
: >lighttpd.log
is "no key in its file" "$(get "$GET=GetCACert")" 200
unlike "no key in its file: neither" "$(cat lighttpd.log)" "does not answer"
mv mine-key.away mine-key.pem
is "the key again" "$(get "$GET=GetCACert")" 200
is "the key again: is asked for" "$(grep -l "^question = GetCACert " "$kept"/* |
	xargs grep -c "^fetched = 2020")" 0
stop_server "$INSIDE"

# --- what is passed, to the letter; and lies ------------------------------------

cat >says.json <<'EOT'
[{"query": ".*message=html", "headers": {"Content-Type": "text/html"},
  "body": "<html>log in</html>"},
 {"query": ".*message=redirect", "status": 302,
  "headers": {"Location": "/other", "Content-Type": "application/x-pki-message"},
  "body": "x"},
 {"query": ".*message=large", "size": 10485760,
  "headers": {"Content-Type": "application/x-pki-message"}},
 {"query": ".*message=error", "status": 500,
  "headers": {"Content-Type": "application/x-pki-message"}, "body": "x"},
 {"query": ".*message=later", "status": 429, "body": "x"},
 {"query": ".*message=empty",
  "headers": {"Content-Type": "application/x-pki-message"}, "body": ""},
 {"query": ".*message=cut", "close": 1, "body": "abc",
  "headers": {"Content-Type": "application/x-pki-message"}},
 {"query": ".*message=no", "status": 410, "body": "<script>x</script>"},
 {"query": "operation=GetCACert.*", "file": "ca.der",
  "headers": {"Content-Type": "application/x-x509-ca-cert"}},
 {"query": ".*", "body": "yes", "headers":
   {"Content-Type": "Application/X-PKI-Message; charset=binary"}}]
EOT
python3 "$TOP/tests/httpd.py" --script says.json --log asked --port "$TLS" \
	--port-file port --cert tls.pem --key tls-key.pem \
	--client-ca peers-ca.pem >>httpd.log 2>&1 &
server $!
wait_for test -s port
is "a lie: ca.der as a message" \
	"$(get "$GET=PKIOperation&operation=GetCACert&message=x")" 200
is "it passes" "$(cat body)" yes
: >asked
head -c 3000 /dev/urandom >junk
q="operation=PKIOperation&x=%0a+%2B/=&message=a%20b&&"
SCEP_HOME=$outer
HTTP_X_FORWARDED_FOR=192.0.2.9 CONTENT_TYPE=text/odd \
	request POST "/scep?$q" junk
SCEP_HOME=$home
is "any bytes" "$STATUS" 200
python3 - "$q" <<'EOT' >seen
import base64, json, sys
a = json.loads(open("asked").readline())
print(a["method"], a["path"], a["client"])
print("query", a["query"] == sys.argv[1])
print("body", base64.b64decode(a["base64"]) == open("junk", "rb").read())
print("type", a["headers"]["content-type"])
print("headers", *sorted(a["headers"]))
EOT
is "arrive as they were" "$(cat seen)" "POST /scep/scep/pkiclient.exe proxy1
query True
body True
type application/x-pki-message
headers accept content-length content-type host user-agent"

for lie in html redirect large error later empty cut; do
	: >asked
	is "$lie: try again" \
		"$(get --data-binary @junk "$GET=PKIOperation&message=$lie")" 503
	like "$lie: later" "$(header '[Rr]etry-[Aa]fter')" "^[0-9]+"
	is "$lie: nothing of it" "$(cat body)" \
		"temporarily unavailable, try again"
	is "$lie: one question" "$(wc -l <asked)" 1
	[ $lie = large ] || [ $lie = cut ] ||
	    like "$lie: the log says what" "$(tail -n 3 lighttpd.log)" \
		"answered [0-9]+, type .*which is no answer to PKIOperation"
	is "$lie: nor as a CA" "$(get "$GET=GetCACert&message=$lie")" 503
done
ok "no: no, after a pause" wait_for gets 410 junk "&message=no"
is "no: in our words" "$(cat body)" "refused by the CA's server"

# --- a cache is no fact --------------------------------------------------------

forget
is "a CA" "$(get "$GET=GetCACert&message=CA")" 200
: >asked
is "again" "$(get "$GET=GetCACert&message=CA")" 200
is "is not asked for again" "$(wc -l <asked)" 0
chain() { gets 200 junk; }
# A stranger makes up more identifiers than there is room for; he gets what
# others get.
forget
is "made up: a real one, before" "$(get "$GET=GetCACert&message=before")" 200
is "made up: none, before" "$(get "$GET=GetCACert")" 200
touch -d "2 days ago" "$kept"/*
curl -s -o made "$GET=GetCACert&message=made[1-80]"
is "made up: all is full" \
	"$(find "$kept" -name "????????????????????*" | wc -l)" 64
is "made up: a real one, behind" "$(get "$GET=GetCACert&message=behind")" 200
# One that the far side does not like says nothing about the others.
is "made up: one that is not liked" "$(get "$GET=GetCACert&message=later")" 200
not_ok "made up: makes nobody get old answers" test -e "$kept/pause"
cp says.json all.json
echo '[{"query": ".*", "close": -1}]' >says.new && mv says.new says.json
: >lighttpd.log
for q in "" "&message=before" "&message=behind" "&message=made80"; do
	: >body
	is "made up: down, message '$q'" "$(get "$GET=GetCACert$q")" 200
	ok "made up: as it was" cmp body ca.der
done
is "made up: down, asked once" "$(grep -c "Empty reply" lighttpd.log)" 1
is "made up: of another operation nothing is known" \
	"$(get "$GET=GetCACertChain&message=behind")" 503
mv all.json says.json
is "a CA" "$(forget; wait_for chain; get "$GET=GetCACert&message=CA")" 200
cp -a "$(find "$kept" -type f | head -n 1)" "$kept/$(printf %064d 0)"
like "check: what lies elsewhere" \
	"$(SCEP_HOME=$outer "$SCEP" check 2>&1)" "no answer that was kept"
ok "check: is removed" env SCEP_HOME="$outer" "$SCEP" check --repair
ok "check: a cache that is gone is nothing" rm -r "$outer/store/kept"
is "check: at all" "$(SCEP_HOME=$outer "$SCEP" check 2>&1 | tail -n 1)" \
	"$("$SCEP" check 2>&1 | tail -n 1)"
done_testing
