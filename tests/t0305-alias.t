#!/bin/sh
# The verbs of `alias`: nobody's change is lost, a bad text never counts, a
# running worker sees it all (issue part 7; DESIGN 7).
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them; $SCEP is for sh -c
. "${0%/*}/lib.sh"

DOOR=fcgi
make_home
scep() { "$SCEP" "$@"; }
out() { "$@" 2>/dev/null; }
err() { { "$@" >/dev/null; } 2>&1; }
edit() { # EDITOR NAME
	EDITOR=$1 VISUAL='' "$SCEP" alias edit "$2" </dev/null
}
copies() { find home/aliases -name '.*edit*' | wc -l; }
ini=home/aliases/scep.ini

# --- set, unset: bytes, order, comments ------------------------------------

cp $ini before.ini
ok "set" scep alias set scep includeca yes
is "is one line more" "$(diff before.ini $ini)" "$(printf '%s\n' '9a10' \
	'> includeca = yes')"
ok "unset" scep alias unset scep includeca
ok "and the bytes are what they were" cmp before.ini $ini
printf '; top\r\n\r\n[scep]\r\noperationmode = ca ; why\r\n# sha1 = no\r\n' \
	>odd.ini
printf 'cas = ManagementCA\r\n; end' >>odd.ini
ok "a file as people write it" scep alias add odd --from odd.ini
ok "is taken as it is" cmp odd.ini home/aliases/odd.ini
ok "set in it" scep alias set odd sha1=no
ok "set another" scep alias set odd identifiers.Mobile-1 ManagementCA
like "comments and order stay" "$(tr -d '\r\n' <home/aliases/odd.ini)" \
	'^; top\[scep\]operationmode = ca ; why# sha1 = nosha1 = nocas'
ok "unset the one" scep alias unset odd identifiers.Mobile-1
ok "unset the other" scep alias unset odd sha1
ok "set changes in place" scep alias set odd operationmode ca
is "the comment behind it stays" "$(tr -d '\r' <home/aliases/odd.ini |
	sed -n 4p)" "operationmode = ca ; why"
exits 1 "unset of what is not there" scep alias unset scep includeca
is "is one line" "$(err scep alias unset scep includeca)" \
	"scep: nothing was changed: aliases/scep.ini has no includeca in [scep]"
exits 1 "a bad value" scep alias set scep includeca maybe
like "is one line with file and line" \
	"$(err scep alias set scep includeca maybe | tr '\n' '|')" \
	'^scep: nothing was changed: aliases/scep.ini:10: includeca:[^|]*\|$'
exits 1 "an unknown key" scep alias set scep includca yes
exits 1 "an unknown CA" scep alias set scep cas Nowhere
exits 2 "no value" scep alias set scep includeca
exits 1 "a value that cannot be written" scep alias set scep \
	identifiers.x "a\"b'c#d"
ok "all this changed nothing" cmp before.ini $ini
like "the audit tells what and why" "$(out scep audit show)" \
	"alias set  scep  refused: nothing was changed: .*includeca = maybe"

# --- a broken file ----------------------------------------------------------

cp $ini home/aliases/broken.ini
echo nonsense >>home/aliases/broken.ini
exits 1 "check of a broken one" scep alias check broken
like "names file and line" "$(err scep alias check broken)" \
	"aliases/broken.ini:[0-9]+: "
exits 1 "check of all" scep alias check
like "counts" "$(err scep alias check)" "1 of 3 aliases broken"
like "list says it" "$(out scep alias list)" "^broken +broken +-"
ok "list shows the others" sh -c '"$SCEP" alias list | grep -q "^scep .*ca"'
like "list --json" "$(out scep alias list --json --match 'b*')" \
	'^\{"name":"broken","broken":true'
exits 1 "show" scep alias show broken
exits 1 "set" scep alias set broken sha1 no
like "names the file" "$(err scep alias set broken sha1 no)" \
	"nothing was changed: aliases/broken.ini:[0-9]+"
