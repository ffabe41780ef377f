#!/usr/bin/env bash
# Breaks the server on purpose, one safeguard at a time, and asks the tests
# named beside it in mutants.tab: if they still pass, nothing guards that
# safeguard, and this fails.
#
#   tests/mutants.sh [NAME...]     all, or those named
set -u
cd "$(dirname "$0")/.." || exit 1

top=$PWD
tab=$top/tests/mutants.tab
scratch=$(mktemp -d "${TMPDIR:-/tmp}/mutants.XXXXXX") || exit 1
tree=$scratch/tree
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# The plain build comes along, so that a mutant compiles one file.
copy_tree() {
	rm -rf "$tree"
	mkdir "$tree" || exit 1
	tar -C "$top" -cf - --exclude=./.git --exclude=./demo \
	    --exclude=./build/asan --exclude=./build/cover \
	    --exclude=./build/fuzz --exclude=./build/lint . |
	    tar -C "$tree" -xf -
}

names() {
	awk '$1 == "mutant" { print $2 }' "$tab"
}

# field NAME WORD: the rest of the line WORD in the block of a mutant
field() {
	awk -v name="$1" -v word="$2" '
		$1 == "mutant" { in_it = $2 == name }
		in_it && $1 == word { sub(/^[a-z]+[ \t]+/, ""); print }
	' "$tab"
}

# The old text must stand in the file exactly once: a table that has fallen
# behind the source is an error, not a caught mutant.
apply() {
	perl - "$1" "$tab" "$tree" <<-'EOT'
	use strict;
	use warnings;
	my ($name, $tab, $tree) = @ARGV;
	my ($in, $file, $old, $new) = (0, undef, '', '');
	open my $t, '<', $tab or die;
	while (<$t>) {
		if (/^mutant\s+(\S+)/) { $in = $1 eq $name; next }
		next unless $in;
		if (/^file\s+(\S+)/) { $file = "$tree/$1" }
		elsif (/^-(.*\n)/) { $old .= $1 }
		elsif (/^\+(.*\n)/) { $new .= $1 }
	}
	die "$name: no file or no text\n" unless defined $file && $old ne '';
	open my $f, '<', $file or die "$file: $!\n";
	local $/;
	my $text = <$f>;
	close $f;
	my $n = () = $text =~ /^\Q$old\E/mg;
	die "$name: the old text stands $n times in $file\n" unless $n == 1;
	$text =~ s/^\Q$old\E/$new/m;
	open $f, '>', $file or die;
	print $f $text;
	close $f or die;
	EOT
}

# build TEST...: the server and the unit tests among those named
build() {
	local goals=(scep tools) t

	for t; do
		case $t in
		*.c) goals+=("build/plain/${t%.c}") ;;
		esac
	done
	make -C "$tree" --no-print-directory -j2 FLAVOUR=plain \
	    "${goals[@]}" >"$scratch/build.log" 2>&1
}

# run TEST...: do they pass?
run() {
	(cd "$tree" && timeout 600 tests/harness plain=build/plain -- "$@") \
	    >"$scratch/run.log" 2>&1
}

tests_of() {
	local name

	for name; do
		field "$name" test
	done | tr ' ' '\n' | sort -u
}

if [ $# -eq 0 ]; then
	mapfile -t list < <(names)
else
	list=("$@")
fi

mapfile -t all < <(tests_of "${list[@]}")
make --no-print-directory DEPS=no all || exit 1
copy_tree
build "${all[@]}" || {
	cat "$scratch/build.log"
	exit 1
}
if ! run "${all[@]}"; then
	cat "$scratch/run.log"
	echo "mutants: the tests fail before anything is broken" >&2
	exit 1
fi

caught=0
alive=0
for name in "${list[@]}"; do
	file=$(field "$name" file)
	mapfile -t tests < <(tests_of "$name")
	cp -p "$tree/$file" "$scratch/whole" || exit 1
	if ! apply "$name"; then
		alive=$((alive + 1))
	elif ! build "${tests[@]}"; then
		tail -n 5 "$scratch/build.log"
		echo "  $name: does not compile, the table is behind"
		alive=$((alive + 1))
	elif run "${tests[@]}"; then
		echo "  $name: NOT NOTICED by ${tests[*]}"
		alive=$((alive + 1))
	else
		echo "  $name: noticed: $(grep -m 1 -hE \
		    'Failed test|not ok|Wstat' "$scratch/run.log" |
		    sed 's/^ *//' | cut -c 1-60)"
		caught=$((caught + 1))
	fi
	cp "$scratch/whole" "$tree/$file"
done
echo "$caught passed, $alive failed"
[ "$alive" -eq 0 ]
