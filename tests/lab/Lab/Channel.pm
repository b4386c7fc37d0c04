# SPDX-License-Identifier: AGPL-3.0-or-later
package Lab::Channel;

use v5.36;

use Errno ();
use IO::Handle;
use Time::HiRes qw(time);

=head1 NAME

Lab::Channel - the host's end of a guest's command server

=head1 MESSAGES

A message is a 32-bit length and a list of fields, each with a 32-bit length of its own: cheap to
take apart inside an emulated guest, and safe for any bytes.

    to the guest     start ID TIMEOUT_MS DIR COMMAND...   input ID BYTES   signal ID NAME
    from the guest   hello PID   out ID BYTES   err ID BYTES   end ID STATUS MS TIMED_OUT

C<input> without bytes closes the standard input. Status is that of wait(2).

=cut

use constant CHUNK_BYTES => 262_144;

# A guest that takes no command for so long is stuck, not slow.
use constant SEND_S => 60;

sub new ($class, $socket) {
    $socket->blocking(0);
    return
        bless({socket => $socket, received => '', listener => {}, last_id => 0, hello => 0},
        $class);
}

sub greeted ($self) { return $self->{hello} }

# Gives the next free id to something with a method take($kind, @fields).
sub register ($self, $listener) {
    my $id = ++$self->{last_id};
    $self->{listener}{$id} = $listener;
    return $id;
}

my sub is_ready ($socket, $for_writing, $seconds) {
    vec(my $wanted = '', fileno($socket), 1) = 1;
    my $none;
    my $count =
        $for_writing
        ? select($none,   $wanted, undef, $seconds)
        : select($wanted, $none,   undef, $seconds);
    return $count > 0;
}

# Dies when the guest is gone or does not listen.
sub send ($self, @fields) {
    my $bytes    = pack('N/a*', pack('(N/a*)*', @fields));
    my $deadline = time() + SEND_S;
    local $SIG{PIPE} = 'IGNORE';
    while (length($bytes)) {
        my $left = $deadline - time();
        die "takes no commands any more\n" if $left <= 0;
        is_ready($self->{socket}, 1, $left) or next;
        my $n = syswrite($self->{socket}, $bytes, CHUNK_BYTES);
        die "is gone\n"           if !defined($n) && !$!{EAGAIN};
        substr($bytes, 0, $n, '') if $n;
    }
    return;
}

my sub dispatch ($self, $kind, $id, @rest) {
    if ($kind eq 'hello') {
        $self->{hello} = 1;
        return;
    }
    my $listener = $kind eq 'end' ? delete($self->{listener}{$id}) : $self->{listener}{$id};
    $listener->take($kind, @rest) if $listener;
    return;
}

# Waits up to $seconds for messages and hands them out. False when none came. Dies when the guest is
# gone.
sub receive ($self, $seconds) {
    is_ready($self->{socket}, 0, $seconds > 0 ? $seconds : 0) or return 0;
    my $n = sysread($self->{socket}, $self->{received}, CHUNK_BYTES, length($self->{received}));
    return 0        if !defined($n) && ($!{EAGAIN} || $!{EINTR});
    die "is gone\n" if !$n;
    my $offset = 0;
    while (length($self->{received}) >= $offset + 4) {
        my $length = unpack('N', substr($self->{received}, $offset, 4));
        last if length($self->{received}) < $offset + 4 + $length;
        dispatch($self, unpack('(N/a*)*', substr($self->{received}, $offset + 4, $length)));
        $offset += 4 + $length;
    }
    substr($self->{received}, 0, $offset, '');
    return 1;
}

1;
