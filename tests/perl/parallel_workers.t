#!/usr/bin/perl -T
# SPDX-License-Identifier: AGPL-3.0-or-later
# What many tasks do at once, from two nodes and from two clusters: nothing fails, nothing is lost,
# no worker sees another's disks, and the lock of the storage is never held for long.
use v5.36;

use List::Util qw(max sum0 uniq);
use Test::More;

use Workers;

use constant LATENCY_MS => 50;

my $one = Workers->new(name => 'one');
my $two = Workers->new(name => 'two');
my $sim = $one->{sim};

# At once, on an array that takes its time for every request.
my sub at_once (@tasks) {
    $sim->set(latency_ms => LATENCY_MS);
    my @reports = Workers::at_once(@tasks);
    $sim->set(latency_ms => 0);
    return @reports;
}

my @nodes = qw(here there);

# A task for each, on one node and the other in turn.
my sub tasks ($cluster, $what, $code, @each) {
    my $turn = 0;
    return map { my $item = $_; [$cluster, $nodes[$turn++ % 2], "$what $item",
        sub ($pve) { $code->($pve, $item) }] } @each;
}

my sub allocations ($cluster, @vmids) {
    return tasks($cluster, 'a disk of VM', sub ($pve, $vmid) {
        return $pve->vdisk_alloc('store', $vmid, 'raw', undef, 4096);
    }, @vmids);
}

# Whoever lists meanwhile sees whole disks, each once.
my sub listings ($cluster, $count) {
    return tasks($cluster, 'listing', sub ($pve, $) {
        my $many = 0;
        for (1 .. 10) {
            my $images = $pve->call('list_images', 'store', $pve->{storages}{store});
            my @volids = map { $_->{volid} } $images->@*;
            die "a volume twice: @volids\n" if uniq(@volids) != @volids;
            die "half a volume: $_->{volid}\n" for grep { !$_->{size} } $images->@*;
            $many = max($many, scalar(@volids));
        }
        return $many;
    }, 1 .. $count);
}

# What the tasks made; all of them must have worked.
my sub made_by (@reports) {
    for my $report (@reports) {
        is($report->{error}, undef, "$report->{what} succeeds");
        is_deeply($report->{said}, [], "$report->{what} warns of nothing");
    }
    return map { $_->{value} } @reports;
}

my sub list_of ($cluster) {
    return $cluster->on_node('here', sub ($pve) { $pve->vdisk_list('store') });
}

my sub seconds ($value) { return sprintf('%.2f s', $value) }

my sub expect_short_locks ($what, @reports) {
    my @held = sort { $a <=> $b } map { $_->{held} } map { $_->{locks}->@* } @reports;
    my @waited = map { $_->{waited} } map { $_->{locks}->@* } @reports;
    diag("$what: the storage lock was held " . scalar(@held) . ' times, at most '
        . seconds($held[-1]) . ', median ' . seconds($held[@held / 2]) . ', in all '
        . seconds(sum0(@held)) . '; the last one waited ' . seconds(max(@waited)));
    cmp_ok($held[@held / 2], '<', 1, "$what: the lock is held for less than a second");
    return;
}

my sub free_all ($cluster) {
    my @left = sort { ($b =~ m{/}) <=> ($a =~ m{/}) } list_of($cluster)->@*;
    $cluster->on_node('here', sub ($pve) { $pve->vdisk_free($_) for @left; 1 });
    is_deeply(list_of($cluster), [], 'all is deleted again');
    is_deeply([$sim->orphans()], [], 'and nothing half-made is left');
    return;
}

