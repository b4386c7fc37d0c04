#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
#
# Months of pvestatd in a minute: polls through the whole of shim and library, in one process, in
# many children, and with signals in between. ONTAPNVME_POLLS says how many, if not 10,000.
use v5.36;

use Test::More;
use Time::HiRes qw(alarm time);

use HookTest qw(PLUGIN dirty said_by);
use SimTest qw(start_array added_storage);

use constant GROWTH_MAX_KIB => 1024;
use constant CHILDREN => 50;
use constant PROMPT_S => 1; # a signal is seen within a tenth of a second; machines are busy

my $sim = start_array();
my $scfg = added_storage($sim, 'store');
my $storeid = dirty('store');
my ($polls) = ($ENV{ONTAPNVME_POLLS} // 10_000) =~ /\A([0-9]+)\z/;

my sub resident_kib {
    open(my $status, '<', '/proc/self/status') or die "status: $!\n";
    my ($kib) = map { /\AVmRSS:\s+([0-9]+)/ ? $1 : () } readline($status);
    return $kib;
}

# What pvestatd does with a storage. Here is no fabric to activate it on: that must not grow either.
my sub poll {
    my $is_connected = PLUGIN->check_connection($storeid, $scfg);
    eval { PLUGIN->activate_storage($storeid, $scfg, {}) };
    my ($total, $available, $used, $active) = PLUGIN->status($storeid, $scfg, {});
    return join(' ', $is_connected, $total // 'none', $active // 0);
}

my $answer = poll();
like($answer, qr/\A1 [1-9][0-9]* 1\z/, 'a poll answers') or BAIL_OUT('nothing to poll');

subtest 'polls do not make it grow' => sub {
    plan(skip_all => 'the address sanitizer keeps what was freed') if defined($ENV{LD_PRELOAD});
    said_by(sub {
        poll() for 1 .. 500; # what perl, OpenSSL and the allocator keep for good is there by now
        $sim->clear_log();
        my ($before, $begun) = (resident_kib(), time());
        for my $round (1 .. $polls) {
            poll();
            $sim->clear_log() if $round % 1000 == 0; # the simulator keeps what it was asked
        }
        my $growth = resident_kib() - $before;
        cmp_ok($growth, '<', GROWTH_MAX_KIB, "KiB in $polls polls");
        diag(sprintf('%d polls in %.1f s: grown by %d KiB', $polls, time() - $begun, $growth));
    });
};

subtest 'many children poll, each on a connection of its own, and the parent goes on' => sub {
    $sim->clear_log();
    poll();
    my @connections = map { $_->{connection} } $sim->log();
    my $own = $connections[-1];
    my @pids;
    for my $number (1 .. CHILDREN) {
        my $pid = fork() // die "fork: $!\n";
        if (!$pid) {
            Test::More->builder->no_ending(1);
            my $is_right = poll() eq $answer && poll() eq $answer;
            # Workers of Proxmox VE leave by _exit; others destroy what they inherited.
            exit($is_right ? 0 : 1) if $number % 2;
            require POSIX;
            POSIX::_exit($is_right ? 0 : 1);
        }
        push(@pids, $pid);
        is(poll(), $answer, "the parent beside $number children") if $number % 10 == 0;
    }
    my $failed = grep { waitpid($_, 0); $? != 0 } @pids;
    is($failed, 0, 'every child had the right answers');
    is(poll(), $answer, 'the parent afterwards');
    my %seen;
    $seen{ $_->{connection} }++ for $sim->log();
    is(scalar(keys(%seen)), CHILDREN + 1, 'a connection each');
    cmp_ok($seen{$own} // 0, '>=', 6, "the parent's is the one it had");
};

# Each way to wait: what brings it about, what then waits, and how to end it.
my %waits = (
    'for an answer' => sub { $sim->fault(method => 'GET', never_answer => \1, times => -1) },
    'between tries' => sub { $sim->fault(method => 'GET', status => 503, times => -1) },
    'for half an answer' => sub { $sim->fault(method => 'GET', delay_ms => 30_000, times => -1) },
);

# A child that sends `$signal` to this process that long after it was told to, and goes. It is told
# by closing the handle, which is done where the signal is expected.
my sub signal_after ($seconds, $signal) {
    my $parent = $$;
    pipe(my $reader, my $go) or die "pipe: $!\n";
    my $pid = fork() // die "fork: $!\n";
    if (!$pid) {
        close($go);
        readline($reader);
        select(undef, undef, undef, $seconds);
        kill($signal, $parent) if $signal ne 'CHLD'; # its own end is one
        require POSIX;
        POSIX::_exit(0);
    }
    return ($pid, $go);
}

for my $wait (sort(keys(%waits))) {
    subtest "a signal at any point of a wait $wait ends it" => sub {
        my $rule = $waits{$wait}->();
        for my $signal (qw(TERM ALRM INT)) {
            for my $after (0.001, 0.01, 0.05, 0.11, 0.2) {
                local $SIG{$signal} = sub { die "stopped by $signal\n" };
                my ($pid, $go) = signal_after($after, $signal);
                my $start = time();
                eval { close($go); PLUGIN->list_images($storeid, $scfg); 1 };
                my $error = $@;
                is($error, "stopped by $signal\n", "SIG$signal after $after s");
                cmp_ok(time() - $start, '<', $after + PROMPT_S, 'promptly');
                waitpid($pid, 0);
            }
        }
        $sim->clear_faults();
        is_deeply(PLUGIN->list_images($storeid, $scfg), [], 'the next call works');
    };
}

subtest 'children that end during a wait do not end it' => sub {
    $sim->fault(method => 'GET', delay_ms => 500, times => 1);
    my $ended = 0;
    local $SIG{CHLD} = sub { $ended++ };
    my @pids = map { (signal_after($_, 'CHLD'))[0] } 0.001, 0.05, 0.1, 0.2, 0.3, 0.4;
    is_deeply(PLUGIN->list_images($storeid, $scfg), [], 'it goes on to its end');
    cmp_ok($ended, '>=', 1, 'and the handler runs');
    waitpid($_, 0) for @pids;
    $sim->clear_faults();
};

done_testing();
