#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
#
# The array takes connections and answers nothing, over real HTTPS and with the real clock. What is
# measured is compared with what a poll takes, which waits for its whole budget of 2 s: an operation
# that waits for its own 45 s is far beyond.
use v5.36;

use Test::More;
use Time::HiRes qw(time);

use HookTest qw(PLUGIN dirty said_by in_child);
use SimTest qw(start_array added_storage requests);

use constant POLLS_MAX => 6; # 5 s for the first answer, and some for a busy machine

my $sim = start_array();
my $scfg = added_storage($sim, 'store');
my $storeid = dirty('store');
my $volume = PLUGIN->alloc_image($storeid, $scfg, 100, 'raw', undef, 4096);

my sub seconds ($code) {
    my $start = time();
    $code->();
    return time() - $start;
}

# As pvestatd, in a process of its own.
my sub poll {
    return in_child(sub {
        my $seconds = seconds(sub { said_by(sub { PLUGIN->check_connection($storeid, $scfg) }) });
        return sprintf('%.3f', $seconds);
    });
}

# What a task meets that begins now: how long it took, and its error if there was one.
my sub task ($code) {
    my $told = in_child(sub {
        my $seconds = seconds(sub { eval { $code->() } });
        return sprintf('%.3f %s', $seconds, $@);
    });
    return split(/ /, $told, 2);
}

subtest 'a task that begins while the array is known to be silent fails soon and says why' => sub {
    $sim->fault(method => '.*', never_answer => \1, times => -1);
    my $poll_s;
    is(requests($sim, sub { $poll_s = poll() }), 1, 'a poll is one request');
    my %tasks = (
        snapshot => sub { PLUGIN->volume_snapshot($scfg, $storeid, $volume, 'one') },
        list => sub { PLUGIN->list_images($storeid, $scfg) },
    );
    for my $name (sort(keys(%tasks))) {
        my ($seconds, $error) = task($tasks{$name});
        like(
            $error,
            qr/management LIF has not answered since [0-9-]+ [0-9:]+: .*; bring .* then try again/,
            "$name: the matter, and what to do",
        );
        like($error, qr/\A[^\n]+\n\z/, 'in one line');
        cmp_ok($seconds, '<', POLLS_MAX * $poll_s, "$name: soon");
        diag(sprintf('%s: %.1f s, where a poll takes %.1f s', $name, $seconds, $poll_s));
    }
    $sim->clear_faults();
};

subtest 'a task goes on with an array that is back' => sub {
    my (undef, $error) = task(sub { PLUGIN->volume_snapshot($scfg, $storeid, $volume, 'one') });
    is($error, '', 'it works');
};

done_testing();
