#!/bin/sh
# End-entity profiles: which names an entity may have, from where, how often,
# and what must be unique (C-119, C-138).
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

N=64
[ "$HURRY" = 0 ] || N=16
make_home
client_key device
log_says() { tail -n 4 log | grep -q "$1"; }

# NAME: reads the profile from standard input; quiet for long enough.
profile() {
	cat >"home/profiles/$1.ini"
	touch -d '5 seconds ago' "home/profiles/$1.ini"
}

# NAME OPTIONS...: a message of one key for all, its code in $code.
ask() {
	_who=$1
	shift
	[ -e "$_who.key" ] || cp device.key "$_who.key"
	pkcsreq "$_who" "$code" "$@"
	send "$_who"
}

# All names in the store but marks of wrong codes; audit lines are not names.
stored() { find home/store -type f -o -type l | grep -v /try/ | sort; }

# NAME FIELD REASON DESCRIPTION: badRequest, and nothing is stored.
refused() {
	is "$4: badRequest" "$(reply "$1" status) $(reply "$1" failinfo)" "2 2"
	ok "$4: the log says why" log_says "reason=\"$3\"${2:+ field=$2}"
	stored >after
	ok "$4: nothing is stored" cmp before after
}

# --- rules for names, each kind --------------------------------------------------

profile strict <<'EOT'
[entity]
CN = required
O = fixed "Lab"
OU = optional many
serialNumber = optional pattern "[0-9A-F]{12}"
L = forbidden
dNSName = optional many pattern "[a-z0-9]+[.]lab[.]example"
iPAddress = required
others = no
enrolments = 3
EOT
profile open <<'EOT'
[entity]
upn = forbidden
O = optional fixed "Lab"
EOT
ok "profile check" "$SCEP" profile check strict open
like "profile show" "$("$SCEP" profile show strict)" \
	'^entity.cn +required$'
like "and what a default is" "$("$SCEP" profile show open)" \
	'^entity.others +yes  \(default\)$'
is "profile show --json" "$("$SCEP" profile show strict --json |
	grep -c '"entity.serialnumber":"optional pattern \\"')" 1
code=$(add_entity e --profile strict --san request)
like "a code pays for the profile's enrolments" \
	"$("$SCEP" entity show e)" "^Code used: +0 of 3$"
stored >before
n=0
# SUBJECT SAN FIELD REASON
while IFS='|' read -r dn san field reason; do
	n=$((n + 1))
	if [ -n "$san" ]; then
		ask e --txid "e-$n" --subject "$dn" --san "$san"
	else
		ask e --txid "e-$n" --subject "$dn"
	fi
	refused e "$field" "$reason" "$dn $san"
done <<'EOT'
/CN=e|IP:10.0.0.1|O|the profile requires this name
/CN=e/O=lab|IP:10.0.0.1|O|it is not the profile's fixed value
/CN=e/O=Lab/O=Lab|IP:10.0.0.1|O|the profile allows this name only once
/serialNumber=e/O=Lab|IP:10.0.0.1|SN|it does not fit the profile's pattern
/CN=e/O=Lab/L=x|IP:10.0.0.1|L|the profile forbids this name
/CN=e/O=Lab/C=SE|IP:10.0.0.1|C|the profile does not allow this name
/CN=e/CN=f/O=Lab|IP:10.0.0.1|CN|the profile allows this name only once
/CN=e/O=Lab||iPAddress|the profile requires this name
/CN=e/O=Lab|DNS:a.lab.example|iPAddress|the profile requires this name
/CN=e/O=Lab|IP:10.0.0.1,IP:10.0.0.2|iPAddress|the profile allows this name only once
/CN=e/O=Lab|IP:10.0.0.1,DNS:a.lab.example.org|dNSName|it does not fit the profile's pattern
/CN=e/O=Lab|IP:10.0.0.1,email:a@b.example|rfc822Name|the profile does not allow this name
EOT
ask e --txid e-good \
	--subject "/CN=e/O=Lab/OU=a/OU=b/serialNumber=0011AABB2233" \
	--san "IP:10.0.0.1,DNS:a.lab.example,DNS:b.lab.example"
is "what fits is issued" "$(reply e status)" 0
is "refusals have burnt nothing" "$("$SCEP" entity show e |
	sed -n 's/^Code used: *//p')" "1 of 3"

# The registered names count, not the request's.
code=$(add_entity named --profile strict --subject "CN=named,O=Lab" \
	--san iPAddress=10.0.0.1)
