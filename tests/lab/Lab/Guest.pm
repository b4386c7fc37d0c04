# SPDX-License-Identifier: AGPL-3.0-or-later
package Lab::Guest;

use v5.36;

use Time::HiRes qw(time);

use Lab::Agent;
use Lab::Channel;
use Lab::Process;

=head1 NAME

Lab::Guest - one virtual machine of the lab, as its tests use it

=head1 METHODS

=over

=item run($command, %options)

Runs a shell command line, or a program when C<$command> is a list reference (which saves a shell),
and returns C<{ out, err, code, ms, timed_out }>. Options: C<timeout> (seconds, default 60; then it
is killed), C<dir> (default C</>), C<input> (bytes for its standard input).

=item must($command, %options)

The same for a command that has to succeed: returns its standard output, dies with everything it
wrote otherwise.

=item wait_for($condition, %options)

Repeats a shell condition inside the guest, without a pause long enough to matter, until it holds.
Returns the milliseconds that it took; dies after C<timeout> seconds (default 30).

=item wait_for_path($portal, $state, %options)

The same for the state of the controller behind a portal, as sysfs has it (C<live>, C<connecting>,
others), or C<gone>. The option C<not> waits for any state but that.

=item path_state($portal)

The state of the controller behind a portal now.

=item spawn($command, %options)

Starts a command and returns at once with a L<Lab::Process>. No time limit unless C<timeout> is
given.

=item agent($class, include => [dirs], %options)

Starts a persistent hook agent (L<Lab::Agent>) with that plugin class.

=item read_file($path), write_file($path, $bytes)

=item name, addresses, is_alive

=back

A guest that dies makes every call on it die with the end of its serial log.

=cut

# What the host grants on top of a limit that the guest enforces itself.
use constant GRACE_S => 30;

sub new ($class, $machine, %spec) {
    my $channel = Lab::Channel->new($machine->socket);
    return bless({machine => $machine, channel => $channel, addresses => $spec{addresses}}, $class);
}

sub name      ($self) { return $self->{machine}->name }
sub machine   ($self) { return $self->{machine} }
sub channel   ($self) { return $self->{channel} }
sub addresses ($self) { return $self->{addresses}->@* }

my sub or_explain ($self, $code) {
    my $result = eval { $code->() };
    return $result if !$@;
    chomp(my $reason = $@);
    die "guest '" . $self->name . "' $reason; its last words:\n" . $self->{machine}->last_words;
}

sub tell ($self, @message) {
    return or_explain($self, sub { $self->{channel}->send(@message) });
}

sub listen ($self, $seconds) {
    return or_explain($self, sub { $self->{channel}->receive($seconds) });
}

sub is_alive ($self) {
    return eval { $self->{channel}->receive(0); 1 } && $self->{channel}->greeted;
}

# Waits for the end of the boot.
sub await_boot ($self, $seconds) {
    my $deadline = time() + $seconds;
    while (!$self->{channel}->greeted) {
        my $left = $deadline - time();
        $left > 0
            or die "guest '"
            . $self->name
            . "' did not boot within $seconds s; its last words:\n"
            . $self->{machine}->last_words;
        $self->listen($left);
    }
    return;
}

sub spawn ($self, $command, %options) {
    my @command = ref($command) ? $command->@* : ('/bin/bash', '-c', $command);
    return Lab::Process->new(
        $self,
        command => \@command,
        dir     => $options{dir} // '/',
        timeout => $options{timeout},
        label   => ref($command) ? "@command" : $command,
    );
}

sub run ($self, $command, %options) {
    my $limit   = $options{timeout} // 60;
    my $process = $self->spawn($command, %options, timeout => $limit);
    $process->write($options{input} // '');
    $process->close_input;
    return $process->wait($limit + GRACE_S);
}

sub must ($self, $command, %options) {
    my $done = $self->run($command, %options);
    return $done->{out} if $done->{code} == 0;
    my $shown = ref($command)      ? "@$command"       : $command;
    my $how   = $done->{timed_out} ? 'ran out of time' : "ended with $done->{code}";
    die 'guest \'' . $self->name . "': '$shown' $how:\n$done->{out}$done->{err}\n";
}

sub wait_for ($self, $condition, %options) {
    my $started = time();
    my $limit   = $options{timeout} // 30;

 # The pause is a built-in, since a process per turn would cost more than the wait. A read that runs
 # out of time has a status of its own, which must not become the loop's.
    my $loop = "exec {never}<> <(:); "
        . "until { $condition; } >/dev/null 2>&1; do read -rt 0.02 -u \$never || :; done";
    my $done = $self->run($loop, timeout => $limit);
    return int(1000 * (time() - $started)) if $done->{code} == 0;
    my $how =
        $done->{timed_out}
        ? "did not hold within $limit s"
        : "cannot be asked: code $done->{code} $done->{err}";
    die 'guest \'' . $self->name . "': '$condition' $how\n";
}

# Shell that puts a path's state into `seen`. Built-ins alone: it may be asked fifty times a second.
my sub look_at ($portal) {
    return
          "seen=gone; for c in /sys/class/nvme/nvme*; do "
        . "read -r a <\$c/address && read -r s <\$c/state && "
        . "[[ \$a == *'traddr=$portal,'* ]] && seen=\$s; done";
}

sub wait_for_path ($self, $portal, $state, %options) {
    my $compare = $options{not} ? '!=' : '==';
    return $self->wait_for(look_at($portal) . "; [[ \$seen $compare $state ]]", %options);
}

sub path_state ($self, $portal) {
    chomp(my $state = $self->must(look_at($portal) . '; echo $seen'));
    return $state;
}

sub agent ($self, $class, %options) { return Lab::Agent->start($self, $class, %options) }

sub read_file ($self, $path) { return $self->must(['cat', '--', $path]) }

sub write_file ($self, $path, $bytes) {
    $self->must(['dd', "of=$path", 'status=none'], input => $bytes);
    return;
}

1;