exits 1 "copy of a broken one" scep alias copy broken two
ok "delete" scep alias delete broken
exits 1 "twice" scep alias delete broken

# --- list, show -------------------------------------------------------------

ok "show" scep alias show scep
like "show: every key" "$(out scep alias show scep | tr '\n' '|')" \
	'operationmode +ca\|cas +ManagementCA\|.*samekey +yes +\(default\)'
is "show --match" "$(out scep alias show scep --match 'sha*')" \
	"$(out scep alias show scep | grep '^sha1')"
scep alias set scep identifiers.One ManagementCA
is "show --match of identifiers" \
	"$(out scep alias show scep --match 'identifiers.*')" \
	"identifiers.one = ManagementCA"
is "show --json --match" "$(out scep alias show scep --json --match des3)" \
	'{"name":"scep","des3":"yes"}'
exits 1 "show of none" scep alias show nothing
scep alias unset scep identifiers.One
is "list --match" "$(out scep alias list --match 'sc*' | grep -vc NAME)" 1

# --- add, copy, rename, delete ----------------------------------------------

for name in admin metrics crl ca a.b a/b '' \
	123456789012345678901234567890123; do
	exits 1 "add of \"$name\"" scep alias add "$name"
	exits 1 "rename to \"$name\"" scep alias rename scep "$name"
done
exits 1 "add of one that is there" scep alias add scep
exits 1 "also with the very same text" scep alias add scep --from $ini
echo nonsense >before.ini.bad
exits 1 "add of a bad text" scep alias add bad --from before.ini.bad
ok "copy" scep alias copy scep two
ok "has the same bytes" cmp $ini home/aliases/two.ini
exits 1 "copy to one that is there" scep alias copy scep odd
exits 1 "copy of none" scep alias copy none three
ok "rename" scep alias rename two three
ok "the new name" test -e home/aliases/three.ini
not_ok "not the old one" test -e home/aliases/two.ini
exits 1 "rename to one that is there" scep alias rename three odd
exits 1 "rename of none" scep alias rename two four
exits 1 "rename to itself" scep alias rename three three
ok "nothing was lost" cmp $ini home/aliases/three.ini
like "the audit of a copy names both" "$(out scep audit show)" \
	"alias copy  scep  done.*to two"
like "of a rename too" "$(out scep audit show)" \
	"alias rename  two  done.*to three"
ok "delete" scep alias delete three --yes

# --- RA mode ------------------------------------------------------------------

cat >ra.ini <<'EOT'
[scep]
operationmode = ra

[ra]
defaultca = ManagementCA
; quotes, for it holds both
authpwd = "hush#1;hush"

[approval]
required = 0
EOT
ok "an alias in RA mode" scep alias add ra --from ra.ini
like "is listed as such" "$(out scep alias list --match ra)" \
	"ra +ra +ManagementCA"
is "quoted, its secret is whole" "$(err scep alias check ra)" ""
# Without quotes iniparser takes the rest for a comment.
{
	sed 's/^authpwd = .*/authpwd = hush1;hush/' ra.ini
	printf '[scep]\nlegacy = no ; a comment\n'
	printf '[ra]\nnamegenerationparameters = UID#SN\n'
} >cut.ini
ok "values that are cut at ; and #" scep alias add cut --from cut.ini
is "are told of, and no comment is" "$(err scep alias check cut)" \
	"scep: aliases/cut.ini:7: authpwd: a warning: the value ends before the ';'; quote it if that belongs to it, put a blank in front if it is a comment
scep: aliases/cut.ini:14: namegenerationparameters: a warning: the value ends before the '#'; quote it if that belongs to it, put a blank in front if it is a comment"
ok "as what they are, a warning" scep alias check cut
like "scep check too" "$(err scep check)" "aliases/cut.ini:7: authpwd: a warning"
ok "quotes" scep alias set cut authpwd='hush1;hush' \
	namegenerationparameters='UID;SN'
