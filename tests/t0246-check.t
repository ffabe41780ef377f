#!/bin/sh
# `scep check` compares each certificate with its record and its CA.
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

make_home
code=$(add_entity box)
pkcsreq box "$code"
send box
is "an enrolment" "$(reply box status)" 0
is "all is clean" "$("$SCEP" check)" clean
outcome=$(find home/store/transaction -name '*,outcome')
cp "$outcome" whole

# EXPRESSION WHAT: the record says something else; it is one file with two
# names.
differs() {
	sed "$1" whole >"$outcome"
	"$SCEP" check >found 2>&1
	is "$2: exit" $? 1
	like "$2: told" "$(cat found)" "wrong +transaction .*$2"
}
differs 's/^spki = ......../spki = 00000000/' "another key"
differs 's/^subject = CN=box/subject = CN=fox/' "another subject"
cp whole "$outcome"
is "put back: clean" "$("$SCEP" check)" clean

# A CA's folder that belongs to another CA, as after a careless restore.
"$SCEP" ca create Other --subject CN=Other --key rsa:2048 >/dev/null
mv home/ca/ManagementCA/1 kept
cp -a home/ca/Other/1 home/ca/ManagementCA/1
"$SCEP" check >found 2>&1
is "another CA: exit" $? 1
like "another CA: told" "$(cat found)" "wrong +transaction .*another issuer"
rm -rf home/ca/ManagementCA/1
mv kept home/ca/ManagementCA/1

# One outcome that cannot be read does not hide the others.
code=$("$SCEP" entity setpwd box --generate)
pkcsreq box "$code" --txid other
send box
echo '[outcome]' >"$outcome"
"$SCEP" cert list >listed 2>said
is "cert list with a damaged outcome: exit" $? 1
is "lists the other" "$(wc -l <listed)" 1
like "and names the damaged one" "$(cat said)" "$(basename "$outcome")"
cp whole "$outcome"

# Settings that no worker could start with.
cp home/scep.ini kept.ini
printf '[bogus]\nx = 1\n' >>home/scep.ini
exits 1 "check: a broken scep.ini" "$SCEP" check
like "is told with its line" "$(cat .out)" "scep.ini:[0-9]+: .*no such"
exits 2 "status: it is critical" "$SCEP" status
like "and says so" "$(cat .out)" "CRITICAL: .*scep.ini"
cp kept.ini home/scep.ini
done_testing
