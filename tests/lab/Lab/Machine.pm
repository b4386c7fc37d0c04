# SPDX-License-Identifier: AGPL-3.0-or-later
package Lab::Machine;

use v5.36;

use Fcntl  qw(F_SETFD);
use POSIX  ();
use Socket qw(AF_UNIX SOCK_STREAM PF_UNSPEC);

=head1 NAME

Lab::Machine - one QEMU process: its command line, its life and its serial log

=cut

# What a guest printed last is what explains its death.
use constant TAIL_LINES => 60;

# Starts QEMU. Everything it talks through is a socket pair inherited by number, so nothing is left
# in the file system and no port of the host is used. The fields of %spec:
#   name, role, addresses, uuid   who the guest is
#   memory, smp                   its size
#   links      list of [socket, MAC address], one per network card
#   words      more words for the kernel, which win over those of every guest
#   cluster    host folder for /etc/pve (nodes only)
#   cache      a Lab::Cache; accelerator  its options
#   guest_dir  the folder with the guest's scripts
#   checkout   the checkout, which a guest sees at its own path
#   log_dir    where NAME.serial and NAME.qemu go
sub start ($class, %spec) {
    socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC)
        or die "lab: socketpair: $!\n";
    my $self = bless(
        {
            name   => $spec{name},
            socket => $ours,
            serial => "$spec{log_dir}/$spec{name}.serial",
            qemu   => "$spec{log_dir}/$spec{name}.qemu",
            owner  => $$,
        },
        $class
    );

    my @command = $class->command_line(\%spec, $self->{serial}, fileno($theirs));
    my $pid     = fork() // die "lab: fork: $!\n";
    if (!$pid) {

        # A terminal's interrupt must reach the test, which then ends its guests in its own order.
        setpgrp(0, 0);
        open(STDIN,  '<',  '/dev/null');
        open(STDOUT, '>',  $self->{qemu});
        open(STDERR, '>&', \*STDOUT);
        fcntl($_, F_SETFD, 0) for $theirs, map { $_->[0] } $spec{links}->@*;
        { no warnings 'exec'; exec({$command[0]} @command); }
        print STDERR "cannot run '$command[0]': $!\n";
        POSIX::_exit(127);
    }
    $self->{pid} = $pid;
    return $self;
}

sub command_line ($class, $spec, $serial, $command_fd) {
    my $cache        = $spec->{cache};
    my $share        = 'security_model=none,multidevs=remap';
    my @kernel_words = (

        # The time stamp counter would be measured against a timer, which goes wrong on a busy
        # emulator: such a guest's clock ran four to ten times too fast, and with it every time-out.
        # The HPET's rate is given.
        qw(clocksource=hpet tsc=unstable no_timer_check),
        qw(console=ttyS0 quiet loglevel=4 panic=-1 mitigations=off),
        qw(random.trust_cpu=on net.ifnames=0 nvme_core.multipath=Y),
        "lab.name=$spec->{name}", "lab.role=$spec->{role}", "lab.uuid=$spec->{uuid}",
        'lab.addresses=' . join(',', $spec->{addresses}->@*),
        "lab.boot=$spec->{guest_dir}/boot", "lab.server=$spec->{guest_dir}/server",
        'lab.layers=' . join(',', map { $_->[0] } $cache->layers),
        $cache->has_checkout ? () : "lab.checkout=$spec->{checkout}",
        $spec->{words}->@*,
    );
    my @read_only = ($cache->layers, ['modules', $cache->modules]);
    push(@read_only, ['checkout', $spec->{checkout}]) if !$cache->has_checkout;
    my @links;
    for my $n (0 .. $spec->{links}->$#*) {
        my ($socket, $mac) = $spec->{links}[$n]->@*;

        # Datagrams keep their borders, so a guest that dies in the middle of a frame cannot spoil
        # the link for its successor.
        push(@links,
            "-netdev dgram,id=net$n,local.type=fd,local.str=" . fileno($socket),
            "-device virtio-net-pci,netdev=net$n,mac=$mac,romfile=");
    }
    my @options = (
        "-name $spec->{name}",
        "-m $spec->{memory}",
        "-smp $spec->{smp}",
        '-kernel ' . $cache->vmlinuz,
        '-initrd ' . $cache->initrd,
        "-append @kernel_words",
        "-serial file:$serial",
        '-device virtio-rng-pci',
        '-device virtio-serial-pci',
        "-chardev socket,id=lab,fd=$command_fd",
        '-device virtserialport,chardev=lab,name=lab',
        (map { "-virtfs local,path=$_->[1],mount_tag=$_->[0],readonly=on,$share" } @read_only),
        @links,
    );
    push(@options, "-virtfs local,path=$spec->{cluster},mount_tag=cluster,$share")
        if $spec->{cluster};
    return (
        # The guest must not outlive the test, however that ends.
        qw(setpriv --pdeathsig KILL qemu-system-x86_64), $spec->{accelerator}->@*,
        qw(-machine q35 -nodefaults -no-user-config -no-reboot -display none),
        map { split(/ /, $_, 2) } @options,
    );
}

sub name   ($self) { return $self->{name} }
sub pid    ($self) { return $self->{pid} }
sub socket ($self) { return $self->{socket} }

# Ends the process now, as a power cut would. Safe to repeat; a forked child of the test does
# nothing.
sub end ($self) {
    return if $self->{owner} != $$ || !$self->{pid};
    kill('CONT', $self->{pid});
    kill('KILL', $self->{pid});
    waitpid($self->{pid}, 0);
    delete($self->{pid});
    return;
}

# Freezes or thaws the guest: a node that hangs without being dead.
sub signal ($self, $name) { return kill($name, $self->{pid}) }

# The end of what the guest and QEMU printed, for an error message.
sub last_words ($self) {
    my $words = '';
    for my $file ($self->{qemu}, $self->{serial}) {
        open(my $fh, '<:raw', $file) or next;
        my @lines = readline($fh);
        splice(@lines, 0, -TAIL_LINES()) if @lines > TAIL_LINES;
        $words .= join('', map { s/\r//gr } @lines);
    }
    return $words || "(it printed nothing)\n";
}

1;
