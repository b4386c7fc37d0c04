#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use SequenceTest qw(sequence);

# What the source asks of a shared volume, all that it ever does.
my sub prepare ($pve, @volids) {
    for my $volid (@volids) {
        $pve->parse_volname($volid);
        is($pve->check_connection('store'), 1, "$volid can be migrated: its storage is online");
    }
}

my sub running_vm ($pve) {
    my @volids = $pve->create_disks(100, [undef, 8192], [undef, 4096]);
    $pve->start_vm(\@volids, tpm => $volids[1]);
    $pve->write_device($pve->qemu_path($volids[0]), 'before');
    return @volids;
}

sequence 'a VM moves to another node while it runs' => sub ($pve) {
    my @volids = running_vm($pve);
    my $source_path = $pve->qemu_path($volids[0]);
    prepare($pve, @volids);

    $pve->go_to('there');
    $pve->start_vm(\@volids, tpm => $volids[1]);
    is($pve->qemu_path($volids[0]), $source_path, 'the path is the same on both nodes');

    # Both have it open; the last writes of the source are seen by the target.
    $pve->go_to('here');
    $pve->write_device($source_path, 'at end');
    $pve->stop_vm(\@volids);
    is($pve->has_device($_), 0, "the source has left $_") for @volids;

    $pve->go_to('there');
    is($pve->read_device($source_path, 6), 'at end', 'the target goes on with the same bytes');
    $pve->stop_vm(\@volids);
    $pve->destroy_vm(100, @volids);
};

sequence 'a migration is aborted' => sub ($pve) {
    my @volids = running_vm($pve);
    prepare($pve, @volids);
    $pve->go_to('there');
    $pve->start_vm(\@volids, tpm => $volids[1]);
    $pve->stop_vm(\@volids);
    is($pve->has_device($_), 0, "the target has left $_") for @volids;

    $pve->go_to('here');
    is($pve->read_device($pve->qemu_path($volids[0]), 6), 'before', 'the source runs on');
    $pve->stop_vm(\@volids);
    $pve->destroy_vm(100, @volids);
};

done_testing();
