#!/bin/sh
# `scep serve`: its socket, its owner, workers that die, are replaced and
# drained; a socket of systemd's; the units in examples/.
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

owner=$(id -un)
[ "$(id -u)" -ne 0 ] || owner=nobody
mkdir bin run && cp "$SCEP" bin/scep && chmod 755 bin bin/scep
SCEP=$FRESH/bin/scep
chown "$owner" run
if [ "$(id -u)" -eq 0 ]; then
	mkdir home
	"$SCEP" init --owner "$owner" >.out 2>&1
	"$SCEP" ca create ManagementCA --subject "CN=Test CA" --key rsa:2048 \
		>>.out 2>&1
	"$SCEP" alias add scep --ca ManagementCA >>.out 2>&1
	"$SCEP" ca export ManagementCA --out ca.pem
else
	make_home
fi
sock=$FRESH/run/s.sock

# OPTIONS...: a manager on $sock; sets MANAGER; its lines are in serve.log.
serve_start() {
	: >serve.log
	ASAN_OPTIONS=$LEAKS_TOO \
		"$SCEP" serve --listen "unix:$sock" "$@" 2>>serve.log &
	MANAGER=$!
	server $MANAGER
	wait_for test -S "$sock"
}

# Asks it to end; sets EXIT.
serve_end() {
	kill -TERM "$MANAGER"
	wait "$MANAGER"
	EXIT=$?
}

children() { # PID
	cat "/proc/$1/task/$1/children" 2>/dev/null
}
workers() { children "$MANAGER" | tr ' ' '\n' | sed '/^$/d'; }
all_there() { [ "$(workers | wc -l)" -eq "$1" ]; }
where=$sock
caps() {
	env REQUEST_METHOD=GET SCRIPT_NAME=/scep \
		QUERY_STRING=operation=GetCACaps \
		timeout 20 cgi-fcgi -bind -connect "$where" 2>>clients |
		grep -q "^Status: 200"
}

# --- the socket and the owner ---------------------------------------------------

: >clients
serve_start --workers 2 --mode 0620
ok "it serves" caps
ok "with two workers" wait_for all_there 2
is "of the home's owner" \
	"$(stat -c %U "/proc/$(workers | head -n 1)")" "$owner"
is "as is the manager" "$(stat -c %U "/proc/$MANAGER")" "$owner"
is "the socket has its mode" "$(stat -c %a "$sock")" 620
is "and the home's group" "$(stat -c %g "$sock")" "$(stat -c %g home)"
like "requests are logged to standard error" "$(cat serve.log)" \
	"operation=GetCACaps .*status=200"
is "and not to the web server" "$(cat clients)" ""

timeout 20 "$SCEP" serve --listen "unix:$sock" >two 2>&1
is "a second one: exit 1" $? 1
like "says why" "$(cat two)" "^scep: somebody listens on .* already$"
is "in one line" "$(wc -l <two)" 1

# --- workers that die -------------------------------------------------------------

dies() { grep -c "died by signal 9" serve.log; }
died() { [ "$(dies)" -ge "$1" ]; }
one=$(workers | head -n 1)
kill -KILL "$one"
wait_for died 1 # or it is one of them still
ok "a dead worker is replaced" wait_for all_there 2
not_ok "by another" test "$(workers | head -n 1)" = "$one"
for i in 2 3 4; do
	wait_for all_there 2
	kill -KILL "$(workers | tail -n 1)"
	wait_for died $i
done
like "at first at once" "$(cat serve.log)" "died .* in 0 ms"
like "then after a pause" "$(cat serve.log)" "died .* in [12]00 ms"
ok "they are there again" wait_for all_there 2
ok "and serve" caps

# --- SIGHUP -------------------------------------------------------------------------

printf '[limits]\nbody = 100\n' >home/scep.ini
head -c 200 /dev/zero >large
post() { # the status
	env REQUEST_METHOD=POST SCRIPT_NAME=/scep CONTENT_LENGTH=200 \
		QUERY_STRING=operation=PKIOperation timeout 20 cgi-fcgi -bind \
		-connect "$sock" <large 2>>clients |
		sed -n 's/^Status: \([0-9]*\).*/\1/p'
}
is "limits are read when a worker starts" "$(post)" 400
before=$(workers)
(
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		caps || echo lost
	done
) >lost &
load=$!
kill -HUP "$MANAGER"
ok "SIGHUP reloads" wait_for grep -q 'msg="reloaded"' serve.log
wait $load
is "settings are read again" "$(post)" 413
printf '[limits]\n' >home/scep.ini
is "no request was lost" "$(cat lost)" ""
ok "two workers" wait_for all_there 2
is "none of them old" "$(for p in $(workers); do
	echo "$before" | grep -x "$p"; done)" ""

