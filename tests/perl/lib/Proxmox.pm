# SPDX-License-Identifier: AGPL-3.0-or-later
# Proxmox VE's storage functions, as far as a plugin can tell them from the real ones: which hooks
# they call, in which order, with which arguments in which context, and under which lock. Named as
# in PVE::Storage, with its arguments; real_calls.t compares the two. What Proxmox VE's API does
# with them is in Guest.pm.
package Proxmox;

use v5.36;

use Test::More;

use HookTest qw(PLUGIN dirty);

# Proxmox VE's lock of a storage: taking it twice waits for itself, and then fails.
my %held;
{
    no warnings qw(once redefine);
    *PVE::Storage::Plugin::cluster_lock_storage = sub {
        my ($class, $storeid, $shared, $timeout, $code, @arguments) = @_;

        ok($shared, 'the lock of a shared storage holds in the whole cluster') if !$shared;
        if ($held{$storeid}) {
            fail("storage '$storeid' is locked twice: Proxmox VE would wait 10 s and give up");
            die "cfs-lock 'storage-$storeid' error: got lock request timeout\n";
        }
        local $held{$storeid} = 1;
        return scalar($code->(@arguments));
    };
}

# `storages`: sections of storage.cfg by id; `version`: the API's.
sub new ($class, %what) { return bless({%what}, $class) }

sub version ($self) { return $self->{version} }

sub is_locked ($self, $storeid) { return $held{$storeid} ? 1 : 0 }

# A hook in the caller's context. What it dies with must pass through forks and JSON.
sub call ($self, $hook, @arguments) {
    my @given = map { ref ? $_ : dirty($_) } @arguments;
    my $wants_list = wantarray;
    my @result;
    my $done = eval {
        if ($wants_list) {
            @result = PLUGIN->$hook(@given);
        } else {
            $result[0] = PLUGIN->$hook(@given);
        }
        1;
    };
    return $wants_list ? @result : $result[0] if $done;
    my $error = $@;
    fail("$hook dies with a line of text, not with: $error")
        if ref($error) || $error !~ /\A[^\n]+\n\z/;
    die $error;
}

# Volume id to storage id, section, volume name.
sub parts ($self, $volid) {
    my ($storeid, $volname) = $volid =~ /\A([^:]+):(.+)\z/ or die "no volume id: $volid\n";
    return ($storeid, $self->{storages}{$storeid}, $volname);
}

# For the hooks that take the section first.
my sub by_section ($self, $hook, $volid, @arguments) {
    my ($storeid, $scfg, $volname) = $self->parts($volid);
    return $self->call($hook, $scfg, $storeid, $volname, @arguments);
}

# For those that take the storage id first.
my sub by_id ($self, $hook, $volid, @arguments) {
    my ($storeid, $scfg, $volname) = $self->parts($volid);
    return $self->call($hook, $storeid, $scfg, $volname, @arguments);
}

my sub locked ($self, $storeid, $code) {
    $self->activate_storage($storeid);
    my $shared = $self->{storages}{$storeid}{shared};
    return scalar(PLUGIN->cluster_lock_storage(dirty($storeid), $shared, undef, $code));
}

# ---- the storage

sub check_connection ($self, $storeid) {
    return scalar($self->call('check_connection', $storeid, $self->{storages}{$storeid}));
}

sub activate_storage ($self, $storeid, $cache = {}) {
    return if $cache->{activated}{$storeid};
    die "storage '$storeid' is not online\n" if !$self->check_connection($storeid);
    $self->call('activate_storage', $storeid, $self->{storages}{$storeid}, $cache);
    $cache->{activated}{$storeid} = 1;
    return;
}

sub vdisk_list ($self, $storeid, $vmid = undef, $vollist = undef) {
    my $cache = {};
    $self->activate_storage($storeid, $cache);
    my $images = $self->call('list_images', $storeid, $self->{storages}{$storeid}, $vmid, $vollist,
        $cache);
    return [sort(map { $_->{volid} } $images->@*)];
}

# As the web interface's tab of that content.
sub volume_list ($self, $storeid, $content, $vmid = undef) {
    $self->activate_storage($storeid);
    my $volumes = $self->call('list_volumes', $storeid, $self->{storages}{$storeid}, $vmid, [$content]);
    return [sort(map { $_->{volid} } $volumes->@*)];
}

