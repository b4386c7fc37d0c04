#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
use v5.36;

use Test::More;
use Time::HiRes qw(alarm time);

use XsTest qw(client error_of);

# Long enough that only an interrupt ends it in time; a signal is seen within a tenth of a second.
use constant WAIT => 'wait:20000';
use constant SOON_S => 0.1;
use constant AT_LAST_S => 1;

# Sends `$signal` to this process soon. A child does it: an alarm would be a signal of its own.
my sub signal_soon ($signal) {
    my $parent = $$;
    my $pid = fork() // die "fork: $!\n";
    if (!$pid) {
        select(undef, undef, undef, SOON_S);
        kill($signal, $parent);
        require POSIX;
        POSIX::_exit(0);
    }
    return $pid;
}

my sub timed ($code) {
    my $start = time();
    $code->();
    return time() - $start;
}

subtest 'an alarm ends a native wait, and its handler has the word' => sub {
    my $client = client();
    local $SIG{ALRM} = sub { die "got timeout\n" };
    my $took = timed(sub {
        alarm(SOON_S);
        eval { $client->info(WAIT) };
    });
    is($@, "got timeout\n", "the handler's own words");
    cmp_ok($took, '<', AT_LAST_S, 'in time');
};

subtest 'without a handler that dies the call says that it was interrupted' => sub {
    my $client = client();
    my $seen = 0;
    local $SIG{ALRM} = sub { $seen++ };
    alarm(SOON_S);
    my $error;
    my $took = timed(sub { $error = error_of(sub { $client->activate_volume(WAIT) }) });
    is($error->code, 'interrupted', 'code');
    is($seen, 1, 'the handler ran once');
    cmp_ok($took, '<', AT_LAST_S, 'in time');
    ok($client->info('x'), 'the next call works');
};

for my $signal (qw(INT TERM QUIT)) {
    subtest "SIG$signal ends a native wait" => sub {
        my $client = client();
        local $SIG{$signal} = sub { die "stopped\n" };
        my $pid = signal_soon($signal);
        my $took = timed(sub { eval { $client->free(WAIT) } });
        is($@, "stopped\n", "the handler's own words");
        cmp_ok($took, '<', AT_LAST_S, 'in time');
        waitpid($pid, 0);
    };
}

subtest 'what takes as long as it takes ends as well' => sub {
    open(my $null, '+<', '/dev/null') or die "null: $!\n";
    my $fd = fileno($null);
    my %calls = (
        export => sub { client()->export(WAIT, undef, $fd) },
        read_import_size => sub { client(script => WAIT)->read_import_size($fd) },
        import_volume => sub { client()->import_volume(WAIT, 4096, $fd) },
    );
    for my $call (sort(keys(%calls))) {
        local $SIG{ALRM} = sub { die "got timeout\n" };
        my $took = timed(sub {
            alarm(SOON_S);
            eval { $calls{$call}->() };
        });
        is($@, "got timeout\n", "$call: the handler's own words");
        cmp_ok($took, '<', AT_LAST_S, "$call: in time");
    }
};

subtest 'the end of a child does not' => sub {
    my $client = client();
    my $seen = 0;
    local $SIG{CHLD} = sub { $seen++ };
    my $pid = fork() // die "fork: $!\n";
    if (!$pid) {
        require POSIX;
        POSIX::_exit(0);
    }
    ok(eval { $client->free('wait:300'); 1 }, 'the call goes on') or diag($@);
    is($seen, 1, 'the handler ran afterwards');
    waitpid($pid, 0);
};

subtest 'a wait without signals lasts as long as it should' => sub {
    my $client = client();
    my $took = timed(sub { $client->free('wait:200') });
    # The two clocks need not agree to the last millisecond.
    cmp_ok($took, '>=', 0.19, 'not shorter');
};

done_testing();
