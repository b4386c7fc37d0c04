# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Border;

use v5.36;

use Exporter qw(import);

use PVE::Storage::OntapNvmeTcp qw(with_client);
use PVE::Storage::OntapNvmeTcp::ClusterId qw(ensure_cluster_id);
use PVE::Storage::OntapNvmeTcp::Error qw(is_ours line_about);
use PVE::Storage::OntapNvmeTcp::Messages qw(say_warning_sometimes);
use PVE::Storage::OntapNvmeTcp::VolumeName qw(clean_storage_id);

our @EXPORT_OK = qw(at_border native marking polled);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Border - where errors become what Proxmox VE can carry

=head1 DESCRIPTION

An error object survives neither Proxmox VE's forks nor its API daemon, so every hook runs its work
through one of these functions, which let it out as one line of plain text: C<storage 'ID': what failed,
why and what to do [code, facts]>. What is not ours passes untouched: Proxmox VE's own exceptions, and
what its signal handlers throw.

=over

=item at_border($storeid, $code)

The scalar result of C<$code>, which is called with the clean storage id.

=item native($storeid, $scfg, $code)

The same with the storage's client before it.

=item marking($storeid, $scfg, $code)

C<native> for what makes objects on the array or writes their marks: those carry the id of this cluster,
which is made now if there is none.

=item polled($storeid, $scfg, $code)

For what is asked every few seconds: C<$code> is called with the client; when it fails the result is
undef, and there is a warning, once a minute at most.

=back

=cut

sub at_border ($storeid, $code) {
    my $result;
    my $done = eval { $result = $code->(clean_storage_id($storeid)); 1 };
    return $result if $done;
    my $error = $@;
    die $error if !is_ours($error);
    die line_about($storeid, $error->msg()) . "\n";
}

sub native ($storeid, $scfg, $code) {
    return at_border($storeid, sub ($id) {
        return with_client($id, $scfg, sub ($client) { $code->($client, $id) });
    });
}

sub marking ($storeid, $scfg, $code) {
    return at_border($storeid, sub ($id) {
        ensure_cluster_id();
        return with_client($id, $scfg, sub ($client) { $code->($client, $id) });
    });
}

sub polled ($storeid, $scfg, $code) {
    my $result;
    my $done = eval {
        my $id = clean_storage_id($storeid);
        $result = with_client($id, $scfg, $code, is_poll => 1);
        1;
    };
    return $result if $done;
    my $error = $@;
    die $error if !is_ours($error);
    say_warning_sometimes(line_about($storeid, $error->msg()));
    return undef;
}

1;
