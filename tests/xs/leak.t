#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use XsTest qw(NATIVE client);

# pvestatd calls for months; Proxmox VE restarts it when it grows.
use constant CALLS => 10_000;
use constant GROWTH_MAX_KIB => 1024;

plan(skip_all => 'the address sanitizer keeps what was freed') if defined($ENV{LD_PRELOAD});

my sub resident_kib {
    open(my $status, '<', '/proc/self/status') or die "status: $!\n";
    my ($kib) = map { /\AVmRSS:\s+([0-9]+)/ ? $1 : () } readline($status);
    return $kib;
}

my $client = client();
my $failing = client(script => 'error:unavailable');
open(my $null_handle, '>', '/dev/null') or die "null: $!\n";
my $null = fileno($null_handle);
my %settings = map { ("key$_" => "value $_") } 1 .. 20;
my %cases = (
    'a call that succeeds' => sub { $client->info('vm-100-disk-0') },
    'a call that returns a list' => sub { $client->list(undef) },
    'a call that fails' => sub { eval { $failing->capacity() } },
    'a call that throws' => sub { eval { $client->info('throw:standard') } },
    'an argument that is refused' => sub { eval { $client->resize('x', -1) } },
    'text that has to be converted' => sub { $client->info("caf\xe9") },
    'a volume as a stream' => sub { $client->export('vm', 's', $null) },
    'a descriptor that is refused' => sub { eval { $client->read_import_size(-1) } },
    'settings before a change' => sub { $client->apply_changes(\%settings); $client->take_log() },
    'a log' => sub { $client->create_snapshot('x', 's'); $client->take_log() },
    'an object' => sub { NATIVE->new('store', \%settings, { password => 'secret' }, {}) },
    'an object that is not made' => sub { eval { NATIVE->new('store', { a => 'wrong' }, {}, {}) } },
    'a check of settings' => sub { NATIVE->check_settings('store', \%settings) },
);

for my $name (sort(keys(%cases))) {
    my $code = $cases{$name};
    # What perl and the allocator keep for good is there after the first thousand.
    $code->() for 1 .. 1000;
    my $before = resident_kib();
    $code->() for 1 .. CALLS;
    my $growth = resident_kib() - $before;
    cmp_ok($growth, '<', GROWTH_MAX_KIB, "$name ${\CALLS} times: it grew by $growth KiB");
}

done_testing();
