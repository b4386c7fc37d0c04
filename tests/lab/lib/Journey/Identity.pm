# SPDX-License-Identifier: AGPL-3.0-or-later
package Journey::Identity;

# The right device, and no other: everything by which a device is called (NSID, name of the volume,
# name in the kernel, link) comes to mean another one here, while node2 still knows the old one.

use v5.36;

use JSON::PP ();

use Journey::Disks;

use constant {KIB => 32 * 1024, GROWN => 64 * 1024 * 1024, GROWN_AGAIN => 96 * 1024 * 1024};

my sub flexvol ($volname) { return $volname =~ tr/-/_/r }

my sub on_array ($j, $volname) { return $j->array->namespace(flexvol($volname)) }

my sub make ($j, $vmid) {
    my $node = $j->node('node1');
    return $node->task(
        sub {
            $node->check;
            return $node->storage('alloc_image', $vmid, 'raw', undef, KIB);
        }
    );
}

my sub free ($j, @volnames) {
    my $node = $j->node('node1');
    $node->task(
        sub {
            $node->check;
            $node->storage('free_image', $_, undef, 'raw') for @volnames;
        }
    );
    return;
}

my sub activate ($node, $volname) {
    $node->task(sub { $node->activate($volname) });
    return $node->device($volname);
}

my sub nsid_of ($node, $device) {
    chomp(my $nsid = $node->guest->must(['cat', '/sys/block/' . ($device =~ s{.*/}{}r) . '/nsid']));
    return $nsid;
}

my sub expect_zeros ($node, $volname) {
    my $link = $node->path($volname);
    $node->guest->must(
        "set -o pipefail; dd if=$link bs=1M iflag=direct status=none | cmp -n ${\ KIB}K - /dev/zero"
    );
    return;
}

# ---- what a name, an NSID or a link meant before

my sub nsid_reuse ($j) {
    my $node  = $j->node('node2');
    my $first = make($j, 300);
    my $old   = activate($node, $first);
    my $nsid  = nsid_of($node, $old->{path});
    $node->put($first, $j->pattern_file('first'));
    $node->task(sub { $node->deactivate($first) });
    free($j, $first);

    my $second = make($j, 300);
    my $new    = activate($node, $second);
    $j->expect($second,                      $first, 'the name of the second disk');
    $j->expect(nsid_of($node, $new->{path}), $nsid,  'its NSID');
    $j->expect($new->{uuid},                 on_array($j, $second)->{uuid}, 'its UUID');
    $new->{uuid} ne $old->{uuid} or die "the UUID is that of the disk that was freed\n";
    expect_zeros($node, $second);
    return "NSID $nsid, $second: $old->{uuid}, then $new->{uuid}, which reads as zeros";
}

# node2 does not let go of VM 300's disk before it becomes VM 301's, so its link is a false one when
# VM 300 gets a new disk of that name. `$silent` or not, node2 must not take the old one for it.
my sub name_reuse ($j, %how) {
    my ($node1, $node2) = map { $j->node($_) } qw(node1 node2);
    my $name = 'vm-300-disk-0';
    my $old  = activate($node2, $name);
    $node2->put($name, $j->pattern_file('second'));
    my $given = $node1->task(
        sub {
            $node1->check;
            return $node1->volume('rename_volume', $name, 301, undef);
        }
    );
    $given =~ s/\A[^:]*://;
    $j->expect(make($j, 300), $name, 'the name of the new disk');
    my $uuid = on_array($j, $name)->{uuid};
    $j->on_failure(sub { $j->array->ctl('fault-clear') });
    $j->array->ctl('fault-add', never_answer => JSON::PP::true(), times => -1) if $how{silent};
    my $new = activate($node2, $name);
    $j->array->ctl('fault-clear');
    $j->expect($new->{uuid}, $uuid, "the UUID behind $name");
    expect_zeros($node2, $name);
    my $moved = activate($node2, $given);
    $j->expect($moved->{uuid}, $old->{uuid}, "the UUID behind $given");
    $j->expect_pattern($node2, 'second', [$given]);
    $node2->task(sub { $node2->deactivate($given) });
    free($j, $given);
    return "$name is $new->{uuid} now, $old->{uuid} is $given";
}

