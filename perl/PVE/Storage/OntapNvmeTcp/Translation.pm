# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Translation;

use v5.36;

use Exporter qw(import);

use PVE::Storage::OntapNvmeTcp::Border qw(refuse);
use PVE::Storage::OntapNvmeTcp::VolumeName qw(parse_volume_name);

our @EXPORT_OK = qw(size_in_kib new_volume_name lowest_free_name as_image);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Translation - what Proxmox VE means, in the library's terms, and back

=head1 DESCRIPTION

=over

=item size_in_kib($size)

Whole KiB, rounded up: Proxmox VE divides bytes by 1024 and passes what comes out.

=item new_volume_name($vmid, $volname)

The name, if it is one that a volume of that VM may be given.

=item lowest_free_name($vmid, \@volnames)

The first C<vm-VMID-disk-N> that none of the volumes has. A base image keeps its number taken: it
gets it from the disk that it was.

=item as_image($storeid, $disk)

A disk as list_images shows it.

=back

=cut

# Proxmox VE's own limit.
use constant DISKS_MAX => 1024;

sub size_in_kib ($size) {
    my ($text) = ($size // '') =~ /\A([0-9]+(?:\.[0-9]+)?(?:e\+?[0-9]+)?)\z/a;
    refuse('invalid-argument', 'cannot allocate a volume without a size')
        if !defined($text) || $text <= 0;
    my $kib = int($text);
    return $kib < $text ? $kib + 1 : $kib;
}

sub new_volume_name ($vmid, $volname) {
    my $name = parse_volume_name($volname);
    refuse(
        'invalid-argument',
        "cannot name a volume of VM $vmid '$name->{text}': its name begins with 'vm-$vmid-'",
    ) if defined($name->{base}) || $name->{is_base} || $name->{vmid} != $vmid;
    return $name->{text};
}

sub lowest_free_name ($vmid, $volnames) {
    my %taken = map { m{(?:\A|/)(?:vm|base)-$vmid-disk-([0-9]+)\z} ? ($1 => 1) : () } $volnames->@*;
    for my $number (0 .. DISKS_MAX - 1) {
        return "vm-$vmid-disk-$number" if !$taken{$number};
    }
    refuse('already-exists', "cannot name a new disk of VM $vmid: all ${\DISKS_MAX} names are taken");
}

sub as_image ($storeid, $disk) {
    return {
        volid => "$storeid:$disk->{volume_name}",
        format => 'raw',
        vmid => $disk->{vmid},
        size => $disk->{size_bytes},
        used => $disk->{used_bytes},
        ctime => $disk->{create_time_s},
        parent => $disk->{parent},
    };
}

1;
