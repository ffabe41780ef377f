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
# RA    store/queue of the RA's home, as rsync names it; the user must be the
#       one that the RA's home belongs to
# COPY  where it lies here; default queue-copy in the home
# SCEP  the program
set -u
SCEP=${SCEP:-/usr/local/bin/scep}
COPY=${COPY:-${SCEP_HOME:-/var/lib/scep}/queue-copy}
: "${RA:?which RA? RA=user@host:/path/of/its/home/store/queue}"

mkdir -p "$COPY" || exit 1
# Files and folders alone: whoever has the RA's host could leave links, devices
# and FIFOs there.  By content (-c): what is written anew within the second has
# the same time, and often the same size.
MODES='D0750,F0640'
rsync -rtpc --chmod="$MODES" --delete --exclude='.*' --exclude='/*/untold/' \
    --max-size=4m "$RA/" "$COPY/" || exit 1
"$SCEP" queue pull --quiet "$COPY"
status=$?
# The answers also where some request was refused: the others have theirs.
rsync -rtpc --chmod="$MODES" --include='/*/' --include='/*/in/' --include='/*/in/*' \
	--exclude='*' "$COPY/" "$RA/" || exit 1
exit "$status"
