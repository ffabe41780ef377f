#!/bin/sh
# HTTP as far as it is ours (C-1 to C-18), through CGI and FastCGI: paths,
# methods, statuses (C-155, C-157; C-41: GetNextCACert), headers, limits, and
# base64 as clients mangle it.
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

make_home
"$SCEP" alias copy scep A
"$SCEP" ca create Other --subject CN=Other --key rsa:2048 >/dev/null
"$SCEP" alias add B --ca Other >/dev/null
"$SCEP" ca export Other --out other.pem
code=$(add_entity http --ca ManagementCA)
pkcsreq http "$code"

is_ca() { # CERTIFICATE: is the body that one, and nothing behind it?
	openssl x509 -in "$1" -outform DER -out wanted.der
	cmp -s wanted.der body
}

# STATUS DESCRIPTION: the last answer is that refusal, whole, and not to be
# kept by anybody on the way.
refused() {
	is "$2" "$STATUS" "$1"
	is "$2: length and no-store" \
		"$(header Content-Length) $(header Cache-Control)" \
		"$(wc -c <body) no-store"
}

# --- what does not depend on the door is tried through both -------------------

for DOOR in cgi fcgi; do
	# The table of README.
	for path in /ejbca/publicweb/apply/scep/pkiclient.exe /scep \
		/cgi-bin/pkiclient.exe /certsrv/mscep/mscep.dll \
		/certsrv/mscep/mscep.dll/pkiclient.exe \
		/ejbca/publicweb/apply/scep/A/pkiclient.exe \
		/scepraserver/scep/A/pkiclient.exe /scep/A \
		/scep/A/pkiclient.exe; do
		request GET "$path?operation=GetCACert"
		is "$DOOR $path" "$STATUS" 200
		ok "$DOOR $path: its CA" is_ca ca.pem
	done
	request GET "/ejbca/publicweb/apply/scep/B/pkiclient.exe?operation=GetCACert"
	ok "$DOOR: another alias, another CA" is_ca other.pem
	SCEP_ALIAS=B request GET "/scep/A/pkiclient.exe?operation=GetCACert"
	ok "$DOOR: SCEP_ALIAS wins" is_ca other.pem
	for path in /scep/C /scep/admin /scep/metrics /scep/crl /scep/ca \
		/scep/a.b "/scep/$(printf '%033d' 0)"; do
		request GET "$path?operation=GetCACaps"
		refused 404 "$DOOR $path"
	done

	# Operations and methods
	for op in GetCACaps GETCACAPS getcacaps; do
		request GET "/scep?operation=$op"
		is "$DOOR $op" "$STATUS" 200
	done
	for query in "" operation= operation=Nonsense \
		message=x "operation=GetCACaps%00" \
		"a&b&c" "operation=PKIOperation"; do
		request GET "/scep?$query"
		refused 400 "$DOOR GET ?$query"
	done
	request HEAD "/scep?operation=GetCACert"
	is "$DOOR HEAD" "$STATUS" 200
	is "$DOOR HEAD: no body" "$(wc -c <body)" 0
	is "$DOOR HEAD: the length of a GET" "$(header Content-Length)" \
		"$(openssl x509 -in ca.pem -outform DER | wc -c)"
	for method in PUT DELETE OPTIONS get PATCH; do
		request $method "/scep?operation=GetCACaps"
		refused 405 "$DOOR $method"
		is "$DOOR $method: what is allowed" "$(header Allow)" \
			"GET, HEAD, POST"
	done
	for op in GetCACaps GetCACert GetCACertChain GetNextCACert; do
		request POST "/scep?operation=$op" http.der
		refused 405 "$DOOR POST $op"
		is "$DOOR POST $op: what is allowed" "$(header Allow)" \
			"GET, HEAD"
	done
	request POST /scep/nope http.der
	refused 404 "$DOOR POST to an unknown alias"
	request HEAD "/scep?operation=PKIOperation&message=x"
	is "$DOOR HEAD PKIOperation" "$STATUS" 405
	is "$DOOR HEAD PKIOperation: what is allowed" "$(header Allow)" \
		"GET, POST"

	# POST: with, without and with another spelling of the operation
	for query in "?operation=PKIOperation" "" "?x=y" \
		"?OPERATION=pkioperation"; do
		request POST "/scep$query" http.der
		is "$DOOR POST $query" "$STATUS" 200
		is "$DOOR POST $query: type" "$(header Content-Type)" \
			application/x-pki-message
		is "$DOOR POST $query: not to be kept" \
			"$(header Cache-Control)" no-store
		is "$DOOR POST $query: length" "$(header Content-Length)" \
			"$(wc -c <body)"
	done
	for type in application/x-pki-message text/plain \
		application/x-www-form-urlencoded ""; do
		CONTENT_TYPE=$type request POST "/scep" http.der
		is "$DOOR POST as '$type'" "$STATUS" 200
	done

	# GET: every mangling gives the same bytes (C-10)
	for style in standard lower plus space raw macos newlines crlf \
		rawlines trailing nopad url urlpad double doublelines; do
		request GET "/scep?operation=PKIOperation&message=$(
			builder get --in http.der --style $style)"
		is "$DOOR GET $style" "$STATUS" 200
		builder certrep --ca ca.pem --key http.key --cert http.crt \
			--in body >http.rep 2>>log
		is "$DOOR GET $style: SUCCESS" "$(reply http status)" 0
	done
	is "$DOOR GET: not to be kept" "$(header Cache-Control)" no-store
	for text in "" "====" "%00" "AAAAA" "*" "%" "AAAA" "MIIB"; do
		request GET "/scep?operation=PKIOperation&message=$text"
		is "$DOOR GET message=$text" "$STATUS" 400
		is "$DOOR GET message=$text: plain text" \
			"$(header Content-Type)" text/plain
	done

	# Bodies: empty, noise, cut, over the cap, wrong lengths
	: >empty
	head -c 3000 /dev/urandom >noise
	head -c 300 http.der >short
	for body in empty noise short; do
		request POST /scep $body
		refused 400 "$DOOR POST $body"
		is "$DOOR POST $body: says so" "$(cat body)" \
			"not a readable SCEP message"
	done
	head -c 1048577 /dev/zero >huge
	request POST /scep huge
	refused 413 "$DOOR over 1 MiB"
	head -c 1048576 /dev/zero >brim
	request POST /scep brim
	is "$DOOR just 1 MiB" "$STATUS" 400
