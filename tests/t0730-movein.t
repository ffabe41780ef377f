#!/bin/sh
# A CA moves in: key, certificates, what is revoked, the CRL number.  Its old
# house is `openssl ca`.
# shellcheck disable=SC1091,SC2016,SC2034 # lib.sh uses them
. "${0%/*}/lib.sh"

out() { "$@" 2>/dev/null; }
err() { { "$@" >/dev/null; } 2>&1; }
scep() { "$SCEP" "$@"; }
number() { sed -n '/CRL Number/{n;s/ //gp;}' "$1"; }

# --- the old house ---------------------------------------------------------------

mkdir old old/newcerts
: >old/index.txt
echo 1000 >old/serial
echo 0122 >old/crlnumber
cat >old/ca.cnf <<'CNF'
[ca]
default_ca = old
[old]
dir = old
database = old/index.txt
new_certs_dir = old/newcerts
serial = old/serial
crlnumber = old/crlnumber
certificate = old/ca.pem
private_key = old/ca.key
default_md = sha256
default_days = 365
default_crl_days = 30
policy = any
unique_subject = no
x509_extensions = leaf
crl_extensions = crl
[any]
commonName = supplied
[leaf]
basicConstraints = CA:FALSE
[crl]
authorityKeyIdentifier = keyid
[req]
distinguished_name = dn
[dn]
CNF
client_key old/ca
openssl req -x509 -key old/ca.key -out old/ca.pem \
	-days 3650 -subj "/CN=Old CA/O=Lab" 2>/dev/null
client_key leaf
oldca() { openssl ca -batch -config old/ca.cnf "$@" >>log 2>&1; }
for name in one two three; do
	openssl req -new -key leaf.key -subj "/CN=$name" -out $name.csr
	oldca -in $name.csr -out $name.pem
done
oldca -revoke two.pem -crl_reason keyCompromise
oldca -gencrl -out old/crl.pem
two=$(serial two.pem)
is "the old house: three certificates" "$(find old/newcerts -type f | wc -l)" 3

# --- moving in -------------------------------------------------------------------

scep init >/dev/null
exits 1 "certificates need their CA first" scep cert import old/newcerts
exits 1 "a CRL too" scep crl import old/crl.pem
ok "the CA" scep ca import Old --cert old/ca.pem --key old/ca.key
scep ca create New --subject "CN=New CA" --key rsa:2048 >/dev/null
scep alias add scep --ca Old >/dev/null
scep entity add one --ca Old --generate >/dev/null

before=$(find home -type f ! -name '*.log' | sort | xargs cksum)
like "what would come" \
	"$(out scep cert import old/newcerts --index old/index.txt --dry-run)" \
	"^would be: 3 certificates imported, 0 here already; 1 revoked"
like "and on the CRL" "$(out scep crl import old/crl.pem --dry-run)" \
	"^CRL 290 of CA Old, generation 1: 1 entries"
is "--dry-run writes nothing" \
	"$(find home -type f ! -name '*.log' | sort | xargs cksum)" "$before"
unlike "not even in the audit" "$(out scep audit show)" "import.*290"

like "the certificates and what is revoked" \
	"$(out scep cert import old/newcerts --index old/index.txt)" \
	"^3 certificates imported, 0 here already; 1 revoked"
like "by their entity, where there is one" "$(out scep cert show one)" \
	"^Serial: *1000"
like "revoked" "$(out scep cert show "$two")" "^State: *revoked"
like "with its reason" "$(out scep cert show "$two")" "keyCompromise"
is "since when it was" "$(out scep cert show "$two" --json |
	sed 's/.*"revoked":"\([^"]*\)".*/\1/')" \
	"$(date -u -d "$(openssl crl -in old/crl.pem -noout -text |
		sed -n 's/.*Revocation Date: //p')" +%Y-%m-%dT%H:%M:%SZ)"
like "the others are valid" "$(out scep cert list)" "valid .*CN=three"
like "the CRL" "$(out scep crl import old/crl.pem)" \
	"^0 revoked, 1 known to be; the next CRL is number 291"
