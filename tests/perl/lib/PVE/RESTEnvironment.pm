# SPDX-License-Identifier: AGPL-3.0-or-later
# Stand-in: task warnings.
package PVE::RESTEnvironment;

use v5.36;

our @warnings;

sub log_warn {
    my ($message) = @_;

    push(@warnings, $message);
    return;
}

1;
