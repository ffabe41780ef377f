#!/bin/sh
# Everything that no client makes (builder --list-breaks): each gets the
# answer of C-155 to C-167, nothing is stored, and a good request right after
# succeeds.
#
# The breaks by rule.  SignedData: its shape and caps C-45, C-52, versions and
# algorithms C-50, C-51, C-100, C-160, attributes C-47, C-59, C-64, C-71, times
# C-164, types without a verb C-132, C-142, C-144, a poll of nothing C-133, the
# signer C-74 to C-76, C-80, C-177.  Envelope: C-81, C-83, C-86, C-88, C-98.
# CSR: C-106 to C-109.  Answers: a CertRep by HTTP 200 (C-15) with failInfo and
# no detail (C-57, C-58); nothing is written before the signature is good
# (C-53).
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

DOOR=fcgi
sanitized_client leaks
make_home
code=$(add_entity bad --count 1000)
good=$(add_entity good --count 1000)
printf 'a chosen word' | "$SCEP" entity add chosen --password - >/dev/null
client_key bad
tab=$(printf '\t')
builder --list-breaks >breaks
like "there is a table of breaks" "$(wc -l <breaks)" "^[1-9][0-9]{2}"

# NAME: builds, sends and reads; the answer in one word.
try() {
	pkcsreq bad "$code" --break "$1" --txid "id-$1" 2>>log
	send bad
	case $(reply bad status) in
	0) echo ok ;;
	2) failinfo_name "$(reply bad failinfo)" ;;
	http-*) echo "${STATUS:-none}" ;;
	*) echo "unreadable: $(tr '\n' ' ' <bad.rep)" ;;
	esac
}

failinfo_name() {
	case $1 in
	0 | badAlg) echo badAlg ;;
	1 | badMessageCheck) echo badMessageCheck ;;
	2 | badRequest) echo badRequest ;;
	4 | badCertId) echo badCertId ;;
	*) echo "failInfo $1" ;;
	esac
}

# Names and contents of all that is kept, but for attempt marks.
stored() {
	find home/store ! -path "*/try/*" -print -type f -exec cksum {} + |
		sort
}
marks() { find home/store/try -type f | wc -l; }

stored >before
while IFS=$tab read -r name wanted what; do
	[ "$wanted" = ok ] || is "$name ($what)" "$(try "$name")" "$wanted"
done <breaks
is "a generated code leaves no mark" "$(marks)" 0
pkcsreq bad "a wrong word" --subject /CN=chosen --txid id-chosen
send bad
is "a wrong password is refused" "$(reply bad status)" 2
is "and leaves one mark" "$(marks)" 1
stored >after
ok "nothing but attempt marks was written" cmp before after
is "no certificate was issued" "$("$SCEP" cert list --json | wc -l)" 0

# A FAILURE says nothing that helps to guess, also where an attacker signs
# again what he changed (C-163, C-168, C-170).
for name in flip-key flip-last pad-zero csr-bad-signature content-noise \
	csr-wrong-challenge recipient-other; do
	is "$name" "$(try "$name")" badRequest
	is "$name: the same words" "$(reply bad failinfotext)" \
		"request refused"
done

pkcsreq good "$good"
ok "a good request right after" send good
is "succeeds" "$(reply good status)" 0

while IFS=$tab read -r name wanted what; do
	[ "$wanted" != ok ] || is "$name ($what)" "$(try "$name")" ok
done <breaks

# What a CSR asks for beyond its names is not granted (C-117, C-178).
is "a CSR that asks for CA rights" "$(try csr-ca-rights)" ok
unlike "gets none" "$(openssl x509 -in bad-0.pem -noout -text)" \
	"CA:TRUE|Certificate Sign|Code Signing"

# Hostile names are data: never a path, never a line of their own (C-181).
is "a path as transactionID" "$(try txid-path)" ok
is "made no file outside" "$(find . -name x -o -name '*..*' | wc -l)" 0
is "a newline as transactionID" "$(try txid-newline)" ok
is "log lines begin with a time" \
	"$(grep -cv '^20[0-9-]*T[0-9:]*Z level=' log)" \
	"$(grep -c 'spawn-fcgi' log)"
done_testing