like "in the audit" "$(out scep audit show)" "cert import.*3 certificates"
like "too" "$(out scep audit show)" "crl import.*number 290"
request GET /crl/Old.crl
openssl crl -inform DER -in body -noout -text >crl.txt
is "the next CRL has a higher number" "$(number crl.txt)" 291
like "and still lists it" "$(cat crl.txt)" "Serial Number: $two"
like "with its reason" "$(cat crl.txt)" "Key Compromise"
ok "signed by the same key" openssl crl -inform DER -in body -noout -verify \
	-CAfile old/ca.pem
openssl crl -inform DER -in body -out crl.pem
not_ok "openssl refuses the revoked one" openssl verify -CAfile old/ca.pem \
	-CRLfile crl.pem -crl_check two.pem
ok "and takes another" openssl verify -CAfile old/ca.pem -CRLfile crl.pem \
	-crl_check three.pem

# GetCert finds what moved in, by its key.
cp old/ca.pem ca.pem
builder wanted --cert three.pem --out by-three
builder pkcsreq --ca ca.pem --key leaf.key --type 21 --csr by-three \
	--cert-out leaf.crt --out leaf.der
send leaf
is "GetCert" "$(reply leaf status)" 0
is "gives it" "$(serial leaf-0.pem)" "$(serial three.pem)"

# --- again, and what is wrong ---------------------------------------------------

like "twice is once" \
	"$(out scep cert import old/newcerts --index old/index.txt)" \
	"^0 certificates imported, 3 here already; 0 revoked, 1 known"
like "the CRL too" "$(out scep crl import old/crl.pem)" "^0 revoked, 1 known"
request GET /crl/Old.crl
openssl crl -inform DER -in body -noout -text >crl.txt
is "numbers do not jump" "$(number crl.txt)" 291
is "three certificates" "$(scep cert list --json | wc -l)" 3
client_key x
openssl req -x509 -key x.key -out stranger.pem \
	-subj /CN=x 2>/dev/null
exits 1 "a stranger's certificate" scep cert import stranger.pem
exits 1 "nothing of a mixed bag" scep cert import three.pem stranger.pem
exits 1 "no certificate" scep cert import one.csr
openssl req -x509 -key x.key -out same.pem -subj "/CN=Old CA/O=Lab"
exits 1 "the name without the key" scep cert import same.pem
printf 'V\t1\n' >broken.txt
exits 1 "a broken index" scep cert import one.pem --index broken.txt
like "says where" "$(err scep cert import one.pem --index broken.txt)" \
	"broken.txt:1: "

# A CSV list, of certificates that are nowhere.
printf 'reason,serial,date\nsuperseded,0ABC,2026-02-03\n,abd,\n' >list.csv
exits 1 "a serial of two CAs" scep cert import one.pem --index list.csv
ok "--ca says it" scep cert import one.pem --index list.csv --ca Old
printf 'serial,reason\n12,bored\n' >bad.csv
like "a bad line" "$(err scep cert import one.pem --index bad.csv --ca Old)" \
	"bad.csv:2: no such reason"
request GET /crl/Old.crl
openssl crl -inform DER -in body -noout -text >crl.txt
like "is on the next CRL" "$(cat crl.txt)" "Serial Number: 0ABC"
like "as it was told" "$(cat crl.txt)" "Feb  3 00:00:00 2026"
like "both" "$(cat crl.txt)" "Serial Number: 0ABD"
is "and the next number" "$(number crl.txt)" 292

# A CRL with a far number, by DER, and entries that were not known.
oldca -revoke one.pem -crl_hold holdInstructionReject
echo 7FFFFFFFFFFF >old/crlnumber
oldca -gencrl -out old/crl2.pem
openssl crl -in old/crl2.pem -outform DER -out crl2.der
like "one more" "$(out scep crl import crl2.der)" "^1 revoked, 1 known"
request GET /crl/Old.crl
openssl crl -inform DER -in body -noout -text >crl.txt
is "above it" "$(number crl.txt)" 140737488355328
like "held" "$(out scep cert show one)" "^State: *held"
like "the index says the same" "$(out scep cert import one.pem --index \
	old/index.txt)" "0 revoked, 2 known"
ok "which can be let go" scep cert unrevoke one
: >empty
exits 1 "no CRL" scep crl import empty
done_testing
