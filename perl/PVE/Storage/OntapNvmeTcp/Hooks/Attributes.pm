# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Hooks::Attributes;

use v5.36;

use PVE::Storage::OntapNvmeTcp::Border qw(at_border native marking);
use PVE::Storage::OntapNvmeTcp::Error qw(refuse);
use PVE::Storage::OntapNvmeTcp::VolumeName qw(clean_volume_name);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Hooks::Attributes - notes and protection of a volume

=head1 DESCRIPTION

Both are one text on the array, which renaming a volume writes as well. So they are set under the lock
of the storage, which Proxmox VE does not hold here.

=cut

my %attributes = (
    notes => sub ($disk) { $disk->{notes} // '' },
    protected => sub ($disk) { $disk->{is_protected} },
);

# Undef says that there is no such attribute.
sub get_volume_attribute {
    my ($class, $scfg, $storeid, $volname, $attribute) = @_;

    my $read = $attributes{$attribute} or return undef;
    return native($storeid, $scfg, sub ($client, $id) {
        my $name = clean_volume_name($volname);
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

my sub set_attribute ($client, $volname, $attribute, $value) {
    my $name = clean_volume_name($volname);
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
    return;
}

sub update_volume_attribute {
    my ($class, $scfg, $storeid, $volname, $attribute, $value) = @_;

    at_border($storeid, sub ($id) {
        return $class->cluster_lock_storage($id, $scfg->{shared}, undef, sub {
            return marking($id, $scfg, sub ($client, $) {
                set_attribute($client, $volname, $attribute, $value);
            });
        });
    });
    return undef;
}

1;
