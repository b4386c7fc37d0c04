# SPDX-License-Identifier: AGPL-3.0-or-later
package Journey::Templates;

# A second VM's disk becomes a template: snapshot as a device, clones, another owner, a stream.

use v5.36;

use JSON::PP ();

use constant {KIB => 1024, DISK_KIB => 32 * 1024, FILE => '/run/lab/stream'};

my $disk = 'vm-101-disk-0';

my sub make ($j) {
    my $node = $j->node('node1');
    $node->task(
        sub {
            $node->check;
            my $made = $node->storage('alloc_image', 101, 'raw', undef, DISK_KIB);
            $j->expect($made, $disk, 'the name');
            $node->activate($disk);
        }
    );
    $node->put($disk, $j->pattern_file('first'));
    $node->task(sub { $node->volume('volume_snapshot', $disk, 'then') });
    $node->put($disk, $j->pattern_file('second'));
    return "$disk: first pattern, snapshot 'then', second pattern";
}

my sub show_snapshot ($j) {
    my $node = $j->node('node1');
    $node->task(
        sub {
            $node->check;
            $j->counted('show snapshot' =>
                    sub { $node->storage('activate_volume', $disk, 'then', {}) });
        }
    );
    $j->expect_pattern($node, 'first',  ["$disk\@then"]);
    $j->expect_pattern($node, 'second', [$disk]);
    my $images = $node->storage('list_images', 101, undef, {});
    $j->expect(scalar($images->@*), 1, 'listed volumes');
    $node->task(sub { $node->storage('deactivate_volume', $disk, 'then', {}) });
    $j->expect(scalar(grep { /@/ } $node->links), 0, 'links of snapshots');
    return "the snapshot's device has the first pattern, the volume's the second; gone afterwards";
}

my sub clone_snapshot ($j) {
    my $node = $j->node('node1');
    my $clone;
    $node->task(
        sub {
            $node->check;
            $clone = $node->volume('clone_image', $disk, 102, 'then');
            $node->activate($clone);
        }
    );
    $j->expect($clone, 'vm-102-disk-0', 'the name');
    $j->expect_pattern($node, 'first', [$clone]);
    my $error = $j->refused(sub { $node->volume('volume_snapshot_delete', $disk, 'then', 0) },
        qr/vm-102-disk-0/);
    return "the first pattern is in it; deleting the snapshot: $error";
}

# The disk stays active and open in between, as an unused disk of a running VM may be.
my sub reassign ($j) {
    my $node   = $j->node('node1');
    my $before = $node->device('vm-102-disk-0');
    my $volid;
    $node->task(
        sub {
            $node->check;
            $volid = $node->volume('rename_volume', 'vm-102-disk-0', 103, undef);
        }
    );
    my ($id) = $j->storage;
    $j->expect($volid, "$id:vm-103-disk-0", 'the volume id');
    $j->expect_pattern($node, 'first', ['vm-103-disk-0']);
    my $after = $node->device('vm-103-disk-0');
    $j->expect($after->{uuid}, $before->{uuid}, 'the UUID of its namespace');
    $node->task(
        sub {
            $node->deactivate('vm-103-disk-0');
            $node->check;
            $node->storage('free_image', 'vm-103-disk-0', undef, 'raw');
            $node->volume('volume_snapshot_delete', $disk, 'then', 0);
        }
    );
    return "vm-103-disk-0, same namespace; freed, and the snapshot with it";
}

my sub convert ($j) {
    my $node = $j->node('node1');
    my $base;
    $node->task(
        sub {
            $node->deactivate($disk);
            $node->check;
            $base = $node->storage('create_base', $disk);
        }
    );
    $j->expect($base, 'base-101-disk-0', 'the name');
    return $base;
}

my sub clone ($j) {
    my ($node1, $node2) = map { $j->node($_) } qw(node1 node2);
    my $clone;
    $node1->task(
        sub {
            $node1->activate('base-101-disk-0');
            $j->counted('linked clone' =>
                    sub { $clone = $node1->volume('clone_image', 'base-101-disk-0', 104, undef) });
        }
    );
    $j->expect($clone, 'base-101-disk-0/vm-104-disk-0', 'the name');
    $node2->task(sub { $node2->activate($clone) });
    $j->expect_pattern($node2, 'second', [$clone]);
    $node2->put($clone, $j->pattern_file('third'));
    $j->expect_pattern($node2, 'third',  [$clone]);
    $j->expect_pattern($node1, 'second', ['base-101-disk-0']);
    my $error =
        $j->refused(sub { $node1->storage('free_image', 'base-101-disk-0', 1, 'raw') },
        qr/vm-104-disk-0/);
    return "written on node2, the base image is what it was; freeing it: $error";
}

my sub transfer ($j) {
    my $node  = $j->node('node2');
    my $clone = 'base-101-disk-0/vm-104-disk-0';
    my $volid;
    $node->task(
        sub {
            $node->volume('volume_export', {open => '>', file => FILE}, $clone, 'raw+size');
            $volid = $node->ask({
                method => 'volume_import',
                args   => [
                    reverse($j->storage), {open => '<', file => FILE},
                    'vm-105-disk-7', 'raw+size', undef, undef, 0, 0
                ],
            });
        }
    );
    my ($id) = $j->storage;
    $j->expect($volid, "$id:vm-105-disk-7", 'the volume id');
    $node->task(sub { $node->activate('vm-105-disk-7') });
    $j->expect_pattern($node, 'third', ['vm-105-disk-7']);
    my $size = scalar($node->volume('volume_size_info', 'vm-105-disk-7', 5));
    $j->expect($size, DISK_KIB * KIB, 'the size');
    $node->guest->must(['rm', FILE]);
    return 'exported, imported under another name, the same bytes';
}

my sub free ($j) {
    my ($node1, $node2) = map { $j->node($_) } qw(node1 node2);
    my @made = ('base-101-disk-0/vm-104-disk-0', 'vm-105-disk-7');
    $node2->task(sub { $node2->deactivate(@made) });
    $node1->task(
        sub {
            $node1->deactivate('base-101-disk-0');
            $node1->check;
            $node1->storage('free_image', $_, undef, 'raw') for @made;
            $node1->storage('free_image', 'base-101-disk-0', 1, 'raw');
        }
    );
    $j->expect(join('; ', $j->array->orphans), '', 'orphans on the array');
    return 'clones, then the base image; no orphan';
}

sub begin ($j) {
    $j->chapter('templates, clones, other owners, streams');

    # Else deleted clones would keep their parents for twelve hours.
    $j->array->ctl('set', queued_clones_hold_parent => 'no');
    $j->step('a disk with a snapshot',                         sub { make($j) });
    $j->step("a snapshot's bytes as a device",                 sub { show_snapshot($j) });
    $j->step('linked clone of a snapshot',                     sub { clone_snapshot($j) });
    $j->step('give the clone to another VM while it is active', sub { reassign($j) });
    $j->step('turn the disk into a base image',                sub { convert($j) });
    $j->step('linked clone, used on the other node',           sub { clone($j) });
    $j->step('export and import',                              sub { transfer($j) });
    $j->step('free them',                                      sub { free($j) });
    return;
}

1;
