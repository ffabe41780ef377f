#!/bin/sh
# GetCRL (C-192), GetCert and GetCertInitial (C-69, C-132 to C-135, C-142 to
# C-149); what is not there is badCertId (C-165, C-167).
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

make_home
"$SCEP" ca create Other --subject "CN=Other CA" --key rsa:2048 >/dev/null
"$SCEP" ca create Secret --subject "CN=Secret CA" --key rsa:2048 >/dev/null
"$SCEP" ca export Other --out other.pem
"$SCEP" ca export Secret --out secret.pem
"$SCEP" alias set scep cas ManagementCA,Other >/dev/null
code=$(add_entity box --ca ManagementCA --count 3)

pkcsreq box "$code"
send box
cp box-0.pem cert.pem
cp box.crt box.self

# NAME TYPE CONTENT OPTIONS...: asks by NAME.key; the answer is NAME.rep.
ask() {
	_who=$1 _type=$2 _content=$3
	shift 3
	[ -e "$_who.key" ] || client_key "$_who"
	rm -f "$_who"-*.pem
	builder pkcsreq --ca ca.pem --key "$_who.key" --type "$_type" \
		--csr "$_content" --cert-out "$_who.crt" --out "$_who.der" \
		"$@" 2>>log
	send "$_who"
}
wanted() { builder wanted "$@" 2>>log; }
reason() { sed -n 's/.*reason="\([^"]*\)".*/\1/p' log | tail -n 1; }
number() { openssl crl -in "$1" -noout -crlnumber | sed 's/.*=0x//; s/.*=//'; }

# --- GetCRL --------------------------------------------------------------------

wanted --cert cert.pem --out by-cert
for DOOR in cgi fcgi; do
	ask box 22 by-cert --txid 1
	is "$DOOR: GetCRL" "$(reply box status)" 0
	is "$DOOR: one CRL (C-144)" "$(reply box ncrls)" 1
	is "$DOOR: no certificates" "$(reply box ncerts)" 0
	is "$DOOR: degenerate (C-148)" "$(reply box degenerate)" yes
	is "$DOOR: to the signer (C-146)" "$(reply box decrypted)" yes
	ok "$DOOR: the CA signed it" openssl crl -in box-crl.pem -noout \
		-verify -CAfile ca.pem
done
DOOR=fcgi
first=$(number box-crl.pem)
"$SCEP" cert revoke "$(serial cert.pem)" --yes --reason superseded >/dev/null
ask box 22 by-cert --txid 1
is "the same transactionID again (C-69)" "$(reply box status)" 0
not_ok "gets the newest" test "$(number box-crl.pem)" = "$first"
like "which has what was revoked" \
	"$(openssl crl -in box-crl.pem -noout -text)" \
	"Serial Number: $(serial cert.pem)"
ask box 22 by-cert --txid 1
is "and again" "$(reply box status)" 0
ask stranger 22 by-cert --txid 1
is "for anybody" "$(reply stranger status)" 0
is "no transaction was recorded" \
	"$(find home/store/transaction -type f | wc -l)" 1

# C-145: the issuer decides.
wanted --cert cert.pem --serial 00 --out by-zero
ask box 22 by-zero
is "serial 0" "$(reply box status)" 0
wanted --cert ca.pem --out by-ca
ask box 22 by-ca
is "the CA's own issuer and serial" "$(reply box status)" 0
wanted --cert other.pem --serial 7f --out by-other
ask box 22 by-other
is "another CA of the alias" "$(reply box status)" 0
ok "its CRL" openssl crl -in box-crl.pem -noout -verify -CAfile other.pem
wanted --cert secret.pem --out by-secret
ask box 22 by-secret
is "a CA that the alias does not serve" "$(reply box status)" 2
is "badCertId" "$(reply box failinfo)" 4
client_key nobody
openssl req -x509 -key nobody.key -out nobody.pem \
	-subj "/CN=Test CA" 2>/dev/null
wanted --cert nobody.pem --out by-nobody
ask box 22 by-nobody
is "part of the name is not the name" "$(reply box failinfo)" 4
openssl req -x509 -key nobody.key -out spelled.pem \
	-subj "/CN=TEST  ca/O=lab/C=SE" 2>/dev/null
wanted --cert spelled.pem --out by-spelled
ask box 22 by-spelled
is "compared as RFC 5280 has it" "$(reply box status)" 0
printf 'no DER' >noise
ask box 22 noise
is "no IssuerAndSerialNumber: as if it were not there (C-89)" \
	"$(reply box failinfo)" 4

