# SPDX-License-Identifier: AGPL-3.0-or-later
# Under what is measured: the first value of each dimension together is the base, from which one
# dimension at a time departs. Each is run in every kind of process.
package Bench::Conditions;

use v5.36;

use Exporter qw(import);

our @EXPORT_OK = qw(DIMENSIONS base departures applies);

use constant DIMENSIONS => qw(disks vm_disks latency_ms handshake_ms job_ms silence);

sub base ($dimensions) { return { map { $_ => $dimensions->{$_}[0] } DIMENSIONS } }

# All, the base first; those of one array size together, since an array is filled once for them.
sub departures ($dimensions) {
    my $base = base($dimensions);
    my @all = ($base);
    for my $dimension (DIMENSIONS) {
        my (undef, @others) = $dimensions->{$dimension}->@*;
        push(@all, map { { $base->%*, $dimension => $_ } } @others);
    }
    my %place; # by number of disks, in the order of their first
    $place{ $_->{disks} } //= keys(%place) for @all;
    return sort { $place{ $a->{disks} } <=> $place{ $b->{disks} } } @all;
}

# Whether that operation says something new under these conditions.
sub applies ($operation, $conditions, $base) {
    return 0 if $conditions->{silence} ne 'none' && !$operation->{when_silent};
    return 0 if $conditions->{vm_disks} != $base->{vm_disks} && !$operation->{of_vm};
    return 0 if $conditions->{job_ms} != $base->{job_ms} && !$operation->{has_jobs};
    return 1;
}

1;