is "are made by alias set" "$(err scep alias check cut)" ""
scep alias delete cut
is "its secret is not shown" "$(out scep alias show ra --match '*authpwd*')" \
	"ra.authpwd        hidden"
is "nor in JSON" "$(out scep alias show ra --json --match '*authpwd*')" \
	'{"name":"ra","ra.authpwd":"hidden"}'
like "the rest is" "$(out scep alias show ra | tr '\n' '|')" \
	'\|cas +ManagementCA  \(default\)\|.*\|ra.existing +renew  \(default\)\|'
unlike "without what means nothing there" "$(out scep alias show ra)" \
	"^(profile|defaultca) "
unlike "as RA mode's keys in CA mode" "$(out scep alias show scep)" "^ra[.]"
ok "a key of another section" scep alias set ra existing edit
ok "is found by its name" grep -qx 'existing = edit' home/aliases/ra.ini
ok "a secret" scep alias set ra authpwd 'hush 2;#'
ok "is quoted" grep -qx 'authpwd = "hush 2;#"' home/aliases/ra.ini
printf 'hush3 \047;"\n' >secret.txt
exits 1 "one that no line can hold" sh -c \
	'"$SCEP" alias set ra authpwd - <secret.txt 2>said'
like "is refused, and not told" "$(cat said)" \
	"^scep: nothing was changed: a value that a configuration file cannot"
printf 'hush4;"\n' >secret.txt
ok "one of standard input" sh -c '"$SCEP" alias set ra ra.authpwd - <secret.txt'
ok "is there" grep -qx "authpwd = 'hush4;\"'" home/aliases/ra.ini
exits 1 "a slip in the word" scep alias set ra authpw hush5
exits 1 "the word that opens the door, not quite" scep alias set ra authpwd NONE
ok "and the very word" scep alias set ra authpwd=none
is "is shown" "$(out scep alias show ra --match ra.authpwd)" \
	"ra.authpwd        none"
exits 2 "one word without a value" scep alias set ra sha1=no hush6 des3=no
ok "several keys at once" scep alias set ra sha1=no ra.authpwd=hush7 required=2
is "are all there" "$(grep -cxE 'sha1 = no|authpwd = hush7|required = 2' \
	home/aliases/ra.ini)" 3
unlike "the audit tells no secret" "$(out scep audit show)" "hush"
like "but that they were changed" "$(out scep audit show)" \
	"alias set  ra  done.*sha1 = no, ra.authpwd = hidden, required = 2"
cp home/aliases/ra.ini before.ra
exits 1 "one bad of several" scep alias set ra sha1=yes window=x
ok "changes nothing" cmp before.ra home/aliases/ra.ini

# A key that several sections have.
several='^scep: several sections have timeout: say which, as one of program.timeout, web.timeout, intune.timeout, proxy.timeout'
exits 2 "a key of several sections, none of which counts" \
	scep alias set ra timeout=5s
like "is asked for with its section" "$(err scep alias set ra timeout=5s)" "$several"
exits 2 "unset, too" scep alias unset ra timeout
exits 2 "one of several" scep alias set ra sha1=no timeout=5s
exits 1 "an alias that is not there" scep alias set nobody timeout=5s
ok "nothing is changed" cmp before.ra home/aliases/ra.ini
mkdir judge
printf '#!/bin/sh\nexit 0\n' >judge/yes
chmod 755 judge/yes
sed '/^authpwd/d' before.ra >home/aliases/far.ini
printf '[challenge]\njudge = program\n[program]\npath = %s\n' \
	"$PWD/judge/yes" >>home/aliases/far.ini
[ "$(id -u)" -ne 0 ] || chown --reference=home home/aliases/far.ini
ok "where one counts" scep alias set far timeout=5s
is "that is meant" "$(sed -n '/^.program/,/^.[^p]*$/p' home/aliases/far.ini |
	grep timeout)" "timeout = 5s"
