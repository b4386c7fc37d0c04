#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use XsTest qw(client);

use constant O_CLOEXEC => 02_000_000;

# The fake library holds a descriptor of /dev/null, as the real one holds a connection.
my sub descriptors {
    opendir(my $dir, '/proc/self/fd') or die "fd: $!\n";
    return grep { (readlink("/proc/self/fd/$_") // '') eq '/dev/null' } readdir($dir);
}

my %before = map { $_ => 1 } descriptors();
my $client = client();
$client->info('x');

# A VM outlives the task that starts it: what it inherits stays open for as long.
my @held = grep { !$before{$_} } descriptors();
is(scalar(@held), 1, 'the object holds a descriptor');
for my $number (@held) {
    open(my $info, '<', "/proc/self/fdinfo/$number") or die "fdinfo: $!\n";
    my ($flags) = map { /\Aflags:\s*([0-7]+)/ ? oct($1) : () } readline($info);
    ok($flags & O_CLOEXEC, 'which no program that is started from here inherits');
}

done_testing();
