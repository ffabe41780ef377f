#!/bin/sh
# The command line by its door: help, dispatch, init, CAs, entities, import,
# status, check, audit, owners.
# shellcheck disable=SC1091,SC2016 # lib.sh lies beside; $SCEP is for sh -c
pages=$(cd "${0%/*}/../man" && pwd)
. "${0%/*}/lib.sh"
man=$FRESH/manual
cat "$pages/scep.1" "$pages/scep-ejbca.1" >"$man"

# Standard output alone, standard error alone.
out() { "$@" 2>/dev/null; }
err() { { "$@" >/dev/null; } 2>&1; }

scep() { "$SCEP" "$@"; }

# --- help and dispatch --------------------------------------------------

ok "help" scep help
like "help names the nouns" "$(out scep help)" "entity.*devices"
ok "--help" scep --help
ok "help NOUN" scep help entity
like "help NOUN names verbs" "$(out scep help entity)" "setpwd NAME"
is "NOUN --help is the same" "$(out scep entity --help)" \
	"$(out scep help entity)"
like "NOUN VERB --help names options" "$(out scep entity add --help)" \
	"--subject DN .*--dn"
is "help NOUN VERB is the same" "$(out scep help entity add)" \
	"$(out scep entity add --help)"
like "the help says that ps shows secrets" \
	"$(out scep entity add --help)" "ps shows"
like "help of a noun without verbs" "$(out scep help init)" "owner USER"
like "--version" "$(out scep --version)" "^scep [0-9]"

# The lines "  word ..." of a help; options with their dashes.
words() { sed -n 's/^  \([a-z-][a-zA-Z0-9-]*\).*/\1/p'; }

# COMMAND: its own items in the manual, up to the next item.
manual() {
	awk -v command="$1" '
		/^\.(It|El|Ss|Sh)( |$)/ {
			if (ours)
				printf "%s", text
			text = ""
			ours = 0
			first = NR
		}
		{ text = text $0 "\n" }
		NR <= first + 1 && sub(/^\.(It )?Cm /, "") &&
		    index($0 " ", command " ") == 1 { ours = 1 }
	' "$man"
}

# Every command stands in the manual, and there every option of it; once for
# all stand those that every command or every command of a noun takes.
for noun in $(out scep help | words | sort -u) "ca ra" "config scep"; do
	# shellcheck disable=SC2086 # two words
	verbs=$(out scep help $noun | words | grep -v '^-\|^scep$')
	for verb in ${verbs:-.}; do
		command="$noun${verb#.}"
		[ "$verb" = . ] || command="$noun $verb"
		manual "$command" >block
		ok "manual: $command" test -s block
		# shellcheck disable=SC2086 # two words
		for option in $(out scep help $command | words |
			sed -n 's/^--//p'); do
			where=block
			case $option in
			home | help | name | username) where=$man ;;
			esac
			ok "manual: $command --$option" \
				grep -Eq "Fl Fl $option( |\$)" "$where"
		done
	done
done

exits 2 "nothing at all" scep
exits 2 "an unknown noun" scep entitty list
like "is answered with the nearest" "$(err scep entitty list)" "scep entity"
exits 2 "an unknown verb" scep entity lsit
like "is answered with the nearest" "$(err scep entity lsit)" \
	"scep entity list"
exits 2 "help of an unknown verb" scep help entity lsit
exits 2 "an unknown option" scep entity list --jsno
like "is answered with the nearest" "$(err scep entity list --jsno)" \
	"did you mean --json"
exits 2 "a noun alone" scep entity
exits 2 "a missing name" scep entity show
exits 2 "a word too many" scep entity show a b
is "an error is one line" "$(err scep entity show a b | wc -l | tr -d ' ')" 1

# --- init ---------------------------------------------------------------

