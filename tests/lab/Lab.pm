# SPDX-License-Identifier: AGPL-3.0-or-later
package Lab;

use v5.36;

use Cwd            qw(abs_path);
use File::Basename qw(dirname);
use File::Path     qw(make_path remove_tree);
use Scalar::Util   qw(weaken);
use Socket         qw(AF_UNIX SOCK_DGRAM PF_UNSPEC);
use Time::HiRes    qw(time);

use Lab::Cache;
use Lab::Guest;
use Lab::Machine;

=head1 NAME

Lab - three virtual machines with a real NVMe/TCP fabric between them

=head1 SYNOPSIS

    use lib "$project/tests/lab";
    use Lab;

    my $lab = Lab->new(work => "$build/lab");
    $lab->start;
    my $node = $lab->guest('node1');
    say $node->must('uname -r');
    my $hooks = $node->agent('PVE::Storage::Custom::OntapNvmeTcpPlugin', include => \@dirs);
    my $volname = $hooks->call(alloc_image => 'store', $scfg, 100, 'raw', undef, 1048576);
    $lab->cut_path('10.77.0.11', how => 'silent');
    $lab->stop;

=head1 DESCRIPTION

C<array> owns 10.77.0.10 (management) and the portals 10.77.0.11 and 10.77.0.12, over IPv6
fd00:77::11 and fd00:77::12; C<node1> is 10.77.0.1 and fd00:77::1, C<node2> is 10.77.0.2 and
fd00:77::2. The name C<portals> stands for both portals. The root of each is this machine's own
tree, or one of another Debian release with the checkout in it, read-only, under a layer in memory:
what was built in it runs there, at the same path. Files that a guest has read must not change on
the host while it runs. The nodes share a writable F</etc/pve>, which is
C<cluster_dir> on the host.

Every call has a deadline, and a guest that dies makes calls on it die with its last words. All
guests end with the process that started them, whatever ends it.

=head1 METHODS

=over

=item new(work => $dir, %options)

C<work> keeps logs (F<NAME.serial>, F<NAME.qemu>) and F<cluster/>; it is created. Options: C<root> (a
Debian release, default this machine's), C<kernel> (another one's, default that of the root), C<guests> (list reference, default all three), C<memory> (hash of
guest to QEMU size), C<boot_timeout> (seconds, default 240).

=item start

Prepares what is missing, boots all guests at once and waits for them.

=item guest($name)

A L<Lab::Guest>. The object stays valid over C<reboot_guest>.

=item cut_path($portal, how => 'clean' | 'silent', from => $node)

Takes a portal away. C<clean> (default): the portal refuses at once, since the target's subsystems
are unlinked from it (nvmet must be set up; concerns every node). C<silent>: its packets vanish and
only time-outs notice, optionally for one node only.

=item restore_path($portal, from => $node)

Undoes either.

=item kill_guest($name), reboot_guest($name, @kernel_words), pause_guest($name), resume_guest($name)

A power cut; a power cut followed by a new boot (everything in memory is lost, F</etc/pve> stays); a
machine that hangs; and its return.

=item power_off($name, $seconds)

Tells a guest with systemd as process 1 (C<reboot_guest> with the word C<lab.stage=DIR>, the folder of
what is installed there) to end in an orderly way, and waits. Returns the milliseconds that it took.

=item nvmet($verb, @arguments)

Sets up the kernel's target on C<array> without a simulator; F<guest/nvmet> lists the verbs.

=item kernel, portals, portals6, management_address, cluster_dir, work_dir

=item stop

Ends all guests. Also happens by itself.

=back

=cut

use constant BOOT_S => 240;

my @portals    = ('10.77.0.11', '10.77.0.12');
my $management = '10.77.0.10';

# The same two network cards, for what is reached over IPv6.
my @portals6 = ('fd00:77::11', 'fd00:77::12');

# Two nodes at most: the array has one network card for each.
my %plan = (
    array => {
        role      => 'array',
        addresses => [$management, @portals, @portals6],
        memory    => '3G',
        number    => 10
    },
    node1 =>
        {role => 'node', addresses => ['10.77.0.1', 'fd00:77::1'], memory => '1G', number => 1},
    node2 =>
        {role => 'node', addresses => ['10.77.0.2', 'fd00:77::2'], memory => '1G', number => 2},
);

my $checkout = dirname(dirname(dirname(abs_path(__FILE__))));

# The labs that run, weakly held: for the signal handlers and END only.
my %running;

