#!/bin/sh
# EJBCA's spelling: every verb of `config scep`, `ra` and `ca`, its exact
# lines, and what is refused and why.
# shellcheck disable=SC1091,SC2016 # lib.sh lies beside
. "${0%/*}/lib.sh"

# Standard output alone, standard error alone.
out() { "$@" 2>/dev/null; }
err() { { "$@" >/dev/null; } 2>&1; }

ejbca() { "$SCEP" "$@"; }
config() { "$SCEP" config scep "$@"; }
ra() { "$SCEP" ra "$@"; }
ca() { "$SCEP" ca "$@"; }

ok "init" "$SCEP" init

# --- what is not here ---------------------------------------------------------

instead() { # WANTED WORDS...
	_like=$1
	shift
	exits 2 "not here: $*" ejbca "$@"
	is "in one line: $*" "$(err ejbca "$@" | wc -l | tr -d ' ')" 1
	like "and what is: $*" "$(err ejbca "$@")" "is not here: .*$_like"
}
instead "SCEP alone" config cmp
instead "scep alias set" config
instead "never come here" ra keyrecover --username x
instead "scep entity list" ra countusers
instead "SCEP_KEY_PASSPHRASE" ca activateca --caname x
instead "publishes itself" ca republish
instead "profiles/NAME.ini" ca editca
instead "scep request list" approval
instead "audit says" roles listadmins
instead "scep status" healthcheck
exits 2 "a slip is no EJBCA command" ra addendentty
like "and is answered with the nearest" "$(err ra addendentty)" \
	"scep ra addendentity"
exits 2 "nor is this" config scep addalas
like "and is" "$(err config addalas)" "scep config scep addalias"

# --- ca init and the like -------------------------------------------------------

exits 1 "an alias wants a CA" config addalias --alias early
like "and says how" "$(err config addalias --alias early)" "scep ca init"
exits 2 "ca init wants a name" ca init
exits 2 "and a DN" ca init ManagementCA
ok "ca init, by place" ca init ManagementCA "CN=ManagementCA,O=Lab" soft null \
	2048 RSA 3650 null SHA256WithRSA
like "is such a CA" "$(out ca info ManagementCA)" "Key: +RSA 2048"
refused() { # WANTED OPTIONS...
	_like=$1
	shift
	exits 1 "refused: $*" ca init --caname X --dn CN=X "$@"
	like "because" "$(err ca init --caname X --dn CN=X "$@")" "$_like"
}
refused "say soft" --tokenType=PKCS11CryptoToken
refused "say null" --tokenPass foo123
refused "say null" --policy 2.5.29.32.0
refused "RSA 2048 to 8192" --keytype DSA --keyspec 1024
refused "RSA 2048 to 8192" --keytype ECDSA --keyspec brainpoolP256r1
refused "signs with SHA256WithRSA" -s SHA1WithRSA
refused "rsa:2048" --keyspec 512
not_ok "which leaves nothing" test -e "$SCEP_HOME/ca/X"
exits 2 "ten words are one too many" ca init a CN=a soft null 2048 RSA 1 null \
	SHA256WithRSA x
ok "by options; the server's passphrase is the token's" env \
	SCEP_KEY_PASSPHRASE=foo123 "$SCEP" ca init --caname EC --dn=CN=EC,O=Lab \
	--tokenType soft --tokenPass foo123 --keyspec prime256v1 \
	--keytype ECDSA -v 100 --policy null -s SHA256withECDSA
like "encrypts the key" "$(cat "$SCEP_HOME/ca/EC/1/key.pem")" \
	"BEGIN ENCRYPTED"
exits 1 "a name that is taken" ca init ManagementCA CN=x soft null 2048
like "listcas" "$(out env SCEP_KEY_PASSPHRASE=foo123 "$SCEP" ca listcas)" \
	"^ManagementCA .*RSA 2048 .*CN=ManagementCA,O=Lab"
rm -rf "$SCEP_HOME/ca/EC"

