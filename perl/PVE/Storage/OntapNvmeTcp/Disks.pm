# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Disks;

use v5.36;

use Exporter qw(import);

use PVE::Storage::OntapNvmeTcp::Border qw(refuse at_border native marking);
use PVE::Storage::OntapNvmeTcp::Translation qw(size_in_kib new_volume_name);
use PVE::Storage::OntapNvmeTcp::VolumeName
    qw(parse_volume_name clean_snapshot_name clean_vmid device_path);

our @EXPORT_OK = qw(
    allocate_disk turn_into_base clone_disk rename_disk activate_disk deactivate_disk
    disk_attribute set_disk_attribute
);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Disks - disks come to be, change their names, become devices

=head1 DESCRIPTION

Arguments are what Proxmox VE hands to the hooks: C<$snap> is undef where the volume itself is
meant. Errors are plain text.

=over

=item allocate_disk($storeid, $scfg, $vmid, $format, $volname, $size_kib)

The name of the new volume.

=item turn_into_base($storeid, $scfg, $volname)

The name that the volume has from now on.

=item clone_disk($storeid, $scfg, $volname, $vmid, $snap)

The name of a new volume that shares the blocks of a base image or of a snapshot.

=item rename_disk($storeid, $scfg, $volname, $vmid, $new_volname)

The volume id that the volume has from now on. Without a usable C<$vmid> the new name tells whose it
is; without a name it is the next free one.

=item activate_disk($storeid, $scfg, $volname, $snap), deactivate_disk($storeid, $scfg, $volname, $snap)

The device is where C<path> says; the device may go.

=item disk_attribute($storeid, $scfg, $volname, $attribute)

Undef for an attribute that does not exist here.

=item set_disk_attribute($plugin, $storeid, $scfg, $volname, $attribute, $value)

Under the lock of the storage, which Proxmox VE does not hold here: all attributes are one text on
the array, which a renaming writes as well. C<$plugin> is the class of the hooks.

=back

=cut

