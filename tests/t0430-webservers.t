#!/bin/sh
# Every configuration in examples/ behind its own web server: each path of
# README's table, POST and GET, long URLs, HTTP/1.0, a body that is too large,
# two clients; and that what runs is the home's owner (C-2, C-3, C-11, C-12).
# shellcheck disable=SC1091,SC2016,SC2034,SC2154 # lib.sh uses them
. "${0%/*}/lib.sh"

# server, configuration, how scep is started, the longest query string in
# bytes that reaches it, and the answer to one of 60 KiB; each example says why.
servers_table() {
	cat <<-'EOT'
	lighttpd lighttpd.conf          serve  31000 400
	lighttpd lighttpd-cgi.conf      own    61440 200
	apache   apache-cgid.conf       suexec 61440 200
	apache   apache-fcgid.conf      suexec 30000 414
	apache   apache-proxy-fcgi.conf serve  16000 414
	nginx    nginx.conf             serve  61440 200
	EOT
}

# A CRL is served: the row of that check.
CRL=yes

# Root lets the home belong to one user and the web server be another.
web=$(id -un)
owner=$web
if [ "$(id -u)" -eq 0 ]; then
	web=www-data
	owner=nobody
fi
group=$(id -gn "$owner")
mkdir bin run www && cp "$SCEP" bin/scep && chmod 755 bin bin/scep
SCEP=$FRESH/bin/scep
chown "$owner" run
chown "$web" www

if [ "$(id -u)" -eq 0 ]; then
	mkdir home
	"$SCEP" init --owner "$owner" >.out 2>&1
	"$SCEP" ca create ManagementCA --subject "CN=Test CA,O=Lab,C=SE" \
		--key rsa:2048 >>.out 2>&1
	"$SCEP" alias add scep --ca ManagementCA >>.out 2>&1
	"$SCEP" ca export ManagementCA --out ca.pem
else
	make_home
fi
ok "a home of $owner, the web server is $web" test -s ca.pem

# --- an example as a test can start it ----------------------------------------

# Its paths are this directory's; root's users are those of this machine.
instance() { # CONFIGURATION
	sed -e "s|/run/scep/scep.sock|$FRESH/run/scep.sock|" \
		-e "s|/var/lib/scep|$SCEP_HOME|" \
		-e "s|/var/www/scep|$WWW|" \
		-e "s|/usr/local/bin/scep|$SCEP|" \
		-e "s|/var/www/html|$FRESH/www|" \
		-e "s|\"/var/log/.*\.log|\"$FRESH/lighttpd.log|" \
		-e "s|^server.port .*|server.port = $PORT|" \
		-e "s|^server.bind .*|server.bind = \"127.0.0.1\"|" \
		-e "s|^\(server.username = \)\"scep\"|\1\"$owner\"|" \
		-e "s|^\(server.groupname = \)\"scep\"|\1\"$group\"|" \
		-e "s|listen 80;|listen 127.0.0.1:$PORT;|" \
		-e "s|^SuexecUserGroup .*|SuexecUserGroup $owner $group|" \
		"$TOP/examples/$1" |
	if [ "$(id -u)" -eq 0 ]; then
		cat
	else
		sed -e '/^server.username/d' -e '/^server.groupname/d' \
			-e '/^SuexecUserGroup/d'
	fi
}

lighttpd_run() { # CONFIGURATION
	instance "$1" >web.conf
	: >lighttpd.log && chmod 666 lighttpd.log
	lighttpd -D -f web.conf >>web.log 2>&1 &
	WEB=$!
}

# What Debian's own apache2.conf has, as far as the examples need it.
apache_run() { # CONFIGURATION
	_modules=/usr/lib/apache2/modules
	{
		for _m in mpm_event authz_core alias env cgid suexec fcgid \
			proxy proxy_fcgi; do
			echo "LoadModule ${_m}_module $_modules/mod_$_m.so"
		done
		cat <<-EOT
		ServerRoot $FRESH
		ServerName localhost
		DefaultRuntimeDir $FRESH/www
		PidFile $FRESH/apache.pid
		ScriptSock $FRESH/www/cgisock
		FcgidIPCDir $FRESH/www/fcgid
		FcgidProcessTableFile $FRESH/www/fcgid.table
		ErrorLog $FRESH/web.log
		Listen 127.0.0.1:$PORT
		DocumentRoot $FRESH/www
		StartServers 1
		MinSpareThreads 1
		ThreadsPerChild 8
		MaxRequestWorkers 8
		<Directory />
		    Require all denied
		</Directory>
		<Directory $FRESH/www>
		    Require all granted
		</Directory>
		EOT
		[ "$(id -u)" -ne 0 ] || printf 'User %s\nGroup %s\n' "$web" "$web"
		instance "$1"
	} >web.conf
	mkdir -p www/fcgid && chown "$web" www/fcgid
	apache2 -f "$FRESH/web.conf" -DFOREGROUND >>web.log 2>&1 &
	WEB=$!
}

