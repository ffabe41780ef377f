#!/bin/sh
# examples/judge-ldap.sh against a slapd of its own: devices of a directory
# enrol with their passwords there.
# shellcheck disable=SC1091,SC2034,SC2154 # lib.sh uses and sets them
. "${0%/*}/lib.sh"

command -v slapd >/dev/null || skip_all_tests "there is no slapd"
make_home
mkdir judge db
cp "$TOP/examples/judge-ldap.sh" judge/
chmod 755 judge/judge-ldap.sh
LDAP_PORT=$(free_port)
printf 'for searches' >search.secret
chmod 600 search.secret
cat >judge/judge-ldap.conf <<END
LDAP_URI=ldap://127.0.0.1:$LDAP_PORT
LDAP_BASE=dc=lab
LDAP_FILTER='(objectClass=device)'
LDAP_USER=cn=scep,dc=lab
LDAP_USER_FILE=$FRESH/search.secret
SUBJECT_REST=O=Lab,C=SE
PROFILE_ATTRIBUTE=ou
END

# --- the directory --------------------------------------------------------------

cat >slapd.conf <<END
include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile $FRESH/slapd.pid
database mdb
maxsize 10485760
suffix dc=lab
directory $FRESH/db
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact=cn=scep,dc=lab read by self read by * none
END
device() { # NUMBER CN PASSWORD MORE...: an entry
	printf 'dn: cn=%s,dc=lab\nobjectClass: device\n' "$2"
	printf 'objectClass: simpleSecurityObject\ncn: %s\n' "$2"
	printf 'serialNumber: %s\nuserPassword: %s\n' "$1" "$3"
	shift 3
	for _line; do echo "$_line"; done
	echo
}
{
	printf 'dn: dc=lab\nobjectClass: organization\n'
	printf 'objectClass: dcObject\no: lab\ndc: lab\n\n'
	printf 'dn: cn=scep,dc=lab\nobjectClass: applicationProcess\n'
	printf 'objectClass: simpleSecurityObject\ncn: scep\n'
	printf 'userPassword: for searches\n\n'
	device 4711 lamp-1 'pass word*1' "ou: tls-server"
	device 'A(7)*' 'odd\, one' second
	device 42 twin-1 third
	device 42 twin-2 third
	device 43 'lämpa' fourth
} >entries.ldif
# An unprivileged one wherever root runs this.
as_nobody() { "$@"; }
if [ "$(id -u)" -eq 0 ]; then
	as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
	chown 65534:65534 db
fi
ok "entries are loaded" as_nobody slapadd -q -f slapd.conf -l entries.ldif
directory_start() {
	as_nobody slapd -d 0 -f slapd.conf -h "ldap://127.0.0.1:$LDAP_PORT" \
		>>slapd.log 2>&1 &
	DIRECTORY=$!
	server "$DIRECTORY"
	wait_for ldapwhoami -x -H "ldap://127.0.0.1:$LDAP_PORT"
}

cat >ldap.ini <<END
[scep]
operationmode = ra
[ra]
defaultca = ManagementCA
[approval]
required = 0
[challenge]
judge = program
[program]
path = $FRESH/judge/judge-ldap.sh
END
ok "the alias is good" "$SCEP" alias add ldap --from ldap.ini

# What NAME's message gets: "issued", "resent", the judge's reason, "http N".
gets() { # NAME
	: >log
	request POST "/scep/ldap/pkiclient.exe?operation=PKIOperation" "$1.der"
	[ "$STATUS" = 200 ] || { echo "http $STATUS" && return; }
	builder certrep --ca ca.pem --key "$1.key" --cert "$1.crt" --in body \
		--out-prefix "$1-" >"$1.rep" 2>>log
	case $(reply "$1" status) in
	0) sed -n 's/.*result=\([a-z]*\).*/\1/p' log | tail -n 1 ;;
	*) sed -n 's/.*the program says no: \([^":]*\).*/\1/p' log ;;
	esac
}
subject_of() {
	openssl x509 -in "$1" -noout -subject \
		-nameopt RFC2253,-esc_msb,utf8
}