serve_end
is "SIGTERM: exit 0" $EXIT 0
not_ok "the socket's file is gone" test -e "$sock"

# --- a request at hand ------------------------------------------------------------

client_key slow
pkcsreq slow "$(add_entity slow)"
busy() { # a connection is accepted (state 03), and its worker waits for more
	grep -q " 0001 03 .* $sock\$" /proc/net/unix &&
	    grep -q '^State:.S' "/proc/$(workers)/status"
}
# Half a message, and the other half only when the file `go` is there.
half_sent() {
	{
		head -c 500 slow.der
		wait_for test -e go
		tail -c +501 slow.der
	} | env REQUEST_METHOD=POST SCRIPT_NAME=/scep \
		QUERY_STRING=operation=PKIOperation \
		CONTENT_LENGTH="$(wc -c <slow.der)" \
		cgi-fcgi -bind -connect "$sock" >reply 2>>log &
	CLIENT=$!
}

serve_start --workers 1
wait_for all_there 1
half_sent
ok "a request is at hand" wait_for busy
kill -TERM "$MANAGER"
ok "SIGTERM: nothing new is taken" wait_for test ! -e "$sock"
ok "but it waits" kill -0 "$MANAGER"
touch go
wait "$MANAGER"
is "and ends with 0" $? 0
wait $CLIENT
split_reply
is "when that is answered" "$STATUS" 200
ok "by a certificate" builder certrep --ca ca.pem --key slow.key \
	--cert slow.crt --in body
rm go

serve_start --workers 1 --patience 1
wait_for all_there 1
half_sent
ok "one that does not end" wait_for busy
serve_end
is "is cut off: exit 75" $EXIT 75
like "with a line" "$(cat serve.log)" "did not finish in time: killed"
touch go
wait $CLIENT
rm go

# --- a connection that the web server keeps ---------------------------------------

# A request over a connection that its web server would keep.
cat >keep.pl <<'EOT'
use IO::Socket::UNIX;
my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die;
sub record { my ($type, $bytes) = @_;
	print $s pack("CCnnCC", 1, $type, 1, length $bytes, 0, 0) . $bytes }
sub param { my ($name, $value) = @_;
	return pack("CC", length $name, length $value) . $name . $value }
sub answer { # its first line
	my $out = "";
	while (read($s, my $head, 8) == 8) {
		my (undef, $type, undef, $len, $pad) = unpack("CCnnC", $head);
		read($s, my $bytes, $len + $pad) if $len + $pad;
		$out .= substr($bytes, 0, $len) if $type == 6;
		return $out =~ /^(.*?)\r/ ? $1 : "nothing" if $type == 3;
	}
	return "closed";
}
$| = 1;
record(1, pack("nCx5", 1, 1)); # a responder, keep the connection
record(4, param("REQUEST_METHOD", "GET") . param("SCRIPT_NAME", "/scep")
    . param("QUERY_STRING", "operation=GetCACaps"));
record(4, "");
record(5, "");
print answer(), "\n";
print answer(), "\n";
EOT
serve_start --workers 1
is "a connection to keep is answered and closed" \
	"$(timeout 60 perl keep.pl "$sock" | tr '\n' ' ')" \
	"Status: 200 OK closed "
ok "and the worker is free" caps
serve_end
is "until it ends" $EXIT 0

# --- what was left behind ---------------------------------------------------------

serve_start --workers 2
ok "one is killed" caps
left=$(workers)
kill -KILL "$MANAGER"
wait "$MANAGER" 2>/dev/null
gone() { for p in $left; do ! kill -0 "$p" 2>/dev/null || return 1; done; }
ok "its workers end too" wait_for gone
ok "its socket stays behind" test -S "$sock"
serve_start --workers 1
ok "and the next one takes its place" wait_for caps
serve_end

echo text >run/file
not_ok "a file that is no socket" "$SCEP" serve --listen "unix:run/file"
like "is refused" "$(cat .out)" "run/file is there, and is no socket"
is "and left alone" "$(cat run/file)" text

refused() { # DESCRIPTION EXIT REGEX OPTIONS...
	_d=$1 _n=$2 _re=$3
	shift 3
	exits "$_n" "$_d" timeout 20 "$SCEP" serve "$@"
	like "$_d: says so" "$(cat .out)" "$_re"
	is "$_d: in one line" "$(wc -l <.out)" 1
}
refused "no such directory" 1 "no directory .*install -d -o USER $FRESH/none" \
	--listen "unix:$FRESH/none/s.sock"