ok "getcacert, PEM" ca getcacert --caname ManagementCA -f ca.pem
ok "which OpenSSL reads" openssl x509 -in ca.pem -noout
ok "getcacert, DER" ca getcacert ManagementCA -f ca.der -der
ok "which OpenSSL reads" openssl x509 -in ca.der -inform DER -noout
exits 1 "no CRL yet" ca getcrl --caname ManagementCA -f x.crl
like "createcrl" "$(out ca createcrl --caname ManagementCA)" \
	"^ManagementCA +1 +1 "
ok "createcrl of all" ca createcrl
ok "getcrl, DER" ca getcrl --caname ManagementCA -f crl.der
like "is the newest" "$(openssl crl -inform DER -in crl.der -noout \
	-crlnumber)" "2$"
ok "getcrl, PEM" ca getcrl --caname ManagementCA -f crl.pem -pem
ok "OpenSSL reads it" openssl crl -in crl.pem -noout
exits 2 "exportca wants a password" ca exportca --caname ManagementCA -f ca.p12
ok "exportca" ca exportca --caname ManagementCA -f ca.p12 -kspassword foo123
exits 2 "importca wants a file" ca importca --caname Twin
ok "importca" ca importca --caname Twin --p12 ca.p12 -kspassword foo123
is "brings the same" "$(out ca getcacert --caname Twin -f -)" "$(cat ca.pem)"
exits 1 "importcacert: nothing waits" ca importcacert --caname New -f ca.pem
like "and what would" "$(err ca importcacert --caname New -f ca.pem)" \
	"scep ca request"
ok "a request" ca request Sub --subject CN=Sub --key rsa:2048 --out sub.csr
ok "its issuer" openssl x509 -req -in sub.csr -CA ca.pem -CAkey \
	"$SCEP_HOME/ca/ManagementCA/1/key.pem" -days 30 -out sub.pem -extfile \
	/dev/stdin <<-EOT
	basicConstraints=critical,CA:true
	keyUsage=critical,keyCertSign,cRLSign,digitalSignature,keyEncipherment
	EOT
ok "importcacert brings the answer" ca importcacert --caname Sub -f sub.pem
ok "renewca" ca renewca --caname ManagementCA
is "has the same key" "$(out ca getcacert ManagementCA |
	openssl x509 -noout -pubkey)" "$(openssl x509 -in ca.pem -noout -pubkey)"
ok "and another certificate" test "$(out ca getcacert ManagementCA)" != \
	"$(cat ca.pem)"
ca getcacert ManagementCA -f ca.pem
exits 1 "renewca: no new key by the way" ca renewca --caname Sub -R
like "but by" "$(err ca renewca --caname Sub -R)" "scep ca rollover Sub"
rm -rf "$SCEP_HOME/ca/Twin" "$SCEP_HOME/ca/Sub"

# --- aliases ----------------------------------------------------------------------

is "addalias" "$(out config addalias --alias scep | head -n 1)" \
	"Added SCEP alias: scep"
exits 1 "not twice" config addalias --alias=scep
is "in EJBCA's words" "$(err config addalias --alias scep)" \
	"scep: Alias 'scep' already exists."
exits 1 "a name that cannot be" config addalias --alias a.b
ok "it is good" "$SCEP" alias check scep
is "renamealias" "$(out config renamealias --oldalias scep --newalias tmp)" \
	"Renamed SCEP alias 'scep' to 'tmp'"
is "listalias" "$(out config listalias)" "tmp"
exits 1 "of none" config renamealias --oldalias scep --newalias x
is "in EJBCA's words" \
	"$(err config renamealias --newalias x --oldalias scep)" \
	"scep: Alias 'scep' does not exist"
ok "and back, the other way round" \
	config renamealias --newalias scep --oldalias tmp
is "dumpalias" "$(out config dumpalias --alias scep | head -n 4)" \
	"scep.operationmode = ca
scep.includeca = false
scep.returnCaChainInGetCaCert = true
scep.allowLegacyDigestAlgorithm = false"
exits 1 "of none" config dumpalias --alias x
is "dumpall is the same for one" "$(out config dumpall)" \
	"$(out config dumpalias --alias scep)"

is "updatealias tells old and new" \
	"$(out config updatealias --alias scep --key includeca --value true)" \
	"Alias 'scep': includeca was 'false'
