#!/bin/sh
# The table of `make mutants` fits the source: every text that it removes
# stands exactly once in its file, and the tests that it names exist.  So a
# change of the server cannot turn a mutant into nothing unseen; that the
# tests notice each of them is for `make mutants` itself, which takes longer.
# shellcheck disable=SC1091,SC2016 # lib.sh lies beside; $0 is for sh -c
. "${0%/*}/lib.sh"

mutants() { "$TOP/tests/mutants.sh" "$@"; }

ok "every mutant fits the source" mutants --check
for name in outer-signature csr-signature code-comparison entity-ca-match \
	redemption signer-key-binding one-signer attribute-uniqueness \
	body-cap fsync-before-answer uniform-csr-parse same-key; do
	ok "$name is among them" sh -c '"$0" --list | grep -qx "$1"' \
		"$TOP/tests/mutants.sh" "$name"
done

# What the check is for, in a copy of what the table names.
{
	echo tests/mutants.sh
	echo tests/mutants.tab
	awk '$1 == "file" || $1 == "test" { $1 = ""; print }' \
		"$TOP/tests/mutants.tab" | tr ' ' '\n' | grep .
} | sort -u >named
mkdir copy
tar -C "$TOP" -T named -cf - | tar -C copy -xf -
ok "a copy fits too" copy/tests/mutants.sh --check
sed -i 's/& (unsigned)verified;/\& verified;/' copy/message/open.c
exits 1 "a changed source does not" copy/tests/mutants.sh --check
like "and is named" "$(copy/tests/mutants.sh --check 2>&1)" \
	"^csr-signature: the old text stands 0 times"
cp "$TOP/message/open.c" copy/message/
cat "$TOP/http.c" >>copy/http.c
exits 1 "nor one in which the text stands twice" copy/tests/mutants.sh --check
cp "$TOP/http.c" copy/
rm copy/tests/t0240-crash.t
exits 1 "nor a test that is gone" copy/tests/mutants.sh --check
done_testing
