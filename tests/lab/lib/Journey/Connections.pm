# SPDX-License-Identifier: AGPL-3.0-or-later
package Journey::Connections;

# What the plugin does with a node's connections: how they are made, repaired and told apart, and
# which of them it lets alone.

use v5.36;

use Journey::Disks;
use Journey::Storage;

use constant {SIX => 'six', SIX_SUBSYSTEM => 'pve_six', LIVE_S => 60};

my sub controllers ($node) {
    my $text =
        $node->guest->must('for c in /sys/class/nvme/nvme*; do '
            . 'echo $(<$c/address) $(<$c/state) $(<$c/queue_count) $(<$c/kato) $(<$c/ctrl_loss_tmo) '
            . '$(<$c/subsysnqn) ${c##*/}; done');
    my @found;
    for my $line (split(/\n/, $text)) {
        my %one;
        (my $address, @one{qw(state queues kato loss nqn name)}) = split(/ /, $line);
        ($one{portal}) = $address =~ /traddr=([^,]+)/;
        push(@found, \%one);
    }
    return @found;
}

my sub controller_at ($node, $portal) {
    my ($found) = grep { $_->{portal} eq $portal } controllers($node);
    return $found // die $node->name . " has no controller at $portal\n";
}

my sub wait_until_live ($node, @portals) {
    $node->guest->wait_for_path($_, 'live', timeout => LIVE_S) for @portals;
    return;
}

# One queue for administration, and one for each processor.
my sub made ($j) {
    my $node   = $j->node('node1');
    my $queues = $node->guest->must('nproc') + 1;
    for my $controller (map { controller_at($node, $_) } $j->lab->portals) {
        my $portal = $controller->{portal};
        $j->expect($controller->{loss},   'off',   "ctrl_loss_tmo of $portal");
        $j->expect($controller->{kato},   5,       "the keep-alive time of $portal");
        $j->expect($controller->{queues}, $queues, "the queues of $portal");
    }
    return "ctrl_loss_tmo off, keep-alive 5 s, $queues queues with " . ($queues - 1) . ' processor';
}

my sub repaired ($j) {
    my $node = $j->node('node1');
    my ($first, $second) = $j->lab->portals;
    my $controller = controller_at($node, $first);
    $node->guest->must("echo 60 >/sys/class/nvme/$controller->{name}/ctrl_loss_tmo");
    my $lost = controller_at($node, $second)->{name};
    $node->guest->must("echo 1 >/sys/class/nvme/$lost/delete_controller");
    $node->guest->wait_for("! [[ -e /sys/class/nvme/$lost ]]");
    $node->check;
    wait_until_live($node, $second);
    $j->expect(controller_at($node, $first)->{loss}, 'off', 'ctrl_loss_tmo after a poll');
    $j->expect(scalar(controllers($node)),           2,     'controllers');
    return "ctrl_loss_tmo 60 became off, the path to $second was made again";
}

my sub let_go ($node) {
    $node->storage('deactivate_storage', {});
    $node->wait_until_no('/sys/class/nvme/nvme*');
    return;
}

my sub by_name ($j) {
    my $node = $j->node('node2');
    let_go($node);
    local $j->{scfg} = {$j->{scfg}->%*, ontap_portal => 'portals'};
    $node->check_until_connected;
    wait_until_live($node, $j->lab->portals);
    return 'both addresses of the name are connected';
}

my sub in_use ($j) {
    my $node   = $j->node('node2');
    my $disk   = (Journey::Disks::disks())[0];
    my $before = join(' ', map { $_->{name} } controllers($node));
    $node->task(sub { $node->activate($disk) });
    my $holder = Journey::Disks::hold($j, $node, $disk);
    $node->storage('deactivate_storage', {});
    $j->expect(join(' ', map { $_->{name} } controllers($node)), $before, 'the controllers');
    $j->expect(join(' ', $node->links), $node->path($disk), 'links of node2');
    Journey::Disks::let_go($j, $holder);
    $node->check;
    $node->task(sub { $node->deactivate($disk) });
    return "$before and its link stay while $disk is open";
}

# Nodes that were installed from one image: the array takes both for one host.
my sub twins ($j) {
    my ($other, $node) = map { $j->node($_)->guest } qw(node1 node2);
    my @files  = qw(/etc/nvme/hostnqn /etc/nvme/hostid);
    my %own    = map { $_ => $node->read_file($_) } @files;
    my $become = sub ($who) {
        let_go($j->node('node2'));
        $node->write_file($_, $who->{$_}) for @files;
        $j->node('node2')->check_until_connected;
    };
    $become->({map { $_ => $other->read_file($_) } @files});
    my ($told) = grep { /two nodes share an NVMe identity/ } $j->{heard}->@*;
    $become->(\%own);
    wait_until_live($j->node('node2'), $j->lab->portals);
    $told // die "nobody said that two nodes have one host NQN\n";
    return 'warned about';
}

# ---- IPv6, and a second subsystem beside the first

my sub over_ipv6 ($j) {
    my $node = $j->node('node1');
    Journey::Storage::add_another($j, SIX, vserver => 'svm2', subsystem => SIX_SUBSYSTEM);
    $node->check_until_connected;
    wait_until_live($node, $j->lab->portals6);
    $j->expect(scalar(controllers($node)), 4, 'controllers');
    $node->task(
        sub {
            $node->check;
            my $disk = $node->storage('alloc_image', 320, 'raw', undef, 32 * 1024);
            $node->activate($disk);
            $node->put($disk, $j->pattern_file('first'));
        }
    );
    $j->expect_pattern($node, 'first', ['vm-320-disk-0']);
    return join(' and ', $j->lab->portals6) . ' beside the two over IPv4; a disk written and read';
}

my sub remove_ipv6 ($j, $others) {
    my $node = $j->node('node1');
    $node->task(
        sub {
            $node->deactivate('vm-320-disk-0');
            $node->check;
            $node->storage('free_image', 'vm-320-disk-0', undef, 'raw');
        }
    );
    $node->hook('on_delete_hook', $j->storage);
    $node->guest->wait_for_path($_, 'gone') for $j->lab->portals6;
    $j->expect(join(' ', map { "$_->{name} $_->{state}" } controllers($node)),
        $others, 'the controllers of the other storage');
    return "$others stay";
}

sub begin ($j) {
    $j->chapter('connections');
    $j->step('controllers are as they should be',           sub { made($j) });
    $j->step('a poll repairs what is wrong',                sub { repaired($j) });
    $j->step('a portal by a name with two addresses',       sub { by_name($j) });
    $j->step('connections of a disk that is open are kept', sub { in_use($j) });
    if ($j->{data_plane} eq 'ontap-sim') {
        $j->step('two nodes with one host NQN are told apart', sub { twins($j) });
    } else {
        $j->skip('two nodes with one host NQN',
            "the kernel's target tells nobody who is connected");
    }
    my $others = join(' ', map { "$_->{name} $_->{state}" } controllers($j->node('node1')));
    local $j->@{qw(storage_id scfg)} = $j->@{qw(storage_id scfg)};
    $j->step('a second storage over IPv6',               sub { over_ipv6($j) });
    $j->step('it is removed without touching the first', sub { remove_ipv6($j, $others) });
    return;
}

1;