exits 1 "no home yet" scep entity list
like "and what makes one" "$(err scep entity list)" "scep init"
exits 2 "status without a home is critical" scep status
exits 2 "a wrong number of shards" scep init --shards 4
ok "init" scep init
like "mode of the home" "$(ls -ld "$SCEP_HOME")" "^drwxr-x---"
for room in ca aliases profiles store; do
	ok "it has $room" test -d "$SCEP_HOME/$room"
done
ok "and scep.ini" test -f "$SCEP_HOME/scep.ini"
ok "with comments" grep -q '^; ' "$SCEP_HOME/scep.ini"
exits 1 "a home is not made twice" scep init
like "and why" "$(err scep init)" "is a home already"
mkdir full empty
: >full/file
exits 1 "nor over something else" scep init --home full
ok "an empty directory is fine" scep init --home empty
ok "three digits of shards" scep --home wide init --shards 3
ok "make 4096 rooms" test -d wide/store/entity/fff
exits 75 "a home that has no parent" scep --home=no/where init
ok "check of a fresh home" scep check
exits 1 "status without CA and alias is a warning" scep status

# --- CAs ----------------------------------------------------------------

exits 1 "an entity needs a CA" scep entity add early --generate
like "and what makes one" "$(err scep entity add early --generate)" \
	"scep ca create"
exits 2 "ca create wants a subject" scep ca create ManagementCA
exits 1 "and a good one" scep ca create ManagementCA --subject "nonsense"
exits 1 "and a key that it knows" scep ca create ManagementCA \
	--subject CN=x --key dsa:1024
not_ok "which leaves nothing" test -d "$SCEP_HOME/ca/ManagementCA"
for name in ',' 'a,b' 'a"b' ' a' 'a ' . .. "$(printf 'a\nb')" "$(printf 'a\177')"; do
	exits 1 "no CA is called \"$(echo "$name" | tr '\n\177' '??')\"" \
		scep ca create "$name" --subject CN=x --key rsa:2048
done
like "why" "$(err scep ca create 'a,b' --subject CN=x)" "no comma"
ok "ca create" scep ca create ManagementCA --subject "CN=ManagementCA,O=Lab"
exits 1 "not twice" scep ca create ManagementCA --subject CN=x
like "the key's mode" "$(ls -l "$SCEP_HOME/ca/ManagementCA/1/key.pem")" \
	"^-r--------"
ok "OpenSSL reads the certificate" openssl x509 -noout -in \
	"$SCEP_HOME/ca/ManagementCA/1/cert.pem"
show=$(out scep ca show ManagementCA)
like "ca show: subject" "$show" "Subject: +CN=ManagementCA,O=Lab"
like "ca show: key" "$show" "Key: +RSA 3072"
like "ca show: key usage" "$show" \
	"digitalSignature, keyEncipherment, keyCertSign, cRLSign"
like "ca show: days" "$show" "Days left: +36(49|50)"
# C-38
for digest in sha256 sha1 md5; do
	want=$(openssl x509 -noout -fingerprint -$digest \
		-in "$SCEP_HOME/ca/ManagementCA/1/cert.pem" | cut -d= -f2)
	like "ca show: $digest as OpenSSL has it" "$show" "$want"
done
like "ca show --json" "$(out scep ca show ManagementCA --json)" \
	'^\{"name":"ManagementCA","generation":1,.*\}$'
exits 1 "ca show of none" scep ca show Nobody
like "ca list" "$(out scep ca list)" \
	"^ManagementCA .*RSA 3072 .*CN=ManagementCA,O=Lab$"
scep ca export ManagementCA --out exported.pem
is "ca export" "$(openssl x509 -noout -subject -nameopt RFC2253 \
	-in exported.pem)" "subject=O=Lab,CN=ManagementCA"
unlike "never the key" "$(cat exported.pem)" "PRIVATE"

client_key old
openssl req -x509 -key old.key -out old.pem \
	-subj /O=Lab/CN=Old -days 60 2>/dev/null
client_key other
openssl req -x509 -key other.key -out other.pem \
	-subj /CN=Other -days 60 2>/dev/null
openssl pkcs12 -export -in old.pem -inkey old.key -out old.p12 \
	-passout pass:geheim
