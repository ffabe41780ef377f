#!/bin/sh
# Entities without a code of their own: another judge says yes to them
# ([challenge] judge of CA mode), and nobody has to keep a secret.
# shellcheck disable=SC1091,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

scep() { "$SCEP" "$@"; }
out() { "$@" 2>/dev/null; }
err() { { "$@" >/dev/null; } 2>&1; }

make_home
cat >yes <<'EOF'
#!/bin/sh
exit 0
EOF
chmod 755 yes

# --- it is said ---------------------------------------------------------------

is "--no-code prints nothing" "$(scep entity add said --no-code 2>&1)" ""
like "show: none" "$(out scep entity show said)" "^Code: +none$"
unlike "JSON: no id" "$(out scep entity show said --json)" code_id
is "nothing was made" "$(find home/store/code -type f 2>/dev/null | wc -l)" 0
says() { # EXIT DESCRIPTION WANTED WORDS...
	_exit=$1 _d=$2 _wanted=$3
	shift 3
	exits "$_exit" "$_d" scep entity "$@"
	like "  and says what to do" "$(cat .out)" "^scep: .*$_wanted"
	is "  in one line" "$(wc -l <.out)" 1
}
says 2 "with a code too" "say one of --generate.*--no-code" \
	add both --no-code --generate
says 2 "until when is no code good" "are of a code" \
	add both --no-code --ttl 30d
says 2 "how often" "are of a code" add both --no-code --count 3
says 2 "setpwd gives one" "say one of --generate.*FILE$" setpwd said
exits 2 "always" scep entity setpwd said --no-code
ok "and later it may have one" scep entity setpwd said --generate
like "show: good" "$(out scep entity show said)" "^Code: +good$"

# Without a code nobody enrols where codes judge.
ok "no code" scep entity add box --no-code --subject CN=box,O=Lab
pkcsreq box guess
send box
is "an alias of codes refuses" "$(reply box status),$(reply box failinfo)" 2,2
like "why" "$(cat log)" 'reason="entity has no code"'

# --- it is seen by the aliases ---------------------------------------------------

says 2 "judge = entity: a code is wanted" "say one of --generate.*--no-code" \
	add seen
cat >judged.ini <<EOF
[scep]
operationmode = ca
cas = ManagementCA
[challenge]
judge = program
[program]
path = $FRESH/yes
EOF
ok "another alias of this CA, whose judge is a program" \
	scep alias add prog --from judged.ini
says 2 "one of the two asks for codes" "say one of" add seen
ok "that one goes" scep alias delete scep --yes
is "then none is needed" "$(out scep entity add seen --subject CN=seen,O=Lab)" \
	""
like "and that is said" "$(err scep entity add seen2)" \
	"^scep: seen2 has no code: no alias of ManagementCA asks for one$"
like "show: none" "$(out scep entity show seen)" "^Code: +none$"
says 2 "a life of none" "are of a code" add seen3 --ttl 3d
like "who wants one has it" "$(out scep entity add seen4 --generate)" \
	'^[2-9A-Z-]{31}$'
# The request needs no challenge: the program says yes.
pkcsreq seen "" --subject /CN=seen
request POST "/scep/prog/pkiclient.exe?operation=PKIOperation" seen.der
builder certrep --ca ca.pem --key seen.key --cert seen.crt --in body \
	--out-prefix seen- >seen.rep
is "it enrols" "$(reply seen status)" 0
like "as registered" "$(openssl x509 -in seen-0.pem -noout -subject)" \
	"CN = seen, O = Lab"
like "the certificate is that entity's" \
	"$(scep cert list --entity seen)" " seen "

for judge in web onetime; do
	sed -e "s/^judge.*/judge = $judge/" -e '/program\]/d' -e '/^path/d' \
		judged.ini >$judge.ini
	[ $judge = onetime ] ||
		printf '[web]\nurl = https://127.0.0.1:1/\n' >>$judge.ini
	ok "judge = $judge" scep alias add $judge --from $judge.ini
	is "needs none" "$(out scep entity add "of-$judge")" ""
done

printf '[scep]\noperationmode = ca\nncas = x\n' >home/aliases/broken.ini
says 2 "a file that cannot be read may come to ask" "say one of" add late
rm home/aliases/broken.ini
cat >home/aliases/ra.ini <<'EOF'
[scep]
operationmode = ra
[ra]
defaultca = ManagementCA
authpwd = "Xq7vGz2mRk9TbN4cWdP8yH"
[approval]
required = 0
EOF
ok "RA mode has no registered ones" scep entity add late
ok "another CA" scep ca create OtherCA --subject "CN=Other CA" --key rsa:2048
says 2 "which no alias serves" "say one of" add other --ca OtherCA
ok "it is called otherwise now" scep ca rename ManagementCA NewCA
is "under its new name too" "$(out scep entity add renamed --ca NewCA)" ""

# --- import -------------------------------------------------------------------

printf 'username,password,ttl\ni1,,\ni2,a good one,30d\n' >all.csv
printf 'username,ttl\ni3,30d\n' >ttl.csv
says 2 "codes need a place, or are none" "--out FILE.*--no-code" \
	import all.csv --ca NewCA
says 1 "a life of no code" "line 2: a ttl is of a code" \
	import ttl.csv --ca NewCA --no-code
ok "import" scep entity import all.csv --ca NewCA --no-code
like "no password: no code" "$(out scep entity show i1)" "^Code: +none$"
like "a password: that" "$(out scep entity show i2)" "^Code form: +chosen"

done_testing