Alias 'scep': includeca is now 'true'"
ok "which is ours" grep -qx "includeca = yes" "$SCEP_HOME/aliases/scep.ini"
ok "the key with its alias" config updatealias scep scep.includeca false
exits 2 "no value" config updatealias --alias scep --key includeca
exits 1 "no such alias" config updatealias x includeca true
no_update() { # KEY VALUE LIKE
	exits 1 "refused: $1 = $2" config updatealias scep "$1" "$2"
	like "because" "$(err config updatealias scep "$1" "$2")" "$3"
}
no_update includeCA true "did you mean includeca"
no_update ra.defaultca ManagementCA "did you mean ra.defaultCA"
no_update includeca yes "true or false"
no_update operationmode proxy "ca or ra"
no_update ra.defaultCA ManagementCA "operationmode --value ra comes first"
no_update useIntune true "whole at each step"

update=$(out config updatealias scep operationmode ra)
like "to RA mode: the CA" "$update" \
	"^Written with it: \[ra\] defaultca = ManagementCA"
like "the secret is nobody's" "$update" "a random one: set ra.authPwd"
like "approvals" "$update" "^Written with it: \[approval\] required = 0"
ok "it is good" "$SCEP" alias check scep
is "a new secret is hidden" \
	"$(out config updatealias scep ra.authPwd topsecret)" \
	"Alias 'scep': ra.authPwd was 'hidden'
Alias 'scep': ra.authPwd is now 'hidden'"
ok "and is that one" grep -q "topsecret" "$SCEP_HOME/aliases/scep.ini"
unlike "a dump hides it" "$(out config dumpall)" "topsecret"
unlike "and the audit" "$("$SCEP" audit show --json)" "topsecret"
no_update ra.authPwd hidden "what a dump shows"
printf 'fromstdin\n' >line
ok "a secret from standard input" sh -c \
	'"$SCEP" config scep updatealias scep ra.authPwd - <line'
ok "is that one" grep -q "fromstdin" "$SCEP_HOME/aliases/scep.ini"
ok "an input without a line" sh -c \
	'! "$SCEP" config scep updatealias scep ra.authPwd - </dev/null'
ok "changes nothing" grep -q "fromstdin" "$SCEP_HOME/aliases/scep.ini"
like "an empty secret is warned of" \
	"$(err config updatealias --alias scep --key ra.authPwd --value=)" \
	"whoever asks"
ok "and is none" grep -qx "authpwd = none" "$SCEP_HOME/aliases/scep.ini"
ok "the name's scheme" config updatealias scep ra.namegenerationparameters \
	"UID;SN;CN"
like "a dump has it" "$(out config dumpalias scep)" \
	"^scep.ra.namegenerationparameters = UID;SN;CN$"
ok "back to CA mode" config updatealias scep operationmode CA
unlike "nothing of RA mode stays" "$(cat "$SCEP_HOME/aliases/scep.ini")" \
	"authpwd|required"
ok "ra.createOrEditUser is the mode too" \
	config updatealias scep ra.createOrEditUser false

# --- uploadfile ----------------------------------------------------------------------

cat >ejbca.properties <<'EOT'
# EJBCA's example, and more
fleet.operationmode=RA
fleet.ra.defaultCA = ManagementCA
fleet.ra.authPwd:tops\u00e9cret\\1
fleet.ra.namegenerationscheme=DN
fleet.ra.namegenerationparameters=UID;SN;CN
fleet.ra.namegenerationprefix=pre-\
    ${RANDOM}-
uploaded.includeca=false
Fleet.includeca=false
fleet.returnCaChainInGetCaCert=TRUE
fleet.clientCertificateRenewal=yes
fleet.useIntune=false
fleet.intuneTenant=lab
fleet.ra.namegenerationScheme=FIXED
EOT
up=$(out config uploadfile --alias fleet --file ejbca.properties)
is "uploadfile" "$(echo "$up" | tail -n 1)" "Added SCEP alias: fleet"
like "another alias's line" "$up" \
	"^Ignored, line 9: uploaded.includeca is not of alias 'fleet'"
like "case counts" "$up" \
	"^Ignored, line 10: Fleet.includeca is not of alias 'fleet'"
like "an unknown key" "$up" \
	"^Ignored, line 15: no key ra.namegenerationScheme; did you mean ra.namegenerationscheme"
