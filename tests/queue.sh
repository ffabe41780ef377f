# shellcheck shell=sh disable=SC2034,SC2120 # lib.sh uses them
# What the scripts of an external RA share: two homes, ca/ and ra/, and rsync
# between them.  Sourced behind lib.sh.
#
#	two_homes          the CA Lab, and an RA of it; aliases: see there
#	at_ra, at_ca       whose home counts
#	pull [OPTIONS]     rsync, `scep queue pull`, rsync; pull.out has its words
#	enrol NAME CODE ALIAS OPTIONS...   a PKCSReq to the RA
#	poll NAME ALIAS OPTIONS...         its GetCertInitial

ROOT=$FRESH
at_ra() { SCEP_HOME=$ROOT/ra; }
at_ca() { SCEP_HOME=$ROOT/ca; }

quietly() { "$@" >.out 2>&1 || diag "$*: $(cat .out)"; }

# Aliases, the same name on either side:
#	fleet   RA: judge = secret; CA: entities are made
#	codes   RA: nobody judges (authpwd = none); CA: entities and their codes
#	desk    RA: entities of its own and their codes; CA: entities are made
two_homes() {
	at_ca
	quietly "$SCEP" init
	quietly "$SCEP" ca create Lab --subject "CN=Lab CA,O=Lab" --key rsa:2048
	quietly "$SCEP" ca export Lab --out ca.pem
	at_ra
	quietly "$SCEP" init
	quietly "$SCEP" ca import Lab --cert ca.pem --no-key
	quietly "$SCEP" ca ra request Lab --out ra.csr
	at_ca
	quietly "$SCEP" ca ra sign Lab ra.csr --out ra.pem
	cp ra.pem ca/queue-ra.pem
	at_ra
	quietly "$SCEP" ca ra install Lab ra.pem
	printf '[scep]\noperationmode = externalra\ncas = Lab\n[ra]\n' >ext.ini
	cat >fleet.ini <<-'END'
	[scep]
	operationmode = ra
	[ra]
	defaultca = Lab
	[approval]
	required = 0
	[queue]
	ra = queue-ra.pem
	target = ra
	END
	cat >codes.ini <<-'END'
	[scep]
	operationmode = ca
	cas = Lab
	[queue]
	ra = queue-ra.pem
	target = ca
	END
	{ cat ext.ini && echo 'authpwd = "a joint secret of the fleet"'; } >e1
	{ cat ext.ini && echo 'authpwd = none'; } >e2
	quietly "$SCEP" alias add fleet --from e1
	quietly "$SCEP" alias add codes --from e2
	printf '[scep]\noperationmode = externalra\ncas = Lab\n%s' \
		'[challenge]
judge = entity
' >e3
	quietly "$SCEP" alias add desk --from e3
	at_ca
	quietly "$SCEP" alias add desk --from fleet.ini
	quietly "$SCEP" alias add fleet --from fleet.ini
	quietly "$SCEP" alias add codes --from codes.ini
	at_ra
}

# Only rsync knows both hosts.
carry_out() { mkdir -p copy && rsync -a --delete --exclude='/*/untold/' ra/store/queue/ copy/; }
# By the example for timers; its exit status is the command's.
pull() {
	mkdir -p "$ROOT/bin"
	printf '#!/bin/sh\nSCEP_HOME=%s exec "%s" queue pull %s copy\n' \
		"$ROOT/ca" "$SCEP" "$*" >bin/scep
	chmod 755 bin/scep
	SCEP=$ROOT/bin/scep COPY=copy RA=ra/store/queue \
		"$TOP/examples/queue-pull.sh" >pull.out 2>pull.err
}

# NAME ALIAS: sends NAME.der to the RA, at the path that Juniper's devices know
# of EJBCA's external RA; prints SUCCESS, PENDING, failinfo N or http N.
transmit() {
	rm -f "$1"-*.pem
	request POST "/scepraserver/scep/$2/pkiclient.exe?operation=PKIOperation" \
		"$1.der"
	if [ "$STATUS" != 200 ]; then
		echo "http $STATUS"
		return
	fi
	builder certrep --ca ra.pem --key "$1.key" --cert "$1.crt" --in body \
		--out-prefix "$1-" >"$1.rep" 2>>log
	case $(reply "$1" status) in
	0) echo SUCCESS ;;
	3) echo PENDING ;;
	*) echo "failinfo $(reply "$1" failinfo)" ;;
	esac
}

# NAME CODE ALIAS OPTIONS...: a PKCSReq of CN=NAME by NAME.key.
enrol() {
	_name=$1 _code=$2 _alias=$3
	shift 3
	[ -e "$_name.key" ] || client_key "$_name"
	case " $* " in
	*" --subject "*) ;;
	*) set -- --subject "/CN=$_name" "$@" ;;
	esac
	builder pkcsreq --ca ra.pem --key "$_name.key" --challenge "$_code" \
		--txid "id-$_name" --cert-out "$_name.crt" \
		--csr-out "$_name.csr" --out "$_name.der" "$@" 2>>log
	transmit "$_name" "$_alias"
}

# NAME ALIAS OPTIONS...: its GetCertInitial.
poll() {
	_name=$1 _alias=$2
	shift 2
	: >empty
	builder pkcsreq --ca ra.pem --key "$_name.key" --type 20 --csr empty \
		--txid "id-$_name" --cert-out "$_name.crt" --out "$_name.der" \
		"$@" 2>>log
	transmit "$_name" "$_alias"
}
