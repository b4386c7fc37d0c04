# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Checks;

use v5.36;

use Exporter qw(import);

use PVE::Storage::OntapNvmeTcp::Checks::Node qw(node_checks);
use PVE::Storage::OntapNvmeTcp::Checks::Storage qw(storage_checks);

our @EXPORT_OK = qw(findings);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Checks - all that is known to go wrong around storages, looked at once

=head1 DESCRIPTION

=over

=item findings(@sections)

For C<[storage id, section]> each: a reference to the results of the checks of this node, then of each storage, which
have its id as C<storage>.

=back

=cut

sub findings (@sections) {
    return [
        node_checks(),
        map {
            my ($id, $scfg) = $_->@*;
            map { +{ storage => $id, $_->%* } } storage_checks($id, $scfg);
        } @sections
    ];
}

1;
