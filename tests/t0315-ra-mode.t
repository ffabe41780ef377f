#!/bin/sh
# RA mode: whoever knows the alias's secret enrols, and the entity is made of
# the request (ejbca-behaviour 4; C-85, C-113, C-163).
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

make_home
"$SCEP" ca create OtherCA --subject "CN=Other CA" --key rsa:2048 >.out 2>&1
"$SCEP" ca export OtherCA --out other.pem >.out 2>&1

# The lines of an alias: [ra] and what comes behind it.
alias_ra() { # NAME LINES...
	_alias=$1
	shift
	{
		printf '[scep]\noperationmode = ra\n[approval]\nrequired = 0\n'
		printf '[renewal]\nwindow = 50%%\n[ra]\n'
		printf 'defaultca = ManagementCA\n'
		printf '%s\n' "$@"
	} >"home/aliases/$_alias.ini"
	touch -d "3 seconds ago" "home/aliases/$_alias.ini"
}

# What NAME's message gets: "issued", "resent", or the reason in the log.
gets() { # NAME [ALIAS]
	: >log
	request POST "/scep/${2:-ra}/pkiclient.exe?operation=PKIOperation" \
		"$1.der"
	[ "$STATUS" = 200 ] || { echo "http $STATUS" && return; }
	builder certrep --ca ca.pem --key "$1.key" --cert "$1.crt" --in body \
		--out-prefix "$1-" >"$1.rep" 2>>log
	case $(reply "$1" status) in
	0) sed -n 's/.*result=\([a-z]*\).*/\1/p' log | tail -n 1 ;;
	*) sed -n 's/.*failinfo=\([A-Za-z]*\) reason="\([^"]*\)".*/\1: \2/p' \
		log | tail -n 1 ;;
	esac
}

entities() { "$SCEP" entity list --json | wc -l; }
shown() { "$SCEP" entity show "$1" 2>&1; }

alias_ra ra 'authpwd = "a secret of the fleet"'
pkcsreq box "a secret of the fleet" --subject "/C=SE/O=Lab/CN=box" \
	--san dns:box.example
for DOOR in cgi fcgi; do
	is "$DOOR: the secret enrols, and again gets the same" "$(gets box)" \
		"$([ $DOOR = cgi ] && echo issued || echo resent)"
done
DOOR=cgi
like "for the request's names" \
	"$(openssl x509 -in box-0.pem -noout -subject -ext subjectAltName)" \
	"C = SE, O = Lab, CN = box"
like "and its SAN" \
	"$(openssl x509 -in box-0.pem -noout -ext subjectAltName)" "box.example"
ok "which the CA signed" openssl verify -CAfile ca.pem box-0.pem
like "the entity has the names" "$(shown box)" "C=SE,O=Lab,CN=box"
like "and the SAN" "$(shown box)" "dNSName=box.example"
pkcsreq box "a secret of the fleet" --subject "/C=SE/O=Lab/CN=box"
is "the same key again: the same certificate" "$(gets box)" resent

# The secret.
pkcsreq two "not it"
is "a wrong secret" "$(gets two)" "badRequest: wrong secret of the alias"
pkcsreq two ""
is "none" "$(gets two)" "badRequest: no challengePassword"
is "nobody was made" "$(entities)" 1
cat log home/store/audit/* >seen
find home/store -type f -exec cat {} + >>seen
not_ok "the secret is nowhere" grep -q "secret of the fleet\|not it" seen

# Its own certificate renews it, without the secret; the old names stand.
cp box-0.pem old.pem && cp box.key old.key
client_key new
renews() { # NAME SUBJECT OPTIONS...: a renewal by old.pem, answered to old.key
	_n=$1 _subject=$2
	shift 2
	cp old.pem "$_n.crt"
	cp old.key "$_n.key"
	builder pkcsreq --ca ca.pem --key new.key --signer-cert old.pem \
		--signer-key old.key --txid "id-$_n" --subject "$_subject" \
		--out "$_n.der" "$@"
}
renews soon /CN=box --type 17
like "a renewal on the first day" "$(gets soon)" "^badRequest: too early"
alias_ra ra 'authpwd = "a secret of the fleet"'
sed -i 's/^window = .*/window = 0%/' home/aliases/ra.ini
touch -d "3 seconds ago" home/aliases/ra.ini
renews foreign /CN=other --type 17
like "for another name" "$(gets foreign)" "^badMessageCheck: "
renews next /CN=box --type 17
is "the old certificate pays for the next" "$(gets next)" issued
is "with the registered names" \
	"$(openssl x509 -in next-0.pem -noout -subject -ext subjectAltName)" \
	"$(openssl x509 -in old.pem -noout -subject -ext subjectAltName)"
