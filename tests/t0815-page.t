#!/bin/sh
# One-time codes on a page in NDES's form: who may see it, what connectors
# read there, and that the code buys one certificate.
# shellcheck disable=SC1091,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

make_home
# The alias that NDES's own URLs mean.
cat >ra.ini <<'EOT'
[scep]
operationmode = ra
[ra]
defaultca = ManagementCA
[approval]
required = 0
[challenge]
judge = onetime
page = yes
ttl = 30m
EOT
install -m 0640 ra.ini "$SCEP_HOME/aliases/scep.ini"
touch -d "3 seconds ago" "$SCEP_HOME/aliases/scep.ini"
"$SCEP" alias add other --ca ManagementCA >/dev/null
ok "the alias is right" "$SCEP" alias check scep

# A page as text, and what a connector finds there.
text() { iconv -f UTF-16 -t UTF-8 body; }
code_of() {
	text | sed -n 's/.*The enrollment challenge password is: <B> \([0-9A-F]*\) <\/B>.*/\1/p'
}
codes() { "$SCEP" challenge list --json | wc -l; }

page=/certsrv/mscep_admin/

# --- who may see it -----------------------------------------------------------

for DOOR in cgi fcgi; do
	request GET $page
	is "$DOOR: nobody is verified" "$STATUS" 403
	like "and is told so" "$(cat body)" "web server has verified"
done
DOOR=cgi
HTTP_REMOTE_USER=mdm HTTP_X_REMOTE_USER=mdm HTTP_AUTHORIZATION='Basic bWRtOng=' \
	HTTP_SSL_CLIENT_VERIFY=SUCCESS HTTP_SSL_CLIENT_S_DN=CN=mdm \
	request GET $page
is "headers verify nobody" "$STATUS" 403
SSL_CLIENT_S_DN=CN=mdm request GET $page
is "nor does a certificate that nobody verified" "$STATUS" 403
SSL_CLIENT_VERIFY=FAILED:expired SSL_CLIENT_S_DN=CN=mdm request GET $page
is "nor one that was found bad" "$STATUS" 403
REMOTE_USER=mdm request HEAD $page
is "HEAD would make a code that nobody sees" "$STATUS" 405
is "and says what is allowed" "$(header Allow)" GET
REMOTE_USER=mdm request POST $page ra.ini
is "POST" "$STATUS" 405
REMOTE_USER=mdm request GET /scep/other$page
is "an alias without the page" "$STATUS" 404
REMOTE_USER=mdm request GET /scep/nosuch$page
is "no such alias" "$STATUS" 404
is "and no code was made" "$(codes)" 0

# --- what is there ------------------------------------------------------------

SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_S_DN=CN=mdm request GET $page
is "a verified client certificate" "$STATUS" 200
REMOTE_USER=mdm request GET /certsrv/mscep_admin
is "a verified user, without the last slash" "$STATUS" 200
is "UTF-16, as NDES" "$(header Content-Type)" "text/html; charset=UTF-16"
is "with its mark" "$(od -An -tx1 -N2 body | tr -d ' ')" fffe
is "not to be kept" "$(header Cache-Control)" no-store
code=$(code_of)
like "a code" "$code" '^[0-9A-F]{32}$'
like "how long it is good" "$(text)" "expire within 30 minutes"
is "the CA's thumbprint" "$(text |
	sed -n 's/.*for the CA certificate is: <B> \([0-9A-F ]*\) <\/B>.*/\1/p' |
	tr -d ' ')" "$(openssl x509 -in ca.pem -outform DER |
	openssl dgst -sha256 | sed 's/.*= //' | tr a-f A-F)"
REMOTE_USER=mdm request GET $page
unlike "another one each time" "$(code_of)" "^$code$"
is "three were made" "$(codes)" 3
like "and who did is known" "$("$SCEP" audit show)" \
	"client 192.0.2.1 \(mdm\).*challenge new"
unlike "no code stands in a log" "$(cat log; "$SCEP" audit show)" "$code"

# --- what it is good for --------------------------------------------------------

pkcsreq device "$code"
ok "it enrols" send device
is "a device" "$(reply device status)" 0
pkcsreq again "$code"
ok "and nobody else" send again
is "who is refused" "$(reply again status)" 2

# --- behind a web server --------------------------------------------------------

echo "mdm:right" >users
sed -e "s|/run/scep/scep.sock|$FRESH/scep.sock|" \
	-e "s|/etc/lighttpd/scep-page.users|$FRESH/users|" \
	"$TOP/examples/lighttpd-page.conf" >lighttpd.more
lighttpd_start 1
get() { curl -s -o body -w '%{http_code}' "$@"; }
is "the web server wants a name" "$(get "$URL$page")" 401
is "and the right password" "$(get -u mdm:wrong "$URL$page")" 401
is "a header is no name" "$(get -H "Remote-User: mdm" -H "REMOTE_USER: mdm" \
	-H "Remote_User: mdm" "$URL$page")" 401
is "by it" "$(get -u mdm:right "$URL$page")" 200
code=$(code_of)
like "there is a code" "$code" '^[0-9A-F]{32}$'
pkcsreq phone "$code"
is "for NDES's own URL" "$(get --data-binary @phone.der \
	"$URL/certsrv/mscep/mscep.dll?operation=PKIOperation")" 200
builder certrep --ca ca.pem --key phone.key --cert phone.crt --in body \
	--out-prefix phone- >phone.rep
is "which enrols" "$(reply phone status)" 0

done_testing
