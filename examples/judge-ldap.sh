#!/bin/sh
# A judge for scep ([challenge] judge = program): devices of a directory.
#
# The device is looked up by the serial number that its request names
# (serialNumber, else CN), and its challenge must be its password there: the
# directory compares them.  The certificate is for the device's cn, whatever
# else the request asks for, and under its profile if the directory knows one;
# the entity has its serial number as name.
#
# judge-ldap.conf in the folder of this script is read as shell:
#
#	LDAP_URI=ldaps://ldap.example.org
#	LDAP_BASE=ou=devices,dc=example,dc=org
#	LDAP_FILTER='(objectClass=device)'	# what a device is
#	LDAP_USER=cn=scep,dc=example,dc=org	# who may search; or empty
#	LDAP_USER_FILE=/etc/scep/ldap.secret	# its password, without newline
#	SUBJECT_REST=O=Lab,C=SE			# behind the device's CN
#	PROFILE_ATTRIBUTE=ou			# or empty: the alias's profile
#
# It needs ldapsearch and ldapwhoami (ldap-utils).  With ldap:// the challenge
# travels in clear: only on the same host.
#
# Exit status: 0 yes, 1 no, 75 try again (scep-alias(5), The program).
set -u

later() { echo "$*" >&2 && exit 75; }
no() { echo "reason=$*" && exit 1; }

[ -r "${0%/*}/judge-ldap.conf" ] || later "there is no ${0%/*}/judge-ldap.conf"
LDAP_USER='' LDAP_USER_FILE='' SUBJECT_REST='' PROFILE_ATTRIBUTE=''
# shellcheck source=/dev/null
. "${0%/*}/judge-ldap.conf"

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

# RFC 4515: a name from the network must not become a pattern.
filter_text() {
	printf '%s' "$1" |
		sed 's/\\/\\5c/g; s/\*/\\2a/g; s/(/\\28/g; s/)/\\29/g'
}

# RFC 4514, for the subject that is printed.
dn_text() {
	printf '%s' "$1" |
		sed 's/[,+"\\<>;]/\\&/g; s/^[# ]/\\&/; s/ $/\\ /'
}

# The first value of an attribute of the entry, which is in base64 where it is
# no plain ASCII; on one line in any case.
entry_value() { # ATTRIBUTE
	_plain=$(printf '%s\n' "$entry" | sed -n "s/^$1: //p" | head -n 1)
	[ -n "$_plain" ] || _plain=$(printf '%s\n' "$entry" |
		sed -n "s/^$1:: //p" | head -n 1 | base64 -d)
	printf '%s' "$_plain" | tr -d '\000-\037\177'
}

serial=$(value_of SN)
[ -n "$serial" ] || serial=$(value_of CN)
[ -n "$serial" ] || no "the request names no serial number"

set -- -x -LLL -H "$LDAP_URI" -o nettimeout=5 -o ldif_wrap=no
[ -z "$LDAP_USER" ] || set -- "$@" -D "$LDAP_USER" -y "$LDAP_USER_FILE"
entry=$(ldapsearch "$@" -l 5 -z 2 -b "$LDAP_BASE" \
	"(&$LDAP_FILTER(serialNumber=$(filter_text "$serial")))" \
	cn ${PROFILE_ATTRIBUTE:+"$PROFILE_ATTRIBUTE"}) ||
	later "the directory does not answer"
case $(printf '%s\n' "$entry" | grep -c '^dn:') in
0) no "no such device" ;;
1) ;;
*) later "several devices have serial number $serial" ;;
esac

# The challenge goes from descriptor to descriptor: ps shows arguments, and
# printf is of the shell.  Without a password everybody would be let in as
# nobody in particular; so it must be one, and the directory says for whom.
challenge=$(cat <&3 && echo .)
challenge=${challenge%.}
[ -n "$challenge" ] || no "no challenge"
who=$(printf '%s' "$challenge" | ldapwhoami -x -H "$LDAP_URI" \
	-o nettimeout=5 -D "$(entry_value dn)" -y /dev/stdin)
case $? in
0) [ "$who" != anonymous ] || no "no challenge" ;;
49) no "wrong challenge" ;;
*) later "the directory does not answer" ;;
esac

echo "username=$serial"
echo san=
echo "subject=CN=$(dn_text "$(entry_value cn)")${SUBJECT_REST:+,$SUBJECT_REST}"
[ -z "$PROFILE_ATTRIBUTE" ] || profile=$(entry_value "$PROFILE_ATTRIBUTE")
[ -z "${profile:-}" ] || echo "profile=$profile"
exit 0
