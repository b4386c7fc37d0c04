#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use SequenceTest qw(sequence error_of said_by fails_at);

my sub new_vm ($pve) {
    return $pve->create_disks(100, [undef, 8192], [undef, 528], [undef, 4096],
        ['vm-100-cloudinit', 4096]);
}

# What starting a VM does to its cloud-init drive: its path is asked for first, and a drive that is
# not there is made.
my sub write_cloudinit ($pve, $volid) {
    my $path = $pve->path($volid);
    eval { $pve->activate_volumes([$volid]); 1 } if $pve->version() >= 12;
    my $size = eval { scalar($pve->volume_size_info($volid)) };
    if (!$size) {
        $pve->vdisk_alloc('store', 100, 'raw', $volid =~ s/.*://r, 4096);
        $size = 4096 * 1024;
    }
    $pve->activate_volumes([$volid]);
    is($size, 4096 * 1024, 'the cloud-init drive has the size that qemu-img dd fills');
    $pve->write_device($path, 'cloud-init');
}

sequence 'a VM starts and stops' => sub ($pve) {
    my @volids = new_vm($pve);
    my ($disk, undef, $tpm, $ci) = @volids;
    write_cloudinit($pve, $ci);
    $pve->start_vm(\@volids, tpm => $tpm);
    is($pve->read_device($pve->qemu_path($ci), 10), 'cloud-init', 'the guest reads its settings');
    $pve->write_device($pve->qemu_path($disk), 'guest data');

    # A second start on the same node finds what the first left.
    $pve->activate_volumes(\@volids, undef, $pve->start_hints());
    my $unused = $pve->vdisk_alloc('store', 100, 'raw', undef, 4096);
    $pve->stop_vm(\@volids, also => [$unused, 'store:vm-100-state-gone']);
    is($pve->has_device($_), 0, "$_ is left: 'qm cleanup' reports no error") for @volids;
    $pve->deactivate_volumes(\@volids);

    $pve->start_vm(\@volids, tpm => $tpm);
    is($pve->read_device($pve->qemu_path($disk), 10), 'guest data', 'the next start finds it');
    $pve->stop_vm(\@volids);
    $pve->destroy_vm(100, @volids, $unused);
};

sequence 'a cloud-init drive is made at the start that misses it' => sub ($pve) {
    my ($disk) = $pve->create_disks(100, [undef, 8192]);
    my $ci = 'store:vm-100-cloudinit';
    said_by(sub { write_cloudinit($pve, $ci) });
    $pve->start_vm([$disk, $ci]);
    $pve->stop_vm([$disk, $ci]);
    $pve->destroy_vm(100, $disk, $ci);
};

sequence 'a start fails' => sub ($pve) {
    my @volids = new_vm($pve);
    is(error_of(sub { $pve->start_vm(\@volids, fails => 1) }, 'QEMU does not start'),
        "QEMU exited with code 1\n", 'the task says why, and nothing about volumes');
    is($pve->has_device($_), 0, "$_ is left") for @volids;

    # One of the volumes is gone: those that were activated before it stay active on PVE 8.
    my $error;
    said_by(sub {
        $error = error_of(sub { $pve->start_vm([@volids, 'store:vm-100-disk-9']) },
            'a volume that is not there fails the start');
    });
    like($error, qr/vm-100-disk-9/, 'and is named');
    is($pve->has_device($volids[0]), $pve->version() < 12 ? 1 : 0,
        'what was activated before it is left, where the host asks for that');
    $pve->destroy_vm(100, @volids);
};

sequence 'a VM is suspended to disk and resumed' => sub ($pve) {
    my @volids = new_vm($pve);
    $pve->start_vm(\@volids);
    my $state = $pve->vdisk_alloc('store', 100, 'raw', 'vm-100-state-suspend-2026-11-24',
        (2 * 16 + 500) * 1024);
    is($state, 'store:vm-100-state-suspend-2026-11-24', 'the state is found by this name later');
    my $path = $pve->path($state);
    $pve->activate_volumes([$state]);
    $pve->hold($state);
    $pve->write_device($path, 'RAM');
    $pve->let_go($state);
    $pve->stop_vm(\@volids, also => [$state]);

    # The state is named on the command line before it is active, and started with the disks.
    is(scalar($pve->path($state)), $path, 'the path is the same before it is active');
    $pve->start_vm([@volids, $state]);
    is($pve->read_device($path, 3), 'RAM', 'QEMU loads the state');
    $pve->let_go($state);
    $pve->deactivate_volumes([$state]);
    $pve->vdisk_free($state);
    $pve->stop_vm(\@volids);
    $pve->destroy_vm(100, @volids);
};

sequence 'the state of a VM cannot be saved' => sub ($pve) {
    my @volids = new_vm($pve);
    $pve->start_vm(\@volids);
    my $error = fails_at('POST', '/storage/volumes', sub {
        $pve->vdisk_alloc('store', 100, 'raw', 'vm-100-state-suspend-2026-11-24', 544_768);
    }, 'suspending fails');
    like($error, qr/state-suspend-2026-11-24/, 'the task names the volume');
    ok($pve->has_device($volids[0]), 'the VM runs on');
    $pve->stop_vm(\@volids);
    $pve->destroy_vm(100, @volids);
};

done_testing();
