# SPDX-License-Identifier: AGPL-3.0-or-later
package Journey::Fabric;

# Two nodes at one disk during a migration, and paths that go and come back under load.

use v5.36;

use JSON::PP   ();
use List::Util qw(min);

use Journey::Disks;

use constant {
    NOTICED_S => 60,                        # a silent path is given up after the keep-alive time
    WRITER_S  => 180,
    SLOTS     => 8,
    STOP      => '/run/lab/stop-writing',
};

my sub disks () { return Journey::Disks::disks() }

my sub hand_over ($j) {
    my ($source, $target) = map { $j->node($_) } qw(node1 node2);
    my @all    = Journey::Disks::all();
    my $disk   = (disks())[0];
    my $holder = Journey::Disks::hold($j, $source, $disk);
    $target->task(sub { $target->activate(@all) });
    $j->expect_pattern($target, 'first', [disks()]);
    $j->expect_pattern($source, 'first', [disks()]);

    Journey::Disks::let_go($j, $holder);
    $source->task(sub { $source->deactivate(@all) });
    $j->expect(join(' ', $source->links), '', 'links on node1');
    return 'node2 has read while node1 had it open, node1 has let go';
}

# What the target wrote after the switch must be what the source sees when the VM comes back, also
# through its page cache.
my sub hand_back ($j) {
    my ($source, $target) = map { $j->node($_) } qw(node1 node2);
    $target->put($_, $j->pattern_file('third')) for disks();
    $source->task(sub { $source->activate(Journey::Disks::all()) });
    $j->expect_pattern($source, 'third', [disks()], buffered => 1);
    $target->task(sub { $target->deactivate(Journey::Disks::all()) });
    $j->expect(join(' ', $target->links), '', 'links on node2');
    return 'node1 reads what node2 wrote, ' . $j->expect_pattern($source, 'third', [disks()]);
}

# Writes the pattern over and over, one slot of its size after the other, until told to stop.
my sub start_writer ($j, $node, $disk) {
    my $link    = $node->path($disk);
    my $pattern = $j->pattern_file('first');
    $node->guest->must('rm -f ' . STOP);
    my $writer = $node->guest->spawn(
        "set -e; i=0; until [[ -e ${\ STOP} ]]; do "
            . 'slot=$((i / 4 % '
            . SLOTS . ')); '
            . "dd if=$pattern of=$link bs=1M count=1 skip=\$((i % 4)) seek=\$((slot * 4 + i % 4)) "
            . 'oflag=direct conv=notrunc status=none; i=$((i + 1)); echo $i; done',
        timeout => WRITER_S
    );
    $j->expect($writer->read_line, $_, 'blocks written') for 1 .. 4;
    return $writer;
}

# Every block that the writer told of is on the disk. Returns how many.
my sub end_writer ($j, $node, $disk, $writer) {
    $node->guest->must('touch ' . STOP);
    my $end = $writer->wait(WRITER_S);
    $j->expect($end->{code}, 0, "the writer's exit code ($end->{err})");
    my ($blocks) = $end->{out} =~ /(\d+)\s*\z/ or die "nothing was written after the cut\n";
    my $slots = min(SLOTS, int($blocks / 4));
    $j->expect_pattern($node, 'first', [$disk], at => $_ * 4) for 0 .. $slots - 1;
    return $blocks;
}

my sub cut ($j, %how) {
    my $node   = $j->node('node1');
    my $guest  = $node->guest;
    my $portal = $how{portal};
    my $disk   = (disks())[0];
    my $writer = start_writer($j, $node, $disk);
    $j->cut_path($portal, how => $how{how});
    my $noticed = $guest->wait_for_path($portal, 'live', not => 1, timeout => NOTICED_S);

    # One path is enough for the storage, and its polls say so while the other is away.
    $node->check;
    $writer->read_line for 1 .. 4;
    $j->restore_path($portal);
    my $back   = $guest->wait_for_path($portal, 'live', timeout => NOTICED_S);
    my $blocks = end_writer($j, $node, $disk, $writer);
    return "noticed after $noticed ms, live again after $back ms; "
        . "$blocks MiB written by then, all there";
}

