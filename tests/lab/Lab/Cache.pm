# SPDX-License-Identifier: AGPL-3.0-or-later
package Lab::Cache;

use v5.36;

use Cwd            qw(abs_path);
use File::Basename qw(basename dirname);
use Time::HiRes    qw(time);

=head1 NAME

Lab::Cache - what C<setup> prepared: kernel, initramfs, root, and which accelerator works

=cut

# A stock kernel under real KVM is there in two seconds; one that is not there after this never
# comes.
use constant PROBE_S => 15;

# Runs C<setup> for the kernel and the root of those Debian releases (without a root: this machine's
# own tree) and returns where things are. Dies with its message when something cannot be had: a lab
# that quietly does less would prove nothing.
sub prepare ($class, %release) {
    my $here = dirname(dirname(__FILE__));
    my @root = defined($release{root}) ? ('--root', $release{root}) : ();
    system("$here/setup", '--kernel', $release{kernel}, @root) == 0 or die "lab: setup failed\n";
    my $dir       = $ENV{ONTAPNVME_LAB_CACHE} // '/var/cache/ontapnvme-lab';
    my ($modules) = glob("$dir/kernel-$release{kernel}/lib/modules/*");
    my $tree      = defined($release{root}) ? abs_path("$dir/root-$release{root}") : '/';
    my $self      = bless(
        {
            dir     => $dir,
            vmlinuz => "$dir/kernel-$release{kernel}/boot/vmlinuz",
            initrd  => "$dir/initrd-$release{kernel}",
            modules => $modules,
            layers  => [$tree eq '/' ? ['tools', "$dir/tools"] : (), ['root', $tree]],
        },
        $class
    );
    -e ($_ // die "lab: no kernel modules after setup\n")
        or die "lab: '$_' is missing after setup\n"
        for $self->@{qw(vmlinuz initrd modules)}, map { $_->[1] } $self->layers;
    return $self;
}

sub vmlinuz ($self) { return $self->{vmlinuz} }
sub initrd  ($self) { return $self->{initrd} }
sub modules ($self) { return $self->{modules} }

# The trees that are a guest's root, each with a name, from the uppermost to the lowest.
sub layers ($self) { return $self->{layers}->@* }

# This machine's own tree holds the checkout, another one does not.
sub has_checkout ($self) { return $self->{layers}[-1][1] eq '/' }

# Without cmpxchg16b: QEMU 7.2 makes its flags from a stale state. An interrupt right behind one that
# lost its race, as the kernel's allocator has them, then saves and restores flags that nobody set.
my sub emulation () { return ('-accel', 'tcg,thread=multi,tb-size=512', '-cpu', 'max,cx16=off') }

# The Debian release of this machine.
sub own_release ($class) {
    open(my $fh, '<', '/etc/os-release') or die "lab: cannot read '/etc/os-release': $!\n";
    my ($release) = join('', readline($fh)) =~ /^VERSION_ID="?(\d+)"?$/m
        or die "lab: '/etc/os-release' names no release\n";
    return $release;
}

my sub read_first_line ($path) {
    open(my $fh, '<', $path) or return;
    my $line = readline($fh) // return;
    chomp($line);
    return $line;
}

# Boots a guest that only says it is there. True when it did within the limit.
my sub reaches_user_space ($self, @accelerator) {
    my $pid = open(my $serial, '-|') // die "lab: fork: $!\n";
    if (!$pid) {
        open(STDIN,  '<', '/dev/null');
        open(STDERR, '>', '/dev/null');
        exec(
            'setpriv', '--pdeathsig', 'KILL', 'qemu-system-x86_64', @accelerator,
            qw(-machine q35 -m 512M -nodefaults -no-user-config -no-reboot -display none),
            '-kernel', $self->vmlinuz, '-initrd', $self->initrd, '-serial', 'stdio',
            '-append', 'console=ttyS0 quiet panic=-1 lab.probe'
        );
        exit(127);
    }
    my $deadline = time() + PROBE_S;
    my $seen     = '';
    vec(my $wanted = '', fileno($serial), 1) = 1;
    while ($seen !~ /lab: user space reached/ && (my $left = $deadline - time()) > 0) {
        next if select(my $ready = $wanted, undef, undef, $left) <= 0;
        last if !sysread($serial, $seen, 4096, length($seen));
    }
    kill('KILL', $pid);
    close($serial);
    return $seen =~ /lab: user space reached/;
}

# The QEMU options of the accelerator. The presence of /dev/kvm proves nothing (in a nested machine
# the device may open and no stock kernel ever start), so one boot decides and its outcome is kept.
sub accelerator ($self) {
    return emulation() if !-w '/dev/kvm';
    my $host         = read_first_line('/proc/sys/kernel/osrelease');
    my $verdict_file = "$self->{dir}/kvm-" . basename($self->modules) . "-on-$host";
    my $verdict      = read_first_line($verdict_file);
    my @kvm          = qw(-accel kvm -cpu host);
    if (!defined($verdict)) {
        $verdict = reaches_user_space($self, @kvm) ? 'works' : 'never reaches user space';
        open(my $fh, '>', $verdict_file) or die "lab: cannot write '$verdict_file': $!\n";
        print $fh "$verdict\n";
        close($fh);
    }
    return $verdict eq 'works' ? @kvm : emulation();
}

1;
