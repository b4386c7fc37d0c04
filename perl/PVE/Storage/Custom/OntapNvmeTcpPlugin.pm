# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::Custom::OntapNvmeTcpPlugin;

use v5.36;

use PVE::Storage::Plugin;

use PVE::Storage::OntapNvmeTcp::Border qw(refuse is_ours at_border marking native polled);
use PVE::Storage::OntapNvmeTcp::Configuration qw(
    configuration_added configuration_updated configuration_deleted configured_sections
    storage_id_of
);
use PVE::Storage::OntapNvmeTcp::Disks qw(
    allocate_disk turn_into_base clone_disk rename_disk activate_disk deactivate_disk
    disk_attribute set_disk_attribute
);
use PVE::Storage::OntapNvmeTcp::Schema;
use PVE::Storage::OntapNvmeTcp::Secrets;
use PVE::Storage::OntapNvmeTcp::Transfer
    qw(stream_formats require_plain_stream export_disk import_disk);
use PVE::Storage::OntapNvmeTcp::Translation qw(lowest_free_name as_image);
use PVE::Storage::OntapNvmeTcp::VolumeName
    qw(parse_volume_name clean_snapshot_name clean_vmid device_path);

use base qw(PVE::Storage::Plugin);

=head1 NAME

PVE::Storage::Custom::OntapNvmeTcpPlugin - storage type ontapnvme for Proxmox VE

=head1 DESCRIPTION

One sub per hook of the storage API, and nothing that Proxmox VE would not call: what a hook means
is the library's business. Hooks unpack C<@_>, because parameters are appended to them over time.
Loading does no I/O, prints nothing and loads no native code.

What Proxmox VE hands to a hook may be tainted. Names go through
L<PVE::Storage::OntapNvmeTcp::VolumeName> in a statement of their own before anything is called with
them, since perl taints what is made in the same statement.

=cut

# ---- API versions
#
#  11  the oldest that is served
#  12  get_formats, qemu_blockdev_options, volume_qemu_snapshot_method; rename_snapshot is for
#      snapshots that QEMU takes part in
#  13  $hints of activate_volume and map_volume: none concerns a device that is always ready;
#      on_update_hook_full shares its core with on_update_hook
#  14  get_identity
#  15  $snapname of volume_resize: refused; volume_snapshot_info: documented as it was

use constant API_OLDEST => 11;
use constant API_TESTED => 15;

sub api {
    # Loaded alone, without Proxmox VE's loader, there is nothing to agree with.
    my $get = PVE::Storage->can('APIVER') or return API_TESTED;
    my $host = $get->();
    # An older host refuses this, and says why.
    return API_OLDEST if $host < API_OLDEST;
    return $host < API_TESTED ? $host : API_TESTED;
}

# ---- configuration

sub type {
    return 'ontapnvme';
}

sub plugindata {
    return {
        content => [{ images => 1, rootdir => 1, none => 1 }, { images => 1 }],
        format => [{ raw => 1 }, 'raw'],
        'sensitive-properties' =>
            { map { $_ => 1 } PVE::Storage::OntapNvmeTcp::Secrets::names() },
    };
}

sub properties {
    my ($class) = @_;

    return PVE::Storage::OntapNvmeTcp::Schema::properties(PVE::Storage::Plugin->private(), type());
}

sub options {
    return PVE::Storage::OntapNvmeTcp::Schema::options();
}

# Called with `$create` for a new storage and for every section that is read from storage.cfg. All
# nodes see the same disks, so a storage is shared unless somebody says otherwise. Listing the type
# among the shared ones would override that, and would not yet hold while a storage is being added.
sub check_config {
    my ($class, $storeid, $config, $create, $skip_schema_check) = @_;

    my $settings = $class->SUPER::check_config($storeid, $config, $create, $skip_schema_check);
    $settings->{shared} //= 1 if $create;
    return $settings;
}

sub on_add_hook {
    my ($class, $storeid, $scfg, %sensitive) = @_;

    return at_border($storeid, sub ($id) { configuration_added($id, $scfg, \%sensitive) });
}

# Hosts before API 13 tell neither the section nor what is deleted from it.
sub on_update_hook {
    my ($class, $storeid, $update, %sensitive) = @_;

    return at_border($storeid, sub ($id) {
        my $scfg = configured_sections()->{$id} // {};
        return configuration_updated($id, $scfg, $update, [], \%sensitive);
    });
}

