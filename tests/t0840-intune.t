#!/bin/sh
# Intune judges (ejbca-behaviour 8): against a stand-in of ours that looks at
# every header and field, and fails on command.
# shellcheck disable=SC1091,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"
. "$TOP/tests/intune.sh"

make_home
intune_start
intune_alias mdm

# A request, and what comes of it: "issued", "resent", the reason, "http 503".
ask() { # NAME [OPTIONS...]
	_n=$1
	shift
	if [ ! -e "$_n.der" ] || [ $# -gt 0 ]; then
		pkcsreq "$_n" "intune-$_n" "$@"
	fi
	gets "$_n"
}
gets() { # NAME
	: >log
	rm -f "$1-0.pem"
	request POST "/scep/mdm/pkiclient.exe?operation=PKIOperation" "$1.der"
	[ "$STATUS" = 200 ] || { echo "http $STATUS" && return; }
	builder certrep --ca ca.pem --key "$1.key" --cert "$1.crt" --in body \
		--out-prefix "$1-" >"$1.rep" 2>>log
	case $(reply "$1" status) in
	0) sed -n 's/.*result=\([a-z]*\).*/\1/p' log | tail -n 1 ;;
	*) sed -n 's/.*reason="\([^"]*\)".*/\1/p' log | tail -n 1 ;;
	esac
}
files() { [ ! -e "$1" ] || echo $#; }
issued() { files home/store/transaction/*/*,outcome; }
released() { files home/store/transaction/*/*,released; }
# The steps since the last look, on one line.
steps() {
	awk '{ printf "%s%s", n++ ? " " : "", $1 }' steps 2>/dev/null
	rm -f steps
}
told() { # NAME KEY: of its last notification
	sed -En "/\"transactionId\": \"id-$1\"/s/.*\"$2\": (\"([^\"]*)\"|([0-9]+)).*/\\2\\3/p" \
		told | tail -n 1
}
times_told() { grep -c "\"transactionId\": \"id-$1\"" told; }

# --- a device gets its certificate -------------------------------------------------

is "CGI: Intune says yes" "$(ask one --san dns:one.example)" issued
is "what was asked, in this order" "$(steps)" \
	"token discovery token validate success"
is "it was told of this one" "$(told one certificateSerialNumber)" \
	"$(serial one-0.pem | tr A-F a-f)"
is "its thumbprint" "$(told one certificateThumbprint | tr -d ' ')" \
	"$(openssl x509 -in one-0.pem -noout -fingerprint -sha1 |
	    sed 's/.*=//' | tr -d : | tr A-F a-f)"
is "its end" "$(date -u -d "$(told one certificateExpirationDateUtc)" +%s)" \
	"$(date -u -d "$(openssl x509 -in one-0.pem -noout -enddate |
	    cut -d= -f2)" +%s)"
is "its issuer" "$(told one certificateAuthority)" "CN=Test CA,O=Lab,C=SE"
like "the outcome was held" "$(cat home/store/transaction/*/*,outcome)" \
	"^held = intune$"
like "and may leave" "$(cat home/store/transaction/*/*,released)" \
	"^by = intune$"
is "again: the same, nobody is asked" "$(gets one) $(steps)" "resent "

DOOR=fcgi
is "FastCGI: too" "$(ask two)" issued
is "with all steps" "$(steps)" "token discovery token validate success"
is "the next one" "$(ask three)" issued
is "has the token and the address in memory" "$(steps)" "validate success"
control '{"tokens": 3}'
is "a token that was revoked" "$(ask four)" issued
is "another is asked for, once" "$(steps)" "validate token validate success"
# Tokens have their end, here after a second.
control '{"expires": 1, "tokens": 4}'
is "a token that is good for a second" "$(ask five) $(steps)" \
	"issued validate token validate success"
then=$(date +%s)
is_over() { [ "$(date +%s)" -gt $((then + 1)) ]; }
wait_for is_over
is "is not used behind it" "$(ask six) $(steps)" \
	"issued token validate success"
DOOR=cgi

# --- Intune says no ----------------------------------------------------------------

