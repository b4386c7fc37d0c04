# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Hooks::Devices;

use v5.36;

use PVE::Storage::OntapNvmeTcp::Border qw(at_border native marking);
use PVE::Storage::OntapNvmeTcp::Error qw(refuse);
use PVE::Storage::OntapNvmeTcp::SnapshotImport
    qw(parse_import_name require_importable require_expected import_path);
use PVE::Storage::OntapNvmeTcp::Sections qw(storage_id_of);
use PVE::Storage::OntapNvmeTcp::VolumeName
    qw(parse_volume_name clean_volume_name clean_snapshot_name device_path);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Hooks::Devices - where the device of a volume or of a snapshot is

=head1 DESCRIPTION

Activation puts a device where C<path> says it will be; the snapshot is undef where the volume itself is
meant.

=cut

my sub expect_link ($id, $name, $snapshot, $link) {
    my $expected = device_path($id, $name, $snapshot);
    return if $link eq $expected;
    refuse('internal', "cannot use '$name': it is at '$link' instead of '$expected'");
}

# Without a request: Proxmox VE wants paths of volumes that are not active, or do not exist yet.
sub path {
    my ($class, $scfg, $volname, $storeid, $snapname) = @_;

    if (my $image = defined($snapname) ? undef : parse_import_name($volname)) {
        my $path = at_border($storeid, sub ($id) { import_path($id, $image) });
        return wantarray ? ($path, $image->{vmid}, 'images') : $path;
    }
    my $path = at_border($storeid, sub ($id) { device_path($id, $volname, $snapname) });
    return $path if !wantarray;
    my $name = parse_volume_name($volname);
    return ($path, $name->{vmid}, 'images');
}

# Only for callers that do not know the storage id; nothing here is one.
sub filesystem_path {
    my ($class, $scfg, $volname, $snapname) = @_;

    return $class->path($scfg, $volname, storage_id_of($scfg, $class->type()), $snapname);
}

sub activate_volume {
    my ($class, $storeid, $scfg, $volname, $snapname, $cache, $hints) = @_;

    if (my $image = defined($snapname) ? undef : parse_import_name($volname)) {
        marking($storeid, $scfg, sub ($client, $id) {
            require_expected($id, $image);
            require_importable($client, $image);
            my $link = $client->activate_snapshot($image->{volume}, $image->{snapshot});
            refuse('internal', "cannot use '$image->{text}': it is at '$link'")
                if $link ne import_path($id, $image);
        });
        return 1;
    }
    # The device of a snapshot is a new object on the array; that of a volume is there already, and
    # must not need a file system of the cluster that can be written to.
    if (defined($snapname)) {
        marking($storeid, $scfg, sub ($client, $id) {
            my ($name, $snapshot) = (clean_volume_name($volname), clean_snapshot_name($snapname));
            my $link = $client->activate_snapshot($name, $snapshot);
            expect_link($id, $name, $snapshot, $link);
        });
    } else {
        native($storeid, $scfg, sub ($client, $id) {
            my $name = clean_volume_name($volname);
            my $link = $client->activate_volume($name);
            expect_link($id, $name, undef, $link);
        });
    }
    return 1;
}

# The library lets go of unused devices of snapshots as well, whichever volume is meant.
sub deactivate_volume {
    my ($class, $storeid, $scfg, $volname, $snapname, $cache) = @_;

    native($storeid, $scfg, sub ($client, $id) {
        if (my $image = defined($snapname) ? undef : parse_import_name($volname)) {
            return $client->deactivate_snapshot($image->{volume}, $image->{snapshot});
        }
        my $name = clean_volume_name($volname);
        return $client->deactivate_volume($name) if !defined($snapname);
        my $snapshot = clean_snapshot_name($snapname);
        $client->deactivate_snapshot($name, $snapshot);
    });
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

1;
