#!/bin/sh
# What may happen to the files between an external RA and its CA: forged,
# replayed, altered, cut short, swapped, brought twice; processes killed at
# every call that makes or takes away a name.  Each is refused and told of, the
# others are served, and there is never a second certificate.
# shellcheck disable=SC1091,SC2119,SC2016,SC2034,SC2154 # lib.sh uses them
. "${0%/*}/lib.sh"
. "$TOP/tests/queue.sh"

two_homes
SECRET="a joint secret of the fleet"
OUT=ra/store/queue/fleet/out IN=ra/store/queue/fleet/in

# NAME: the name of its record.  Only one waits.
only() { ls "$OUT"; }
newest() { find "$OUT" -type f -printf '%C@ %f\n' | sort -n | tail -n 1 |
	cut -d' ' -f2; }
# Pulls what lies in copy/ as it is.
take() {
	at_ca
	"$SCEP" queue pull copy >pull.out 2>pull.err
	_pulled=$?
	at_ra
	return $_pulled
}
certs() { # CN: how many has the CA issued?
	at_ca
	"$SCEP" cert list --json | grep -c "CN=$1[\",]"
	at_ra
}

# DESCRIPTION REASON: what lies in copy/ is refused for that, and a good one
# beside it is served.
n=0
refused() {
	n=$((n + 1))
	enrol "good$n" "$SECRET" fleet >.word
	_good=$(newest)
	cp "$OUT/$_good" "copy/fleet/out/$_good"
	exits 1 "$1: exit status of the pull" take
	like "$1: is told" "$(cat pull.err)" "request .*: not taken: $2"
	is "$1: once, and the sum" "$(grep -c "not taken" pull.err) $(tail -n 1 \
		pull.err | grep -c "scep: 1 of them are not requests of this RA")" "1 1"
	like "$1: the other one is served" "$(cat pull.out)" "issued CN=good$n"
	rm -rf copy
	mkdir -p copy/fleet/out
	rm -f "$OUT"/*
}
sync_copy() { rm -rf copy && carry_out; }

# --- on the way to the CA ------------------------------------------------------------------

# Another RA of the very CA, which is not in [queue] ra.
cp -a ra evil
SCEP_HOME=$FRESH/evil
rm -rf evil/ca/Lab/ra
quietly "$SCEP" ca ra request Lab --out evil.csr
at_ca
quietly "$SCEP" ca ra sign Lab evil.csr --out evil.pem
SCEP_HOME=$FRESH/evil
quietly "$SCEP" ca ra install Lab evil.pem
cp ra.pem ra.keep && cp evil.pem ra.pem
is "another RA takes a request" "$(enrol forged "$SECRET" fleet)" PENDING
cp ra.keep ra.pem
at_ra
mkdir -p copy/fleet/out
cp evil/store/queue/fleet/out/* copy/fleet/out/
refused "signed by another RA" "who signed it is not known here"
is "nothing is issued for it" "$(certs forged)" 0

enrol dup "$SECRET" fleet >.word
sync_copy
name=$(only)
mv "copy/fleet/out/$name" "copy/fleet/out/${name%1}2"
refused "under another attempt's name" "it was written under another name"

enrol dup "$SECRET" fleet >.word
sync_copy
mv "copy/fleet/out/$name" "copy/fleet/out/$(echo "$name" | tr 0-9 1-90)"
refused "under another transaction's name" "it was written under another name"

# The same, and the name in the head too, which nobody far away believes.
enrol dup "$SECRET" fleet >.word
sync_copy
sed "s/attempt = 1/attempt = 2/" "copy/fleet/out/$name" >x
rm "copy/fleet/out/$name"
mv x "copy/fleet/out/${name%1}2"
refused "with a head to fit" "it was written under another name"

enrol dup "$SECRET" fleet >.word
sync_copy
mkdir -p copy/codes/out
mv "copy/fleet/out/$name" copy/codes/out/
refused "in another alias's room" "it is of another alias"

for at in 6 20 40 60 -3; do
	enrol dup "$SECRET" fleet >.word
	sync_copy
	# line AT of the block: one letter becomes another
	awk -v at="$at" '{ line[NR] = $0 } /BEGIN/ { from = NR }
		END { at = at > 0 ? from + at : NR + at
			c = substr(line[at], 9, 1)
			line[at] = substr(line[at], 1, 8) \
			    (c == "A" ? "B" : "A") substr(line[at], 10)
			for (i = 1; i <= NR; i++) print line[i] }' \
		"copy/fleet/out/$name" >x
	not_ok "line $at: it is another file" cmp x "copy/fleet/out/$name"
	mv x "copy/fleet/out/$name"
	refused "line $at altered" "(its content was changed|its signature is wrong|not a SignedData|who signed it is not known here|not exactly one|the SignerInfo|certificates are|its attributes|the signed attributes|it is not whole)"
done

for part in 2 10; do
	enrol cut "$SECRET" fleet >.word
	sync_copy
	cut=$(only)
	size=$(wc -c <"$OUT/$cut")
	head -c $((size - size / part)) "$OUT/$cut" >"copy/fleet/out/$cut"
	cp "$OUT/$cut" whole
	refused "cut short by 1/$part" "it is not whole"
done
: >"copy/fleet/out/$cut"
refused "empty" "it is not whole"
cp whole "copy/fleet/out/$cut"
ok "taken when it is whole" take
is "and issued" "$(certs cut)" 1
rm -f copy/fleet/out/*
printf '[queued]\n-----BEGIN CMS-----\nMIIB\n-----END CMS-----\n' \
	>"copy/fleet/out/$name"
refused "no CMS at all" "not a SignedData"
cp whole copy/fleet/out/readme
refused "a name that is none" "it has a name that no request has"

mkdir -p copy/nobody/out copy/scep/out
at_ca
quietly "$SCEP" alias add scep --ca Lab
exits 1 "rooms of no alias here" take
like "are told of" "$(cat pull.err)" "alias nobody: there is none here"
like "and of one without queue" "$(cat pull.err)" \
	"alias scep takes no requests of an external RA"
rm -rf copy

# What somebody on the RA's host could leave there: a FIFO, links, folders.
# None is followed, and none holds up the others.
enrol odd "$SECRET" fleet >.word
carry_out
cp "copy/fleet/out/$(only)" linked
mkfifo copy/fleet/out/0fifo
mkdir copy/fleet/out/0dir
ln -s "$FRESH/linked" "copy/fleet/out/0link"
at_ca
timeout 60 "$SCEP" queue pull copy >pull.out 2>pull.err
is "odd files: exit status" $? 1
at_ra
like "they are told of" "$(cat pull.err)" "0dir is not a regular file"
like "all three" "$(tail -n 1 pull.err)" "^scep: 3 of them are not requests"
like "the other one is served" "$(cat pull.out)" "issued CN=odd"
rm -rf copy/fleet/out/0fifo copy/fleet/out/0dir copy/fleet/out/0link \
	copy/fleet/in outside
mkdir outside
ln -s ../../outside copy/fleet/in
exits 1 "answers by a link" take
is "go nowhere else" "$(ls outside)" ""
rm copy/fleet/in
mv copy/fleet outside/
ln -s ../outside/fleet copy/fleet
exits 1 "a room that is a link" take
is "is not entered" "$(ls outside/fleet)" out
like "and is told of" "$(cat pull.err)" "alias fleet: its rooms are no directories"
rm -rf copy outside
mkfifo ra/store/queue/fleet/out/0fifo
ln -s /etc/passwd ra/store/queue/fleet/out/0link
ok "the example carries files and folders alone" pull
is "no link, no FIFO" "$(find copy ! -type f ! -type d)" ""
is "modes are the home's" "$(find copy -type f ! -perm 640)" ""
# What no signature covers can be varied: here a length in five bytes.
cat >vary.py <<'EOT'
import base64, sys
head, rest = sys.stdin.read().split("-----BEGIN CMS-----\n")
der = base64.b64decode(rest.split("-----END")[0])
assert der[:2] == b"\x30\x82"
der = b"\x30\x84\0\0" + der[2:]
print(head + "-----BEGIN CMS-----")
print(base64.encodebytes(der).decode(), end="")
print("-----END CMS-----")
EOT
said() { find ca/store/queue/fleet/done -type f | wc -l; }
before=$(said)
python3 vary.py <linked >varied
cp varied "copy/fleet/out/$(only)"
take
like "a variation is the same letter" "$(cat pull.out)" "1 answered before"
is "and said nothing more to" "$(said)" "$before"
rm -f ra/store/queue/fleet/out/0fifo ra/store/queue/fleet/out/0link
is "odd has its certificate" "$(poll odd fleet)" SUCCESS

# --- on the way back --------------------------------------------------------------------------

enrol a "$SECRET" fleet >.word
a=$(only)
enrol b "$SECRET" fleet >.word
b=$(newest)
ok "two are taken" pull
mv "$IN/$a" x && mv "$IN/$b" "$IN/$a" && mv x "$IN/$b"
is "the other's answer is none" "$(poll a fleet)" PENDING
like "and is told of" "$(cat log)" \
	"answer $a is not taken: it was written under another name"
exits 1 "import tells of the other" "$SCEP" queue import --here
like "in one line" "$(cat .out)" \
	"alias fleet: $b is not taken: it was written under another name"
is "neither is kept" "$(ls "$IN")" ""
cp copy/fleet/in/news,* "$IN/$a"
is "news are no answer" "$(poll a fleet)" PENDING
cp "$OUT/$a" "$IN/$a"
is "nor is the request itself" "$(poll a fleet)" PENDING
like "since the CA has not signed it" "$(tail -n 2 log)" \
	"who signed it is not known here"
sed '6s/./A/5' "copy/fleet/in/$a" >"$IN/$a"
is "an altered one is none" "$(poll a fleet)" PENDING
head -c 700 "copy/fleet/in/$a" >"$IN/$a"
is "half of one is none" "$(poll a fleet)" PENDING
like "it is not whole" "$(tail -n 2 log)" "it is not whole"
ok "the next pull brings them again" pull
is "a has its certificate" "$(poll a fleet)" SUCCESS
is "b too" "$(poll b fleet)" SUCCESS
is "one for each" "$(certs a) $(certs b)" "1 1"

# An answer to an older letter of the same name.
is "c waits" "$(enrol c "$SECRET" fleet)" PENDING
carry_out
rm "$OUT"/*
is "its record was lost; it comes again" "$(enrol c "$SECRET" fleet)" PENDING
c=$(only)
# rsync takes files of one size and one second for the same.
touch -d "3 seconds ago" "$OUT/$c"
take
cp "copy/fleet/in/$c" "$IN/$c"
is "the answer to the old letter is none" "$(poll c fleet)" PENDING
like "and is told of" "$(tail -n 2 log)" "it answers another letter"
ok "the CA says the same to the new one" pull
like "and has not decided again" "$(cat pull.out)" "^$|0 issued, 0 refused"
is "c has its certificate" "$(poll c fleet)" SUCCESS
is "one" "$(certs c)" 1

# A record that never arrived comes again.
is "e waits" "$(enrol e "$SECRET" fleet)" PENDING
rm "$OUT"/*
is "its record was lost; it comes again" "$(enrol e "$SECRET" fleet)" PENDING
ok "the CA takes it" pull
is "e has its certificate" "$(poll e fleet) $(certs e)" "SUCCESS 1"

# Another CSR under the name of one that was answered.
is "f waits" "$(enrol f "$SECRET" fleet)" PENDING
carry_out
rm "$OUT"/*
take
is "another CSR of that name" "$(enrol f "$SECRET" fleet --subject /CN=f/O=x)" \
	PENDING
f=$(only)
touch -d "3 seconds ago" "$OUT/$f"
exits 1 "has no answer" pull
like "and is told of" "$(cat pull.err)" \
	"another request of this name was answered before"
is "f has one certificate" "$(certs f)" 1
rm -f "$OUT"/* "$IN"/*

# A CA's new certificate for its key.
at_ca
quietly "$SCEP" ca renew Lab
at_ra
enrol renewed "$SECRET" fleet >.word
ok "after ca renew: a pull" pull
is "its answers are believed" "$(poll renewed fleet)" SUCCESS
ok "its news too" "$SCEP" queue import --here

# Old news.
ok "news" pull
cp copy/fleet/in/news,* oldnews
newsname=$(basename copy/fleet/in/news,*)
at_ca
"$SCEP" cert revoke "$("$SCEP" cert list --json | sed -n \
	's/.*"serial":"\([0-9a-f]*\)".*CN=cut.*/\1/p')" --yes >.out 2>&1 ||
	diag "$(cat .out)"
at_ra
sleep 1 # they have one second's resolution
ok "newer ones" pull
request GET /crl/Lab.crl
number=$(openssl crl -inform DER -in body -noout -crlnumber)
cp oldnews "$IN/$newsname"
request GET "/scep/fleet/pkiclient.exe?operation=GetCACert"
request GET /crl/Lab.crl
is "old ones bring nothing back" "$(openssl crl -inform DER -in body -noout \
	-crlnumber)" "$number"

# News of a CA whose clock is wrong would have all later ones refused.
faketime=$(find /usr/lib -name libfaketime.so.1 | head -n 1)
if [ -n "$faketime" ] && [ "${SCEP_FLAVOUR:-plain}" != asan ]; then
	cp -a ca future
	carry_out
	SCEP_HOME=$FRESH/future
	LD_PRELOAD=$faketime FAKETIME=+400d "$SCEP" queue pull copy \
		>pull.out 2>pull.err
	at_ra
	cp copy/fleet/in/news,* "$IN/"
	exits 1 "news of next year" "$SCEP" queue import --here
	like "are told of" "$(cat .out)" \
		"news is not taken: they were written in the future"
	rm -rf future copy
else
	skip "news of next year" "needs libfaketime, on the plain build"
fi

# --- twice, and at once --------------------------------------------------------------------------

for i in 1 2 3 4; do
	enrol "both$i" "$SECRET" fleet >.word
done
carry_out
at_ca
"$SCEP" queue pull copy >one.out 2>one.err &
first=$!
"$SCEP" queue pull copy >two.out 2>two.err
second=$?
wait $first
is "two pulls at once" "$? $second" "0 0" || diag "$(cat one.err two.err)"
cp -a copy/fleet/in before
"$SCEP" queue pull copy >three.out
like "a third has nothing to do" "$(cat three.out)" \
	"0 issued, 0 refused, 0 wait, 4 answered before"
rm -f before/news,*
ok "and says the same" diff -rq -x 'news,*' before copy/fleet/in
at_ra
rsync -a copy/fleet/in/ "$IN/"
for i in 1 2 3 4; do
	is "both$i" "$(poll "both$i" fleet) $(certs "both$i")" "SUCCESS 1"
done

# --- a stream instead of rsync --------------------------------------------------------------------

is "by command" "$(enrol stream "$SECRET" fleet)" PENDING
cat >ssh <<END
#!/bin/sh
shift
exec env SCEP_HOME=$FRESH/ra "\$@"
END
chmod 755 ssh
at_ca
ok "pull --command" "$SCEP" queue pull --command \
	"$FRESH/ssh ra $SCEP queue"
like "takes it" "$(cat .out)" "issued CN=stream"
exits 75 "a command that fails" "$SCEP" queue pull --command "/bin/false x"
at_ra
is "and its answer has come" "$("$SCEP" queue list)" ""
is "to the client" "$(poll stream fleet)" SUCCESS
"$SCEP" queue export >stream
head -c -1 stream >half
exits 1 "half a stream is none" sh -c '"$SCEP" queue import <half'
for odd in news,zzz news,../../x ../x; do
	printf 'scep-queue 1\nfile fleet %s 1\nx\nend\n' "$odd" >odd
	exits 1 "$odd is no answer's name" sh -c '"$SCEP" queue import <odd'
done
is "nothing of them is kept" "$(ls "$IN")" ""

# What a stream is too small for is in the next one.
for i in 1 2 3 4; do
	enrol "part$i" "$SECRET" fleet >.word
done
"$SCEP" queue export --limit 1500 >stream 2>stream.err
like "a part" "$(cat stream.err)" "[23] requests are left to the next export"
is "is whole" "$(tail -n 1 stream)" end
exits 2 "a limit over what a pull reads" "$SCEP" queue export --limit 50331649
sed 's/^exec.*/case $* in *export) set -- "$@" --limit 1500 ;; esac\n&/' \
	ssh >ssh-slow
chmod 755 ssh-slow
at_ca
rounds=0
while [ $rounds -lt 12 ] && [ -n "$(ls "$OUT")" ]; do
	rounds=$((rounds + 1))
	"$SCEP" queue pull --command "$FRESH/ssh-slow ra $SCEP queue" \
		>>slow.out 2>&1
done
at_ra
is "pull by pull all are taken" "$(grep -c "issued CN=part" slow.out) $(ls "$OUT")" "4 "
for i in 1 2 3 4; do
	is "part$i" "$(poll "part$i" fleet) $(certs "part$i")" "SUCCESS 1"
done

# More than a pull reads: letters of before there was a limit for them.
head -c 250000 /dev/zero >heap.0
python3 -c 'import os, sys
for i in range(300): os.link("heap.0", "%s/%064x,1" % (sys.argv[1], i))' "$OUT"
"$SCEP" queue export >stream 2>stream.err
ok "a heap: one stream is what a pull reads" \
	test "$(wc -c <stream)" -gt 50000000 -a "$(wc -c <stream)" -lt 51000000
is "and whole" "$(tail -c 5 stream)" "
end"
find "$OUT" -type f -links +1 -delete
rm -f stream "$OUT"/*

# News are signed once for each alias, whatever the other side prints.
printf '#!/bin/sh\n[ "$1" = import ] || exec cat %s/hostile\n' "$FRESH" >evil-ra
chmod 755 evil-ra
{
	echo "scep-queue 1"
	for alias in codes fleet codes fleet; do
		printf 'file %s - 0\n\n' $alias
	done
	echo end
} >hostile
at_ca
exits 1 "a stream that goes back" "$SCEP" queue pull --command "$FRESH/evil-ra"
is "is told of" "$(cat .out)" "scep: alias codes stands behind fleet in what \
the command printed, which no \`scep queue export\` does: nothing more is taken"
{
	echo "scep-queue 1"
	for alias in fleet nobody nobody nobody; do
		printf 'file %s x 0\n\n' $alias
	done
	echo end
} >hostile
exits 1 "one for no alias" "$SCEP" queue pull --command "$FRESH/evil-ra"
is "is told of once" "$(grep -c "alias nobody: there is none" .out)" 1
at_ra

# --- who never comes back ------------------------------------------------------------------------

rm -rf copy
rm -f "$OUT"/* "$IN"/*
quietly "$SCEP" alias set fleet queue.limit 2
touch -d '5 seconds ago' ra/aliases/fleet.ini
enrol gone1 "$SECRET" fleet >.word
enrol gone2 "$SECRET" fleet >.word
is "two wait, a third cannot" "$(enrol third "$SECRET" fleet)" "http 503"
ok "the CA answers the two" pull
is "nobody asks, and a third waits" "$(enrol third "$SECRET" fleet)" PENDING
is "it alone" "$("$SCEP" queue list --json | grep -c .) $("$SCEP" queue list \
	--json | grep -c '"subject":"CN=third"')" "1 1"
enrol fourth "$SECRET" fleet >.word
echo none >"$IN/$(only | head -n 1)"
is "no answer makes no room" "$(enrol fifth "$SECRET" fleet)" "http 503"
like "and is told of" "$(cat log)" "the answer [0-9a-f]*,1 is not taken: it is not whole"
is "but is away" "$(ls "$IN")" ""
is "the two have theirs" "$(poll gone1 fleet) $(poll gone2 fleet)" \
	"SUCCESS SUCCESS"

# By the example, where ssh reaches the RA: its program takes them.
cat >bin/ssh <<'EOT'
#!/bin/sh
[ "$1" = ra-host ] || exit 255
shift
exec sh -c "$*"
EOT
chmod 755 bin/ssh
cat >bin/far <<EOT
#!/bin/sh
echo "\$SCEP_HOME \$*" >>far.log
exec "$SCEP" "\$@"
EOT
chmod 755 bin/far
far_pull() { # RA_SCEP
	env PATH="$FRESH/bin:$PATH" SCEP="$FRESH/bin/scep" COPY=copy \
		RA="ra-host:$FRESH/ra/store/queue" RA_SCEP="$1" \
		"$TOP/examples/queue-pull.sh" >pull.out 2>pull.err
}
ok "by ssh" far_pull "$FRESH/bin/far" || diag "$(cat pull.err)"
is "the RA's program is run" "$(cat far.log)" "$FRESH/ra queue import --here"
is "and nothing waits" "$(ls "$OUT")$(ls "$IN")" ""
ok "not where it is not wanted" far_pull no
is "it is not run" "$(wc -l <far.log)" 1
ok "its trouble is not the pull's" far_pull /nowhere/scep
like "and is told of" "$(cat pull.err)" "/nowhere/scep"
quietly "$SCEP" alias set fleet queue.limit 1000
touch -d '5 seconds ago' ra/aliases/fleet.ini
rm -f "$IN"/*

# What else a taken-over RA has does not come to the CA's disk.
is "a request" "$(enrol slim "$SECRET" fleet)" PENDING
slim=$(only)
mkdir -p ra/store/queue/fleet/out/0deep/deeper ra/store/queue/fleet/more \
	ra/store/queue/deep/deep/deep
for at in fleet/big fleet/out/0deep/deeper/x fleet/more/x deep/deep/deep/x big; do
	echo x >"ra/store/queue/$at"
done
head -c 600000 /dev/zero >"ra/store/queue/fleet/out/0big"
mkdir -p copy/fleet/more # of an older copy
exits 1 "a pull" pull
like "tells of the folder alone" "$(cat pull.err)" "alias deep: there is none here"
is "what comes are its rooms" "$(cd copy && find . -mindepth 3 \
	! -path './*/in/*')" "./fleet/out/$slim"
is "and those of aliases" "$(cd copy/fleet && echo *)" "in out"
is "nothing is at the top" "$(find copy -maxdepth 1 -type f)" ""
is "the request is served" "$(poll slim fleet)" SUCCESS
rm -rf ra/store/queue/fleet/out/0* ra/store/queue/fleet/more \
	ra/store/queue/deep ra/store/queue/fleet/big ra/store/queue/big copy

# --- killed ----------------------------------------------------------------------------------------

if strace -e trace=none true 2>/dev/null; then
	no_leaks
	# Who made a folder may have died before its name was durable.
	enrol synced "$SECRET" fleet >.word
	carry_out
	at_ca
	strace -f -y -qq -o trace -e trace=fsync "$SCEP" queue pull copy >.out 2>&1
	at_ra
	for at in store store/queue store/queue/fleet store/queue/fleet/done; do
		ok "the names in $at are durable before an answer" \
			grep -q "fsync(.*/ca/$at>)" trace
	done
	is "it has its answer" "$(pull; poll synced fleet)" SUCCESS
	round=0 step=1 bad=''
	# see killed_at() in lib.sh
	[ "$HURRY" = 0 ] || step=9
	kill_at() { # CALL N COMMAND...
		_call=$1 _n=$2
		shift 2
		strace -f -qq -o trace -e "trace=$_call" \
			-e "inject=$_call:signal=KILL:when=$_n" "$@" \
			>.out 2>&1
	}
	for call in linkat renameat unlinkat; do
		n=$((1 - step)) hit=yes
		while [ $hit = yes ] && [ $n -lt 20 ]; do
			n=$((n + step)) round=$((round + 1))
			enrol "k$round" "$SECRET" fleet >.word
			carry_out
			at_ca
			kill_at $call $n "$SCEP" queue pull copy && hit=no
			at_ra
			pull || bad="$bad $call:$n:pull"
			[ "$(poll "k$round" fleet)" = SUCCESS ] ||
				bad="$bad $call:$n:poll"
			[ "$(certs "k$round")" = 1 ] || bad="$bad $call:$n:certs"
		done
		ok "pull killed at $((n - 1)) of $call" test $n -gt 1 -a $hit = no
	done
	is "each converged on one certificate" "$bad" ""
	bad=
	for call in linkat unlinkat; do
		n=$((1 - step)) hit=yes
		while [ $hit = yes ] && [ $n -lt 20 ]; do
			n=$((n + step)) round=$((round + 1))
			enrol "k$round" "$SECRET" fleet >.word
			pull || bad="$bad $call:$n:pull"
			kill_at $call $n "$SCEP" queue import --here && hit=no
			[ "$(poll "k$round" fleet)" = SUCCESS ] ||
				bad="$bad $call:$n:poll"
		done
		ok "the RA killed at $((n - 1)) of $call" \
			test $n -gt 1 -a $hit = no
	done
	is "each converged" "$bad" ""
	is "nothing waits" "$("$SCEP" queue list)" ""
else
	skip "killed" "strace cannot trace here"
fi

at_ca
ok "scep check of the CA's home" "$SCEP" check || diag "$(cat .out)"
at_ra
done_testing