control '{}'
before=$(issued)
pkcsreq bad "not one of Intune's"
is "a challenge that is none" "$(gets bad)" "Intune: ChallengeDecryptionError"
is "is badRequest" "$(reply bad failinfo)" 2
like "with Intune's words in the log" "$(cat log)" \
	"answers validateRequest with ChallengeDecryptionError: it was"
unlike "not the challenge" "$(cat log)" "one of Intune"
steps >/dev/null
pkcsreq none ""
is "none at all" "$(gets none)" "no challengePassword"
is "is not passed on" "$(steps)" ""
DOOR=fcgi # test_intune.c has them all
for code in SubjectNameMismatch BadTenantIdInChallenge; do
	control "{\"validate\": {\"code\": \"$code\"}}"
	is "$code" "$(ask no)" "Intune: $code"
done
for code in Unknown NewCodeOfTomorrow ""; do
	control "{\"validate\": {\"code\": \"$code\"}}"
	is "says nothing: '$code'" "$(ask no)" "http 503"
done
is "nothing was issued, nothing told" "$(($(issued) - before)) $(steps |
	grep -c 'success\|failure')" "0 0"
DOOR=cgi

# --- each step fails in turn -----------------------------------------------------------

n=0
fails() { # STEP RULE LIKE: HTTP 503 and a line; the retry gets a certificate
	n=$((n + 1))
	control "{\"$1\": $2}"
	before=$(issued)
	is "$1 $2" "$(ask "f$n")" "http 503"
	like "with a line that says so" "$(cat log)" "$3"
	is "nothing leaves" "$(released)" "$(cat .released)"
	case $1 in
	success) is "it is there, once" "$(($(issued) - before))" 1 ;;
	*) is "nothing is issued" "$(issued)" "$before" ;;
	esac
	control '{}'
	case $1 in
	success) is "the retry gets it" "$(gets "f$n")" resent ;;
	*) is "the retry gets one" "$(gets "f$n")" issued ;;
	esac
	is "one in all" "$(($(issued) - before))" 1
	is "it is what Intune was told of, once" \
		"$(told "f$n" certificateSerialNumber) $(times_told "f$n")" \
		"$(serial "f$n-0.pem" | tr A-F a-f) 1"
	released >.released
}
released >.released
down="stand-in|localhost"
fails token '{"status": 500}' "gives no token: HTTP 500"
fails token '{"status": 401, "json": {"error": "invalid_client", "error_description": "AADSTS7000215: s3cret"}}' \
	"HTTP 401 invalid_client AADSTS7000215; look at"
fails token '{"json": {"access_token": "a b"}}' "answer has no token"
fails discovery '{"status": 503}' "Graph answers with HTTP 503"
fails discovery '{"json": {"value": [{"providerName": "ScepRequestValidationFEService", "uri": "http://x/"}]}}' \
	"names no ScepRequestValidation"
DOOR=fcgi
steps >/dev/null
fails validate '{"status": 500}' "answers with HTTP 500 .client-request-id"
is "its address is asked for anew" "$(steps)" \
	"validate discovery validate success"
fails validate '{"status": 302, "headers": {"Location": "https://x/"}}' \
	"answers with HTTP 302"
is "and after it has moved" "$(steps)" "validate discovery validate success"
fails validate '{"status": 404}' "answers with HTTP 404"
is "or is gone" "$(steps)" "validate discovery validate success"
fails validate '{"body": "<html>Success</html>"}' "is not JSON"
fails validate '{"json": {"Code": "Success"}}' "with no code"
fails validate '{"size": 10485760}' "$down"
fails success '{"status": 500}' "has not acknowledged"
fails success '{"code": "Unknown"}' "has not acknowledged"
DOOR=cgi # a worker would ask once and pause then (t0835)
fails validate '{"close": -1}' "$down"
fails success '{"close": 5, "json": {"code": "Success"}}' "has not acknowledged"

# It knows, and its answer is lost: it is told once more, of the same one.
control '{"success": {"close": -1, "done": true}}'
is "the answer is lost" "$(ask lost)" "http 503"
control '{}'
is "the retry" "$(gets lost)" resent
is "was told twice of one certificate" "$(times_told lost) $(grep id-lost told |
	sed 's/.*SerialNumber": "\([0-9a-f]*\)".*/\1/' | sort -u | wc -l)" "2 1"