ask named --subject "/CN=named/O=Other/C=DE"
is "names of the record fit" "$(reply named status)" 0
code=$(add_entity open --profile open --san request)
ask open --san "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:u@x.example"
stored >before
refused open upn "the profile forbids this name" "upn"

# --- CAs and certificate profiles ---------------------------------------------------

profile elsewhere <<'EOT'
[entity]
cas = OtherCA
EOT
profile served <<'EOT'
[entity]
cas = ManagementCA
profiles = served
EOT
profile halves <<'EOT'
[entity]
profiles = ENDUSER
EOT
exits 1 "no entity is added under a profile of another CA" \
	"$SCEP" entity add cas --profile elsewhere --generate
code=$(add_entity cas --profile served)
ask cas
is "CA and profile are listed" "$(reply cas status)" 0
code=$("$SCEP" entity setpwd cas --generate)
cp home/profiles/elsewhere.ini home/profiles/served.ini
touch -d '4 seconds ago' home/profiles/served.ini
ask cas --txid cas-2
stored >before
refused cas cas "the profile is not for this CA" "a CA that is not listed"
cp home/profiles/halves.ini home/profiles/served.ini
touch -d '3 seconds ago' home/profiles/served.ini
ask cas --txid cas-3
refused cas profiles "the profile does not allow this certificate profile" \
	"a certificate profile that is not listed"

# --- records are held to the rules ----------------------------------------------------

says() { "$@" 2>&1 >/dev/null | tail -n 1; }
is "entity add says which rule" \
	"$(says "$SCEP" entity add r --profile strict --san request \
		--subject CN=r,O=Labor --generate)" \
	"scep: profile strict: O: it is not the profile's fixed value"
is "a name that is missing" \
	"$(says "$SCEP" entity add r --profile strict --subject CN=r,O=Lab \
		--generate)" \
	"scep: profile strict: iPAddress: the profile requires this name"
exits 1 "nobody was added" "$SCEP" entity show r
exits 1 "entity set too" "$SCEP" entity set named --subject CN=named
exits 1 "and --profile" "$SCEP" entity set plain --profile strict
is "a count over the profile's" \
	"$(says "$SCEP" entity setpwd e --generate --count 4)" \
	"scep: profile strict allows 3 enrolments; --count is at most that"
ok "one below" "$SCEP" entity setpwd e --generate --count 2
cat >many.csv <<'EOT'
username,subject,san,profile
good,"CN=good,O=Lab",iPAddress=10.0.0.9,strict
bad,"CN=bad,O=Lab,C=SE",iPAddress=10.0.0.9,strict
EOT
is "entity import names the line" \
	"$(says "$SCEP" entity import many.csv --out codes.csv)" \
	"scep: line 3: profile strict: C: the profile does not allow this name"

# --- profile try ------------------------------------------------------------------------

ask device --txid device --subject /CN=device/O=Lab/L=x
is "profile try says which rule refuses" \
	"$(says "$SCEP" profile try strict --csr device.csr)" \
	"scep: refused: L: the profile forbids this name"
ok "and EMPTY allows it" "$SCEP" profile try EMPTY --csr device.csr

# --- unique keys --------------------------------------------------------------------------

# The messages PREFIX1.der to PREFIXn.der at once, a CGI process each.
storm() { # PREFIX
	_i=0 _pids=
	while [ $_i -lt $N ]; do
		_i=$((_i + 1))
		env REQUEST_METHOD=POST SCRIPT_NAME=/scep \
			QUERY_STRING=operation=PKIOperation \
			CONTENT_LENGTH="$(wc -c <"$1$_i.der")" \
			GATEWAY_INTERFACE=CGI/1.1 REMOTE_ADDR=192.0.2.1 \
			"$SCEP" <"$1$_i.der" >/dev/null 2>>log &
		_pids="$_pids $!"
	done
	for _p in $_pids; do
		wait "$_p"
	done
}

# The serial of the only certificate of the CA whose subject is like this.
only() { "$SCEP" cert list --json | grep "$1" |
	sed -n 's/.*"serial":"\([^"]*\)".*/\1/p'; }

printf '[entity]\nuniquekey = yes\n' | profile onekey
code=$(add_entity k --profile onekey --count 99)
client_key k
i=0
while [ $i -lt $N ]; do
	i=$((i + 1))
	pkcsreq k "$code" --txid "k-$i"
	mv k.der "k$i.der"
