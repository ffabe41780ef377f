#!/bin/sh
# The judge that is a program: what it gets, what its exit status and its
# output mean, and everything that it can do wrong.
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

make_home
mkdir judge
JUDGE=$FRESH/judge/judge
printf '#!/bin/sh\n. %s\n' "$FRESH/does" >"$JUDGE"
chmod 755 "$JUDGE"
: >does

# What the program does from now on; it says so in `asked` each time.
does() { printf 'echo x >>%s/asked\n%s\n' "$FRESH" "$*" >does; }
asked() { wc -l 2>/dev/null <asked || echo 0; }

# NAME MODE SECTIONS: an alias whose judge is the program.
alias_of() {
	case $2 in
	ca) _scep='cas = ManagementCA' _rest= ;;
	*) _scep='' _rest='[ra]
defaultca = ManagementCA
[approval]
required = 0' ;;
	esac
	cat >"$1.ini" <<END
[scep]
operationmode = $2
$_scep
[challenge]
judge = program
[program]
path = $JUDGE
${3:-}
$_rest
END
	"$SCEP" alias add "$1" --from "$1.ini" >>log 2>&1 ||
		diag "no alias $1: $(tail -n 1 log)"
}
alias_of prog ra
alias_of reg ca

# What NAME's message gets: "issued", "resent", the reason in the log, or
# "http N".
gets() { # NAME [ALIAS]
	: >log
	request POST "/scep/${2:-prog}/pkiclient.exe?operation=PKIOperation" \
		"$1.der"
	[ "$STATUS" = 200 ] || { echo "http $STATUS" && return; }
	builder certrep --ca ca.pem --key "$1.key" --cert "$1.crt" --in body \
		--out-prefix "$1-" >"$1.rep" 2>>log
	case $(reply "$1" status) in
	3) echo pending ;;
	0) sed -n 's/.*result=\([a-z]*\).*/\1/p' log | tail -n 1 ;;
	*) sed -n 's/.*failinfo=\([A-Za-z]*\) reason="\([^"]*\)".*/\1: \2/p' \
		log | tail -n 1 ;;
	esac
}
entities() { "$SCEP" entity list --json | wc -l; }
subject_of() { openssl x509 -in "$1" -noout -subject -nameopt RFC2253; }

# --- what it gets -------------------------------------------------------------

SECRET="tell nobody 4711"
does 'cat >'"$FRESH"'/csr.pem
cat <&3 >'"$FRESH"'/secret
tr "\0" "\n" </proc/$$/environ | sort >'"$FRESH"'/environ
tr "\0" " " </proc/$$/cmdline >'"$FRESH"'/cmdline
for n in 4 5 6 7 8 9; do [ ! -e /proc/$$/fd/$n ] || echo $n; done >'"$FRESH"'/fds
pwd >'"$FRESH"'/pwd
ps -ewwo args >'"$FRESH"'/ps
ps ewwx >>'"$FRESH"'/ps'
pkcsreq box "$SECRET" --subject "/C=SE/O=Lab, Ltd/CN=box" \
	--san dns:box.example --txid 'trans "1"'
for DOOR in cgi fcgi; do
	is "$DOOR: its yes enrols, and again gets the same" "$(gets box)" \
		"$([ $DOOR = cgi ] && echo issued || echo resent)"
done
DOOR=cgi
is "which it was not asked about" "$(asked)" 1
ok "the CA signed it" openssl verify -CAfile ca.pem box-0.pem
is "it gets the CSR" "$(openssl req -in csr.pem -outform DER 2>&1 | sha256sum)" \
	"$(sha256sum <box.csr)"
