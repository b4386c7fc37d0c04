# SPDX-License-Identifier: AGPL-3.0-or-later
package OntapSim;

# Runs the ONTAP simulator for a test: its own process, a real HTTPS server, a control socket.
#
#   my $sim = OntapSim->start(release => '9.12.1');
#   $sim->ctl({ cmd => 'fault-add', method => 'POST', path => '/storage/volumes', drop_after => \1 });
#   is($sim->count(), 3, 'three requests');
#   $sim->stop();
#
# tests/sim/README.md lists the commands. The process ends with the object, and with the test.

use v5.36;

use Carp qw(croak);
use File::Temp ();
use IO::Socket::UNIX ();
use JSON::PP ();
use Socket qw(SOCK_STREAM);

use constant {
    READY_SECONDS => 20, # far beyond what a loaded machine needs; a hang must still end the test
    REPLY_SECONDS => 60,
};

my $json = JSON::PP->new->canonical->utf8;

# Perl refuses tainted program names and arguments; what a test passes here is the test's own.
my sub untaint ($value) {
    my ($clean) = $value =~ m/\A(.*)\z/s;
    return $clean;
}

# Options: program (or env ONTAP_SIM), state, listen, release, personality, portals, config (a hash
# or a file name), nvmet, nvmet_root.
sub start ($class, %options) {
    my $program = $options{program} // $ENV{ONTAP_SIM} // croak 'set ONTAP_SIM to the simulator';
    my $folder = File::Temp->newdir('ontap-sim-XXXXXX', TMPDIR => 1);
    my $state = $options{state} // "$folder";
    my $self = bless({ folder => $folder, control => "$folder/control", owner => $$ }, $class);

    my @arguments = ('--state', $state, '--control', $self->{control}, '--die-with-parent');
    push(@arguments, '--listen', $_)
        for ref($options{listen}) ? $options{listen}->@* : $options{listen} // '127.0.0.1:0';
    push(@arguments, '--portal', $_) for ($options{portals} // [])->@*;
    for my $name (qw(release personality)) {
        push(@arguments, "--$name", $options{$name}) if defined($options{$name});
    }
    push(@arguments, '--nvmet') if $options{nvmet};
    push(@arguments, '--nvmet-root', $options{nvmet_root}) if defined($options{nvmet_root});
    push(@arguments, '--config', $self->_config_file($options{config}))
        if defined($options{config});

    $self->_spawn(untaint($program), map { untaint($_) } @arguments);
    return $self;
}

sub _config_file ($self, $config) {
    return $config if !ref($config);
    my $path = "$self->{folder}/config.json";
    open(my $file, '>', untaint($path)) or croak "cannot write $path: $!";
    print {$file} $json->encode($config);
    close($file) or croak "cannot write $path: $!";
    return $path;
}

sub _spawn ($self, @command) {
    pipe(my $reader, my $writer) or croak "pipe: $!";
    my $pid = fork() // croak "fork: $!";
    if ($pid == 0) {
        open(STDOUT, '>&', $writer) or exit(127);
        close($reader);
        local %ENV = (PATH => '/usr/bin:/bin'); # nothing of it is needed, and it may be tainted
        { exec { $command[0] } @command; }
        print STDERR "cannot run $command[0]: $!\n";
        require POSIX;
        POSIX::_exit(127); # no destructor of the parent's objects may run here
    }
    close($writer);
    $self->{pid} = $pid;

    my $line = eval {
        local $SIG{ALRM} = sub { die "no ready line\n" };
        alarm(READY_SECONDS);
        my $first = <$reader>;
        alarm(0);
        $first;
    };
    alarm(0);
    if (!defined($line)) {
        $self->stop();
        croak "the simulator did not start: @command";
    }
    my $ready = $json->decode($line);
    $self->{listen} = $ready->{listen};
    $self->{ca} = $ready->{ca};
    return;
}

# For another process: what `attach` needs there. The simulator ends with the one that started it.
sub facts ($self) { return { map { $_ => $self->{$_} } qw(control listen ca) } }
sub attach ($class, $facts) {
    my %known = map { $_ => ref($facts->{$_}) ? $facts->{$_} : untaint($facts->{$_}) } keys($facts->%*);
    return bless({ %known, owner => 0 }, $class);
}

# One control command; dies when the simulator refuses it.
sub ctl ($self, $command) {
    my $socket = $self->{socket};
    if (!$socket || $self->{socket_owner} != $$) {
        $socket = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $self->{control})
            or croak "control socket: $!";
        $self->{socket} = $socket;
        $self->{socket_owner} = $$; # a forked test must not share the parent's answers
    }
    print {$socket} $json->encode($command) . "\n";
    $socket->flush();
    my $line = eval {
        local $SIG{ALRM} = sub { die "no answer\n" };
        alarm(REPLY_SECONDS);
        my $first = <$socket>;
        alarm(0);
        $first;
    };
    alarm(0);
    croak "the simulator gave no answer to '$command->{cmd}'" if !defined($line);
    my $reply = $json->decode($line);
    croak "simulator: $reply->{error}" if !$reply->{ok};
    return $reply;
}

sub set ($self, %settings) { return $self->ctl({ cmd => 'set', %settings }) }
sub fault ($self, %rule) { return $self->ctl({ cmd => 'fault-add', %rule })->{id} }
sub clear_faults ($self) { return $self->ctl({ cmd => 'fault-clear' }) }
sub count ($self) { return $self->ctl({ cmd => 'count' })->{count} }
sub log ($self) { return $self->ctl({ cmd => 'log' })->{requests}->@* }
sub clear_log ($self) { return $self->ctl({ cmd => 'log-clear' }) }
sub orphans ($self) { return $self->ctl({ cmd => 'orphans' })->{orphans}->@* }
sub state ($self) { return $self->ctl({ cmd => 'state' })->{state} }

# A REST call as the cluster's administrator, neither logged nor counted nor made to fail.
sub admin ($self, $method, $target, $body = undef) {
    return $self->ctl({ cmd => 'admin', method => $method, target => $target, body => $body });
}

sub url ($self) { return "https://$self->{listen}[0]" }
sub port ($self) { return $self->{listen}[0] =~ m/:(\d+)\z/ ? $1 : undef }
sub ca ($self) { return $self->{ca} }
sub pid ($self) { return $self->{pid} }
sub listen ($self) { return $self->{listen}->@* }

# Ends this simulator and no other process. A forked child only forgets it.
sub stop ($self) {
    delete $self->{socket};
    my $pid = delete $self->{pid};
    return if !defined($pid) || $self->{owner} != $$;
    local ($?, $!);
    kill('TERM', $pid);
    waitpid($pid, 0);
    return;
}

sub DESTROY ($self) { $self->stop(); return; }

1;
