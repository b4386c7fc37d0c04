#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
# A worker is killed for good, or stopped as Proxmox VE stops a task, while the array has one of its
# requests and does not answer. What it leaves is settled by the next task an hour later, on
# whichever node, and what it was about can be done again.
use v5.36;

use POSIX qw(WNOHANG);
use Test::More;

use Workers;

use constant {
    HOUR_AND_A_BIT_S => 4200,
    REQUESTS_MAX => 20, # a sweep that does not end fails
    WAIT_S => 30,
};

my $cluster = Workers->new(name => 'one');
my $sim = $cluster->{sim};

my $base = $cluster->on_node('here', sub ($pve) {
    my ($volid) = $pve->create_disks(900, [undef, 4096]);
    return $pve->vdisk_create_base($volid);
});

# True when the worker is where its request is not answered, false when it ended without.
my sub is_stuck ($worker, $fault) {
    my $end = time() + WAIT_S;
    while (time() < $end) {
        my ($rule) = grep { $_->{id} == $fault } $sim->ctl({ cmd => 'fault-list' })->{rules}->@*;
        return 1 if $rule->{fired};
        return 0 if waitpid($worker->{pid}, WNOHANG) != 0;
        select(undef, undef, undef, 0.005); # there is nothing that would wake this process
    }
    die "the worker neither asks nor ends\n";
}

# What was made and done until now was made and done more than an hour ago.
my sub let_time_pass {
    $sim->ctl({ cmd => 'age', seconds => HOUR_AND_A_BIT_S });
    for my $turn (glob("$cluster->{scratch}/$cluster->{name}/run-*/store.recovery.turn")) {
        my ($path) = $turn =~ /\A(.*)\z/;
        open(my $handle, '>', $path) or die "$path: $!\n";
        print {$handle} time() - HOUR_AND_A_BIT_S, "\n";
    }
    return;
}

my sub stopped ($pve, $code) {
    local @SIG{qw(TERM INT)} = (sub { die "received interrupt\n" }) x 2;
    return $code->($pve);
}

# One worker that ends at the nth change of something. False when there is none.
my sub ends_at ($what, $operation, $signal, $nth, $is_applied) {
    $cluster->on_node('here', $operation->{prepare}) if $operation->{prepare};
    my $fault = $sim->fault(method => 'POST|PATCH|DELETE', nth => $nth, never_answer => \1,
        applied => $is_applied ? \1 : \0);
    my ($worker) = Workers::begin([$cluster, 'here', $what, sub ($pve) {
        return stopped($pve, $operation->{run});
    }]);
    my $is_stuck = is_stuck($worker, $fault);
    if ($is_stuck) {
        kill($signal, $worker->{pid});
        if ($signal eq 'KILL') {
            waitpid($worker->{pid}, 0);
            is($? & 127, 9, "$what: the worker is killed at change $nth");
        } else {
            my ($report) = Workers::reports($worker);
            like($report->{error}, qr/^received interrupt$|timed out - aborting$/m,
                "$what: the task at change $nth ends with what Proxmox VE says of SIG$signal");
        }
    }
    $sim->clear_faults();
    return $is_stuck;
}

# Everything but the template goes.
my sub tidy ($pve) {
    $pve->vdisk_free($_) for grep { $_ ne $base } $pve->vdisk_list('store')->@*;
    return 0;
}

my sub settles ($name, $operation) {
    let_time_pass();
    my $listed = $cluster->on_node('there', sub ($pve) {
        my $images = $pve->call('list_images', 'store', $pve->{storages}{store});
        $pve->vdisk_free($pve->vdisk_alloc('store', 901, 'raw', undef, 4096));
        return [map { $_->{size} } $images->@*];
    });
    is(scalar(grep { !$_ } $listed->@*), 0, "$name: no listing shows half a disk");
    is_deeply([$sim->orphans()], [], "$name: the next task settles what was left");
    my ($again) = Workers::at_once([$cluster, 'here', "$name, again", $operation->{run}]);
    is($again->{error}, undef, "$name: it works when it is done again");
    $operation->{check}->($name) if $operation->{check};
    $cluster->on_node('there', \&tidy);
    is_deeply([$sim->orphans()], [], "$name: and can be undone");
    return;
}

my %operations = (
    allocate => {
        run => sub ($pve) { $pve->vdisk_alloc('store', 100, 'raw', undef, 4096) },
    },
    clone => {
        run => sub ($pve) { $pve->vdisk_clone($base, 100) },
    },
    free => {
        prepare => sub ($pve) { $pve->create_disks(100, [undef, 4096], [undef, 4096]) },
        run => sub ($pve) { $pve->vdisk_free('store:vm-100-disk-0'); 0 },
        check => sub ($name) {
            my $left = $cluster->on_node('there', sub ($pve) { $pve->vdisk_list('store', 100) });
            is_deeply($left, ['store:vm-100-disk-1'], "$name: that disk is gone, no other");
        },
    },
);

my $points = 0;
for my $way (['KILL', 1], ['KILL', 0], ['TERM', 1], ['ALRM', 0]) {
    my ($signal, $is_applied) = $way->@*;
    for my $name (sort(keys(%operations))) {
        my $when = $is_applied ? 'after' : 'before';
        subtest "$name, SIG$signal $when each change" => sub {
            for my $nth (1 .. REQUESTS_MAX) {
                my $operation = $operations{$name};
                my $is_stuck = ends_at($name, $operation, $signal, $nth, $is_applied);
                if (!$is_stuck) {
                    $cluster->on_node('there', \&tidy);
                    cmp_ok($nth, '>', 2, "$name: the sweep came to its end");
                    last;
                }
                ++$points;
                settles("$name, $signal at $nth", $operation);
                last if !Test::More->builder->is_passing;
            }
        };
    }
}
diag("killed workers: $points points settled");

$cluster->on_node('here', sub ($pve) { $pve->vdisk_free($base); 0 });
is_deeply([$sim->orphans()], [], 'nothing is left at the end');

done_testing();
