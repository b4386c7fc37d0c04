# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Masking;

use v5.36;

use Exporter qw(import);
use MIME::Base64 qw(encode_base64);

use PVE::Storage::OntapNvmeTcp::Secrets;

our @EXPORT_OK = qw(masked);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Masking - no secret in what is given away

=head1 DESCRIPTION

=over

=item masked($text, $sections)

The text with C<***> in place of every secret of these storages (id => section), of the login that is made of
one, and of whatever has the form of a secret, whosever it is. Dies when a storage's secrets cannot be
read: what is not known cannot be masked.

=back

=cut

# A shorter one would mask half of the text; what has a form is found by it.
use constant SHORTEST => 4;

sub masked ($text, $sections) {
    my %secrets;
    for my $id (keys($sections->%*)) {
        my $own = PVE::Storage::OntapNvmeTcp::Secrets::load($id);
        $secrets{$_} = 1 for values($own->%*);
        my $account = $sections->{$id}{username};
        next if !defined($account) || !defined($own->{password});
        $secrets{ encode_base64("$account:$own->{password}", '') } = 1;
    }
    # The longest first: one may hold another.
    for my $secret (sort { length($b) <=> length($a) } grep { length >= SHORTEST } keys(%secrets)) {
        $text =~ s/\Q$secret\E/***/g;
    }
    $text =~ s{\b(DHHC-1|NVMeTLSkey-1):[0-9a-f]{2}:[A-Za-z0-9+/=]+:?}{$1:***}gi;
    $text =~ s{(\bauthorization:\s*\w+\s+)\S+}{$1***}gi;
    $text =~ s{(\b(?:password|passwd|secret|psk)["']?[ \t]*[=:][ \t]*["']?)[^\s"']+}{$1***}gi;
    return $text;
}

1;
