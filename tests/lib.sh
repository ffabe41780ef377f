# shellcheck shell=sh
# What the end-to-end scripts share: TAP, a fresh directory, the two doors,
# web servers.  A script begins with `. "${0%/*}/lib.sh"` and ends with
# `done_testing`.
#
#   ok DESCRIPTION COMMAND...       passes if the command exits 0
#   not_ok DESCRIPTION COMMAND...   passes if it does not
#   exits N DESCRIPTION COMMAND...
#   is DESCRIPTION GOT WANTED       like/unlike DESCRIPTION TEXT REGEX
#   skip DESCRIPTION REASON         diag WORDS
#
# Set by the caller or found: SCEP (the binary), SCEP_BUILD (its build
# folder, with tests/builder), SCEP_CLIENT (another builder), SCEP_HURRY (1: the
# sanitizers look for leaks in workers alone; fewer rivals, samples of places).
# Set here: SCEP_HOME, a home to be made in the fresh directory that is the
# working directory, and TOP.

set -u
TOP=$(cd "${0%/*}/.." && pwd)
SCEP=${SCEP:-$TOP/scep}
case $SCEP in /*) ;; *) SCEP=$PWD/$SCEP ;; esac
TESTED=$SCEP
BUILD=${SCEP_BUILD:-$TOP/build/plain}
BUILDER=${SCEP_CLIENT:-$BUILD/tests/builder}
# What several scripts use and takes long to make.
KEYS=$TOP/build/keys
HOMES=$BUILD/homes
DOOR=${DOOR:-cgi}
PATH=$PATH:/usr/sbin:/sbin
FRESH=$(mktemp -d "${TMPDIR:-/tmp}/scep-test.XXXXXX") || exit 1
chmod 755 "$FRESH"
cd "$FRESH" || exit 1
SCEP_HOME=$FRESH/home
LEAKS_TOO=${ASAN_OPTIONS:-}:detect_leaks=1 # for workers
HURRY=${SCEP_HURRY:-0}
ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=$((1 - HURRY))
export SCEP SCEP_HOME ASAN_OPTIONS
unset REQUEST_METHOD GATEWAY_INTERFACE QUERY_STRING SCEP_ALIAS
umask 022

CR=$(printf '\r')
tests=0
failed=0

# --- TAP --------------------------------------------------------------------

_verdict() { # STATUS DESCRIPTION
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
		return 0
	fi
	failed=$((failed + 1))
	echo "not ok $tests - $2"
	return 1
}

diag() { printf '%s\n' "$*" | sed 's/^/# /' >&2; }

_output() { [ ! -s "$FRESH/.out" ] || sed 's/^/# /' "$FRESH/.out" >&2; }

ok() {
	_d=$1
	shift
	"$@" >"$FRESH/.out" 2>&1
	_verdict $? "$_d" || _output
}

not_ok() {
	_d=$1
	shift
	! "$@" >"$FRESH/.out" 2>&1
	_verdict $? "$_d" || _output
}

exits() {
	_n=$1 _d=$2
	shift 2
	"$@" >"$FRESH/.out" 2>&1
	_got=$?
	[ "$_got" -eq "$_n" ]
	_verdict $? "$_d" || { diag "exit $_got, not $_n"; _output; }
}

is() {
	[ "$2" = "$3" ]
	_verdict $? "$1" || { diag "got:    $2"; diag "wanted: $3"; }
}

like() {
	printf '%s\n' "$2" | grep -Eq -e "$3"
	_verdict $? "$1" || { diag "got:        $2"; diag "not like it: $3"; }
}

unlike() {
	! printf '%s\n' "$2" | grep -Eq -e "$3"
	_verdict $? "$1" || { diag "got:    $2"; diag "has in it: $3"; }
}

skip() {
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

# The whole script, before any test.
skip_all_tests() {
	echo "1..0 # SKIP $*"
	exit 0
}

done_testing() {
	stop_servers
	if [ -e "$SCEP_HOME/store/format" ]; then
		ok "scep check finds nothing" "$SCEP" check
	fi
	echo "1..$tests"
	[ "$failed" -eq 0 ]
	exit
}

# --- waiting and servers ------------------------------------------------------

# Until the command succeeds: at most 200 tries, 20 seconds.
wait_for() {
	_tries=0
	until "$@" >/dev/null 2>&1; do
		_tries=$((_tries + 1))
		[ $_tries -lt 200 ] || return 1
		sleep 0.1
	done
}

# SECONDS: wrong codes are counted by the hour; what counts them needs so many
# that are left of one.
within_an_hour() {
	_tries=0
	until [ $((3600 - $(date +%s) % 3600)) -gt "$1" ]; do
		_tries=$((_tries + 1))
		[ $_tries -lt 200 ] || return 1
		sleep 1
	done
}

# Remembers a server that runs in the background, also for who started it in a
# subshell.
server() { echo "$1" >>"$FRESH/.servers"; }

_gone() { ! kill -0 "$1" 2>/dev/null; }

stop_server() { # PID [SIGNAL]
	kill "-${2:-TERM}" "$1" 2>/dev/null
	wait_for _gone "$1" || kill -KILL "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

stop_servers() {
	[ -e "$FRESH/.servers" ] || return 0
	while read -r _pid; do
		stop_server "$_pid"
	done <"$FRESH/.servers"
	rm "$FRESH/.servers"
}

_cleanup() {
	stop_servers
	[ ! -e "$FRESH/.ports" ] || while read -r _port; do
		rmdir "$PORTS.$_port"
	done <"$FRESH/.ports"
	cd /
	! mountpoint -q "$FRESH/small" || umount "$FRESH/small"
	[ -n "${KEEP:-}" ] || rm -rf "$FRESH"
}
trap _cleanup EXIT
trap 'exit 1' HUP INT TERM

# A port that nothing listens on, of those the kernel does not hand out, and no
# other script has taken.
PORTS=${TMPDIR:-/tmp}/scep-port
free_port() {
	_tries=0
	while [ $_tries -lt 100 ]; do
		_tries=$((_tries + 1))
		_port=$(($(od -An -N2 -tu2 /dev/urandom) % 12000 + 20000))
		_hex=$(printf ':%04X' "$_port")
		if ! grep -q "$_hex " /proc/net/tcp /proc/net/tcp6 2>/dev/null &&
			mkdir "$PORTS.$_port" 2>/dev/null
		then
			echo "$_port" >>"$FRESH/.ports"
			echo "$_port"
			return 0
		fi
	done
	return 1
}

# LeakSanitizer cannot look at a process that is traced.
no_leaks() {
	ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
	LEAKS_TOO=$ASAN_OPTIONS
}

# COUNT: the places where a walk lets a call fail, 1 to COUNT; in a hurry, four
# of them, for what an error leaves behind.
fails_at() {
	_step=1
	[ "$HURRY" = 0 ] || _step=$((($1 + 3) / 4))
	[ "$1" -eq 0 ] || seq 1 $_step "$1"
}

# COUNT: the places where a walk kills.  A process that is killed tells a
# sanitizer nothing, so in a hurry it is one in the middle, for what comes after.
killed_at() {
	if [ "$HURRY" = 1 ] && [ "$1" -gt 1 ]; then
		echo $((($1 + 1) / 2))
	else
		seq 1 "$1"
	fi
}

# --- a home -------------------------------------------------------------------

_new_home() {
	"$SCEP" init && "$SCEP" ca create ManagementCA \
		--subject "CN=Test CA,O=Lab,C=SE" --key rsa:2048 &&
	    "$SCEP" alias add scep --ca ManagementCA &&
	    "$SCEP" ca export ManagementCA --out ca.pem
}

# A copy of the home that the first script of this hour made with the server
# that is tested; the first one itself leaves one.  Renamed into place: no
# script sees half of it.
_same_home() {
	[ "$SCEP" = "$TESTED" ] || return 1
	_home=$HOMES/$(stat -L -c %Y-%s "$SCEP")-$(date +%F-%H)-$(id -u)
	[ ! -d "$_home" ] || { cp -a "$_home/." . && return; }
	_new_home && mkdir -p "$_home.$$" || return
	if ! { cp -a "$SCEP_HOME" ca.pem "$_home.$$" &&
	    mv -T "$_home.$$" "$_home"; } 2>/dev/null; then
		rm -rf "$_home.$$"
	fi
	find "$HOMES" -mindepth 1 -maxdepth 1 -mmin +120 \
		-exec rm -rf {} + 2>/dev/null
	return 0
}

# A CA with a small key: making one is most of a script's time.
make_home() {
	if ! { _same_home || _new_home; } >.out 2>&1; then
		echo "Bail out! no home: $(tail -n 1 .out)"
		exit 1
	fi
}

# Adds an entity and prints its generated code.
add_entity() { # NAME OPTIONS...
	"$SCEP" entity add "$@" --generate
}

# --- the doors ----------------------------------------------------------------

# METHOD PATH?QUERY [BODYFILE]: one request through the door DOOR; leaves the
# files headers and body, and STATUS.  Variables of the request can be set in
# front: SCEP_ALIAS=x request GET /x
request() {
	_method=$1
	_path=${2%%\?*}
	_query=
	case $2 in *\?*) _query=${2#*\?} ;; esac
	_body=${3:-/dev/null}
	_length=
	[ "$_method" != POST ] || _length=$(wc -c <"$_body")
	if [ "$DOOR" = fcgi ]; then
		[ -S "$FRESH/fcgi.sock" ] || fcgi_start
		set -- cgi-fcgi -bind -connect "$FRESH/fcgi.sock"
	else
		set -- "$SCEP"
	fi
	REQUEST_METHOD="$_method" SCRIPT_NAME="$_path" \
		QUERY_STRING="$_query" CONTENT_LENGTH="${LENGTH-$_length}" \
		REMOTE_ADDR="${REMOTE-192.0.2.1}" GATEWAY_INTERFACE=CGI/1.1 \
		"$@" <"$_body" >reply 2>>log
	split_reply
}

# From a reply: headers, in text lines that end with CR LF, and body; without
# an empty line all of it is body.  FIRST is the first line.  Thousands of
# replies are read: the shell does it, and cat goes on where it stopped.
split_head() {
	FIRST='' _ended=no
	{
		while IFS= read -r _line; do
			_line=${_line%"$CR"}
			printf '%s\n' "$_line"
			[ -n "$FIRST" ] || FIRST=$_line
			[ -n "$_line" ] || { _ended=yes && break; }
		done >headers
		cat >body
	} <reply
	[ $_ended = no ] || return 0
	: >headers
	cat reply >body
}

split_reply() {
	split_head
	STATUS=
	case $FIRST in "Status: "*) STATUS=${FIRST#Status: } ;; esac
	STATUS=${STATUS%%[!0-9]*}
}

header() { sed -n "s/^$1: //p" headers; }

# Workers under another user set SPAWN="-u USER ...".
fcgi_start() {
	# shellcheck disable=SC2086 # words
	ASAN_OPTIONS=$LEAKS_TOO \
		spawn-fcgi -n ${SPAWN:-} -s "$FRESH/fcgi.sock" -- "$SCEP" \
		>>log 2>&1 &
	FCGI_PID=$!
	server "$FCGI_PID"
	wait_for test -S "$FRESH/fcgi.sock"
}

# FastCGI workers behind lighttpd, by examples/lighttpd.conf and the lines of
# lighttpd.more, if there are any; sets URL and WORKERS, their pids.
lighttpd_start() { # [WORKERS]
	PORT=$(free_port)
	URL=http://127.0.0.1:$PORT
	# shellcheck disable=SC2086 # words
	ASAN_OPTIONS=$LEAKS_TOO spawn-fcgi -F "${1:-2}" ${SPAWN:-} \
		-s "$FRESH/scep.sock" -- "$SCEP" \
		>spawned 2>>log
	WORKERS=$(sed -n 's/.*PID: //p' spawned | tr '\n' ' ')
	for _pid in $WORKERS; do
		server "$_pid"
	done
	wait_for test -S "$FRESH/scep.sock"
	sed -e "s|/run/scep/scep.sock|$FRESH/scep.sock|" \
		-e "s|^server.port .*|server.port = $PORT|" \
		-e "s|^server.bind .*|server.bind = \"127.0.0.1\"|" \
		-e "s|/var/www/html|$FRESH|" \
		-e "s|/var/log/lighttpd/error.log|$FRESH/lighttpd.log|" \
		-e "/^server.username/d" -e "/^server.groupname/d" \
		"$TOP/examples/lighttpd.conf" >lighttpd.conf
	[ ! -e lighttpd.more ] || cat lighttpd.more >>lighttpd.conf
	lighttpd -D -f lighttpd.conf >>log 2>&1 &
	server $!
	wait_for curl -sf "$URL/scep?operation=GetCACaps"
}

# A process for each request, behind lighttpd, by examples/lighttpd-cgi.conf;
# sets URL.
lighttpd_cgi_start() {
	PORT=$(free_port)
	URL=http://127.0.0.1:$PORT
	sed -e "s|/usr/local/bin/scep|$SCEP|" -e "s|/var/lib/scep|$SCEP_HOME|" \
		-e "s|^server.port .*|server.port = $PORT|" \
		-e "s|^server.bind .*|server.bind = \"127.0.0.1\"|" \
		-e "s|/var/www/html|$FRESH|" \
		-e "s|/var/log/scep/lighttpd.log|$FRESH/lighttpd.log|" \
		-e "/^server.username/d" -e "/^server.groupname/d" \
		"$TOP/examples/lighttpd-cgi.conf" >lighttpd-cgi.conf
	lighttpd -D -f lighttpd-cgi.conf >>log 2>&1 &
	server $!
	wait_for curl -sf "$URL/scep?operation=GetCACaps"
}

# --- messages -----------------------------------------------------------------

# The client of the tests, started thousands of times.  Scripts that have
# messages of every kind say sanitized_client: there it runs under the
# sanitizers itself, whatever the hurry.
_leaks=0
sanitized_client() { # [leaks]
	BUILDER=$BUILD/tests/builder
	[ "${1:-}" != leaks ] || _leaks=1
}

builder() {
	ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=$_leaks" "$BUILDER" "$@"
}

# NAME [KIND]: a client key of its own, NAME.key.  Those of the usual kind come
# from a pool, the N-th of each script is the same; .keys counts, since
# subshells ask too.  Renamed into the pool, for who asks at the same time.
client_key() {
	if [ "${2:-2048}" != 2048 ]; then
		builder key "$1.key" "$2"
		return
	fi
	_taken=0
	[ ! -e "$FRESH/.keys" ] || read -r _taken <"$FRESH/.keys"
	echo $((_taken += 1)) >"$FRESH/.keys"
	_pem=$KEYS/rsa2048-$_taken.pem
	[ -e "$_pem" ] || { mkdir -p "$KEYS" &&
	    builder key "$_pem.$$" 2048 && mv "$_pem.$$" "$_pem"; } 2>/dev/null
	cp "$_pem" "$1.key" 2>/dev/null || builder key "$1.key" 2048
}

# NAME CODE OPTIONS...: the PKCSReq NAME.der of NAME.key, for CN=NAME unless
# --subject is among the options; what a client keeps: NAME.crt, NAME.csr.
pkcsreq() {
	_name=$1 _code=$2
	shift 2
	[ -e "$_name.key" ] || client_key "$_name"
	case " $* " in
	*" --subject "*) ;;
	*) set -- --subject "/CN=$_name" "$@" ;;
	esac
	builder pkcsreq --ca ca.pem --key "$_name.key" --challenge "$_code" \
		--txid "id-$_name" --cert-out "$_name.crt" \
		--csr-out "$_name.csr" --out "$_name.der" "$@"
}

# NAME: sends NAME.der by POST, reads the answer into NAME.rep (lines
# key=value); certificates go to NAME-0.pem and on.
send() {
	request POST "/scep?operation=PKIOperation" "$1.der"
	if [ "$STATUS" != 200 ]; then
		echo "status=http-$STATUS" >"$1.rep"
		return 1
	fi
	builder certrep --ca ca.pem --key "$1.key" --cert "$1.crt" --in body \
		--out-prefix "$1-" >"$1.rep" 2>>log
}

# NAME KEY: a value of NAME.rep.
reply() { sed -n "s/^$2=//p" "$1.rep"; }

serial() { openssl x509 -in "$1" -noout -serial | cut -d= -f2; }
