#!/bin/sh
# CRLs and CA certificates by GET (C-192, C-202): paths, types, what a client
# has already, through both doors and behind a web server.
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

make_home
"$SCEP" ca create "My CA" --subject "CN=My CA" --key rsa:2048 >/dev/null
revoke() { "$SCEP" cert revoke "$1" --ca ManagementCA --yes >>log 2>&1; }
number() {
	openssl crl -inform DER -in body -noout -crlnumber | sed 's/.*=0x//; s/.*=//'
}

for DOOR in cgi fcgi; do
	for path in /crl/ManagementCA.crl /crl/ManagementCA/1.crl \
		/scep/crl/ManagementCA.crl /any/where/crl/ManagementCA/1.crl; do
		request GET "$path"
		is "$DOOR: $path" "$STATUS" 200
		is "$DOOR: its type" "$(header Content-Type)" \
			application/pkix-crl
		ok "$DOOR: the CA signed it" openssl crl -inform DER -in body \
			-noout -verify -CAfile ca.pem
	done
	for path in /ca/ManagementCA/1.cer /ca/ManagementCA.cer \
		/scep/ca/ManagementCA/1.cer; do
		request GET "$path"
		is "$DOOR: $path" "$STATUS" 200
		is "$DOOR: its type" "$(header Content-Type)" \
			application/pkix-cert
		openssl x509 -inform DER -in body -out got.pem 2>>log
		ok "$DOOR: the CA" cmp got.pem ca.pem
	done
	for path in "/crl/My CA.crl" "/crl/My%20CA/1.crl" "/ca/My CA/1.cer"; do
		request GET "$path"
		is "$DOOR: $path" "$STATUS" 200
	done
	for path in /crl/Nobody.crl /crl/ManagementCA/2.crl \
		/crl/ManagementCA/01.crl /ca/ManagementCA/2.cer \
		/crl/../../ca/ManagementCA/1.crl "/crl/%2e%2e%2fca.crl" \
		"/crl/ManagementCA%00.crl" /crl/..crl; do
		request GET "$path?operation=none"
		like "$DOOR: $path is none" "$STATUS" "^40[04]$"
	done
	request POST /crl/ManagementCA.crl ca.pem
	is "$DOOR: not by POST" "$STATUS" 405
	is "$DOOR: Allow" "$(header Allow)" "GET, HEAD"
done
DOOR=cgi
request GET "/scep/crl?operation=GetCACaps"
is "crl is no alias" "$STATUS" 404

# A CA may be named like the folder it is found in.
for name in crl ca; do
	"$SCEP" ca create $name --subject "CN=$name" --key rsa:2048 >/dev/null
	for path in /crl/$name/1.crl /crl/$name.crl /ca/$name/1.cer; do
		request GET "$path"
		is "a CA named $name: $path" "$STATUS" 200
	done
done
"$SCEP" ca create Later --subject CN=Later --key rsa:2048 >/dev/null
faketime=$(find /usr/lib -name libfaketime.so.1 | head -n 1)
if [ -n "$faketime" ] && [ "${SCEP_FLAVOUR:-plain}" != asan ]; then
	REAL=$SCEP
	printf '#!/bin/sh\n%s LD_PRELOAD=%s exec "%s" "$@"\n' \
		FAKETIME=-1d "$faketime" "$REAL" >timed
	chmod 755 timed
	SCEP=$FRESH/timed
	for path in /crl/Later.crl /crl/Later/1.crl /ca/Later/1.cer; do
		request GET "$path"
		is "not begun: $path" "$STATUS" 404
	done
	SCEP=$REAL
else
	skip "not begun" "needs libfaketime, on the plain build"
fi
request GET /crl/Later/1.crl
is "begun" "$STATUS" 200

# --- what the client has ---------------------------------------------------

