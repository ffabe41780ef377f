#!/bin/sh
# `init` tries what the store lives by and refuses a file system that cannot
# do it (issue part 6); strace(1) stands for such a file system.
# shellcheck disable=SC1091,SC2016 # lib.sh lies beside; $SCEP is for sh -c
. "${0%/*}/lib.sh"

strace -e trace=none true 2>/dev/null ||
	skip_all_tests "strace cannot trace here"
no_leaks

# NAME INJECTION: `init` of the home NAME where a call fails; its words in said.
init_without() {
	strace -f -qq -o trace -e "trace=${2%%:*}" -e "inject=$2" \
		"$SCEP" --home "$1" init >said 2>&1
}

refused() { # INJECTION WHAT
	exits 1 "without $2: refused" init_without "no-$1" "$1"
	ok "the call was made and failed" grep -q INJECTED trace
	like "$2: the last line says what and what to do" \
		"$(tail -n 1 said)" \
		"file system of this home does not do what .*$2.*choose a home"
	not_ok "$2: there is no store" test -e "no-$1/store/format"
	not_ok "$2: nor anything to serve" test -e "no-$1/scep.ini"
	is "$2: nothing is left of the trial" \
		"$(find "no-$1/store" -type f -o -type l)" ""
	ok "$2: where it works again, init finishes" "$SCEP" \
		--home "no-$1" init
	ok "$2: check" "$SCEP" --home "no-$1" check
}

refused linkat:error=EPERM 'link\(2\) of a new name'
refused linkat:error=EOPNOTSUPP:when=3 'a second hard link'
refused renameat:error=EPERM 'rename\(2\)'
refused symlinkat:error=EPERM 'symlink\(2\)'
refused fsync:error=EINVAL 'fsync'
refused fsync:error=EINVAL:when=2 'fsync'

# A link that says no to a taken name by another word, or takes it.
exits 1 "a link that overwrites in silence" init_without over \
	linkat:retval=0:when=2
like "is found out by looking" "$(tail -n 1 said)" 'a taken name'
done_testing
