# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Hooks::Volumes;

use v5.36;

use PVE::Storage::OntapNvmeTcp::Border qw(native marking);
use PVE::Storage::OntapNvmeTcp::Error qw(refuse is_ours);
use PVE::Storage::OntapNvmeTcp::ExpectedSnapshot qw(expect_snapshot);
use PVE::Storage::OntapNvmeTcp::SnapshotImport
    qw(parse_import_name require_importable import_path expect_import is_expected);
use PVE::Storage::OntapNvmeTcp::VolumeName qw(
    parse_volume_name clean_volume_name clean_snapshot_name clean_vmid new_volume_name
    lowest_free_name
);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Hooks::Volumes - volumes come to be, are listed, change, go

=cut

sub parse_volname {
    my ($class, $volname) = @_;

    # As one of the VM's own, or Proxmox VE would let anybody have it who may use the storage.
    if (my $image = parse_import_name($volname)) {
        return ('images', $image->@{qw(text vmid)}, undef, undef, 0, 'raw');
    }
    my $name = eval { parse_volume_name($volname) };
    if (!$name) {
        my $error = $@;
        die is_ours($error) ? $error->msg() . "\n" : $error;
    }
    return ('images', $name->@{qw(leaf vmid base base_vmid is_base)}, 'raw');
}

