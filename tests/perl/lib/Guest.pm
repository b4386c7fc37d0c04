# SPDX-License-Identifier: AGPL-3.0-or-later
# Guests and nodes above Proxmox.pm: what qemu-server and pve-container do with a guest's volumes,
# step by step, and what QEMU or a container does with the devices.
package Guest;

use v5.36;

use Test::More;

use parent -norequire, 'Proxmox';
use HookTest;
use Proxmox;

my %uuids = (
    here => '1b4e28ba-2fa1-11d2-883f-0016d3cca427',
    there => '2b4e28ba-2fa1-11d2-883f-0016d3cca427',
);

# From now on the hooks run on that node: with its own state, its own devices and its own links
# below the one path.
sub go_to ($self, $node) {
    my $scratch = $self->{scratch};
    no warnings 'once';
    $ENV{ONTAP_SIM_NODE} = $uuids{$node};
    $PVE::Storage::OntapNvmeTcp::surroundings{state_directory} = "$scratch/run-$node";
    my $links = $PVE::Storage::OntapNvmeTcp::VolumeName::link_directory;
    mkdir("$scratch/dev-$node");
    unlink($links);
    symlink("$scratch/dev-$node", $links) or die "symlink: $!\n";
    return;
}

# Proxmox VE runs each task in a process of its own, so that nothing which one knows is known to the
# next. Here a certificate that looks changed makes the next call start anew.
my $tasks = 0;

sub new_task ($self) {
    ++$tasks;
    utime($tasks, $tasks, HookTest::priv_dir() . "/storage/$_.ca.pem")
        for keys($self->{storages}->%*);
    return;
}

# ---- what uses a device

my sub open_device ($path, $mode) {
    my ($clean) = $path =~ /\A(.*)\z/;
    open(my $handle, $mode, $clean) or die "cannot open $path: $!\n";
    return $handle;
}

sub write_device ($self, $path, $text) {
    my $handle = open_device($path, '+<');
    print {$handle} $text;
    close($handle) or die "cannot write to $path: $!\n";
    return;
}

sub read_device ($self, $path, $length) {
    my $handle = open_device($path, '<');
    read($handle, my $text, $length) // die "cannot read $path: $!\n";
    return $text;
}

sub has_device ($self, $volid, $snap = undef) {
    return -e scalar($self->path($volid, $snap)) ? 1 : 0;
}

# What the device holds, however it gets there: as `qemu-img convert` or `dd` copies it.
sub copy_device ($self, $from, $to) {
    my ($source, $target) = (open_device($from, '<'), open_device($to, '+<'));
    require File::Copy;
    File::Copy::copy($source, $target) or die "cannot copy $from to $to: $!\n";
    close($target) or die "cannot write to $to: $!\n";
    return;
}

# A process on this node opens the device, or closes it again.
my sub mark_of ($self, $volid) {
    my $device = readlink(scalar($self->path($volid))) // die "$volid is not active\n";
    my ($uuid) = $device =~ m{/([0-9a-f-]+)\z};
    my $directory = "$self->{scratch}/array/in-use/$ENV{ONTAP_SIM_NODE}";
    mkdir($directory);
    return "$directory/$uuid" =~ /\A(.*)\z/ ? $1 : undef;
}

sub hold ($self, @volids) {
    for my $volid (@volids) {
        open(my $handle, '>', mark_of($self, $volid)) or die "open: $!\n";
    }
    return;
}

sub let_go ($self, @volids) {
    unlink(mark_of($self, $_)) for @volids;
    return;
}

