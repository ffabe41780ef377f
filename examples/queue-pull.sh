#!/bin/sh
# On the CA's host, from a timer (scep-queue.timer): fetches what waits at an
# external RA, has the CA decide, and takes the answers back.  Nothing connects
# from the RA to here.
#
#	RA=scep@ra.example.org:/var/lib/scep/store/queue queue-pull.sh
#
# Run it as the user that the home here belongs to, as scep-queue.service does
# (by hand: runuser -u scep -- env RA=... queue-pull.sh); as root, the copy may
# become root's.  It needs rsync on both hosts.  The RA's host needs the folder
# store/queue, before the first device has come, and for that user a shell and
# an ssh key: scep-alias(5), External RA.
#
# RA       store/queue of the RA's home, as rsync names it; the user must be
#          the one that the RA's home belongs to
# COPY     where it lies here; default queue-copy in the home.  How many files
#          come is up to whoever has the RA's host: let it be a folder on a
#          file system or under a quota of its own, so that they cannot fill
#          the CA's disk
# SCEP     the program here
# RA_SCEP  the program at the RA, which takes the answers there for those who
#          do not ask for them again; or `no': each is taken when its device
#          asks, and the others when [queue] limit wait
set -u
SCEP=${SCEP:-/usr/local/bin/scep}
COPY=${COPY:-${SCEP_HOME:-/var/lib/scep}/queue-copy}
RA_SCEP=${RA_SCEP:-/usr/local/bin/scep}
: "${RA:?which RA? RA=user@host:/path/of/its/home/store/queue}"

mkdir -p "$COPY" || exit 1
# Files and folders alone: whoever has the RA's host could leave links, devices
# and FIFOs there; and only where requests and answers lie, none larger than
# a pull reads.  By content (-c): what is written anew within the second has the
# same time, and often the same size.
MODES='D0750,F0640'
rsync -rtpc --chmod="$MODES" --delete --delete-excluded --exclude='.*' \
	--exclude='/*/*/*/' --include='/*/' --include='/*/out/' \
	--include='/*/out/*' --include='/*/in/' --include='/*/in/*' \
	--exclude='*' --max-size=512k "$RA/" "$COPY/" || exit 1
"$SCEP" queue pull --quiet "$COPY"
status=$?
# The answers also where some request was refused: the others have theirs.
rsync -rtpc --chmod="$MODES" --exclude='/*/*/*/' --include='/*/' \
	--include='/*/in/' --include='/*/in/*' --exclude='*' \
	"$COPY/" "$RA/" || exit 1

# Where RA is HOST:HOME/store/queue; not a folder here, nor an rsync daemon.
take_there() {
	host=${RA%%:*} home=${RA#*:}
	case $RA_SCEP in no) return ;; esac
	case $host in "$RA" | */*) return ;; esac
	case $home in :* | //*) return ;; */store/queue) ;; *) return ;; esac
	# shellcheck disable=SC2086 # words, as for rsync
	${RSYNC_RSH:-ssh} "$host" env "SCEP_HOME='${home%/store/queue}'" \
		"'$RA_SCEP'" queue import --here </dev/null >/dev/null
}
# What is wrong with it is told of, and no matter of the pull: the server there
# takes what is left.
take_there
exit "$status"