is "once" "$(gets next)" resent
is "for one entity" "$(entities)" 1

# Whose name it is: existing = renew, edit, refuse.
client_key rival
pkcsreq rival "a secret of the fleet" --subject "/CN=box"
like "the name is taken: only its certificate renews" "$(gets rival)" \
	"badRequest: the entity exists: only its certificate"
"$SCEP" entity add mine --ca ManagementCA --generate >.out
pkcsreq mine "a secret of the fleet"
like "an administrator's entity is not the alias's" "$(gets mine)" \
	"badRequest: the entity was not made by this alias"
alias_ra edit 'authpwd = "x y"' 'existing = edit'
pkcsreq rival "x y" --subject "/O=New/CN=box"
is "edit: it gets one" "$(gets rival edit)" issued
like "and the entity its names" "$(shown box)" "O=New,CN=box"
# a transaction's name is not for another subject
"$SCEP" entity block box
pkcsreq rival "x y" --subject "/CN=rival" --txid same
is "a name of one's own" "$(gets rival edit)" issued
"$SCEP" cert revoke "$(serial rival-0.pem)" --yes >.out 2>&1
pkcsreq rival "x y" --subject "/CN=box" --txid same
is "does not get round the block of another" "$(gets rival edit)" \
	"badRequest: entity is blocked"
"$SCEP" entity unblock box
alias_ra no 'authpwd = "x y"' 'existing = refuse'
client_key third
pkcsreq third "x y" --subject "/CN=box"
is "refuse: nobody gets another" "$(gets third no)" \
	'badRequest: the entity exists (`existing = refuse`)'
pkcsreq newone "x y"
is "but a new one" "$(gets newone no)" issued
is "which may ask again" "$(gets newone no)" resent
"$SCEP" entity block newone
is "unless it is blocked and asks anew" "$(gets newone no)" resent
pkcsreq newone "x y" --txid another
is "blocked" "$(gets newone no)" "badRequest: entity is blocked"

# No check has to be written out, and is none.
alias_ra open 'authpwd = none'
pkcsreq any1 "whatever this is"
is "none: any challenge" "$(gets any1 open)" issued
not_ok "which is not logged" grep -q "whatever this" log
pkcsreq any2 ""
is "or nothing" "$(gets any2 open)" issued

# Names (each example of the table is in tests/unit/test_enrol_name.c).
alias_ra uid 'authpwd = none' 'namegenerationparameters = UID;SN;CN' \
	'namegenerationprefix = pre-' 'namegenerationpostfix = -post'
pkcsreq named "" --subject "/C=SE/O=FooO/UID=foo/CN=bar"
is "the first of the list" "$(gets named uid)" issued
ok "with prefix and postfix" "$SCEP" entity show pre-foo-post
before=$(entities)
pkcsreq nameless "" --subject "/O=only"
is "nothing to make a name of" "$(gets nameless uid)" \
	"badRequest: no username can be made of the request's subject \
(\`[ra] namegenerationparameters\`)"
is "and nobody is made" "$(entities)" "$before"
alias_ra random 'authpwd = none' 'namegenerationscheme = RANDOM' \
	'namegenerationprefix = r-'
pkcsreq rnd ""
is "a random name" "$(gets rnd random)" issued
like "of twelve letters and digits" \
	"$("$SCEP" entity list --json)" '"username":"r-[A-Za-z0-9]{12}"'
before=$(entities)
is "is made once" "$(gets rnd random)" resent
pkcsreq rnd "" --csr rnd.csr
is "and re-signed" "$(gets rnd random)" resent
is "for one entity" "$(entities)" "$before"
alias_ra fixed 'authpwd = none' 'namegenerationscheme = FIXED' \
	'namegenerationparameters = device' 'existing = edit'
