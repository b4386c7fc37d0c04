#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;
use Time::HiRes qw(alarm time);

use HookTest qw(PLUGIN dirty error_of said_by in_child put_file);
use SimTest qw(start_array storage added_storage requests);

my $sim = start_array();
my $scfg = added_storage($sim, 'store');
my $storeid = dirty('store');

subtest 'an alarm ends a request within a second' => sub {
    my $rule = $sim->fault(method => 'GET', path => '/api/storage/volumes', never_answer => \1,
        times => -1);
    local $SIG{ALRM} = sub { die "got timeout\n" };
    my $start = time();
    alarm(0.2);
    my $done = eval { PLUGIN->list_images($storeid, $scfg); 1 };
    my $error = $@;
    alarm(0);
    ok(!$done, 'it ends');
    is($error, "got timeout\n", 'in the words of the handler');
    cmp_ok(time() - $start, '<', 1.2, 'in time');
    $sim->clear_faults();
    is_deeply(PLUGIN->list_images($storeid, $scfg), [], 'the next call works');
};

subtest 'a forked worker leaves its parent connected' => sub {
    PLUGIN->list_images($storeid, $scfg);
    is(in_child(sub { PLUGIN->list_images($storeid, $scfg); return 'listed' }), 'listed',
        'the worker works');
    my $start = time();
    is_deeply(PLUGIN->list_images($storeid, $scfg), [], 'the parent works on');
    is(in_child(sub { PLUGIN->alloc_image($storeid, $scfg, 100, 'raw', undef, 4096) }),
        'vm-100-disk-0',
        'a second worker');
    PLUGIN->free_image($storeid, $scfg, 'vm-100-disk-0');
};

subtest 'a storage whose array is gone is inactive, and is left alone quickly' => sub {
    my $gone = storage($sim, 'gone', mgmt_ip => '127.0.0.1:1');
    put_file('storage/gone.pw', "secret\n");
    my $start = time();
    my $said = said_by(sub {
        is(PLUGIN->check_connection('gone', dirty($gone)), 0, 'not connected');
        is_deeply([PLUGIN->status('gone', $gone)], [], 'no status') for 1 .. 2;
    });
    cmp_ok(scalar($said->@*), '<=', 2, 'said once');
    cmp_ok(time() - $start, '<', 15, 'within the budget of a poll');
    like(error_of(sub { PLUGIN->list_images('gone', $gone) }),
        qr/\Astorage 'gone': .*\[unavailable\b/, 'a list fails');
};

subtest 'a certificate that nobody vouches for is refused with what to do' => sub {
    my $section = storage($sim, 'untrusted');
    unlink(HookTest::priv_dir() . '/storage/untrusted.ca.pem');
    my $error = error_of(sub { PLUGIN->on_add_hook('untrusted', $section, password => 'secret') });
    like($error, qr/certificate/, 'told');
    ok(eval { PLUGIN->on_add_hook('untrusted', { %$section, verify_ssl => 0 },
        password => 'secret'); 1 },
        'unless asked not to look') or diag($@);
};

subtest 'a failed allocation leaves nothing behind' => sub {
    for my $path (qw(/storage/namespaces /protocols/nvme/subsystem-maps)) {
        $sim->fault(method => 'POST', path => $path, status => 500, times => -1);
        error_of(sub { PLUGIN->alloc_image($storeid, $scfg, 101, 'raw', undef, 4096) },
            "POST $path fails");
        $sim->clear_faults();
        is_deeply([$sim->orphans()], [], 'no orphans');
        is_deeply(PLUGIN->list_images($storeid, $scfg, 101), [], 'no disk');
    }
};

subtest 'a lost answer to an allocation is no second disk' => sub {
    $sim->fault(method => 'POST', path => '/storage/volumes', drop_after => \1);
    my $name = PLUGIN->alloc_image($storeid, $scfg, 102, 'raw', undef, 4096);
    is($name, 'vm-102-disk-0', 'allocated');
    is(scalar(PLUGIN->list_images($storeid, $scfg, 102)->@*), 1, 'one disk');
    PLUGIN->free_image($storeid, $scfg, $name);
};

subtest 'a client of months does not grow' => sub {
    plan(skip_all => 'the address sanitizer keeps what was freed') if defined($ENV{LD_PRELOAD});
    my sub resident_kib {
        open(my $status, '<', '/proc/self/status') or die "status: $!\n";
        my ($kib) = map { /\AVmRSS:\s+([0-9]+)/ ? $1 : () } readline($status);
        return $kib;
    }
    PLUGIN->status($storeid, $scfg) for 1 .. 50;
    my $before = resident_kib();
    for (1 .. 500) {
        PLUGIN->check_connection($storeid, $scfg);
        PLUGIN->status($storeid, $scfg);
    }
    cmp_ok(resident_kib() - $before, '<', 1024, 'KiB in 500 polls');
};

done_testing();
