#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use SequenceTest qw(sequence error_of fails_at);

use constant MIB => 1024 * 1024;

sequence 'a disk grows while its VM runs' => sub ($pve) {
    my ($disk) = $pve->create_disks(100, [undef, 8192]);
    $pve->start_vm([$disk]);
    $pve->new_task();
    $pve->activate_volumes([$disk]);
    is(scalar($pve->volume_size_info($disk, 5)), 8 * MIB, 'its size before');
    $pve->volume_resize($disk, 16 * MIB, 1);
    cmp_ok(-s $pve->qemu_path($disk), '>=', 16 * MIB, 'block_resize, which follows at once, works');
    is($pve->size_of($disk), 16 * MIB, 'a rescan sees the size of the configuration');

    # As GUI and CLI add to a size: to any number of bytes.
    $pve->volume_resize($disk, 20 * MIB + 1, 1);
    cmp_ok($pve->size_of($disk), '>=', 20 * MIB + 1024, 'an odd size is rounded up');
    like(error_of(sub { $pve->volume_resize($disk, 4 * MIB, 1) }, 'a disk never shrinks'),
        qr/vm-100-disk-0/, 'the task names it');
    if ($pve->version() >= 15) {
        like(error_of(sub { $pve->volume_resize($disk, 32 * MIB, 1, 'snap') },
            'no snapshot is resized'), qr/'snap'/, 'the task names it');
    }
    fails_at('PATCH', '/storage/', sub { $pve->volume_resize($disk, 64 * MIB, 1) },
        'the array has no room');
    $pve->stop_vm([$disk]);
    $pve->destroy_vm(100, $disk);
};

# A node that had the disk before and did not take part in its growth.
sequence 'a disk grows on one node and is started on another' => sub ($pve) {
    my ($disk) = $pve->create_disks(100, [undef, 8192]);
    $pve->go_to('there');
    $pve->activate_volumes([$disk]);
    $pve->go_to('here');
    $pve->activate_volumes([$disk]);
    $pve->volume_resize($disk, 16 * MIB, 0);
    $pve->deactivate_volumes([$disk]);
    $pve->go_to('there');
    $pve->start_vm([$disk]);
    is(-s $pve->qemu_path($disk), 16 * MIB, 'the guest sees the disk as large as it is');
    $pve->stop_vm([$disk]);
    $pve->destroy_vm(100, $disk);
};

sequence 'qm rescan' => sub ($pve) {
    my @volids = $pve->create_disks(100, [undef, 8192], ['vm-100-cloudinit', 4096],
        ['vm-100-state-snap', 8192], ['vm-100-fleece-0', 4096]);
    my @others = $pve->create_disks(101, [undef, 4096]);
    $pve->new_task();
    is_deeply($pve->vdisk_list('store'), [sort(@volids, @others)],
        'every volume is known by the id of the configuration, or it would become unused');
    is_deeply($pve->vdisk_list('store', 101), \@others, 'or those of one VM');
    is_deeply($pve->vdisk_list('store', undef, [$volids[0], $others[0]]),
        [sort($volids[0], $others[0])], 'or those that are named');
    my @paths = map { scalar($pve->path($_)) } @volids, @others;
    is(scalar(keys({ map { $_ => 1 } @paths }->%*)), scalar(@paths), 'no two share a path');
    fails_at('GET', '/storage/volumes', sub { $pve->vdisk_list('store') },
        'a list that cannot be had is no empty list');
    $pve->destroy_vm(100, @volids);
    $pve->destroy_vm(101, @others);
};

sequence 'a disk is plugged in, detached and deleted while its VM runs' => sub ($pve) {
    my ($disk) = $pve->create_disks(100, [undef, 8192]);
    $pve->start_vm([$disk]);
    my ($more) = $pve->create_disks(100, [undef, 4096]);
    $pve->activate_volumes([$more]);
    my $path = $pve->qemu_path($more);
    $pve->hold($more);
    $pve->write_device($path, 'plugged');

    # Deleted while QEMU holds it: refused, and the disk stays.
    like(error_of(sub { $pve->vdisk_free($more) }, 'a disk in use is not deleted'),
        qr/\[busy\b/, 'the task says so');
    is($pve->read_device($path, 7), 'plugged', 'the guest keeps its data');

    # Unplugged, then deleted without being deactivated.
    $pve->let_go($more);
    my (undef, $owner) = $pve->path($more);
    is($owner, 100, 'the disk is the VM\'s own');
    $pve->vdisk_free($more);
    ok(!-e $path, 'the device is gone with it');
    $pve->stop_vm([$disk]);
    $pve->destroy_vm(100, $disk);
};

sequence 'a disk is imported' => sub ($pve) {
    $pve->new_task();
    my $disk = $pve->vdisk_alloc('store', 100, 'raw', undef, 4096.5);
    ok($pve->volume_has_feature('sparseinit', $disk), 'qemu-img need not write zeros');
    $pve->activate_volumes([$disk]);
    my $path = $pve->qemu_path($disk);
    cmp_ok(-s $path, '>=', 4096.5 * 1024, 'an image of half a KiB more fits');
    $pve->write_device($path, 'imported');
    $pve->deactivate_volumes([$disk]);
    $pve->start_vm([$disk]);
    is($pve->read_device($pve->qemu_path($disk), 8), 'imported', 'the VM finds it');
    $pve->stop_vm([$disk]);
    $pve->destroy_vm(100, $disk);
};

done_testing();
