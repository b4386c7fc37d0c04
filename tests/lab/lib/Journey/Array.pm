# SPDX-License-Identifier: AGPL-3.0-or-later
package Journey::Array;

# The simulator in the array guest: an HTTPS server before an NVMe target, the kernel's or its own.

use v5.36;

use Cwd            qw(abs_path);
use File::Basename qw(dirname);
use JSON::PP       ();

use constant {
    CONTROL => '/run/ontap-sim.sock',
    STATE   => '/run/ontap-sim',
    CONFIG  => '/run/lab/ontap-sim.json',
    READY_S => 60,
};

my $json = JSON::PP->new->utf8->canonical;

# One SVM at the portals, and a second one that only IPv6 reaches.
my sub svms ($lab) {
    my %any = (nvme => JSON::PP::true(), aggregates => ['aggr1']);
    my $n   = 0;
    my @lifs =
        map { $n++; {name => "svm2_nvme_$n", address => $_, node => "sim-0$n"} } $lab->portals6;
    return [
        {%any, name => 'svm1', has_portals => JSON::PP::true()},
        {%any, name => 'svm2', lifs        => \@lifs},
    ];
}

# Options: program, account, password, data_plane (nvmet, ontap-sim).
sub start ($class, $lab, %options) {
    my $guest  = $lab->guest('array');
    my %config = (
        accounts => [{name => $options{account}, password => $options{password}}],
        svms     => svms($lab),
    );
    $guest->write_file(CONFIG, $json->encode(\%config));
    my $address   = $lab->management_address;
    my @arguments = (
        $options{data_plane} eq 'nvmet' ? '--nvmet' : '--nvme-target',
        '--listen' => "$address:443",
        (map { ('--portal' => $_) } $lab->portals),
        '--control' => CONTROL,
        '--state'   => STATE,
        '--config'  => CONFIG,
    );
    my $process = $guest->spawn([$options{program}, @arguments]);
    my $self    = bless({guest => $guest, process => $process, address => $address}, $class);
    my $line    = $process->read_line(READY_S);

    if (!defined($line)) {
        my $end = $process->wait(1);
        die "the simulator ended with $end->{code}: $end->{out}$end->{err}\n";
    }
    $self->{ready} = $json->decode($line);
    my $relay = dirname(dirname(dirname(abs_path(__FILE__)))) . '/guest/simctl';
    $self->{control} = $guest->spawn(['perl', $relay, CONTROL]);
    return $self;
}

sub address ($self) { return $self->{address} }
sub ca_pem  ($self) { return $self->{guest}->read_file($self->{ready}{ca}) }

# One command of the control socket; tests/sim/README.md lists them.
sub ctl ($self, $name, %arguments) {
    $self->{control}->write($json->encode({cmd => $name, %arguments}) . "\n");
    my $line  = $self->{control}->read_line // die "the simulator's control socket is closed\n";
    my $reply = $json->decode($line);
    $reply->{ok} or die "simulator: $reply->{error}\n";
    return $reply;
}

sub count   ($self) { return $self->ctl('count')->{count} }
sub log     ($self) { return $self->ctl('log')->{requests}->@* }
sub orphans ($self) { return $self->ctl('orphans')->{orphans}->@* }
sub state   ($self) { return $self->ctl('state')->{state} }

sub records ($self, $target) {
    my $answer = $self->ctl('admin', method => 'GET', target => $target);
    $answer->{status} == 200 or die "the array answers $answer->{status} to $target\n";
    return $answer->{body}{records}->@*;
}

# The namespace inside of a FlexVol, as the array knows it.
sub namespace ($self, $flexvol) {
    my @found = $self->records("/api/storage/namespaces?location.volume.name=$flexvol&fields=**");
    @found == 1 or die 'the array has ' . @found . " namespaces in '$flexvol'\n";
    return $found[0];
}

sub subsystem_nqn ($self, $name) {
    my @found = $self->records("/api/protocols/nvme/subsystems?name=$name&fields=target_nqn");
    @found == 1 or die 'the array has ' . @found . " subsystems '$name'\n";
    return $found[0]{target_nqn};
}

sub stop ($self) {
    $self->{control}->close_input;
    $self->{control}->wait(30);
    $self->{process}->signal('TERM');

    # The kernel's target lets go of a queue whose handshake was cut off only when its host gives it up,
    # which takes 60 seconds.
    return $self->{process}->wait(90);
}

1;
