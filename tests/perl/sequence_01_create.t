#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use SequenceTest qw(sequence error_of fails_at);

use constant MIB => 1024 * 1024;

# A disk, an EFI disk, a TPM state and a cloud-init drive: [name, KiB].
my @drives = ([undef, 32 * 1024], [undef, 528], [undef, 4096], ['vm-100-cloudinit', 4096]);

sequence 'a VM is created' => sub ($pve) {
    my @volids = $pve->create_disks(100, @drives);
    is_deeply(
        \@volids,
        [map { "store:vm-100-$_" } qw(disk-0 disk-1 disk-2 cloudinit)],
        'the VM gets its drives by the names that its configuration will hold',
    );
    is($pve->size_of($volids[0]), 32 * MIB, 'a disk has exactly the size that was asked for');
    is_deeply($pve->vdisk_list('store', 100), [sort(@volids)],
        'a rescan finds the volumes of the configuration, and no other');

    # The EFI disk is filled at once.
    my $efi = $volids[1];
    $pve->activate_volumes([$efi]);
    is($pve->volume_qemu_snapshot_method($efi), 'storage', 'qemu-img converts onto a raw device');
    $pve->write_device(scalar($pve->path($efi)), 'OVMF_VARS');
    is(scalar($pve->volume_size_info($efi, 3)), 528 * 1024, 'the EFI disk is as large as its file');
    is($pve->read_device(scalar($pve->path($efi)), 9), 'OVMF_VARS', 'and holds it');

    # Nothing was deactivated when the VM is destroyed.
    $pve->destroy_vm(100, @volids);
};

sequence 'a drive cannot be made' => sub ($pve) {
    my $error = fails_at('POST', '/storage/namespaces', sub { $pve->create_disks(100, @drives) },
        'the task "VM 100 - Create" fails', nth => 3);
    like($error, qr/\Astorage 'store': .* \[[a-z-]+[],]/, 'and its log has storage and reason');
    is_deeply($pve->vdisk_list('store', 100), [], 'those made before it are gone again');
};

sequence 'a name is taken' => sub ($pve) {
    my @volids = $pve->create_disks(100, ['vm-100-cloudinit', 4096]);
    like(
        error_of(sub {
            $pve->create_disks(100, [undef, 4096], ['vm-100-cloudinit', 4096]);
        }, 'a second cloud-init drive fails the task'),
        qr/vm-100-cloudinit.*\[already-exists\b/,
        'with the name that is taken',
    );
    is_deeply($pve->vdisk_list('store', 100), \@volids, 'the first one is still there');
    $pve->destroy_vm(100, @volids);
};

done_testing();
