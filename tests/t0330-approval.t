#!/bin/sh
# Requests that wait for people (C-113, C-114, C-131 to C-139, C-141): PENDING,
# yes and no, who counts, what happens at once, and what comes of it.
# shellcheck disable=SC1091,SC2034,SC2154 # lib.sh uses and sets them
. "${0%/*}/lib.sh"

[ "$(id -u)" -eq 0 ] || skip_all_tests "only root can be several people"
faketime=$(find /usr/lib -name libfaketime.so.1 2>/dev/null | head -n 1)
[ "${SCEP_FLAVOUR:-plain}" != asan ] || faketime=
REAL=$SCEP
make_home
cat >ra.ini <<'END'
[scep]
operationmode = ra
[ra]
defaultca = ManagementCA
authpwd = "a joint secret of the fleet"
[approval]
required = 1
END
"$SCEP" alias add ra --from ra.ini >.out || diag "$(cat .out)"
ALIAS=ra
SECRET="a joint secret of the fleet"
client_key one
client_key two

# --- words ------------------------------------------------------------------

# KEY TXID CN OPTIONS...: asks by KEY.key; prints SUCCESS, PENDING, failinfo N
# or http N.
enrol() {
	_key=$1 _txid=$2 _cn=$3
	shift 3
	builder pkcsreq --ca ca.pem --key "$_key.key" --challenge "$SECRET" \
		--subject "/CN=$_cn" --txid "$_txid" --cert-out "$_key.crt" \
		--csr-out "$_key.csr" --out "$_key.der" "$@" 2>>log
	transmit "$_key"
}
poll() { # KEY TXID OPTIONS...
	_key=$1 _txid=$2
	shift 2
	: >empty
	builder pkcsreq --ca ca.pem --key "$_key.key" --type 20 --csr empty \
		--txid "$_txid" --cert-out "$_key.crt" --out "$_key.der" \
		"$@" 2>>log
	transmit "$_key"
}
transmit() {
	rm -f "$1"-*.pem
	request POST "/scep/$ALIAS/pkiclient.exe?operation=PKIOperation" "$1.der"
	if [ "$STATUS" != 200 ]; then
		echo "http $STATUS"
		return
	fi
	builder certrep --ca ca.pem --key "$1.key" --cert "$1.crt" --in body \
		--out-prefix "$1-" >"$1.rep" 2>>log
	case $(reply "$1" status) in
	0) echo SUCCESS ;;
	3) echo PENDING ;;
	*) echo "failinfo $(reply "$1" failinfo)" ;;
	esac
}
# CN: the number of the request that waits for it.
number() {
	"$SCEP" request list --json --match "$1" |
		sed -n 's/.*"request":"\([0-9a-f]*\)".*/\1/p'
}
# UID VERB ...: a person at the keyboard, by sudo.
person() {
	_uid=$1
	shift
	env SUDO_UID="$_uid" "$SCEP" request "$@"
}
later() { # WHEN COMMAND...: by a clock that is ahead
	_when=$1
	shift
	printf '#!/bin/sh\nFAKETIME=%s LD_PRELOAD=%s exec "%s" "$@"\n' \
		"$_when" "$faketime" "$REAL" >timed
	chmod 755 timed
	SCEP=$FRESH/timed
	"$@"
	_status=$?
	SCEP=$REAL
	return $_status
}
answer() { "$SCEP" request "$@"; }
subject() { openssl x509 -in "$1-0.pem" -noout -subject | sed 's/^[^=]*=//'; }
reason() { sed -n 's/.*reason="\([^"]*\)".*/\1/p' log | tail -n 1; }
records() { find home/store/transaction -name "*,[0-9]" | wc -l; }

# --- PENDING ------------------------------------------------------------------

