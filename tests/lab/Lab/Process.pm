# SPDX-License-Identifier: AGPL-3.0-or-later
package Lab::Process;

use v5.36;

use Time::HiRes qw(time);

=head1 NAME

Lab::Process - a command running in a guest

=head1 METHODS

=over

=item wait($seconds)

Waits for the end and returns C<{ out, err, code, ms, timed_out }>; C<code> is 128 + n for signal n.
Dies when the time is up (the process goes on) or the guest is gone.

=item is_running

Looks without waiting.

=item read_line($seconds)

The next line of its standard output, without the newline; undef once it has ended. Dies when the
time is up.

=item write($bytes), close_input, signal($name)

Its standard input, and a signal for it and its children.

=item out, err

What came so far and was not taken by C<read_line>.

=back

=cut

sub new ($class, $guest, %spec) {
    my $self = bless(
        {guest => $guest, channel => $guest->channel, label => $spec{label}, out => '', err => '',},
        $class
    );
    $self->{id} = $self->{channel}->register($self);
    $guest->tell('start', $self->{id}, int(1000 * ($spec{timeout} // 0)),
        $spec{dir}, $spec{command}->@*);
    return $self;
}

# Called by the channel for each message about this process.
sub take ($self, $kind, @fields) {
    if ($kind eq 'end') {
        my ($status, $ms, $timed_out) = @fields;
        $self->{end} = {
            code => $status & 127 ? 128 + ($status & 127) : $status >> 8,
            ms   => $ms, timed_out => $timed_out,
        };
    } else {
        $self->{$kind} .= $fields[0];
    }
    return;
}

sub out ($self) { return $self->{out} }
sub err ($self) { return $self->{err} }

sub is_running ($self) {
    1 while !$self->{end} && $self->{guest}->listen(0);
    return !$self->{end};
}

my sub listen_until ($self, $deadline, $what) {
    my $name = $self->{guest}->name;

    # A guest that booted again knows nothing of what ran before.
    die "guest '$name' lost '$self->{label}' when it booted again\n"
        if $self->{channel} != $self->{guest}->channel;
    my $left = $deadline - time();
    return if $left > 0 && $self->{guest}->listen($left);
    return if $deadline > time();
    die "guest '$name': no $what of '$self->{label}' in time; so far it wrote:\n"
        . $self->{out}
        . $self->{err} . "\n";
}

sub wait ($self, $seconds = 60) {
    my $deadline = time() + $seconds;
    listen_until($self, $deadline, 'end') while !$self->{end};
    return {$self->{end}->%*, out => $self->{out}, err => $self->{err}};
}

sub read_line ($self, $seconds = 60) {
    my $deadline = time() + $seconds;
    while (index($self->{out}, "\n") < 0) {
        return if $self->{end};
        listen_until($self, $deadline, 'line');
    }
    $self->{out} =~ s/\A([^\n]*)\n//;
    return $1;
}

sub write ($self, $bytes) {
    $self->{guest}->tell('input', $self->{id}, $bytes) if length($bytes);
    return;
}

sub close_input ($self) {
    $self->{guest}->tell('input', $self->{id}, '');
    return;
}

sub signal ($self, $name) {
    $self->{guest}->tell('signal', $self->{id}, $name);
    return;
}

1;
