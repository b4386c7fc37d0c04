#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use SequenceTest qw(sequence error_of fails_at);

# A size that is not in whole MiB, as disks have that come from elsewhere.
use constant ODD_KIB => 8192 + 4;

# To this storage and from it: 'other' stands for any storage there is.
sequence 'a disk moves while its VM is stopped' => sub ($pve) {
    my ($disk) = $pve->create_disks(100, [undef, ODD_KIB]);
    $pve->activate_volumes([$disk]);
    $pve->write_device(scalar($pve->path($disk)), 'moved data');
    my $moved = $pve->copy_disk($disk, 'other', 100);
    is($moved, 'other:vm-100-disk-0', 'the configuration names the new storage');
    $pve->deactivate_volumes([$moved]);
    $pve->deactivate_volumes([$disk]);
    $pve->vdisk_free($disk);
    $pve->start_vm([$moved]);
    is($pve->read_device($pve->qemu_path($moved), 10), 'moved data', 'the VM finds its data');
    $pve->stop_vm([$moved]);
    $pve->destroy_vm(100, $moved);
};

sequence 'a disk moves while its VM runs' => sub ($pve) {
    my ($disk) = $pve->create_disks(100, [undef, ODD_KIB]);
    $pve->start_vm([$disk]);
    $pve->write_device($pve->qemu_path($disk), 'mirrored');
    $pve->new_task();
    $pve->activate_volumes([$disk]);
    my $moved = $pve->vdisk_alloc('other', 100, 'raw', undef, $pve->size_of($disk) / 1024);
    $pve->activate_volumes([$moved]);
    ok($pve->volume_has_feature('sparseinit', $moved), 'the mirror need not write zeros');
    my ($from, $to) = map { $pve->qemu_path($_) } $disk, $moved;
    is(-s $to, -s $from, 'blockdev-mirror gets a target that is exactly as large');
    is($pve->read_device($to, 8), "\0" x 8, 'and reads as zeros');
    $pve->hold($moved);
    $pve->copy_device($from, $to);
    $pve->let_go($disk);
    # The source is deleted; the target stays active.
    $pve->deactivate_volumes([$disk]);
    $pve->vdisk_free($disk);
    is($pve->read_device($pve->qemu_path($moved), 8), 'mirrored', 'the VM runs on with its data');
    $pve->stop_vm([$moved]);
    $pve->destroy_vm(100, $moved);
};

sequence 'a disk with snapshots moves, and is kept' => sub ($pve) {
    my ($disk) = $pve->create_disks(100, [undef, 8192]);
    $pve->snapshot_vm([$disk], 'snap');
    my $moved = $pve->copy_disk($disk, 'other', 100);
    $pve->deactivate_volumes([$moved]);
    is_deeply($pve->snapshot_names($disk), ['snap'], 'the old disk is unused, with its snapshots');
    $pve->destroy_vm(100, $moved, $disk);
};

sequence 'a move fails' => sub ($pve) {
    my ($disk) = $pve->create_disks(100, [undef, 8192]);
    fails_at('POST', '/storage/volumes', sub { $pve->copy_disk($disk, 'other', 100) },
        'there is no room for the new disk');
    error_of(sub { $pve->copy_disk($disk, 'other', 100, undef, fails => 1) },
        'the copy breaks off');
    is_deeply($pve->vdisk_list('other'), [], 'the new disk is gone, although it was active');
    ok($pve->has_device($disk), 'the old one is what it was');
    $pve->destroy_vm(100, $disk);
};

done_testing();
