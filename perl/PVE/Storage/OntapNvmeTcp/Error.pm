# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Error;

use v5.36;

use overload
    '""' => sub ($self, @) { "$self->{msg}\n" },
    bool => sub { 1 },
    fallback => 1;

=head1 NAME

PVE::Storage::OntapNvmeTcp::Error - an error that says how to react to it

=head1 DESCRIPTION

Thrown by the native module and by the Perl code around it; the storage plugin turns it into plain
text before it reaches Proxmox VE. As a string it is one line that begins with the code in brackets
and ends with a newline.

=over

=item PVE::Storage::OntapNvmeTcp::Error->new($code, $sentence)

=item code

One of C<invalid-argument>, C<unsupported>, C<unauthenticated>, C<permission-denied>, C<not-found>,
C<already-exists>, C<busy>, C<conflict>, C<no-space>, C<unavailable>, C<timed-out>,
C<device-missing>, C<interrupted>, C<internal>.

=item msg

The line, without its newline.

=item facts

A hash reference.

=back

=cut

sub new ($class, $code, $sentence) {
    return bless({ code => $code, msg => "[$code] $sentence", facts => {} }, $class);
}

sub code ($self) { return $self->{code} }
sub msg ($self) { return $self->{msg} }
sub facts ($self) { return $self->{facts} }

1;