exits 2 "ca import wants both" scep ca import Old --cert old.pem
exits 1 "a key of another certificate" scep ca import Old --cert old.pem \
	--key other.key
exits 1 "a file that is not there" scep ca import Old --cert none.pem \
	--key old.key
ok "ca import --cert --key" scep ca import Old --cert old.pem --key old.key
exits 1 "a wrong passphrase" scep ca import Older --pkcs12 old.p12 \
	--passphrase falsch
echo geheim >passphrase
ok "ca import --pkcs12, passphrase from standard input" \
	scep ca import Older --pkcs12 old.p12 --passphrase - <passphrase
like "what came" "$(out scep ca show Older)" "Subject: +O=Lab,CN=Old"
exits 1 "60 days are a warning" scep status
like "status says why" "$(out scep status)" "^SCEP WARNING: .*ca Old: "

# --- entities -----------------------------------------------------------

exits 1 "with three CAs say which" scep entity add router1 --generate
exits 2 "a code is wanted" scep entity add router1 --ca ManagementCA
exits 2 "one code" scep entity add router1 --ca ManagementCA --generate \
	--password x
exits 1 "a bad subject" scep entity add router1 --ca ManagementCA \
	--subject nonsense --generate
exits 1 "a bad SAN" scep entity add router1 --ca ManagementCA \
	--san dnsname --generate
exits 1 "a bad profile" scep entity add router1 --ca ManagementCA \
	--profile NOPE --generate
exits 1 "an unknown CA" scep entity add router1 --ca Managment --generate
like "is answered with the nearest" \
	"$(err scep entity add router1 --ca Managment --generate)" \
	"did you mean ManagementCA"
exits 2 "a time that was" scep entity add router1 --ca ManagementCA \
	--generate --ttl 2001-01-01
exits 2 "a count of none" scep entity add router1 --ca ManagementCA \
	--generate --count 0
is "nothing was added" "$(out scep entity list)" ""

code=$(out scep entity add router1 --ca ManagementCA \
	--dn "CN=router1,O=Lab" --altname "dNSName=router1.example" \
	--generate --ttl 30d --count 3)
like "a generated code, alone" "$code" '^([2-9A-HJ-NP-Z]{7}-){3}[2-9A-HJ-NP-Z]{7}$'
not_ok "is not stored" grep -rq "$code" "$SCEP_HOME"
exits 1 "not twice" scep entity add router1 --ca ManagementCA --generate
show=$(out scep entity show router1)
like "entity show: subject" "$show" "Subject: +CN=router1,O=Lab"
like "entity show: SAN" "$show" "SAN: +dNSName=router1.example"
like "entity show: code" "$show" "Code form: +generated"
like "entity show: count" "$show" "Code used: +0 of 3"
unlike "entity show: never the code" "$show" "$code"
exits 1 "entity show of none" scep entity show nobody

echo "from a pipe" >password
ok "a password from standard input" \
	scep entity add --username pipe --ca ManagementCA --password - \
	<password
is "add prints nothing about a chosen one" \
	"$(echo secret123 | scep entity add quiet --ca ManagementCA \
		--password - 2>&1)" ""
echo "from a file" >password
ok "a password from a file" scep entity add file --ca ManagementCA \
	--password-file password --san request
mkfifo fifo
echo "from a pipe" >fifo &
ok "a password from a named pipe" scep entity add fifo --ca ManagementCA \
	--password-file fifo
: >nothing
exits 1 "an empty password file" scep entity add empty --ca ManagementCA \
	--password-file nothing
like "is told of" "$(err scep entity add empty --ca ManagementCA \
	--password-file nothing)" "^scep: nothing is empty"
exits 1 "a character device, empty too" scep entity add empty \
	--ca ManagementCA --password-file /dev/null
exits 1 "a directory as a file" scep entity add empty --ca ManagementCA \
	--password-file .
