#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use SequenceTest qw(sequence fails_at);

# A container that runs, with what it has written.
my sub new_container ($pve) {
    my @volids = $pve->create_disks(101, [undef, 8192], [undef, 8192]);
    $pve->activate_volumes(\@volids);
    $pve->write_device(scalar($pve->path($_)), 'old') for @volids;
    $pve->hold(@volids);
    return @volids;
}

# Mounted read-only, by the path that the mapping tells.
my sub read_snapshot ($pve, $volid, $snap) {
    $pve->activate_volumes([$volid], $snap);
    my $path = $pve->map_volume($volid, $snap);
    is($path, scalar($pve->path($volid, $snap)), 'the snapshot is mapped where its path says');
    isnt($path, scalar($pve->path($volid)), 'which is not where the live volume is');
    return $pve->read_device($path, 3);
}

sequence 'a container is backed up from a snapshot' => sub ($pve) {
    my @volids = new_container($pve);
    $pve->snapshot_vm(\@volids, 'vzdump');
    $pve->write_device(scalar($pve->path($_)), 'new') for @volids;
    is(read_snapshot($pve, $_, 'vzdump'), 'old', "the backup of $_ has one point in time")
        for @volids;
    # Left and deleted while the container runs on.
    $pve->delete_snapshot(\@volids, 'vzdump', 0);
    is($pve->has_device($_, 'vzdump'), 0, 'the device goes with the snapshot') for @volids;
    is_deeply($pve->snapshot_names($_), [], "$_ has none") for @volids;

    # The next backup takes the same name.
    $pve->snapshot_vm(\@volids, 'vzdump');
    is(read_snapshot($pve, $volids[0], 'vzdump'), 'new', 'the next backup has the next one');
    $pve->delete_snapshot(\@volids, 'vzdump', 0);
    $pve->stop_vm(\@volids);
    $pve->destroy_vm(101, @volids);
};

sequence 'a backup is killed' => sub ($pve) {
    my @volids = new_container($pve);
    $pve->snapshot_vm(\@volids, 'vzdump');
    read_snapshot($pve, $volids[0], 'vzdump');
    # The next one removes what is there before it begins.
    $pve->delete_snapshot(\@volids, 'vzdump', 0);
    $pve->snapshot_vm(\@volids, 'vzdump');
    read_snapshot($pve, $volids[0], 'vzdump');
    # Or the container is destroyed, with all of that.
    $pve->stop_vm(\@volids);
    $pve->destroy_vm(101, @volids);
};

sequence 'a container is cloned from a snapshot' => sub ($pve) {
    my @volids = new_container($pve);
    $pve->snapshot_vm(\@volids, 'snap');
    $pve->write_device(scalar($pve->path($_)), 'new') for @volids;
    ok($pve->volume_has_feature('copy', $_, 'snap', 1, { valid_target_formats => ['raw'] }),
        "$_ can be copied") for @volids;
    my $copy = $pve->vdisk_alloc('store', 102, 'raw', undef, 8192);
    $pve->activate_volumes([$copy]);
    is(read_snapshot($pve, $volids[0], 'snap'), 'old', 'rsync reads the past');
    $pve->deactivate_volumes([$copy]);
    # A rollback needs the volume without its snapshots' devices.
    $pve->rollback_vm(\@volids, 'snap', running => \@volids);
    $pve->activate_volumes(\@volids);
    is($pve->read_device(scalar($pve->path($_)), 3), 'old', "$_ went back") for @volids;
    $pve->deactivate_volumes(\@volids);
    $pve->destroy_vm(102, $copy);
    $pve->destroy_vm(101, @volids);
};

sequence 'the snapshot of a backup becomes no device' => sub ($pve) {
    my @volids = new_container($pve);
    $pve->snapshot_vm(\@volids, 'vzdump');
    fails_at('POST', '/subsystem-maps', sub { read_snapshot($pve, $volids[0], 'vzdump') },
        'the backup fails');
    $pve->delete_snapshot(\@volids, 'vzdump', 0);
    $pve->stop_vm(\@volids);
    $pve->destroy_vm(101, @volids);
};

done_testing();