ok "or with its section" scep alias set far program.timeout=6s
is "it is there once" "$(grep -c timeout home/aliases/far.ini)" 1
ok "unset finds it" scep alias unset far timeout
not_ok "and takes it away" grep -q timeout home/aliases/far.ini
ok "what [scep] has is [scep]'s" scep alias set far cas=ManagementCA
ok "also beside [renewal]" grep -qx "cas = ManagementCA" home/aliases/far.ini
echo nonsense >>home/aliases/far.ini
exits 2 "a broken file says nothing" scep alias set far timeout=5s
scep alias delete far --yes

bad() { # WHAT SECTION LINE SAYS: a line more in ra.ini
	printf '%s\n%s\n' "$2" "$3" >line
	case $2 in
	'[renewal]') cat before.ra line >home/aliases/ra.ini ;;
	*) awk -v s="$2" '{ print } $0 == s { getline l <"line"; getline l <"line"
		print l }' before.ra >home/aliases/ra.ini ;;
	esac
	exits 1 "$1" scep alias check ra
	like "is told" "$(err scep alias check ra)" "aliases/ra.ini:$4"
}
bad "an attribute that is none" '[renewal]' 'renewalignore = CN, nothing' \
	"[0-9]+: renewalignore: no attribute .*: nothing"
bad "a profile that is none" '[ra]' 'certificateprofile = nothing' \
	" profile: no profile nothing"
bad "an end-entity profile that is none" '[ra]' 'entityprofile = nothing' \
	" profile: no profile nothing"
bad "an attribute of the name that is none" '[ra]' \
	'namegenerationparameters = "UID;nothing"' \
	"6: namegenerationparameters: no attribute .*: nothing"
bad "an unknown word in braces" '[ra]' 'namegenerationprefix = ${CN}' \
	'6: namegenerationprefix: the only'
bad "a key of CA mode" '[scep]' 'defaultca = ManagementCA' \
	"2: defaultca: in RA mode"
exits 1 "[ra] in CA mode" scep alias set scep existing edit

sed 's/^authpwd =.*/authpwdfile = ra-secret/' before.ra >home/aliases/ra.ini
exits 1 "a file for the secret that is not there" scep alias check ra
like "is told" "$(err scep alias check ra)" "there is no ra-secret"
echo hush8 >home/ra-secret
[ "$(id -u)" -ne 0 ] || chown --reference=home home/ra-secret
chmod 0644 home/ra-secret
exits 1 "one that all can read" scep alias check
like "is told" "$(err scep alias check)" "mode 0644 of ra-secret"
chmod 0600 home/ra-secret
ok "one that its owner alone can read" scep alias check ra
is "is shown by its name" "$(out scep alias show ra --match '*authpwd*')" \
	"ra.authpwdfile    ra-secret"
ok "set makes it another" scep alias set ra authpwdfile "$PWD/home/ra-secret"
scep alias delete ra --yes
rm home/ra-secret

# --- several people at once ---------------------------------------------------

all() { # N COMMAND...: N at once, the word % is the number
	_i=0 _n=$1 _jobs=
	shift
	rm -f won.*
	while [ $_i -lt "$_n" ]; do
		_i=$((_i + 1))
		_words=$(echo "$@" | sed "s/%/$_i/g")
		# shellcheck disable=SC2086 # words
		sh -c '"$@" 2>>many && : >"won.$0"' $_i $_words >/dev/null &
		_jobs="$_jobs $!"
	done
	# shellcheck disable=SC2086 # pids
	wait $_jobs
}
won() { find . -maxdepth 1 -name 'won.*' | wc -l; }

all 10 "$SCEP" alias set scep identifiers.n% ManagementCA
is "ten at once set ten keys" "$(won)" 10
is "and all are there" "$(grep -c '^n[0-9]* = ' $ini)" 10
all 10 "$SCEP" alias unset scep identifiers.n%
is "and go again" "$(won) $(grep -c '^n[0-9]* = ' $ini)" "10 0"
all 8 "$SCEP" alias add one
is "one of eight adds of one name wins" "$(won)" 1
all 8 "$SCEP" alias rename one to%
is "one of eight renames wins" "$(won)" 1
is "and one alias is there" "$(find home/aliases -name 'to*.ini' | wc -l)" 1
scep alias rename "$(basename home/aliases/to*.ini .ini)" same
for i in 1 2 3 4 5 6 7 8; do
	scep alias copy scep "src$i" >/dev/null
