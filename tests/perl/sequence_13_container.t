#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Cwd ();
use Test::More;

use SequenceTest qw(sequence error_of);

use constant MIB => 1024 * 1024;

# As pve-container mounts: the device behind the path, which it asks for in two ways.
my sub mount_volume ($pve, $volid, $snap = undef) {
    $pve->activate_volumes([$volid], $snap);
    my $mapped = $pve->map_volume($volid, $snap);
    is($mapped, scalar($pve->path($volid, $snap)), "$volid is mapped where its path says");
    my ($device) = (Cwd::realpath($mapped) // '') =~ /\A(.+)\z/;
    ok(-e $device, 'and the device to mount is there');
    return $device;
}

# A volume is made, formatted, and deleted if that is interrupted.
my sub new_mount_point ($pve, $name, %what) {
    my $volid = $pve->vdisk_alloc('store', 101, 'raw', $name, 8192);
    my $done = eval {
        my $device = mount_volume($pve, $volid);
        die "mkfs.ext4 failed\n" if $what{fails};
        $pve->write_device($device, 'ext4');
        1;
    };
    return $volid if $done;
    my $error = $@;
    $pve->vdisk_free($volid);
    die $error;
}

sequence 'a container is created, started and stopped' => sub ($pve) {
    $pve->activate_storage('store');
    my @volids = map { new_mount_point($pve, undef) } 1, 2;
    # Its archive is unpacked.
    $pve->activate_volumes(\@volids);
    mount_volume($pve, $_) for @volids;
    $pve->deactivate_volumes(\@volids);
    is($pve->has_device($_), 0, "$_ is left after the creation") for @volids;

    # Started by one process, mounted by the hook in another.
    $pve->new_task();
    $pve->activate_volumes(\@volids);
    $pve->new_task();
    is($pve->read_device(mount_volume($pve, $_), 4), 'ext4', "$_ has its file system") for @volids;
    $pve->hold(@volids);
    $pve->stop_vm(\@volids);
    is($pve->has_device($_), 0, "$_ is left when the container has stopped") for @volids;
    $pve->destroy_vm(101, @volids);
};

sequence 'a volume cannot be formatted' => sub ($pve) {
    my $first = new_mount_point($pve, undef);
    is(error_of(sub { new_mount_point($pve, undef, fails => 1) }, 'the creation fails'),
        "mkfs.ext4 failed\n", 'with nothing but its reason');
    $pve->vdisk_free($first);
};

sequence 'a container has its mount point grown' => sub ($pve) {
    my $volid = new_mount_point($pve, undef);
    $pve->deactivate_volumes([$volid]);

    # Stopped: mapped without being activated again.
    $pve->new_task();
    $pve->activate_volumes([$volid]);
    is(scalar($pve->volume_size_info($volid, 5)), 8 * MIB, 'its size before');
    $pve->volume_resize($volid, 16 * MIB, 0);
    is(-s $pve->map_volume($volid), 16 * MIB, 'resize2fs finds the room');
    is($pve->unmap_volume($volid), 1, 'and the volume can be unmapped');

    # Mounted: pve-container says that it is not running all the same.
    $pve->hold($volid);
    $pve->volume_resize($volid, 32 * MIB, 0);
    is(-s $pve->map_volume($volid), 32 * MIB, 'also while the container runs');
    $pve->stop_vm([$volid]);
    $pve->destroy_vm(101, $volid);
};

sequence 'a container goes back to a snapshot' => sub ($pve) {
    my $volid = new_mount_point($pve, undef);
    is($pve->volume_snapshot_needs_fsfreeze($volid), 1, 'its file systems are frozen first');
    $pve->hold($volid);
    $pve->snapshot_vm([$volid], 'snap');
    $pve->write_device(scalar($pve->path($volid)), 'late');
    $pve->rollback_vm([$volid], 'snap', running => [$volid]);
    is($pve->read_device(mount_volume($pve, $volid), 4), 'ext4', 'the past is back');
    $pve->deactivate_volumes([$volid]);
    $pve->delete_snapshot([$volid], 'snap');
    $pve->destroy_vm(101, $volid);
};

# Both are mounted, and rsync copies.
sequence 'a volume of a container moves' => sub ($pve) {
    my $volid = new_mount_point($pve, undef);
    my $moved = $pve->copy_disk($volid, 'other', 101);
    $pve->deactivate_volumes([$moved]);
    $pve->deactivate_volumes([$volid]);
    $pve->vdisk_free($volid);
    is($pve->read_device(mount_volume($pve, $moved), 4), 'ext4', 'the container has its data');
    $pve->deactivate_volumes([$moved]);
    $pve->destroy_vm(101, $moved);
};

# Restart mode: stopped on one node, started on the other.
sequence 'a container moves while it runs' => sub ($pve) {
    my $volid = new_mount_point($pve, undef);
    $pve->hold($volid);
    is($pve->check_connection('store'), 1, 'the storage is online');
    $pve->let_go($volid);
    ok(eval { $pve->deactivate_volumes([$volid]); 1 }, 'or the migration would end here');
    $pve->go_to('there');
    is($pve->read_device(mount_volume($pve, $volid), 4), 'ext4', 'started on the other node');
    $pve->deactivate_volumes([$volid]);
    $pve->destroy_vm(101, $volid);
};

done_testing();
