# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Transfer;

use v5.36;

use Exporter qw(import);

use PVE::Storage::OntapNvmeTcp qw(say_warning);
use PVE::Storage::OntapNvmeTcp::Border qw(refuse is_ours at_border native marking);
use PVE::Storage::OntapNvmeTcp::VolumeName qw(parse_volume_name clean_snapshot_name);

our @EXPORT_OK = qw(stream_formats require_plain_stream export_disk import_disk);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Transfer - a volume as a stream of bytes, out and in

=head1 DESCRIPTION

The one format is C<raw+size>: eight bytes with the size, then the bytes of the volume or of one of
its snapshots. C<$plugin> is the class whose hooks are called for what is more than the stream.
Errors are plain text.

=over

=item stream_formats($base_snapshot, $with_snapshots)

A list: empty for what no stream of that format can hold.

=item require_plain_stream($storeid, $what, $volname, $format, $base_snapshot, $with_snapshots)

Dies for the same reasons. C<$what> is C<export> or C<import>.

=item export_disk($plugin, $storeid, $scfg, $handle, $volname, $snap)

The volume is active already; the device of a snapshot is made for as long as it takes.

=item import_disk($plugin, $storeid, $scfg, $handle, $volname, $may_rename)

The id of the new volume, of which nothing is left when the import fails. The storage is locked
only while names are looked at: the bytes may take hours. A linked clone arrives whole, since its
base image is not in the stream. With C<$may_rename> a name that is taken is no error.

=back

=cut

use constant FORMAT => 'raw+size';

sub stream_formats ($base_snapshot, $with_snapshots) {
    return if defined($base_snapshot) || $with_snapshots;
    return (FORMAT);
}

sub require_plain_stream ($storeid, $what, $volname, $format, $base_snapshot, $with_snapshots) {
    return at_border($storeid, sub ($id) {
        my $name = parse_volume_name($volname)->{text};
        my $wanted = ($format // '') =~ s/[^\x20-\x7e]/?/gr;
        refuse('unsupported', "cannot $what '$name' as '$wanted': the only format is '${\FORMAT}'")
            if $wanted ne FORMAT;
        refuse('unsupported', "cannot $what '$name' as the difference to a snapshot")
            if defined($base_snapshot);
        refuse('unsupported', "cannot $what '$name' together with its snapshots")
            if $with_snapshots;
    });
}

# What the library reads from and writes to: nothing may be in perl's own buffers.
my sub descriptor_of ($handle, $name) {
    my $fd = fileno($handle);
    refuse('invalid-argument', "cannot copy '$name': the stream is no open file")
        if !defined($fd) || $fd < 0;
    return $fd;
}

sub export_disk ($plugin, $storeid, $scfg, $handle, $volname, $snap) {
    return at_border($storeid, sub ($id) {
        my $name = parse_volume_name($volname)->{text};
        my $snapshot = defined($snap) ? clean_snapshot_name($snap) : undef;
        my $fd = descriptor_of($handle, $name);
        my $export = sub ($client, $) { $client->export_volume($name, $snapshot, $fd) };
        return native($id, $scfg, $export) if !defined($snapshot);

        $plugin->activate_volume($id, $scfg, $name, $snapshot);
        my $done = eval { native($id, $scfg, $export); 1 };
        my $error = $@;
        # The stream is what it is, whatever becomes of the device.
        eval { $plugin->deactivate_volume($id, $scfg, $name, $snapshot); 1 } or say_warning("$@");
        die $error if !$done;
        return;
    });
}

my sub under_lock ($plugin, $id, $scfg, $code) {
    return $plugin->cluster_lock_storage($id, $scfg->{shared}, undef, $code);
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

my sub allocate_import ($id, $scfg, $wanted, $size_bytes, $may_rename) {
    return marking($id, $scfg, sub ($client, $) {
        my $size_kib = ($size_bytes + 1023) >> 10;
        if (defined(my $name = allocate_wanted($client, $wanted, $size_kib))) {
            return $name;
        }
        refuse('already-exists', "cannot import '$wanted->{text}': the name is taken")
            if !$may_rename;
        my $name = $client->allocate($wanted->{vmid}, undef, $size_kib);
        say_warning("storage '$id': the name '$wanted->{leaf}' is taken: importing as '$name'");
        return $name;
    });
}

my sub remove_import ($plugin, $id, $scfg, $name) {
    eval { $plugin->deactivate_volume($id, $scfg, $name, undef); 1 } or say_warning("$@");
    my $done = eval {
        under_lock($plugin, $id, $scfg, sub { $plugin->free_image($id, $scfg, $name, 0, 'raw') });
        1;
    };
    return if $done;
    my $error = "$@" =~ s/\Astorage '[^']*': //r;
    say_warning("storage '$id': '$name' is incomplete and could not be deleted: $error");
    return;
}

sub import_disk ($plugin, $storeid, $scfg, $handle, $volname, $may_rename) {
    return at_border($storeid, sub ($id) {
        my $wanted = parse_volume_name($volname);
        my $fd = descriptor_of($handle, $wanted->{text});
        $plugin->activate_storage($id, $scfg);
        # Before the lock: it waits for the other side.
        my $size_bytes = native($id, $scfg, sub ($client, $) { $client->read_import_size($fd) });
        my $name = under_lock($plugin, $id, $scfg, sub {
            allocate_import($id, $scfg, $wanted, $size_bytes, $may_rename);
        });
        my $final_name = $name;
        my $done = eval {
            $plugin->activate_volume($id, $scfg, $name, undef);
            native($id, $scfg, sub ($client, $) {
                $client->import_volume($name, $size_bytes, $fd);
            });
            $plugin->deactivate_volume($id, $scfg, $name, undef);
            $final_name = under_lock($plugin, $id, $scfg, sub {
                $plugin->create_base($id, $scfg, $name);
            }) if $wanted->{is_base};
            1;
        };
        my $error = $@;
        return "$id:$final_name" if $done;
        remove_import($plugin, $id, $scfg, $name);
        die $error;
    });
}

1;