# Whole KiB, rounded up: Proxmox VE divides bytes by 1024 and passes what comes out.
my sub size_in_kib ($size) {
    my ($text) = ($size // '') =~ /\A([0-9]+(?:\.[0-9]+)?(?:e\+?[0-9]+)?)\z/a;
    refuse('invalid-argument', 'cannot allocate a volume without a size')
        if !defined($text) || $text <= 0;
    my $kib = int($text);
    return $kib < $text ? $kib + 1 : $kib;
}

sub alloc_image {
    my ($class, $storeid, $scfg, $vmid, $fmt, $name, $size_kib) = @_;

    return marking($storeid, $scfg, sub ($client, $id) {
        my $owner = clean_vmid($vmid);
        my $kib = size_in_kib($size_kib);
        refuse('unsupported', "cannot allocate a volume of format '$fmt': volumes are raw devices")
            if length($fmt // '') && $fmt ne 'raw';
        my $wanted = length($name // '') ? new_volume_name($owner, $name) : undef;
        return $client->allocate($owner, $wanted, $kib);
    });
}

sub free_image {
    my ($class, $storeid, $scfg, $volname, $is_base, $format) = @_;

    native($storeid, $scfg, sub ($client, $id) {
        my $name = clean_volume_name($volname);
        $client->free($name);
    });
    # No work is left for later.
    return undef;
}

# Notes and protection only where there are some, as Proxmox VE's own storages do.
my sub as_image ($id, $disk) {
    return {
        volid => "$id:$disk->{volume_name}",
        format => 'raw',
        vmid => $disk->{vmid},
        size => $disk->{size_bytes},
        used => $disk->{used_bytes},
        ctime => $disk->{create_time_s},
        parent => $disk->{parent},
        length($disk->{notes} // '') ? (notes => $disk->{notes}) : (),
        $disk->{is_protected} ? (protected => 1) : (),
    };
}

sub list_images {
    my ($class, $storeid, $scfg, $vmid, $vollist, $cache) = @_;

    return native($storeid, $scfg, sub ($client, $id) {
        # With a list of volumes the owner does not matter.
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

# The size of a device. That of a disk may have changed since the snapshot was taken.
my sub device_size ($path) {
    open(my $device, '<:raw', $path) or refuse('device-missing', "cannot open '$path': $!");
    my $size_bytes = sysseek($device, 0, 2) or refuse('device-missing', "cannot tell the size of '$path'");
    return int($size_bytes);
}

my sub image_size_info ($storeid, $scfg, $image) {
    return native($storeid, $scfg, sub ($client, $id) {
        my $found = require_importable($client, $image);
        my $size_bytes = $found->{size_bytes};
        if (is_expected($id, $image)) {
            $client->activate_snapshot($image->{volume}, $image->{snapshot});
            $size_bytes = device_size(import_path($id, $image));
        }
        return { $found->%*, size_bytes => $size_bytes, parent => undef };
    });
}

sub volume_size_info {
    my ($class, $scfg, $storeid, $volname, $timeout) = @_;

    if (my $image = parse_import_name($volname)) {
        my $found = image_size_info($storeid, $scfg, $image);
        return $found->{size_bytes} if !wantarray;
        return ($found->{size_bytes}, 'raw', $found->@{qw(used_bytes parent create_time_s)});
    }
    my $disk = native($storeid, $scfg, sub ($client, $id) {
        my $name = clean_volume_name($volname);
        return $client->info($name);
    });
    return $disk->{size_bytes} if !wantarray;
    return ($disk->{size_bytes}, 'raw', $disk->@{qw(used_bytes parent create_time_s)});
}

sub volume_resize {
    my ($class, $scfg, $storeid, $volname, $size_bytes, $running, $snapname) = @_;

    native($storeid, $scfg, sub ($client, $id) {
        my $name = clean_volume_name($volname);
        refuse('unsupported', "cannot resize snapshot '$snapname' of '$name': a snapshot keeps the"
            . ' size that it was taken with') if defined($snapname);
        my ($bytes) = ($size_bytes // '') =~ /\A([0-9]+)\z/a
            or refuse('invalid-argument', "cannot resize '$name' without a size in bytes");
        $client->resize($name, $bytes);
    });
    return 1;
}

sub create_base {
    my ($class, $storeid, $scfg, $volname) = @_;

    return marking($storeid, $scfg, sub ($client, $id) {
        my $disk = parse_volume_name($volname);
        refuse('invalid-argument', "cannot turn '$disk->{text}' into a base image: it is one")
            if $disk->{is_base};
        return $client->create_base($disk->{text});
    });
}

# A new volume that shares the blocks of a base image or of a snapshot.
sub clone_image {
    my ($class, $scfg, $storeid, $volname, $vmid, $snap) = @_;

    return marking($storeid, $scfg, sub ($client, $id) {
        my $source = parse_volume_name($volname);
        my $owner = clean_vmid($vmid);
        my $snapshot = defined($snap) ? clean_snapshot_name($snap) : undef;
        refuse(
            'invalid-argument',
            "cannot make a linked clone of '$source->{text}': it is not a base image; name one of"
                . ' its snapshots, or turn it into a template',
        ) if !defined($snapshot) && !$source->{is_base};
        return $client->clone($source->{text}, $snapshot, $owner);
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

# Returns the volume id, not the name.
sub rename_volume {
    my ($class, $scfg, $storeid, $volname, $target_vmid, $target_volname) = @_;

    return marking($storeid, $scfg, sub ($client, $id) {
        my $disk = parse_volume_name($volname);
        refuse(
            'unsupported',
            "cannot rename base image '$disk->{text}': the names of its linked clones have its name"
                . ' in them',
        ) if $disk->{is_base};
        my ($owner, $wanted) = new_owner($disk->{text}, $target_vmid, $target_volname);
        my $name = $client->rename($disk->{text}, $owner, $wanted);
        return "$id:$name";
    });
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

# Without a request: the GUI polls it.
sub volume_has_feature {
    my ($class, $scfg, $feature, $storeid, $volname, $snapname, $running, $opts) = @_;

    if (my $image = parse_import_name($volname)) {
        return undef if $feature ne 'copy' || defined($snapname);
        expect_import($storeid, $image);
        return 1;
    }
    my $is_base = ($class->parse_volname($volname))[5];
    expect_snapshot($storeid, clean_volume_name($volname)) if $feature eq 'snapshot' && !$snapname;
    my $key = $snapname ? 'snap' : $is_base ? 'base' : 'current';
    my $formats = ($opts // {})->{valid_target_formats};
    return undef if $feature eq 'copy' && $formats && !grep { $_ eq 'raw' } $formats->@*;
    return ($features{$feature} // {})->{$key};
}

1;
