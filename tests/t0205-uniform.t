#!/bin/sh
# One answer after the same work (DESIGN 5, C-168), counted in instructions:
# whoever signs a captured envelope himself, changed or not, must not learn
# from our time what was inside.  What the key's own door does is a constant
# of its own with random blinding in it (test_key), and is left out; so the
# count repeats to the instruction, and a skipped parse or check shows.
# shellcheck disable=SC1091,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

[ "${SCEP_FLAVOUR:-plain}" != asan ] ||
	skip_all_tests "instructions are counted on the plain build"
command -v valgrind >/dev/null || skip_all_tests "valgrind is missing"
make_home
client_key evil
openssl req -x509 -key evil.key -out evil.crt \
	-subj /CN=evil -days 3650 2>>log
client_key rsa2048 2048
client_key rsa4096 4096
client_key p256 0

# VICTIM FLAW: the envelope of a victim's CSR, signed by somebody else.
captured() {
	builder pkcsreq --ca ca.pem --key "$1.key" --signer-key evil.key \
		--signer-cert evil.crt --challenge secret \
		--subject /CN=victim --txid captured --break "$2" \
		--out captured.der
}

cost() { # instructions of message_open() for captured.der
	env REQUEST_METHOD=POST SCRIPT_NAME=/scep QUERY_STRING= \
		CONTENT_LENGTH="$(wc -c <captured.der)" \
		REMOTE_ADDR=192.0.2.1 valgrind --tool=callgrind \
		--callgrind-out-file=/dev/null \
		--toggle-collect=message_open --toggle-collect=key_unwrap \
		"$SCEP" <captured.der 2>cost >reply
	sed -n 's/.*Collected : \([0-9]*\).*/\1/p' cost | tail -n 1
}

# A check of a signature is 400,000 and more.
near() { # DESCRIPTION A B
	_more=$(($2 > $3 ? $2 - $3 : $3 - $2))
	ok "$1: $_more instructions" test $_more -lt 30000
}

for victim in rsa2048 rsa4096 p256; do
	captured $victim crlf # whole, but another's key (C-74)
	whole=$(cost)
	ok "$victim: a check is in it" test "${whole:-0}" -gt 800000
	cp reply whole
	for flaw in csr-bad-signature pad-zero flip-first cek-short; do
		# half of it is enough where the key alone is another
		case $victim-$flaw in
		rsa4096-csr* | p256-csr* | rsa4096-cek* | p256-cek*) continue ;;
		esac
		captured $victim $flaw
		near "$victim, $flaw" "$whole" "$(cost)"
		is "$victim, $flaw: an answer of the same length" \
			"$(wc -c <reply)" "$(wc -c <whole)"
	done
done
done_testing
