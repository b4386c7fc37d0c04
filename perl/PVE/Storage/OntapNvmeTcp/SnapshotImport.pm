# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::SnapshotImport;

use v5.36;

use Exporter qw(import);

use PVE::Storage::OntapNvmeTcp::Border qw(native);
use PVE::Storage::OntapNvmeTcp::Error qw(refuse);
use PVE::Storage::OntapNvmeTcp::VolumeName qw(parse_volume_name clean_vmid shown_path);

our @EXPORT_OK = qw(
    list_importable importable_snapshots parse_import_name require_importable import_path expect_import
    require_expected is_expected
);

=head1 NAME

PVE::Storage::OntapNvmeTcp::SnapshotImport - snapshots of the array as images that can be imported

=head1 DESCRIPTION

To Proxmox VE such an image is one of the VM that the snapshot's disk belongs to, so whoever may not clone
that VM can neither see nor copy it. (As type C<import> whoever may use the storage could.) It can be read
and nothing else: hooks that know nothing of these names refuse them, since no volume has an at sign.

Proxmox VE activates a disk that it attaches and an image that it imports in the same way. Before it imports
one it asks whether the image can be copied, in the same process: what it has not asked that of, it wants to
attach.

=over

=item list_importable($storeid, $scfg, $vmid)

What the Import tab shows, as C<list_volumes> returns it; nothing without the setting.

=item importable_snapshots($client, $vmid)

A list of C<< { name, vmid, size_bytes, used_bytes, create_time_s } >>, of one VM or of all. The name is
C<< DISK@TIME@SNAPSHOT >>, with the time in UTC.

=item parse_import_name($volname)

C<< { text, volume, vmid, snapshot } >>, or undef for what is no such name. C<snapshot> is what the library's
C<activate_snapshot> takes.

=item require_importable($client, $image)

What C<importable_snapshots> has of what C<parse_import_name> returned. Dies when the array has no snapshot of
that disk, name and time any more.

=item import_path($storeid, $image)

Where its device will be.

=item expect_import($storeid, $image), is_expected($storeid, $image), require_expected($storeid, $image)

Proxmox VE has asked whether it can be copied. Whether it has; the last dies if not, and counts one activation
for each question.

=back

=cut

# From the question to the activation an import waits for the lock of the storage at most.
use constant EXPECTED_FOR_S => 300;

my %expected; # "storage id:name" => the process that was asked, and until when that counts

my sub name_of ($disk, $shown_as) {
    my ($leaf) = $disk->{volume_name} =~ m{([^/]+)\z};
    # Without POSIX, which takes longer to load than all of the plugin.
    my ($second, $minute, $hour, $day, $month, $year) = gmtime($disk->{create_time_s});
    return sprintf('%s@%04d-%02d-%02d_%02d%02d%02dZ@%s', $leaf, $year + 1900, $month + 1, $day, $hour,
        $minute, $second, $shown_as);
}

sub importable_snapshots ($client, $vmid) {
    my @images;
    for my $snapshot ($client->list_vm_snapshots($vmid)->@*) {
        # A template is there itself, and what has no name for a link cannot be read.
        next if $snapshot->{kind} eq 'template' || !defined($snapshot->{shown_as});
        push(@images, map {
            {
                name => name_of($_, $snapshot->{shown_as}),
                vmid => $snapshot->{vmid},
                size_bytes => $_->{disk_size_bytes},
                used_bytes => $_->{size_bytes},
                create_time_s => $_->{create_time_s},
            }
        } $snapshot->{disks}->@*);
    }
    return @images;
}

sub list_importable ($storeid, $scfg, $vmid) {
    return [] if !$scfg->{snapshot_import};
    return native($storeid, $scfg, sub ($client, $id) {
        my $owner = defined($vmid) ? clean_vmid($vmid) : undef;
        return [
            map {
                {
                    volid => "$id:$_->{name}",
                    content => 'import',
                    format => 'raw',
                    vmid => $_->{vmid},
                    size => $_->{size_bytes},
                    used => $_->{used_bytes},
                    ctime => $_->{create_time_s},
                }
            } importable_snapshots($client, $owner)
        ];
    });
}

sub parse_import_name ($volname) {
    my ($text, $disk, $snapshot) = ($volname // '')
        =~ m{\A(([^\@/]+)\@[0-9]{4}-[0-9]{2}-[0-9]{2}_[0-9]{6}Z\@(~?[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}))\z}a
        or return undef;
    my $volume = eval { parse_volume_name($disk) } or return undef;
    return { text => $text, volume => $volume->{text}, vmid => $volume->{vmid}, snapshot => $snapshot };
}

sub require_importable ($client, $image) {
    my @found = grep { $_->{name} eq $image->{text} } importable_snapshots($client, $image->{vmid});
    refuse(
        'not-found',
        "cannot find the snapshot behind '$image->{text}': the array lists none of that disk, name and"
            . ' time; choose one from the list again',
    ) if !@found;
    return $found[0];
}

sub import_path ($storeid, $image) {
    return shown_path($storeid, $image->{volume}, $image->{snapshot});
}

sub expect_import ($storeid, $image) {
    $expected{"$storeid:$image->{text}"} = { pid => $$, until_s => time() + EXPECTED_FOR_S };
    return;
}

sub is_expected ($storeid, $image) {
    my $asked = $expected{"$storeid:$image->{text}"} or return 0;
    return $asked->{pid} == $$ && time() <= $asked->{until_s};
}

sub require_expected ($storeid, $image) {
    refuse(
        'unsupported',
        "cannot attach '$image->{text}': it is a snapshot, and what a guest wrote to it would be lost;"
            . " import it into a new disk ('import-from')",
    ) if !is_expected($storeid, $image);
    # Once: the process may be a daemon, which is told to attach it next.
    delete($expected{"$storeid:$image->{text}"});
    return;
}

1;