is "and again: not once more" "$(gets lost) $(times_told lost)" "resent 2"

# A poll and GetCert have no request to tell of.
control '{"success": {"status": 500}}'
is "held" "$(ask held)" "http 503"
serial=$(sed -n 's/^serial = //p' "$(grep -l "^id = id-held$" \
	home/store/transaction/*/*,outcome)")
builder wanted --cert ca.pem --serial "$serial" --out wanted
shown() { "$SCEP" cert show "$serial" "$@"; }
like "cert list says so" "$("$SCEP" cert list)" "^$serial .* unreleased "
is "of one alone" "$("$SCEP" cert list | grep -c ' unreleased ')" 1
like "as JSON" "$("$SCEP" cert list --json | grep "$serial")" \
	'"state":"unreleased","waits_for":"intune"'
is "cert show too" "$(shown | sed -n 's/^State: *//p; s/^Waits for: *//p' |
	tr '\n' ' ')" "unreleased intune "
like "as JSON" "$(shown --json)" '"state":"unreleased","waits_for":"intune"'
: >empty
about() { # TYPE FILE [NAME]: HTTP status of its key's message without a request
	_n=${3:-held}
	builder pkcsreq --ca ca.pem --key "$_n.key" --type "$1" --csr "$2" \
		--txid "id-$_n" --signer-subject "/CN=$_n" --out about.der
	: >log
	request POST "/scep/mdm/pkiclient.exe?operation=PKIOperation" about.der
	echo "http $STATUS"
}
poll() { about 20 empty "$@"; }
getcert() { about 21 wanted "$@"; }
is "a poll" "$(poll)" "http 503"
like "says why" "$(cat log)" "is held: intune has not acknowledged it"
is "GetCert" "$(getcert)" "http 503"
like "says why" "$(cat log)" "$serial is held"
control '{}'
is "sent again" "$(gets held)" resent
is "then it is valid" "$(shown | sed -n 's/^State: *//p; s/^Waits for: *//p')" \
	valid
unlike "and waits for nobody" "$(shown --json)" waits_for
is "then a poll" "$(poll)" "http 200"
is "and GetCert" "$(getcert)" "http 200"

# Revoked, or on hold, before Intune knows: it is not told, nothing leaves.
control '{"success": {"status": 500}}'
is "held" "$(ask taken)" "http 503"
control '{}'
before=$(released)
steps >/dev/null
serial=$(sed -n 's/^serial = //p' "$(grep -l "^id = id-taken$" \
	home/store/transaction/*/*,outcome)")
builder wanted --cert ca.pem --serial "$serial" --out wanted
spent="the certificate was revoked, is on hold or has expired, and its judge \
has not acknowledged it before"
"$SCEP" cert revoke "$serial" --reason certificateHold >.out 2>&1
is "on hold: refused" "$(gets taken)" "$spent"
"$SCEP" cert revoke "$serial" --reason keyCompromise >.out 2>&1
for DOOR in fcgi cgi; do
	is "$DOOR: revoked: refused" "$(gets taken)" "$spent"
	is "$DOOR: as badRequest" "$(reply taken failinfo)" 2
	is "$DOOR: a poll" "$(poll taken)" "http 200"
	like "$DOOR: is refused, too" "$(cat log)" "result=refused.*on hold or"
	is "$DOOR: and GetCert" "$(getcert taken)" "http 200"
	like "$DOOR: is refused, too" "$(cat log)" "result=refused.*on hold or"
done
is "nobody was told, no mark was made" "$(steps) $(times_told taken) \
$(released)" " 0 $before"
like "another CSR is decided anew" \
	"$(ask taken --san dns:taken.example)" "the entity exists: only its"
is "by Intune, too" "$(steps)" "token discovery token validate failure"

