#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use SequenceTest qw(sequence error_of fails_at);

sequence 'a VM becomes a template' => sub ($pve) {
    my @volids = $pve->create_disks(100, [undef, 8192], [undef, 528], [undef, 4096]);
    $pve->activate_volumes(\@volids);
    $pve->write_device(scalar($pve->path($_)), "data of $_") for @volids;
    $pve->deactivate_volumes(\@volids);
    $pve->new_task();
    my @bases;
    for my $volid (@volids) {
        ok($pve->volume_has_feature('template', $volid), "$volid can become a base image");
        push(@bases, $pve->vdisk_create_base($volid));
        is($bases[-1], $volid =~ s/vm-/base-/r, 'the configuration is written with the new name');
    }
    is_deeply($pve->vdisk_list('store', 100), [sort(@bases)], 'a rescan finds the new names alone');
    ok(!$pve->volume_has_feature('template', $bases[0]), 'no image becomes one twice');
    ok(!$pve->volume_has_feature('snapshot', $bases[0]), 'nor has it snapshots');
    # The template is backed up, and copied.
    $pve->activate_volumes(\@bases);
    is($pve->read_device(scalar($pve->path($bases[$_])), length("data of $volids[$_]")),
        "data of $volids[$_]", "$bases[$_] has the data") for 0 .. 2;
    my $copy = $pve->copy_disk($bases[0], 'store', 101);
    is($copy, 'store:vm-101-disk-0', 'a full clone is an ordinary disk');
    $pve->deactivate_volumes(\@bases);
    $pve->destroy_vm(101, $copy);
    $pve->destroy_vm(100, @bases);
};

# All are activated, and all are asked, before the first is converted.
sequence 'a container becomes a template' => sub ($pve) {
    my @volids = $pve->create_disks(101, [undef, 8192], [undef, 8192]);
    $pve->new_task();
    $pve->volume_has_feature('template', $_) or fail("$_ cannot become a base image") for @volids;
    $pve->activate_volumes(\@volids);
    my @bases = map { $pve->vdisk_create_base($_) } @volids;
    is_deeply(\@bases, [map { s/vm-/base-/r } @volids], 'although its volumes are active');
    $pve->destroy_vm(101, @bases);
};

sequence 'a template gets one more disk' => sub ($pve) {
    my ($disk) = $pve->create_disks(100, [undef, 8192]);
    my $base = $pve->vdisk_create_base($disk);
    my ($more) = $pve->create_disks(100, [undef, 4096]);
    is($more, 'store:vm-100-disk-1', 'it takes no number that a base image has');
    my $second = $pve->vdisk_create_base($more);
    is_deeply($pve->vdisk_list('store', 100), [sort($base, $second)], 'and is converted at once');
    $pve->destroy_vm(100, $base, $second);
};

# Deleted clones would hold what they were cloned from until the array forgets them.
sequence 'a linked clone becomes a template' => sub ($pve) {
    my ($disk) = $pve->create_disks(100, [undef, 8192]);
    my $base = $pve->vdisk_create_base($disk);
    my $clone = $pve->vdisk_clone($base, 101);
    my $second = $pve->vdisk_create_base($clone);
    is($second, 'store:base-100-disk-0/base-101-disk-0', 'it still names its own template');
    my $third = $pve->vdisk_clone($second, 102);
    is($third, 'store:base-101-disk-0/vm-102-disk-0', 'its clones name it');
    error_of(sub { $pve->vdisk_free($_) }, "$_ is not deleted while it has clones")
        for $base, $second;
    $pve->destroy_vm(102, $third);
    $pve->destroy_vm(101, $second);
    $pve->destroy_vm(100, $base);
}, force_delete => 1;

# The configuration is written disk by disk: what was converted stays so.
sequence 'the second disk cannot be converted' => sub ($pve) {
    my @volids = $pve->create_disks(100, [undef, 8192], [undef, 8192]);
    my $base = $pve->vdisk_create_base($volids[0]);
    fails_at('PATCH', '/storage/volumes', sub { $pve->vdisk_create_base($volids[1]) },
        'the conversion fails');
    is_deeply($pve->vdisk_list('store', 100), [sort($base, $volids[1])],
        'the disk keeps the name that the configuration has');
    my $second = $pve->vdisk_create_base($volids[1]);
    is($second, 'store:base-100-disk-1', 'and is converted when it is tried again');
    $pve->destroy_vm(100, $base, $second);
};

done_testing();
