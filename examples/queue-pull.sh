#!/bin/sh
# On the CA's host, from a timer (scep-queue.timer): fetches what waits at an
# external RA, has the CA decide, and takes the answers back.  Nothing connects
# from the RA to here.
#
#	RA=scep@ra.example.org:/var/lib/scep/store/queue queue-pull.sh
#
# RA    store/queue of the RA's home, as rsync names it; the user must be the
#       one that the home belongs to
# COPY  where it lies here; default queue-copy in the home
# SCEP  the program
set -u
SCEP=${SCEP:-/usr/local/bin/scep}
COPY=${COPY:-${SCEP_HOME:-/var/lib/scep}/queue-copy}
: "${RA:?which RA? RA=user@host:/path/of/its/home/store/queue}"

mkdir -p "$COPY" || exit 1
rsync -a --delete --exclude='.*' --exclude='/*/untold/' "$RA/" "$COPY/" || exit 1
"$SCEP" queue pull --quiet "$COPY"
status=$?
# The answers also where some request was refused: the others have theirs.
rsync -a --include='/*/' --include='/*/in/' --include='/*/in/*' \
	--exclude='*' "$COPY/" "$RA/" || exit 1
exit "$status"