like "is told what to name" "$(err scep entity add empty --ca ManagementCA \
	--password-file .)" "neither a file nor a pipe; name one"
not_ok "no password is stored" grep -rqE "from a (pipe|file)" "$SCEP_HOME"
like "entity show: a chosen one" "$(out scep entity show file)" \
	"Code form: +chosen"
like "short passwords are warned of" \
	"$(err scep entity add short --ca ManagementCA --password=abc)" "guess"
ok "but taken" scep entity show short
exits 1 "empty ones are not" scep entity add none --ca ManagementCA \
	--password=
like "blanks in a name are warned of" \
	"$(err scep entity add "a b" --ca ManagementCA --generate)" "blank"

id=$(out scep entity show router1 | grep "Code id")
new=$(out scep entity setpwd router1 --generate)
unlike "setpwd: another code" "$new" "$code"
unlike "setpwd: another id" "$(out scep entity show router1)" "$id"
like "setpwd: count begins again" "$(out scep entity show router1)" \
	"Code used: +0 of 1"
ok "entity set" scep entity set router1 --subject CN=renamed --email a@b.c
show=$(out scep entity show router1)
like "entity set: subject" "$show" "Subject: +CN=renamed"
like "entity set: the rest stays" "$show" "SAN: +dNSName=router1.example"
ok "entity set to nothing" scep entity set router1 --san=
like "clears a field" "$(out scep entity show router1)" "SAN: +\\(none\\)"
exits 2 "entity set of nothing" scep entity set router1
exits 1 "entity set of a bad subject" scep entity set router1 --subject x=y=
exits 1 "a subject that is blank" scep entity add blank --ca ManagementCA \
	--subject " " --generate
exits 1 "entity set of a blank subject" scep entity set router1 --subject " "
exits 1 "entity set of no CA" scep entity set router1 --ca=
like "says why" "$(err scep entity set router1 --ca=)" "always; --ca"
ok "entity set of an empty profile" scep entity set router1 --profile=
like "is the alias's" "$(out scep entity show router1)" \
	"Profile: +\(the alias's\)"
ok "entity block" scep entity block router1
like "is shown" "$(out scep entity list --match 'router*')" "blocked"
ok "twice is fine" scep entity block router1
ok "entity unblock" scep entity unblock router1
unlike "is shown" "$(out scep entity list)" "blocked"
like "entity unlock" "$(out scep entity unlock file)" "^0 "
like "entity list --json" "$(out scep entity list --json --match router1)" \
	'^\{"username":"router1",.*\}$'
is "entity list --match" "$(out scep entity list --match 'rou*' |
	wc -l | tr -d ' ')" 1
ok "entity delete" scep entity delete short --yes </dev/null
exits 1 "it is gone" scep entity show short
exits 1 "twice is refused" scep entity delete short </dev/null
ok "it may come again" scep entity add short --ca ManagementCA --generate

# --- import -------------------------------------------------------------

cat >bad.csv <<'EOF'
username,password,subject,ca
one,,CN=one,ManagementCA
two,,nonsense,ManagementCA
router1,,CN=three,ManagementCA
four,,CN=four,Nowhere
one,,CN=again,ManagementCA
EOF
exits 1 "import of a bad file" scep entity import bad.csv --out codes.csv
lines=$(err scep entity import bad.csv --out codes.csv)
like "names line 3" "$lines" "line 3: .*nonsense"
like "names line 4" "$lines" "line 4: .*router1 already"
like "names line 5" "$lines" "line 5: no CA Nowhere"
exits 1 "and adds nothing" scep entity show one
exits 1 "an unknown column" sh -c \
	'printf "usrname\nx\n" | "$SCEP" entity import -'
exits 1 "the same name twice" sh -c \
	'printf "username,password,ca\nx,12345678,Old\nx,12345678,Old\n" |
	"$SCEP" entity import -'