pkcsreq dev1 ""
pkcsreq dev2 ""
is "fixed" "$(gets dev1 fixed)" issued
is "everybody is one" "$(gets dev2 fixed)" issued
like "the last names count" "$(shown device)" "CN=dev2"

i=0
while [ $i -lt 8 ]; do
	i=$((i + 1))
	pkcsreq "r$i" "a secret of the fleet" --subject /CN=race
done

# How many, and by what names: the end-entity profile.
cat >home/profiles/TWO.ini <<'INI'
[entity]
cn = pattern "dev[0-9]"
enrolments = 2
INI
touch -d "3 seconds ago" home/profiles/TWO.ini
alias_ra two 'authpwd = none' 'entityprofile = TWO' 'existing = edit'
i=0
for want in issued issued "badRequest: the entity has had all its"; do
	i=$((i + 1))
	client_key "dev1-$i"
	pkcsreq "dev1-$i" "" --subject /CN=dev1
	like "enrolments = 2: number $i" "$(gets "dev1-$i" two)" "^$want"
done
i=0
while [ $i -lt 6 ]; do
	i=$((i + 1))
	cp "r$i.key" "n$i.key"
	pkcsreq "n$i" "" --subject /CN=dev3
	mkdir "many$i"
	cp "n$i".* ca.pem "many$i"
done
for i in 1 2 3 4 5 6; do
	(cd "many$i" && FRESH=$PWD && gets "n$i" two) >"many$i.got" &
	many="${many:-} $!"
done
# shellcheck disable=SC2086 # words
wait $many
for i in 1 2 3 4 5 6; do
	gets "n$i" two >>many.got
done
is "and of six at once" \
	"$("$SCEP" cert list --json | grep -c '"subject":"CN=dev3"')" 2
pkcsreq stranger ""
like "the rules of the entity profile" "$(gets stranger two)" "^badRequest: "
like "name the field" "$(cat log)" "field=CN"

# A name that is given to another is not the old holder's any more.
"$SCEP" entity delete box --yes >.out 2>&1
wait_for test "$(date +%s)" -gt "$(stat -c %Y home/store/transaction)"
"$SCEP" entity add box --ca ManagementCA --subject "CN=box,O=Other" \
	--generate >.out
cp next-0.pem old.pem && cp new.key old.key && cp r1.key new.key
renews afterwards /CN=box --type 17
like "a certificate of a deleted entity renews nothing" \
	"$(gets afterwards)" "^badMessageCheck: the signer's entity was deleted"

# The CA.
cp ca.pem keep.pem && cp other.pem ca.pem
pkcsreq foreign "" --subject /CN=foreign
cp keep.pem ca.pem
is "an envelope for a CA that is not served" "$(gets foreign open)" \
	"badRequest: the envelope is for no CA of this alias"
request GET "/scep/ra/pkiclient.exe?operation=GetCACert"
openssl x509 -in ca.pem -outform DER -out ca.der
ok "GetCACert answers for defaultca" cmp body ca.der
sed 's/operationmode = ra/&\ncas = OtherCA/' home/aliases/open.ini >both.ini
cp both.ini home/aliases/both.ini
touch -d "3 seconds ago" home/aliases/both.ini
is "unless cas has it" "$(gets foreign both)" issued
request GET "/scep/both/pkiclient.exe?operation=GetCACert"
ok "and still answers for defaultca" cmp body ca.der

# One name, eight keys at once: one certificate.
race() {
	i=0
	while [ $i -lt 8 ]; do
		i=$((i + 1))
		mkdir -p "race$i"
		(
			cd "race$i" || exit
			cp "../r$i".* ../ca.pem .
			FRESH=$PWD gets "r$i"
		) >"race$i.got" &
		rivals="${rivals:-} $!"
	done
	# shellcheck disable=SC2086 # words
	wait $rivals
}
race
is "one name for eight keys at once: one certificate" \
	"$(cat race?.got | grep -c issued)" 1
is "and no other in the store" "$("$SCEP" cert list --json |
	grep -c '"subject":"CN=race"')" 1

done_testing