DOOR=fcgi
fcgi_start # not by request(), which is in a subshell
is "a poll before any request: badCertId" "$(poll one t1)" "failinfo 4"
SECRET=wrong
is "a wrong secret does not wait" "$(enrol one t1 box)" "failinfo 2"
SECRET="a joint secret of the fleet"
is "and nothing is kept" "$(records)" 0
is "C-131: PENDING" "$(enrol one t1 box --san dns:box.lab)" PENDING
kill -KILL "$FCGI_PID"
wait "$FCGI_PID" 2>/dev/null
rm -f fcgi.sock
fcgi_start
like "the log says so" "$(cat log)" 'result=pending request=[0-9a-f]{64}'
cp one.csr first.csr
is "C-132: it waits after a crash" "$(poll one t1)" PENDING
stop_servers
DOOR=cgi
is "C-136: sent once more, it waits" \
	"$(enrol one t1 box --san dns:box.lab)" PENDING
is "as one request" "$(records)" 1
is "C-133: a stranger's poll" "$(poll two t1)" "failinfo 4"
is "another transactionID" "$(poll one t2)" "failinfo 4"

# --- what people see (C-114) ----------------------------------------------------

id=$(number box)
like "it is listed" "$("$SCEP" request list)" \
	"^$(expr "$id" : '\(.\{16\}\)') +[0-9]+[sm] +waiting +0 of 1 +ra +box +CN=box"
is "by alias" "$("$SCEP" request list --alias scep)" ""
show=$("$SCEP" request show "$id")
for digest in sha256:SHA-256 sha1:SHA-1 sha512:SHA-512 md5:MD5; do
	like "C-114: CSR ${digest#*:}" "$show" "CSR ${digest#*:}: +$(
		openssl dgst -"${digest%:*}" -r first.csr | cut -d' ' -f1)"
done
like "the key" "$show" "^Key SHA-256: +$(openssl pkey -in one.key -pubout \
	-outform DER | openssl dgst -sha256 -r | cut -d' ' -f1)"
like "the kind of it" "$show" "^Key: +RSA 2048 bits"
like "the name" "$show" "^SAN: +dNSName=box.lab"
like "the source" "$show" "^From: +192.0.2.1"
unlike "never the secret" "$(cat home/store/transaction/*/*,1)" "joint"
like "in JSON too" "$("$SCEP" request show "$id" --json)" \
	"^\{\"request\":\"$id\",\"state\":\"waiting\",.*\}\$"

# C-139: another CSR under the same name is answered by the first.
is "a CSR swapped while it waits" "$(enrol one t1 evil)" PENDING
is "nobody sees it" "$(number evil)" ""
like "but the log tells" "$(tail -n 3 log)" "another request than the one"

# --- yes --------------------------------------------------------------------------

short=$(expr "$id" : '\(.\{8\}\)')
exits 1 "seven digits are too few" "$SCEP" request approve "${short%?}"
exits 1 "none of that number" "$SCEP" request approve 0123456789abcdef
exits 0 "approved" "$SCEP" request approve "$short" --reason "ticket 1"
like "and issued at once" "$(cat .out)" "^issued [0-9a-f]{32} to box"
serial=$(sed -n 's/^issued \([0-9a-f]*\) .*/\1/p' .out)
is "C-134: the poll fetches it" "$(poll one t1)" SUCCESS
is "of what was shown" "$(subject one)" "CN = box"
is "that very one" "$(serial one-0.pem | tr A-F a-f)" "$serial"
is "and again" "$(poll one t1)" SUCCESS
is "the same" "$(serial one-0.pem | tr A-F a-f)" "$serial"
ok "it verifies" openssl verify -CAfile ca.pem one-0.pem
exits 1 "a second yes is too late" "$SCEP" request approve "$id"
like "exactly" "$(cat .out)" "was issued already: .scep cert show $serial"
exits 1 "and so is a no" "$SCEP" request deny "$id"
like "exactly" "$(cat .out)" "was issued already: .scep cert show $serial"
is "nothing waits" "$("$SCEP" request list)" ""
like "C-176: the audit has it" "$("$SCEP" audit show --match "$id")" \
	"request approve +$id +done .*ticket 1"
ok "check" "$SCEP" check

# --- two people, and what they agreed to is not changed --------------------------

"$SCEP" alias set ra approval.required 2 >/dev/null
is "two are needed" "$(enrol two t3 pair)" PENDING
"$SCEP" alias set ra approval.required 1 >/dev/null
id=$(number pair)
exits 0 "one yes" person 1001 approve "$id"
like "of two" "$(cat .out)" "has 1 of 2 yeses"
exits 1 "the same person twice" person 1001 approve "$id"
like "counts once" "$(cat .out)" "has said yes to this request before"
is "it waits, though one would do now" "$(poll two t3)" PENDING
like "who, is shown" "$("$SCEP" request show "$id")" "Yes of: +uid 1001, "

