# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::Custom::OntapNvmeTcpPlugin;

use v5.36;

use PVE::Storage::Plugin;

use PVE::Storage::OntapNvmeTcp::Schema;
use PVE::Storage::OntapNvmeTcp::Secrets;
use PVE::Storage::OntapNvmeTcp::SnapshotImport qw(list_importable);

# The base class comes last: hooks of its own are what the others do not have.
use base qw(
    PVE::Storage::OntapNvmeTcp::Hooks::Configuration
    PVE::Storage::OntapNvmeTcp::Hooks::Storage
    PVE::Storage::OntapNvmeTcp::Hooks::Volumes
    PVE::Storage::OntapNvmeTcp::Hooks::Devices
    PVE::Storage::OntapNvmeTcp::Hooks::Snapshots
    PVE::Storage::OntapNvmeTcp::Hooks::Attributes
    PVE::Storage::OntapNvmeTcp::Hooks::Transfer
    PVE::Storage::Plugin
);

=head1 NAME

PVE::Storage::Custom::OntapNvmeTcpPlugin - storage type ontapnvme for Proxmox VE

=head1 DESCRIPTION

What Proxmox VE's loader looks at, and hooks that need the base class. All other hooks are inherited, by
topic, from the classes below C<PVE::Storage::OntapNvmeTcp::Hooks>: one sub each, under Proxmox VE's
name, and nothing that Proxmox VE would not call. What a hook means is the library's business. Hooks
unpack C<@_>, because parameters are appended to them over time. Loading does no I/O, prints nothing and
loads no native code.

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

sub type {
    return 'ontapnvme';
}

sub plugindata {
    return {
        content => [{ images => 1, rootdir => 1, import => 1, none => 1 }, { images => 1 }],
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
# nodes see the same disks, so a storage is shared unless it is configured not to be. Listing the type
# among the shared ones would override that, and would not yet hold while a storage is being added.
sub check_config {
    my ($class, $storeid, $config, $create, $skip_schema_check) = @_;

    my $settings = $class->SUPER::check_config($storeid, $config, $create, $skip_schema_check);
    $settings->{shared} //= 1 if $create;
    return $settings;
}

# QEMU is kept from opening a snapshot for writing by a hook that API version 12 has brought.
use constant API_OF_IMPORTS => 12;

sub list_volumes {
    my ($class, $storeid, $scfg, $vmid, $content_types) = @_;

    my $volumes = $class->SUPER::list_volumes($storeid, $scfg, $vmid, $content_types);
    return $volumes if $class->api() < API_OF_IMPORTS || !grep { $_ eq 'import' } $content_types->@*;
    return [$volumes->@*, list_importable($storeid, $scfg, $vmid)->@*];
}

# Each holder is done within a second, but Proxmox VE lets the last of many wait for 10 s only. How
# long it may hold the lock stays Proxmox VE's business.
use constant LOCK_WAIT_S => 60;

sub cluster_lock_storage {
    my ($class, $storeid, $shared, $timeout, @work) = @_;

    return $class->SUPER::cluster_lock_storage($storeid, $shared, $timeout || LOCK_WAIT_S, @work);
}

1;
