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
install -m 0640 ra.ini "$SCEP_HOME/aliases/phones.ini"
touch -d "3 seconds ago" "$SCEP_HOME/aliases/scep.ini" \
	"$SCEP_HOME/aliases/phones.ini"
"$SCEP" alias add other --ca ManagementCA >/dev/null
ok "the alias is right" "$SCEP" alias check scep

# A page as text, and what a connector finds there.
text() { iconv -f UTF-16 -t UTF-8 body; }
code_of() {
	text | sed -n 's/.*The enrollment challenge password is: <B> \([0-9A-F]*\) <\/B>.*/\1/p'
}
codes() { "$SCEP" challenge list --json | wc -l; }

page=/certsrv/mscep_admin/

# As a web server says that it has asked for a password.
verified() {
	AUTH_TYPE=Basic REMOTE_USER=mdm "$@"
}

# --- who may see it -----------------------------------------------------------

for DOOR in cgi fcgi; do
	request GET $page
	is "$DOOR: nobody is verified" "$STATUS" 403
	like "and is told so" "$(cat body)" "web server has verified"
done
DOOR=cgi
HTTP_REMOTE_USER=mdm HTTP_X_REMOTE_USER=mdm HTTP_AUTHORIZATION='Basic bWRtOng=' \
	HTTP_SSL_CLIENT_VERIFY=SUCCESS HTTP_SSL_CLIENT_S_DN=CN=mdm \
	HTTP_AUTH_TYPE=Basic request GET $page
is "headers verify nobody" "$STATUS" 403
for DOOR in cgi fcgi; do
	: >log
	HTTP_AUTHORIZATION='Basic bWRtOng=' REMOTE_USER=mdm request GET $page
	is "$DOOR: a name out of a header, without AUTH_TYPE, is nobody's" \
		"$STATUS" 403
	like "and the log says what is missing" "$(cat log)" \
		"alias scep: REMOTE_USER .* without AUTH_TYPE"
	HTTP_AUTHORIZATION='' AUTH_TYPE='' REMOTE_USER=mdm request GET $page
	is "$DOOR: nor with empty ones" "$STATUS" 403
	AUTH_TYPE=Basic request GET $page
	is "$DOOR: nor is that a name" "$STATUS" 403
done
DOOR=cgi
SSL_CLIENT_S_DN=CN=mdm request GET $page
is "nor does a certificate that nobody verified" "$STATUS" 403
SSL_CLIENT_VERIFY=FAILED:expired SSL_CLIENT_S_DN=CN=mdm request GET $page
is "nor one that was found bad" "$STATUS" 403
verified request HEAD $page
is "HEAD would make a code that nobody sees" "$STATUS" 405
is "and says what is allowed" "$(header Allow)" GET
verified request POST $page ra.ini
is "POST" "$STATUS" 405
verified request GET /scep/other$page
is "an alias without the page" "$STATUS" 404
verified request GET /scep/nosuch$page
is "no such alias" "$STATUS" 404
faketime=$(find /usr/lib -name libfaketime.so.1 | head -n 1)
if [ -n "$faketime" ] && [ "${SCEP_FLAVOUR:-plain}" != asan ]; then
	LD_PRELOAD=$faketime FAKETIME=-2d verified request GET $page
	is "a CA that is not valid yet" "$STATUS" 503
else
	skip "a CA that is not valid yet" "needs libfaketime, no sanitizer"
fi
is "and no code was made" "$(codes)" 0

# --- what is there ------------------------------------------------------------

SSL_CLIENT_VERIFY=SUCCESS SSL_CLIENT_S_DN=CN=mdm request GET $page
is "a verified client certificate" "$STATUS" 200
REMOTE_USER=mdm request GET $page
is "a name that came with no header: the server's own word" "$STATUS" 200
verified request GET /certsrv/mscep_admin
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
verified request GET $page
unlike "another one each time" "$(code_of)" "^$code$"
is "four were made" "$(codes)" 4
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

# --- other servers ------------------------------------------------------------

