#!/bin/sh
# I4 with a FastCGI worker that lives on: its home moved away, its disk in
# trouble, no inodes left; clients get 503 (C-166), nothing is half visible, and
# work goes on when the trouble ends.  And what `scep status` says of a full
# disk.
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

make_home
client_key box
DOOR=fcgi
round=0

# ENTITY: a message with a code that nobody has used.
fresh() {
	round=$((round + 1))
	code=$("$SCEP" entity setpwd "$1" --generate)
	pkcsreq box "$code" --subject "/CN=$1" --txid "round-$round"
}

issued() { find "$1/store/transaction" -name '*,outcome' | wc -l; }
worker() { pgrep -P "$FCGI_PID" -x scep || echo "$FCGI_PID"; }

add_entity box >/dev/null
fresh box
send box
is "a worker enrols" "$(reply box status)" 0

# --- another home in the place of the old one -------------------------------

cp -a home backup
mv home away
mv backup home
fresh box
send box
is "a backup in the place of the home: served" "$(reply box status)" 0
is "from the backup" "$(issued home)" 2
is "not into what was moved away" "$(issued away)" 1
mv home gone
request GET "/scep?operation=GetCACaps"
is "no home: 503, not 404" "$STATUS" 503
send box
is "for everything" "$STATUS" 503
mv gone home
send box
is "there again: served" "$(reply box status)" 0
mv home/store home/store.old
cp -a home/store.old home/store
fresh box
send box
is "a store put back: served" "$(reply box status)" 0
is "from what was put back" "$(issued home)" 3
rm -rf home/store.old
rmdir home/store/tmp && mkdir -m 750 home/store/tmp
fresh box
send box
is "store/tmp made again: served" "$(reply box status)" 0

# --- a disk in trouble under a running worker --------------------------------

if strace -e trace=none true 2>/dev/null &&
	[ "${SCEP_FLAVOUR:-plain}" != asan ]; then
	untraced() { grep -q '^TracerPid:.0$' "/proc/$1/status"; }
	traced() { ! untraced "$1"; }
	for error in ENOSPC EROFS EIO; do
		fresh box
		pid=$(worker)
		strace -qq -o trace -p "$pid" \
			-e trace=linkat,symlinkat,fsync,unlinkat \
			-e "inject=linkat,symlinkat,fsync:error=$error" &
		tracer=$!
		wait_for traced "$pid"
		had=$(issued home)
		send box
		is "$error: 503" "$STATUS" 503
		like "$error: with Retry-After" "$(cat headers)" \
			"^Retry-After: [0-9]"
		is "$error: nothing is issued" "$(issued home)" "$had"
		kill $tracer
		wait $tracer
		wait_for untraced "$pid"
		send box
		is "$error is over: the same message" "$(reply box status)" 0
		is "$error: by the same worker" "$(worker)" "$pid"
	done
else
	skip "a disk in trouble" "strace cannot trace here"
fi
stop_servers
rm -f fcgi.sock

# --- a small disk: status, and no inodes -------------------------------------

# PERCENT: fills the disk until that much is free.
fill_bytes() {
	rm -f small/fill
	_avail=$(df --output=avail -k small | tail -n 1)
	_size=$(df --output=size -k small | tail -n 1)
	head -c $(((_avail - _size * $1 / 1000) * 1024)) /dev/zero >small/fill
}
fill_inodes() {
	rm -rf small/many
	mkdir small/many
	_avail=$(df --output=iavail small | tail -n 1)
	_total=$(df --output=itotal small | tail -n 1)
	_n=$((_avail - _total * $1 / 1000))
	(cd small/many && seq $_n | xargs touch 2>/dev/null)
}

if [ "$(id -u)" -eq 0 ] && mkdir small && mount -t tmpfs \
	-o size=8m,nr_inodes=5000,mode=755 none small 2>/dev/null; then
	cp -a home small/home
	SCEP_HOME=$FRESH/small/home
	DOOR=cgi
	exits 0 "status of a roomy disk" "$SCEP" status
	fill_bytes 60
	exits 1 "6 % of the bytes free: a warning" "$SCEP" status
	like "which says so" "$("$SCEP" status | head -n 1)" \
		"SCEP WARNING: disk: [56] % free"
	fill_bytes 20
	exits 2 "2 %: critical" "$SCEP" status
	like "which says so" "$("$SCEP" status | head -n 1)" \
		"SCEP CRITICAL: disk: [12] % free"
	rm small/fill
	fresh box
	fill_inodes 60
	exits 1 "6 % of the inodes free: a warning" "$SCEP" status
	like "which says so" "$("$SCEP" status | head -n 1)" \
		"SCEP WARNING: inodes: [56] % free"
	fill_inodes 0
	exits 2 "none: critical" "$SCEP" status
	had=$(issued small/home)
	send box
	is "no inodes: 503" "$STATUS" 503
	is "nothing is issued" "$(issued small/home)" "$had"
	rm -rf small/many
	send box
	is "inodes again: the same message" "$(reply box status)" 0
	exits 0 "and all is well" "$SCEP" status
	ok "check is content" "$SCEP" check
	SCEP_HOME=$FRESH/home
	umount small
else
	skip "a small disk" "only root can mount one"
fi
done_testing