request GET /crl/ManagementCA.crl
tag=$(header ETag)
like "an ETag" "$tag" '^"[0-9a-f]{64}"$'
is "to be asked for each time" "$(header Cache-Control)" no-cache
length=$(header Content-Length)
request HEAD /crl/ManagementCA.crl
is "HEAD" "$STATUS" 200
is "has the length" "$(header Content-Length)" "$length"
is "and no body" "$(wc -c <body)" 0
export HTTP_IF_NONE_MATCH
for HTTP_IF_NONE_MATCH in "$tag" "W/$tag" "\"x\", $tag" "*" \
	"  $tag  ,\"y\""; do
	request GET /crl/ManagementCA.crl
	is "If-None-Match: $HTTP_IF_NONE_MATCH" "$STATUS" 304
done
is "no body" "$(wc -c <body)" 0
is "but the ETag" "$(header ETag)" "$tag"
unlike "no type, no length" "$(cat headers)" "^Content-"
for HTTP_IF_NONE_MATCH in '"x"' "${tag%?}" "x$tag" "" ",,"; do
	request GET /crl/ManagementCA.crl
	is "If-None-Match: $HTTP_IF_NONE_MATCH" "$STATUS" 200
done
HTTP_IF_NONE_MATCH=$tag
revoke 0a01
request GET /crl/ManagementCA.crl
is "revoked: the tag is old at once" "$STATUS" 200
unset HTTP_IF_NONE_MATCH

# Last-Modified comes when the second is over, so that it names one CRL.
modified() { request GET /crl/ManagementCA.crl && [ -n "$(header Last-Modified)" ]; }
ok "Last-Modified" wait_for modified
when=$(header Last-Modified)
is "is thisUpdate" "$(date -u -d "$when" +%s)" \
	"$(date -u -d "$(openssl crl -inform DER -in body -noout -lastupdate |
		sed 's/.*=//')" +%s)"
export HTTP_IF_MODIFIED_SINCE="$when"
request GET /crl/ManagementCA.crl
is "If-Modified-Since" "$STATUS" 304
HTTP_IF_MODIFIED_SINCE="Sun, 06 Nov 1994 08:49:37 GMT"
request GET /crl/ManagementCA.crl
is "an old one" "$STATUS" 200
HTTP_IF_MODIFIED_SINCE="yesterday"
request GET /crl/ManagementCA.crl
is "an unreadable one" "$STATUS" 200
HTTP_IF_MODIFIED_SINCE="$when"
HTTP_IF_NONE_MATCH='"other"' request GET /crl/ManagementCA.crl
is "the tag goes before the time" "$STATUS" 200
revoke 0a02
request GET /crl/ManagementCA.crl
is "revoked: the time is old at once" "$STATUS" 200
unset HTTP_IF_MODIFIED_SINCE

# --- every worker, behind a web server ---------------------------------------

lighttpd_start 3
get() { curl -s -o body -D headers -w '%{http_code}' "$@"; }
is "lighttpd: a CRL" "$(get "$URL/crl/ManagementCA.crl")" 200
last=$(number)
late=
for i in 1 2 3 4 5 6 7 8 9; do
	revoke "0b0$i"
	get "$URL/crl/ManagementCA/1.crl" >/dev/null
	openssl crl -inform DER -in body -noout -text |
		grep -q "Serial Number: 0B0$i" || late="$late $i"
done
is "a revocation is in the next answer, whoever gives it" "$late" ""
is "and costs one CRL each" "$(($(printf '%d' "0x$(number)")))" \
	$(($(printf '%d' "0x$last") + 9))
is "with a blank in its name" "$(get "$URL/crl/My%20CA.crl")" 200
is "a certificate" "$(get "$URL/ca/My%20CA/1.cer")" 200
is "behind the prefix" "$(get "$URL/scep/crl/ManagementCA.crl")" 200
tag=$(tr -d '\r' <headers | sed -n 's/^[Ee][Tt]ag: //p')
is "304" "$(get -H "If-None-Match: $tag" "$URL/crl/ManagementCA.crl")" 304
is "HEAD" "$(get -I "$URL/crl/ManagementCA.crl")" 200
is "none" "$(get "$URL/crl/Nobody.crl")" 404
done_testing