is "and the challenge by descriptor 3, to its end" "$(cat secret)" "$SECRET"
is "its environment is this and nothing else" "$(cat environ)" "LC_ALL=C
PATH=/usr/sbin:/usr/bin:/sbin:/bin
SCEP_ALIAS=prog
SCEP_CA=ManagementCA
SCEP_CHALLENGE_FD=3
SCEP_HOME=$SCEP_HOME
SCEP_MODE=ra
SCEP_REMOTE=192.0.2.1
SCEP_SAN=dNSName=box.example
SCEP_SUBJECT=C=SE,O=Lab\\, Ltd,CN=box
SCEP_TRANSACTION=trans \\\"1\\\"
SCEP_USERNAME=box"
is "it has no arguments" "$(cat cmdline)" "/bin/sh $JUDGE "
is "no descriptors above 3, but its shell's" "$(cat fds)" ""
is "and stands in /" "$(cat pwd)" /
not_ok "no process shows the challenge" grep -q "nobody 4711" ps environ cmdline
find home/store home/aliases -type f -exec cat {} + >seen
not_ok "no file has it" grep -q "nobody 4711" seen log

does 'tr "\0" "\n" </proc/$$/environ | sort >'"$FRESH"'/environ'
builder csr >/dev/null 2>&1
pkcsreq forger "" --subject "/CN=a
SCEP_ALIAS=forged" --txid 'b
SCEP_MODE=ca'
is "a name with a line break" "$(gets forger)" \
	"badRequest: no username can be made of the request's subject (\`[ra] namegenerationparameters\`)"
is "makes no variable of its own" "$(wc -l <environ)" 12
like "it is escaped" "$(cat environ)" \
	'^SCEP_SUBJECT=CN=a\\0ASCEP_ALIAS=forged$'
like "in the username as in the log" "$(cat environ)" \
	'^SCEP_USERNAME=a\\x0aSCEP_ALIAS=forged$'
like "and in the transaction" "$(cat environ)" \
	'^SCEP_TRANSACTION=b\\x0aSCEP_MODE=ca$'

# --- what it says -------------------------------------------------------------

does 'echo reason=stolen last week; echo "see ticket 12" >&2; exit 1'
pkcsreq no x
is "1 is no" "$(gets no)" "badRequest: the program says no"
like "for the reason that it gives" "$(cat log)" \
	'level=info.*alias prog: the program says no: stolen last week: see ticket 12"$'
does 'exit 75'
is "75 is later" "$(gets no)" "http 503"
is "which the client may read" "$(header Retry-After)" 5
like "is logged" "$(cat log)" "level=warn.*alias prog: the program says later"
does 'exit 0'
is "and the same request gets its yes" "$(gets no)" issued

does 'echo username=lamp-7
echo subject=CN=lamp-7,OU=Lamps,C=SE
echo "san=dNSName=lamp-7.example, iPAddress=192.0.2.7"
echo profile=tls-server
echo validity=3h
printf reason=known'
pkcsreq lamp x --subject "/CN=whatever" --san dns:other.example
is "its overrides" "$(gets lamp)" issued
like "are told of" "$(cat log)" "the program says yes: known"
is "the subject" "$(subject_of lamp-0.pem)" "subject=C=SE,OU=Lamps,CN=lamp-7"
is "the SAN" "$(openssl x509 -in lamp-0.pem -noout -ext subjectAltName |
	sed -n '2s/^ *//p')" "DNS:lamp-7.example, IP Address:192.0.2.7"
like "the profile" "$(openssl x509 -in lamp-0.pem -noout -ext extendedKeyUsage)" \
	"TLS Web Server Authentication"
ok "the validity" openssl x509 -in lamp-0.pem -noout -checkend 10700
not_ok "and no more" openssl x509 -in lamp-0.pem -noout -checkend 10801
like "the entity has it" "$("$SCEP" entity show lamp-7)" "OU=Lamps"
does "$SCEP entity show lamp-7 | grep -q OU=Lamps || exit 3"
pkcsreq calls x
is "it may call scep" "$(gets calls)" issued
does 'echo san='
pkcsreq bare x --san dns:bare.example
is "an empty SAN" "$(gets bare)" issued
unlike "is none" "$(openssl x509 -in bare-0.pem -noout -text)" bare.example
does 'echo validity=36500d'
pkcsreq long x
is "more validity than the profile's" "$(gets long)" issued
is "is the profile's" \
	"$(openssl x509 -in long-0.pem -noout -checkend 63158400 >/dev/null; echo $?)" \
	1

