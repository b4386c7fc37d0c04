# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::ClusterId;

use v5.36;

use Errno qw(EEXIST);
use Exporter qw(import);

use PVE::Storage::OntapNvmeTcp::Error qw(refuse);
use PVE::Storage::OntapNvmeTcp::PrivateFiles
    qw(make_directories read_line create_file cluster_id_file);

our @EXPORT_OK = qw(cluster_id ensure_cluster_id);

=head1 NAME

PVE::Storage::OntapNvmeTcp::ClusterId - the id by which the array knows this cluster's objects

=head1 DESCRIPTION

=over

=item cluster_id, ensure_cluster_id

The UUID that marks this cluster's objects on the array, or undef while there is none; C<ensure_>
makes one then. The first node to need one makes it; it never changes afterwards.

=back

=cut

my $uuid = qr/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/a;

sub cluster_id {
    my $path = cluster_id_file();
    my $text = read_line($path);
    return undef if !length($text // '');
    return $1 if lc($text) =~ /\A($uuid)\z/;
    refuse('internal', "cannot use '$path': it is not a UUID");
}

sub ensure_cluster_id {
    if (defined(my $known = cluster_id())) {
        return $known;
    }
    my $new = read_line('/proc/sys/kernel/random/uuid');
    my $path = cluster_id_file();
    make_directories();
    return $new if create_file($path, "$new\n");
    if ($! != EEXIST) {
        my $reason = "$!";
        # What was created may be incomplete, and would stay so.
        unlink($path);
        refuse('internal', "cannot write '$path': $reason");
    }
    # Another node was faster; it writes right after it creates.
    for (1 .. 20) {
        if (defined(my $theirs = cluster_id())) {
            return $theirs;
        }
        select(undef, undef, undef, 0.05);
    }
    refuse('internal', "cannot use '$path': it is empty; remove it, then try again");
}

1;
