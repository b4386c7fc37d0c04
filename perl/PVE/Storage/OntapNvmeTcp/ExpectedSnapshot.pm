# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::ExpectedSnapshot;

use v5.36;

use Exporter qw(import);

our @EXPORT_OK = qw(expect_snapshot take_expected_snapshot);

=head1 NAME

PVE::Storage::OntapNvmeTcp::ExpectedSnapshot - of which VM a snapshot is about to be taken

=head1 DESCRIPTION

Proxmox VE takes snapshots while the guest stands still. Before that it asks, in the same process, whether
the volumes can have one, and activates their storages: what a snapshot needs to know can be read then.

=over

=item expect_snapshot($storeid, $volname)

Proxmox VE has asked whether the volume can have a snapshot.

=item take_expected_snapshot($storeid)

One of the volumes that it has asked that of a short while ago, once; undef for none.

=back

=cut

# A disk for the RAM may be made in between.
use constant EXPECTED_FOR_S => 120;

my %expected; # storage id => the volume, the process that was asked, and until when that counts

sub expect_snapshot ($storeid, $volname) {
    $expected{$storeid} = { volname => $volname, pid => $$, until_s => time() + EXPECTED_FOR_S };
    return;
}

sub take_expected_snapshot ($storeid) {
    my $asked = delete($expected{$storeid}) or return undef;
    return $asked->{pid} == $$ && time() <= $asked->{until_s} ? $asked->{volname} : undef;
}

1;