sub on_update_hook_full {
    my ($class, $storeid, $scfg, $update, $delete, $sensitive) = @_;

    return at_border($storeid, sub ($id) {
        return configuration_updated($id, $scfg, $update // {}, $delete // [], $sensitive // {});
    });
}

sub on_delete_hook {
    my ($class, $storeid, $scfg) = @_;

    return at_border($storeid, sub ($id) { configuration_deleted($id, $scfg) });
}

# ---- the storage

sub check_connection {
    my ($class, $storeid, $scfg) = @_;

    return polled($storeid, $scfg, sub ($client) { $client->check_connection() }) ? 1 : 0;
}

sub activate_storage {
    my ($class, $storeid, $scfg, $cache) = @_;

    native($storeid, $scfg, sub ($client, $id) { $client->activate() });
    return 1;
}

# No release of Proxmox VE calls this. What belongs to the storage on this node goes, unless in use.
sub deactivate_storage {
    my ($class, $storeid, $scfg, $cache) = @_;

    native($storeid, $scfg, sub ($client, $id) { $client->forget() });
    return 1;
}

sub status {
    my ($class, $storeid, $scfg, $cache) = @_;

    my $capacity = polled($storeid, $scfg, sub ($client) { $client->capacity() });
    return if !$capacity;
    return ($capacity->@{qw(total_bytes available_bytes used_bytes)}, 1);
}

# Each holder is done within a second, but Proxmox VE lets the last of many wait for 10 s only. How
# long it may hold the lock stays Proxmox VE's business.
use constant LOCK_WAIT_S => 60;

sub cluster_lock_storage {
    my ($class, $storeid, $shared, $timeout, @work) = @_;

    return $class->SUPER::cluster_lock_storage($storeid, $shared, $timeout || LOCK_WAIT_S, @work);
}

sub get_identity {
    my ($class, $scfg, $storeid) = @_;

    return native($storeid, $scfg, sub ($client, $id) { $client->identity() });
}

sub get_formats {
    my ($class, $scfg, $storeid) = @_;

    return { default => 'raw', valid => { raw => 1 } };
}

sub storage_can_replicate {
    my ($class, $scfg, $storeid, $format) = @_;

    return 0;
}

# ---- names and paths

sub parse_volname {
    my ($class, $volname) = @_;

    my $name = eval { parse_volume_name($volname) };
    if (!$name) {
        my $error = $@;
        die is_ours($error) ? $error->msg() . "\n" : $error;
    }
    return ('images', $name->@{qw(leaf vmid base base_vmid is_base)}, 'raw');
}

# Asks nobody: Proxmox VE wants paths of volumes that are not active, or do not exist yet.
sub path {
    my ($class, $scfg, $volname, $storeid, $snapname) = @_;

    my $path = at_border($storeid, sub ($id) { device_path($id, $volname, $snapname) });
    return $path if !wantarray;
    my $name = parse_volume_name($volname);
    return ($path, $name->{vmid}, 'images');
}

# Only for a caller that does not know the storage id; nothing here is one.
sub filesystem_path {
    my ($class, $scfg, $volname, $snapname) = @_;

    return $class->path($scfg, $volname, storage_id_of($scfg, type()), $snapname);
}

# ---- volumes

my sub volume_text ($volname) {
    return parse_volume_name($volname)->{text};
}

sub alloc_image {
    my ($class, $storeid, $scfg, $vmid, $fmt, $name, $size_kib) = @_;

    return allocate_disk($storeid, $scfg, $vmid, $fmt, $name, $size_kib);
}

sub free_image {
    my ($class, $storeid, $scfg, $volname, $is_base, $format) = @_;

    native($storeid, $scfg, sub ($client, $id) {
        my $name = volume_text($volname);
        $client->free($name);
    });
    # No work is left for later.
    return undef;
}

sub list_images {
    my ($class, $storeid, $scfg, $vmid, $vollist, $cache) = @_;

    return native($storeid, $scfg, sub ($client, $id) {
        # A list of volumes is asked for as it is, whoever owns them.
        my $owner = $vollist || !defined($vmid) ? undef : clean_vmid($vmid);
        my $disks = $client->list($owner);
        my @images = map { as_image($id, $_) } $disks->@*;
        return \@images if !$vollist;
        my %wanted = map { $_ => 1 } $vollist->@*;
        return [grep { $wanted{ $_->{volid} } } @images];
    });
}

sub find_free_diskname {
    my ($class, $storeid, $scfg, $vmid, $fmt, $add_fmt_suffix) = @_;

    return native($storeid, $scfg, sub ($client, $id) {
        my $owner = clean_vmid($vmid);
        my $disks = $client->list($owner);
        return lowest_free_name($owner, [map { $_->{volume_name} } $disks->@*]);
    });
}

sub volume_size_info {
    my ($class, $scfg, $storeid, $volname, $timeout) = @_;

    my $disk = native($storeid, $scfg, sub ($client, $id) {
        my $name = volume_text($volname);
        return $client->info($name);
    });
    return $disk->{size_bytes} if !wantarray;
    return ($disk->{size_bytes}, 'raw', $disk->@{qw(used_bytes parent create_time_s)});
}

sub activate_volume {
    my ($class, $storeid, $scfg, $volname, $snapname, $cache, $hints) = @_;

    activate_disk($storeid, $scfg, $volname, $snapname);
    return 1;
}

# The library lets go of devices of snapshots that nobody uses any more, whichever volume is meant.
sub deactivate_volume {
    my ($class, $storeid, $scfg, $volname, $snapname, $cache) = @_;

    deactivate_disk($storeid, $scfg, $volname, $snapname);
    return 1;
}

# Activation made the device; there is nothing more to map, and nothing to undo.
sub map_volume {
    my ($class, $storeid, $scfg, $volname, $snapname, $hints) = @_;

    return at_border($storeid, sub ($id) { device_path($id, $volname, $snapname) });
}

sub unmap_volume {
    my ($class, $storeid, $scfg, $volname, $snapname) = @_;

    return 1;
}

sub qemu_blockdev_options {
    my ($class, $scfg, $storeid, $volname, $machine_version, $options) = @_;

    my $snapname = ($options // {})->{'snapshot-name'};
    my $path = at_border($storeid, sub ($id) { device_path($id, $volname, $snapname) });
    return { driver => 'host_device', filename => $path };
}

sub volume_qemu_snapshot_method {
    my ($class, $storeid, $scfg, $volname) = @_;

    return 'storage';
}

my %features = (
    snapshot => { current => 1 },
    clone => { base => 1, snap => 1 },
    template => { current => 1 },
    copy => { base => 1, current => 1, snap => 1 },
    rename => { current => 1 },
    # A new namespace reads as zeros.
    sparseinit => { base => 1, current => 1 },
);

sub volume_has_feature {
    my ($class, $scfg, $feature, $storeid, $volname, $snapname, $running, $opts) = @_;

    my $is_base = ($class->parse_volname($volname))[5];
    my $key = $snapname ? 'snap' : $is_base ? 'base' : 'current';
    my $formats = ($opts // {})->{valid_target_formats};
    return undef if $feature eq 'copy' && $formats && !grep { $_ eq 'raw' } $formats->@*;
    return ($features{$feature} // {})->{$key};
}

sub volume_resize {
    my ($class, $scfg, $storeid, $volname, $size_bytes, $running, $snapname) = @_;

    native($storeid, $scfg, sub ($client, $id) {
        my $name = volume_text($volname);
        refuse('unsupported', "cannot resize snapshots, nor '$snapname' of '$name'")
            if defined($snapname);
        my ($bytes) = ($size_bytes // '') =~ /\A([0-9]+)\z/a
            or refuse('invalid-argument', "cannot resize '$name' without a size in bytes");
        $client->resize($name, $bytes);
    });
    return 1;
}

# ---- snapshots

sub volume_snapshot {
    my ($class, $scfg, $storeid, $volname, $snap) = @_;

    marking($storeid, $scfg, sub ($client, $id) {
        my ($name, $snapshot) = (volume_text($volname), clean_snapshot_name($snap));
        $client->create_snapshot($name, $snapshot);
    });
    return undef;
}

sub volume_snapshot_delete {
    my ($class, $scfg, $storeid, $volname, $snap, $running) = @_;

    native($storeid, $scfg, sub ($client, $id) {
        my ($name, $snapshot) = (volume_text($volname), clean_snapshot_name($snap));
        $client->delete_snapshot($name, $snapshot);
    });
    return undef;
}

sub volume_rollback_is_possible {
    my ($class, $scfg, $storeid, $volname, $snap, $blockers) = @_;

    native($storeid, $scfg, sub ($client, $id) {
        my ($name, $snapshot) = (volume_text($volname), clean_snapshot_name($snap));
        my $newer = $client->rollback_blockers($name, $snapshot);
        return if !$newer->@*;
        push($blockers->@*, $newer->@*) if ref($blockers) eq 'ARRAY';
        my $names = join(', ', map { "'$_'" } $newer->@*);
        refuse('busy', "cannot roll back '$name' to snapshot '$snapshot': newer snapshots would be"
            . " lost: $names; delete them first");
    });
    return 1;
}

sub volume_snapshot_rollback {
    my ($class, $scfg, $storeid, $volname, $snap) = @_;

    native($storeid, $scfg, sub ($client, $id) {
        my ($name, $snapshot) = (volume_text($volname), clean_snapshot_name($snap));
        $client->rollback($name, $snapshot);
    });
    return undef;
}

sub volume_snapshot_info {
    my ($class, $scfg, $storeid, $volname) = @_;

    return native($storeid, $scfg, sub ($client, $id) {
        my $name = volume_text($volname);
        my $snapshots = $client->list_snapshots($name);
        return {
            map { $_->{name} => { id => $_->{id}, timestamp => $_->{create_time_s} } }
                $snapshots->@*
        };
    });
}

# The array knows nothing of what a container's kernel has not written yet.
sub volume_snapshot_needs_fsfreeze {
    return 1;
}

# ---- base images, clones, other owners, attributes

sub create_base {
    my ($class, $storeid, $scfg, $volname) = @_;

    return turn_into_base($storeid, $scfg, $volname);
}

sub clone_image {
    my ($class, $scfg, $storeid, $volname, $vmid, $snap) = @_;

    return clone_disk($storeid, $scfg, $volname, $vmid, $snap);
}

sub rename_volume {
    my ($class, $scfg, $storeid, $volname, $target_vmid, $target_volname) = @_;

    return rename_disk($storeid, $scfg, $volname, $target_vmid, $target_volname);
}

# Only for storages whose snapshots QEMU takes part in.
sub rename_snapshot {
    my ($class, $scfg, $storeid, $volname, $source, $target) = @_;

    return at_border($storeid, sub ($id) {
        my ($name, $snapshot) = (volume_text($volname), clean_snapshot_name($source));
        refuse('unsupported', "cannot rename snapshot '$snapshot' of '$name': snapshots of this"
            . ' storage are the array\'s own and keep their names');
    });
}

# Undef says that the attribute is not known here.
sub get_volume_attribute {
    my ($class, $scfg, $storeid, $volname, $attribute) = @_;

    return disk_attribute($storeid, $scfg, $volname, $attribute);
}

sub update_volume_attribute {
    my ($class, $scfg, $storeid, $volname, $attribute, $value) = @_;

    set_disk_attribute($class, $storeid, $scfg, $volname, $attribute, $value);
    return undef;
}

# ---- a volume as a stream

sub volume_export_formats {
    my ($class, $scfg, $storeid, $volname, $snapshot, $base_snapshot, $with_snapshots) = @_;

    return stream_formats($base_snapshot, $with_snapshots);
}

sub volume_import_formats {
    my ($class, $scfg, $storeid, $volname, $snapshot, $base_snapshot, $with_snapshots) = @_;

    return stream_formats($base_snapshot, $with_snapshots);
}

sub volume_export {
    my ($class, $scfg, $storeid, $handle, $volname, $format, $snapshot, @more) = @_;
    my ($base_snapshot, $with_snapshots) = @more;

    require_plain_stream($storeid, 'export', $volname, $format, $base_snapshot, $with_snapshots);
    export_disk($class, $storeid, $scfg, $handle, $volname, $snapshot);
    return undef;
}

# A snapshot that is named here says which one the bytes were; they are the volume's from now on.
sub volume_import {
    my ($class, $scfg, $storeid, $handle, $volname, $format, $snapshot, @more) = @_;
    my ($base_snapshot, $with_snapshots, $allow_rename) = @more;

    require_plain_stream($storeid, 'import', $volname, $format, $base_snapshot, $with_snapshots);
    return import_disk($class, $storeid, $scfg, $handle, $volname, $allow_rename);
}

1;