done
cp k.key device.key
: >log
storm k
is "$N requests with one key: one certificate" \
	"$(only '"entity":"k"' | wc -l)" 1
is "and one was issued" "$(grep -c 'result=issued' log)" 1
is "the others were refused, or told to come again" \
	"$(($(grep -c 'reason="a living certificate has this key"' log) +
	$(grep -c 'status=503' log)))" $((N - 1))
first=$(only '"entity":"k"')
pkcsreq k "$code" --txid k-new
send k
stored >before
refused k "" "a living certificate has this key" "the key is taken"
like "profile try sees it too" \
	"$(says "$SCEP" profile try onekey --csr k.csr)" \
	"^scep: refused: a living certificate has this key"
other=$(add_entity other --profile onekey)
pkcsreq k "$other" --txid k-other --subject /CN=other
send k
is "by whomever" "$(reply k status) $(reply k failinfo)" "2 2"
"$SCEP" cert revoke "$first" --reason certificateHold >/dev/null
send k
is "a hold may be lifted" "$(reply k status) $(reply k failinfo)" "2 2"
"$SCEP" cert revoke "$first" --reason superseded >/dev/null
send k
is "after revocation the next one has it (C-138)" "$(reply k status)" 0
pkcsreq k "$code" --txid k-last
send k
is "and then nobody" "$(reply k status) $(reply k failinfo)" "2 2"
is "refusals and retries have cost no enrolments" \
	"$("$SCEP" entity show k | sed -n 's/^Code used: *//p')" "1 of 99"

# --- unique subjects -------------------------------------------------------------------------

printf '[entity]\nuniquesubject = yes\n' | profile onename
{
	echo username,subject,profile
	i=0
	while [ $i -lt $N ]; do
		i=$((i + 1))
		echo "s$i,\"CN=Shared  Name,O=Lab\",onename"
	done
} >s.csv
ok "$N entities with one subject" "$SCEP" entity import s.csv --out s.codes
i=0
while [ $i -lt $N ]; do
	i=$((i + 1))
	code=$(sed -n "s/^s$i,//p" s.codes)
	cp device.key "s$i.key"
	pkcsreq "s$i" "$code"
done
: >log
storm s
is "$N entities at once: one certificate" \
	"$(only '"subject":"CN=Shared' | wc -l)" 1
is "and one was issued" "$(grep -c 'result=issued' log)" 1
first=$(only '"subject":"CN=Shared')
who=$("$SCEP" cert show "$first" | sed -n 's/^Entity: *//p')
next=s1
[ "$who" != s1 ] || next=s2
send $next
stored >before
refused $next "" "a living certificate of another entity has this subject" \
	"the subject is another's"
send "$who"
is "whoever has it is answered as before" "$(serial "$who-0.pem")" \
	"$(echo "$first" | tr a-f A-F)"
code=$("$SCEP" entity setpwd "$who" --generate)
pkcsreq "$who" "$code" --txid again
send "$who"
is "and may have its own subject again" "$(reply "$who" status)" 0
"$SCEP" cert revoke "$first" --reason superseded >/dev/null
send $next
is "which counts as well" "$(reply $next status) $(reply $next failinfo)" "2 2"
"$SCEP" cert revoke "$(serial "$who-0.pem")" --reason superseded >/dev/null
send $next
is "when all are revoked, the next one succeeds" "$(reply $next status)" 0
is "names that differ in case and blanks are one (RFC 5280 7.1)" \
	"$(says "$SCEP" entity add twin --profile onename \
		--subject "CN=shared name,O=LAB" --generate)" ""
code=$("$SCEP" entity setpwd twin --generate)
pkcsreq twin "$code"
send twin
is "in an enrolment too" "$(reply twin status) $(reply twin failinfo)" "2 2"

# --- a home of before ---------------------------------------------------------------------------

mv home/store/key key.away
mv home/store/subject subject.away
exits 1 "scep check misses the rooms" "$SCEP" check
code=$("$SCEP" entity setpwd k --generate)
client_key fresh
cp fresh.key k.key
pkcsreq k "$code" --txid k-fresh
send k
is "a request makes what it needs" "$(reply k status)" 0
ok "scep check --repair the rest" "$SCEP" check --repair
ok "and is content" "$SCEP" check
rm -r home/store/subject
mv subject.away home/store/subject
cp -a key.away/. home/store/key/ 2>/dev/null
done_testing