# The real uid: what sudo says counts only of root; --as is for root.
mkdir bin && cp "$REAL" bin/scep && chmod 755 bin bin/scep
cp -a home other && chown -R nobody other
nobody() {
	setpriv --reuid "$(id -u nobody)" --regid "$(id -g nobody)" \
		--clear-groups env SCEP_HOME="$FRESH/other" "$@"
}
exits 1 "--as is for root" nobody bin/scep request approve "$id" --as anna
like "it says" "$(cat .out)" "only root says yes or no for others"
sed 's/^required = 2/required = 4/' "$(find other/store/transaction \
	-name '*,1' -exec grep -l pair {} +)" >record
id4=$(sed -n '/^ca = /,$p' record | openssl dgst -sha256 -r | cut -d' ' -f1)
cp record "$(find other/store/transaction -name '*,1' \
	-exec grep -l pair {} +)"
exits 0 "a user's own yes" nobody env SUDO_UID=7 bin/scep request approve "$id4"
exits 1 "is his, whatever SUDO_UID says" \
	nobody env SUDO_UID=8 bin/scep request approve "$id4"
rm -rf other

exits 0 "root says it for another" \
	"$SCEP" request approve "$id" --as anna --reason "by phone"
is "C-134: issued" "$(poll two t3)" SUCCESS
like "recorded as such" "$("$SCEP" request show "$id")" \
	"Yes of: +uid 0 \(root\) for anna, .*: by phone"

# --- no ------------------------------------------------------------------------------

is "another" "$(enrol two t4 bad)" PENDING
id=$(number bad)
exits 0 "denied" person 1001 deny "$id" --reason "unknown device"
is "C-134: the poll is refused" "$(poll two t4)" "failinfo 2"
is "C-141: and so is asking again" "$(enrol two t4 bad)" "failinfo 2"
is "for that" "$(reason)" "the request was denied"
exits 1 "a yes is too late" "$SCEP" request approve "$id"
like "exactly" "$(cat .out)" "was denied already, .* by uid 1001.*: unknown"
exits 1 "once is enough" "$SCEP" request deny "$id"
like "exactly" "$(cat .out)" "was denied already"
ok "check" "$SCEP" check

if [ -n "$faketime" ]; then
	is "a denial is remembered for a week" \
		"$(later +6d enrol two t4 bad)" "failinfo 2"
	is "and then forgotten" "$(later +8d enrol two t4 bad)" PENDING
	is "it waits for a month" "$(later +37d poll two t4)" PENDING
	is "C-141: and is over" "$(later +39d poll two t4)" "failinfo 2"
	is "it may ask again" "$(later +39d enrol two t4 bad)" PENDING
	id=$(number bad)
	exits 1 "a yes that comes too late" \
		later +70d answer approve "$id"
	like "is told so" "$(later +70d answer approve "$id" 2>&1)" \
		"has expired"
	exits 0 "no more of it" later +40d answer deny "$id"
else
	skip "later" "needs libfaketime, on the plain build"
fi

# --- at once -------------------------------------------------------------------------

"$SCEP" alias set ra approval.required 2 >/dev/null
is "one more" "$(enrol two t5 race)" PENDING
id=$(number race)
for uid in 1001 1001 1002 1002; do
	person "$uid" approve "$id" >"race.$uid" 2>&1 &
	pids="${pids:-} $!"
done
for pid in $pids; do wait "$pid"; done
is "two approvers at once, each of them twice" "$(poll two t5)" SUCCESS
is "one certificate" \
	"$("$SCEP" cert list --entity race --json | wc -l)" 1
"$SCEP" alias set ra approval.required 1 >/dev/null
is "one more" "$(enrol two t6 duel)" PENDING
id=$(number duel)
person 1001 approve "$id" >yes 2>&1 &
yes=$!
person 1002 deny "$id" >no 2>&1
no=$?
wait "$yes"
yes=$?
case $(poll two t6) in
SUCCESS) is "yes and no at once: yes was first" "$yes $no" "0 1" ;;
"failinfo 2") is "yes and no at once: no was first" "$yes $no" "1 0" ;;
*) is "yes and no at once" "$yes $no" "an answer" ;;
esac
ok "check" "$SCEP" check

