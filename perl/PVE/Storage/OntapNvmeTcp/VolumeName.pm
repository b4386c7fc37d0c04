# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::VolumeName;

use v5.36;

use Exporter qw(import);

use PVE::Storage::OntapNvmeTcp::Error;

our @EXPORT_OK = qw(parse_volume_name clean_storage_id clean_snapshot_name clean_vmid device_path);

=head1 NAME

PVE::Storage::OntapNvmeTcp::VolumeName - the one way in for names

=head1 DESCRIPTION

Proxmox VE's daemons run under taint mode, and what they hand to a hook may be tainted. Every
function here dies for what it does not accept and returns captures of what it does: clean by being
checked. Nothing here does I/O. The grammar of volume names stands a second time in
F<src/pve/volume_name.cc>; F<tests/tables/volnames.tsv> holds both to one table.

=over

=item parse_volume_name($volname)

A hash reference: C<text> (the whole name), C<leaf> (without the base part of a linked clone),
C<vmid>, C<is_base>, C<base> and C<base_vmid> (the base part; undef without one).

=item clean_storage_id($storeid), clean_snapshot_name($snap), clean_vmid($vmid)

The argument.

=item device_path($storeid, $volname, $snap)

The path that stands for the volume, or for its snapshot if C<$snap> is defined, active or not. Two
volumes never share one: the base part of a linked clone adds nothing to its identity and is left
out, and no name contains the at sign.

=back

=cut

our $link_directory = '/dev/ontapnvme';

# What Proxmox VE calls a volume: printable ASCII without what means something in a volume id ('/',
# ':', ','), in our paths ('@') or in quoted text.
my $rest = qr/(?:(?![\/:,\@"'\\])[\x21-\x7e]){1,128}/a;
my $vmid = qr/[1-9][0-9]{2,8}/a;
my $base_name = qr/base-($vmid)-$rest/;
my $leaf_name = qr/(vm|base)-($vmid)-($rest)/;
# QEMU and Proxmox VE read an image format out of such an end.
my $format_suffix = qr/\.(?:raw|qcow2|qed|vmdk)\z/;

my sub refuse ($sentence) {
    die PVE::Storage::OntapNvmeTcp::Error->new('invalid-argument', $sentence);
}

# As it may stand in a message: one line.
my sub quoted ($text) {
    return 'without a value' if !defined($text);
    return q{'} . ($text =~ s/[^\x20-\x7e]/?/gr) . q{'};
}

sub parse_volume_name ($text) {
    refuse('cannot parse volume name ' . quoted($text))
        if !defined($text) || $text !~ m{\A((?:($base_name)/)?($leaf_name))\z};
    my ($whole, $base, $base_vmid, $leaf, $kind, $leaf_vmid) = ($1, $2, $3, $4, $5, $6);
    for my $part (grep { defined } $base, $leaf) {
        refuse('cannot parse volume name ' . quoted($text) . ': volumes are raw devices')
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

sub clean_storage_id ($storeid) {
    refuse('cannot use storage id ' . quoted($storeid))
        if ($storeid // '') !~ /\A([A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9])\z/a;
    return $1;
}

sub clean_snapshot_name ($snap) {
    refuse('cannot use snapshot name ' . quoted($snap))
        if ($snap // '') !~ /\A([A-Za-z0-9_][A-Za-z0-9_.-]{0,99})\z/a;
    return $1;
}

sub clean_vmid ($id) {
    refuse('cannot use VM id ' . quoted($id)) if ($id // '') !~ /\A($vmid)\z/;
    return $1;
}

sub device_path ($storeid, $volname, $snap) {
    my $name = parse_volume_name($volname);
    my $path = $link_directory . '/' . clean_storage_id($storeid) . "/$name->{leaf}";
    $path .= '@' . clean_snapshot_name($snap) if defined($snap);
    return $path;
}

1;