# --- devices ----------------------------------------------------------------------

pkcsreq lamp 'pass word*1' --subject "/CN=other/serialNumber=4711" \
	--san dns:other.example
is "the directory is down: try again" "$(gets lamp)" "http 503"
like "which is told of" "$(cat log)" \
	"the program says later: .*Can.t contact LDAP server"
ok "it starts" directory_start
is "the same request succeeds" "$(gets lamp)" issued
is "for the name in the directory" "$(subject_of lamp-0.pem)" \
	"subject=C=SE,O=Lab,CN=lamp-1"
like "under its profile" \
	"$(openssl x509 -in lamp-0.pem -noout -ext extendedKeyUsage)" \
	"TLS Web Server Authentication"
unlike "without the names that it asked for" \
	"$(openssl x509 -in lamp-0.pem -noout -text)" "other"
like "its entity is its number" "$("$SCEP" entity show 4711)" "lamp-1"
not_ok "its password is in no log" grep -q "pass word" log slapd.log
is "it is sent again" "$(gets lamp)" resent

pkcsreq odd second --subject "/CN=A(7)*"
is "a name with the characters of filters" "$(gets odd)" issued
is "is no other's" "$(subject_of odd-0.pem)" "subject=C=SE,O=Lab,CN=odd\\, one"
pkcsreq utf fourth --subject "/CN=43"
is "a name that is not ASCII" "$(gets utf)" issued
is "is kept" "$(subject_of utf-0.pem)" "subject=C=SE,O=Lab,CN=lämpa"

nobody() { # DESCRIPTION WANTED SUBJECT CHALLENGE
	pkcsreq bad "$4" --subject "$3" --txid "$1"
	is "$1" "$(gets bad)" "$2"
}
nobody "a wrong password" "wrong challenge" "/serialNumber=4711" "pass word*2"
nobody "another's" "wrong challenge" "/serialNumber=4711" second
nobody "none" "no challenge" "/serialNumber=4711" ""
nobody "a pattern" "no such device" "/CN=47*" "pass word*1"
nobody "a filter" "no such device" "/CN=4711)(cn=*" "pass word*1"
nobody "an unknown one" "no such device" "/CN=4712" "pass word*1"
nobody "no name at all" "the request names no serial number" "/O=Lab" x
nobody "one of two" "http 503" "/CN=42" third
like "is the directory's fault" "$(cat log)" "several devices have serial"
is "nobody else was made" "$("$SCEP" entity list --json | wc -l)" 3

# The challenge passes no command line: a stand-in for ldapwhoami looks.
mkdir shim
cat >shim/ldapwhoami <<END
#!/bin/sh
ps -ewwo args >$FRESH/ps
tr '\\0' '\\n' </proc/\$PPID/environ >$FRESH/environ
exec $(command -v ldapwhoami) "\$@"
END
chmod 755 shim/ldapwhoami
sed "s|^set -u|PATH=$FRESH/shim:\$PATH\\nset -u|" judge/judge-ldap.sh >new
cat new >judge/judge-ldap.sh
pkcsreq seen fourth --subject "/CN=43" --key-usage 0 2>/dev/null ||
	pkcsreq seen fourth --subject "/CN=43"
gets seen >/dev/null
like "it is bound by it" "$(cat ps)" "ldapwhoami.*-y /dev/stdin"
not_ok "which nobody sees" grep -q "fourth" ps environ

stop_server "$DIRECTORY"
pkcsreq late 'pass word*1' --subject "/CN=4711"
is "down again: try again" "$(gets late)" "http 503"
printf 'not this' >search.secret
directory_start
is "and where we may not search" "$(gets late)" "http 503"
like "which is told of" "$(cat log)" "Invalid credentials"
done_testing
