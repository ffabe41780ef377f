#!/bin/sh
# MobileIron, Cisco ISE and Juniper in RA mode, imitated, each with its whole
# session by both doors: one secret speaks for a fleet, entities are made of
# requests, and Juniper waits for people's yes and retrieves (CLIENTS.md;
# C-25, C-76, C-85, C-113, C-114, C-131 to C-134).
# shellcheck disable=SC1091,SC2034,SC2154 # lib.sh and clients.sh use them
. "${0%/*}/lib.sh"
. "$TOP/tests/clients.sh"

make_home
"$SCEP" ca create Devices --subject "CN=Devices,O=Lab" --key rsa:2048 >>log 2>&1
"$SCEP" ca export Devices --out devices.pem
SECRET="one secret of the MDM"

# NAME APPROVALS LINES OF [ra]...: what stands behind it is the caller's.
alias_ra() {
	_alias=$1 _n=$2
	shift 2
	{
		printf '[scep]\noperationmode = ra\n'
		printf '[approval]\nrequired = %s\n' "$_n"
		printf '[ra]\ndefaultca = Devices\n'
		printf '%s\n' "$@"
	} >"$_alias.ini"
	"$SCEP" alias add "$_alias" --from "$_alias.ini" >.out 2>&1 ||
		diag "$(cat .out)"
}
alias_ra mdm 0 "authpwd = \"$SECRET\"" 'namegenerationprefix = mdm-' \
	'[identifiers]' 'MobileIronSCEP = Devices'
alias_ra ise 0 "authpwd = \"$SECRET\"" 'namegenerationscheme = RANDOM' \
	'namegenerationprefix = ise-'
"$SCEP" alias set ise samekey no >>log
alias_ra juniper 1 'authpwd = none' 'namegenerationparameters = CN'

entities() { "$SCEP" entity list --json | wc -l; }
# NAME OPTIONS...: an enrolment; its answer is NAME.rep.
asks() {
	_n=$1
	shift
	message "$_n" --csr-out "$_n.csr" "$@"
	submit "$_n"
}
# CN: the number of the request that waits for it.
number() {
	"$SCEP" request list --json --match "$1" |
		sed -n 's/.*"request":"\([0-9a-f]*\)".*/\1/p'
}
refuses() { # DESCRIPTION NAME FAILINFO
	is "$WHO: $1" "$(reply "$2" status) $(reply "$2" failinfo)" "2 $3"
}

# --- MobileIron: one secret for all phones, a CA that is called otherwise

mobileiron() { # DOOR
	AS=apple VIA=post
	session "MobileIron, $1" /scep/mdm/pkiclient.exe MobileIronSCEP \
		devices.pem
	capable
	trusts
	enrols "phone-$1" "$SECRET" --subject "/O=Lab/CN=phone-$1" \
		--san "email:phone-$1@lab.example"
	is "$WHO: the request's subject" "$(subject "phone-$1")" \
		"subject=CN=phone-$1,O=Lab"
	like "$WHO: and SAN" "$(san "phone-$1")" "email:phone-$1@lab.example"
	like "$WHO: its entity is made" \
		"$("$SCEP" entity show "mdm-phone-$1")" "O=Lab,CN=phone-$1"
	polls "phone-$1"
	_before=$(entities)
	asks other --subject "/CN=tablet-$1" --challenge "not $SECRET"
	refuses "a wrong secret" other 2
	rm other.key
	asks other --subject "/O=Lab/CN=phone-$1" --challenge "$SECRET"
	refuses "another phone of the same name" other 2
	is "$WHO: nobody was made" "$(entities)" "$_before"
}

# --- Cisco ISE: it signs for its devices with a key of its own, and each gets
# a random name