like "a missing includeca" "$up" \
	"^includeca is not in the file: includeca = yes"
like "renewal = yes is false to EJBCA" "$up" \
	"^clientCertificateRenewal = yes is false to EJBCA"
like "keys of Intune alone" "$up" \
	"^Left out, useIntune is not true: intuneTenant"
like "the secret" "$up" "^ra.authPwd = hidden"
like "what is written with it" "$up" \
	"existing = edit, as EJBCA; \[approval\] required = 0"
key() { # FILE KEY
	sed -n "s/^$2 = //p" "$SCEP_HOME/aliases/$1.ini" | tr -d \"
}
for row in operationmode=ra includeca=yes returncachainingetcacert=yes \
	chainorder=root-first legacy=no clientcertificaterenewal=no \
	clientcertificaterenewalwitholdkey=no existing=edit \
	defaultca=ManagementCA entityprofile=EMPTY certificateprofile=ENDUSER \
	namegenerationscheme=DN "namegenerationparameters=UID;SN;CN" \
	'namegenerationprefix=pre-${RANDOM}-' required=0; do
	is "${row%%=*}" "$(key fleet "${row%%=*}")" "${row#*=}"
done
is "escapes in a value" "$(key fleet authpwd)" 'topsécret\1'
ok "the alias is good" "$SCEP" alias check fleet
exits 1 "not twice" config uploadfile --alias fleet --file ejbca.properties
is "in EJBCA's words" \
	"$(err config uploadfile --alias fleet --file ejbca.properties)" \
	"scep: Alias 'fleet' already exists."
unlike "no secret in the audit" "$("$SCEP" audit show --json)" "tops"

like "CA mode: all CAs, and says so" \
	"$(out config uploadfile --alias uploaded --file ejbca.properties)" \
	"^Written with it: cas = ManagementCA, all that are here"
is "includeca" "$(key uploaded includeca)" "no"
is "chain: absent is false" "$(key uploaded returncachainingetcacert)" "no"
exits 1 "no line of that alias" config uploadfile --alias nobody \
	--file ejbca.properties
not_ok "makes none" test -e "$SCEP_HOME/aliases/nobody.ini"
printf 'x.operationmode=ra\nx.ra.defaultCA=ManagementCA\nx.ra.authPwd=a\\nb\n' \
	>long.properties
like "which key cannot be written" \
	"$(err config uploadfile --alias x --file long.properties)" \
	"ra.authPwd cannot be written; mend it"
exits 1 "no such file" config uploadfile --alias x --file none
exits 2 "no file" config uploadfile --alias x

upload() { # LINES...: of the alias x
	printf 'x.%s\n' "$@" >x.properties
	"$SCEP" config scep removealias --alias x >/dev/null 2>&1
	"$SCEP" config scep uploadfile --alias x --file x.properties
}
ok "an old file" upload ra.createOrEditUser=true ra.defaultCA=ManagementCA \
	ra.authPwd=s3cret-of-x
is "is RA mode" "$(key x operationmode)" "ra"
like "an empty secret is none, and warned of" \
	"$(err upload operationmode=ra ra.defaultCA=ManagementCA ra.authPwd=)" \
	"ra.authPwd is empty, which is none"
is "none" "$(key x authpwd)" "none"
exits 1 "Intune, half" upload operationmode=ra ra.defaultCA=ManagementCA \
	useIntune=true
intune() { # LINES...: an Intune alias
	upload operationmode=RA ra.defaultCA=ManagementCA ra.authPwd=unused \
		useIntune=TRUE intuneTenant=lab.example intuneAadAppId=app-1 \
		intuneAuthority=https://login.example/ intuneProxyHost= "$@"
}
like "Intune" "$(out intune 'intuneAadAppKey=a\u00e9=#;' \
	intuneAadUseKeyBinding=false intuneAadKeyBinding=key \
	clientCertificateRenewal=true intuneProxyPort=)" \
	"^Left out, intuneAadUseKeyBinding is not true: intuneAadKeyBinding"
for row in judge=intune tenant=lab.example aadappid=app-1 \
	'aadappkey=aé=#;' aadusekeybinding=no authority=https://login.example/ \
	challenge=yes existing=edit; do
	is "${row%%=*}" "$(key x "${row%%=*}")" "${row#*=}"
