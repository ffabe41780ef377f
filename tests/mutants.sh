#!/usr/bin/env bash
# Breaks the server on purpose, one safeguard at a time, and asks the tests
# named beside it in mutants.tab: if they still pass, nothing guards that
# safeguard, and this fails.
#
#   tests/mutants.sh [NAME...]     all, or those named
#   tests/mutants.sh --list        their names
#   tests/mutants.sh --check       do all fit the source?  Builds nothing
#
# Only a test that ran to its end and failed has noticed a mutant.  One that
# does not compile, or that the tests did not survive in time, is an error.
set -u
cd "$(dirname "$0")/.." || exit 1

top=$PWD
tab=$top/tests/mutants.tab
limit=${MUTANT_SECONDS:-600}
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

# apply TREE NAME
# apply TREE --check NAME...
# The old text must stand in the file exactly once: a table that has fallen
# behind the source is an error, not a caught mutant.  --check changes nothing,
# and names all that do not fit.
apply() {
	perl - "$tab" "$@" <<-'EOT'
	use strict;
	use warnings;
	my ($tab, $tree, @names) = @ARGV;
	my $check = $names[0] eq '--check' && shift @names;
	my (%block, $m);

	open my $t, '<', $tab or die;
	while (<$t>) {
		if (/^mutant\s+(\S+)/) {
			$m = $block{$1} //= { tests => '', old => '', new => '' };
		}
		next unless $m;
		if (/^file\s+(\S+)/) { $m->{file} = "$tree/$1" }
		elsif (/^test\s+(.*)/) { $m->{tests} .= " $1" }
		elsif (/^-(.*\n)/) { $m->{old} .= $1 }
		elsif (/^\+(.*\n)/) { $m->{new} .= $1 }
	}

	# The whole text of the file, with the old text in it once.
	sub text {
		my ($m) = @_;

		die "no file or no text\n" unless $m && $m->{file} && $m->{old};
		die "nothing is changed\n" if $m->{old} eq $m->{new};
		die "no test is named\n" if $m->{tests} eq '';
		for (split ' ', $m->{tests}) {
			die "there is no $_\n" unless -e "$tree/$_";
		}
		open my $f, '<', $m->{file} or die "$m->{file}: $!\n";
		local $/;
		my $text = <$f>;
		my $n = () = $text =~ /^\Q$m->{old}\E/mg;
		die "the old text stands $n times in $m->{file}\n" if $n != 1;
		return $text;
	}

	my $bad = 0;
	for my $name (@names) {
		my $m = $block{$name};
		my $text = eval { text($m) };
		if ($@) {
			print STDERR "$name: $@";
			$bad++;
		} elsif (!$check) {
			$text =~ s/^\Q$m->{old}\E/$m->{new}/m;
			open my $f, '>', $m->{file} or die;
			print $f $text;
			close $f or die;
		}
	}
	printf "%d mutants, %d do not fit the source\n", scalar @names, $bad
	    if $check;
	exit($bad || !@names ? 1 : 0);
	EOT
}

check() {
	mapfile -t list < <(names)
	apply "$top" --check "${list[@]}"
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

# run TEST...: 0 all pass, 1 some test ran and failed, 2 anything else: out of
# time, or a program that died without saying what failed
run() {
	local status

	(cd "$tree" && timeout "$limit" tests/harness plain=build/plain -- \
	    "$@") >"$scratch/run.log" 2>&1
	status=$?
	[ $status -eq 1 ] || [ $status -eq 0 ] || return 2
	tail -n 1 "$scratch/run.log" | grep -q ' passed, .* failed' || return 2
	[ $status -eq 0 ] || grep -q 'Failed tests\?:' "$scratch/run.log" ||
	    return 2
	return $status
}

tests_of() {
	local name

	for name; do
		field "$name" test
	done | tr ' ' '\n' | sort -u
}

case ${1:-} in
--list)
	names
	exit
	;;
--check)
	check
	exit
	;;
esac
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

# try NAME TEST...: one mutant in the tree
try() {
	local name=$1

	shift
	apply "$tree" "$name" || return 1
	if ! build "$@"; then
		tail -n 5 "$scratch/build.log"
		echo "  $name: ERROR: does not compile"
		return 1
	fi
	run "$@"
	case $? in
	0) echo "  $name: NOT NOTICED by $*" ;;
	1)
		echo "  $name: noticed: $(grep -m 1 'Failed test' \
		    "$scratch/run.log" | sed 's/^ *//' | cut -c 1-60)"
		return 0
		;;
	*)
		tail -n 5 "$scratch/run.log"
		echo "  $name: ERROR: no test came to its end and failed"
		;;
	esac
	return 1
}

caught=0
alive=0
for name in "${list[@]}"; do
	file=$(field "$name" file)
	mapfile -t tests < <(tests_of "$name")
	cp -p "$tree/$file" "$scratch/whole" || exit 1
	if try "$name" "${tests[@]}"; then
		caught=$((caught + 1))
	else
		alive=$((alive + 1))
	fi
	cp "$scratch/whole" "$tree/$file"
done
echo "$caught passed, $alive failed"
[ "$alive" -eq 0 ]
