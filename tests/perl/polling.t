#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use FakeNative qw(calls_of answer native_error);
use HookTest qw(PLUGIN scfg dirty is_clean said_by put_file);

put_file('storage/store.pw', "secret\n");

my $scfg = dirty(scfg());
my $storeid = dirty('store');
my $full = 18446744073709551615;

subtest 'check_connection is 1 or 0' => sub {
    answer(check_connection => 1);
    is(PLUGIN->check_connection($storeid, $scfg), 1, 'true');
    answer(check_connection => '');
    is(PLUGIN->check_connection($storeid, $scfg), 0, 'false');
};

subtest 'status is total, available, used, active' => sub {
    answer(capacity => { total_bytes => $full, available_bytes => 70, used_bytes => 30 });
    my @status = PLUGIN->status($storeid, $scfg, {});
    is_deeply(\@status, [$full, 70, 30, 1], 'in that order');
    ok(is_clean(\@status), 'clean');
};

subtest 'a status that fails is inactive, and says why once a minute' => sub {
    my $now = 1_700_000_000;
    local $PVE::Storage::OntapNvmeTcp::Messages::clock = sub { $now };
    answer(capacity => native_error('unavailable', 'cannot reach the array'));
    my $said = said_by(sub {
        for (1 .. 5) {
            is_deeply([PLUGIN->status($storeid, $scfg)], [], 'inactive');
        }
    });
    is_deeply($said, ["storage 'store': cannot reach the array [unavailable]\n"],
        'one warning');
    $now += 59;
    is_deeply(said_by(sub { PLUGIN->status($storeid, $scfg) }), [], 'still within the minute');
    $now += 1;
    is(scalar(said_by(sub { PLUGIN->status($storeid, $scfg) })->@*), 1,
        'a minute later it is said again');
    answer(capacity => native_error('unauthenticated', 'cannot log in'));
    $said = said_by(sub { PLUGIN->status($storeid, $scfg) });
    is(scalar($said->@*), 1, 'another reason is said at once');
};

subtest 'warnings of a poll are said once a minute as well' => sub {
    answer(
        capacity => { total_bytes => 1, available_bytes => 1, used_bytes => 0 },
        check_connection => sub {
            @PVE::Storage::OntapNvmeTcp::Native::log = ({ level => 'warning',
                text => 'a path is missing' });
            return 1;
        },
    );
    my $said = said_by(sub { PLUGIN->check_connection($storeid, $scfg) for 1 .. 3 });
    is_deeply($said, ["storage 'store': a path is missing\n"], 'one');
};

subtest 'what stops the process is not taken for a failure of the storage' => sub {
    answer(capacity => sub { die "got timeout\n" },
        check_connection => sub { die "got timeout\n" });
    ok(!eval { PLUGIN->status($storeid, $scfg); 1 }, 'status dies');
    is($@, "got timeout\n", 'with the words of the handler');
    ok(!eval { PLUGIN->check_connection($storeid, $scfg); 1 }, 'check_connection as well');
};

subtest 'activation and its opposite' => sub {
    is_deeply(calls_of(sub { PLUGIN->activate_storage($storeid, $scfg, {}) })->[-1], ['activate'],
        'activate');
    is_deeply(calls_of(sub { PLUGIN->deactivate_storage($storeid, $scfg, {}) })->[-1], ['forget'],
        'deactivate');
};

done_testing();
