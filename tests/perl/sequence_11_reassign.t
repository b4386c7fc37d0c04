#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use SequenceTest qw(sequence error_of fails_at);

sequence 'a disk is given to another VM' => sub ($pve) {
    my ($disk) = $pve->create_disks(100, [undef, 8192]);
    my ($own) = $pve->create_disks(101, [undef, 4096]);
    $pve->activate_volumes([$disk]);
    $pve->write_device(scalar($pve->path($disk)), 'given');
    $pve->deactivate_volumes([$disk]);
    $pve->new_task();
    ok($pve->volume_has_feature('rename', $disk), 'the disk can be given away');
    my $given = $pve->rename_volume($disk, 101);
    is($given, 'store:vm-101-disk-1', 'the other configuration gets its new id');
    ok(!$pve->volume_has_feature('replicate', $given), 'no replication snapshots are looked for');
    is_deeply($pve->vdisk_list('store', 101), [sort($own, $given)], 'a rescan agrees');
    is_deeply($pve->vdisk_list('store', 100), [], 'for both VMs');
    $pve->start_vm([$given]);
    is($pve->read_device($pve->qemu_path($given), 5), 'given', 'the other VM has the data');
    $pve->stop_vm([$given]);
    $pve->snapshot_vm([$own, $given], 'snap');
    is_deeply($pve->snapshot_names($_), ['snap'], "$_ is in the snapshots of its new VM")
        for $own, $given;
    $pve->destroy_vm(101, $own, $given);
};

# An unused disk of a VM that runs may be active still; its old name is free for a new disk.
sequence 'a disk is given away while it is active' => sub ($pve) {
    my ($disk) = $pve->create_disks(100, [undef, 8192]);
    $pve->activate_volumes([$disk]);
    $pve->write_device(scalar($pve->path($disk)), 'given');
    $pve->new_task();
    my $given = $pve->rename_volume($disk, 101);
    $pve->activate_volumes([$given]);
    is($pve->read_device(scalar($pve->path($given)), 5), 'given', 'it is used by its new name');
    my ($next) = $pve->create_disks(100, [undef, 8192]);
    is($next, $disk, 'a new disk gets the old name');
    $pve->activate_volumes([$next]);
    is($pve->read_device(scalar($pve->path($next)), 5), "\0" x 5, 'and none of the old data');
    $pve->destroy_vm(100, $next);
    is($pve->read_device(scalar($pve->path($given)), 5), 'given', 'whose deletion harms no other');
    $pve->destroy_vm(101, $given);
};

sequence 'a disk cannot be given away' => sub ($pve) {
    my ($disk) = $pve->create_disks(100, [undef, 8192]);
    my ($taken) = $pve->create_disks(101, [undef, 4096]);
    like(error_of(sub { $pve->rename_volume($disk, 101, 'vm-101-disk-0') },
        'to a name that is taken'), qr/vm-101-disk-0/, 'which is named');
    fails_at('PATCH', '/storage/volumes', sub { $pve->rename_volume($disk, 101) },
        'the array does not rename it');
    is_deeply($pve->vdisk_list('store'), [sort($disk, $taken)],
        'both VMs keep what their configurations name');
    # With a name alone, Proxmox VE fills in something for the VM.
    my (undef, undef, undef, $basename) = $pve->parse_volname($disk);
    is($pve->rename_volume($disk, $basename, 'vm-102-data'), 'store:vm-102-data', 'by name alone');
    $pve->destroy_vm(102, 'store:vm-102-data');
    $pve->destroy_vm(101, $taken);
};

done_testing();
