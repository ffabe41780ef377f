#!/usr/bin/perl
# tests/CONFORMANCE.md tells the truth: its rows are 1, 2, 3 and on; each test
# that a row names as proof exists and cites the row's number, as C-7 or in a
# range like C-5 to C-9; and no test cites a number that has no row.
use strict;
use warnings;

my $tests = $0 =~ m{^(.*)/} ? $1 : '.';
my ($done, $failed) = (0, 0);

sub ok {
	my ($what, @wrong) = @_;

	$done++;
	$failed++ if @wrong;
	print @wrong ? 'not ok' : 'ok', " $done - $what\n";
	print STDERR "# $_\n" for @wrong;
}

sub slurp {
	my ($file) = @_;

	open my $in, '<', $file or return undef;
	local $/;
	return scalar <$in>;
}

# The numbers that a text cites.
sub cited {
	my ($text) = @_;
	my %n;

	$text =~ s/\n[ \t]*(?:#|\*|\/\/)?[ \t]*/ /g;
	while ($text =~ /\bC-(\d+)(?: to (?:C-)?(\d+))?/g) {
		$n{$_} = 1 for $1 .. ($2 // $1);
	}
	return \%n;
}

sub where {
	my ($name) = @_;

	return $name =~ /\.t$/ ? "$tests/$name" : "$tests/unit/$name.c";
}

my %cites;
for my $file (glob("$tests/t*.t $tests/unit/test_*.c")) {
	next if $file =~ /t0010-conformance/;
	my ($name) = $file =~ m{([^/]+?)(?:\.c)?$};
	$cites{$name} = cited(slurp($file));
}

my $table = slurp("$tests/CONFORMANCE.md") // '';
my (%row, @order, @long);
for (split /\n/, $table) {
	next unless /^\|\s*(\d+)\s*\|(.*)\|([^|]*)\|$/;
	push @order, $1;
	$row{$1} = $3;
	push @long, "C-$1 has no decision" unless $2 =~ /\S/;
}
ok('rows are numbered 1, 2, 3 and on', @order > 0
    && join(' ', @order) eq join(' ', 1 .. @order) ? () : 'they are not');
ok('each has a decision', @long);

for my $n (@order) {
	my @named = $row{$n} =~ /\b(t\d{4}-[\w-]+\.t|test_\w+)/g;
	my @wrong;

	for my $name (@named) {
		my $cites = $cites{$name};
		push @wrong, "there is no " . where($name) unless $cites;
		push @wrong, "$name does not cite C-$n"
		    if $cites && !$cites->{$n};
	}
	push @wrong, "\"$row{$n}\" is neither a test nor a reason"
	    unless @named || $row{$n} =~ /not yet|no test: \S/;
	ok("C-$n", @wrong);
}

my @strangers;
for my $name (sort keys %cites) {
	push @strangers, map { "$name cites C-$_" }
	    grep { !exists $row{$_} } sort keys %{$cites{$name}};
}
ok('no test cites what has no row', @strangers);
print "1..$done\n";
exit($failed ? 1 : 0);
