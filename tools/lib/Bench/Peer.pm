# SPDX-License-Identifier: AGPL-3.0-or-later
# One plugin's tree in a process of its own (Bench::Worker), with an array of its own that holds so many
# disks of other VMs.
package Bench::Peer;

use v5.36;

use Config;
use IO::Handle ();
use JSON::PP ();

use OntapSim;

use constant {
    DISKS_A_VM => 4,
    FIRST_VMID => 100_000, # beyond those of what is measured
    DISK_BYTES => 4 * 1024 * 1024,
    FLEXVOL_BYTES => 20 * 1024 * 1024,
};

my $json = JSON::PP->new->canonical->utf8;

my sub must ($sim, @call) {
    my $answer = $sim->admin(@call);
    return if $answer->{status} < 300;
    die "bench: the array refuses $call[0] $call[1]: $answer->{body}{error}{message}\n";
}

# As an earlier release made them, without marks; not mapped, so that the stand-in for the kernel has no
# more devices to look at than on a node without them.
my sub populate ($sim, $disks) {
    for my $number (0 .. $disks - 1) {
        my $name = sprintf('vm_%d_disk_%d', FIRST_VMID + int($number / DISKS_A_VM), $number % DISKS_A_VM);
        must($sim, 'POST', '/api/storage/volumes?return_timeout=15', {
            svm => { name => 'svm1' }, name => $name, aggregates => [{ name => 'aggr1' }],
            size => FLEXVOL_BYTES,
        });
        must($sim, 'POST', '/api/storage/namespaces', {
            svm => { name => 'svm1' }, name => "/vol/$name/$name", os_type => 'linux',
            space => { size => DISK_BYTES },
        });
    }
    return;
}

# `name`; `include`: where its Perl modules are; `process`: warm or cold; `disks`; `settings`: more of
# the section; `listen`: an address of the array; `trace`: a file for strace's record.
sub start ($class, %what) {
    my $sim = OntapSim->start($what{listen} ? (listen => $what{listen}) : ());
    populate($sim, $what{disks});
    my $self = bless({ name => $what{name}, sim => $sim }, $class);
    my @command = ($Config{perlpath}, '-T', (map { "-I$_" } $what{include}->@*), '-MBench::Worker', '-e',
        'Bench::Worker::serve()');
    unshift(@command, 'strace', '-f', '-qq', '-o', $what{trace}) if $what{trace};
    pipe(my $from_driver, $self->{to}) or die "pipe: $!\n";
    pipe($self->{from}, my $to_driver) or die "pipe: $!\n";
    $self->{pid} = fork() // die "fork: $!\n";
    if (!$self->{pid}) {
        open(STDIN, '<&', $from_driver) or die "dup: $!\n";
        open(STDOUT, '>&', $to_driver) or die "dup: $!\n";
        { exec(@command); }
        print STDERR "bench: cannot run $command[0]: $!\n";
        require POSIX;
        POSIX::_exit(127);
    }
    close($from_driver);
    close($to_driver);
    $self->{to}->autoflush(1);
    $self->_send({
        sim => $sim->facts(),
        settings => $what{settings} // {},
        is_cold => $what{process} eq 'cold' ? 1 : 0,
        is_traced => $what{trace} ? 1 : 0,
        is_talkative => $what{is_talkative} ? 1 : 0,
    });
    return $self;
}

sub _send ($self, $what) {
    local $SIG{PIPE} = 'IGNORE'; # the answer, or that there is none, says more
    print { $self->{to} } $json->encode($what) . "\n";
    my $line = readline($self->{from});
    if (!defined($line)) {
        $self->{has_ended} = 1;
        die "bench: the process of '$self->{name}' ended early\n";
    }
    my $report = $json->decode($line);
    die "bench: $self->{name}: $report->{failed}" if defined($report->{failed});
    return $report;
}

sub has_ended ($self) { return $self->{has_ended} }

# One measurement; dies when what surrounds it fails.
sub run ($self, $what) { return $self->_send($what) }

sub stop ($self) {
    close($self->{to});
    waitpid($self->{pid}, 0);
    $self->{sim}->stop();
    return;
}

1;