done
is "no secret of an alias" "$(key x authpwd)$(key x proxyhost)" ""
ok "the alias is good" "$SCEP" alias check x
like "a dump has Intune's keys" "$(out config dumpalias x)" \
	"^x.intuneTenant = lab.example$"
like "and hides the secret" "$(out config dumpalias x)" \
	"^x.intuneAadAppKey = hidden$"
like "updatealias, once it is one" \
	"$(out config updatealias x intuneTenant other.example)" \
	"intuneTenant is now 'other.example'"
like "a secret is not shown" \
	"$(out config updatealias x intuneAadAppKey n3w)" \
	"intuneAadAppKey is now 'hidden'"
unlike "nor in the audit" "$("$SCEP" audit show --json)" "n3w"
like "a certificate" "$(err intune intuneAadUseKeyBinding=true \
	intuneAadAppKey=s3cret)" "aadkeybinding is missing"
like "which is a file" "$(out intune intuneAadUseKeyBinding=true \
	intuneAadAppKey=s3cret intuneAadKeyBinding=app.pem)" \
	"^intuneAadKeyBinding = app.pem is a file here"
like "in its secret's place" "$(err config uploadfile --alias x \
	--file x.properties)" "aadkeybinding: there is no app.pem"
upload operationmode=ra ra.defaultCA=ManagementCA ra.authPwd=s3cret-of-x \
	>/dev/null
exits 1 "not for others" config updatealias x intuneTenant lab
like "and says so" "$(err config updatealias x intuneTenant lab)" \
	"counts where the judge is Intune"
exits 1 "RA mode without a CA" upload operationmode=ra ra.authPwd=s3cret-of-x
like "and what to do" "$(err upload operationmode=ra ra.authPwd=x)" \
	"ra.defaultCA"
exits 1 "a CA that is not here" upload operationmode=ra ra.defaultCA=Other \
	ra.authPwd=s3cret-of-x
exits 1 "a dump has no secrets" upload operationmode=ra \
	ra.defaultCA=ManagementCA ra.authPwd=hidden
exits 1 "a prefix that means nothing" upload operationmode=ra \
	ra.defaultCA=ManagementCA ra.authPwd=s3cret-of-x \
	'ra.namegenerationprefix=${x}'
exits 1 "a secret that would be cut short" upload operationmode=ra \
	ra.defaultCA=ManagementCA 'ra.authPwd=s3\u0000cret-of-x'
like "the last of two counts" "$(out upload includeca=false includeca=true)" \
	"^Line 2: includeca again; the last one counts"
is "yes" "$(key x includeca)" "yes"
like "RA keys mean nothing in CA mode" \
	"$(out upload operationmode=ca ra.authPwd=s3cret-of-x)" \
	"^Left out, of RA mode only: ra.authPwd"
ok "legacy digests" upload allowLegacyDigestAlgorithm=true
is "are ours" "$(key x legacy)" "yes"
config dumpalias --alias x >x.dump
ok "a dump" config removealias --alias x
ok "can be uploaded" config uploadfile --alias x --file x.dump
is "and is the same again" "$(config dumpalias --alias x)" "$(cat x.dump)"
is "removealias" "$(out config removealias --alias x)" "Removed SCEP alias: x"
is "not twice" "$(err config removealias --alias x)" \
	"scep: Alias 'x' does not exist"

# --- end entities ----------------------------------------------------------------------

add() { # NAME OPTIONS...
	_name=$1
	shift
	"$SCEP" ra addendentity --username "$_name" --password long-foo123 \
		--dn "CN=$_name,O=Lab" --caname ManagementCA --type 1 \
		--token USERGENERATED "$@"
}
status() { out ra findendentity --username "$1" | sed -n 's/^Status: *//p'; }

