# shellcheck shell=sh
# What t0840 and t0841 share: the stand-in of Microsoft's services
# (tests/intune.py), and aliases that Intune judges.  Behind lib.sh.

# The stand-in's certificate, in its.pem and its.key, for localhost.
intune_start() {
	mkdir -p "$KEYS"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout its.key -out its.pem -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost 2>/dev/null
	cp its.pem home/its.pem
	control '{}'
	python3 "$TOP/tests/intune.py" --script control --log asked \
		--port-file intune.port --cert its.pem --key its.key \
		>>intune.log 2>&1 &
	server $!
	wait_for test -s intune.port
	INTUNE=https://localhost:$(cat intune.port)
}

# JSON: what the stand-in does from now on.
control() {
	printf '%s\n' "$1" >control.new && mv control.new control
}

# NAME LINES...: an alias that Intune judges; LINES are of [intune], instead of
# the application's secret.
intune_alias() {
	_alias=$1
	shift
	[ $# -gt 0 ] || set -- 'aadappkey = "s3cret of app/1"'
	cat >"home/aliases/$_alias.ini" <<-EOT
	[scep]
	operationmode = ra
	[ra]
	defaultca = ManagementCA
	[approval]
	required = 0
	[renewal]
	window = 0%
	challenge = yes
	[challenge]
	judge = intune
	[intune]
	tenant = contoso
	aadappid = app-1
	authority = $INTUNE/
	resourceurl = $INTUNE/res/
	graphresourceurl = $INTUNE/
	timeout = 5s
	EOT
	case " $* " in
	*cafile*) ;;
	*) echo "cafile = its.pem" >>"home/aliases/$_alias.ini" ;;
	esac
	printf '%s\n' "$@" >>"home/aliases/$_alias.ini"
	touch_alias "$_alias"
}

# NAME [LINE]: the file is quiet; with LINE, that key has another value.
touch_alias() {
	[ $# -eq 1 ] ||
	    sed -i "s/^${2%% *} = .*/$2/" "home/aliases/$1.ini"
	touch -d "3 seconds ago" "home/aliases/$1.ini"
}

# Another one, as proxy without TLS: PROXY is its port, proxy/steps its log.
proxy_start() {
	mkdir -p proxy
	echo '{}' >proxy/control
	python3 "$TOP/tests/intune.py" --script proxy/control \
		--port-file proxy/port >>intune.log 2>&1 &
	server $!
	wait_for test -s proxy/port
	# shellcheck disable=SC2034 # for who sources this
	PROXY=$(cat proxy/port)
}
