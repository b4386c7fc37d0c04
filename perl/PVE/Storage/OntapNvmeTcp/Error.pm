# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Error;

use v5.36;

use Exporter qw(import);
use Scalar::Util qw(blessed);

use overload
    '""' => sub ($self, @) { "$self->{msg}\n" },
    bool => sub { 1 },
    fallback => 1;

our @EXPORT_OK = qw(refuse is_ours plain_line line_about);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Error - an error that says how to react to it

=head1 DESCRIPTION

Thrown by the native module and by the Perl code around it; the storage plugin turns it into plain
text before it reaches Proxmox VE. As a string it is one line with a newline: what failed, why, what to
do, and in a bracket at the end the code and facts.

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

=item refuse($code, $sentence)

A function: dies with an error object.

=item is_ours($error)

A function: whether C<$error> is such an object.

=item plain_line($text)

A function: the text as any descriptor takes it, without a newline. An ellipsis, with which the library
cuts long texts, is the one wide character that stands in them regularly.

=item line_about($storeid, $text)

A function: the same for a text about a storage, with its id. C<< <storage> >> in a hint stands for the id
as well: not every part of the library knows it.

=back

=cut

sub new ($class, $code, $sentence) {
    return bless({ code => $code, msg => "$sentence [$code]", facts => {} }, $class);
}

sub code ($self) { return $self->{code} }
sub msg ($self) { return $self->{msg} }
sub facts ($self) { return $self->{facts} }

sub refuse ($code, $sentence) {
    die __PACKAGE__->new($code, $sentence);
}

sub is_ours ($error) {
    return blessed($error) && $error->isa(__PACKAGE__);
}

sub plain_line ($text) {
    chomp($text);
    return $text =~ s/\x{2026}/.../gr;
}

sub line_about ($storeid, $text) {
    my $id = ($storeid // '') =~ s/[^\x21-\x7e]/?/gr;
    return "storage '$id': " . (plain_line($text) =~ s/<storage>/$id/gr);
}

1;
