# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Sections;

use v5.36;

use Exporter qw(import);
use Scalar::Util qw(refaddr);

use PVE::Storage::OntapNvmeTcp::Schema;

our @EXPORT_OK = qw(configured_sections storage_id_of);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Sections - what storage.cfg has

=head1 DESCRIPTION

=over

=item configured_sections

Its sections by storage id, as Proxmox VE reads them; undef when it cannot be read, and where there is
no Proxmox VE.

=item storage_id_of($scfg, $type)

Which storage a section is. Dies when there is none, or two that are alike: either would lead to the
same disk, but through its own links.

=back

=cut

sub configured_sections {
    my $get_config = PVE::Storage->can('config') or return undef;
    return eval { $get_config->()->{ids} };
}

my sub is_same ($scfg, $other) {
    return 1 if refaddr($other) == refaddr($scfg);
    my $wanted = PVE::Storage::OntapNvmeTcp::Schema::settings($scfg);
    my $found = PVE::Storage::OntapNvmeTcp::Schema::settings($other);
    return 0 if keys($found->%*) != keys($wanted->%*);
    return !grep { !exists($found->{$_}) || $found->{$_} ne $wanted->{$_} } keys($wanted->%*);
}

sub storage_id_of ($scfg, $type) {
    my $ids = configured_sections() // {};
    my @found = grep { is_same($scfg, $ids->{$_}) }
        grep { ($ids->{$_}{type} // '') eq $type } sort(keys($ids->%*));
    return $found[0] if @found == 1;
    die "cannot find the path of a volume of the type $type without its storage id\n";
}

1;