# After a disconnect the kernel names what it finds in the order of NSIDs, so that a gap moves all
# that follow.
my sub kernel_name_reuse ($j) {
    my $node = $j->node('node2');
    my ($gap, $wanted, $other) = map { make($j, $_) } 302 .. 304;
    my $old = activate($node, $wanted);
    $node->put($wanted, $j->pattern_file('first'));
    free($j, $gap);
    my $nqn = $j->array->subsystem_nqn('pve_subsystem');
    $node->guest->must(['nvme', 'disconnect', '-n', $nqn]);
    $node->wait_until_no('/sys/class/nvme/nvme*');
    $node->check_until_connected;
    $node->guest->wait_for("[[ -b $old->{path} ]]");
    chomp(my $taken_by =
            $node->guest->must("cat /sys/block/${\ ($old->{path} =~ s{.*/}{}r) }/uuid"));
    $taken_by ne $old->{uuid} or die "$old->{path} is still the same disk\n";
    my $new = activate($node, $wanted);
    $j->expect($new->{uuid}, $old->{uuid}, "the UUID behind $wanted");
    $j->expect_pattern($node, 'first', [$wanted]);
    return "$old->{path} became $taken_by, and $wanted is $new->{path}";
}

# As after a power cut, or by a hand that meant well.
my sub stale_link ($j) {
    my $node  = $j->node('node2');
    my $name  = 'vm-303-disk-0';
    my $link  = $node->path($name);
    my $right = $node->device($name);
    my $wrong = activate($node, 'vm-304-disk-0');
    $node->guest->must(['ln', '-sfn', $wrong->{path}, $link]);
    my $repaired = activate($node, $name);
    $j->expect($repaired->{path}, $right->{path}, "the device behind $name");

    # Letting go of a link that lies takes nothing from the disk that it shows.
    $node->guest->must(['ln', '-sfn', $wrong->{path}, $link]);
    my $holder = Journey::Disks::hold($j, $node, 'vm-304-disk-0');
    $node->task(sub { $node->deactivate($name) });
    $j->expect(join(' ', grep { /\Q$name\E\z/ } $node->links), '', "links of $name");
    Journey::Disks::let_go($j, $holder);
    $node->task(sub { $node->deactivate('vm-304-disk-0') });
    return "the link to $wrong->{path} became one to $right->{path}";
}

# ---- what changes behind a device

my sub resized_elsewhere ($j) {
    my ($node1, $node2) = map { $j->node($_) } qw(node1 node2);
    my $name = 'vm-303-disk-0';
    activate($node2, $name);
    $node1->task(
        sub {
            $node1->activate($name);
            $node1->volume('volume_resize', $name, GROWN, 0);
            $node1->deactivate($name);
        }
    );
    $j->expect(activate($node2, $name)->{bytes}, GROWN, 'the size on node2');

    my $ns = on_array($j, $name);
    $j->array->ctl(
        'admin',
        method => 'PATCH',
        target => "/api/storage/volumes/$ns->{location}{volume}{uuid}",
        body   => {size => 2 * GROWN_AGAIN}
    );
    $j->array->ctl(
        'admin',
        method => 'PATCH',
        target => "/api/storage/namespaces/$ns->{uuid}",
        body   => {space => {size => GROWN_AGAIN}}
    );
    $j->expect(activate($node2, $name)->{bytes}, GROWN_AGAIN,
        "after the array's own administrator");
    $j->expect_pattern($node2, 'first', [$name]);
    return "${\ GROWN} by node1, ${\ GROWN_AGAIN} on the array; node2 shows both when it activates";
}

