#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use SequenceTest qw(sequence error_of fails_at);

my sub vm_with_past ($pve) {
    my ($disk) = $pve->create_disks(100, [undef, 8192]);
    $pve->start_vm([$disk]);
    $pve->write_device($pve->qemu_path($disk), 'old');
    $pve->snapshot_vm([$disk], 'snap');
    $pve->write_device($pve->qemu_path($disk), 'new');
    return $disk;
}

sequence 'a VM is cloned from a snapshot while it runs' => sub ($pve) {
    my $disk = vm_with_past($pve);
    ok($pve->volume_has_feature('copy', $disk, 'snap', 1), 'the snapshot can be copied');
    my $copy = $pve->copy_disk($disk, 'store', 101, 'snap');
    is($pve->read_device(scalar($pve->path($copy)), 3), 'old', 'the clone has the past');
    is($pve->read_device($pve->qemu_path($disk), 3), 'new', 'the VM goes on with the present');
    ok($pve->has_device($disk, 'snap'), 'Proxmox VE leaves the snapshot active');
    is_deeply($pve->vdisk_list('store'), [sort($disk, $copy)], 'but no list shows its device');
    is($pve->volume_has_feature('snapshot', $disk), 1, 'nor is it in the way of another snapshot');
    $pve->snapshot_vm([$disk], 'second');

    # The device of a snapshot goes with it.
    $pve->delete_snapshot([$disk], 'second', 1);
    $pve->delete_snapshot([$disk], 'snap', 1);
    is($pve->has_device($disk, 'snap'), 0, 'deleting the snapshot takes its device away');
    $pve->stop_vm([$disk]);
    $pve->deactivate_volumes([$copy]);
    $pve->destroy_vm(101, $copy);
    $pve->destroy_vm(100, $disk);
};

# For another node: the snapshot is left explicitly.
sequence 'a VM is cloned from a snapshot to another node' => sub ($pve) {
    my $disk = vm_with_past($pve);
    my $copy = $pve->copy_disk($disk, 'store', 101, 'snap');
    $pve->deactivate_volumes([$disk], 'snap');
    is($pve->has_device($disk, 'snap'), 0, 'the snapshot is left');
    ok($pve->has_device($disk), 'the disk of the VM that runs is not');
    $pve->deactivate_volumes([$copy]);
    $pve->deactivate_volumes([$disk], 'snap');
    $pve->stop_vm([$disk]);
    $pve->destroy_vm(101, $copy);
    # With its snapshot, and with what an activation left.
    $pve->activate_volumes([$disk], 'snap');
    $pve->destroy_vm(100, $disk);
};

sequence 'a clone from a snapshot fails' => sub ($pve) {
    my $disk = vm_with_past($pve);
    like(error_of(sub { $pve->copy_disk($disk, 'store', 101, 'none') },
        'a snapshot that is not there fails the clone'), qr/'none'/, 'by its name');
    fails_at('POST', '/subsystem-maps', sub { $pve->copy_disk($disk, 'store', 101, 'snap') },
        'the array does not give a device');
    error_of(sub { $pve->copy_disk($disk, 'store', 101, 'snap', fails => 1) },
        'the copy breaks off');
    is_deeply($pve->vdisk_list('store', 101), [], 'nothing is left of the new VM');
    $pve->stop_vm([$disk]);
    # A VM that stops has its snapshots left too.
    $pve->destroy_vm(100, $disk);
};

done_testing();
