#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use SequenceTest qw(sequence);

# The node is dead: it left nothing, and nobody asks it to.
sequence 'HA starts a VM on another node' => sub ($pve) {
    my @volids = $pve->create_disks(100, [undef, 8192], [undef, 4096]);
    $pve->start_vm(\@volids, tpm => $volids[1]);
    $pve->write_device($pve->qemu_path($volids[0]), 'last words');

    $pve->go_to('there');
    $pve->start_vm(\@volids, tpm => $volids[1]);
    is($pve->read_device($pve->qemu_path($volids[0]), 10), 'last words', 'the VM has its data');
    $pve->stop_vm(\@volids);

    # The dead node comes back: no process of its VM runs, the VM is elsewhere.
    $pve->go_to('here');
    $pve->let_go(@volids);
    is($pve->check_connection('store'), 1, 'the node has the storage again');
    $pve->deactivate_volumes(\@volids);
    $pve->destroy_vm(100, @volids);
};

# The VM has gone for good while a node was dead, and another one has its name.
sequence 'a node comes back after a volume was made anew' => sub ($pve) {
    my ($volid) = $pve->create_disks(100, [undef, 8192]);
    $pve->start_vm([$volid]);
    $pve->write_device($pve->qemu_path($volid), 'first');
    $pve->go_to('there');
    $pve->destroy_vm(100, $volid);
    is_deeply([$pve->create_disks(100, [undef, 8192])], [$volid], 'the name is used again');
    $pve->activate_volumes([$volid]);
    $pve->write_device($pve->qemu_path($volid), 'second');
    $pve->deactivate_volumes([$volid]);

    $pve->go_to('here');
    $pve->start_vm([$volid]);
    is($pve->read_device($pve->qemu_path($volid), 6), 'second',
        'the node that still had the old device takes the new one');
    $pve->stop_vm([$volid]);
    $pve->destroy_vm(100, $volid);
};

sequence 'replication' => sub ($pve) {
    is(scalar($pve->call('storage_can_replicate', $pve->{storages}{store}, 'store', 'raw')), 0,
        'pvesr refuses a job: every node has the data');
    my ($volid) = $pve->create_disks(100, [undef, 4096]);
    ok(!$pve->volume_has_feature('replicate', $volid), 'nor is a volume replicated');
    $pve->destroy_vm(100, $volid);
};

done_testing();
