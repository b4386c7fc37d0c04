# SPDX-License-Identifier: AGPL-3.0-or-later
# The measured side: a process with one plugin's Perl tree, under taint mode as Proxmox VE's daemons,
# over the stand-ins of tests/perl/lib. Commands come as lines of JSON, answers go the same way.
package Bench::Worker;

use v5.36;

use JSON::PP ();
use List::Util qw(sum0);
use POSIX ();
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

use Bench::Operations qw(operation);
use HookTest;
use OntapSim;
use Proxmox;
use SimTest;

# Looked for and never there: where a measured piece begins and ends in a trace of system calls.
use constant MARK => '/ontapnvme-bench';

my $json = JSON::PP->new->canonical->utf8;
my $sim;
my $pve;
my $config;
my %lock; # of the run: seconds, requests, and what counting them took

my sub now () { return clock_gettime(CLOCK_MONOTONIC) }

# Proxmox VE's lock of a storage; what is asked of the array under it keeps every other task waiting.
my sub watch_lock () {
    no warnings qw(once redefine);
    *PVE::Storage::Plugin::cluster_lock_storage = sub {
        my ($class, $storeid, $shared, $timeout, $code, @arguments) = @_;

        # In a trace the counting itself would be counted.
        my $count = sub { return $config->{is_traced} ? 0 : $sim->count() };
        my $asked = now();
        my $before = $count->();
        my $got = now();
        my $result;
        my $done = eval { $result = $code->(@arguments); 1 };
        my $error = $@;
        my $ended = now();
        $lock{requests} += $count->() - $before;
        $lock{seconds} += $ended - $got;
        $lock{counting} += $got - $asked + now() - $ended;
        die $error if !$done;
        return $result;
    };
    return;
}

# A figure of this process in KiB; `peak` is since it was last reset.
my sub memory_kib ($name) {
    open(my $file, '<', '/proc/self/status') or return 0;
    my ($kib) = map { /^\Q$name\E:\s*([0-9]+)/ ? $1 : () } readline($file);
    return $kib // 0;
}

my sub reset_peak () {
    open(my $file, '>', '/proc/self/clear_refs') or return;
    print {$file} "5\n";
    close($file);
    return;
}

# Plain data from a process that knows nothing of the others and whose knowledge ends with it; or
# simply from here, where a process is to be warm.
my sub in_process ($code) {
    return $code->() if !$config->{is_cold};
    pipe(my $reader, my $writer) or die "pipe: $!\n";
    my $pid = fork() // die "fork: $!\n";
    if (!$pid) {
        my $answer = eval { { value => scalar($code->()) } } // { error => "$@" };
        print {$writer} $json->encode($answer);
        close($writer);
        POSIX::_exit(0);
    }
    close($writer);
    local $/;
    my $answer = $json->decode(readline($reader) // '{"error":"the process ended"}');
    waitpid($pid, 0);
    die $answer->{error} if defined($answer->{error});
    return $answer->{value};
}

my sub impose ($what) {
    $sim->set(map { $_ => $what->{$_} // 0 } qw(latency_ms handshake_ms job_ms));
    $sim->fault(method => '.*', never_answer => \1, times => -1) if $what->{silence} ne 'none';
    return;
}

my sub lift () {
    $sim->clear_faults();
    $sim->set(latency_ms => 0, handshake_ms => 0, job_ms => 0);
    return;
}

my sub measured ($operation, $what, $state) {
    my ($made, $error);
    %lock = (requests => 0, seconds => 0, counting => 0);
    my $resident = memory_kib('VmRSS');
    reset_peak();
    my $mark = -e MARK . '/begin/' . $operation->{name};
    my $begin = now();
    eval { $made = $operation->{run}->($pve, $what, $state); 1 } or $error = $@;
    my $end = now();
    $mark = -e MARK . '/end/' . $operation->{name};
    my $traffic = $sim->ctl({ cmd => 'traffic' })->{traffic};
    my @requests = $sim->log();
    return {
        made => $made,
        measures => {
            microseconds => int(($end - $begin - $lock{counting}) * 1e6),
            requests => scalar(@requests),
            array_microseconds => sum0(map { $_->{ms} } @requests) * 1000,
            $traffic->%*,
            lock_microseconds => int($lock{seconds} * 1e6),
            lock_requests => $lock{requests},
            memory_kib => memory_kib('VmHWM') - $resident,
        },
        defined($error) ? (error => $error =~ s/\n.*//sr) : (),
    };
}

# What the first who meets a silence finds out, the others on the node know.
my sub learn_of_silence () {
    eval { $pve->check_connection('store') };
    return;
}

my sub run ($what) {
    my $operation = operation($what->{operation});
    my $state = in_process(sub { $operation->{prepare}->($pve, $what) });
    impose($what);
    in_process(sub { learn_of_silence(); 1 }) if $what->{silence} eq 'known';
    $sim->clear_log();
    my $report = in_process(sub { measured($operation, $what, $state) });
    lift();
    in_process(sub { $pve->check_connection('store'); 1 }) if $what->{silence} ne 'none';
    $state->{made} = delete($report->{made}) // [];
    in_process(sub { $operation->{clean}->($pve, $what, $state); 1 }) if $operation->{clean};
    return $report;
}

my sub prepare () {
    $sim = OntapSim->attach($config->{sim});
    ($ENV{ONTAP_SIM_CONTROL}) = $config->{sim}{control} =~ /\A(.*)\z/;
    ($ENV{ONTAP_SIM_STATE}) = $config->{sim}{ca} =~ m{\A(.*)/ca\.pem\z};
    $ENV{ONTAP_SIM_NODE} = '1b4e28ba-2fa1-11d2-883f-0016d3cca427';
    HookTest::load_pve();
    watch_lock();
    my $scfg = in_process(sub { SimTest::added_storage($sim, 'store', $config->{settings}->%*) });
    HookTest::set_config({ store => $scfg });
    $pve = Proxmox->new(version => PVE::Storage::APIVER(),
        storages => { store => HookTest::dirty($scfg) });
    return;
}

# Until the input ends. What a plugin prints is for nobody: the answers have a handle of their own.
sub serve () {
    open(my $answers, '>&', \*STDOUT) or die "dup: $!\n";
    $answers->autoflush(1);
    $| = 1;
    $config = $json->decode(scalar(readline(STDIN)));
    for my $handle (\*STDOUT, $config->{is_talkative} ? () : \*STDERR) {
        open($handle, '>', '/dev/null') or die "/dev/null: $!\n";
    }
    Test::More->builder->$_(\my $ignored) for qw(output failure_output todo_output);
    my $is_ready = eval { prepare(); 1 };
    print {$answers} $json->encode($is_ready ? { ready => 1 } : { failed => "$@" }) . "\n";
    while (defined(my $line = readline(STDIN))) {
        my $report = eval { run($json->decode($line)) } // { failed => "$@" };
        print {$answers} $json->encode($report) . "\n";
    }
    return;
}

1;
