#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use SequenceTest qw(sequence);

sequence 'a VM that is stopped moves to another node' => sub ($pve) {
    my @volids = $pve->create_disks(100, [undef, 8192], ['vm-100-cloudinit', 4096]);
    $pve->start_vm(\@volids);
    $pve->write_device($pve->qemu_path($volids[0]), 'data');
    $pve->stop_vm(\@volids);

    $pve->parse_volname($_), $pve->check_connection('store') for @volids;
    # The configuration has moved; nothing else happens until the VM is started there.
    $pve->go_to('there');
    $pve->start_vm(\@volids);
    is($pve->read_device($pve->qemu_path($volids[0]), 4), 'data', 'the data is there');
    $pve->stop_vm(\@volids);
    $pve->destroy_vm(100, @volids);
};

# A container's volumes must be left, or the migration ends here.
sequence 'a container that is stopped moves to another node' => sub ($pve) {
    my ($volid) = $pve->create_disks(101, ['vm-101-disk-0', 8192]);
    $pve->activate_volumes([$volid]);
    $pve->check_connection('store');
    ok(eval { $pve->deactivate_volumes([$volid]); 1 }, 'the source leaves the volume') or diag($@);
    ok(eval { $pve->deactivate_volumes([$volid]); 1 }, 'and again, when it is not active');
    $pve->go_to('there');
    $pve->activate_volumes([$volid]);
    ok($pve->has_device($volid), 'the target has it');
    $pve->deactivate_volumes([$volid]);
    $pve->destroy_vm(101, $volid);
};

done_testing();