# A restore by hand may leave another namespace in the FlexVol. It is the one to hand out, since it
# is what the volume holds now; the old one is not.
my sub replaced ($j) {
    my $node = $j->node('node2');
    my $name = 'vm-303-disk-0';
    my $old  = on_array($j, $name);
    my %svm  = (svm => {name => 'svm1'});
    my $ask  = sub ($method, $target, $body = undef) {
        my $answer = $j->array->ctl(
            'admin',
            method => $method,
            target => $target,
            $body ? (body => $body) : ()
        );
        $answer->{status} < 300 or die "$method $target: $answer->{status}\n";
    };
    my ($told) =
        $j->array->records("/api/storage/namespaces?uuid=$old->{uuid}&fields=subsystem_map");
    $ask->(
        'DELETE',
        "/api/protocols/nvme/subsystem-maps/$told->{subsystem_map}{subsystem}{uuid}/$old->{uuid}"
    );
    $ask->('DELETE', "/api/storage/namespaces/$old->{uuid}");
    $ask->(
        'POST',
        '/api/storage/namespaces',
        {
            %svm,
            name    => $old->{name},
            os_type => 'linux',
            space   => {size => KIB * 1024, block_size => 4096}
        }
    );
    my $new = activate($node, $name);
    $j->expect($new->{uuid}, on_array($j, $name)->{uuid}, "the UUID behind $name");
    $new->{uuid} ne $old->{uuid} or die "the UUID is that of the namespace that is gone\n";
    expect_zeros($node, $name);
    return "$old->{uuid} is gone, $name is $new->{uuid}";
}

# The device is there, and nothing behind it answers: a VM must not be started on it.
my sub no_path ($j) {
    my $node    = $j->node('node2');
    my $name    = 'vm-303-disk-0';
    my @portals = $j->lab->portals;
    $node->task(sub { $node->deactivate($name) });
    $j->on_failure(sub { $j->restore_path($_) for @portals });
    $j->cut_path($_, how => 'clean') for @portals;
    $node->guest->wait_for_path($_, 'live', not => 1) for @portals;
    my $refusal = $j->refused(sub { $node->check }, qr/no live data path/);
    my $error   = $node->task(
        sub {
            return $j->refused(
                sub { $node->storage('activate_volume', $name, undef, {}) },
                qr/no live (?:data )?path|path to its device is down/
            );
        }
    );
    $j->expect(join(' ', grep { /\Q$name\E\z/ } $node->links), '', "links of $name");
    $j->restore_path($_) for @portals;
    $node->guest->wait_for_path($_, 'live', timeout => 60) for @portals;
    activate($node, $name);
    return "$error; with paths again: active";
}

my sub finish ($j) {
    my $node = $j->node('node2');
    my @left = qw(vm-300-disk-0 vm-303-disk-0 vm-304-disk-0);
    $node->task(sub { $node->deactivate(@left) });
    free($j, @left);
    $j->expect(join('; ', $j->array->orphans), '', 'orphans on the array');
    return;
}

sub begin ($j) {
    $j->chapter('the right device');
    $j->step('an NSID and a name of a freed disk mean a new one', sub { nsid_reuse($j) });
    $j->step('a name means a new disk after a rename',            sub { name_reuse($j) });
    $j->step('the same while the management LIF is silent', sub { name_reuse($j, silent => 1) });
    $j->step('a kernel name means another disk after a reconnect', sub { kernel_name_reuse($j) });
    $j->step("a link to another disk's device is put right",       sub { stale_link($j) });
    $j->step('a disk is resized elsewhere',                        sub { resized_elsewhere($j) });
    $j->step('a namespace is replaced by another one',             sub { replaced($j) });
    $j->step('a device without a path is not handed out',          sub { no_path($j) });
    $j->step('the disks are freed',                                sub { finish($j) });
    return;
}

1;
