# SPDX-License-Identifier: AGPL-3.0-or-later
package Journey::Snapshots;

# Snapshots of the whole VM, and the way back.

use v5.36;

use Journey::Disks;

my sub drives () { return Journey::Disks::drives() }
my sub disks ()  { return Journey::Disks::disks() }

my sub on_array ($name) { return "pve_snap_$name" }

my sub volume_snapshots ($j, $name) {
    return grep { $_->{name} eq on_array($name) } $j->array->state->{snapshots}->@*;
}

my sub take ($j, $name, $operation) {
    my $node = $j->node('node1');
    my $from = $j->array->count;
    $node->task(
        sub {
            for my $volname (drives()) {
                $node->has_feature('snapshot', $volname)
                    or die "$volname cannot be snapshotted\n";
            }
            $node->check;
            $j->counted($operation,
                sub { $node->volume('volume_snapshot', $_, $name) for drives() });
        }
    );
    my @made = grep { $_->{method} eq 'POST' } $j->requests_since($from);
    $j->expect(scalar(@made), 1, 'requests that make something');
    $made[0]{target} =~ m{/consistency-groups/[^/]+/snapshots} or die "it made $made[0]{target}\n";

    my ($group) = grep { $_->{name} eq on_array($name) } $j->array->state->{group_snapshots}->@*;
    $j->expect(
        join(' ', sort(($group // {})->{volumes}->@*)),
        join(' ', sort(map { Journey::Disks::flexvol($_) } drives())),
        'the volumes of the group snapshot'
    );
    my %times = map { $_->{create_time} => 1 } my @each = volume_snapshots($j, $name);
    $j->expect(scalar(@each),        scalar(drives()), 'volumes with the snapshot');
    $j->expect(scalar(keys(%times)), 1,                'points in time');
    my ($time) = keys(%times);
    return 'one call for the group, ' . scalar(@each) . " volumes, all at $time";
}

# To a snapshot, whatever is newer.
my sub go_to ($j, $snapshot, $what) {
    my $node = $j->node('node1');
    $node->task(
        sub {
            $node->check;
            $j->counted(
                $what => sub {
                    $node->volume('volume_rollback_is_possible', $_, $snapshot, []) for drives();
                    $node->deactivate(drives());
                    for my $volname (drives()) {
                        $node->volume('volume_rollback_is_possible', $volname, $snapshot, undef);
                        $node->volume('volume_snapshot_rollback', $volname, $snapshot);
                    }
                }
            );
        }
    );
    $node->task(sub { $node->activate(drives()) });
    return;
}

my sub back_and_forth ($j) {
    my $node = $j->node('node1');
    go_to($j, 'before', 'rollback past a newer');
    $j->expect_pattern($node, 'first', [disks()]);
    $j->expect(scalar(volume_snapshots($j, 'after')), scalar(drives()), "volumes with 'after'");
    go_to($j, 'after', 'rollback');
    return 'the first pattern, then the second again, '
        . $j->expect_pattern($node, 'second', [disks()]);
}

# A task of node2 reads the snapshot, as a full clone there does. Nobody says when it is done with it: a
# poll of that node finds out, and then node1 can delete the snapshot.
my sub shown_elsewhere ($j) {
    my ($node, $other) = map { $j->node($_) } qw(node1 node2);
    my ($disk) = disks();
    my $error;
    $other->check_until_connected;
    $other->task(
        sub {
            $other->check;
            $other->storage('activate_volume', $disk, 'after', {});
            $j->expect_pattern($other, 'second', ["$disk\@after"]);
            $error = $j->refused(
                sub {
                    $node->task(sub { $node->volume('volume_snapshot_delete', $disk, 'after', 1) });
                },
                qr/\@after/
            );
        }
    );
    $other->check;
    $other->wait_until_no("/dev/ontapnvme/*/$disk\@after");

    # Until now the clone behind the device had it as well.
    $j->expect(scalar(volume_snapshots($j, 'after')), scalar(drives()), "volumes with 'after'");
    return "node2 reads the second pattern; node1 meanwhile: $error";
}

my sub delete_newer ($j) {
    my $node = $j->node('node1');
    $node->task(
        sub {
            $node->check;
            $j->counted('snapshot delete' =>
                    sub { $node->volume('volume_snapshot_delete', $_, 'after', 1) for drives() });
        }
    );
    $j->expect(scalar(volume_snapshots($j, 'after')),  0, 'volumes that still have it');
    $j->expect(scalar(volume_snapshots($j, 'before')), scalar(drives()), "volumes with 'before'");
    my $left = $node->volume('volume_snapshot_info', (disks())[0]);
    $j->expect(join(' ', sort(keys($left->%*))), 'before', 'what volume_snapshot_info tells');
    return "gone from all volumes, 'before' is still there";
}

my sub rollback ($j) {
    my $node = $j->node('node1');
    go_to($j, 'before', 'rollback');
    return 'the first pattern is back on both disks, '
        . $j->expect_pattern($node, 'first', [disks()]);
}

sub begin ($j) {
    $j->chapter('snapshots and the way back');
    $j->step('snapshot of the VM', sub { take($j, 'before', 'snapshot') });
    Journey::Disks::overwrite($j);
    $j->step('a second snapshot', sub { take($j, 'after', 'second snapshot') });
    $j->step('rollback past a newer snapshot and forward', sub { back_and_forth($j) });
    $j->step('a snapshot that is read on the other node',  sub { shown_elsewhere($j) });
    $j->step('delete the newer snapshot',                  sub { delete_newer($j) });
    $j->step('rollback to the latest',                     sub { rollback($j) });
    return;
}

1;