is "addendentity" "$(out add r1)" "Added end entity: r1"
exits 1 "not twice" add r1
is "its status" "$(status r1)" "10 (NEW)"
no_add() { # LIKE OPTIONS...
	_like=$1
	shift
	exits 1 "refused: $*" ra addendentity r2 long-foo123 "$@"
	like "because" "$(err ra addendentity r2 long-foo123 "$@")" "$_like"
}
no_add "is --type 1" --type 257
no_add "--token USERGENERATED" --token P12
no_add "one profile" --certprofile router --eeprofile vpn
no_add "no CA Other" --caname Other
no_add "no profile ENDUSR" --certprofile ENDUSR
exits 2 "no password" ra addendentity --username r2
ok "the old name, by place" ra adduser r2 long-foo123 CN=r2,O=Lab null \
	ManagementCA null 1 USERGENERATED router EMPTY
like "has its profile" "$(out ra finduser r2)" "Profile: +router"
ok "one profile, said twice" add r3 --certprofile vpn --eeprofile vpn \
	--altname dNSName=r3.lab --email r3@lab
like "has it" "$(out ra finduser r3)" "Profile: +vpn"
ok "only the end entity's" add r4 --eeprofile tls-client
like "is ours" "$(out ra finduser r4)" "Profile: +tls-client"
ok "setsubjectdn" ra setsubjectdn --username r4 --dn CN=r4,O=Other
like "did" "$(out ra finduser r4)" "Subject: +CN=r4,O=Other"
exits 2 "setsubjectdn wants one" ra setsubjectdn r4
is "delendentity" "$(out ra delendentity --username r4 -force)" \
	"Deleted end entity: r4"
exits 1 "not twice" ra deluser r4

# What a device gets with the password that it knows.
enrol() { # NAME TRY
	pkcsreq "$1" long-foo123 --txid "$1-$2" >/dev/null && send "$1"
	case $(reply "$1" status) in
	0) echo success ;;
	2) echo failure ;;
	esac
}
is "enrols" "$(enrol r1 1)" "success"
first=$(serial r1-0.pem)
is "its status then" "$(status r1)" "40 (GENERATED)"
is "the password is spent" "$(enrol r1 2)" "failure"
is "status 10" "$(out ra setendentitystatus --username r1 -S 10)" \
	"New status for end entity r1 is 10 (NEW)"
is "its status" "$(status r1)" "10 (NEW)"
is "enrols again with what it knows" "$(enrol r1 3)" "success"
second=$(serial r1-0.pem)
ok "another certificate" test "$first" != "$second"
is "once" "$(enrol r1 4)" "failure"
is "getendentitycert is the newest" "$(out ra getendentitycert r1 |
	openssl x509 -noout -serial)" "serial=$second"
exits 1 "of one that has none" ra getendentitycert --username r3

ok "status 10 twice is fine" ra setuserstatus r1 10
ok "and again" ra setuserstatus r1 10
ok "status 40" ra setendentitystatus --username=r1 -S=40
is "ends the password" "$(enrol r1 5)" "failure"
exits 1 "which is gone for good" ra setuserstatus r1 -S 10
like "and what to do" "$(err ra setuserstatus r1 -S 10)" "setpwd"
like "setpwd" "$(out ra setpwd --username r1 --password long-foo123)" \
	"^New password for end entity r1"
is "its status" "$(status r1)" "10 (NEW)"
ok "status 50" ra setendentitystatus --username r1 --S 50
is "is blocked" "$(status r1)" "50 (REVOKED)"
is "and gets nothing" "$(enrol r1 6)" "failure"
ok "setclearpwd alone" ra setclearpwd r1 long-foo123
is "lifts no block" "$(enrol r1 7)" "failure"
ok "status 10 does" ra setuserstatus r1 -S 10
is "and it enrols" "$(enrol r1 8)" "success"
ok "status 60" ra setuserstatus r1 -S 60
is "is blocked" "$(status r1)" "50 (REVOKED)"
for code in 11 20 30 70 80; do
	exits 1 "status $code is not here" ra setuserstatus r2 -S $code
	like "and why" "$(err ra setuserstatus r2 -S $code)" \
		"status $code \([A-Z]*\) is not here: [a-z\`]"
done
exits 2 "nor is 12" ra setuserstatus r2 -S 12
exits 2 "no status" ra setuserstatus r2
exits 1 "of nobody" ra setuserstatus nobody -S 40