# ---- making, deleting, cloning, renaming: under the lock

sub vdisk_alloc ($self, $storeid, $vmid, $format, $name, $size_kib) {
    my $volname = locked($self, $storeid, sub {
        return scalar($self->call('alloc_image', $storeid, $self->{storages}{$storeid}, $vmid,
            $format, $name, $size_kib));
    });
    return "$storeid:$volname";
}

sub volume_is_base_and_used ($self, $volid) {
    my ($storeid, $scfg, $volname) = $self->parts($volid);
    my ($vtype, $name, $vmid, undef, undef, $is_base) = $self->call('parse_volname', $volname);
    return 0 if !$is_base;
    for my $image ($self->call('list_images', $storeid, $scfg)->@*) {
        my (undef, undef, $other) = $self->parts($image->{volid});
        my (undef, undef, undef, $base, $base_vmid) = $self->call('parse_volname', $other);
        return 1 if $base && defined($base_vmid) && $base_vmid == $vmid && $base eq $name;
    }
    return 0;
}

sub vdisk_free ($self, $volid) {
    my ($storeid, $scfg, $volname) = $self->parts($volid);
    my $worker = locked($self, $storeid, sub {
        die "base volume '$volname' is still in use by linked clones\n"
            if $self->volume_is_base_and_used($volid);
        my ($is_base, $format) = ($self->call('parse_volname', $volname))[5, 6];
        return $self->call('free_image', $storeid, $scfg, $volname, $is_base, $format);
    });
    $worker->() if $worker;
    return;
}

sub vdisk_create_base ($self, $volid) {
    my ($storeid, $scfg, $volname) = $self->parts($volid);
    return locked($self, $storeid, sub {
        return "$storeid:" . $self->call('create_base', $storeid, $scfg, $volname);
    });
}

sub vdisk_clone ($self, $volid, $vmid, $snap = undef) {
    my ($storeid, $scfg, $volname) = $self->parts($volid);
    return locked($self, $storeid, sub {
        return "$storeid:" . $self->call('clone_image', $scfg, $storeid, $volname, $vmid, $snap);
    });
}

# The one wrapper whose hook answers with a volume id.
sub rename_volume ($self, $volid, $vmid, $name = undef) {
    my ($storeid, $scfg, $volname) = $self->parts($volid);
    return locked($self, $storeid, sub {
        return scalar($self->call('rename_volume', $scfg, $storeid, $volname, $vmid, $name));
    });
}

# ---- devices

# Hosts before API 13 have no hints to give.
my sub with_hints ($self, @hints) { return $self->{version} >= 13 ? @hints : () }

sub start_hints ($self) {
    return { 'guest-is-windows' => 0, 'plugin-may-deactivate-volume' => 1 };
}

sub activate_volumes ($self, $volids, $snap = undef, $hints = undef) {
    my $cache = {};
    my %storeids = map { ($self->parts($_))[0] => 1 } $volids->@*;
    $self->activate_storage($_, $cache) for sort(keys(%storeids));
    by_id($self, 'activate_volume', $_, $snap, $cache, with_hints($self, $hints)) for $volids->@*;
    return;
}

# All are tried; one error at the end.
sub deactivate_volumes ($self, $volids, $snap = undef) {
    my $cache = {};
    my @failed;
    for my $volid ($volids->@*) {
        eval { by_id($self, 'deactivate_volume', $volid, $snap, $cache); 1 }
            or push(@failed, "$volid ($@)");
    }
    die "volume deactivation failed: @failed\n" if @failed;
    return;
}

sub map_volume ($self, $volid, $snap = undef, $hints = undef) {
    return by_id($self, 'map_volume', $volid, $snap, with_hints($self, $hints));
}

sub unmap_volume ($self, $volid, $snap = undef) {
    return by_id($self, 'unmap_volume', $volid, $snap);
}

# Asked for as a list, whatever of it is used.
sub path ($self, $volid, $snap = undef) {
    my ($storeid, $scfg, $volname) = $self->parts($volid);
    my ($path, $owner, $vtype) = $self->call('path', $scfg, $volname, $storeid, $snap);
    return wantarray ? ($path, $owner, $vtype) : $path;
}