ise() { # DOOR
	AS=cisco-ios VIA=post SIGNER=ise
	[ -e ise.key ] || client_key ise
	session "Cisco ISE, $1" /scep/ise/pkiclient.exe "" devices.pem
	capable
	trusts
	_before=$(entities)
	for mac in "00-11-22-33-$1-55" "00-11-22-33-$1-66"; do
		enrols "$mac" "$SECRET" --subject "/OU=BYOD/CN=user $mac" \
			--san "dns:$mac" --txid "ise-$mac" \
			--signer-subject /CN=ise.lab.example
		like "$WHO: the MAC address is in the SAN" "$(san "$mac")" \
			"DNS:$mac"
		is "$WHO: and in the subject" "$(subject "$mac")" \
			"subject=CN=user $mac,OU=BYOD"
	done
	is "$WHO: an entity for each" "$(entities)" $((_before + 2))
	like "$WHO: of a random name" "$("$SCEP" entity list --json |
		grep "$mac")" '"username":"ise-[A-Za-z0-9]{12}"'
	fetches_crl "$mac"
	message "no-$1" --subject "/CN=no-$1" --challenge "" --txid "no-$1"
	submit "no-$1"
	refuses "no secret" "no-$1" 2
	unset SIGNER
}

# --- Juniper: no secret, but an administrator who compares digests; Retrieve
# asks again until the certificate is there

juniper() { # DOOR
	AS=juniper VIA=post
	session "Juniper, $1" \
		/ejbca/publicweb/apply/scep/juniper/pkiclient.exe Devices \
		devices.pem
	capable
	trusts
	_n=srx-$1
	_subject=/DC=lab/OU=Net/O=Example/CN=$_n
	asks "$_n" --subject "$_subject" --san "ip:192.0.2.17,dns:$_n.lab" \
		--challenge "whatever stands there"
	is "$WHO: PENDING" "$(reply "$_n" status)" 3
	cp "$_n.csr" seen.csr
	retrieves "$_n"
	is "$WHO: Retrieve: PENDING" "$(reply "$_n" status)" 3
	id=$(number "$_n")
	for digest in md5:MD5 sha1:SHA-1; do
		like "$WHO: the digest that its screen shows, ${digest#*:}" \
			"$("$SCEP" request show "$id")" \
			"^CSR ${digest#*:}: +$(openssl dgst -"${digest%:*}" \
				-r seen.csr | cut -d' ' -f1)"
	done
	ok "$WHO: approved" "$SCEP" request approve "$id" --as netadmin
	retrieves "$_n"
	is "$WHO: Retrieve: SUCCESS" "$(reply "$_n" status)" 0
	is "$WHO: the leaf alone" "$(reply "$_n" ncerts)" 1
	cp "$_n-0.pem" "$_n.pem"
	ok "$WHO: it verifies" openssl verify -x509_strict -CAfile "$CA" \
		"$_n.pem"
	is "$WHO: its key" "$(openssl x509 -in "$_n.pem" -noout -pubkey)" \
		"$(openssl pkey -in "$_n.key" -pubout)"
	like "$WHO: its address" "$(san "$_n")" "IP Address:192.0.2.17"
	retrieves "$_n"
	ok "$WHO: once more, the same" cmp "$_n-0.pem" "$_n.pem"

	_first=$_n _n=bad-$1
	asks "$_n" --subject "/CN=$_n"
	is "$WHO: another waits" "$(reply "$_n" status)" 3
	retrieves "$_n" "$(said "$_first" txid)"
	refuses "it cannot retrieve what is not its own" "$_n" 4
	asks "$_n" --subject "/CN=$_n"
	ok "$WHO: denied" "$SCEP" request deny "$(number "$_n")"
	retrieves "$_n"
	refuses "Retrieve is told" "$_n" 2
}

# NAME [TXID]: GetCertInitial, as the same transaction by the same certificate.
retrieves() {
	builder wanted --ca "$CA" --subject "/CN=$1" --out wanted
	cp "$1.crt" retrieve.crt
	message "$1" --signer-cert retrieve.crt --type 20 --csr wanted \
		--txid "${2:-$(said "$1" txid)}"
	submit "$1"
}

for door in fcgi cgi; do
	if [ $door = fcgi ]; then
		lighttpd_start 2
	else
		lighttpd_cgi_start
	fi
	mobileiron $door
	ise $door
	juniper $door
	stop_servers
done
is "the secret is in no log and no record" \
	"$(grep -rlF -e "$SECRET" -e "whatever stands there" log lighttpd.log \
		home/store)" ""
done_testing
