# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Messages;

use v5.36;

use Exporter qw(import);

use PVE::Storage::OntapNvmeTcp::Error qw(plain_line);

our @EXPORT_OK = qw(say_warning say_warning_sometimes say_hint say_detail);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Messages - warnings and details, for the administrator

=head1 DESCRIPTION

Proxmox VE counts the warnings of a process, and a task that ends with a count above zero ends as
"WARNINGS". A worker of its API daemon hands its count on to every task that it starts. So a warning is
counted in a task only, which has a log where it can be read; everywhere else it is perl's own, which
daemons write to the system log and commands to their standard error.

=over

=item say_warning($text), say_warning_sometimes($text)

A warning, of one line. The second says the same text once a minute at most.

=item say_hint($text)

A line for whoever gives a command by hand: to standard error.

=item say_detail($text)

A line that was asked for with the setting C<debug>: to the log of the task or, outside of one, to
standard error and the system log. The standard error of a daemon leads nowhere.

=back

=cut

use constant REPEAT_S => 60;

# For tests: the time.
our $clock = sub { time() };

my %last_said; # warning => time

my sub is_in_task {
    my $is_worker = PVE::RESTEnvironment->can('is_worker') or return 0;
    return PVE::RESTEnvironment->$is_worker() ? 1 : 0;
}

sub say_warning ($text) {
    my $line = plain_line($text);
    if (is_in_task() && (my $log_warn = PVE::RESTEnvironment->can('log_warn'))) {
        $log_warn->($line);
    } else {
        warn "$line\n";
    }
    return;
}

sub say_warning_sometimes ($text) {
    my $now = $clock->();
    return if $now < ($last_said{$text} // 0) + REPEAT_S;
    # Forget what is old: texts differ, and pvestatd runs for months.
    delete(@last_said{ grep { $last_said{$_} + REPEAT_S <= $now } keys(%last_said) });
    $last_said{$text} = $now;
    say_warning($text);
    return;
}

sub say_hint ($text) {
    my $line = plain_line($text);
    utf8::encode($line);
    print STDERR "$line\n";
    return;
}

sub say_detail ($text) {
    my $line = plain_line($text);
    say_hint($line);
    return if is_in_task();
    utf8::encode($line);
    my $syslog = PVE::SafeSyslog->can('syslog') or return;
    $syslog->('info', '%s', $line);
    return;
}

1;