# --- what it does wrong -------------------------------------------------------

had=$(entities)
pkcsreq bad "$SECRET"
wrong() { # DESCRIPTION SCRIPT LOG
	does "$2"
	is "$1: try again" "$(gets bad)" "http 503"
	like "$1: is told of" "$(cat log)" "level=(error|warn).*$3"
}
mends='the client is to try again'
wrong "another status" 'echo "no such table" >&2; exit 2' \
	"alias prog: $JUDGE ended with status 2, which is neither 0 .yes., 1 .no. nor 75 .later.; $mends: no such table"
wrong "a signal" 'kill -9 $$' "alias prog: $JUDGE was ended by signal 9; $mends"
wrong "no key=value" 'echo yes' "output of $JUDGE: a line is not key=value"
wrong "an unknown key" 'echo color=red' "there is no such key"
wrong "the challenge, as if it were one" 'echo "$(cat <&3)="' \
	"there is no such key"
not_ok "which is not shown" grep "nobody 4711" log
wrong "a forged DN" 'printf "subject=CN=a\r\nO=b\n"' \
	"subject: it has control characters"
wrong "a profile that is not there" 'echo profile=NOWHERE' \
	"alias prog: its judge wants certificate profile NOWHERE, which does not"
wrong "a NUL" 'printf "username=a\000b\n"' "username: it has control char"
wrong "too much output" 'head -c 5000 /dev/zero; exit 1' "it may print 4096 bytes"
is "nobody was made" "$(entities)" "$had"

does 'printf "level=error\nmsg=forged \033[2J %s" "$(cat <&3)" >&2; exit 3'
wrong_lines=$(gets bad; grep -c forged log)
is "its complaint is one line" "$wrong_lines" "http 503
0"
does 'printf "\033[2J %0300d\n" 1 >&2; exit 3'
gets bad >/dev/null
like "escaped and cut" "$(cat log)" ': \\x1b\[2J 0{195}"$'
does 'set -x; x=$(cat <&3); echo "reason=$x"; exit 1'
is "a script that shows everything" "$(gets bad)" "badRequest: the program says no"
not_ok "does not show the challenge in the log" \
	grep "nobody 4711" log
like "only that it did" "$(cat log)" "words that hold the challenge"
does 'printf "%0198d%s\n" 1 "$(cat <&3)" >&2; exit 1'
is "nor one that ends in it" "$(gets bad)" "badRequest: the program says no"
like "a part of it" "$(cat log)" "words that hold the challenge"

does 'sleep 60 & echo $! >'"$FRESH"'/child; echo $$ >'"$FRESH"'/parent; wait'
"$SCEP" alias set prog program.timeout=1s >>log 2>&1
is "too slow" "$(gets bad)" "http 503"
like "is told of" "$(cat log)" "time of .program. timeout"
gone() { ! kill -0 "$(cat "$1")" 2>/dev/null; }
ok "and killed" wait_for gone parent
ok "with its children" wait_for gone child
"$SCEP" alias set prog program.timeout=10s >>log 2>&1

does 'exit 0'
chmod 644 "$JUDGE"
is "not executable" "$(gets bad)" "http 503"
like "is told of" "$(cat log)" "$JUDGE: cannot be run"
like "with what to do" "$(cat log)" "scep alias check"
exits 1 "which says" "$SCEP" alias check prog
like "what is wrong" "$("$SCEP" alias check prog 2>&1)" \
	"prog.ini:[0-9]+: path: it cannot be executed"
mv "$JUDGE" away
is "not there" "$(gets bad)" "http 503"
like "alias check says so" "$("$SCEP" alias check prog 2>&1)" \
	"path: there is no file"
mv away "$JUDGE"
for mode in 775 757; do
	chmod $mode "$JUDGE"
	like "mode $mode: others may write it" \
		"$("$SCEP" alias check prog 2>&1)" "path: somebody else may write it: $JUDGE"
