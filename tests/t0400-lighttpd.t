#!/bin/sh
# Behind a real web server, by plain HTTP (C-1): the shipped configuration,
# raw sockets, long URLs, workers that die and end.
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

make_home
code=$(add_entity web)
"$SCEP" ca create Other --subject CN=Other --key rsa:2048 >/dev/null
"$SCEP" alias add other --ca Other >/dev/null
"$SCEP" ca export Other --out other.pem
cat >lighttpd.more <<'EOT'
$HTTP["url"] =~ "^/scep/renamed" {
    setenv.add-environment = ( "SCEP_ALIAS" => "other" )
}
EOT
lighttpd_start 2

get() { curl -s -o body -D headers -w '%{http_code}' "$@"; }

for path in /scep /scep/ /scep/scep /scep/scep/pkiclient.exe \
	/scep/pkiclient.exe /ejbca/publicweb/apply/scep/pkiclient.exe \
	/ejbca/publicweb/apply/scep/scep/pkiclient.exe \
	/scepraserver/scep/scep/pkiclient.exe /cgi-bin/pkiclient.exe \
	/certsrv/mscep/mscep.dll /certsrv/mscep/mscep.dll/pkiclient.exe; do
	is "$path" "$(get "$URL$path?operation=GetCACert")" 200
	is "$path gives the CA" "$(openssl x509 -inform DER -in body \
		-noout -fingerprint)" \
		"$(openssl x509 -in ca.pem -noout -fingerprint)"
done
is "SCEP_ALIAS set by the web server" \
	"$(get "$URL/scep/renamed/pkiclient.exe?operation=GetCACert")" 200
is "names the alias" "$(openssl x509 -inform DER -in body -noout -subject)" \
	"subject=CN = Other"
is "unknown alias" "$(get "$URL/scep/nope?operation=GetCACert")" 404

# POST with every Content-Type (C-6)
pkcsreq web "$code"
for type in application/x-pki-message application/octet-stream \
	application/x-www-form-urlencoded multipart/form-data ""; do
	is "POST as '$type'" "$(get -H "Content-Type: $type" \
		--data-binary @web.der "$URL/scep?operation=PKIOperation")" 200
	builder certrep --ca ca.pem --key web.key --cert web.crt --in body \
		--out-prefix web- >web.rep
	is "is answered SUCCESS" "$(reply web status)" 0
done
# C-16
like "not to be kept" "$(tr -d '\r' <headers)" "^Cache-Control: no-store$"
like "with a length" "$(tr -d '\r' <headers)" \
	"^Content-Length: $(wc -c <body)$"
unlike "not in chunks" "$(cat headers)" "[Cc]hunked"
is "POST without operation (C-7)" \
	"$(get --data-binary @web.der "$URL/scep")" 200
is "a chunked POST" "$(get -H 'Transfer-Encoding: chunked' \
	--data-binary @web.der "$URL/scep?operation=PKIOperation")" 200

# HEAD, HTTP/1.0 without Host (C-3)
is "HEAD" "$(get -I "$URL/scep?operation=GetCACert")" 200
is "HEAD has no body" "$(wc -c <body)" "$(wc -c <headers)"
raw() { # TEXT: over a raw socket, until the server closes
	timeout 20 perl -MIO::Socket::INET -e '
	    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1",
	        PeerPort => $ARGV[0], Timeout => 10) or die "$!";
	    print $s $ARGV[1]; local $/; print <$s>;' "$PORT" "$1"
}
crlf=$(printf '\r\n.')
crlf=${crlf%.}
raw "GET /scep/pkiclient.exe?operation=GetCACert HTTP/1.0$crlf$crlf" >reply
like "HTTP/1.0 without Host" "$(head -n 1 reply | tr -d '\r')" "^HTTP/1.. 200"
like "has a Content-Length" "$(tr -d '\r' <reply | grep -a -i '^content-')" \
	"Content-Length: [0-9]+"

# A whole message in the URL: as strongSwan and old devices send it (C-11)
for style in standard newlines raw crlf trailing; do
	q=$(builder get --in web.der --style $style)
	is "GET PKIOperation, $style" \
		"$(get -g "$URL/scep?operation=PKIOperation&message=$q")" 200
	ok "is answered" builder certrep --ca ca.pem --key web.key \
		--cert web.crt --in body
done
head -c 24000 /dev/urandom | base64 -w 0 | tr -d '+/' >long
printf 'url = "%s/scep?operation=PKIOperation&message=%s"\n' "$URL" \
	"$(cat long)" >curlrc
is "a 31 KiB GET reaches the server" "$(get -K curlrc)" 400
like "which answers for itself" "$(cat body)" "SCEP message"
# Above 32 KiB lighttpd does not ask us (README, examples/lighttpd.conf).
head -c 30000 /dev/urandom | base64 -w 0 | tr -d '+/' >long
printf 'url = "%s/scep?operation=PKIOperation&message=%s"\n' "$URL" \
	"$(cat long)" >curlrc
is "a 39 KiB GET is lighttpd's own 400" "$(get -K curlrc)" 400
unlike "it never reaches the server" "$(cat body)" "SCEP message"

is "an oversize body" "$(head -c 1200000 /dev/zero |
	get --data-binary @- "$URL/scep?operation=PKIOperation")" 413

# A worker that was killed: the other one serves.
# shellcheck disable=SC2086 # a list
set -- $WORKERS
ok "a worker is killed" kill -9 "$1"
works() { [ "$(get "$URL/scep?operation=GetCACert")" = 200 ]; }
ok "the other serves" wait_for works

# SIGTERM ends a worker at once, also an idle one.
fcgi_start
ok "a worker serves" test -S fcgi.sock
pid=$FCGI_PID
kill -TERM "$pid"
ok "SIGTERM ends it" wait_for _gone "$pid"
done_testing
