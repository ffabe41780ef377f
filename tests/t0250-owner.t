#!/bin/sh
# One owner for a home: root adds an entity to a home of another user, that
# user's worker enrols it, and nothing belongs to root (DESIGN 8).
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

[ "$(id -u)" -eq 0 ] || skip_all_tests "only root can give a home away"
user=nobody
owner=$(id -u $user)
group=$(id -g $user)
# A program that user can start, in whatever folder the project lies.
mkdir bin && cp "$SCEP" bin/scep && chmod 755 bin bin/scep
SCEP=$FRESH/bin/scep

mkdir home
ok "init --owner" "$SCEP" init --owner $user
ok "root makes the CA" "$SCEP" ca create ManagementCA \
	--subject "CN=Test CA" --key rsa:2048
ok "and the alias" "$SCEP" alias add scep
"$SCEP" ca export ManagementCA --out ca.pem
code=$(add_entity owned --subject CN=owned,O=Lab)
like "and an entity" "$code" "^[A-Z0-9-]{20,}$"
printf 'a chosen password' >secret
chmod 600 secret
ok "with a file that only root reads" "$SCEP" entity add other \
	--password-file secret

foreign() { find home ! -uid "$owner" -o ! -gid "$group"; }
is "nothing belongs to root" "$(foreign)" ""
is "directories are 0750" "$(find home -type d ! -perm 0750)" ""
is "records are 0640" \
	"$(find home -type f ! -perm 0640 ! -name key.pem)" ""
is "keys are read by their owner alone" \
	"$(find home -name key.pem ! -perm 0400)" ""

# The same user's FastCGI worker.
SPAWN="-u $user -U $user"
DOOR=fcgi
pkcsreq owned "$code"
ok "the user's worker enrols" send owned
is "SUCCESS" "$(reply owned status)" 0
ok "verifies" openssl verify -CAfile ca.pem owned-0.pem
is "still nothing of root's" "$(foreign)" ""

# A worker that was started as root becomes the owner.
stop_servers
rm -f fcgi.sock
SPAWN=
DOOR=cgi
code=$(add_entity second)
pkcsreq second "$code"
ok "a CGI started as root enrols" send second
is "SUCCESS" "$(reply second status)" 0
is "and leaves nothing of root's" "$(foreign)" ""

DOOR=fcgi
code=$(add_entity third)
pkcsreq third "$code"
ok "a FastCGI worker started as root enrols" send third
is "SUCCESS" "$(reply third status)" 0
# Not the pid of spawn-fcgi -n: that one becomes the worker by exec.
is "and has become the owner, in all four ids" \
	"$(sed -n 's/^[UG]id:[[:space:]]*//p' "/proc/$FCGI_PID/status" |
		tr '\n\t' '  ')" \
	"$owner $owner $owner $owner $group $group $group $group "
is "and left nothing of root's" "$(foreign)" ""
stop_servers
DOOR=cgi

# Somebody else gets one line that says what to type.
as_other() { setpriv --reuid 12345 --regid 12345 --clear-groups "$@"; }
not_ok "a stranger is refused" as_other "$SCEP" entity list
as_other "$SCEP" entity list >out 2>&1
is "in one line" "$(wc -l <out)" 1
like "with what to type" "$(cat out)" "sudo"

# check sees a foreign file, and is content when it is given back.
record=$(find home/store/entity -type f | head -n 1)
ok "check is clean" "$SCEP" check
chown 0 "$record"
not_ok "check finds a foreign owner" "$SCEP" check
chown "$owner" "$record"
done_testing
