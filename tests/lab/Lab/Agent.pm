# SPDX-License-Identifier: AGPL-3.0-or-later
package Lab::Agent;

use v5.36;

use Cwd            qw(abs_path);
use File::Basename qw(dirname);
use JSON::PP       ();

=head1 NAME

Lab::Agent - calls the hooks of a plugin class in one long-lived process of a guest

=head1 METHODS

=over

=item start($guest, $class, include => [absolute dirs], dir => '/', load_timeout => 120)

Starts C<hook_agent> and waits until it has loaded the class. C<load_ms> tells how long that took.

=item call($method, @arguments)

Calls a class method in the caller's context and returns what it returned; dies with its error,
which is the hook's text unchanged.

=item ask({ method, args, context, fresh, alarm, class, timeout })

The same with everything visible: returns the reply, C<{ ok, result, ms, warnings }> or C<{ error,
ms, warnings }>. C<fresh> makes the call in a forked child, as a PVE worker would; C<alarm> gives it
that many seconds, as the storage lock would; C<timeout> (default 120 s) bounds the wait.

=item submit($request), receive($seconds)

The two halves of C<ask>, for calls that run on several nodes at the same time.

=item worker($code)

Runs C<$code>, whose calls are all made in one forked child of the agent: a task, as PVE's daemons
run it. Returns what C<$code> returns.

=item stop

Lets the process end and returns its result as L<Lab::Process/wait> does.

=back

=cut

use constant REPLY_S => 120;

my $json = JSON::PP->new->ascii->utf8->canonical;

sub start ($class, $guest, $plugin, %options) {
    my $program = dirname(dirname(abs_path(__FILE__))) . '/hook_agent';
    my $process = $guest->spawn(['perl', '-T', $program, $plugin, ($options{include} // [])->@*],
        dir => $options{dir} // '/',);
    my $self  = bless({guest => $guest, process => $process, plugin => $plugin}, $class);
    my $ready = $self->receive($options{load_timeout} // REPLY_S);
    die "guest '" . $guest->name . "': cannot load $plugin: $ready->{error}" if $ready->{error};
    $self->{load_ms} = $ready->{ms};
    return $self;
}

sub load_ms ($self) { return $self->{load_ms} }

sub process ($self) { return $self->{process} }

sub receive ($self, $seconds = REPLY_S) {
    my $line = $self->{process}->read_line($seconds);
    return $json->decode($line) if defined($line);
    my $end = $self->{process}->wait(1);
    die "guest '"
        . $self->{guest}->name
        . "': the agent of $self->{plugin} ended with $end->{code}:\n$end->{err}\n";
}

sub submit ($self, $request) {
    $self->{process}->write($json->encode($request) . "\n");
    return;
}

sub ask ($self, $request) {
    my %request = $request->%*;
    my $seconds = delete($request{timeout}) // REPLY_S;
    $self->submit(\%request);
    return $self->receive($seconds);
}

sub call ($self, $method, @arguments) {
    my $context = wantarray ? 'list' : 'scalar';
    my $reply   = $self->ask({method => $method, args => \@arguments, context => $context});
    die $reply->{error} if exists($reply->{error});
    return wantarray ? $reply->{result}->@* : $reply->{result}[0];
}

sub worker ($self, $code) {
    my $begun = $self->ask({worker => 'begin'});
    die $begun->{error} if $begun->{error};
    my $result = eval { $code->() };
    my $error  = $@;

    # A worker that died with its call has said so to that call.
    $self->ask({worker => 'end'});
    die $error if $error;
    return $result;
}

sub stop ($self) {
    $self->{process}->close_input;
    return $self->{process}->wait;
}

1;