done
all 8 "$SCEP" alias rename src% goal
is "eight renames to one name: one wins" "$(won)" 1
is "seven are still there" "$(find home/aliases -name 'src*.ini' | wc -l)" 7
rm home/aliases/src*.ini

# --- edit ---------------------------------------------------------------------

cp $ini before.ini
ok "edit" edit 'sed -i "s/^;includeca = no/includeca = yes/"' scep
ok "counts" grep -qx 'includeca = yes' $ini
ok "and back" edit "sed -i 's/^includeca = yes/;includeca = no/'" scep
ok "the bytes are what they were" cmp before.ini $ini
mkdir "a b"
printf '#!/bin/sh\necho "; by a script" >>"$1"\n' >"a b/ed it"
chmod +x "a b/ed it"
ok "an editor whose name has blanks" edit '"a b/ed it"' scep
is "did it" "$(tail -n 1 $ini)" "; by a script"
cp before.ini $ini
lines=$(out scep audit show | wc -l)
is "an unchanged text" "$(edit true scep)" "alias scep: nothing was changed"
is "has no audit line" "$(out scep audit show | wc -l)" "$lines"
is "no copy is left" "$(copies)" 0
exits 1 "an editor that fails" edit false scep
is "no copy is left of what did not change" "$(copies)" 0
exits 1 "an editor that is not there" edit /nowhere/ed scep
exits 1 "an editor that removes the copy" edit rm scep
like "is told of" "$(err edit rm scep)" \
	"^scep: nothing was changed: the editor removed its copy"
ok "the file is as it was" cmp before.ini $ini
is "no copy is left" "$(copies)" 0

kept() { sed -n 's/^scep: your text is in //p' said; }
exits 1 "a broken text" edit 'echo nonsense >>' scep
err edit 'echo nonsense >>' scep >said
like "is told of" "$(head -n 1 said)" "nothing was changed: .*scep.ini:[0-9]+"
is "and kept, by name" "$(tail -n 1 "$(kept)")" nonsense
like "for its owner alone" "$(ls -l "$(kept)")" "^-rw-------"
rm home/aliases/.*edit*
exits 1 "a changed text of an editor that fails" \
	edit 'echo "; mine" >>"$1"; false' scep
is "is kept" "$(tail -n 1 home/aliases/.scep.ini.edit.*)" "; mine"
rm home/aliases/.*edit*
exits 1 "a text that is too large" \
	edit 'head -c 300000 /dev/zero | tr "\0" ";" >>' scep
is "is kept" "$(copies)" 1
rm home/aliases/.*edit*
exits 75 "a set while somebody edits" edit \
	'"$SCEP" alias set scep sha1 no; echo "; mine" >>' scep
ok "stays" grep -qx 'sha1 = no' $ini
is "and the edited text is kept" \
	"$(tail -n 1 home/aliases/.scep.ini.edit.*)" "; mine"
err edit '"$SCEP" alias unset scep sha1; echo "; mine" >>' scep >said
like "it says so" "$(head -n 1 said)" "was changed meanwhile"
rm home/aliases/.*edit*
exits 75 "another editor on the file itself" \
	edit "echo '; theirs' >>$ini; echo '; mine' >>" scep
is "is not undone" "$(tail -n 1 $ini)" "; theirs"
rm home/aliases/.*edit*
cp before.ini $ini
ok "an edit inside an edit" edit \
	'VISUAL= EDITOR=true "$SCEP" alias edit scep; echo "; outer" >>' scep
is "has a copy of its own" "$(tail -n 1 $ini)" "; outer"
cp before.ini $ini

