#!/bin/sh
# A client follows its CA: the next one by GetNextCACert, a certificate of it
# ahead of its time, and a renewal by that when it has begun; strongSwan's pki
# writes the messages (C-39, C-40, C-128, C-129).
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

command -v pki >/dev/null || skip_all_tests "strongSwan's pki is missing"
faketime=$(find /usr/lib -name libfaketime.so.1 | head -n 1)
if [ -z "$faketime" ] || [ "${SCEP_FLAVOUR:-plain}" = asan ]; then
	skip_all_tests "needs libfaketime, on the plain build"
fi

# What day it is, for server and client; CGI needs no restart for it.
REAL=$SCEP
at_day() {
	DAY=$1
	printf '#!/bin/sh\nFAKETIME=+%sd LD_PRELOAD=%s exec "%s" "$@"\n' \
		"$1" "$faketime" "$REAL" >day/new
	chmod 755 day/new
	mv day/new day/scep
}
mkdir day
at_day 0
SCEP=$FRESH/day/scep
{
	"$SCEP" init
	"$SCEP" ca create ManagementCA --subject "CN=CA,O=Lab" --key rsa:2048 \
		--days 400
	"$SCEP" alias add scep --ca ManagementCA
	"$SCEP" alias set scep renewal.window 0%
	"$SCEP" ca export ManagementCA --out ca.pem
	openssl genrsa -out first.key 2048
	openssl genrsa -out second.key 2048
} >.out 2>&1
lighttpd_cgi_start

# NAME CA KEY OPTIONS...
enrol() {
	_name=$1 _ca=$2 _key=$3
	shift 3
	FAKETIME="+${DAY}d" LD_PRELOAD=$faketime timeout 60 pki --scep \
		--url "$URL/scep" --in "$_key" --dn "CN=box" \
		--cacert-enc "$_ca" --cacert-sig "$_ca" --outform pem "$@" \
		>"$_name.pem" 2>"$_name.err" || { cat "$_name.err" && return 1; }
}
below() { openssl verify -no_check_time -CAfile "$@"; }

at_day 340
ok "the next generation is made" "$SCEP" ca rollover ManagementCA
ok "GetNextCACert" curl -sf -o next.p7 "$URL/scep?operation=GetNextCACert"
ok "is signed by the CA that the client trusts" openssl cms -verify -binary \
	-inform DER -in next.p7 -out inner.p7 -nointern -certfile ca.pem \
	-CAfile ca.pem -purpose any -no_check_time
openssl pkcs7 -inform DER -in inner.p7 -print_certs -out next.pem
code=$(add_entity box)
ok "enrols with the next one" enrol ahead next.pem first.key --password "$code"
ok "which issued" below next.pem ahead.pem
is "from its beginning on" "$(openssl x509 -in ahead.pem -noout -startdate)" \
	"$(openssl x509 -in next.pem -noout -startdate)"
at_day 372
ok "when it has begun, GetCACert has it" sh -c 'curl -sf -o now.der \
	"$1/scep?operation=GetCACert" && openssl x509 -inform DER -in now.der |
	cmp - "$2"' - "$URL" "$(openssl x509 -in next.pem -out same.pem &&
		echo same.pem)"
ok "renews by it, under it" enrol renewed next.pem second.key \
	--cert ahead.pem --key first.key
ok "which issued" below next.pem renewed.pem
is "for the new key" "$(openssl x509 -in renewed.pem -noout -pubkey)" \
	"$(openssl pkey -in second.key -pubout 2>/dev/null)"
done_testing
