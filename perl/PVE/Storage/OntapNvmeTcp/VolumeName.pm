# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::VolumeName;

use v5.36;

use Exporter qw(import);

use PVE::Storage::OntapNvmeTcp::Error qw(refuse);

our @EXPORT_OK = qw(
    parse_volume_name clean_volume_name clean_storage_id clean_snapshot_name clean_vmid
    new_volume_name lowest_free_name device_path shown_path
);

=head1 NAME

PVE::Storage::OntapNvmeTcp::VolumeName - the one way in for names

=head1 DESCRIPTION

Proxmox VE's daemons run under taint mode, and what they hand to a hook may be tainted. Every
function here dies for what it does not accept and returns captures of what it does: clean by being
checked. Nothing here does I/O. The grammar of volume names stands a second time in
F<src/model/volume_name.cc>; F<tests/tables/volnames.tsv> holds both to one table.

=over

=item parse_volume_name($volname)

A hash reference: C<text> (the whole name), C<leaf> (without the base part of a linked clone),
C<vmid>, C<is_base>, C<base> and C<base_vmid> (the base part; undef without one).

=item clean_volume_name($volname), clean_storage_id($storeid), clean_snapshot_name($snap), clean_vmid($vmid)

The argument.

=item new_volume_name($vmid, $volname)

The name, if it is one that a volume of that VM may be given.

=item lowest_free_name($vmid, \@volnames)

The first C<vm-VMID-disk-N> that none of the volumes has. A base image keeps its number taken: it
gets it from the disk that it was.

=item device_path($storeid, $volname, $snap)

The path that stands for the volume, or for its snapshot if C<$snap> is defined, active or not. Two
volumes never share one: the base part of a linked clone adds nothing to its identity and is left
out, and no name contains the at sign.

=item shown_path($storeid, $volname, $shown_as)

The same for a snapshot by the name that the library shows it under, which may be one of the array's.

=back

=cut

our $link_directory = '/dev/ontapnvme';

# Proxmox VE's own limit.
use constant DISKS_MAX => 1024;

# What Proxmox VE calls a volume: printable ASCII without what means something in a volume id ('/',
# ':', ','), in our paths ('@') or in quoted text.
my $rest = qr/(?:(?![\/:,\@"'\\])[\x21-\x7e]){1,128}/a;
my $vmid = qr/[1-9][0-9]{2,8}/a;
my $base_name = qr/base-($vmid)-$rest/;
my $leaf_name = qr/(vm|base)-($vmid)-($rest)/;
# QEMU and Proxmox VE read an image format out of such an end.
my $format_suffix = qr/\.(?:raw|qcow2|qed|vmdk)\z/;

# As it may stand in a message: one line.
my sub quoted ($text) {
    return 'without a value' if !defined($text);
    return q{'} . ($text =~ s/[^\x20-\x7e]/?/gr) . q{'};
}

sub parse_volume_name ($text) {
    refuse('unsupported', 'cannot use ' . quoted($text) . ' as a disk: it is a snapshot, which can be'
        . ' imported and nothing else') if ($text // '') =~ /\A[^\@]+\@[^\@]+\@[^\@]+\z/;
    refuse('invalid-argument', 'cannot parse volume name ' . quoted($text))
        if !defined($text) || $text !~ m{\A((?:($base_name)/)?($leaf_name))\z};
    my ($whole, $base, $base_vmid, $leaf, $kind, $leaf_vmid) = ($1, $2, $3, $4, $5, $6);
    for my $part (grep { defined } $base, $leaf) {
        refuse('invalid-argument', 'cannot parse volume name ' . quoted($text) . ': volumes are raw devices')
            if $part =~ $format_suffix;
    }
    return {
        text => $whole,
        leaf => $leaf,
        vmid => $leaf_vmid,
        is_base => $kind eq 'base' ? 1 : 0,
        base => $base,
        base_vmid => $base_vmid,
    };
}

sub clean_volume_name ($text) {
    return parse_volume_name($text)->{text};
}

sub clean_storage_id ($storeid) {
    refuse('invalid-argument', 'cannot use storage id ' . quoted($storeid))
        if ($storeid // '') !~ /\A([A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9])\z/a;
    return $1;
}

sub clean_snapshot_name ($snap) {
    refuse('invalid-argument', 'cannot use snapshot name ' . quoted($snap))
        if ($snap // '') !~ /\A([A-Za-z0-9_][A-Za-z0-9_.-]{0,99})\z/a;
    return $1;
}

sub clean_vmid ($id) {
    refuse('invalid-argument', 'cannot use VM id ' . quoted($id)) if ($id // '') !~ /\A($vmid)\z/;
    return $1;
}

sub new_volume_name ($vmid, $volname) {
    my $name = parse_volume_name($volname);
    refuse(
        'invalid-argument',
        "cannot name a volume of VM $vmid '$name->{text}': its name must begin with 'vm-$vmid-'",
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

sub device_path ($storeid, $volname, $snap) {
    my $name = parse_volume_name($volname);
    my $path = $link_directory . '/' . clean_storage_id($storeid) . "/$name->{leaf}";
    $path .= '@' . clean_snapshot_name($snap) if defined($snap);
    return $path;
}

sub shown_path ($storeid, $volname, $shown_as) {
    my ($mark, $name) = $shown_as =~ /\A(~?)(.*)\z/;
    return device_path($storeid, $volname, undef) . "\@$mark" . clean_snapshot_name($name);
}

1;