done
chmod 755 "$JUDGE"
chmod 777 judge
like "or its folder" "$("$SCEP" alias check prog 2>&1)" \
	"path: somebody else may write its folder"
chmod 755 judge
mv "$JUDGE" away && ln -s ../away "$JUDGE"
like "a link to it" "$("$SCEP" alias check prog 2>&1)" "path: no regular file"
rm "$JUDGE" && mv away "$JUDGE"
if [ "$(id -u)" -eq 0 ]; then
	chown 12345 "$JUDGE"
	like "somebody else's" "$("$SCEP" alias check prog 2>&1)" \
		"path: it belongs to neither root nor the home's owner"
	chown 0 "$JUDGE"
else
	skip "somebody else's" "only root can give it away"
fi
ok "all is well again" "$SCEP" alias check prog
is "and the request that failed so often" "$(gets bad)" issued

# --- the example ----------------------------------------------------------------

cp "$TOP/examples/judge-csv.sh" judge/
chmod 755 judge/judge-csv.sh
"$SCEP" alias copy prog csv >>log 2>&1
"$SCEP" alias set csv path="$FRESH/judge/judge-csv.sh" >>log 2>&1 ||
	diag "$(tail -n 1 log)"
pkcsreq csv-1 "right one" --subject "/CN=other/serialNumber=007" \
	--san dns:other.example
is "no list: try again" "$(gets csv-1 csv)" "http 503"
like "is told of" "$(cat log)" "program says later: there is no .*devices.csv"
digest=$(printf 'right one' | sha256sum)
printf '# 1\n008,%s\n007,%s\r\n1e3\na.b\n' 00 "${digest%% *}" >judge/devices.csv
is "a number of the list and its challenge" "$(gets csv-1 csv)" issued
is "are good for this name" "$(subject_of csv-1-0.pem)" "subject=CN=007"
unlike "and no other" "$(openssl x509 -in csv-1-0.pem -noout -text)" other
listed() { # DESCRIPTION WANTED SUBJECT CHALLENGE
	pkcsreq csv-2 "$4" --subject "$3" --txid "$1"
	is "$1" "$(gets csv-2 csv; sed -n \
		's/.*program says no: \([^"]*\)".*/\1/p' log)" "$2"
}
no="badRequest: the program says no"
listed "another challenge" "$no
wrong challenge" /CN=007 "wrong one"
listed "none" "$no
wrong challenge" /CN=007 ""
listed "a number of the same value" "$no
no such serial number in the list" /CN=7 "right one"
listed "another writing of it" "$no
no such serial number in the list" /CN=1000 x
listed "a pattern" "$no
no such serial number in the list" /CN=a.c x
listed "a comment" "$no
no such serial number in the list" "/CN=# 1" x
listed "no number" "$no
the request names no serial number" "/O=Lab" x
listed "one without a digest" issued "/CN=a.b" ""

# --- CA mode ------------------------------------------------------------------

does 'exit 0'
pkcsreq router1 x
is "nobody is registered" "$(gets router1 reg)" "badRequest: unknown entity"
"$SCEP" entity add router1 --subject CN=router1,O=Lab --no-code >/dev/null 2>&1 ||
	diag "no entity"
rm -f asked
is "a registered one" "$(gets router1 reg)" issued
is "has its names" "$(subject_of router1-0.pem)" "subject=O=Lab,CN=router1"
is "again" "$(gets router1 reg)" resent
is "without another question" "$(asked)" 1
first=$(serial router1-0.pem)
pkcsreq router1 y --san dns:new.example
is "another request of that key" "$(gets router1 reg)" resent
is "is asked about" "$(asked)" 2
is "and has the certificate that there is" "$(serial router1-0.pem)" "$first"
does 'exit 1'
pkcsreq router1 z --san dns:newer.example
is "not if the program says no" "$(gets router1 reg)" \
	"badRequest: the program says no"

