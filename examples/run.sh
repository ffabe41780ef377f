#!/usr/bin/env bash
# The demo behind `make run`: a home under ./demo with one CA, one alias and
# one registered device; lighttpd with two FastCGI workers; and a SCEP client
# that is not ours, strongSwan's pki, which enrols that device.
#
#   PORT=8080  where to listen, on 127.0.0.1
#   ONCE=1     end after the enrolment instead of serving until Ctrl-C
#
# A second run reuses the home.  `rm -r demo` forgets it.
set -u
cd "$(dirname "$0")/.." || exit 1

top=$PWD
demo=$top/demo
port=${PORT:-8080}
web=$demo/web-$port # a demo on another port is another server
url=http://127.0.0.1:$port/scep
device=device1
server=

export SCEP_HOME=$demo/home
export LC_ALL=C

die() {
	echo "scep: $*" >&2
	exit 1
}

need() {
	command -v "$1" >/dev/null 2>&1 ||
	    die "$1 is missing; its Debian package is $2"
}

# Runs for every way out, also Ctrl-C; lighttpd takes its workers with it.
# shellcheck disable=SC2317 # called by the trap
stop() {
	[ -n "$server" ] || return 0
	kill "$server" 2>/dev/null
	for _ in $(seq 50); do
		kill -0 "$server" 2>/dev/null || break
		sleep 0.1
	done
	kill -9 "$server" 2>/dev/null
	wait "$server" 2>/dev/null
	server=
}

check_tools() {
	[ -x ./scep ] || die "./scep is not built; type make"
	PATH=$PATH:/usr/sbin:/sbin
	need lighttpd lighttpd
	need pki strongswan-pki
	need openssl openssl
	case $top in
	*[[:space:]\"]*) die "lighttpd cannot start a program in $top: blanks" ;;
	esac
	case $port in
	'' | *[!0-9]*) die "PORT=$port is not a number" ;;
	esac
	{ [ "$port" -ge 1 ] && [ "$port" -le 65535 ]; } ||
	    die "PORT=$port is not a port"
	if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
		die "127.0.0.1:$port is taken; try: make run PORT=$((port + 1))"
	fi
}

# The folder may be another user's from an earlier run.
make_home() {
	mkdir -p "$demo/device" "$web" 2>/dev/null
	for dir in "$demo/device" "$web"; do
		[ -w "$dir" ] ||
		    die "$dir is not yours to write; remove $demo, or run as its owner"
	done
	if [ ! -d "$SCEP_HOME/store" ]; then
		./scep init >"$demo/init.log" 2>&1 ||
		    die "init failed: $(tail -n 1 "$demo/init.log")"
	fi
	./scep ca show ManagementCA >/dev/null 2>&1 ||
	    ./scep ca create ManagementCA \
	    --subject 'CN=ManagementCA,O=Demonstration' >/dev/null ||
	    die "the CA could not be made"
	./scep alias show scep >/dev/null 2>&1 ||
	    ./scep alias add scep --ca ManagementCA >/dev/null ||
	    die "the alias could not be made"
}

# A generated code, printed once, alone on standard output.
make_code() {
	if ./scep entity show "$device" >/dev/null 2>&1; then
		./scep entity setpwd "$device" --generate
	else
		./scep entity add "$device" --ca ManagementCA \
		    --subject "CN=$device,O=Demonstration" --generate
	fi
}

start_server() {
	cat >"$web/lighttpd.conf" <<-EOT
	server.modules = ("mod_fastcgi")
	server.document-root = "$web"
	server.bind = "127.0.0.1"
	server.port = $port
	server.errorlog = "$web/error.log"
	server.max-request-size = 2048
	server.feature-flags += ("server.h2proto" => "disable")
	fastcgi.server = ("/" => ((
	    "bin-path" => "$top/scep",
	    "bin-environment" => ("SCEP_HOME" => "$SCEP_HOME"),
	    "socket" => "scep.socket",
	    "check-local" => "disable",
	    "max-procs" => 2
	)))
	EOT
	: >"$web/error.log"
	# Names relative to its folder: a socket's path may have 107 bytes only.
	(cd "$web" && exec lighttpd -D -f lighttpd.conf 2>>error.log) &
	server=$!
	for _ in $(seq 100); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return 0
		kill -0 "$server" 2>/dev/null || break
		sleep 0.1
	done
	die "lighttpd did not start: $(tail -n 1 "$web/error.log")"
}

# strongSwan speaks of a TPM that is not there; nobody needs to know.
client() {
	timeout 60 pki "$@" 2>"$demo/device/client.log" && return 0
	grep -viE 'tpm|tss|plugin' "$demo/device/client.log" >&2
	return 1
}

enrol() {
	local dir=$demo/device code

	code=$(make_code) || die "the device could not be registered"
	[ -s "$dir/key.pem" ] || (
		umask 077
		client --gen --type rsa --size 2048 --outform pem \
		    >"$dir/key.pem"
	) || die "no key for the device"
	client --scepca --url "$url" --caout "$dir/ca.pem" \
	    --raout "$dir/ra.pem" --outform pem --force >/dev/null ||
	    die "the client could not fetch the CA's certificate"
	client --scep --url "$url" --in "$dir/key.pem" \
	    --dn "CN=$device" --password "$code" \
	    --cacert-enc "$dir/ca.pem" --cacert-sig "$dir/ca.pem" \
	    --cipher aes --digest sha256 --outform pem \
	    >"$dir/cert.pem" ||
	    die "the enrolment failed; what the server says is in $web/error.log"
	openssl verify -CAfile "$dir/ca.pem" "$dir/cert.pem" >/dev/null ||
	    die "the certificate does not verify against the CA"
}

report() {
	echo
	echo "$device has its certificate, verified against the CA:"
	echo
	openssl x509 -in "$demo/device/cert.pem" -noout -serial -subject \
	    -issuer -startdate -enddate -fingerprint -sha256 |
	    sed 's/^/    /'
}

# What to type next; a second run finds router1 registered.
next_steps() {
	local verb="entity add router1 --ca ManagementCA"

	! ./scep entity show router1 >/dev/null 2>&1 ||
	    verb="entity setpwd router1"
	cat <<-EOT

	The server listens on $url.  In another terminal:

	    cd $top
	    export SCEP_HOME=$SCEP_HOME
	    ./scep cert list
	    curl '$url?operation=GetCACaps'

	and a device of your own, as its administrator and then as the device:

	    CODE=\$(./scep $verb --generate)
	    pki --gen --type rsa --size 2048 --outform pem > router1.key
	    pki --scep --url $url --in router1.key \\
	        --dn CN=router1 --password "\$CODE" \\
	        --cacert-enc $demo/device/ca.pem \\
	        --cacert-sig $demo/device/ca.pem --outform pem > router1.pem
	    openssl x509 -in router1.pem -noout -text

	Serving until Ctrl-C.  The log is ${web#"$top"/}/error.log.
	EOT
}

trap stop EXIT
trap 'exit 0' INT TERM

check_tools
make_home
start_server
enrol
report
[ -z "${ONCE:-}" ] || exit 0
next_steps
wait "$server"
die "lighttpd has ended: $(tail -n 1 "$web/error.log")"