sub new ($class, %options) {
    my $work = $options{work} // die "lab: new needs a work folder\n";

    # What an earlier run left in /etc/pve, locks above all, would decide how this one goes.
    remove_tree("$work/cluster");
    make_path("$work/cluster/priv/lock", "$work/cluster/nodes/node1", "$work/cluster/nodes/node2");
    my @guests = ($options{guests} // [qw(array node1 node2)])->@*;
    $plan{$_} or die "lab: there is no guest '$_'\n" for @guests;
    return bless(
        {
            work         => abs_path($work),
            kernel       => $options{kernel}       // $options{root} // Lab::Cache->own_release,
            root         => $options{root},
            boot_timeout => $options{boot_timeout} // BOOT_S,
            memory       => $options{memory}       // {},
            names        => \@guests,
            machine      => {},
            guest        => {},
            owner        => $$,
        },
        $class
    );
}

sub portals            ($self) { return @portals }
sub portals6           ($self) { return @portals6 }
sub management_address ($self) { return $management }
sub work_dir           ($self) { return $self->{work} }
sub kernel             ($self) { return $self->{kernel} }
sub cluster_dir        ($self) { return "$self->{work}/cluster" }

sub guest ($self, $name) {
    return $self->{guest}{$name} // die "lab: guest '$name' is not running\n";
}

# The two ends of each cable, made once: a guest that boots again is plugged into the same one.
my sub lay_cables ($self) {
    for my $node (grep { $plan{$_}{role} eq 'node' } $self->{names}->@*) {
        socketpair(my $array_end, my $node_end, AF_UNIX, SOCK_DGRAM, PF_UNSPEC)
            or die "lab: socketpair: $!\n";
        my $number = $plan{$node}{number};
        push($self->{links}{array}->@*, [$array_end, sprintf('52:54:00:77:0a:%02x', $number)]);
        $self->{links}{$node} = [[$node_end, sprintf('52:54:00:77:00:%02x', $number)]];
    }
    return;
}

my sub boot ($self, $name, @words) {
    my $plan    = $plan{$name};
    my $machine = Lab::Machine->start(
        name        => $name,
        role        => $plan->{role},
        addresses   => $plan->{addresses},
        uuid        => sprintf('77000000-0000-4000-8000-%012d', $plan->{number}),
        memory      => $self->{memory}{$name} // $plan->{memory},
        smp         => 1,
        links       => $self->{links}{$name} // [],
        words       => \@words,
        cluster     => $plan->{role} eq 'node' ? $self->cluster_dir : undef,
        cache       => $self->{cache},
        accelerator => $self->{accelerator},
        guest_dir   => "$checkout/tests/lab/guest",
        checkout    => $checkout,
        log_dir     => $self->{work},
    );
    $self->{machine}{$name} = $machine;
    my $guest = Lab::Guest->new($machine, addresses => $plan->{addresses});

    # Callers keep the object over a reboot, so the new contents go into the old one.
    if   ($self->{guest}{$name}) { $self->{guest}{$name}->%* = $guest->%* }
    else                         { $self->{guest}{$name}     = $guest }
    return;
}

my sub end_on_signals ($self) {
    for my $name (qw(INT TERM HUP)) {

        # A test that has its own handler dies or exits in it, and END does the rest.
        next if ref($SIG{$name}) || ($SIG{$name} // 'DEFAULT') ne 'DEFAULT';
        $SIG{$name} = sub {
            $_->stop for grep { defined } values(%running);
            $SIG{$name} = 'DEFAULT';
            kill($name, $$);
        };
    }
    return;
}

sub start ($self) {
    $self->{cache}       = Lab::Cache->prepare($self->%{qw(kernel root)});
    $self->{accelerator} = [$self->{cache}->accelerator];
    weaken($running{$self} = $self);
    end_on_signals($self);
    lay_cables($self);
    boot($self, $_) for $self->{names}->@*;
    $self->guest($_)->await_boot($self->{boot_timeout}) for $self->{names}->@*;
    return $self;
}

sub stop ($self) {
    return if $self->{owner} != $$;
    $_->end for values($self->{machine}->%*);
    $self->{machine} = {};
    delete($running{$self});
    return;
}

sub kill_guest ($self, $name) {
    ($self->{machine}{$name} // die "lab: guest '$name' is not running\n")->end;
    return;
}

sub reboot_guest ($self, $name, @words) {
    $self->kill_guest($name);
    boot($self, $name, @words);
    $self->guest($name)->await_boot($self->{boot_timeout});
    return;
}

sub power_off ($self, $name, $seconds) {
    my $started = time();
    my $guest   = $self->guest($name);
    $guest->spawn(['systemctl', 'poweroff']);
    while ($guest->is_alive) {
        my $left = $started + $seconds - time();
        $left > 0
            or die "guest '$name' does not end within $seconds s; its last words:\n"
            . $guest->machine->last_words;
        eval { $guest->listen($left) };
    }
    return int(1000 * (time() - $started));
}

sub pause_guest  ($self, $name) { $self->{machine}{$name}->signal('STOP'); return }
sub resume_guest ($self, $name) { $self->{machine}{$name}->signal('CONT'); return }

my sub guest_tool ($name) { return "$checkout/tests/lab/guest/$name" }

sub nvmet ($self, @arguments) {
    return $self->guest('array')->must([guest_tool('nvmet'), @arguments]);
}

my sub silence_arguments ($portal, $node) {
    return ($portal, $node ? $plan{$node}{addresses}[0] : ());
}

sub cut_path ($self, $portal, %options) {
    my $how = $options{how} // 'clean';
    if ($how eq 'silent') {
        my @arguments = silence_arguments($portal, $options{from});
        $self->guest('array')->must([guest_tool('silence'), @arguments]);
    } elsif ($how eq 'clean') {
        die "lab: a clean cut concerns every node\n" if $options{from};
        $self->nvmet('unlink', $portal);
    } else {
        die "lab: a path is cut clean or silent, not '$how'\n";
    }
    $self->{cut}{$portal}{$options{from} // ''} = $how;
    return;
}

sub restore_path ($self, $portal, %options) {
    my $how = delete($self->{cut}{$portal}{$options{from} // ''}) // return;
    if ($how eq 'silent') {
        my @arguments = silence_arguments($portal, $options{from});
        $self->guest('array')->must([guest_tool('silence'), '--end', @arguments]);
    } else {
        $self->nvmet('relink', $portal);
    }
    return;
}

sub DESTROY ($self) {
    local ($., $@, $!, $^E, $?);
    $self->stop;
    return;
}

END {
    # waitpid sets the exit code that this process is about to leave with.
    local $?;
    $_->stop for grep { defined } values(%running);
}

1;