: >empty.csv
exits 1 "an empty file" scep entity import empty.csv
printf 'subject,username,ttl,password,ca\r\n' >good.csv
printf '"CN=imp1,O=Lab",imp1,30d,,ManagementCA\r\n' >>good.csv
printf 'CN=imp2,imp2,,"pass,""word",\r\n' >>good.csv
exits 2 "codes want --out" scep entity import good.csv --ca ManagementCA
ok "--dry-run" scep entity import good.csv --ca ManagementCA \
	--out codes.csv --dry-run
exits 1 "adds nothing" scep entity show imp1
ok "import" scep entity import good.csv --ca ManagementCA --out codes.csv
like "its subject" "$(out scep entity show imp1)" "Subject: +CN=imp1,O=Lab"
like "its ttl" "$(out scep entity show imp1)" "Code expires: +20"
like "the code" "$(cat codes.csv)" '^imp1,[2-9A-Z-]{31}$'
unlike "chosen ones are not written" "$(cat codes.csv)" "imp2"
like "mode of the codes" "$(ls -l codes.csv)" "^-rw-------"
exits 1 "codes are not written over others" scep entity import good.csv \
	--out codes.csv

# the store fails in the middle: what was added is taken back
shard=$(printf zz | sha256sum | cut -c 1-2)
mv "$SCEP_HOME/store/entity/$shard" aside
printf 'username,ca\naa,Old\nzz,Old\n' >two.csv
not_ok "import that cannot be finished" scep entity import two.csv \
	--out two.codes
exits 1 "leaves nothing" scep entity show aa
is "and no codes" "$(cat two.codes)" ""
mv aside "$SCEP_HOME/store/entity/$shard"
ok "the same again" scep entity import two.csv --out two.codes
ok "adds all" scep entity show zz

# many at once: one wins, and nothing of the others is left
for i in 1 2 3 4 5 6 7 8; do
	{
		scep entity add rush --ca Old --generate 2>/dev/null &&
			: >"won.$i"
	} >"code.$i" &
done
wait
is "one of eight adds wins" "$(find . -name 'won.*' | wc -l | tr -d ' ')" 1
is "one code is out" "$(cat code.* | wc -l | tr -d ' ')" 1
is "one code is kept" "$(find "$SCEP_HOME/store/secret" -name 'rush,*' |
	wc -l | tr -d ' ')" 1
for i in 1 2 3 4 5 6 7 8; do
	scep entity setpwd rush --generate >/dev/null 2>&1 &
done
wait
is "after eight setpwd too" "$(find "$SCEP_HOME/store/secret" \
	-name 'rush,*' | wc -l | tr -d ' ')" 1
like "and it is good" "$(out scep entity show rush)" "Code: +good"

# --- certificates, audit, status, check ---------------------------------

is "no certificates yet" "$(out scep cert list)" ""
exits 1 "cert show of none" scep cert show 01:02
exits 1 "cert show of another's file" scep cert show old.pem

audit=$(out scep audit show)
like "audit: who" "$audit" "uid $(id -ru)"
like "audit: create" "$audit" "ca create  ManagementCA  done"
like "audit: add" "$audit" "entity add  router1  done"
like "audit: import" "$audit" "entity import  imp1  done"
like "audit: failures" "$audit" "entity delete  short  not found"
unlike "audit: never a code" "$audit" "$code|$new|from a "
not_ok "audit: nor in the file" grep -rq "$new" "$SCEP_HOME/store/audit"
like "audit --json" "$(out scep audit show --json | head -n 1)" '^\{.*\}$'
is "audit --since" "$(out scep audit show --since 2099-01-01)" ""
SUDO_UID=4242 scep entity block router1
like "audit: who typed sudo" "$(out scep audit show | tail -n 1)" \
	"uid 4242 as uid $(id -ru)"

ok "alias add" scep alias add scep --ca ManagementCA
exits 1 "status, Old still ends" scep status
like "status --json" "$(out scep status --json)" \
	'"what":"ca ManagementCA","state":"OK"'
mkdir "$SCEP_HOME/ca/a%0Aca%20b%3A%20OK"
is "a folder with a newline in its name makes no line of its own" \
	"$(out scep status | grep -c '^ca b')" 0