sub qemu_blockdev_options ($self, $volid, $machine_version, $options) {
    my ($vtype) = $self->call('parse_volname', ($self->parts($volid))[2]);
    die "cannot use volume of type '$vtype' as a QEMU blockdevice\n" if $vtype ne 'images';
    my $blockdev = by_section($self, 'qemu_blockdev_options', $volid, $machine_version, $options);
    return $blockdev;
}

# The path that QEMU opens: since API 12 the plugin says how.
sub qemu_path ($self, $volid) {
    return scalar($self->path($volid)) if $self->{version} < 12;
    my $options = $self->qemu_blockdev_options($volid, 'pc-i440fx-10.0', {});
    is_deeply([sort(keys($options->%*))], ['driver', 'filename'],
        "QEMU is given $volid, with nothing that is stripped");
    is($options->{driver}, 'host_device', "and $volid as a block device");
    return $options->{filename};
}

sub volume_qemu_snapshot_method ($self, $volid) {
    return 'storage' if $self->{version} < 12;
    return by_id($self, 'volume_qemu_snapshot_method', $volid);
}

# ---- about a volume

sub parse_volname ($self, $volid) {
    return $self->call('parse_volname', ($self->parts($volid))[2]);
}

sub volume_size_info ($self, $volid, $timeout = undef) {
    return by_section($self, 'volume_size_info', $volid, $timeout);
}

sub volume_resize ($self, $volid, $size_bytes, $running, $snap = undef) {
    my $padding = (1024 - $size_bytes % 1024) % 1024;
    my @last = $self->{version} >= 15 ? ($snap) : ();
    return by_section($self, 'volume_resize', $volid, $size_bytes + $padding, $running, @last);
}

sub volume_has_feature ($self, $feature, $volid, $snap = undef, $running = undef, $opts = undef) {
    my ($storeid, $scfg, $volname) = $self->parts($volid);
    return $self->call('volume_has_feature', $scfg, $feature, $storeid, $volname, $snap, $running,
        $opts);
}

sub get_identity ($self, $storeid) {
    return $self->call('get_identity', $self->{storages}{$storeid}, $storeid);
}

# ---- snapshots: no lock of the storage

sub volume_snapshot ($self, $volid, $snap) {
    return by_section($self, 'volume_snapshot', $volid, $snap);
}

sub volume_snapshot_delete ($self, $volid, $snap, $running = undef) {
    return by_section($self, 'volume_snapshot_delete', $volid, $snap, $running);
}

sub volume_rollback_is_possible ($self, $volid, $snap, $blockers = undef) {
    return by_section($self, 'volume_rollback_is_possible', $volid, $snap, $blockers);
}

sub volume_snapshot_rollback ($self, $volid, $snap) {
    by_section($self, 'volume_rollback_is_possible', $volid, $snap);
    return by_section($self, 'volume_snapshot_rollback', $volid, $snap);
}

sub volume_snapshot_needs_fsfreeze ($self, $volid) {
    return $self->call('volume_snapshot_needs_fsfreeze');
}

sub snapshot_names ($self, $volid) {
    return [sort(keys(by_section($self, 'volume_snapshot_info', $volid)->%*))];
}

# ---- export and import: neither activation nor lock nor cleanup, but for what is exported

sub volume_export_formats ($self, $volid, @transfer) {
    return by_section($self, 'volume_export_formats', $volid, @transfer);
}

sub volume_import_formats ($self, $volid, @transfer) {
    return by_section($self, 'volume_import_formats', $volid, @transfer);
}

# `@transfer`: snapshot, base snapshot, with snapshots; to import also whether the name may change.
sub volume_export ($self, $handle, $volid, $format, @transfer) {
    my ($storeid, $scfg, $volname) = $self->parts($volid);
    return $self->call('volume_export', $scfg, $storeid, $handle, $volname, $format, @transfer);
}

sub volume_import ($self, $handle, $volid, $format, @transfer) {
    my ($storeid, $scfg, $volname) = $self->parts($volid);
    my $new = $self->call('volume_import', $scfg, $storeid, $handle, $volname, $format, @transfer);
    return $new // $volid;
}

1;
