#!/bin/sh
# A judge or a CA's host that does not answer is not asked for a while, by
# each worker for itself: the devices hear 503 at once, and are served again
# when it answers.  A CGI program remembers nothing.
# shellcheck disable=SC1091,SC2034,SC2154 # lib.sh uses them
. "${0%/*}/lib.sh"
. "$TOP/tests/intune.sh"

make_home
mkdir -p home/hook

# --- a web service, which listens and says nothing -----------------------------

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout web.key -out web.pem -days 2 -subj /CN=localhost \
	-addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>>log
cp web.pem home/hook/web.pem
answer() { printf '[%s]\n' "$1" >answers.new && mv answers.new answers.json; }
HANGS='{"delay": 30, "json": {"allow": true}}'
CUT='{"close": -1}'
YES='{"json": {"allow": true}}'
NO='{"json": {"allow": false}}'
answer "$YES"
python3 "$TOP/tests/httpd.py" --script answers.json --log asked \
	--port-file port --cert web.pem --key web.key >>httpd.log 2>&1 &
server $!
wait_for test -s port
SERVICE=https://127.0.0.1:$(cat port)

cat >web.ini <<-EOT
	[scep]
	operationmode = ra
	[ra]
	defaultca = ManagementCA
	[approval]
	required = 0
	[challenge]
	judge = web
	[web]
	url = $SERVICE/hook
	secretfile = hook/key
	cafile = hook/web.pem
	timeout = 3s
EOT
(umask 077 && openssl rand -base64 32 >home/hook/key)
ok "an alias of the service" "$SCEP" alias add web --from web.ini

pass() { # NAME ALIAS: the HTTP status, and how a certificate came
	: >log
	request POST "/scep/$2/pkiclient.exe?operation=PKIOperation" "$1.der"
	echo "$STATUS$(sed -n 's/.* result=\([a-z]*\).*/ \1/p' log)"
}
took() { sed -n 's/.*operation=PKIOperation.* ms=\([0-9]*\).*/\1/p' log; }
is_later() { [ "$(pass "$1" "$2")" = 503 ]; }
is_through() { [ "$(pass "$1" "$2")" != 503 ]; }
# Is NAME answered at once, and nothing asked, of which FILE has a line?  On a
# slow machine a pause may be over, but the next is longer.
paused() { # NAME ALIAS FILE
	for _i in 1 2 3; do
		_was=$(asked "$3")
		[ "$(pass "$1" "$2")" = 503 ] || return 1
		! grep -q "is not asked for another" log || break
	done
	grep -q "is not asked for another" log && [ "$(took)" -lt 1500 ] &&
	    [ "$(asked "$3")" = "$_was" ]
}
asked() { grep -c . "${1:-asked}"; }

for n in a b c d e; do
	pkcsreq $n secret
done
DOOR=fcgi
is "web: works" "$(pass a web)" "200 issued"
answer "$HANGS"
: >asked
is "web: it hangs" "$(pass b web)" 503
ok "web: the first waits for it" test "$(took)" -ge 3000
ok "web: the next does not, nor is it asked" paused c web asked
is "web: but has to come again" "$(header Retry-After)" 5
like "web: why" "$(cat log)" \
	"level=info .*alias web: $SERVICE did not answer, and is not asked for another [0-9]+ s\"\$"
: >asked
answer "$CUT"
is "web: a new certificate of what it is known by counts at once" \
	"$(echo >>home/hook/web.pem; pass c web)" 503
is "web: it was asked" "$(asked)" 1
DOOR=cgi
is "web: a CGI program asks" "$(pass c web)" 503
is "web: for it remembers nothing" "$(asked)" 2
DOOR=fcgi
answer "$YES"
ok "web: mended, it is asked again" wait_for is_through c web
is "web: and from now on" "$(pass d web)" "200 issued"
answer "$NO"
: >asked
is "web: a no" "$(pass e web)" "200 refused"
is "web: is none, and asked about again" "$(pass e web)" "200 refused"
answer '{"status": 500}'
is "web: nor is a service in trouble" "$(pass e web)" 503
is "web: that answers" "$(pass e web)" 503
is "web: each was asked about" "$(asked)" 4