nginx_run() { # CONFIGURATION
	{
		[ "$(id -u)" -ne 0 ] || echo "user $web;"
		cat <<-EOT
		daemon off;
		worker_processes 1;
		pid $FRESH/nginx.pid;
		error_log $FRESH/web.log info;
		events { }
		http {
		access_log off;
		EOT
		for _t in client_body proxy fastcgi uwsgi scgi; do
			echo "${_t}_temp_path $FRESH/www/$_t;"
		done
		instance "$1"
		echo "}"
	} >web.conf
	nginx -c "$FRESH/web.conf" -e "$FRESH/web.log" >>web.log 2>&1 &
	WEB=$!
}

# suexec starts what lies below /var/www alone, and only for www-data; its log
# must be there.  Without root Apache is its owner's anyway.
suexec_ready() {
	WWW=$FRESH/cgi
	if [ "$(id -u)" -eq 0 ]; then
		[ -u "$(readlink -f /usr/lib/apache2/suexec)" ] || return 1
		mkdir -p /var/log/apache2 /var/www
		WWW=$(mktemp -d /var/www/scep-test.XXXXXX) || return 1
		trap '_cleanup; rm -rf "$WWW"' EXIT
	fi
	mkdir -p "$WWW"
	sed -e "s|/var/lib/scep|$SCEP_HOME|" -e "s|/usr/local/bin/scep|$SCEP|" \
		"$TOP/examples/scep-suexec" >"$WWW/scep"
	chmod 755 "$WWW" "$WWW/scep"
	chown "$owner:$group" "$WWW" "$WWW/scep"
}

serve_run() {
	set --
	[ "$(id -u)" -ne 0 ] || set -- --group "$web"
	"$SCEP" serve --listen "unix:$FRESH/run/scep.sock" --workers 2 "$@" \
		>>web.log 2>&1 &
	SERVE=$!
	server $SERVE
	wait_for test -S run/scep.sock
}

# --- what each is put through ---------------------------------------------------

get() { curl -s -o body -D headers -w '%{http_code}' "$@"; }

# A connection of our own: sends standard input, prints what comes back.
raw() {
	timeout 20 perl -MIO::Socket::INET -e '
	    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1",
	        PeerPort => $ARGV[0], Timeout => 10) or die "$!";
	    $SIG{PIPE} = "IGNORE"; local $/; print $s <STDIN>; print <$s>;
	' "$PORT"
}

# From a raw reply: headers and body; prints the status.
split_raw() {
	split_head
	case $FIRST in HTTP*) FIRST=${FIRST#* } && echo "${FIRST%% *}" ;; esac
}

paths() {
	for _p in /scep /scep/scep /scep/scep/pkiclient.exe \
		/scep/pkiclient.exe \
		/ejbca/publicweb/apply/scep/scep/pkiclient.exe \
		/ejbca/publicweb/apply/scep/pkiclient.exe \
		/scepraserver/scep/scep/pkiclient.exe /cgi-bin/pkiclient.exe \
		/certsrv/mscep/mscep.dll \
		/certsrv/mscep/mscep.dll/pkiclient.exe; do
		[ "$(get "$URL$_p?operation=GetCACert")" = 200 ] &&
		    cmp -s body ca.der || echo "$_p"
	done
}

# A message by GET whose query string has so many bytes: what clients do to
# base64 they may do often, and newlines in it count for nothing (C-10).
long_get() { # NAME BYTES
	_q="operation=PKIOperation&message=$(builder get --in "$1.der" \
		--style newlines)"
	perl -e 'my ($q, $n) = @ARGV;
	    $q .= "%0A" while length($q) <= $n - 3;
	    print "GET /scep?$q HTTP/1.0\r\n\r\n"' "$_q" "$2" |
		raw >reply 2>>log
	split_raw
}