refused "a path too long" 1 "at most 107 bytes" \
	--listen "unix:run/$(printf '%0120d' 1)"
refused "nowhere" 1 "unix:PATH or HOST:PORT" --listen nowhere
refused "a port that is none" 1 "unix:PATH or HOST:PORT" \
	--listen 127.0.0.1:99999
refused "no workers" 2 "1 to 256" --workers 0
refused "too many" 2 "1 to 256" --workers 257
refused "no mode" 2 "octal" --mode 0999
refused "no group" 1 "no group nosuchgroup" --group nosuchgroup \
	--listen "unix:run/x.sock"
refused "no home" 1 "no home .*scep init" --home "$FRESH/nohome" \
	--listen "unix:run/x.sock"
not_ok "no socket is left" test -e run/x.sock
if [ "$(id -u)" -eq 0 ]; then
	not_ok "a stranger" setpriv --reuid 12345 --regid 12345 --clear-groups \
		"$SCEP" serve --listen "unix:run/x.sock"
	like "is told what to type" "$(cat .out)" "sudo"
else
	skip "a stranger" "needs root"
fi

# --- TCP, and the service manager ---------------------------------------------------

port=$(free_port)
cat >notified.pl <<'EOT'
use IO::Socket::UNIX;
my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die;
chmod 0777, $ARGV[0];
$| = 1;
while (defined $s->recv(my $word, 512)) { print "$word\n"; last if $word =~ /STOP/ }
EOT
timeout 60 perl notified.pl run/notify >told &
notified=$!
wait_for test -S run/notify
NOTIFY_SOCKET=$FRESH/run/notify "$SCEP" serve --listen "127.0.0.1:$port" \
	--workers 1 2>serve.log &
MANAGER=$!
server $MANAGER
where=127.0.0.1:$port
ok "TCP" wait_for caps
kill -HUP "$MANAGER"
ok "reloads" wait_for grep -q 'msg="reloaded"' serve.log
serve_end
is "ends" $EXIT 0
wait $notified
is "the service manager was told" "$(tr '\n' ' ' <told)" \
	"READY=1 RELOADING=1 READY=1 STOPPING=1 "

if command -v systemd-socket-activate >/dev/null; then
	systemd-socket-activate -l "$FRESH/run/systemd.sock" -E SCEP_HOME \
		-E ASAN_OPTIONS -E UBSAN_OPTIONS \
		"$SCEP" serve --workers 2 >serve.log 2>&1 &
	MANAGER=$!
	server $MANAGER
	wait_for test -S run/systemd.sock
	where=$FRESH/run/systemd.sock
	ok "a socket that systemd hands over" caps
	ok "is served by workers" wait_for all_there 2
	serve_end
	is "SIGTERM: exit 0" $EXIT 0
	ok "its file is systemd's to remove" test -S run/systemd.sock
else
	skip "a socket that systemd hands over" "no systemd here"
fi
where=$sock
handed() { # FDS: descriptor 3 is no socket
	sh -c 'LISTEN_PID=$$ LISTEN_FDS=$1 exec "$2" serve' - "$1" "$SCEP" \
		3</dev/null
}
not_ok "what is no socket" handed 1
like "is not taken" "$(cat .out)" "one listening stream socket"
not_ok "nor are two" handed 2
like "says so" "$(cat .out)" "one listening stream socket"
LISTEN_PID=1 LISTEN_FDS=1 serve_start --workers 1
ok "another process's variables are nothing to us" caps
serve_end

# --- the units ------------------------------------------------------------------------

if command -v systemd-analyze >/dev/null; then
	mkdir units
	for unit in scep.socket scep.service scep-crl.service scep-crl.timer \
		scep-queue.service scep-queue.timer; do
		sed -e "s|/usr/local/bin/scep|$SCEP|" \
			-e "s|/usr/local/lib/scep|$TOP/examples|" "$TOP/examples/$unit" \
			>"units/$unit"
	done
	ok "the units are sound" systemd-analyze verify --man=no \
		units/scep.socket units/scep.service units/scep-crl.service \
		units/scep-crl.timer units/scep-queue.service \
		units/scep-queue.timer
	is "without a complaint" "$(grep -v '^SO_PASS' .out)" ""
else
	skip "the units are sound" "no systemd here"
fi
ok "the service's command is one" "$SCEP" serve --help
done_testing