"$SCEP" alias set scep getcrl no >/dev/null
ask box 22 by-cert
is "getcrl = no (C-147)" "$(reply box failinfo)" 2
"$SCEP" alias unset scep getcrl >/dev/null

# --- GetCert -------------------------------------------------------------------

ask box 21 by-cert --txid 1
is "GetCert by its key" "$(reply box status)" 0
is "one certificate (C-149)" "$(reply box ncerts)" 1
is "no CRL" "$(reply box ncrls)" 0
ok "the one" cmp box-0.pem cert.pem
ask box 21 by-cert --txid 1 --signer-cert cert.pem --signer-key box.key
cp cert.pem box.crt
builder certrep --ca ca.pem --key box.key --cert cert.pem --in body \
	>box.rep 2>>log
is "signed with the certificate itself" "$(reply box status)" 0
ask stranger 21 by-cert
is "a stranger (C-143)" "$(reply stranger status)" 2
is "badCertId" "$(reply stranger failinfo)" 4
why=$(reason)
ask box 21 by-zero
is "an unknown serial" "$(reply box failinfo)" 4
is "looks the same" "$(reason)" "$why"
ask box 21 by-secret
is "an unknown issuer" "$(reply box failinfo)" 4
wanted --cert cert.pem --serial "80$(serial cert.pem)" --out by-negative
ask box 21 by-negative
is "a negative serial" "$(reply box failinfo)" 4
wanted --cert cert.pem --serial "0000$(serial cert.pem)" --out by-zeros
ask box 21 by-zeros
is "zeros in front do not matter" "$(reply box status)" 0
long=$(printf '11%.0s' $(seq 1 40))
wanted --cert cert.pem --serial "$long" --out by-long
ask box 21 by-long
is "a serial of 40 bytes" "$(reply box failinfo)" 4
"$SCEP" alias set scep getcert any >/dev/null
ask stranger 21 by-cert
is "getcert = any" "$(reply stranger status)" 0
ok "the one" cmp stranger-0.pem cert.pem
"$SCEP" alias set scep getcert no >/dev/null
ask box 21 by-cert
is "getcert = no" "$(reply box failinfo)" 2
exits 1 "another word" "$SCEP" alias set scep getcert perhaps
"$SCEP" alias unset scep getcert >/dev/null

# --- GetCertInitial --------------------------------------------------------------

ask box 20 by-cert --txid id-box
is "a poll of what is issued: the certificate" "$(reply box status)" 0
ok "the one" cmp box-0.pem cert.pem
ask box 20 noise --txid id-box
is "its content does not matter (C-132)" "$(reply box status)" 0
ask box 20 by-cert --txid id-box --break content-noise
is "nor whether it can be read" "$(reply box status)" 0
ask box 20 by-cert --txid id-box --break recipient-other
is "but whose CA it is for" "$(reply box status)" 2
"$SCEP" entity block box
ask box 20 by-cert --txid id-box
is "again and again (C-135)" "$(reply box status)" 0
ok "always the same (C-134)" cmp box-0.pem cert.pem
stop_servers
rm -f fcgi.sock
ask box 20 by-cert --txid id-box
is "after a restart" "$(reply box status)" 0
pem=$(find home/store/cert/ManagementCA -name '*.pem')
rm "$pem"
ask box 20 by-cert --txid id-box
ok "who polls makes its second name again" test -e "$pem"
ask stranger 20 by-cert --txid id-box
is "by another key: none (C-133)" "$(reply stranger status)" 2
is "badCertId" "$(reply stranger failinfo)" 4
ask box 20 by-cert --txid unknown
is "another transactionID: none" "$(reply box failinfo)" 4
ask box 20 by-cert --txid id-box --ca other.pem
builder certrep --ca other.pem --key box.key --cert box.crt --in body \
	>box.rep 2>>log
is "another CA: none" "$(reply box failinfo)" 4
is "one certificate in all" "$("$SCEP" cert list --json | wc -l)" 1

# Whoever signs a captured envelope again, as a question, learns nothing of
# what came out of it: all get the answer of what is not there (C-168).
for type in 21 22; do
	for flaw in nonce-8 pad-zero pad-uneven flip-first flip-last flip-iv \
		flip-key content-noise content-trailing; do
		pkcsreq box "a code" --type $type --break $flaw
		send box
		is "a captured request as $type, $flaw" \
			"$(reply box status) $(reply box failinfo)" "2 4"
	done
done
done_testing