answered() { # NAME: the body is its certificate
	builder certrep --ca ca.pem --key "$1.key" --cert "$1.crt" --in body \
		--out-prefix "$1-" >"$1.rep" 2>>log &&
	    [ "$(reply "$1" status)" = 0 ]
}

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

put_through() { # NAME LONGEST OVER
	is "$conf: every path of README's table" "$(paths)" ""
	is "$conf: an unknown alias" "$(get "$URL/scep/nope?operation=GetCACert")" 404

	cp any.key "$1.key"
	pkcsreq "$1" "$(add_entity "$1")"
	is "$conf: POST" "$(get --data-binary "@$1.der" \
		"$URL/scep?operation=PKIOperation")" 200
	ok "$conf: gets its certificate" answered "$1"
	is "$conf: POST in chunks" "$(get -H 'Transfer-Encoding: chunked' \
		--data-binary "@$1.der" "$URL/scep?operation=PKIOperation")" 200
	ok "$conf: gets it too" answered "$1"
	is "$conf: GET of $2 bytes" "$(long_get "$1" "$2")" 200
	ok "$conf: gets it too" answered "$1"
	is "$conf: GET of 60 KiB" "$(long_get "$1" 61440)" "$3"
	for _n in 64600 130500 140000; do
		like "$conf: GET of $_n bytes: as well, or a plain no" \
			"$(long_get "$1" $_n)" "^(200|400|414|431)$"
	done
	is "$conf: a body of 2 MB: 413" "$(head -c 1900000 /dev/zero |
		get --data-binary @- "$URL/scep?operation=PKIOperation")" 413

	printf 'GET /scep/pkiclient.exe?operation=GetCACert HTTP/1.0\r\n\r\n' |
		raw >reply
	is "$conf: HTTP/1.0 without Host" "$(split_raw)" 200
	is "$conf: has its length" "$(header '[Cc]ontent-[Ll]ength')" \
		"$(wc -c <ca.der)"
	unlike "$conf: and no chunks" "$(cat headers)" "[Cc]hunked"

	if [ $CRL = yes ]; then
		is "$conf: a CRL" "$(get "$URL/crl/ManagementCA.crl")" 200
		like "$conf: is one" "$(header '[Cc]ontent-[Tt]ype')" pkix-crl
		ok "$conf: of the CA" openssl crl -inform DER -in body -CAfile ca.pem \
			-noout
		is "$conf: of its generation" \
			"$(get "$URL/crl/ManagementCA/1.crl")" 200
		is "$conf: a CA certificate" "$(get "$URL/ca/ManagementCA/1.cer")" 200
	else
		get "$URL/crl/ManagementCA.crl" >/dev/null
		like "$conf: /crl/ reaches scep" "$(cat body)" "operation="
		get "$URL/ca/ManagementCA/1.cer" >/dev/null
		like "$conf: /ca/ reaches scep" "$(cat body)" "operation="
		skip "$conf: a CRL" "not served yet"
	fi

	ok "$conf: strongSwan enrols" strongswan "$1-ss" "$(add_entity "$1-ss")"
	is "$conf: the home is its owner's" "$(find home ! -user "$owner")" ""
}

openssl x509 -in ca.pem -outform DER -out ca.der
client_key any
servers_table >table
n=0
# Not the loop's standard input: programs read that.
while read -r kind conf start longest over <&3; do
	n=$((n + 1))
	: >web.log
	WWW=$FRESH/none
	SERVE=
	if [ "$start" = suexec ] && ! suexec_ready; then
		skip "$conf" "suexec cannot become another user here"
		continue
	fi
	[ "$start" != serve ] || serve_run
	PORT=$(free_port)
	URL=http://127.0.0.1:$PORT
	"${kind}_run" "$conf"
	server "$WEB"
	ok "$conf: starts" wait_for curl -sf -o body \
		"$URL/scep?operation=GetCACaps" || sed 's/^/# /' web.log >&2
	put_through "w$n" "$longest" "$over"
	stop_servers
	[ "$failed" -eq 0 ] || tail -n 15 web.log | cut -c1-300 | sed 's/^/# /' >&2
	[ -z "${KEEP:-}" ] || cp web.log "web$n.log"
	rm -rf "$WWW"
done 3<table
done_testing