is "listendentities by status" \
	"$(out ra listendentities -S 50 | awk '{ print $1, $2, $3, $4 }')" \
	"r1 50 ManagementCA CN=r1,O=Lab"
is "all" "$(out ra listusers | wc -l | tr -d ' ')" 3
is "listnewendentities" "$(out ra listnewendentities | awk '{ print $1 }' |
	sort | tr '\n' ' ')" "r2 r3 "
exits 2 "an unknown status" ra listendentities -S 5

like "renameendentity" \
	"$(out ra renameendentity --current r2 --new device2)" \
	"^Renamed end entity 'r2' to 'device2'"
exits 1 "the former is gone" ra findendentity r2
exits 1 "not over another" ra renameendentity device2 r1
is "its password goes along" "$(enrol device2 1)" "success"
ok "one whose password is spent" ra renameuser device2 r2
is "has none" "$(status r2)" "40 (GENERATED)"
ok "a blocked one" ra renameendentity --new gone --current r1
is "stays so" "$(status gone)" "50 (REVOKED)"
ok "its certificates stay in the former name" \
	test "$("$SCEP" cert list --entity r1 | wc -l)" -eq 3

# --- revoking --------------------------------------------------------------------------

ok "a device" add r5
is "with a certificate" "$(enrol r5 1)" "success"
number=$(serial r5-0.pem)
state() { "$SCEP" cert show "$1" | sed -n 's/^State: *//p'; }
exits 2 "an unknown reason" ra revokeendentity --username r5 -r 7
is "changes nothing" "$(status r5)" "40 (GENERATED)"
like "revokeendentity, on hold" \
	"$(out ra revokeendentity --username r5 -r 6)" \
	"Revoked end entity: r5"
is "holds" "$(state "$number")" "held"
is "blocks" "$(status r5)" "50 (REVOKED)"
ok "unrevokeendentity" ra unrevokeendentity --username r5
is "lets go" "$(state "$number")" "valid"
is "unblocks" "$(status r5)" "40 (GENERATED)"
exits 1 "nobody" ra unrevokeendentity --username nobody
exits 2 "revokecert wants a CA" ra revokecert -s "$number" -r 1
exits 1 "one that is here" ra revokecert --dn CN=Other -s "$number" -r 1
exits 2 "and a serial number" ra revokecert --dn CN=ManagementCA,O=Lab -s xyz
like "revokecert" "$(out ra revokecert --dn "CN=ManagementCA,O=Lab" \
	-s "$number" -r keyCompromise)" "revoked"
like "with its reason" "$("$SCEP" cert show "$number")" \
	"Reason: +keyCompromise"
exits 1 "not twice" ra revokecert --dn CN=ManagementCA,O=Lab -s "$number"
ok "a serial number that is not here" ra revokecert \
	--dn CN=managementca,O=lab -s 00:4711 -r 4
ok "the CRL" ca createcrl ManagementCA
ca getcrl ManagementCA -f crl.der
like "has it" "$(openssl crl -inform DER -in crl.der -noout -text)" \
	"Serial Number: 4711"
exits 1 "the old name; it is revoked already" ra revokeuser r5 5
is "and blocked all the same" "$(status r5)" "50 (REVOKED)"

# --- importcert --------------------------------------------------------------------------

client_key i
openssl req -new -key i.key -subj /CN=imported \
	-out i.csr 2>/dev/null
openssl x509 -req -in i.csr -CA ca.pem -CAkey \
	"$SCEP_HOME/ca/ManagementCA/1/key.pem" -days 30 -set_serial 0xabcd \
	-out i.pem 2>/dev/null
exits 2 "importcert wants a name" ca importcert -f i.pem
exits 1 "what is revoked comes otherwise" ca importcert -f i.pem \
	--username i1 -a REVOKED
exits 1 "no certificate" ca importcert -f i.csr --username i1
exits 1 "makes nobody" ra finduser i1
ok "importcert" ca importcert --username i1 --password foo123 \
	--caname ManagementCA -a ACTIVE --email i@lab --certprofile ENDUSER \
	--eeprofile EMPTY -f i.pem
like "is the entity's" "$("$SCEP" cert show abcd)" "Entity: +i1"
is "who has no password" "$(status i1)" "40 (GENERATED)"

done_testing