# --- approved, and then it fails --------------------------------------------------------

mkdir -p home/profiles
sed 's/^validity = .*/validity = 100d/' "$TOP/profiles/ENDUSER.ini" \
	>home/profiles/DEVICE.ini
touch -d "1 hour ago" home/profiles/DEVICE.ini # not being written
"$SCEP" alias set ra ra.certificateprofile DEVICE >/dev/null
is "with a profile" "$(enrol one t7 phone)" PENDING
mv home/profiles/DEVICE.ini DEVICE.ini
id=$(number phone)
exits 1 "that is gone when it is approved" "$SCEP" request approve "$id"
like "says why" "$(cat .out)" "approved, but it cannot be issued: .*profile"
is "the device waits" "$(poll one t7)" PENDING
like "it is approved" "$("$SCEP" request list)" "approved +1 of 1"
is "asking does not help yet" "$(enrol one t7 phone)" "failinfo 2"
is "nor as another" "$(enrol two t8 phone)" "failinfo 2"
mv DEVICE.ini home/profiles/DEVICE.ini
is "another name has no yes" "$(enrol one t7 tablet)" "failinfo 2"
is "nor have other extensions" \
	"$(enrol one t7 phone --extensions 1.2.3=0500)" "failinfo 2"
is "C-137: another name has to wait" "$(enrol two t9 phone2)" PENDING
"$SCEP" request deny "$(number phone2)" >/dev/null
is "a new transaction and a new key: issued" "$(enrol two t8 phone)" SUCCESS
is "of the name" "$(subject two)" "CN = phone"
is "the old one is over" "$(poll one t7)" "failinfo 2"
is "and bought one" "$("$SCEP" cert list --entity phone --json | wc -l)" 1
exits 1 "no yes is left" "$SCEP" request approve "$id"
like "exactly" "$(cat .out)" "got its certificate by another request"
# the same transaction is issued when the trouble is over, by a poll
is "once more, from nobody knows where" "$(REMOTE='' enrol one t10 phone3)" \
	PENDING
mv home/profiles/DEVICE.ini DEVICE.ini
not_ok "approved" "$SCEP" request approve "$(number phone3)"
mv DEVICE.ini home/profiles/DEVICE.ini
is "the poll issues" "$(poll one t10)" SUCCESS

# a yes does not hold for ever
if [ -n "$faketime" ]; then
	is "a third" "$(enrol one t25 phone4)" PENDING
	mv home/profiles/DEVICE.ini DEVICE.ini
	id=$(number phone4)
	not_ok "approved" "$SCEP" request approve "$id"
	mv DEVICE.ini home/profiles/DEVICE.ini
	is "its yes is over for others too" \
		"$(later +100d enrol two t26 phone4)" PENDING
	exits 0 "it is over" "$SCEP" request deny "$id"
	exits 0 "and the other" "$SCEP" request deny "$(number phone4)"
else
	skip "later" "needs libfaketime, on the plain build"
fi

# what it came with counts, whatever the alias says meanwhile
is "under one profile" "$(enrol one t14 lamp)" PENDING
"$SCEP" alias set ra ra.certificateprofile ENDUSER >/dev/null
exits 0 "approved when the alias has another" \
	"$SCEP" request approve "$(number lamp)"
like "it is issued under the first" \
	"$("$SCEP" cert show lamp)" "Profile: +DEVICE"
ok "check" "$SCEP" check

# --- renewals need a yes where they are told to ---------------------------------------

