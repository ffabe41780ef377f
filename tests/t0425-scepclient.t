#!/bin/sh
# micromdm's scepclient behind lighttpd: it encrypts with single DES, and so
# enrols where `legacy = yes` and nowhere else (C-100).
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

command -v scepclient >/dev/null ||
	skip_all_tests "micromdm's scepclient is missing (package scep)"
make_home
lighttpd_start 2

# It keeps its request in csr.pem and uses that again, whatever is asked.
enrol() { # NAME CODE OPTIONS...: leaves NAME.crt
	_name=$1 _code=$2
	shift 2
	rm -f csr.pem
	timeout 60 scepclient -server-url "$URL/scep" -private-key "$_name.key" \
		-certificate "$_name.crt" -challenge "$_code" -cn "$_name" \
		"$@" >"$_name.out" 2>&1
}
last() { cat log lighttpd.log | grep 'operation=PKIOperation' | tail -n 1; }

code=$(add_entity mm --count 10 --subject "CN=mm,O=Lab")
not_ok "without legacy it is refused" enrol mm "$code"
not_ok "and leaves no certificate" test -s mm.crt
like "with badAlg, and a log line that names the setting" "$(last)" \
	'failinfo=badAlg .*single DES; `scep alias set NAME legacy yes`'
is "nothing was issued" "$("$SCEP" cert list --json | wc -l)" 0

"$SCEP" alias set scep legacy yes
ok "with it, it enrols" enrol mm "$code"
like "as a weak one, in the log" "$(last)" 'weak="SHA-1 DES-CBC" .*result=issued'
ok "its certificate verifies" openssl verify -x509_strict -CAfile ca.pem mm.crt
is "and has the registered subject" \
	"$(openssl x509 -in mm.crt -noout -subject)" "subject=CN = mm, O = Lab"
is "and its own key" "$(openssl x509 -in mm.crt -noout -pubkey)" \
	"$(openssl pkey -in mm.key -pubout 2>/dev/null)"

code=$(add_entity wrong)
not_ok "a wrong code is refused" enrol wrong "not$code"
not_ok "and leaves no certificate" test -s wrong.crt
ok "the right one is taken afterwards" enrol wrong "$code"

"$SCEP" alias unset scep legacy
code=$(add_entity late)
not_ok "without legacy it is refused again" enrol late "$code"
done_testing
