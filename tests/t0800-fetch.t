#!/bin/sh
# The helper of workers: who starts it and as whom, what it can see, and that
# it is gone when its worker is.  What it does is tests/unit/test_fetch*.c.
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh lies beside, $0 is for sh -c,
# DOOR for lib.sh
. "${0%/*}/lib.sh"

make_home

# --- the hidden word ----------------------------------------------------------

exits 2 "scep helper is not for people" "$SCEP" helper
is "and says so in one line" "$(cat .out)" "scep: \`scep helper\` is a word \
between scep and itself, not for people; see \`scep help\`"
exits 2 "nor with a file on descriptor 3" sh -c '"$0" helper 3</dev/null' \
	"$SCEP"
is "a web server's argument is no word" "$(REQUEST_METHOD=GET \
	QUERY_STRING=operation=GetCACaps SCRIPT_NAME=/scep "$SCEP" helper |
	head -n 1 | tr -d '\r')" "Status: 200 OK"
unlike "help does not tell of it" "$("$SCEP" help)" helper

# --- a FastCGI worker's ---------------------------------------------------------

children() { # PID
	tr ' ' '\n' <"/proc/$1/task/$1/children" | grep .
}

# Not the worker's own child before its exec(), which looks like the worker.
helper_of() { # PID of a worker
	for _child in $(children "$1"); do
		! tr '\0' ' ' <"/proc/$_child/cmdline" |
		    grep -qx "scep helper " || echo "$_child"
	done | grep .
}

# Of an orphan whoever is process 1 may leave a zombie.
ended() { # PID
	! grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status" 2>/dev/null
}

served() {
	request GET "/scep?operation=GetCACaps" && [ "$STATUS" = 200 ]
}

descriptors() { # PID
	find "/proc/$1/fd" -mindepth 1 -printf '%f\n' | sort -n | tr '\n' ' '
}

DOOR=fcgi
SECRET_WORD=x
export SECRET_WORD
fcgi_start
ok "a worker has a helper before its first request" \
	wait_for helper_of "$FCGI_PID"
ok "and serves" served
HELPER=$(helper_of "$FCGI_PID")
is "the helper has descriptors 0 to 3" "$(descriptors "$HELPER")" "0 1 2 3 "
unlike "and nothing of the environment" \
	"$(tr '\0' '\n' <"/proc/$HELPER/environ")" "SECRET_WORD|SCEP_HOME|PATH"
ok "SIGTERM is for the worker" kill -TERM "$HELPER"
ok "so it goes on" served
is "with the same helper" "$(helper_of "$FCGI_PID")" "$HELPER"
stop_server "$FCGI_PID"
ok "it ends with its worker" wait_for ended "$HELPER"
rm -f fcgi.sock
fcgi_start
wait_for helper_of "$FCGI_PID"
HELPER=$(helper_of "$FCGI_PID")
stop_server "$FCGI_PID" KILL
ok "also with one that was killed" wait_for ended "$HELPER"
rm -f fcgi.sock

if [ "$(id -u)" -eq 0 ]; then
	chmod 755 "$FRESH"
	chown -R nobody:nogroup "$SCEP_HOME"
	fcgi_start
	wait_for helper_of "$FCGI_PID"
	is "the helper of root's worker is the home's owner" \
		"$(stat -c %U "/proc/$(helper_of "$FCGI_PID")")" nobody
	stop_server "$FCGI_PID"
	rm -f fcgi.sock
	chown -R "$(id -u):$(id -g)" "$SCEP_HOME"
else
	skip "the helper of root's worker is the home's owner" "not root"
fi

# --- none can be started ----------------------------------------------------------

if strace -e trace=none true 2>/dev/null; then
	no_leaks
	printf '#!/bin/sh\nexec strace -D -f -qq -o /dev/null %s "%s"\n' \
		"-e trace=socketpair -e inject=socketpair:error=EMFILE" \
		"$SCEP" >poor
	chmod 755 poor
	: >log
	SCEP=$FRESH/poor
	fcgi_start
	SCEP=$TESTED
	ok "a worker without a helper serves" served
	like "and said why it has none" "$(cat log)" \
		"cannot start a helper: no socket: Too many open files"
	is "it has none" "$(helper_of "$FCGI_PID")" ""
	stop_server "$FCGI_PID"
	rm -f fcgi.sock
else
	skip "a worker without a helper serves" "strace cannot trace here"
fi

# --- scep serve -------------------------------------------------------------------

"$SCEP" serve --listen "unix:$FRESH/serve.sock" --workers 2 2>>log &
MANAGER=$!
server $MANAGER
helpers() {
	for _worker in $(children "$MANAGER"); do
		helper_of "$_worker"
	done
}
two_helpers() { [ "$(helpers | wc -l)" -eq 2 ]; }
ok "each of two workers has its helper" wait_for two_helpers
WORKER=$(children "$MANAGER" | head -n 1)
HELPER=$(helper_of "$WORKER")
kill -KILL "$WORKER"
ok "a killed worker's helper is gone" wait_for ended "$HELPER"
ok "its successor has one" wait_for two_helpers
BEFORE=$(helpers)
stop_server $MANAGER
for pid in $BEFORE; do
	ok "in the end none is left" wait_for ended "$pid"
done
done_testing