done

# --- CGI alone: a server that gives no length, or a wrong one -----------------

DOOR=cgi
LENGTH="" request POST /scep http.der
is "no CONTENT_LENGTH: to the end" "$STATUS" 200
LENGTH="" request POST /scep huge
is "no CONTENT_LENGTH: the cap holds" "$STATUS" 413
LENGTH=99999999999999999999999 request POST /scep http.der
is "an absurd CONTENT_LENGTH" "$STATUS" 413
LENGTH=100000 request POST /scep http.der
is "a body that was cut short" "$STATUS" 400
for bad in -1 +5 0x10 "1 2" five; do
	LENGTH=$bad request POST /scep http.der
	is "CONTENT_LENGTH $bad" "$STATUS" 400
done

# Long URLs (C-11): a message of 60 KiB is served, a query of 128 KiB is read
# as far as the last byte, and one byte more is 414.
pkcsreq http "$code" --break big-attribute
q=$(builder get --in http.der --style standard)
ok "there is a message of 60 KiB" test "${#q}" -gt 61440
for DOOR in cgi fcgi; do
	request GET "/scep?operation=PKIOperation&message=$q"
	is "$DOOR: 60 KiB by GET" "$STATUS" 200
	builder certrep --ca ca.pem --key http.key --cert http.crt \
		--in body >http.rep 2>>log
	is "$DOOR: SUCCESS" "$(reply http status)" 0
	request GET "/scep$(head -c 3000 /dev/zero | tr '\0' x)?operation=GetCACaps"
	refused 414 "$DOOR: a path of 3000 bytes"
done

# BYTES: that query, through the socket: no variable of the environment may be
# so long.
long_query() {
	_head="operation=PKIOperation&message=$q&pad="
	{
		printf '%s' "$_head"
		head -c $(($1 - ${#_head})) /dev/zero | tr '\0' x
	} >query
	"$TOP/tests/fcgi.pl" fcgi.sock GET /scep query >reply
	split_reply
}
DOOR=fcgi
long_query 131072
is "a query of 128 KiB" "$STATUS" 200
builder certrep --ca ca.pem --key http.key --cert http.crt --in body \
	>http.rep 2>>log
is "is served" "$(reply http status)" 0
long_query 131073
refused 414 "one byte more"
DOOR=cgi
"$SCEP" alias check >/dev/null
printf '[limits]\nquery = 1000\nbody = 1000\n' >home/scep.ini
request GET "/scep?operation=PKIOperation&message=$q"
is "over the site's limit: 414" "$STATUS" 414
request POST /scep http.der
is "the site's limit of a body: 413" "$STATUS" 413
printf '[limits]\n' >home/scep.ini

# --- three hats: argv is not looked at by a CGI program (DESIGN 3) ------------

request GET "/scep?operation=GetCACaps"
caps=$(cat body)
env REQUEST_METHOD=GET SCRIPT_NAME=/scep QUERY_STRING=entity+delete+http \
	"$SCEP" entity delete http --yes </dev/null >reply 2>>log
split_reply
is "a query string as argv is no command" "$STATUS" 400
ok "the entity is still there" "$SCEP" entity show http
env GATEWAY_INTERFACE=CGI/1.1 "$SCEP" entity delete http --yes </dev/null \
	>reply 2>>log
ok "GATEWAY_INTERFACE alone is enough" "$SCEP" entity show http
like "caps" "$caps" "SCEPStandard"

# --- a home that is not there is 503, not a crash -----------------------------

real=$SCEP_HOME
SCEP_HOME=$FRESH/nothing
request GET "/scep?operation=GetCACaps"
refused 503 "no home"
like "with Retry-After" "$(header Retry-After)" "^[0-9]+$"
like "and a line that says what to do" "$(tail -n 3 log)" "scep init"
SCEP_HOME=$real

# An alias that is broken takes down itself alone, and comes back.
printf '[scep]\noperationmode = ca\n' >home/aliases/A.ini
touch -d '-5 seconds' home/aliases/A.ini
request GET "/scep/A?operation=GetCACaps"
is "a broken alias: 503" "$STATUS" 503
like "with file and reason in the log" "$(tail -n 3 log)" \
	"aliases/A.ini.*cas is missing"
request GET "/scep?operation=GetCACaps"
is "the others are served" "$STATUS" 200
rm home/aliases/A.ini
"$SCEP" alias copy scep A
request GET "/scep/A?operation=GetCACaps"
is "mended: served at once" "$STATUS" 200

# Nothing of a request appears in a page; log lines cannot be forged.
request GET "/scep/%3Cscript%3E?operation=<script>alert(1)</script>"
unlike "no echo" "$(cat body)" "script"
REMOTE_ADDR=x request POST "/scep?operation=PKIOperation" noise
is "log lines begin with a time" \
	"$(grep -cv '^20[0-9-]*T[0-9:]*Z level=' log)" \
	"$(grep -c 'spawn-fcgi' log)"
done_testing
