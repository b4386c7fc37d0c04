# SPDX-License-Identifier: AGPL-3.0-or-later
# Stand-in: task warnings, which a process counts, and whether it is the worker of a task.
package PVE::RESTEnvironment;

use v5.36;

my $environment = bless({ warning_count => 0 });

sub get { return $environment }

sub is_worker { return 0 }

sub log_warn {
    my ($message) = @_;

    $environment->{warning_count}++;
    print STDERR "WARN: $message\n";
    return;
}

1;