# Re-signed after a crash between issuing and telling: asked anew, one
# certificate.
control '{"success": {"delay": 20}}'
touch_alias mdm "timeout = 15s"
pkcsreq dead intune-dead
steps >/dev/null
REQUEST_METHOD=POST SCRIPT_NAME=/scep/mdm/pkiclient.exe \
	QUERY_STRING=operation=PKIOperation GATEWAY_INTERFACE=CGI/1.1 \
	CONTENT_LENGTH=$(wc -c <dead.der) "$SCEP" <dead.der >reply 2>>log &
killed=$!
wait_for grep -q "^success id-dead" steps
kill -9 $killed
wait $killed 2>/dev/null
is "killed while Intune is told" "$(wc -c <reply | tr -d ' ')" 0
control '{}'
pkcsreq dead intune-dead
is "the retry gets it" "$(gets dead)" resent
is "one certificate, told of once" \
	"$(grep -l "^id = id-dead$" home/store/transaction/*/*,outcome | wc -l) \
$(times_told dead) $(told dead certificateSerialNumber)" \
	"1 1 $(serial dead-0.pem | tr A-F a-f)"
touch_alias mdm "timeout = 4s"

# --- refused after Intune's yes -------------------------------------------------------------

steps >/dev/null
is "for a reason of ours" "$(ask odd --subject /OU=nobody)" \
	"no username can be made of the request's subject (\`[ra] \
namegenerationparameters\`)"
is "Intune is told" "$(steps)" "token discovery token validate failure"
is "its number" "$(told odd hResult)" $((0x20000102))
like "why" "$(told odd errorDescription)" "no username can be made"
control '{"failure": {"status": 500}}'
is "that it cannot be told changes nothing" "$(gets odd)" \
	"no username can be made of the request's subject (\`[ra] \
namegenerationparameters\`)"
like "but a line" "$(cat log)" "was not told why"
control '{}'
"$SCEP" entity block one >.out 2>&1
is "blocked" "$(ask one2 --subject /CN=one)" "entity is blocked"
is "too" "$(told one2 errorDescription)" "entity is blocked"

# --- renewals --------------------------------------------------------------------------------

steps >/dev/null
cp two-0.pem old.pem && cp two.key old.key
renew() { # NAME CHALLENGE
	client_key "$1"
	cp "$1.key" "$1.new" && cp old.pem "$1.crt"
	builder pkcsreq --ca ca.pem --key "$1.new" --signer-cert old.pem \
		--signer-key old.key --txid "id-$1" --subject /CN=two \
		--challenge "$2" --out "$1.der" --type 17
	cp old.key "$1.key"
	gets "$1"
}
is "a certificate alone gets no other" "$(renew r1 "")" "no challengePassword"
is "with Intune's challenge it does" "$(renew r2 intune-r2)" issued
is "and Intune knows of it" "$(steps) $(told r2 certificateSerialNumber)" \
	"token discovery token validate success $(serial r2-0.pem |
	    tr A-F a-f)"

# --- who we are -------------------------------------------------------------------------------

cp home/aliases/mdm.ini secret.ini
client_key app
openssl req -x509 -key app.key -subj /CN=app -days 30 -out app.crt
cat app.key app.crt >app.pem
cp app.pem home/app.pem && chmod 600 home/app.pem
intune_alias mdm "aadusekeybinding = yes" "aadkeybinding = app.pem"
ok "the alias is good" "$SCEP" alias check mdm
is "by certificate" "$(ask cert)" issued
is "all steps" "$(steps)" "token discovery token validate success"
client_key other
openssl req -x509 -key other.key -subj /CN=app -days 30 -out other.crt
cat other.key other.crt >home/app.pem
is "another's" "$(ask cert2)" "http 503"
grep -q "JWT header" complaints && rm complaints
cat other.key app.crt >home/app.pem
is "two that do not fit" "$(ask cert2)" "http 503"
like "and says so" "$(cat log)" "app.pem has no certificate of its key"
exits 1 "alias check too" "$SCEP" alias check mdm
printf "s3cret of app/1\n" >home/app.secret && chmod 600 home/app.secret
intune_alias mdm "aadappkeyfile = app.secret"
is "by a secret in a file" "$(ask file)" issued
echo wrong >home/app.secret
is "which is another now" "$(ask file2)" "http 503"
like "and is told of" "$(cat log)" "AADSTS7000215"
unlike "without it" "$(cat log)" "wrong"

