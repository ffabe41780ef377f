#!/bin/sh
# Lists for people have names above their columns, at a terminal; in a pipe and
# with --json each line is a record.
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

make_home

# A command whose standard output is a terminal.
terminal() {
	script -qec "\"$SCEP\" $*" /dev/null </dev/null | tr -d '\r'
}
# Where the columns of a line begin that two blanks part.
begins() {
	printf '%s\n' "$1" | awk '{
		for (i = 1; i <= length($0); i++)
			if (substr($0, i, 1) != " " &&
			    (i < 3 || substr($0, i - 2, 2) == "  "))
				printf "%d ", i
	}'
}
# The age of a request goes on.
ageless() { sed 's/ [0-9]*[smh] */ /'; }
# HEADING WORDS...: the heading, and each column under its name.
heads() {
	_heading=$1
	shift
	terminal "$@" >seen
	is "$*" "$(head -n 1 seen | tr -s ' ')" "$_heading"
	is "$*: its columns stand below" "$(begins "$(sed -n 2p seen)")" \
		"$(begins "$(head -n 1 seen)")"
	is "$*: none in a pipe" "$("$SCEP" "$@" | ageless)" \
		"$(tail -n +2 seen | ageless)"
	unlike "$*: none of JSON" "$(terminal "$@" --json)" "^[^{]"
}

printf '[scep]\noperationmode = ra\n[ra]\ndefaultca = ManagementCA\nauthpwd = none
[approval]\nrequired = 2\n' >ra.ini
ok "an alias where people approve" "$SCEP" alias add ra --from ra.ini
sed 's/^required = 2/required = 0/; s/^authpwd = none//' ra.ini >codes.ini
printf '[challenge]\njudge = onetime\n' >>codes.ini
ok "one of one-time codes" "$SCEP" alias add codes --from codes.ini
pkcsreq router1 "$(add_entity router1 --profile ENDUSER \
	--subject CN=router1,O=Lab)"
ok "a certificate" send router1
pkcsreq router2 ""
request POST "/scep/ra/pkiclient.exe?operation=PKIOperation" router2.der
is "a request waits" "$STATUS $("$SCEP" request list | wc -l)" "200 1"
ok "a one-time code" "$SCEP" challenge new --alias codes --for CN=box

heads "NAME UNTIL KEY SUBJECT" ca list
heads "NAME CA PROFILE STATE SUBJECT" entity list
heads "SERIAL UNTIL STATE CA ENTITY SUBJECT" cert list
heads "NAME MODE CAS" alias list
heads "NAME STATE FROM" profile list
heads "REQUEST AGE STATE YESES ALIAS USERNAME SUBJECT" request list
heads "ID STATE USED UNTIL ALIAS FOR BY" challenge list
is "queue list" "$(terminal queue list | tr -s ' ')" \
	"ALIAS TRANSACTION AGE USERNAME SUBJECT"
is "queue list: none in a pipe" "$("$SCEP" queue list)" ""
"$SCEP" cert list >records
is "nor in a file" "$(cat records)" "$("$SCEP" cert list)"

done_testing
