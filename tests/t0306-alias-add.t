#!/bin/sh
# `alias add --mode`: files that lack what an administrator alone can say, and
# say so; filled in, they are good.
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

scep() { "$SCEP" "$@"; }
out() { "$@" 2>/dev/null; }
err() { { "$@" >/dev/null; } 2>&1; }
old() { touch -d "3 seconds ago" "$1"; }

make_home
echo "Xq7vGz2mRk9TbN4cWdP8yH" >home/pass
chmod 600 home/pass
old home/pass

# The keys that a file asks for, as SECTION.KEY: each stands as a comment under
# its FILL IN.
asked() {
	awk '/^\[/ { section = substr($0, 2, length($0) - 2) }
		/^; FILL IN/ { wanted = 1 }
		wanted && /^;[a-z]+ = / {
			sub(/^;/, "")
			print section "." $1
			wanted = 0
		}' "home/aliases/$1.ini"
}
# What was printed as to be filled in.
told() { sed -n 's/^  \([a-z.]*\) .*/\1/p' .out; }
# All that a file asks for, by taking the comment sign off.
fill() {
	awk '/^; FILL IN/ { wanted = 1 }
		wanted && /^;[a-z]+ = / { sub(/^;/, ""); wanted = 0 }
		{ print }' "home/aliases/$1.ini" >filled
	cp filled "home/aliases/$1.ini"
	old "home/aliases/$1.ini"
}
says() { # EXIT DESCRIPTION WANTED WORDS...
	_exit=$1 _d=$2 _wanted=$3
	shift 3
	exits "$_exit" "$_d" scep alias "$@"
	like "  and says what" "$(cat .out)" "^scep: .*$_wanted"
	is "  in one line" "$(wc -l <.out)" 1
}

# --- ca, as ever ----------------------------------------------------------------

ok "--mode ca" scep alias add own --mode ca
like "is served" "$(cat .out)" "^alias own is served at /scep/own/"
ok "is good" scep alias check own
is "is what is made without" "$(sed s/own/scep/g home/aliases/own.ini)" \
	"$(cat home/aliases/scep.ini)"

# --- ra ---------------------------------------------------------------------------

ok "--mode ra" scep alias add mdm --mode ra
like "says that it is not served yet" "$(cat .out)" \
	"^aliases/mdm.ini is written; before it is served, fill in$"
is "and what is to be filled in" "$(told)" "ra.authpwdfile
approval.required"
is "as the file does" "$(asked mdm)" "$(told)"
like "and how" "$(cat .out)" "scep alias set mdm KEY=VALUE"
exits 1 "before, it is not good" scep alias check mdm
like "for these" "$(tr '\n' ' ' <.out)" "authpwd is missing.*required is missing"
old home/aliases/mdm.ini
request GET "/scep/mdm/pkiclient.exe?operation=GetCACaps"
is "nobody is served" "$STATUS" 503
like "the audit tells" "$(scep audit show)" \
	"alias add +mdm +done .*operationmode = ra, to be filled in"
says 1 "half of it does not do" "required is missing" \
	set mdm authpwdfile=pass
ok "at one go" scep alias set mdm authpwdfile=pass required=0
ok "it is good" scep alias check mdm
request GET "/scep/mdm/pkiclient.exe?operation=GetCACaps"
is "and served" "$STATUS" 200
pkcsreq box "$(cat home/pass)"
request POST "/scep/mdm/pkiclient.exe?operation=PKIOperation" box.der
builder certrep --ca ca.pem --key box.key --cert box.crt --in body \
	--out-prefix box- >box.rep
is "a device enrols" "$(reply box status)" 0
is "what the file asked for stands below its comment" \
	"$(grep -A1 '^;required' home/aliases/mdm.ini | tail -n 1)" \
	"required = 0"
ok "by hand" scep alias add hand --mode ra
cp home/pass home/hand.secret
fill hand
ok "is good too" scep alias check hand
ok "with another judge" scep alias add codes --mode ra
ok "there is no secret" scep alias set codes challenge.judge=onetime required=0
says 1 "a CA that is not there" "no CA None|None" add other --mode ra --ca None
not_ok "leaves nothing" test -e home/aliases/other.ini

# --- externalra ---------------------------------------------------------------------

ok "a CA whose key is elsewhere" scep ca import Far --cert ca.pem --no-key
says 1 "two CAs" "several CAs; say which" add ext --mode externalra
says 1 "RA mode has its key" "its key is on another host" \
	add x --mode ra --ca Far
says 1 "and here a certificate of its own" "it has no RA certificate" \
	add ext --mode externalra --ca Far
scep ca ra request Far --out far.csr >>log 2>&1
scep ca ra sign ManagementCA far.csr --out far.pem >>log 2>&1
ok "which it gets" scep ca ra install Far far.pem
ok "--mode externalra" scep alias add ext --mode externalra --ca Far
is "the secret is to be filled in" "$(told) $(asked ext)" \
	"ra.authpwdfile ra.authpwdfile"
exits 1 "before, it is not good" scep alias check ext
cp home/pass home/ext.secret
fill ext
ok "then it is" scep alias check ext
like "mode and CA" "$(scep alias list --match ext)" "^ext +externalra +Far$"
ok "another judge, none of these" scep alias add ext2 --mode externalra --ca Far
ok "is good" scep alias set ext2 challenge.judge=entity

# --- proxy --------------------------------------------------------------------------

openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=proxy1 \
	-keyout proxy.key -out proxy.pem 2>/dev/null
ok "--mode proxy" scep alias add far --mode proxy
is "three to be filled in" "$(told | tr '\n' ' ')" \
	"proxy.url proxy.clientcert proxy.clientkey "
is "as the file says" "$(asked far)" "$(told)"
exits 1 "before, it is not good" scep alias check far
ok "filled in" scep alias set far proxy.url=https://127.0.0.1:1/scep/scep/pkiclient.exe \
	proxy.clientcert="$FRESH/proxy.pem" proxy.clientkey="$FRESH/proxy.key"
ok "it is good" scep alias check far
ok "by hand" scep alias add far2 --mode proxy
fill far2
sed -i "s|/etc/scep/proxy.pem|$FRESH/proxy.pem|
	s|/etc/scep/proxy-key.pem|$FRESH/proxy.key|" home/aliases/far2.ini
ok "too" scep alias check far2
ok "with its options it is whole" scep alias add far3 --mode proxy \
	--proxy https://127.0.0.1:1/scep --clientcert "$FRESH/proxy.pem" \
	--clientkey "$FRESH/proxy.key"
like "and served" "$(cat .out)" "^alias far3 is served"

# --- what does not go together --------------------------------------------------------

says 2 "no such mode" "no mode rra; did you mean ra\?" add x --mode rra
says 2 "a proxy has no CA" "no --ca" add x --mode proxy --ca Far
says 2 "--proxy and another mode" "--proxy is --mode proxy" \
	add x --mode ra --proxy https://127.0.0.1:1/
says 2 "--from and a mode" "--from has all of it" \
	add x --mode ra --from home/aliases/scep.ini
says 2 "files without --proxy" "go with --proxy" \
	add x --mode proxy --clientcert proxy.pem
says 1 "one that is there" "there is an alias mdm already" add mdm --mode ra
not_ok "nothing of these was made" test -e home/aliases/x.ini
like "the help has it" "$(scep help alias add)" "scep alias add mdm --mode ra"

done_testing
