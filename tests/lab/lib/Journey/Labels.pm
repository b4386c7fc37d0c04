# SPDX-License-Identifier: AGPL-3.0-or-later
package Journey::Labels;

# What a namespace says of itself in band, by ONTAP's vendor log page: the strategy that finds a
# device by it, and the proof that refuses a device which says something else. Only the simulator's
# own target has that page; the kernel's stands in for another array here.

use v5.36;

use Journey::Disks;

use constant {
    SVM        => 'svm1',
    OTHER_NQN  => 'nqn.1992-08.com.netapp:sn.' . 'f' x 32 . ':subsystem.pve_subsystem',
    OTHER_PORT => 1,
};

my sub namespace_of ($j, $volname) {
    return $j->array->namespace(Journey::Disks::flexvol($volname));
}

# Each with its own names: a label that fits any device would be no proof.
my sub by_labels ($j) {
    my $node = $j->node('node1');
    my @told;
    for my $volname (Journey::Disks::all()) {
        my $flexvol = Journey::Disks::flexvol($volname);
        my $said    = $node->resolve(namespace_of($j, $volname), labels => [SVM, $flexvol]);
        my $device  = $node->device($volname)->{path};
        $j->expect($said->{labels}, $device, "labels for $volname");
        push(@told, "$flexvol $device");
    }
    return join(', ', @told);
}

my sub all_agree ($j) {
    my $node = $j->node('node1');
    $node->task(sub { $node->activate(Journey::Disks::all()) });
    for my $volname (Journey::Disks::disks()) {
        my @labels = (SVM, Journey::Disks::flexvol($volname));
        my $said   = $node->resolve(namespace_of($j, $volname), labels => \@labels);
        my $device = $node->device($volname)->{path};
        $j->expect($said->{$_}, $device, "$_ for $volname") for qw(by-uuid labels topology);
        exists($said->{size}) and die "the size of $volname: $said->{size}\n";
    }
    return 'by-uuid, labels and topology, each with the names as part of the proof';
}

# The plugin does not hand out a device whose label is another one's, and says both.
my sub lie ($j, $what, $false) {
    my $node    = $j->node('node1');
    my $volname = (Journey::Disks::disks())[1];
    my $flexvol = Journey::Disks::flexvol($volname);
    my $true    = $what eq 'svm' ? SVM : $flexvol;
    my $truth   = sub { $j->array->ctl('nvme-labels', volume => $flexvol) };
    $j->on_failure($truth);
    $j->array->ctl('nvme-labels', volume => $flexvol, says => {$what => $false});
    my $said  = $node->resolve(namespace_of($j, $volname), labels => [SVM, $flexvol]);
    my $error = $j->refused(
        sub {
            $node->task(sub { $node->activate($volname) });
        },
        qr/found_$what=\Q$false\E.*expected_$what=\Q$true\E/
    );
    $said->{labels} =~ /\A- / or die "the strategy found $said->{labels} all the same\n";
    $truth->();
    $node->task(sub { $node->activate($volname) });
    return $error =~
        s/.*(found_$what=[^,)]+, expected_$what=[^,)]+).*/$1/sr . '; then the truth: active';
}

# The storage lets go of its own connections, and of no other.
my sub leave_other_array ($j) {
    my $node = $j->node('node2');
    $node->storage('deactivate_storage', {});
    $node->guest->wait_for_path($_, 'gone') for $j->lab->portals;
    $node->guest->wait_for_path($j->lab->management_address, 'live');
    $node->guest->must(['nvme', 'disconnect', '-n', OTHER_NQN]);
    $node->wait_until_no('/sys/class/nvme/nvme*');
    $j->lab->nvmet('down');
    $node->check_until_connected;
    return;
}

# A clone of the whole array, say: the same UUID and size, but not the subsystem of this storage.
# The node meets it first, since the kernel ignores the second of two equal identifiers.
my sub other_array ($j) {
    my $node    = $j->node('node2');
    my $volname = (Journey::Disks::disks())[0];
    my $ns      = namespace_of($j, $volname);
    $j->lab->nvmet('subsystem', OTHER_NQN);
    $j->lab->nvmet('namespace', OTHER_NQN,  1, $ns->{uuid}, $ns->{space}{size});
    $j->lab->nvmet('port',      OTHER_PORT, $j->lab->management_address, OTHER_NQN);
    $node->storage('deactivate_storage', {});
    $node->wait_until_no('/sys/class/nvme/nvme*');
    $j->on_failure(sub { leave_other_array($j) });
    $node->guest->must(
        [qw(nvme connect -t tcp -s 4420 -n), OTHER_NQN, '-a', $j->lab->management_address]);
    $node->guest->wait_for("[[ -b /dev/disk/by-id/nvme-uuid.$ns->{uuid} ]]");

    my $nqn  = $j->array->subsystem_nqn('pve_subsystem');
    my $said = $node->resolve($ns);
    my $both = qr/found_subsystem_nqn=\Q${\ OTHER_NQN}\E.*expected_subsystem_nqn=\Q$nqn\E/;
    $said->{'by-uuid'} =~ $both or die "by-uuid says '$said->{'by-uuid'}'\n";
    $j->refused(
        sub {
            $node->task(sub { $node->activate($volname) });
        },
        $both
    );
    $j->expect(join(' ', $node->links), '', 'links on node2');

    leave_other_array($j);
    $node->task(sub { $node->activate($volname) });
    my $device = $node->device($volname);
    $j->expect($device->{uuid}, $ns->{uuid}, "the UUID behind $volname on node2");
    $node->task(sub { $node->deactivate($volname) });
    return 'refused with both NQNs while the UUID was right; without it, active; '
        . 'its connection was let alone';
}

sub begin ($j) {
    return if $j->{data_plane} ne 'ontap-sim';
    $j->chapter('labels of the array');
    $j->step('labels alone find every device',              sub { by_labels($j) });
    $j->step('activation with labels as part of the proof', sub { all_agree($j) });
    $j->step('a device that says another SVM is refused',   sub { lie($j, 'svm', 'svm9') });
    $j->step(
        'a device that says another volume is refused',
        sub { lie($j, 'volume', 'vm_999_disk_0') }
    );
    $j->step("another array's device with the right UUID is refused", sub { other_array($j) });
    return;
}

1;
