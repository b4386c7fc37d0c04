#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;

use SequenceTest qw(sequence error_of);

use constant SIZE => 8 * 1024 * 1024;

# To another cluster, which knows nothing of this one: 'other' stands for its storage.
sequence 'a VM moves to another cluster' => sub ($pve) {
    my @volids = $pve->create_disks(100, [undef, SIZE / 1024], ['vm-100-state-suspend-2026-11-24',
        4096]);
    $pve->activate_volumes(\@volids);
    $pve->write_device(scalar($pve->path($_)), "data of $_") for @volids;
    my @arrived;
    for my $volid (@volids) {
        $pve->new_task();
        $pve->activate_volumes([$volid]);
        is_deeply([$pve->volume_export_formats($volid, undef, undef, 0)], ['raw+size'],
            "$volid can be sent");
        my $stream = $pve->exported($volid);
        my $size = $pve->size_of($volid);
        is(unpack('Q<', $stream), $size, 'the stream begins with the size');
        is(length($stream), 8 + $size, 'and holds that many bytes');

        my $name = $volid =~ s/^store:vm-100-/vm-200-/r;
        my $handle = $pve->stream($size, substr($stream, 8));
        is_deeply([$pve->volume_import_formats("other:$name", undef, undef, 0)], ['raw+size'],
            "$name can be received");
        push(@arrived, $pve->volume_import($handle, "other:$name", 'raw+size',
            undef, undef, 0, 0));
    }
    is_deeply(\@arrived, [map { "other:vm-200-$_" } qw(disk-0 state-suspend-2026-11-24)],
        'the other cluster has them by their new names');
    $pve->start_vm(\@arrived);
    for my $n (0, 1) {
        my $text = "data of $volids[$n]";
        is($pve->read_device($pve->qemu_path($arrived[$n]), length($text)), $text,
            "$arrived[$n] has the data");
    }
    $pve->stop_vm(\@arrived);
    $pve->destroy_vm(200, @arrived);
    $pve->destroy_vm(100, @volids);
};

sequence 'a VM with snapshots does not move to another cluster' => sub ($pve) {
    my ($disk) = $pve->create_disks(100, [undef, SIZE / 1024]);
    is_deeply([$pve->volume_export_formats($disk, undef, undef, 1)], [],
        'refused before it begins');
    is_deeply([$pve->volume_export_formats($disk, undef, 'base', 0)], [], 'nor as a difference');
    $pve->activate_volumes([$disk]);
    open(my $handle, '>', '/dev/null') or die "open: $!\n";
    my @transfer = (undef, undef, 0);
    error_of(sub { $pve->volume_export($handle, $disk, 'qcow2+size', @transfer) },
        'nor in another format');
    error_of(sub { $pve->volume_export($handle, 'store:vm-100-disk-9', 'raw+size', @transfer) },
        'nor a disk that is not there');
    $pve->destroy_vm(100, $disk);
};

sequence 'the other side goes away' => sub ($pve) {
    my ($disk) = $pve->create_disks(100, [undef, SIZE / 1024]);
    $pve->activate_volumes([$disk]);
    pipe(my $reader, my $writer) or die "pipe: $!\n";
    close($reader);
    local $SIG{PIPE} = 'IGNORE';
    error_of(sub { $pve->volume_export($writer, $disk, 'raw+size', undef, undef, 0) },
        'the migration fails');
    ok($pve->has_device($disk), 'the VM is what it was');
    $pve->destroy_vm(100, $disk);
};

done_testing();
