#!/bin/sh
# Installs the Debian packages that are missing, by name.
#
#   tests/deps.sh PURPOSE PACKAGE...
#
# Silent, and asks nobody but dpkg's own list, when nothing is missing.
set -u
purpose=$1
shift

if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "scep: no dpkg here; install by hand what '$purpose' needs (Debian names: $*), then say DEPS=no" >&2
	exit 1
fi

missing=
for package; do
	case $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) in
	installed) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
	root=''
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
	root='sudo -n'
else
	echo "scep: '$purpose' needs packages and you may not install them; as root: apt-get install$missing" >&2
	exit 1
fi

echo "  APT   $missing"
log=$(mktemp) || exit 1

# Debian starts a web server when it installs one.  The tests start their own,
# so for the time of the installation nothing is started, unless this machine
# has a policy for that already.
policy=/usr/sbin/policy-rc.d
ours=
# shellcheck disable=SC2016,SC2086 # a word or none
quiet() {
	if $root sh -c 'set -C; printf "#!/bin/sh\nexit 101\n" >"$1"' - \
	    $policy 2>/dev/null; then
		ours=yes
		$root chmod 755 $policy
	fi
}
# shellcheck disable=SC2086,SC2317 # called by the trap
leave() {
	rm -f "$log"
	[ -z "$ours" ] || $root rm -f $policy
}
trap leave EXIT
trap 'exit 1' HUP INT TERM
quiet

# The lists may be absent or old: one update, one more try.
apt() {
	# shellcheck disable=SC2086 # words on purpose
	$root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
	    -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1 </dev/null
}
# shellcheck disable=SC2086
apt install --no-install-recommends $missing && exit 0
apt update
# shellcheck disable=SC2086
apt install --no-install-recommends $missing && exit 0
sed 's/^/# /' "$log" >&2
echo "scep: apt-get could not install$missing" >&2
exit 1
