#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use FakeNative qw(calls_of answer native_error);
use HookTest qw(PLUGIN scfg dirty is_clean error_of put_file);

put_file('storage/store2.pw', "secret\n");
put_file('storage/store.pw', "secret\n");

my $scfg = dirty(scfg());
my $storeid = dirty('store');
my @volume = ($scfg, $storeid, dirty('vm-100-disk-0'));

subtest 'snapshots are made, deleted and gone back to' => sub {
    is_deeply(calls_of(sub { PLUGIN->volume_snapshot(@volume, dirty('before')) })->[-1],
        ['create_snapshot', 'vm-100-disk-0', 'before'], 'made');
    for my $running (undef, 0, 1) {
        is_deeply(calls_of(sub { PLUGIN->volume_snapshot_delete(@volume, dirty('before'),
            $running) })->[-1],
            ['delete_snapshot', 'vm-100-disk-0', 'before'], 'deleted, whether the VM runs or not');
    }
    is_deeply(calls_of(sub { PLUGIN->volume_snapshot_delete(@volume, 'before') })->[-1],
        ['delete_snapshot', 'vm-100-disk-0', 'before'], 'some callers do not say');
    is_deeply(calls_of(sub { PLUGIN->volume_snapshot_rollback(@volume, dirty('before')) })->[-1],
        ['rollback', 'vm-100-disk-0', 'before'], 'gone back to');
};

subtest 'what a snapshot needs to know is read before the guest is frozen' => sub {
    my sub activated ($id = $storeid) {
        my @calls = map { $_->[0] } calls_of(sub { PLUGIN->activate_storage($id, $scfg, {}) })->@*;
        return [grep { $_ ne 'new' } @calls];
    }
    my sub asked ($snap = undef) {
        PLUGIN->volume_has_feature($scfg, 'snapshot', $storeid, dirty('vm-100-disk-0'), $snap, 1);
    }
    is_deeply(activated(), ['activate'], 'nobody has asked for a snapshot');
    asked();
    is_deeply(calls_of(sub { PLUGIN->activate_storage($storeid, $scfg, {}) })->[-1],
        ['prepare_snapshot', 'vm-100-disk-0'], 'the VM is known');
    is_deeply(activated(), ['activate'], 'once');
    asked('before');
    PLUGIN->volume_has_feature($scfg, 'copy', $storeid, dirty('vm-100-disk-0'), undef, 1);
    is_deeply(activated(), ['activate'], 'other questions are no such thing');
    asked();
    is_deeply(activated('store2'), ['activate'], 'of another storage');
    my $pid = fork() // die "fork: $!\n";
    exit(activated()->@* == 1 ? 0 : 1) if !$pid;
    waitpid($pid, 0);
    is($?, 0, 'in another process');
};

subtest 'going back is possible when nothing newer would be lost' => sub {
    answer(rollback_blockers => []);
    my $blockers = [];
    is(PLUGIN->volume_rollback_is_possible(@volume, dirty('before'), $blockers), 1, 'possible');
    is_deeply($blockers, [], 'no blockers');
    is(PLUGIN->volume_rollback_is_possible(@volume, 'before'), 1, 'some callers have no list');
};

subtest 'newer snapshots block, and are named' => sub {
    answer(rollback_blockers => ['after', 'later']);
    my $blockers = ['of another disk'];
    my $error = error_of(sub { PLUGIN->volume_rollback_is_possible(@volume, 'before', $blockers) });
    like($error, qr/\Astorage 'store': .*'vm-100-disk-0'.*'before'.*'after', 'later'.*\[busy\b/,
        'in the message');
    is_deeply($blockers, ['of another disk', 'after', 'later'], 'in the list');
    error_of(sub { PLUGIN->volume_rollback_is_possible(@volume, 'before', undef) },
        'without a list as well');
    answer(rollback_blockers => native_error('not-found',
        "'vm-100-disk-0' has no snapshot 'before'"));
    like(error_of(sub { PLUGIN->volume_rollback_is_possible(@volume, 'before', []) }),
        qr/\[not-found\b/,
        'a snapshot that is not there');
};

subtest 'information on snapshots' => sub {
    answer(list_snapshots => [
        { name => 'one', id => 'uuid-1', create_time_s => 1_700_000_000 },
        { name => 'two', id => 'uuid-2', create_time_s => 1_700_000_060 },
    ]);
    my $info = PLUGIN->volume_snapshot_info(@volume);
    is_deeply($info, {
        one => { id => 'uuid-1', timestamp => 1_700_000_000 },
        two => { id => 'uuid-2', timestamp => 1_700_000_060 },
    }, 'by name');
    ok(is_clean($info), 'clean');
    answer(list_snapshots => []);
    is_deeply(PLUGIN->volume_snapshot_info(@volume), {}, 'none');
};

subtest 'names that Proxmox VE gives are taken, others are not' => sub {
    for my $snap (qw(a before-upgrade_2 vzdump __base__ __migration__ __replicate_1-0_1700000000__),
        'a' x 40) {
        ok(eval { PLUGIN->volume_snapshot(@volume, $snap); 1 }, $snap) or diag($@);
    }
    for my $snap (undef, '', 'a b', 'a/b', "a\n", 'a@b', 'x' x 200, "\xe4") {
        my $calls = calls_of(sub { error_of(sub { PLUGIN->volume_snapshot(@volume, $snap) }) });
        ok(!grep({ $_->[0] eq 'create_snapshot' } $calls->@*), 'nothing is asked of the library');
    }
};

done_testing();