# No path at all: what is under way waits in the kernel, and nothing fails.
my sub cut_all ($j) {
    my $node    = $j->node('node1');
    my $guest   = $node->guest;
    my $disk    = (disks())[0];
    my $writer  = start_writer($j, $node, $disk);
    my @portals = $j->lab->portals;
    $j->on_failure(sub { $j->restore_path($_) for @portals });
    $j->cut_path($_, how => 'silent')                                 for @portals;
    $guest->wait_for_path($_, 'live', not => 1, timeout => NOTICED_S) for @portals;
    $j->restore_path($_)                                              for @portals;
    my ($back) = sort { $b <=> $a }
        map { $guest->wait_for_path($_, 'live', timeout => NOTICED_S) } @portals;
    $j->node('node2')->guest->wait_for_path($_, 'live', timeout => NOTICED_S) for @portals;
    $writer->read_line for 1 .. 4;
    my $blocks = end_writer($j, $node, $disk, $writer);
    return "live again after $back ms; the writer waited, $blocks MiB written, all there";
}

# The whole array is away, its REST side too: `take` it away, and `give` it back.
my sub without_array ($j, %how) {
    my $node    = $j->node('node1');
    my $disk    = (disks())[0];
    my $writer  = start_writer($j, $node, $disk);
    my @portals = $j->lab->portals;
    $j->on_failure($how{give});
    $how{take}->();
    $node->guest->wait_for_path($_, 'live', not => 1, timeout => NOTICED_S) for @portals;
    my $is_online = $node->storage('check_connection');
    $how{give}->();
    $is_online and die "the storage is online without an array\n";

    for my $name (qw(node1 node2)) {
        $j->node($name)->guest->wait_for_path($_, 'live', timeout => NOTICED_S) for @portals;
    }
    $writer->read_line for 1 .. 4;
    my $blocks = end_writer($j, $node, $disk, $writer);
    $node->check_until_connected;
    return "a poll said offline; afterwards all paths live, $blocks MiB written, all there";
}

# As before a takeover: nothing is answered, and nothing is refused.
my sub standstill ($j) {
    return without_array(
        $j,
        take => sub { $j->lab->pause_guest('array') },
        give => sub { $j->lab->resume_guest('array') }
    );
}

my sub array_boots ($j) {
    my @portals = $j->lab->portals;
    return without_array(
        $j,
        take => sub {
            $j->array->ctl('fault-add', drop_before => JSON::PP::true(), times => -1);
            $j->cut_path($_, how => 'clean') for @portals;
        },
        give => sub {
            $j->array->ctl('fault-clear');
            $j->restore_path($_) for @portals;
        }
    );
}

# The array's REST side answers nobody; its data LIFs do. The cluster's file system, which both nodes
# have on a real cluster, is carried over by hand.
my sub without_management ($j) {
    my ($source, $target) = map { $j->node($_) } qw(node1 node2);
    my ($id) = $j->storage;
    my $file = "/etc/pve/priv/storage/$id.disks";
    $target->guest->write_file($file, $source->guest->read_file($file));
    $j->array->ctl('fault-add', never_answer => JSON::PP::true(), times => -1);
    $j->on_failure(sub { $j->array->ctl('fault-clear') });
    my $error;
    $target->task(
        sub {
            $target->activate(disks());
            $error = $j->refused(sub { $target->storage('alloc_image', 100, 'raw', undef, 1024) },
                qr/\[(?:unavailable|timed-out)\b/);
        }
    );
    $j->expect_pattern($target, 'third', [disks()]);
    $target->task(sub { $target->deactivate(disks()) });
    $source->task(sub { $source->activate(disks()) });
    $j->array->ctl('fault-clear');
    return "both disks were activated and read on node2; a new disk: $error";
}

sub begin ($j) {
    $j->chapter('two nodes, two paths');
    my ($first, $second) = $j->{lab}->portals;
    $j->step('live hand-over to node2',                      sub { hand_over($j) });
    $j->step('and back to node1',                            sub { hand_back($j) });
    $j->step('hand-over while the management LIF is silent', sub { without_management($j) });
    $j->step(
        "portal $first refuses while a VM writes",
        sub { cut($j, portal => $first, how => 'clean') }
    );
    $j->step(
        "portal $second goes silent while a VM writes",
        sub { cut($j, portal => $second, how => 'silent') }
    );
    $j->step('both portals go silent while a VM writes, and come back', sub { cut_all($j) });
    $j->step('the array stands still while a VM writes, and goes on',   sub { standstill($j) });
    $j->step('the array boots while a VM writes',                       sub { array_boots($j) });
    return;
}

1;
