#!/usr/bin/perl
# One FastCGI request over a Unix socket, with variables of any length:
# cgi-fcgi takes its own from the environment, where none may be longer than
# 128 KiB.  Prints what the worker answers.
#
#	fcgi.pl SOCKET METHOD PATH QUERYFILE
use strict;
use warnings;
use IO::Socket::UNIX;

my ($socket, $method, $path, $file) = @ARGV;
open my $in, '<', $file or die "$file: $!\n";
my $query = do { local $/; <$in> };
close $in;
chomp $query;

sub record {
	my ($type, $body) = @_;
	my $out = '';

	do {
		my $part = substr $body, 0, 32768, '';
		$out .= pack('CCnnCC', 1, $type, 1, length $part, 0, 0) . $part;
	} while ($body ne '');
	return $out;
}

my $params = '';
my %env = (REQUEST_METHOD => $method, SCRIPT_NAME => $path,
	QUERY_STRING => $query, REMOTE_ADDR => '192.0.2.1');
for my $name (sort keys %env) {
	$params .= pack('NN', length($name) | 0x80000000,
		length($env{$name}) | 0x80000000) . $name . $env{$name};
}
my $s = IO::Socket::UNIX->new(Peer => $socket) or die "$socket: $!\n";
print $s record(1, pack('nCx5', 1, 0)), record(4, $params), record(4, ''),
    record(5, '');
$s->flush;
while (read($s, my $head, 8) == 8) {
	my (undef, $type, undef, $len, $pad) = unpack 'CCnnC', $head;
	read $s, my $body, $len + $pad;
	print substr $body, 0, $len if $type == 6;
	last if $type == 3;
}
