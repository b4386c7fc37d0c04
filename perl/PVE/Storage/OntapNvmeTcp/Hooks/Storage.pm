# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Hooks::Storage;

use v5.36;

use PVE::Storage::OntapNvmeTcp::Border qw(native polled);
use PVE::Storage::OntapNvmeTcp::ExpectedSnapshot qw(take_expected_snapshot);
use PVE::Storage::OntapNvmeTcp::NodePaths qw(publish_paths);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Hooks::Storage - the storage as a whole

=head1 DESCRIPTION

C<check_connection> and C<status> are polled every few seconds: a failure is an answer, not an error.

=cut

sub check_connection {
    my ($class, $storeid, $scfg) = @_;

    return polled($storeid, $scfg, sub ($client) { $client->check_connection() }) ? 1 : 0;
}

sub activate_storage {
    my ($class, $storeid, $scfg, $cache) = @_;

    native($storeid, $scfg, sub ($client, $id) {
        $client->activate();
        my $volname = take_expected_snapshot($id);
        $client->prepare_snapshot($volname) if defined($volname);
    });
    return 1;
}

# No release of Proxmox VE calls this. What belongs to the storage on this node goes, unless in use.
sub deactivate_storage {
    my ($class, $storeid, $scfg, $cache) = @_;

    native($storeid, $scfg, sub ($client, $id) { $client->forget() });
    return 1;
}

sub status {
    my ($class, $storeid, $scfg, $cache) = @_;

    # Also while the array is silent: then it matters most what the nodes see.
    publish_paths($storeid, $scfg);
    my $capacity = polled($storeid, $scfg, sub ($client) { $client->capacity() });
    return if !$capacity;
    return ($capacity->@{qw(total_bytes available_bytes used_bytes)}, 1);
}

sub get_identity {
    my ($class, $scfg, $storeid) = @_;

    return native($storeid, $scfg, sub ($client, $id) { $client->identity() });
}

sub get_formats {
    my ($class, $scfg, $storeid) = @_;

    return { default => 'raw', valid => { raw => 1 } };
}

sub storage_can_replicate {
    my ($class, $scfg, $storeid, $format) = @_;

    return 0;
}

1;