# --- through a proxy ------------------------------------------------------------------------------

steps >/dev/null
proxy_start
intune_alias mdm 'aadappkey = "s3cret of app/1"' "proxyhost = localhost" \
	"proxyport = $PROXY" "proxyuser = scep" "proxypass = pr0xy:pass"
is "through a proxy" "$(ask prox)" issued
is "which knows us" "$(sed -n 's/^proxy //p' proxy/steps | sort -u)" \
	"Basic $(printf 'scep:pr0xy:pass' | base64)"
is "all the way" "$(steps)" "token discovery token validate success"
ok "what alias show says" sh -c "'$SCEP' alias show mdm >shown"
unlike "is without its secrets, and what means nothing here" "$(cat shown)" \
	"app/1|pr0xy|authpwd|target"
cp secret.ini home/aliases/mdm.ini && touch_alias mdm

# --- an alias that was another one meanwhile --------------------------------------------------------

control '{"success": {"status": 500}}'
is "held" "$(ask edited)" "http 503"
another() { # REQUIRED: the alias without Intune
	cat >home/aliases/mdm.ini <<-EOT
	[scep]
	operationmode = ra
	[ra]
	defaultca = ManagementCA
	authpwd = intune-queued
	[approval]
	required = $1
	EOT
	touch_alias mdm
}
control '{}'
another 0
steps >/dev/null
is "another judge lets nothing go" "$(gets edited)" "http 503"
like "and says so" "$(cat log)" "has not acknowledged it, and the alias has another"
is "nobody was asked" "$(steps)" ""
another 1
is "what waits for people" "$(ask queued >/dev/null; reply queued status)" 3
id=$("$SCEP" request list | awk '{ print $1 }')
cp secret.ini home/aliases/mdm.ini && touch_alias mdm
before=$(issued)
like "is not issued on their yes" "$("$SCEP" request approve "$id" 2>&1)" \
	"cannot be issued: the alias has a judge by now whom nobody has asked"
builder pkcsreq --ca ca.pem --key queued.key --type 20 --csr empty \
	--txid id-queued --signer-subject /CN=queued --out queued.poll
: >log
request POST "/scep/mdm/pkiclient.exe?operation=PKIOperation" queued.poll
is "nor by a poll" "$STATUS $(issued)" "200 $before"
like "which says why" "$(cat log)" "has a judge by now whom nobody has asked"
steps >/dev/null
is "but on Intune's" "$(gets queued)" issued
is "who was asked and told" "$(steps)" \
	"token discovery token validate success"
is "edited back: the held one" "$(gets edited)" resent

# --- nothing is trusted, nothing is kept -----------------------------------------------------------

"$SCEP" ca export ManagementCA --out home/ca.pem >.out 2>&1
intune_alias mdm 'aadappkey = "s3cret of app/1"' cafile=ca.pem
is "another CA than theirs" "$(ask tls)" "http 503"
cp secret.ini home/aliases/mdm.ini && touch_alias mdm

# GET operations are about defaultca, whatever they name.
"$SCEP" ca create OtherCA --subject "CN=Other CA" --key rsa:2048 >.out 2>&1
sed -i 's/^operationmode = ra/&\ncas = ManagementCA, OtherCA/' \
	home/aliases/mdm.ini
touch_alias mdm
request GET "/scep/mdm/pkiclient.exe?operation=GetCACert&message=OtherCA"
is "GetCACert of another: defaultca's" \
	"$(openssl x509 -inform DER -in body -noout -subject)" \
	"$(openssl x509 -in ca.pem -noout -subject)"

find home/store -type f -exec cat {} + >seen
cat home/store/audit/* >>seen
not_ok "no token and no challenge is in the store" \
	grep -Eq "token-[0-9]-|intune-[a-z]|s3cret" seen
is "Microsoft had nothing to complain about" \
	"$(cat complaints 2>/dev/null)" ""

done_testing
