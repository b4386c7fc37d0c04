# SPDX-License-Identifier: AGPL-3.0-or-later
package Journey::Events;

# How long a node takes to notice what the array does to a namespace, and what it does when nobody
# tells it.

use v5.36;

use List::Util  qw(max min);
use Time::HiRes qw(time);

use Journey::Disks;

use constant {VMID => 330, KIB => 32 * 1024, GROWN => 48 * 1024 * 1024, ROUNDS => 5, SEEN_S => 30};

my sub make ($j) {
    my $node = $j->node('node1');
    return $node->task(
        sub {
            $node->check;
            return $node->storage('alloc_image', VMID, 'raw', undef, KIB);
        }
    );
}

my sub map_of ($j, $disk) {
    my $ns = $j->array->namespace(Journey::Disks::flexvol($disk));
    my ($subsystem) = $j->array->records('/api/protocols/nvme/subsystems?name=pve_subsystem');
    return {ns => $ns, subsystem => $subsystem};
}

my sub admin ($j, $method, $target, %body) {
    my $answer = $j->array->ctl(
        'admin',
        method => $method,
        target => $target,
        %body ? (body => \%body) : ()
    );
    $answer->{status} < 300 or die "$method $target: $answer->{status}\n";
    return;
}

my sub unmap ($j, $map) {
    return admin($j, 'DELETE',
        "/api/protocols/nvme/subsystem-maps/$map->{subsystem}{uuid}/$map->{ns}{uuid}");
}

my sub map_again ($j, $map) {
    return admin(
        $j, 'POST', '/api/protocols/nvme/subsystem-maps',
        svm       => {name => 'svm1'},
        subsystem => {name => $map->{subsystem}{name}},
        namespace => {uuid => $map->{ns}{uuid}}
    );
}

# Tells at once when a block device of that UUID comes or goes: starting a program for each look
# would take longer than what is measured.
my sub watch ($node, $uuid) {
    my $program =
          q[my $link = "/dev/disk/by-id/nvme-uuid.$ARGV[0]"; my $was = 1; $| = 1; ]
        # That of a disk that was just made may still be on its way.
        . q[select(undef, undef, undef, 0.005) until -b $link; ]
        . q[print "ready\n"; while (getppid() != 0) { my $is = -b $link; ]
        . q[print $is ? "here\n" : "gone\n" if !!$is ne !!$was; $was = $is; ]
        . q[select(undef, undef, undef, 0.005) }];
    my $watcher = $node->guest->spawn(['perl', '-e', $program, $uuid]);
    $watcher->read_line(SEEN_S);
    return $watcher;
}

my sub range (@ms) {
    my @sorted = sort { $a <=> $b } @ms;
    return sprintf('%d ms (%d to %d)', $sorted[$#sorted / 2], min(@ms), max(@ms));
}

my sub measure ($j, $disk) {
    my $node    = $j->node('node1');
    my $map     = map_of($j, $disk);
    my $watcher = watch($node, $map->{ns}{uuid});
    $j->on_failure(sub { $watcher->signal('TERM') });
    my %ms;
    my $timed = sub ($what, $told, $change) {
        my $started = time();
        $change->($j, $map);
        $j->expect($watcher->read_line(SEEN_S), $told, 'what the node sees');
        push($ms{$what}->@*, 1000 * (time() - $started));
    };
    for (1 .. ROUNDS) {
        $timed->('unmap to gone', 'gone', \&unmap);
        $timed->('map to device', 'here', \&map_again);
        unmap($j, $map);
        $j->expect($watcher->read_line(SEEN_S), 'gone', 'what the node sees');
        my $started = time();
        $node->task(sub { $node->storage('activate_volume', $disk, undef, {}) });
        push($ms{'activation of an unmapped disk'}->@*, 1000 * (time() - $started));
        $j->expect($watcher->read_line(SEEN_S), 'here', 'what the node sees');
    }
    $watcher->signal('TERM');
    $watcher->wait(SEEN_S);
    return join(', ', map { "$_ " . range($ms{$_}->@*) } sort(keys(%ms)));
}

# Every change of this disk's life, and nobody tells the node: it looks by itself, after a moment.
my sub lost ($j, $disk) {
    my $node  = $j->node('node1');
    my $map   = map_of($j, $disk);
    my $link  = "/dev/disk/by-id/nvme-uuid.$map->{ns}{uuid}";
    my $serve = sub { $j->array->ctl('nvme-events', mode => 'serve') };
    unmap($j, $map);
    $node->guest->wait_for("! [[ -b $link ]]");
    $j->on_failure($serve);
    $j->array->ctl('nvme-events', mode => 'lose');
    my %ms;
    my $timed = sub ($what, $code) {
        my $started = time();
        $node->task($code);
        $ms{$what} = sprintf('%d ms', 1000 * (time() - $started));
    };
    $timed->('activate', sub { $node->storage('activate_volume', $disk, undef, {}) });
    $j->expect($node->device($disk)->{uuid}, $map->{ns}{uuid}, "the UUID behind $disk");
    $timed->('grow', sub { $node->volume('volume_resize', $disk, GROWN, 1) });
    $j->expect($node->device($disk)->{bytes}, GROWN, 'the size');
    $node->task(sub { $node->deactivate($disk) });
    $timed->('free', sub { $node->storage('free_image', $disk, undef, 'raw') });
    $node->guest->must("! [[ -b $link ]]");
    $serve->();
    return join(', ', map { "$_ $ms{$_}" } qw(activate grow free));
}

my sub free ($j, $disk) {
    my $node = $j->node('node1');
    $node->task(
        sub {
            $node->deactivate($disk);
            $node->check;
            $node->storage('free_image', $disk, undef, 'raw');
        }
    );
    return;
}

sub begin ($j) {
    $j->chapter('events');
    my $disk;
    $j->step('a disk',                                              sub { $disk = make($j) });
    $j->step('devices come and go with maps, ' . ROUNDS . ' times', sub { measure($j, $disk) });
    if ($j->{data_plane} eq 'ontap-sim') {
        $j->step('nobody tells the node, and it sees all the same', sub { lost($j, $disk) });
    } else {
        $j->skip('lost events', "the kernel's target loses none");
        $j->step('the disk is freed', sub { free($j, $disk) });
    }
    return;
}

1;
