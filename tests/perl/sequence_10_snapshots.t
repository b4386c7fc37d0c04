#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use SequenceTest qw(sequence error_of said_by fails_at);

# Disk, EFI disk and TPM state; a cloud-init drive is a CD-ROM and has no snapshots.
my sub new_vm ($pve) { return $pve->create_disks(100, [undef, 8192], [undef, 528], [undef, 4096]) }

my sub write_all ($pve, $text, @volids) {
    $pve->write_device($pve->qemu_path($_), $text) for @volids;
}

# Of a VM that runs, with its memory: the state is made first, inside the VM's lock.
my sub snapshot_with_ram ($pve, $volids, $snap) {
    my $state = $pve->vdisk_alloc('store', 100, 'raw', "vm-100-state-$snap", (2 * 16 + 500) * 1024);
    my $path = $pve->path($state);
    $pve->activate_volumes([$state]);
    $pve->hold($state);
    $pve->write_device($path, "RAM $snap");
    $pve->snapshot_vm($volids, $snap);
    $pve->let_go($state);
    $pve->deactivate_volumes([$state]);
    return $state;
}

sequence 'a VM goes back to a snapshot with its memory' => sub ($pve) {
    my @volids = new_vm($pve);
    $pve->start_vm(\@volids, tpm => $volids[2]);
    write_all($pve, 'old', @volids);
    my $state = snapshot_with_ram($pve, \@volids, 'before');
    is_deeply($pve->snapshot_names($_), ['before'], "$_ has it") for @volids;
    write_all($pve, 'new', @volids);

    $pve->rollback_vm(\@volids, 'before', running => \@volids);
    $pve->start_vm([@volids, $state], tpm => $volids[2]);
    is($pve->read_device($pve->qemu_path($_), 3), 'old', "$_ is what it was") for @volids;
    is($pve->read_device($pve->qemu_path($state), 10), 'RAM before', 'so is the memory');
    $pve->let_go($state);
    $pve->deactivate_volumes([$state]);

    # While the VM runs: the state goes first.
    $pve->vdisk_free($state);
    $pve->delete_snapshot(\@volids, 'before', 1);
    is_deeply($pve->snapshot_names($_), [], "$_ has none") for @volids;
    $pve->delete_snapshot(\@volids, 'before', 1);
    $pve->stop_vm(\@volids);
    $pve->destroy_vm(100, @volids);
};

sequence 'a VM goes back past a newer snapshot, and forward again' => sub ($pve) {
    my @volids = new_vm($pve);
    $pve->activate_volumes(\@volids);
    for my $snap (qw(first second)) {
        write_all($pve, $snap, @volids);
        $pve->snapshot_vm(\@volids, $snap);
    }
    write_all($pve, 'later', @volids);
    my $blockers = [];
    ok($pve->volume_rollback_is_possible($volids[0], 'first', $blockers), 'it may go past one');
    is_deeply($blockers, [], 'and nothing is in the way');

    # Volumes of a VM that was stopped before may be active still.
    for my $snap (qw(first second first)) {
        $pve->rollback_vm(\@volids, $snap);
        $pve->activate_volumes(\@volids);
        is($pve->read_device($pve->qemu_path($_), length($snap)), $snap, "$_ went to $snap")
            for @volids;
        is_deeply([sort($pve->snapshot_names($_)->@*)], [qw(first second)], "$_ has both")
            for @volids;
        write_all($pve, 'between', @volids);
    }
    $pve->rollback_vm(\@volids, 'second');
    $pve->delete_snapshot(\@volids, 'second', 0);
    $pve->rollback_vm(\@volids, 'first');
    is($pve->read_device($pve->qemu_path($_), 5), 'first', "$_ went back once more") for @volids;
    $pve->deactivate_volumes(\@volids);
    # With its snapshots.
    $pve->destroy_vm(100, @volids);
};

sequence 'a rollback meets a disk in use' => sub ($pve) {
    my @volids = new_vm($pve);
    $pve->start_vm(\@volids);
    $pve->snapshot_vm(\@volids, 'snap');
    write_all($pve, 'running', @volids);
    like(error_of(sub { $pve->rollback_vm(\@volids, 'snap') }, 'the VM was not stopped after all'),
        qr/\[busy\b/, 'the rollback is refused');
    is($pve->read_device($pve->qemu_path($volids[0]), 7), 'running',
        'and the guest keeps its data');
    $pve->stop_vm(\@volids);
    $pve->destroy_vm(100, @volids);
};

sequence 'the snapshot of the second disk fails' => sub ($pve) {
    my @volids = new_vm($pve);
    $pve->vdisk_free($volids[1]);
    my $error;
    said_by(sub {
        $error = error_of(sub { $pve->snapshot_vm(\@volids, 'half') }, 'the snapshot fails');
    });
    like($error, qr/vm-100-disk-1/, 'the task names the disk');
    is_deeply($pve->snapshot_names($_), [], "$_ keeps none, as the configuration does")
        for @volids[0, 2];
    $pve->snapshot_vm([@volids[0, 2]], 'half');
    is_deeply($pve->snapshot_names($_), ['half'], "$_ takes one of that name later")
        for @volids[0, 2];
    $pve->destroy_vm(100, @volids[0, 2]);
};

sequence 'no snapshot can be made at all' => sub ($pve) {
    my @volids = new_vm($pve);
    my $error = fails_at('POST', 'snapshots', sub { $pve->snapshot_vm(\@volids, 'none') },
        'the snapshot fails');
    like($error, qr/none'/, 'the task names it');
    is_deeply($pve->snapshot_names($_), [], "$_ has none") for @volids;
    $pve->destroy_vm(100, @volids);
};

# The lock snapshot-delete stays until the administrator has a look; then it is tried again.
sequence 'deleting a snapshot fails, and is tried again' => sub ($pve) {
    my @volids = new_vm($pve);
    $pve->snapshot_vm(\@volids, 'snap');
    fails_at('DELETE', 'snapshots', sub { $pve->delete_snapshot(\@volids, 'snap') },
        'deleting fails');
    $pve->delete_snapshot(\@volids, 'snap');
    is_deeply($pve->snapshot_names($_), [], "$_ has none") for @volids;
    $pve->destroy_vm(100, @volids);
};

done_testing();
