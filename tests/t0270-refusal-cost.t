#!/bin/sh
# Cheap checks first (C-177): what an attacker can send costs less than one
# good enrolment, in instructions, as valgrind's callgrind counts them.  What
# a CGI process spends on starting is taken off both.
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

[ "${SCEP_FLAVOUR:-plain}" != asan ] ||
	skip_all_tests "valgrind runs on the plain build"
command -v valgrind >/dev/null || skip_all_tests "valgrind is missing"
make_home
"$SCEP" alias set scep legacy yes
# A recoverable code, so that PBKDF2 is there to be abused.
code=$(add_entity cost --count 100 --recoverable)
client_key cost

cat >counted <<EOT
#!/bin/sh
exec valgrind -q --tool=callgrind --callgrind-out-file=$FRESH/cost.out \
	--log-file=$FRESH/valgrind.log "$SCEP"
EOT
chmod +x counted

# REQUEST...: sets COST, the instructions of that request.
count() {
	_server=$SCEP
	SCEP=$FRESH/counted
	request "$@"
	SCEP=$_server
	COST=$(sed -n 's/^\(totals\|summary\): \([0-9]*\).*/\2/p' cost.out |
		head -n 1)
	[ -n "${START:-}" ] || START=$COST
	COST=$((COST - START))
}

START=
count GET "/scep?operation=GetCACert"
diag "a process that gives its CA's certificate: $START instructions"
ok "instructions are counted" test "$START" -gt 1000000

pkcsreq cost "$code"
count POST /scep cost.der
GOOD=$COST
builder certrep --ca ca.pem --key cost.key --cert cost.crt --in body >cost.rep
is "a good enrolment" "$(reply cost status)" 0
diag "costs $GOOD instructions more"

# WHAT STATUS FILE [REASON]: is refused for less than a good one costs.
refused() {
	count POST /scep "$3"
	is "$1: HTTP $2" "$STATUS" "$2"
	[ -z "${4:-}" ] || like "$1: for what it is" "$(tail -n 1 log)" "$4"
	ok "$1 costs less than a good enrolment" test "$COST" -lt "$GOOD"
	diag "$1: $COST, $((COST * 100 / GOOD)) % of a good one"
}

flaw() { # FLAW STATUS REASON
	pkcsreq cost "$code" --txid "$1" --break "$1" 2>>log
	refused "$1" "$2" cost.der "$3"
}
flaw signer-huge 200 "signer's key is not supported"
flaw deep-nest 400 "nested too deep"
flaw deep-octets 400 "nested too deep"
flaw csr-huge-key 200 "signer's key is not the CSR's"

pkcsreq cost "$code" --txid million --password "$code" --iterations 1000000
refused "a million PBKDF2 iterations" 200 cost.der "iteration count"
pkcsreq cost "$code" --txid stranger --subject /CN=nobody \
	--password "not$code" --iterations 2000000
refused "two million, for a stranger" 200 cost.der "iteration count"

head -c 2097152 /dev/urandom >garbage
refused "2 MiB of garbage" 413 garbage
head -c 1048576 /dev/urandom >garbage
refused "1 MiB of garbage" 400 garbage
# One SEQUENCE with half a million empty ones.
{
	printf '\060\203\017\377\360'
	head -c 1048560 /dev/zero | tr '\000' '0' | sed 's/00/0\x00/g'
} | head -c 1048565 >garbage
refused "1 MiB of small elements" 400 garbage "too many ASN.1 elements"
done_testing
