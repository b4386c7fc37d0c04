# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Hooks::Transfer;

use v5.36;

use PVE::Storage::OntapNvmeTcp::Border qw(at_border native marking);
use PVE::Storage::OntapNvmeTcp::Error qw(refuse is_ours);
use PVE::Storage::OntapNvmeTcp::Messages qw(say_warning);
use PVE::Storage::OntapNvmeTcp::VolumeName
    qw(parse_volume_name clean_volume_name clean_snapshot_name);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Hooks::Transfer - a volume as a stream of bytes, out and in

=head1 DESCRIPTION

The one format is C<raw+size>: eight bytes with the size, then the bytes of the volume or of one of
its snapshots.

=over

=item volume_export

The volume is active already; the device of a snapshot is made for as long as it takes.

=item volume_import

The id of the new volume, of which nothing is left when the import fails. The storage is locked
only while names are looked at: the bytes may take hours. A linked clone arrives whole, since its
base image is not in the stream. Where the caller allows another name, a name that is taken is not an
error. A snapshot that is named says which one the bytes were; they are the volume's from now on.

=back

=cut

use constant FORMAT => 'raw+size';

my sub stream_formats ($base_snapshot, $with_snapshots) {
    return if defined($base_snapshot) || $with_snapshots;
    return (FORMAT);
}

sub volume_export_formats {
    my ($class, $scfg, $storeid, $volname, $snapshot, $base_snapshot, $with_snapshots) = @_;

    return stream_formats($base_snapshot, $with_snapshots);
}

sub volume_import_formats {
    my ($class, $scfg, $storeid, $volname, $snapshot, $base_snapshot, $with_snapshots) = @_;

    return stream_formats($base_snapshot, $with_snapshots);
}

# Dies for what no stream of that format can hold.
my sub require_plain_stream ($what, $volname, $format, $base_snapshot, $with_snapshots) {
    my $name = clean_volume_name($volname);
    my $wanted = ($format // '') =~ s/[^\x20-\x7e]/?/gr;
    refuse('unsupported', "cannot $what '$name' as '$wanted': the only format is '${\FORMAT}'")
        if $wanted ne FORMAT;
    refuse('unsupported', "cannot $what '$name' as the difference to a snapshot")
        if defined($base_snapshot);
    refuse('unsupported', "cannot $what '$name' together with its snapshots")
        if $with_snapshots;
    return;
}

# What the library reads from and writes to: nothing may be in perl's own buffers.
my sub descriptor_of ($handle, $name) {
    my $fd = fileno($handle);
    refuse('invalid-argument', "cannot copy '$name': the stream is not an open file")
        if !defined($fd) || $fd < 0;
    return $fd;
}

my sub export_snapshot ($class, $id, $scfg, $name, $snapshot, $fd) {
    $class->activate_volume($id, $scfg, $name, $snapshot);
    my $done = eval {
        native($id, $scfg, sub ($client, $) { $client->export($name, $snapshot, $fd) });
        1;
    };
    my $error = $@;
    # The stream is what it is, whatever becomes of the device.
    eval { $class->deactivate_volume($id, $scfg, $name, $snapshot); 1 } or say_warning("$@");
    die $error if !$done;
    return;
}

sub volume_export {
    my ($class, $scfg, $storeid, $handle, $volname, $format, $snapshot, @more) = @_;
    my ($base_snapshot, $with_snapshots) = @more;

    at_border($storeid, sub ($id) {
        require_plain_stream('export', $volname, $format, $base_snapshot, $with_snapshots);
        my $name = clean_volume_name($volname);
        my $fd = descriptor_of($handle, $name);
        if (defined($snapshot)) {
            my $snap = clean_snapshot_name($snapshot);
            return export_snapshot($class, $id, $scfg, $name, $snap, $fd);
        }
        native($id, $scfg, sub ($client, $) { $client->export($name, undef, $fd) });
    });
    return undef;
}

my sub under_lock ($class, $id, $scfg, $code) {
    return $class->cluster_lock_storage($id, $scfg->{shared}, undef, $code);
}

# Undef when the name is taken. A base image is a disk first: it needs both names.
my sub allocate_wanted ($client, $wanted, $size_kib) {
    if ($wanted->{is_base}) {
        my $there = $client->list($wanted->{vmid});
        return undef
            if grep { ($_->{volume_name} =~ s{.*/}{}r) eq $wanted->{leaf} } $there->@*;
    }
    my $disk = $wanted->{leaf} =~ s/\Abase-/vm-/r;
    my $name = eval { $client->allocate($wanted->{vmid}, $disk, $size_kib) };
    return $name if defined($name);
    my $error = $@;
    die $error if !is_ours($error) || $error->code() ne 'already-exists';
    return undef;
}

my sub allocate_import ($id, $scfg, $wanted, $size_bytes, $allow_rename) {
    return marking($id, $scfg, sub ($client, $) {
        my $size_kib = ($size_bytes + 1023) >> 10;
        if (defined(my $name = allocate_wanted($client, $wanted, $size_kib))) {
            return $name;
        }
        refuse('already-exists', "cannot import '$wanted->{text}': the name is taken")
            if !$allow_rename;
        my $name = $client->allocate($wanted->{vmid}, undef, $size_kib);
        say_warning("storage '$id': the name '$wanted->{leaf}' is taken: importing as '$name'");
        return $name;
    });
}

my sub remove_import ($class, $id, $scfg, $name) {
    eval { $class->deactivate_volume($id, $scfg, $name, undef); 1 } or say_warning("$@");
    my $done = eval {
        under_lock($class, $id, $scfg, sub { $class->free_image($id, $scfg, $name, 0, 'raw') });
        1;
    };
    return if $done;
    my $error = "$@" =~ s/\Astorage '[^']*': //r;
    say_warning("storage '$id': '$name' is incomplete and could not be deleted: $error");
    return;
}

sub volume_import {
    my ($class, $scfg, $storeid, $handle, $volname, $format, $snapshot, @more) = @_;
    my ($base_snapshot, $with_snapshots, $allow_rename) = @more;

    return at_border($storeid, sub ($id) {
        require_plain_stream('import', $volname, $format, $base_snapshot, $with_snapshots);
        my $wanted = parse_volume_name($volname);
        my $fd = descriptor_of($handle, $wanted->{text});
        $class->activate_storage($id, $scfg);
        # Before the lock: it waits for the other side.
        my $size_bytes = native($id, $scfg, sub ($client, $) { $client->read_import_size($fd) });
        my $name = under_lock($class, $id, $scfg, sub {
            allocate_import($id, $scfg, $wanted, $size_bytes, $allow_rename);
        });
        my $final_name = $name;
        my $done = eval {
            $class->activate_volume($id, $scfg, $name, undef);
            native($id, $scfg, sub ($client, $) {
                $client->import_volume($name, $size_bytes, $fd);
            });
            $class->deactivate_volume($id, $scfg, $name, undef);
            $final_name = under_lock($class, $id, $scfg, sub {
                $class->create_base($id, $scfg, $name);
            }) if $wanted->{is_base};
            1;
        };
        my $error = $@;
        return "$id:$final_name" if $done;
        remove_import($class, $id, $scfg, $name);
        die $error;
    });
}

1;