echo "mdm:$(openssl passwd -apr1 right)" >users
chmod 644 users
asks() { # NAME: what every one has to do right
	is "$1: wants a name" "$(get "$URL$page")" 401
	is "$1: and the right password" "$(get -u mdm:wrong "$URL$page")" 401
	is "$1: of somebody whom it knows" "$(get -u x:right "$URL$page")" 401
	is "$1: by it" "$(get -u mdm:right "$URL$page")" 200
	like "$1: there is a code" "$(code_of)" '^[0-9A-F]{32}$'
	is "$1: also in an alias's own URL" \
		"$(get -u mdm:right "$URL/scep/phones$page")" 200
}

nginx_start() { # SED-EXPRESSION...: nginx.conf of the examples
	PORT=$(free_port)
	URL=http://127.0.0.1:$PORT
	{
		[ "$(id -u)" -ne 0 ] || echo "user root;"
		cat <<-EOT
		daemon off;
		worker_processes 1;
		pid $FRESH/nginx.pid;
		error_log $FRESH/nginx.log;
		events { }
		http {
		access_log off;
		EOT
		for _t in client_body proxy fastcgi uwsgi scgi; do
			echo "${_t}_temp_path $FRESH/nginx-$_t;"
		done
		sed -e "s|/run/scep/scep.sock|$FRESH/scep.sock|" \
			-e "s|listen 80;|listen 127.0.0.1:$PORT;|" "$@" \
			"$TOP/examples/nginx.conf"
		echo "}"
	} >nginx.conf
	nginx -c "$FRESH/nginx.conf" -e "$FRESH/nginx.log" >>log 2>&1 &
	NGINX=$!
	server $NGINX
	wait_for curl -sf "$URL/scep?operation=GetCACaps"
}

before=$(codes)
# What an administrator may well write: Debian's file passes REMOTE_USER.
grep -v REMOTE_USER /etc/nginx/fastcgi_params >fastcgi_params
echo "fastcgi_param REMOTE_USER \$remote_user;" >>fastcgi_params
nginx_start -e "s|# Not fastcgi_params.*|include $FRESH/fastcgi_params;|" \
	-e '/fastcgi_param /d'
is "nginx, stock parameters: nobody" "$(get "$URL/scep/phones$page")" 403
is "and nobody by a header of his own" \
	"$(get -u x:y "$URL/scep/phones$page")" 403
is "which makes no code" "$(codes)" "$before"
stop_server $NGINX

sed -e "s|/run/scep/scep.sock|$FRESH/scep.sock|" \
	-e "s|/etc/nginx/scep-page.users|$FRESH/users|" \
	"$TOP/examples/nginx-page.conf" >page.conf
nginx_start -e "s|^ *location .*|include $FRESH/page.conf; &|"
asks nginx
stop_server $NGINX

apache_start() {
	PORT=$(free_port)
	URL=http://127.0.0.1:$PORT
	{
		for _m in mpm_event authz_core alias env proxy proxy_fcgi \
			auth_basic authn_core authn_file authz_user; do
			echo "LoadModule ${_m}_module" \
				"/usr/lib/apache2/modules/mod_$_m.so"
		done
		cat <<-EOT
		ServerRoot $FRESH
		ServerName localhost
		DefaultRuntimeDir $FRESH
		PidFile $FRESH/apache.pid
		ErrorLog $FRESH/apache.log
		Listen 127.0.0.1:$PORT
		DocumentRoot $FRESH
		EOT
		[ "$(id -u)" -ne 0 ] || printf 'User www-data\nGroup www-data\n'
		sed -e "s|/run/scep/scep.sock|$FRESH/scep.sock|" \
			-e "s|/etc/apache2/scep-page.users|$FRESH/users|" \
			"$TOP/examples/apache-proxy-fcgi.conf" \
			"$TOP/examples/apache-page.conf"
	} >apache.conf
	apache2 -f "$FRESH/apache.conf" -DFOREGROUND >>log 2>&1 &
	server $!
	wait_for curl -sf "$URL/scep?operation=GetCACaps"
}
# As root's, Apache's children are others.
chmod 755 .
chmod 666 scep.sock
apache_start
asks Apache

done_testing
