# SPDX-License-Identifier: AGPL-3.0-or-later
# Tasks as Proxmox VE runs them: each a process of its own, on one of two nodes, all let go at the
# same moment. The lock of a storage is one between processes.
package Workers;

use v5.36;

use Fcntl qw(LOCK_EX LOCK_NB);
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use Guest;
use HookTest;
use SequenceTest;

# As Proxmox VE's: once in the cluster, not for the same process twice, with a limit for waiting and
# one for the work, each by an alarm that stands in for the caller's. Waiters are served without
# delay, where Proxmox VE's ask about once a second.
our $lock_directory;
my $scratch;
my @lock_times; # of this process: { waited, held }

my sub wait_for_lock ($handle, $storeid, $timeout_s) {
    return if flock($handle, LOCK_EX | LOCK_NB);
    local $SIG{ALRM} = sub { die "cfs-lock 'storage-$storeid' error: got lock request timeout\n" };
    alarm($timeout_s);
    flock($handle, LOCK_EX) or die "flock: $!\n";
    alarm(0);
    return;
}

sub cluster_lock ($class, $storeid, $shared, $timeout, $code, @arguments) {
    my $outer_alarm = alarm(0);
    my ($path) = "$lock_directory/$storeid" =~ /\A(.*)\z/;
    open(my $handle, '>', $path) or die "$path: $!\n";
    my $asked = clock_gettime(CLOCK_MONOTONIC);
    my $result;
    my $done = eval {
        wait_for_lock($handle, $storeid, $timeout || 10);
        my $got = clock_gettime(CLOCK_MONOTONIC);
        local $SIG{ALRM} = sub { die "'storage-$storeid'-locked command timed out - aborting\n" };
        alarm(60);
        my $worked = eval { $result = $code->(@arguments); 1 };
        my $error = $@;
        alarm(0);
        my $now = clock_gettime(CLOCK_MONOTONIC);
        push(@lock_times, { waited => $got - $asked, held => $now - $got });
        die $error if !$worked;
        1;
    };
    my $error = $@;
    close($handle);
    alarm($outer_alarm);
    die $error if !$done;
    return $result;
}

# Proxmox VE on one of the cluster's nodes, for the rest of this process.
my sub node_of ($self, $node) {
    my $home = "$self->{scratch}/$self->{name}";
    no warnings 'once';
    $ENV{ONTAP_SIM_NODE} = sprintf('%08x-2fa1-11d2-883f-0016d3cca427',
        unpack('%32N*', pack('A16', "$self->{name}/$node")));
    $PVE::Storage::OntapNvmeTcp::surroundings{state_directory} = "$home/run-$node";
    $PVE::Storage::OntapNvmeTcp::VolumeName::link_directory = "$home/dev-$node";
    return Guest->new(version => (SequenceTest::versions())[-1], sim => $self->{sim},
        scratch => $self->{scratch}, storages => $self->{storages});
}

# The cluster `name`, which shares array and storages with every other, but neither id nor lock.
sub new ($class, %what) {
    my $sim = SequenceTest::simulator();
    no warnings qw(once redefine);
    *PVE::Storage::Plugin::cluster_lock_storage = \&cluster_lock;
    my $self = bless({ name => 'one', %what, sim => $sim }, $class);
    $scratch //= $PVE::Storage::OntapNvmeTcp::VolumeName::link_directory =~ s{/dev\z}{}r;
    $self->{scratch} = $scratch;
    return $self->as_this_cluster(sub {
        node_of($self, 'here');
        $self->{storages} = { store => SequenceTest::added_storage('store') };
        return $self;
    });
}

# Runs `$code` as a process of that cluster would; its nodes and files are its own.
sub as_this_cluster ($self, $code) {
    my $home = "$self->{scratch}/$self->{name}";
    mkdir($_) for $home, "$home/locks";
    no warnings 'once';
    local $lock_directory = "$home/locks";
    local $PVE::Storage::OntapNvmeTcp::PrivateFiles::directory = "$home/priv";
    return $code->();
}

# What tests in there say goes to the one who waits for it.
my sub report_of ($self, $task, $code) {
    my $builder = Test::More->builder;
    $builder->reset;
    my $said = '';
    $builder->$_(\$said) for qw(output failure_output todo_output);
    my $value;
    my $error;
    my $printed = HookTest::said_by(sub {
        $error = $@ if !eval { $value = $code->(node_of($self, $task->{node})); 1 };
    });
    return {
        what => $task->{what},
        value => $value,
        error => $error,
        said => $printed,
        failed => $builder->is_passing ? undef : $said,
        locks => \@lock_times,
    };
}

my sub start ($self, $task, $gate) {
    pipe(my $reader, my $writer) or die "pipe: $!\n";
    my $pid = fork() // die "fork: $!\n";
    return { pid => $pid, reader => $reader } if $pid;
    my $done = eval {
        $self->as_this_cluster(sub {
            close($gate->{writer});
            readline($gate->{reader});
            my $report = report_of($self, $task, $task->{do});
            print {$writer} JSON::PP->new->utf8->allow_nonref->encode($report);
        });
        1;
    };
    print {$writer} JSON::PP->new->encode({ what => $task->{what}, failed => "$@" }) if !$done;
    close($writer);
    POSIX::_exit(0);
}

# Tasks as [cluster, node, what, code]; each code is called with Proxmox VE (Guest) on that node.
# Returns the running workers, in the same order.
sub begin (@tasks) {
    pipe(my $gate_reader, my $gate_writer) or die "pipe: $!\n";
    my $gate = { reader => $gate_reader, writer => $gate_writer };
    my @running;
    for my $task (@tasks) {
        my ($cluster, $node, $what, $code) = $task->@*;
        push(@running, start($cluster, { node => $node, what => $what, do => $code }, $gate));
    }
    close($gate_writer);
    return @running;
}

# Waits for their reports: what, value, error, said (warnings), locks.
sub reports (@running) {
    my @reports;
    for my $one (@running) {
        local $/;
        my $text = readline($one->{reader}) // '';
        waitpid($one->{pid}, 0);
        my $report = eval { JSON::PP->new->utf8->decode($text) }
            // { what => 'a worker', failed => "it ended without a report ($?)" };
        fail("$report->{what}: $report->{failed}") if $report->{failed};
        push(@reports, $report);
    }
    return @reports;
}

sub at_once (@tasks) { return reports(begin(@tasks)) }

# Proxmox VE on that node, in a process that ends with `$code`; what it returns.
sub on_node ($self, $node, $code) {
    my ($report) = at_once([$self, $node, "alone on $node", $code]);
    die $report->{error} if defined($report->{error});
    return $report->{value};
}

1;
