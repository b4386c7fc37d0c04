#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use SequenceTest qw(sequence error_of fails_at);

# Deleted clones would hold what they were cloned from until the array forgets them.
my %forgetful = (force_delete => 1);

my sub new_template ($pve, $text) {
    my ($disk) = $pve->create_disks(100, [undef, 8192]);
    $pve->activate_volumes([$disk]);
    $pve->write_device(scalar($pve->path($disk)), $text);
    $pve->deactivate_volumes([$disk]);
    $pve->new_task();
    return $pve->vdisk_create_base($disk);
}

sequence 'VMs are cloned from a template' => sub ($pve) {
    my $base = new_template($pve, 'golden');
    is($base, 'store:base-100-disk-0', 'the template');
    ok($pve->volume_has_feature('clone', $base), 'can be cloned');
    my @clones;
    for my $vmid (101, 102) {
        $pve->new_task();
        $pve->activate_volumes([$base]);
        push(@clones, $pve->vdisk_clone($base, $vmid));
        is($pve->size_of($clones[-1]), 8192 * 1024, 'a clone has the size of its base image');
    }
    is_deeply(\@clones, [map { "store:base-100-disk-0/vm-$_-disk-0" } 101, 102],
        'the configuration names the base image with each clone');
    is_deeply($pve->vdisk_list('store'), [sort($base, @clones)],
        'a rescan finds them by the same names');
    is_deeply([($pve->parse_volname($clones[0]))[1 .. 5]],
        ['vm-101-disk-0', 101, 'base-100-disk-0', 100, 0], 'and knows which is whose');

    $pve->start_vm([$_]) for @clones;
    is($pve->read_device($pve->qemu_path($_), 6), 'golden', "$_ begins as the template")
        for @clones;
    $pve->write_device($pve->qemu_path($clones[0]), 'edited');
    is($pve->read_device($pve->qemu_path($clones[1]), 6), 'golden', 'no clone sees another');
    is($pve->read_device(scalar($pve->path($base)), 6), 'golden', 'nor does the template');

    # A clone is an ordinary disk.
    $pve->snapshot_vm([$clones[0]], 'snap');
    $pve->volume_resize($clones[0], 16 * 1024 * 1024, 1);
    $pve->stop_vm([$_]) for @clones;
    my $copy = $pve->copy_disk($clones[0], 'store', 103);
    is($pve->read_device(scalar($pve->path($copy)), 6), 'edited', 'with full clones of its own');
    $pve->destroy_vm(103, $copy);

    is(
        error_of(sub { $pve->vdisk_free($base) }, 'a template with clones is not deleted'),
        "base volume 'base-100-disk-0' is still in use by linked clones\n",
        'Proxmox VE itself knows why',
    );
    $pve->destroy_vm(101, $clones[0]);
    $pve->destroy_vm(102, $clones[1]);
    $pve->destroy_vm(100, $base);
}, %forgetful;

sequence 'a VM is cloned from a snapshot of another' => sub ($pve) {
    my ($disk) = $pve->create_disks(100, [undef, 8192]);
    $pve->start_vm([$disk]);
    $pve->write_device($pve->qemu_path($disk), 'old');
    $pve->snapshot_vm([$disk], 'snap');
    $pve->write_device($pve->qemu_path($disk), 'new');
    $pve->new_task();
    ok($pve->volume_has_feature('clone', $disk, 'snap', 1), 'a snapshot can be cloned');
    ok(!$pve->volume_has_feature('clone', $disk, undef, 1), 'the disk itself is no template');
    $pve->activate_volumes([$disk], 'snap');
    my $clone = $pve->vdisk_clone($disk, 101, 'snap');
    $pve->start_vm([$clone]);
    is($pve->read_device($pve->qemu_path($clone), 3), 'old', 'the clone begins in the past');
    $pve->stop_vm([$clone]);
    like(error_of(sub { $pve->delete_snapshot([$disk], 'snap') },
        'the snapshot cannot go while its clone needs it'), qr/\[busy\b/, 'and says so');
    $pve->destroy_vm(101, $clone);
    $pve->delete_snapshot([$disk], 'snap');
    $pve->stop_vm([$disk]);
    $pve->destroy_vm(100, $disk);
}, %forgetful;

sequence 'a template is deleted right after its clone' => sub ($pve) {
    my $base = new_template($pve, 'golden');
    my $clone = $pve->vdisk_clone($base, 101);
    $pve->destroy_vm(101, $clone);
    # The clone can still be recovered, so the array keeps what it was made from, out of sight.
    $pve->destroy_vm(100, $base);
    is_deeply($pve->vdisk_list('store'), [], 'the template is gone');
};

sequence 'a linked clone fails' => sub ($pve) {
    my $base = new_template($pve, 'golden');
    my ($plain) = $pve->create_disks(101, [undef, 4096]);
    error_of(sub { $pve->vdisk_clone($plain, 102) }, 'a disk that is no template is not cloned');
    error_of(sub { $pve->vdisk_clone('store:base-100-disk-9', 102) },
        'nor a template that is not there');
    fails_at('POST', '/storage/volumes', sub { $pve->vdisk_clone($base, 102) },
        'the array makes no clone');
    fails_at('POST', '/subsystem-maps', sub { $pve->vdisk_clone($base, 102) },
        'the clone becomes no device');
    is_deeply($pve->vdisk_list('store', 102), [], 'nothing is left of the new VM');
    # The second disk of a VM fails: the first clone goes again.
    my $clone = $pve->vdisk_clone($base, 102);
    $pve->vdisk_free($clone);
    $pve->destroy_vm(101, $plain);
    $pve->destroy_vm(100, $base);
}, %forgetful;

done_testing();
