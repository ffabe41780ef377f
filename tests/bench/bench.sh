#!/usr/bin/env bash
# What one machine does in a minute: enrolments per second behind lighttpd
# with two FastCGI workers, what each costs a worker in CPU time, how big a
# worker has grown, and what one CGI GetCACaps takes; beside `openssl speed`
# of the same minute, so that numbers of two machines can be compared.
#
#   BENCH_N=10000       enrolments
#   BENCH_CLIENTS=4     connections at once
#   BENCH_DIR=/var/tmp  where the home is: the disk counts, four fsyncs each
set -u
cd "$(dirname "$0")/../.." || exit 1
PATH=$PATH:/usr/sbin:/sbin

top=$PWD
count=${BENCH_N:-10000}
clients=${BENCH_CLIENTS:-4}
load=$top/build/plain/tests/bench/load
dir=$(mktemp -d "${BENCH_DIR:-/var/tmp}/scep-bench.XXXXXX") || exit 1
server=
port=

export SCEP_HOME=$dir/home
export LC_ALL=C

die() {
	echo "bench: $*" >&2
	exit 1
}

# shellcheck disable=SC2317 # called by the trap
stop() {
	if [ -n "$server" ]; then
		kill "$server" 2>/dev/null
		wait "$server" 2>/dev/null
	fi
	rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT TERM

free_port() {
	local try

	for try in $(seq 18400 18499); do
		(exec 3<>"/dev/tcp/127.0.0.1/$try") 2>/dev/null || {
			port=$try
			return 0
		}
	done
	die "no free port"
}

# What succeeds is not worth a line.
quietly() {
	"$@" >"$dir/setup.log" 2>&1 || die "$*: $(cat "$dir/setup.log")"
}

make_home() {
	quietly ./scep init
	quietly ./scep ca create BenchCA --subject CN=BenchCA --key rsa:2048
	quietly ./scep alias add scep --ca BenchCA
	./scep ca export BenchCA >"$dir/ca.pem" || die "ca export"
	{
		echo username,password
		seq -f 'bench%06g,' "$count"
	} >"$dir/entities.csv"
	quietly ./scep entity import "$dir/entities.csv" --ca BenchCA \
	    --out "$dir/codes.csv"
	sed -n '/^bench/p' "$dir/codes.csv" >"$dir/codes"
}

start_server() {
	free_port
	cat >"$dir/lighttpd.conf" <<-EOT
	server.modules = ("mod_fastcgi")
	server.document-root = "$dir"
	server.bind = "127.0.0.1"
	server.port = $port
	server.errorlog = "$dir/error.log"
	fastcgi.server = ("/" => ((
	    "bin-path" => "$top/scep",
	    "bin-environment" => ("SCEP_HOME" => "$SCEP_HOME"),
	    "socket" => "$dir/socket",
	    "check-local" => "disable",
	    "max-procs" => 2
	)))
	EOT
	lighttpd -D -f "$dir/lighttpd.conf" 2>>"$dir/worker.log" &
	server=$!
	for _ in $(seq 100); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return 0
		kill -0 "$server" 2>/dev/null || break
		sleep 0.1
	done
	die "lighttpd did not start: $(tail -n 1 "$dir/error.log")"
}

# The children of lighttpd are the workers.
workers() {
	awk -v parent="$server" '{
		pid = $1
		sub(/^.*\) /, "")
		if ($2 == parent) print pid
	}' /proc/[0-9]*/stat 2>/dev/null
}

# user and system ticks of a process
ticks() {
	sed 's/^.*) //' "/proc/$1/stat" | cut -d ' ' -f 12,13
}

resident() {
	awk '/^VmRSS/ { print $2 }' "/proc/$1/status"
}

measure() {
	local hz seconds enrolled failed pid user0 sys0 user1 sys1
	local -A before

	hz=$(getconf CLK_TCK)
	for pid in $(workers); do
		before[$pid]="$(ticks "$pid") $(resident "$pid")"
	done
	[ "${#before[@]}" -eq 2 ] || die "not two workers"
	"$load" "$port" /scep "$dir/ca.pem" "$dir/codes" "$count" \
	    "$clients" >"$dir/result" 2>>"$dir/worker.log" || die "load: $(tail -n 2 "$dir/worker.log")"
	read -r seconds enrolled failed <"$dir/result"
	[ "$failed" -eq 0 ] || die "$failed enrolments failed"
	awk -v n="$enrolled" -v s="$seconds" 'BEGIN {
		printf "enrolments              %d in %.1f s, %.0f per second\n",
		    n, s, n / s }'
	user=0
	sys=0
	for pid in "${!before[@]}"; do
		read -r user0 sys0 rss0 <<<"${before[$pid]}"
		read -r user1 sys1 <<<"$(ticks "$pid")"
		user=$((user + user1 - user0))
		sys=$((sys + sys1 - sys0))
		printf 'worker %-8s         user %d ms, system %d ms, resident %d kB (%d kB before)\n' \
		    "$pid" $(((user1 - user0) * 1000 / hz)) \
		    $(((sys1 - sys0) * 1000 / hz)) "$(resident "$pid")" "$rss0"
	done
	awk -v n="$enrolled" -v u="$user" -v s="$sys" -v hz="$hz" 'BEGIN {
		printf "CPU per enrolment       user %.2f ms, system %.2f ms\n",
		    u * 1000 / hz / n, s * 1000 / hz / n }'
}

# Wall time of a whole process: start, home, answer, end.
measure_cgi() {
	local start end i rounds=100

	start=$(date +%s%N)
	for ((i = 0; i < rounds; i++)); do
		REQUEST_METHOD=GET SCRIPT_NAME=/scep \
		    QUERY_STRING=operation=GetCACaps ./scep >"$dir/caps" \
		    2>>"$dir/worker.log" || die "GetCACaps"
	done
	end=$(date +%s%N)
	grep -q SCEPStandard "$dir/caps" || die "GetCACaps said something else"
	awk -v ns=$((end - start)) -v n=$rounds 'BEGIN {
		printf "CGI GetCACaps           %.2f ms\n", ns / n / 1e6 }'
}

echo "machine                 $(getconf _NPROCESSORS_ONLN) processors, $(awk -F ': ' '/^model name/ { print $2; exit }' /proc/cpuinfo), $(stat -f -c %T "$dir")"
make_home
start_server
measure
measure_cgi
openssl speed -seconds 3 rsa2048 2>/dev/null |
    awk '/^rsa 2048/ { printf "openssl speed rsa2048   %s sign, %s verify per second\n", $6, $7 }'
