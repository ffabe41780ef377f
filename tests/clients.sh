# shellcheck shell=sh
# What the scripts of imitated clients share: a home with two CAs behind
# lighttpd, and the steps of a session.  The message itself is the builder's
# (`--as CLIENT`); its path, CA name, HTTP and the order of steps are the
# script's.  Sourced behind lib.sh.
#
#	session WHO PATH IDENT CA [LINES OF CURL'S CONFIGURATION...]
#	capable            GetCACaps
#	trusts             GetCACert
#	enrols NAME CODE OPTIONS...   PKCSReq of CN=NAME, and the same bytes again
#	polls NAME         GetCertInitial: the same certificate
#	fetches_crl NAME   GetCRL about NAME's certificate
#	fetches_cert NAME  GetCert of it
#
# Set by the script: AS, the builder's row; VIA, post or the style of a GET;
# BITS of its key; LEGACY=--legacy where answers come in single DES.

AS='' VIA=post BITS=2048 LEGACY='' WHO='' BASE='' IDENT='' CA=''

# ManagementCA and Devices serve the alias scep; the alias old admits what
# was usual then.
clients_home() {
	make_home
	"$SCEP" ca create Devices --subject "CN=Devices,O=Lab" \
		--key rsa:2048 >>log 2>&1
	"$SCEP" ca export Devices --out devices.pem
	"$SCEP" alias set scep cas ManagementCA,Devices >>log
	printf '[certificate]\nminrsa = 1024\n' >home/profiles/old.ini
	# One that was just written might not be written to its end yet.
	touch -d '5 seconds ago' home/profiles/old.ini
	{
		"$SCEP" alias add old --ca ManagementCA
		"$SCEP" alias set old legacy yes
		"$SCEP" alias set old profile old
	} >>log
	lighttpd_start 2
}

session() {
	WHO=$1 BASE=$URL$2 IDENT=$3 CA=$4
	shift 4
	{ echo silent; echo globoff; printf '%s\n' "$@"; } >curl.how
}

# QUERY OPTIONS OF CURL...: leaves body, STATUS and TYPE.
fetch() {
	_query=$1
	shift
	_got=$(curl -K curl.how -o body -w '%{http_code} %{content_type}' "$@" \
		"$BASE?$_query" 2>>log)
	STATUS=${_got%% *} TYPE=${_got#* }
}

ask() { fetch "operation=$1${IDENT:+&message=$IDENT}"; }

capable() {
	ask GetCACaps
	is "$WHO: capabilities" "$STATUS $TYPE" "200 text/plain"
	for _word in AES DES3 POSTPKIOperation SHA-1 SHA-256 SHA-512 \
		SCEPStandard; do
		grep -qx "$_word" body || diag "$_word is missing"
	done >missing 2>&1
	is "$WHO: each word that it looks for" "$(cat missing)" ""
}

trusts() {
	ask GetCACert
	is "$WHO: message=$IDENT gets a certificate alone" "$STATUS $TYPE" \
		"200 application/x-x509-ca-cert"
	openssl x509 -in "$CA" -outform DER -out ca.der
	ok "$WHO: that of its CA" cmp body ca.der
}

# NAME: sends NAME.der as VIA says; the answer is NAME.rep.
submit() {
	rm -f "$1"-*.pem body
	if [ "$VIA" = post ]; then
		fetch operation=PKIOperation --data-binary "@$1.der" \
			-H "Content-Type: application/x-pki-message"
	else
		fetch "operation=PKIOperation&message=$(builder get \
			--in "$1.der" --style "$VIA")"
	fi
	[ "$STATUS $TYPE" = "200 application/x-pki-message" ] || {
		echo "status=$STATUS $TYPE" >"$1.rep"
		return 1
	}
	builder certrep ${LEGACY:+"$LEGACY"} --ca "$CA" \
		--key "${SIGNER:-$1}.key" --cert "$1.crt" \
		--txid "$(said "$1" txid)" --nonce "$(said "$1" nonce)" \
		--in body --out-prefix "$1-" >"$1.rep" 2>>log
}

said() { sed -n "s/^$2=//p" "$1.said"; }

# NAME OPTIONS...: a message of NAME.key, SIGNER.key signing if that is set.
message() {
	_name=$1
	shift
	[ -e "$_name.key" ] || client_key "$_name" "$BITS"
	builder pkcsreq --as "$AS" --ca "$CA" --key "$_name.key" \
		${SIGNER:+--signer-key "$SIGNER.key"} \
		--cert-out "$_name.crt" --said "$_name.said" \
		--out "$_name.der" "$@" 2>>log
}

enrols() {
	_name=$1 _code=$2
	shift 2
	case " $* " in
	*" --subject "*) ;;
	*) set -- --subject "/CN=$_name" "$@" ;;
	esac
	message "$_name" --challenge "$_code" --csr-out "$_name.csr" "$@"
	ok "$WHO: the answer is well made" submit "$_name"
	is "$WHO: $_name enrols" "$(reply "$_name" status)" 0
	cp body "$_name.first"
	cp "$_name-0.pem" "$_name.pem"
	ok "$WHO: its certificate verifies" openssl verify -x509_strict \
		-CAfile "$CA" "$_name.pem"
	is "$WHO: has its key" "$(openssl x509 -in "$_name.pem" -noout -pubkey)" \
		"$(openssl pkey -in "$_name.key" -pubout)"
	ok "$WHO: the same bytes again" submit "$_name"
	not_ok "$WHO: get another answer" cmp -s body "$_name.first"
	ok "$WHO: with the same certificate" cmp "$_name-0.pem" "$_name.pem"
}

subject() { openssl x509 -in "$1.pem" -noout -subject -nameopt RFC2253; }
san() { openssl x509 -in "$1.pem" -noout -ext subjectAltName; }

# As the same transaction, by the same certificate.
polls() {
	builder wanted --ca "$CA" --subject "/CN=$1" --out polled
	cp "$1.crt" poll.crt
	message "$1" --signer-cert poll.crt --type 20 --csr polled \
		--txid "$(said "$1" txid)"
	ok "$WHO: a poll is answered" submit "$1"
	ok "$WHO: with the same certificate" cmp "$1-0.pem" "$1.pem"
}

# NAME TYPE OPTIONS...
_about() {
	_name=$1 _type=$2
	shift 2
	builder wanted --cert "$_name.pem" --out wanted
	cp "$_name.crt" about.crt
	message "$_name" --signer-cert about.crt --type "$_type" \
		--csr wanted "$@"
	submit "$_name"
}

fetches_crl() {
	_who=$1
	shift
	ok "$WHO: GetCRL is answered" _about "$_who" 22 "$@"
	is "$WHO: with one CRL and no certificate" \
		"$(reply "$_who" ncrls) $(reply "$_who" ncerts)" "1 0"
	ok "$WHO: that its CA signed" openssl crl -in "$_who-crl.pem" -noout \
		-verify -CAfile "$CA"
}

fetches_cert() {
	_who=$1
	shift
	ok "$WHO: GetCert is answered" _about "$_who" 21 "$@"
	ok "$WHO: with the certificate" cmp "$_who-0.pem" "$_who.pem"
}
