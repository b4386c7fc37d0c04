# SPDX-License-Identifier: AGPL-3.0-or-later
# Stand-in: data as JSON.
package PVE::CLIFormatter;

use v5.36;

use JSON::PP;

sub print_api_result ($data, $schema, $properties, $options) {
    my $json = JSON::PP->new()->canonical()->utf8();
    $json->pretty() if $options->{'output-format'} eq 'json-pretty';
    print $json->encode($data), "\n";
    return;
}

1;