subtest '25 allocations and clones at once' => sub {
    my $base = $one->on_node('here', sub ($pve) {
        my ($volid) = $pve->create_disks(900, [undef, 4096]);
        $pve->activate_volumes([$volid]);
        $pve->write_device(scalar($pve->path($volid)), 'template');
        $pve->deactivate_volumes([$volid]);
        return $pve->vdisk_create_base($volid);
    });
    my @work = (
        allocations($one, map { 100 + $_ % 4 } 1 .. 13),
        tasks($one, 'a clone for VM', sub ($pve, $vmid) {
            return $pve->vdisk_clone($base, $vmid);
        }, map { 100 + $_ % 4 } 1 .. 12),
    );
    my @reports = at_once(@work, listings($one, 4));
    my @working = @reports[0 .. $#work];
    my @volids = made_by(@working);
    made_by(@reports[@work .. $#reports]);
    is(scalar(uniq(@volids)), 25, 'each task has a volume of its own');
    is_deeply(list_of($one), [sort($base, @volids)], 'and all are there');
    is_deeply([$sim->orphans()], [], 'each is whole');
    my ($clone) = grep { m{/} } @volids;
    is($one->on_node('there', sub ($pve) {
        $pve->activate_volumes([$clone]);
        my $text = $pve->read_device(scalar($pve->path($clone)), 8);
        $pve->deactivate_volumes([$clone]);
        return $text;
    }), 'template', 'a clone holds what the template held');
    expect_short_locks('allocations and clones', @working);
    free_all($one);
};

subtest 'allocations against deletions' => sub {
    my @old = made_by(Workers::at_once(allocations($one, (300 .. 303) x 2)));
    my @making = allocations($one, (300 .. 303) x 2);
    my @reports = at_once(
        @making,
        tasks($one, 'deleting', sub ($pve, $volid) { $pve->vdisk_free($volid); 0 }, @old),
        listings($one, 2),
    );
    my @new = (made_by(@reports))[0 .. $#making];
    is_deeply(list_of($one), [sort(@new)], 'the new ones are there, the old ones are not');
    is_deeply([$sim->orphans()], [], 'each is whole, and in the group of its VM');
    expect_short_locks('deletions', @reports[@making .. $#making + @old]);
    free_all($one);
};

subtest 'a snapshot while disks are added' => sub {
    my $old = $one->on_node('here', sub ($pve) {
        my @volids = $pve->create_disks(400, map { [undef, 4096] } 1 .. 4);
        $pve->activate_volumes(\@volids);
        $pve->write_device(scalar($pve->path($_)), 'before') for @volids;
        return \@volids;
    });
    my @reports = at_once(
        [$one, 'here', 'the snapshot', sub ($pve) { $pve->snapshot_vm($old, 'snap'); 0 }],
        allocations($one, (400) x 4),
        listings($one, 1),
    );
    my @new = (made_by(@reports))[1 .. 4];
    is_deeply(list_of($one), [sort($old->@*, @new)], 'all disks are there');
    is_deeply([$sim->orphans()], [], 'and in the group of the VM');
    my $texts = $one->on_node('here', sub ($pve) {
        $pve->write_device(scalar($pve->path($_)), 'after!') for $old->@*;
        $pve->deactivate_volumes($old);
        $pve->rollback_vm($old, 'snap');
        $pve->activate_volumes($old);
        my @texts = map { $pve->read_device(scalar($pve->path($_)), 6) } $old->@*;
        $pve->deactivate_volumes($old);
        $pve->delete_snapshot($old, 'snap');
        return \@texts;
    });
    is_deeply($texts, [('before') x 4], 'a rollback brings back what every disk held');
    my $left = $one->on_node('there', sub ($pve) {
        return [map {
            my ($storeid, $scfg, $volname) = $pve->parts($_);
            keys($pve->call('volume_snapshot_info', $scfg, $storeid, $volname)->%*);
        } $old->@*, @new];
    });
    is_deeply($left, [], 'deleting the snapshot leaves none on any disk');
    free_all($one);
};

subtest 'two clusters on one SVM, with the same VMs' => sub {
    my @vmids = (500 .. 502) x 2;
    my @reports = at_once(
        allocations($one, @vmids), allocations($two, @vmids), listings($one, 1), listings($two, 1),
    );
    my @values = made_by(@reports);
    my %made = (one => [@values[0 .. 5]], two => [@values[6 .. 11]]);
    for my $cluster ($one, $two) {
        my $name = $cluster->{name};
        is_deeply(list_of($cluster), [sort($made{$name}->@*)], "cluster $name sees its own disks");
        $cluster->on_node('here', sub ($pve) {
            for my $volid ($made{$name}->@*) {
                $pve->activate_volumes([$volid]);
                $pve->write_device(scalar($pve->path($volid)), "$name $volid");
                $pve->deactivate_volumes([$volid]);
            }
            return 1;
        });
    }
    for my $cluster ($one, $two) {
        my $name = $cluster->{name};
        my $texts = $cluster->on_node('there', sub ($pve) {
            return [map {
                $pve->activate_volumes([$_]);
                $pve->read_device(scalar($pve->path($_)), length("$name $_"));
            } $made{$name}->@*];
        });
        is_deeply($texts, [map { "$name $_" } $made{$name}->@*], "and no other wrote to them");
    }
    free_all($_) for $one, $two;
};

done_testing();
