#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use SequenceTest qw(sequence error_of fails_at);

my sub prepare_backup ($pve, @volids) {
    $pve->new_task();
    $pve->activate_volumes(\@volids);
    for my $volid (@volids) {
        my $path = $pve->path($volid);
        is(scalar($pve->volume_size_info($volid, 5)), -s $path, "$volid is backed up at its size");
    }
}

sequence 'a VM that is stopped is backed up' => sub ($pve) {
    my @volids = $pve->create_disks(100, [undef, 8192], [undef, 4096]);
    prepare_backup($pve, @volids);
    $pve->start_vm(\@volids, tpm => $volids[1]);
    $pve->stop_vm(\@volids);
    is($pve->has_device($_), 0, "$_ is left at the end") for @volids;
    $pve->destroy_vm(100, @volids);
};

sequence 'a VM that runs is backed up with fleecing images' => sub ($pve) {
    my @volids = $pve->create_disks(100, [undef, 8192], [undef, 8194]);
    $pve->start_vm(\@volids);
    prepare_backup($pve, @volids);
    my @fleece = map { $pve->vdisk_alloc('store', 100, 'raw', "vm-100-fleece-$_",
        $pve->size_of($volids[$_]) / 1024) } 0, 1;
    is_deeply(\@fleece, ['store:vm-100-fleece-0', 'store:vm-100-fleece-1'],
        'the images have the names by which they are cleaned up');
    $pve->activate_volumes(\@fleece);
    for my $n (0, 1) {
        cmp_ok(-s $pve->qemu_path($fleece[$n]), '>=', $pve->size_of($volids[$n]),
            "$fleece[$n] takes what the guest overwrites");
    }
    $pve->hold(@fleece);
    $pve->write_device($pve->qemu_path($fleece[0]), 'fleece');
    $pve->let_go(@fleece);
    # Deleted without being deactivated.
    $pve->vdisk_free($_) for @fleece;
    is_deeply($pve->vdisk_list('store', 100), [sort(@volids)], 'the backup leaves nothing');
    $pve->stop_vm(\@volids);
    $pve->destroy_vm(100, @volids);
};

sequence 'the second fleecing image cannot be made' => sub ($pve) {
    my @volids = $pve->create_disks(100, [undef, 8192], [undef, 8192]);
    $pve->start_vm(\@volids);
    my $error = fails_at('POST', '/storage/namespaces', sub {
        $pve->create_disks(100, ['vm-100-fleece-0', 8192], ['vm-100-fleece-1', 8192]);
    }, 'the backup fails', nth => 2);
    like($error, qr/vm-100-fleece-1/, 'and names the image');
    is_deeply($pve->vdisk_list('store', 100), [sort(@volids)], 'the first one is gone again');
    $pve->stop_vm(\@volids);
    $pve->destroy_vm(100, @volids);
};

# A task that was killed: the images are in the VM's configuration, and the next backup begins by
# deleting them.
sequence 'fleecing images are left over' => sub ($pve) {
    my @fleece = $pve->create_disks(100, ['vm-100-fleece-0', 8192]);
    $pve->activate_volumes(\@fleece);
    $pve->new_task();
    $pve->parse_volname($fleece[0]);
    $pve->vdisk_free($fleece[0]);
    my @again = $pve->create_disks(100, ['vm-100-fleece-0', 8192]);
    is_deeply(\@again, \@fleece, 'the name is free for the next backup');
    $pve->vdisk_free($again[0]);
};

sequence 'a backup is restored over a VM' => sub ($pve) {
    my @old = $pve->create_disks(100, [undef, 8192], ['vm-100-cloudinit', 4096]);
    $pve->activate_volumes(\@old);
    $pve->write_device(scalar($pve->path($old[0])), 'old');
    $pve->new_task();
    $pve->vdisk_free($_) for @old;
    my @new = $pve->create_disks(100, [undef, 8192], ['vm-100-cloudinit', 4096]);
    is_deeply(\@new, \@old, 'the new disks get the names of the old ones');
    $pve->activate_volumes(\@new);
    ok($pve->volume_has_feature('sparseinit', $new[0]), 'zeros of the backup are not written');
    is($pve->read_device(scalar($pve->path($new[0])), 3), "\0\0\0",
        'so nothing of the old disk shows through');
    $pve->write_device(scalar($pve->path($new[0])), 'restored');
    $pve->deactivate_volumes(\@new);
    is_deeply($pve->vdisk_list('store', 100), [sort(@new)], 'the rescan at the end finds both');
    $pve->start_vm(\@new);
    is($pve->read_device($pve->qemu_path($new[0]), 8), 'restored', 'the VM has what was saved');
    $pve->stop_vm(\@new);
    $pve->destroy_vm(100, @new);
};

sequence 'a restore has no room' => sub ($pve) {
    fails_at('POST', '/storage/namespaces', sub {
        $pve->create_disks(100, [undef, 8192], [undef, 8192]);
    }, 'the restore fails', nth => 2);
};

done_testing();