enrol one t15 clock >/dev/null
"$SCEP" request approve "$(number clock)" >/dev/null
is "a certificate" "$(poll one t15)" SUCCESS
cp one-0.pem old.pem
"$SCEP" alias set ra approval.renewals=yes renewal.window=1% >/dev/null
if [ -n "$faketime" ]; then
	renew() {
		enrol two t16 clock --type 17 --signer-cert old.pem \
			--signer-key one.key
	}
	later +30d renew >renewal
	like "the renewal waits" "$(tail -n 1 log)" \
		"type=RenewalReq .*result=pending"
	id=$(number clock)
	like "for that certificate" "$("$SCEP" request show "$id")" \
		"^Renews: +ManagementCA/1/$(serial old.pem | tr A-F a-f)"
	exits 0 "approved" later +30d answer approve "$id"
	like "and issued" "$(cat .out)" "^issued [0-9a-f]{32} to clock"
else
	skip "a renewal" "needs libfaketime, on the plain build"
fi
"$SCEP" alias set ra approval.renewals no >/dev/null
ok "check" "$SCEP" check

# --- limits -----------------------------------------------------------------------------

"$SCEP" alias set ra approval.limit 1 >/dev/null
is "one may wait" "$(enrol one t11 first)" PENDING
is "no second" "$(enrol one t12 second)" "http 503"
like "the log says why" "$(tail -n 3 log)" "requests wait already"
is "but the first" "$(enrol one t11 first)" PENDING
"$SCEP" alias set ra approval.limit=1000 approval.persource=1 >/dev/null
is "one of a source" "$(enrol one t12 second)" "http 503"
"$SCEP" alias set ra approval.persource 0 >/dev/null

# --- the alias goes -----------------------------------------------------------------------

"$SCEP" alias set ra approval.required=2 ra.namegenerationscheme=RANDOM \
	>/dev/null
is "a random name" "$(enrol one t13 random)" PENDING
id=$("$SCEP" request list --json --match "CN=random" |
	sed -n 's/.*"request":"\([0-9a-f]*\)".*/\1/p')
person 1001 approve "$id" >/dev/null
exits 1 "alias delete refuses while some wait" \
	"$SCEP" alias delete ra --yes
like "exactly" "$(cat .out)" "2 requests wait for alias ra"
not_ok "not to a name that is taken" "$SCEP" alias rename ra scep
is "which leaves them where they are" \
	"$("$SCEP" request list --alias ra | wc -l)" 2
ln home/aliases/ra.ini home/aliases/new.ini # killed after its first step
ok "alias rename takes them along" "$SCEP" alias rename ra new
is "from the old one" "$("$SCEP" request list --alias ra)" ""
ALIAS=new
is "the poll at the new address" "$(poll one t13)" PENDING
ALIAS=ra
is "the old address is gone" "$(poll one t13)" "http 404"
mv home/aliases/new.ini home/aliases/last.ini # killed before its last step
ok "another one, taken up again" "$SCEP" alias rename new last
not_ok "which is done then" "$SCEP" alias rename new last
ALIAS=last
is "the poll there" "$(poll one t13)" PENDING
is "asking there" "$(enrol one t13 random)" PENDING
ok "check" "$SCEP" check
exits 0 "the first yes has stayed" person 1002 approve "$id"
like "it is issued" "$(cat .out)" "^issued [0-9a-f]{32} to [A-Za-z0-9]{12}\$"
is "and fetched" "$(poll one t13)" SUCCESS
is "by its name" "$(subject one)" "CN = random"
exits 1 "alias delete refuses" "$SCEP" alias delete last --yes
ok "--force denies what waits" "$SCEP" alias delete last --yes --force
is "nothing waits" "$("$SCEP" request list)" ""

# --- an approval that reaches CA mode -------------------------------------------
printf '[approval]\nrequired = 1\n' >home/profiles/ASK.ini
touch -d "3 seconds ago" home/profiles/ASK.ini
exits 1 "a CA-mode alias cannot have a profile that asks" \
	"$SCEP" alias set scep profile ASK
like "and is told why" "$(cat .out)" \
	"asks for approval, which CA mode has not: ASK"
SECRET=$("$SCEP" entity add boxed --ca ManagementCA --profile ASK --generate)
ALIAS=scep
is "nor an entity: nothing is issued, and nothing lost" \
	"$(enrol two t14 boxed)" "http 503"
like "the log names the cure" "$(tail -n 2 log)" "scep alias check"
"$SCEP" entity set boxed --profile ENDUSER
is "its code is good still" "$(enrol two t14 boxed)" SUCCESS
done_testing
