#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use SequenceTest qw(sequence fails_at);

sequence 'a VM is cloned' => sub ($pve) {
    my ($disk, $ci) = $pve->create_disks(100, [undef, 8192], ['vm-100-cloudinit', 4096]);
    $pve->activate_volumes([$disk, $ci]);
    $pve->write_device(scalar($pve->path($disk)), 'origin');

    $pve->new_task();
    ok($pve->volume_has_feature('copy', $disk), 'the disk can be copied');
    $pve->activate_volumes([$disk]);
    my $copy = $pve->copy_disk($disk, 'store', 101);
    my $new_ci = $pve->vdisk_alloc('store', 101, 'raw', 'vm-101-cloudinit', 4096);
    is_deeply([$copy, $new_ci], ['store:vm-101-disk-0', 'store:vm-101-cloudinit'],
        'the clone has volumes of its own');
    $pve->activate_volumes([$new_ci]);

    # For another node they are left here.
    $pve->deactivate_volumes([$disk]);
    $pve->deactivate_volumes([$copy, $new_ci]);
    $pve->go_to('there');
    $pve->start_vm([$copy, $new_ci]);
    is($pve->read_device($pve->qemu_path($copy), 6), 'origin', 'the clone starts with the data');
    $pve->write_device($pve->qemu_path($copy), 'cloned');
    $pve->stop_vm([$copy, $new_ci]);

    $pve->go_to('here');
    $pve->activate_volumes([$disk]);
    is($pve->read_device($pve->qemu_path($disk), 6), 'origin', 'and changes no other VM');
    $pve->destroy_vm(101, $copy, $new_ci);
    $pve->destroy_vm(100, $disk, $ci);
};

sequence 'a clone fails at its second disk' => sub ($pve) {
    my @disks = $pve->create_disks(100, [undef, 8192], [undef, 8192]);
    my $first = $pve->copy_disk($disks[0], 'store', 101);
    fails_at('POST', '/storage/namespaces', sub { $pve->copy_disk($disks[1], 'store', 101) },
        'the clone fails');
    # As the API does: what was made goes, active as it is.
    $pve->vdisk_free($first);
    is_deeply($pve->vdisk_list('store', 101), [], 'nothing is left of the new VM');
    $pve->destroy_vm(100, @disks);
};

sequence 'a container is cloned' => sub ($pve) {
    my ($disk) = $pve->create_disks(100, [undef, 8192]);
    ok(!$pve->volume_has_feature('copy', $disk, undef, undef,
        { valid_target_formats => ['subvol'] }),
        'a container that wants no block device is not cloned to one');
    ok($pve->volume_has_feature('copy', $disk, undef, undef,
        { valid_target_formats => ['raw', 'subvol'] }), 'any other is');
    $pve->destroy_vm(100, $disk);
};

done_testing();
