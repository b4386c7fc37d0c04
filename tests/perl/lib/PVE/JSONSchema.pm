# SPDX-License-Identifier: AGPL-3.0-or-later
# Stand-in: the options that Proxmox VE's commands share.
package PVE::JSONSchema;

use v5.36;

my %options = (
    'extra-args' => { type => 'array', items => { type => 'string' }, optional => 1 },
    'pve-snapshot-name' => { type => 'string' },
    'pve-vmid' => { type => 'integer' },
    'pve-output-format' => { type => 'string', enum => [qw(text json json-pretty yaml)], optional => 1 },
);

sub get_standard_option ($name, $more = {}) {
    my $option = $options{$name} or die "no standard option '$name'\n";
    return { $option->%*, $more->%* };
}

1;