if command -v script >/dev/null; then
	# What a person types at the question, on a terminal.
	typed() { # ANSWERS EDITOR
		printf '%b' "$1" | EDITOR=$2 VISUAL='' script -qec \
			"'$SCEP' alias edit scep" /dev/null >said 2>&1
	}
	exits 1 "x throws it away" typed 'x\n' 'echo nonsense >>'
	is "no copy is left" "$(copies)" 0
	exits 1 "k keeps it" typed 'k\n' 'echo nonsense >>'
	is "the copy is left" "$(copies)" 1
	rm home/aliases/.*edit*
	ok "e edits again" typed 'e\n' \
		'if grep -q nonsense "$1"; then sed -i "s/^nonsense/; good/" "$1"; else echo nonsense >>"$1"; fi; :'
	is "what comes out counts" "$(tail -n 1 $ini)" "; good"
	cp before.ini $ini
else
	skip "on a terminal" "no script(1)"
fi

# --- live, in a worker that runs ---------------------------------------------

quiet() { # the worker waits a second after changes that are not ours
	touch -d '1 minute ago' home/aliases/*.ini
}
caps() { request GET "/scep/$1?operation=GetCACaps"; }
quiet
caps scep
like "a worker serves" "$STATUS $(tr '\n' ' ' <body)" "^200.* SHA-1 "
pid=$FCGI_PID
scep alias set scep sha1 no
caps scep
unlike "set is live at once" "$(cat body)" "SHA-1$"
scep alias unset scep sha1
caps scep
like "unset too" "$(cat body)" "SHA-1$"
scep alias add fresh >/dev/null
caps fresh
is "add is live at once" "$STATUS" 200
scep alias copy scep copied
caps copied
is "copy" "$STATUS" 200
scep alias rename copied renamed
caps renamed
is "rename" "$STATUS" 200
caps copied
is "the old name is gone" "$STATUS" 404
scep alias delete renamed
caps renamed
is "delete" "$STATUS" 404
EDITOR='sed -i "s/^;des3 = yes/des3 = no/"' scep alias edit scep
caps scep
unlike "edit" "$(cat body)" "DES3"
secret_file() { # as long ago as the worker wants it
	echo "$1" >home/ra-secret
	chmod 0600 home/ra-secret
	[ "$(id -u)" -ne 0 ] || chown --reference=home home/ra-secret
	touch -d '1 minute ago' home/ra-secret
}
secret_file hush
sed 's/^authpwd =.*/authpwdfile = ra-secret/' ra.ini >file.ini
scep alias add filed --from file.ini >/dev/null
caps filed
is "an alias whose secret is in a file" "$STATUS" 200
mv home/ra-secret moved
caps filed
is "the file was taken away: the alias is down" "$STATUS" 503
caps scep
is "and no other" "$STATUS" 200
secret_file hush2
caps filed
is "another file: it is served again" "$STATUS" 200
scep alias delete filed --yes
ok "it is still the same worker" kill -0 "$pid"

# --- a home that its owner cannot reach by name --------------------------------

if [ "$(id -u)" -eq 0 ]; then
	mkdir -m 0755 open
	scep --home open/home init --owner nobody >/dev/null 2>&1
	cp -r home/ca/ManagementCA open/home/ca/
	chown -R nobody open/home/ca
	scep --home open/home alias add scep >/dev/null
	mkdir -m 0700 closed
	mv open/home closed/home
	ok "set works below a closed folder" \
		scep --home closed/home alias set scep sha1 no
	EDITOR='echo "; x" >>' exits 1 "edit cannot" \
		scep --home closed/home alias edit scep
	like "and says why" \
		"$(EDITOR=true err scep --home closed/home alias edit scep)" \
		"cannot open closed/home/aliases.*folders above"
	is "no copy is left" "$(find closed -name '*edit*' | wc -l)" 0
else
	skip "a closed folder above the home" "only root can become its owner"
fi
done_testing
