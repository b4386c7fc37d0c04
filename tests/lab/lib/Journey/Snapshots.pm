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

my sub refuse ($j) {
    my $node  = $j->node('node1');
    my $error = $node->task(
        sub {
            $node->check;
            return $j->refused(
                sub { $node->volume('volume_rollback_is_possible', (disks())[0], 'before', []) },
                qr/'after'/);
        }
    );
    $node->task(
        sub {
            $j->refused(sub { $node->volume('volume_snapshot_rollback', (disks())[0], 'before') },
                qr/'after'/);
        }
    );
    $j->expect_pattern($node, 'second', [disks()]);
    return $error;
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
    $node->task(
        sub {
            $node->check;
            $j->counted(
                rollback => sub {
                    $node->volume('volume_rollback_is_possible', $_, 'before', []) for drives();
                    $node->deactivate(drives());
                    for my $volname (drives()) {
                        $node->volume('volume_rollback_is_possible', $volname, 'before', undef);
                        $node->volume('volume_snapshot_rollback', $volname, 'before');
                    }
                }
            );
        }
    );
    $node->task(sub { $node->activate(drives()) });
    return 'the first pattern is back on both disks, '
        . $j->expect_pattern($node, 'first', [disks()]);
}

sub begin ($j) {
    $j->chapter('snapshots and the way back');
    $j->step('snapshot of the VM', sub { take($j, 'before', 'snapshot') });
    Journey::Disks::overwrite($j);
    $j->step('a second snapshot', sub { take($j, 'after', 'second snapshot') });
    $j->step('rollback past a newer snapshot is refused', sub { refuse($j) });
    $j->step('delete the newer snapshot',                 sub { delete_newer($j) });
    $j->step('rollback to the latest',                    sub { rollback($j) });
    return;
}

1;
