#!/bin/sh
# `make run`: the demo enrols a foreign client, reuses its home, ends at
# Ctrl-C, and what stands in its way is one clear line (issue, first part).
# In a copy, so that nobody's ./demo is touched; nothing is built or installed.
# shellcheck disable=SC1091 # lib.sh lies beside
. "${0%/*}/lib.sh"

for tool in lighttpd pki openssl setsid; do
	command -v $tool >/dev/null || skip_all_tests "no $tool here"
done
mkdir -p copy/tests
cp -r "$TOP/examples" "$TOP/Makefile" copy/
cp "$TOP/tests/deps.sh" copy/tests/
cp "$SCEP" copy/scep
chmod -R go+rX copy
unset ONCE PORT
demo=copy/demo
port=$(free_port)

run() { copy/examples/run.sh; }
# WORDS: the command fails with one line that has them.
one_line() {
	_d=$1 _words=$2
	shift 2
	exits 1 "$_d" "$@"
	"$@" >stdout 2>stderr
	is "$_d: one line" "$(wc -l <stderr) $(wc -c <stdout)" "1 0"
	like "$_d: which says what" "$(cat stderr)" "^scep: .*$_words"
}

# --- once, and once more -------------------------------------------------------

# As `make run` does it, but for building and packages.
ok "make run ONCE=1" make -s -C copy -o all -o deps-run run \
	ONCE=1 PORT="$port"
cp .out first
like "shows the certificate" "$(tr '\n' ' ' <first)" \
	"has its certificate.*subject=O = Demonstration|subject=CN = device1"
unlike "and tells of no server that has ended" "$(cat first)" "listens on"
ok "it verifies" openssl verify -CAfile $demo/device/ca.pem \
	$demo/device/cert.pem
cp $demo/device/ca.pem $demo/device/cert.pem .
gone() { # no process runs our copy
	for _exe in /proc/[0-9]*/exe; do
		case $(readlink "$_exe") in
		"$FRESH"/copy/*) return 1 ;;
		esac
	done
}
ok "nothing runs any more" wait_for gone
not_ok "nor listens" grep -q "$(printf ':%04X 00000000:0000 0A' "$port")" \
	/proc/net/tcp
ok "a second run" env ONCE=1 PORT="$port" copy/examples/run.sh
ok "has the same CA" cmp ca.pem $demo/device/ca.pem
not_ok "and another certificate" cmp -s cert.pem $demo/device/cert.pem
is "for the same device" "$(copy/scep --home $demo/home entity list --json |
	wc -l)" 1

# --- until Ctrl-C ----------------------------------------------------------------

# In a process group of its own, as a terminal's foreground has; a shell's
# background ignores SIGINT.
PORT=$port setsid env --default-signal=INT copy/examples/run.sh >served 2>&1 &
pid=$!
server $pid
wait_for grep -q 'Serving until' served
like "the lines to type next" "$(cat served)" "scep entity add router1"
like "it serves" "$(curl -s "http://127.0.0.1:$port/scep?operation=GetCACaps" |
	tr '\n' ' ')" "POSTPKIOperation"
PORT=$port
export PORT
one_line "a taken port" "127.0.0.1:$port is taken.*PORT=" run
is "the first still serves" "$(curl -s -o /dev/null -w '%{http_code}' \
	"http://127.0.0.1:$port/scep?operation=GetCACaps")" 200
kill -INT "-$pid"
ok "Ctrl-C ends it" wait_for _gone $pid
kill -KILL "-$pid" 2>/dev/null
wait $pid
is "exit 0" "$?" 0
ok "nothing runs any more" wait_for gone
is "nothing complained" "$(grep -c '^scep: ' served)" 0

# --- what is in the way -----------------------------------------------------------

for bad in x 80x 0 65536 -1; do
	PORT=$bad
	one_line "PORT=$bad" "PORT=$bad is not a" run
done
PORT=$port
mkdir tools
ln -s /usr/bin/* tools/
rm tools/pki
without_pki() { PATH=$FRESH/tools copy/examples/run.sh; }
one_line "a missing tool" "pki is missing; its Debian package is strongswan-pki" \
	without_pki
mv copy/scep scep-built
one_line "nothing built" "not built" run
mv scep-built copy/scep

# Nobody, where a package is missing and no sudo helps.
rm -f tools/dpkg-query tools/sudo
printf '#!/bin/sh\nexit 1\n' >tools/dpkg-query
ln -sf dpkg-query tools/sudo
chmod 755 tools/dpkg-query
nobody() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	else
		"$@"
	fi
}
no_right() {
	nobody env PATH="$FRESH/tools" copy/tests/deps.sh run lighttpd
}
one_line "no right to install" \
	"may not install them; as root: apt-get install lighttpd" no_right
exits 2 "and make ends there" nobody env PATH="$FRESH/tools" \
	make -s -C copy -o all run DEPS_run=lighttpd
done_testing