# --- a program -------------------------------------------------------------------

printf '#!/bin/sh\necho x >>%s/ran\n. %s/does\n' "$FRESH" "$FRESH" >judge
chmod 755 judge
cat >prog.ini <<-EOT
	[scep]
	operationmode = ra
	[ra]
	defaultca = ManagementCA
	[approval]
	required = 0
	[challenge]
	judge = program
	[program]
	path = $FRESH/judge
	timeout = 2s
EOT
echo 'exit 75' >does
ok "an alias of a program" "$SCEP" alias add prog --from prog.ini
: >ran
is "program: later" "$(pass e prog)" 503
is "program: as often as it says so" "$(pass e prog)" 503
echo 'kill -9 $$' >does
is "program: or breaks" "$(pass e prog)" 503
is "program: it is run" "$(pass e prog) $(asked ran)" "503 4"
echo 'sleep 30' >does
is "program: it hangs" "$(pass e prog) $(asked ran)" "503 5"
ok "program: it is not run, for no time" paused e prog ran
echo 'exit 0' >does
ok "program: until it is mended" wait_for is_through e prog
is "program: it has judged" "$(pass e prog)" "200 resent"

# --- Intune ----------------------------------------------------------------------

# Who cuts connections off is asked once in a while: of four requests at least
# one hears 503 without a question.
four() { # NAME ALIAS
	for _i in 1 2 3 4; do
		[ "$(pass "$1" "$2")" = 503 ] || echo "not ok: $_i"
	done
}

DOOR=cgi
intune_start
intune_alias intune
pkcsreq i1 intune-i1
pkcsreq i2 intune-i2
DOOR=fcgi
is "Intune: works" "$(pass i1 intune)" "200 issued"
control '{"validate": {"close": -1}}'
rm steps
is "Intune: is cut off" "$(four i2 intune)" ""
ok "Intune: not asked each time" test "$(grep -c validate steps)" -lt 4
control '{}'
ok "Intune: mended" wait_for is_through i2 intune
is "Intune: it was told of this one" "$(grep -c success steps)" 1
# The certificate is issued, and held: its notification waits as well.
control '{"success": {"close": -1}}'
pkcsreq i3 intune-i3
rm steps
is "Intune: does not hear of it" "$(four i3 intune)" ""
ok "Intune: not told each time" test "$(grep -c success steps)" -lt 4
control '{}'
ok "Intune: hears" wait_for is_through i3 intune
is "Intune: of that one certificate" \
	"$(grep -c '"transactionId": "id-i3"' told) $(pass i3 intune)" \
	"1 200 resent"

# --- a proxy ---------------------------------------------------------------------

DOOR=cgi
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout me.key -out me.pem -days 2 -subj /CN=proxy 2>>log
chmod 600 me.key
ok "an alias that passes on" "$SCEP" alias add far --proxy "$SERVICE/far" \
	--clientcert "$FRESH/me.pem" --clientkey "$FRESH/me.key" \
	--cafile "$FRESH/web.pem"
touch_alias far
MESSAGE='{"body": "yes", "headers": {"Content-Type": "application/x-pki-message"}}'
answer "$MESSAGE"
DOOR=fcgi
is "proxy: works" "$(pass a far)" 200
answer "$CUT"
: >asked
is "proxy: is cut off" "$(four a far)" ""
ok "proxy: not each is asked" test "$(asked)" -lt 4
is "proxy: a client comes again" "$(header Retry-After)" 5
request GET "/scep/far/pkiclient.exe?operation=GetNextCACert"
is "proxy: whatever it asks" "$STATUS $(header Retry-After)" "503 5"
answer "$YES"
is "proxy: another alias asks the same host for itself" \
	"$(pass a web)" "200 resent"
answer "$MESSAGE"
ok "proxy: up again" wait_for is_through a far
is "proxy: and from now on" "$(pass a far)" 200
done_testing
