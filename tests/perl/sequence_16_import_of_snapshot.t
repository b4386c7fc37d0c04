#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
# What the Import tab lists is imported into a disk of a VM, as `qm set --scsi1 STORE:0,import-from=…` does.
use v5.36;

use Test::More;

use SequenceTest qw(sequence error_of);

my %settings = (snapshot_import => 1, content => { images => 1, rootdir => 1, import => 1 });

my sub schedule ($pve, $disk, $name) {
    my ($leaf) = $disk =~ /:(.*)\z/;
    my ($volume) = grep { $_->{name} =~ /\Q${\($leaf =~ tr{-}{_}r)}\E\z/ } $pve->{sim}->state()->{volumes}->@*;
    $pve->{sim}->ctl({ cmd => 'schedule-snapshot', volume => $volume->{name}, name => $name });
    return;
}

sequence 'a snapshot of a schedule is imported into another VM' => sub ($pve) {
    my ($disk) = $pve->create_disks(100, [undef, 8192]);
    $pve->start_vm([$disk]);
    $pve->write_device($pve->qemu_path($disk), 'old');
    schedule($pve, $disk, 'hourly.2026-11-28_1005');
    $pve->snapshot_vm([$disk], 'snap');
    $pve->write_device($pve->qemu_path($disk), 'new');

    my $images = $pve->volume_list('store', 'import');
    if ($pve->version() < 12) {
        is_deeply($images, [], 'QEMU could not be kept from writing to one');
        $pve->stop_vm([$disk]);
        return $pve->destroy_vm(100, $disk);
    }
    is(scalar($images->@*), 2, 'both are listed');
    is_deeply($pve->volume_list('store', 'import', 101), [], 'but not for another VM');
    my ($hourly) = grep { /hourly/ } $images->@*;
    like($hourly, qr/\Astore:vm-100-disk-0\@[-0-9]{10}_[0-9]{6}Z\@~hourly\.2026-11-28_1005\z/, 'by its name');
    is(($pve->parse_volname($hourly))[2], 100, 'as an image of its VM');

    error_of(sub { $pve->activate_volumes([$hourly]) }, 'it cannot be attached');
    error_of(sub { $pve->qemu_blockdev_options($hourly, 'pc', {}) }, 'nor given to QEMU');
    error_of(sub { $pve->vdisk_free($hourly) }, 'nor deleted');

    is($pve->volume_size_info($hourly, 10), 8192 * 1024, 'its size is that of the disk');
    is($pve->volume_has_feature('copy', $hourly, undef, 1), 1, 'it can be copied');
    my $size = $pve->volume_size_info($hourly, 10);
    is($size, 8192 * 1024, 'which has the size that it was taken with');
    my $copy = $pve->vdisk_alloc('store', 101, 'raw', undef, $size / 1024);
    $pve->activate_volumes([$copy]);
    $pve->activate_volumes([$hourly]);
    $pve->copy_device(scalar($pve->path($hourly)), scalar($pve->path($copy)));
    error_of(sub { $pve->activate_volumes([$hourly]) }, 'nobody can attach it after that');
    is($pve->read_device(scalar($pve->path($copy)), 3), 'old', 'into a disk that has its bytes');
    is($pve->read_device($pve->qemu_path($disk), 3), 'new', 'the VM goes on with the present');
    is_deeply($pve->vdisk_list('store'), [sort($disk, $copy)], 'and no list of disks shows more');

    $pve->deactivate_volumes([$hourly]);
    is($pve->volume_list('store', 'import')->@*, 2, 'what was imported is still there');
    $pve->delete_snapshot([$disk], 'snap', 1);
    $pve->stop_vm([$disk]);
    $pve->deactivate_volumes([$copy]);
    $pve->destroy_vm(101, $copy);
    $pve->destroy_vm(100, $disk);
}, %settings;

done_testing();
