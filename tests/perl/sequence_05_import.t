#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use SequenceTest qw(sequence error_of said_by fails_at);

use constant { MIB => 1024 * 1024, SIZE => 8 * 1024 * 1024 };

# What `pvesm import` asks and does on the node that the stream goes to.
my sub import_volume ($pve, $name, $may_rename, $handle) {
    is_deeply([$pve->volume_import_formats("store:$name", undef, undef, 0)], ['raw+size'],
        "$name can come from any storage that exports raw+size");
    $pve->new_task();
    return $pve->volume_import($handle, "store:$name", 'raw+size', undef, undef, 0,
        $may_rename);
}

sequence 'the disks of a VM arrive with it' => sub ($pve) {
    my @volids = map { import_volume($pve, $_, 1, $pve->stream(SIZE, "this is $_")) }
        qw(vm-100-disk-0 vm-100-disk-1);
    # These keep their names: the configuration knows no other.
    push(@volids, map { import_volume($pve, $_, 0, $pve->stream(4 * MIB, "this is $_")) }
        qw(vm-100-cloudinit vm-100-state-snap));
    is_deeply(\@volids, [map { "store:vm-100-$_" } qw(disk-0 disk-1 cloudinit state-snap)],
        'the configuration of the target names them');
    is($pve->has_device($_), 0, "$_ is left after the transfer") for @volids;
    $pve->start_vm(\@volids);
    for my $volid (@volids) {
        my $text = 'this is ' . $volid =~ s/.*://r;
        is($pve->read_device($pve->qemu_path($volid), length($text)), $text, "$volid: the bytes");
    }
    is($pve->size_of($volids[0]), SIZE, 'and exactly the size');
    $pve->stop_vm(\@volids);
    $pve->destroy_vm(100, @volids);
};

sequence 'a name is taken on the target' => sub ($pve) {
    my @taken = $pve->create_disks(100, [undef, 4096], ['vm-100-cloudinit', 4096]);
    my $renamed;
    said_by(sub {
        $renamed = import_volume($pve, 'vm-100-disk-0', 1, $pve->stream(SIZE, 'other'));
    });
    is($renamed, 'store:vm-100-disk-1', 'a disk gets the next free name, and a warning says so');
    like(error_of(sub { import_volume($pve, 'vm-100-cloudinit', 0, $pve->stream(SIZE, 'x')) },
        'what must not be renamed is refused'), qr/vm-100-cloudinit/, 'by its name');
    is($pve->size_of($taken[1]), 4 * MIB, 'what was there stays as it is');
    $pve->destroy_vm(100, @taken, $renamed);
};

sequence 'a transfer is aborted' => sub ($pve) {
    error_of(sub {
        import_volume($pve, 'vm-100-disk-0', 1, $pve->stream(SIZE, 'half', lost => 4 * MIB));
    }, 'the stream ends too early: the migration fails');
    error_of(sub {
        import_volume($pve, 'vm-100-disk-0', 1, $pve->stream(SIZE, '', lost => SIZE + 4));
    }, 'not even a size arrives');
    fails_at('POST', '/subsystem-maps', sub {
        import_volume($pve, 'vm-100-disk-0', 1, $pve->stream(SIZE, 'x'));
    }, 'the array does not give the disk');
    is_deeply($pve->vdisk_list('store'), [], 'nothing is left of any');
};

sequence 'what no stream of bytes can hold' => sub ($pve) {
    is_deeply([$pve->volume_import_formats('store:vm-100-disk-0', undef, undef, 1)], [],
        'snapshots: the migration is refused before it begins');
    is_deeply([$pve->volume_import_formats('store:vm-100-disk-0', undef, undef, ['a'])], [],
        'nor a list of them');
    is_deeply([$pve->volume_import_formats('store:vm-100-disk-0', 'b', 'a', 0)], [],
        'nor the difference of two');
};

# The target of an online migration: a disk of that size, filled over NBD.
sequence 'a disk is mirrored from another node' => sub ($pve) {
    $pve->go_to('there');
    $pve->activate_storage('store');
    my $volid = $pve->vdisk_alloc('store', 100, 'raw', undef, SIZE / 1024);
    $pve->start_vm([$volid]);
    $pve->write_device($pve->qemu_path($volid), 'mirrored');
    $pve->stop_vm([$volid]);
    $pve->destroy_vm(100, $volid);
};

done_testing();