like "it is shown escaped" "$(out scep status)" '^ca a.x0aca b: OK: CRITICAL'
rmdir "$SCEP_HOME/ca/a%0Aca%20b%3A%20OK"
scep ca create Short --subject CN=Short --key rsa:2048 --days 20 >/dev/null
exits 2 "20 days are critical" scep status
ok "check" scep check
is "check says" "$(out scep check | tail -n 1)" clean
chmod 0644 "$SCEP_HOME/ca/Short/1/key.pem"
exits 1 "check: a key that others read" scep check
like "check says which" "$(out scep check)" "ca/Short/1/key.pem: .*0400"
ok "check --repair" scep check --repair
like "sets it" "$(ls -l "$SCEP_HOME/ca/Short/1/key.pem")" "^-r--------"
echo nonsense >>"$SCEP_HOME/aliases/scep.ini"
exits 1 "check: a broken alias" scep check
exits 2 "status: a broken alias" scep status
rm "$SCEP_HOME/aliases/scep.ini"
ok "without it" scep check
rmdir "$SCEP_HOME/profiles"
exits 1 "check: a missing room" scep check
ok "check --repair" scep check --repair
ok "makes it" test -d "$SCEP_HOME/profiles"
not_ok "a full disk is an error" sh -c '"$SCEP" entity list >/dev/full'

# --- a home by way of a symbolic link -----------------------------------

ln -s "$SCEP_HOME" link
ok "a home that is a symbolic link" scep --home link entity show router1
is "is served too" "$(SCEP_HOME=link REQUEST_METHOD=GET SCRIPT_NAME=/none \
	QUERY_STRING=operation=GetCACaps scep 2>/dev/null | head -n 1 |
	tr -d '\r')" "Status: 404 Not Found"
mkdir target
ln -s target link2
ok "init through a link" scep --home link2 init
ok "makes what the link names" test -f target/store/format
mv target/store target/real
ln -s real target/store
not_ok "a store that is a link is not taken" scep --home link2 entity list

# --- owners -------------------------------------------------------------

if [ "$(id -u)" -ne 0 ]; then
	for t in 1 2 3 4 5 6 7 8 9 10 11; do
		skip "owners $t" "only root can give things away"
	done
	done_testing
	exit 0
fi
chmod 0755 .
mkdir theirs
ok "init for another user" scep --home theirs/home init --owner nobody
is "all is theirs" "$(find theirs/home ! -user nobody)" ""
mkdir given
ln -s given link3
ok "init for another user through a link" scep --home link3 init \
	--owner nobody
is "the directory is theirs" "$(find given ! -user nobody)" ""
is "the link is not" "$(find link3 -type l -user nobody)" ""
mkdir -m 0700 private
cp old.pem old.key private/
ok "root's own files are read before root becomes nobody" \
	scep --home theirs/home ca import Old --cert private/old.pem \
	--key private/old.key
ok "an entity by root" scep --home theirs/home entity add r --generate
is "all is still theirs" "$(find theirs/home ! -user nobody)" ""
like "the audit knows root" "$(out scep --home theirs/home audit show)" \
	"uid 0 \\(root\\)"
ok "check finds no foreign owner" scep --home theirs/home check
chown 1 theirs/home/ca/Old/1/cert.pem
exits 1 "check finds a foreign owner" scep --home theirs/home check
like "and names it" "$(out scep --home theirs/home check)" \
	"ca/Old/1/cert.pem: belongs to another"
cp "$SCEP" ./scep-copy
chmod 0755 ./scep-copy
like "others are told what to type" \
	"$(setpriv --reuid=1 --regid=1 --clear-groups \
		./scep-copy --home theirs/home entity list 2>&1)" \
	"sudo -u nobody scep"
exits 1 "and refused" setpriv --reuid=1 --regid=1 --clear-groups \
	./scep-copy --home theirs/home entity list

done_testing