sub allocate_disk ($storeid, $scfg, $vmid, $format, $volname, $size) {
    return marking($storeid, $scfg, sub ($client, $id) {
        my $owner = clean_vmid($vmid);
        my $kib = size_in_kib($size);
        refuse(
            'unsupported', "cannot allocate a volume of format '$format': volumes are raw devices",
        ) if length($format // '') && $format ne 'raw';
        my $wanted = length($volname // '') ? new_volume_name($owner, $volname) : undef;
        return $client->allocate($owner, $wanted, $kib);
    });
}

sub turn_into_base ($storeid, $scfg, $volname) {
    return marking($storeid, $scfg, sub ($client, $id) {
        my $disk = parse_volume_name($volname);
        refuse('invalid-argument', "cannot turn '$disk->{text}' into a base image: it is one")
            if $disk->{is_base};
        return $client->create_base($disk->{text});
    });
}

sub clone_disk ($storeid, $scfg, $volname, $vmid, $snap) {
    return marking($storeid, $scfg, sub ($client, $id) {
        my $source = parse_volume_name($volname);
        my $owner = clean_vmid($vmid);
        my $snapshot = defined($snap) ? clean_snapshot_name($snap) : undef;
        refuse(
            'invalid-argument',
            "cannot make a linked clone of '$source->{text}': it is no base image; name a snapshot"
                . ' of it, or turn it into a template',
        ) if !defined($snapshot) && !$source->{is_base};
        return $client->clone_volume($source->{text}, $snapshot, $owner);
    });
}

# The owner and the name, undef for the next free one. Proxmox VE fills in something for the owner
# when it has only a name.
my sub new_owner ($volname, $vmid, $new_volname) {
    my $owner = eval { clean_vmid($vmid) };
    if (length($new_volname // '')) {
        $owner //= parse_volume_name($new_volname)->{vmid};
        my $name = new_volume_name($owner, $new_volname);
        return ($owner, $name);
    }
    refuse('invalid-argument', "cannot rename '$volname': neither a VM id nor a new name is given")
        if !defined($owner);
    return ($owner, undef);
}

sub rename_disk ($storeid, $scfg, $volname, $vmid, $new_volname) {
    return marking($storeid, $scfg, sub ($client, $id) {
        my $disk = parse_volume_name($volname);
        refuse(
            'unsupported',
            "cannot rename base image '$disk->{text}': the names of its linked clones have its name"
                . ' in them',
        ) if $disk->{is_base};
        my ($owner, $wanted) = new_owner($disk->{text}, $vmid, $new_volname);
        my $name = $client->rename($disk->{text}, $owner, $wanted);
        return "$id:$name";
    });
}

my sub expect_link ($id, $name, $snapshot, $link) {
    my $expected = device_path($id, $name, $snapshot);
    return if $link eq $expected;
    refuse('internal', "cannot use '$name': it is at '$link' instead of '$expected'");
}

sub activate_disk ($storeid, $scfg, $volname, $snap) {
    # The device of a snapshot is a new object on the array; that of a volume is there already, and
    # must not need a file system of the cluster that can be written to.
    return marking($storeid, $scfg, sub ($client, $id) {
        my $name = parse_volume_name($volname)->{text};
        my $snapshot = clean_snapshot_name($snap);
        my $link = $client->activate_snapshot($name, $snapshot);
        expect_link($id, $name, $snapshot, $link);
    }) if defined($snap);
    return native($storeid, $scfg, sub ($client, $id) {
        my $name = parse_volume_name($volname)->{text};
        my $link = $client->activate_volume($name);
        expect_link($id, $name, undef, $link);
    });
}

sub deactivate_disk ($storeid, $scfg, $volname, $snap) {
    return native($storeid, $scfg, sub ($client, $id) {
        my $name = parse_volume_name($volname)->{text};
        return $client->deactivate_volume($name) if !defined($snap);
        my $snapshot = clean_snapshot_name($snap);
        $client->deactivate_snapshot($name, $snapshot);
    });
}

my %attributes = (
    notes => sub ($disk) { $disk->{notes} // '' },
    protected => sub ($disk) { $disk->{is_protected} },
);

sub disk_attribute ($storeid, $scfg, $volname, $attribute) {
    my $read = $attributes{$attribute} or return undef;
    return native($storeid, $scfg, sub ($client, $id) {
        my $name = parse_volume_name($volname)->{text};
        my $disk = $client->info($name);
        return $read->($disk);
    });
}

# Characters, of which there may be many lines.
my sub clean_notes ($name, $notes) {
    my ($text) = ($notes // '') =~ /\A([^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*)\z/
        or refuse('invalid-argument', "cannot set the notes of '$name': they must be plain text");
    utf8::decode($text);
    return $text;
}

my sub clean_flag ($name, $value) {
    my ($flag) = ($value // '') =~ /\A([01]?)\z/
        or refuse('invalid-argument', "cannot set the protection of '$name': it must be 0 or 1");
    return $flag ? 1 : 0;
}

my sub set_attribute ($storeid, $scfg, $volname, $attribute, $value) {
    return marking($storeid, $scfg, sub ($client, $id) {
        my $name = parse_volume_name($volname)->{text};
        if ($attribute eq 'notes') {
            my $notes = clean_notes($name, $value);
            $client->set_notes($name, $notes);
        } elsif ($attribute eq 'protected') {
            my $is_protected = clean_flag($name, $value);
            $client->set_protected($name, $is_protected);
        } else {
            my $wanted = $attribute =~ s/[^\x20-\x7e]/?/gr;
            refuse('unsupported', "cannot set '$wanted' of '$name': volumes of this storage have"
                . " 'notes' and 'protected'");
        }
    });
}

sub set_disk_attribute ($plugin, $storeid, $scfg, $volname, $attribute, $value) {
    return at_border($storeid, sub ($id) {
        return $plugin->cluster_lock_storage($id, $scfg->{shared}, undef, sub {
            return set_attribute($id, $scfg, $volname, $attribute, $value);
        });
    });
}

1;
