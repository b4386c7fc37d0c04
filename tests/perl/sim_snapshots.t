#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use HookTest qw(PLUGIN dirty is_clean error_of);
use SimTest qw(start_array added_storage requests);

my $sim = start_array();
my $scfg = added_storage($sim, 'store');
my $storeid = dirty('store');
my @disks = map { PLUGIN->alloc_image($storeid, $scfg, 100, 'raw', undef, 4096) } 1 .. 3;

my sub names_of ($disk) {
    return [sort(keys(PLUGIN->volume_snapshot_info($scfg, $storeid, $disk)->%*))];
}

subtest 'a snapshot of all disks costs as much as that of one' => sub {
    my $requests = requests($sim, sub {
        PLUGIN->volume_snapshot($scfg, $storeid, dirty($_), dirty('first')) for @disks;
    });
    cmp_ok($requests, '<=', 2, 'requests');
    is_deeply(names_of($_), ['first'], "$_ has it") for @disks;
};

subtest 'information on a snapshot' => sub {
    my $info = PLUGIN->volume_snapshot_info($scfg, $storeid, $disks[0]);
    like($info->{first}{id}, qr/\A[0-9a-f-]{36}\z/, 'id');
    cmp_ok(abs($info->{first}{timestamp} - time()), '<', 600, 'made just now');
    ok(is_clean($info), 'clean');
};

subtest 'a name that is taken is never used again' => sub {
    # As another process would: its memory of the first operation is not there.
    my $error = HookTest::in_child(sub {
        $PVE::Storage::OntapNvmeTcp::surroundings{state_directory} .= '-other';
        return eval { PLUGIN->volume_snapshot($scfg, $storeid, $disks[0], 'first'); 'taken' } // $@;
    });
    like($error, qr/first.*\[already-exists\b/, 'refused');
};

subtest 'where nothing can be overwritten, going back needs that nothing newer is there' => sub {
    PLUGIN->volume_snapshot($scfg, $storeid, $_, 'second') for @disks;
    $sim->set(namespace_overwrite => 'refuse');
    like(error_of(sub { PLUGIN->volume_snapshot_rollback($scfg, $storeid, $disks[0], 'first') },
        'the array refuses'), qr/'second'.*delete them first/, 'newer ones are named');
    my $blockers = [];
    like(error_of(sub { PLUGIN->volume_rollback_is_possible($scfg, $storeid, $disks[0], 'first',
        $blockers) }),
        qr/'second'/, 'told');
    is_deeply($blockers, ['second'], 'listed');
    ok(PLUGIN->volume_rollback_is_possible($scfg, $storeid, $_, 'second', []),
        "$_ can go back to the newest")
        for @disks;
    error_of(sub { PLUGIN->volume_rollback_is_possible($scfg, $storeid, $disks[0], 'none', []) },
        'none of that name');
    error_of(sub { PLUGIN->volume_snapshot_rollback($scfg, $storeid, $disks[0], 'first') },
        'nor does it go all the same');
    $sim->set(namespace_overwrite => 'take');
};

subtest 'going back and deleting' => sub {
    for my $disk (@disks) {
        ok(eval { PLUGIN->volume_snapshot_rollback($scfg, $storeid, $disk, 'second'); 1 },
            "$disk goes back")
            or diag($@);
    }
    for my $snap (qw(second first)) {
        PLUGIN->volume_snapshot_delete($scfg, $storeid, $_, $snap, 0) for @disks;
    }
    is_deeply(names_of($_), [], "$_ has none") for @disks;
    ok(eval { PLUGIN->volume_snapshot_delete($scfg, $storeid, $disks[0], 'first', 1); 1 },
        'deleting what is not there is no error') or diag($@);
};

subtest 'disks with snapshots are freed' => sub {
    PLUGIN->volume_snapshot($scfg, $storeid, $_, 'last') for @disks;
    PLUGIN->free_image($storeid, $scfg, $_) for @disks;
    is_deeply(PLUGIN->list_images($storeid, $scfg), [], 'none is left');
};

done_testing();
