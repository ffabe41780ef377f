#!/bin/sh
# A judge for scep ([challenge] judge = program): a list of serial numbers.
#
# Copy it, executable, to a folder that root alone may write, as /etc/scep, and
# let the alias have [program] path = /etc/scep/judge-csv.sh.  devices.csv in
# the same folder, which the user scep can read, has a line for each device that
# may have certificates: its serial number, as its request names it
# (serialNumber, else CN), and, behind a comma, the SHA-256 of its challenge in
# hex:
#
#	0042-17,9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
#
#	printf %s CHALLENGE | sha256sum		makes one
#
# A line without a digest lets everybody in who knows that number: good where
# numbers are long and random, or only your own devices reach the server.
# Lines that begin with # are comments; there is no line of titles.
#
# Whatever else the request asks for, its certificate is for CN=NUMBER and has
# no subjectAltName, and its entity is NUMBER: who may have a certificate for
# one device must not get one for another.
#
# Exit status: 0 yes, 1 no, 75 try again (scep-alias(5), The program).
set -u
list=${0%/*}/devices.csv

later() { echo "$*" >&2 && exit 75; }
no() { echo "reason=$*" && exit 1; }

# The first value of an attribute of the request's subject, "CN=a\, b,SN=7",
# without its escapes.  What has control characters or is no text is nobody's.
value_of() { # ATTRIBUTE
	printf '%s\n' "$SCEP_SUBJECT" | WANT=$1 awk '{
		name = value = ""; in_name = 1; odd = 0
		for (i = 1; i <= length($0) + 1; i++) {
			c = substr($0, i, 1)
			if (c == "" || c == "," || c == "+") {
				if (name == ENVIRON["WANT"] && !odd) {
					print value
					exit
				}
				name = value = ""; in_name = 1; odd = 0
			} else if (in_name && c == "=") {
				in_name = 0
				odd = substr($0, i + 1, 1) == "#"
			} else if (in_name) {
				name = name c
			} else if (c == "\\") {
				if (substr($0, ++i, 2) ~ /^[0-9A-F][0-9A-F]$/)
					odd = 1
				value = value substr($0, i, 1)
			} else
				value = value c
		}
	}'
}

yes() {
	echo "username=$serial"
	echo "subject=CN=$(printf '%s' "$serial" |
		sed 's/[,+"\\<>;]/\\&/g; s/^[# ]/\\&/; s/ $/\\ /')"
	echo san=
	exit 0
}

[ -r "$list" ] || later "there is no $list"
serial=$(value_of SN)
[ -n "$serial" ] || serial=$(value_of CN)
[ -n "$serial" ] || no "the request names no serial number"

# As texts: 007 is not 7.  "yes" or the digest that is asked for.
found=$(WANT=$serial awk -F , '{ sub(/\r$/, "") }
!/^#/ && ($1 "") == (ENVIRON["WANT"] "") {
	print (NF > 1 ? tolower($2) : "yes")
	exit
}' "$list") || later "cannot read $list"

case $found in
'') no "no such serial number in the list" ;;
yes) yes ;;
esac
digest=$(sha256sum <&3) || later "no sha256sum"
[ "${digest%% *}" = "$found" ] || no "wrong challenge"
yes