# Half the life of a certificate of one second is over: it began before.
"$SCEP" entity add clock --subject CN=clock --generate >/dev/null 2>&1
does 'echo validity=1s'
rm -f asked
pkcsreq clock x
is "a short life" "$(gets clock reg)" issued
first=$(serial clock-0.pem)
pkcsreq clock y --san dns:new.example
is "after half of it the program is asked" "$(gets clock reg)" issued
is "twice" "$(asked)" 2
not_ok "for another certificate" test "$(serial clock-0.pem)" = "$first"

does 'echo username=router1; echo subject=CN=renamed'
pkcsreq stranger x
is "the program names the entity" "$(gets stranger reg)" issued
like "which has the certificate" "$(cat log)" "entity=router1"
is "under its names" "$(subject_of stranger-0.pem)" "subject=CN=renamed"
does 'echo username=nobody'
pkcsreq stranger y --txid other
is "one that is not there" "$(gets stranger reg)" "badRequest: unknown entity"
"$SCEP" entity block clock >/dev/null 2>&1
does 'echo username=clock'
is "or blocked" "$(gets stranger reg)" "badRequest: entity is blocked"
"$SCEP" ca create OtherCA --subject "CN=Other CA" --key rsa:2048 >.out 2>&1
"$SCEP" entity add theirs --subject CN=theirs --generate --ca OtherCA >/dev/null 2>&1
does 'echo username=theirs'
is "or another CA's" "$(gets stranger reg)" \
	"badRequest: entity is registered with another CA"

# --- renewals that it is asked about ------------------------------------------

alias_of anew ra '[renewal]
challenge = yes
window = 0%'
does 'exit 0'
pkcsreq old x
is "a certificate of the profile's length" "$(gets old anew)" issued
client_key fresh
builder pkcsreq --ca ca.pem --key fresh.key --signer-cert old-0.pem \
	--signer-key old.key --type 17 --challenge x --subject /CN=old \
	--txid id-fresh --csr-out fresh.csr --out fresh.der
cp old-0.pem fresh.crt
cp old.key fresh.key
does 'echo subject=CN=whatever; echo validity=3h'
is "is renewed" "$(gets fresh anew)" issued
ok "for as long as the program says" \
	openssl x509 -in fresh-0.pem -noout -checkend 10700
not_ok "and no longer" openssl x509 -in fresh-0.pem -noout -checkend 10801
is "under its own names" "$(subject_of fresh-0.pem)" "subject=CN=old"

# --- people's yes too ---------------------------------------------------------

"$SCEP" alias copy prog both >/dev/null && "$SCEP" alias set both required=1 \
	>/dev/null
does 'echo username=asked-for; echo subject=CN=asked-for,O=Lab
echo san=dNSName=asked.example; echo profile=tls-server; echo validity=90m'
pkcsreq both x
is "a request waits" "$(gets both both)" pending
request=$("$SCEP" request list --json | sed -n 's/.*"request":"\([0-9a-f]*\)".*/\1/p')
shown=$("$SCEP" request show "$request")
for line in "Subject: *CN=asked-for,O=Lab" "SAN: *dNSName=asked.example" \
	"Username: *asked-for" "Profile: *tls-server" "Validity: *at most 90m"; do
	like "people see $line" "$shown" "^$line$"
done
like "or programs" "$("$SCEP" request show "$request" --json)" '"validity":5400'
rm -f asked
does 'exit 1'
is "while it waits" "$(gets both both)" pending
is "nobody is asked" "$(asked)" 0
ok "after a yes" "$SCEP" request approve "$request"
does 'echo username=asked-for; echo subject=CN=asked-for,O=Lab
echo san=dNSName=asked.example; echo profile=tls-server; echo validity=90m'
is "it is there" "$(gets both both)" resent
is "with the names" "$(subject_of both-0.pem)" "subject=O=Lab,CN=asked-for"
ok "and the validity" openssl x509 -in both-0.pem -noout -checkend 5300
not_ok "and no more" openssl x509 -in both-0.pem -noout -checkend 5401

done_testing
