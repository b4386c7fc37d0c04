# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::Custom::OntapNvmeTcpPlugin;

use v5.36;

use PVE::Storage::Plugin;

use PVE::Storage::OntapNvmeTcp qw(with_client);
use PVE::Storage::OntapNvmeTcp::Border qw(refuse is_ours at_border native polled);
use PVE::Storage::OntapNvmeTcp::Configuration qw(
    configuration_added configuration_updated configuration_deleted configured_sections
    storage_id_of
);
use PVE::Storage::OntapNvmeTcp::Schema;
use PVE::Storage::OntapNvmeTcp::Secrets;
use PVE::Storage::OntapNvmeTcp::Translation
    qw(size_in_kib new_volume_name lowest_free_name as_image refuse_snapshot_device);
use PVE::Storage::OntapNvmeTcp::VolumeName
    qw(parse_volume_name clean_storage_id clean_snapshot_name clean_vmid device_path);

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

    return at_border($storeid, sub ($id) {
        my $owner = clean_vmid($vmid);
        my $kib = size_in_kib($size_kib);
        refuse('unsupported', "cannot allocate a volume of format '$fmt': volumes are raw devices")
            if length($fmt // '') && $fmt ne 'raw';
        my $wanted = length($name // '') ? new_volume_name($owner, $name) : undef;
        # Made by now, or every disk of this cluster would be unmarked.
        PVE::Storage::OntapNvmeTcp::Secrets::ensure_cluster_id();
        return with_client($id, $scfg, sub ($client) { $client->allocate($owner, $wanted, $kib) });
    });
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

    native($storeid, $scfg, sub ($client, $id) {
        my $name = volume_text($volname);
        refuse_snapshot_device($name, $snapname) if defined($snapname);
        my $link = $client->activate_volume($name);
        my $expected = device_path($id, $name, undef);
        refuse('internal', "cannot use '$name': it is at '$link' instead of '$expected'")
            if $link ne $expected;
    });
    return 1;
}

sub deactivate_volume {
    my ($class, $storeid, $scfg, $volname, $snapname, $cache) = @_;

    # No snapshot is ever active.
    return 1 if defined($snapname);
    native($storeid, $scfg, sub ($client, $id) {
        my $name = volume_text($volname);
        $client->deactivate_volume($name);
    });
    return 1;
}

# Activation made the device; there is nothing more to map, and nothing to undo.
sub map_volume {
    my ($class, $storeid, $scfg, $volname, $snapname, $hints) = @_;

    return at_border($storeid, sub ($id) {
        my $name = volume_text($volname);
        refuse_snapshot_device($name, $snapname) if defined($snapname);
        return device_path($id, $name, undef);
    });
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
    copy => { base => 1, current => 1 },
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

    native($storeid, $scfg, sub ($client, $id) {
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

# ---- for a later version: base images, clones, renames, export and import, attributes, identity

my sub not_yet ($storeid, $what) {
    return at_border($storeid, sub ($id) {
        refuse('unsupported', "cannot $what: this version of the plugin does not support it");
    });
}

sub create_base {
    my ($class, $storeid, $scfg, $volname) = @_;

    return not_yet($storeid, "turn '$volname' into a base image");
}

sub clone_image {
    my ($class, $scfg, $storeid, $volname, $vmid, $snap) = @_;

    return not_yet($storeid, "make a linked clone of '$volname'");
}

sub rename_volume {
    my ($class, $scfg, $storeid, $volname, $target_vmid, $target_volname) = @_;

    return not_yet($storeid, "rename '$volname'");
}

# Only for storages whose snapshots QEMU takes part in.
sub rename_snapshot {
    my ($class, $scfg, $storeid, $volname, $source, $target) = @_;

    return not_yet($storeid, "rename snapshot '$source' of '$volname'");
}

sub volume_export_formats {
    my ($class, $scfg, $storeid, $volname, $snapshot, $base_snapshot, $with_snapshots) = @_;

    return;
}

sub volume_export {
    my ($class, $scfg, $storeid, $handle, $volname, $format) = @_;

    return not_yet($storeid, "export '$volname'");
}

sub volume_import_formats {
    my ($class, $scfg, $storeid, $volname, $snapshot, $base_snapshot, $with_snapshots) = @_;

    return;
}

sub volume_import {
    my ($class, $scfg, $storeid, $handle, $volname, $format) = @_;

    return not_yet($storeid, "import '$volname'");
}

# Undef says that the attribute is not known here.
sub get_volume_attribute {
    my ($class, $scfg, $storeid, $volname, $attribute) = @_;

    return undef;
}

sub update_volume_attribute {
    my ($class, $scfg, $storeid, $volname, $attribute, $value) = @_;

    return not_yet($storeid, "set '$attribute' of '$volname'");
}

sub get_identity {
    my ($class, $scfg, $storeid) = @_;

    return not_yet($storeid, 'tell the identity of the storage');
}

1;