# A stream as it arrives from another storage or node: the size, then the bytes, of which some may
# be lost on the way.
sub stream ($self, $size_bytes, $text, %what) {
    my $path = "$self->{scratch}/stream";
    open(my $handle, '>:raw', $path) or die "open: $!\n";
    print {$handle} pack('Q<', $size_bytes), $text;
    truncate($handle, 8 + $size_bytes - ($what{lost} // 0)) or die "truncate: $!\n";
    close($handle) or die "close: $!\n";
    open($handle, '<:raw', $path) or die "open: $!\n";
    return $handle;
}

# What is exported from an active volume, or a snapshot of it.
sub exported ($self, $volid, $snap = undef) {
    my $path = "$self->{scratch}/export";
    open(my $handle, '+>:raw', $path) or die "open: $!\n";
    $self->volume_export($handle, $volid, 'raw+size', $snap, undef, 0);
    seek($handle, 0, 0);
    local $/;
    return scalar(readline($handle));
}

# ---- virtual machines

# As the array has it, active or not.
sub size_of ($self, $volid) { return scalar($self->volume_size_info($volid, 10)) }

# Volumes of a VM, each [name, KiB]. When one fails, those before it go again.
sub create_disks ($self, $vmid, @disks) {
    $self->new_task();
    my @volids;
    my $done = eval {
        for my $disk (@disks) {
            push(@volids, $self->vdisk_alloc('store', $vmid, 'raw', $disk->@*));
        }
        1;
    };
    return @volids if $done;
    my $error = $@;
    $self->vdisk_free($_) for @volids;
    die $error;
}

# `tpm`: the volume that swtpm gets; `fails`: the command line or QEMU does not work out.
sub start_vm ($self, $volids, %what) {
    $self->new_task();
    my $is_active;
    my $done = eval {
        if ($self->version() < 12) {
            # The command line comes first, with paths of volumes that are not active.
            $self->parse_volname($_), $self->qemu_path($_) for $volids->@*;
            $self->activate_volumes($volids);
        } else {
            $self->parse_volname($_) for $volids->@*;
            $self->activate_volumes($volids, undef, $self->start_hints());
        }
        $is_active = 1;
        for my $volid ($volids->@*) {
            my $path = $self->qemu_path($volid);
            is($self->volume_qemu_snapshot_method($volid), 'storage', "the array snapshots $volid");
            is(-s $path, $self->size_of($volid), "QEMU finds $volid at its path, with its size");
        }
        $self->map_volume($what{tpm}, undef, undef) if $what{tpm};
        die "QEMU exited with code 1\n" if $what{fails};
        $self->hold($volids->@*);
        1;
    };
    return if $done;
    my $error = $@;
    $self->deactivate_volumes($volids) if $is_active || $self->version() >= 12;
    die $error;
}

my sub leave ($self, $volids, $also) {
    $self->let_go($volids->@*);
    $self->deactivate_volumes([$volids->@*, $also->@*]);
}

# Whatever the reason: QEMU is gone when the volumes are left. `also`: unused ones, those of
# snapshots and saved states, which were never active.
sub stop_vm ($self, $volids, %what) {
    $self->new_task();
    leave($self, $volids, $what{also} // []);
    return;
}

# A volume is deleted if it is the VM's by its path.
sub destroy_vm ($self, $vmid, @volids) {
    $self->new_task();
    for my $volid (@volids) {
        my ($path, $owner) = $self->path($volid);
        is($owner, $vmid, "$volid is the VM's own, or it would be left behind");
        $self->vdisk_free($volid);
    }
    return;
}

# With the feature asked for first. When one fails, the others' snapshots go again.
sub snapshot_vm ($self, $volids, $snap) {
    $self->new_task();
    for my $volid ($volids->@*) {
        $self->volume_has_feature('snapshot', $volid, undef, 0)
            or die "snapshot feature is not available\n";
    }
    $self->activate_storage('store');
    my @taken;
    my $done = eval {
        for my $volid ($volids->@*) {
            $self->volume_snapshot($volid, $snap);
            push(@taken, $volid);
        }
        1;
    };
    return if $done;
    my $error = $@;
    for my $volid (@taken) {
        eval { $self->volume_snapshot_delete($volid, $snap, 0); 1 } or diag($@);
    }
    die $error;
}

sub delete_snapshot ($self, $volids, $snap, $running = undef) {
    $self->new_task();
    $self->activate_storage('store');
    $self->volume_snapshot_delete($_, $snap, $running) for $volids->@*;
    return;
}

# All are asked before the VM is stopped; then each is reverted.
sub rollback_vm ($self, $volids, $snap, %what) {
    $self->new_task();
    $self->activate_storage('store');
    $self->volume_rollback_is_possible($_, $snap, []) for $volids->@*;
    $self->volume_rollback_is_possible($_, $snap) for $volids->@*;
    leave($self, $what{running}, []) if $what{running};
    $self->volume_snapshot_rollback($_, $snap) for $volids->@*;
    return;
}

# A full copy of a disk of a VM that is not running, to a new disk of `vmid`. Both stay active; what
# fails is deleted as it is. `fails`: qemu-img does not work out.
sub copy_disk ($self, $volid, $storeid, $vmid, $snap = undef, %what) {
    $self->new_task();
    $self->activate_volumes([$volid], $snap);
    my $size = $self->size_of($volid);
    my $copy = $self->vdisk_alloc($storeid, $vmid, 'raw', undef, $size / 1024);
    my $done = eval {
        $self->activate_volumes([$copy]);
        $self->volume_has_feature('sparseinit', $copy);
        $self->activate_volumes([$volid], $snap);
        die "qemu-img: error while writing\n" if $what{fails};
        $self->copy_device(scalar($self->path($volid, $snap)), scalar($self->path($copy)));
        is($self->size_of($copy), $size, "$copy is exactly as large as $volid");
        1;
    };
    return $copy if $done;
    my $error = $@;
    $self->vdisk_free($copy);
    die $error;
}

1;
