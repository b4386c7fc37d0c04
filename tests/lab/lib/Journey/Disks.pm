# SPDX-License-Identifier: AGPL-3.0-or-later
package Journey::Disks;

# The volumes of VM 100: made, found as devices, written, grown, freed.

use v5.36;

use constant {
    VMID   => 100,
    KIB    => 1024,
    MIB    => 1024 * 1024,
    GROWN  => 192 * 1024 * 1024,
    HOLD_S => 30,
};

# In the order in which PVE makes them. Drives are what a snapshot covers; cloud-init is none.
my @plan = (
    {role => 'system',    kib => 64 * 1024,      name => undef,    volname => 'vm-100-disk-0'},
    {role => 'data',      kib => 128 * 1024,     name => undef,    volname => 'vm-100-disk-1'},
    {role => 'EFI',       kib => 540_672 / 1024, name => undef,    volname => 'vm-100-disk-2'},
    {role => 'TPM',       kib => 4096,           name => undef,    volname => 'vm-100-disk-3'},
    {role => 'cloudinit', kib => 4096, name => 'vm-100-cloudinit', volname => 'vm-100-cloudinit'},
);
my %by_role = map { $_->{role} => $_ } @plan;

sub all () {
    return map { $_->{volname} } @plan;
}

sub drives () {
    return map { $_->{volname} } grep { $_->{role} ne 'cloudinit' } @plan;
}

sub disks () {
    return map { $by_role{$_}{volname} } qw(system data);
}

sub flexvol ($volname) { return $volname =~ tr/-/_/r }

my sub allocate ($j, $role) {
    my $node = $j->node('node1');
    my $disk = $by_role{$role};
    my $volname;
    $node->task(
        sub {
            $node->check;
            $j->counted(
                $role eq 'data' ? 'alloc' : "alloc $role",
                sub {
                    $volname =
                        $node->storage('alloc_image', VMID, 'raw', $disk->{name}, $disk->{kib});
                }
            );
            $node->activate($volname) if $role eq 'EFI';
            my $size = scalar($node->volume('volume_size_info', $volname, 3));
            $j->expect($size, $disk->{kib} * KIB, "the size of $volname");
        }
    );
    $j->expect($volname, $disk->{volname}, 'the name');
    my $ns = $j->array->namespace(flexvol($volname));
    $j->expect($ns->{space}{size}, $disk->{kib} * KIB, 'the size of the namespace');
    return "$volname, $ns->{space}{size} bytes";
}

my sub list ($j) {
    my $node = $j->node('node1');
    my $images;
    $node->task(
        sub {
            $node->check;
            $j->counted(list => sub { $images = $node->storage('list_images', VMID, undef, {}) });
        }
    );
    my $told = join(' ', sort(map { "$_->{volid}=$_->{size}" } $images->@*));
    my ($id) = $j->storage;
    $j->expect($told, join(' ', sort(map { "$id:$_->{volname}=" . $_->{kib} * KIB } @plan)),
        'the list');
    return scalar($images->@*) . ' volumes with their sizes';
}

my sub activate ($j) {
    my $node = $j->node('node1');
    $node->task(sub { $node->activate(all()) });
    for my $disk (@plan) {
        my $device = $node->device($disk->{volname});
        my $ns     = $j->array->namespace(flexvol($disk->{volname}));
        $j->expect($device->{uuid},  $ns->{uuid},        "the UUID behind $disk->{volname}");
        $j->expect($device->{bytes}, $disk->{kib} * KIB, "the kernel's size of $disk->{volname}");
        $disk->{device} = $device->{path};
        $disk->{uuid}   = $ns->{uuid};
    }
    return
        join(', ', map { "$_->{role} $_->{device}" } @plan) . '; UUIDs and sizes as the array says';
}

my sub activate_again ($j) {
    my $node = $j->node('node1');
    for my $volname (all()) {
        $node->task(
            sub {
                $node->check;
                $j->counted(
                    activate => sub { $node->storage('activate_volume', $volname, undef, {}) });
            }
        );
    }
    return;
}

my sub resolve ($j) {
    my $has_labels = $j->{data_plane} eq 'ontap-sim';
    my @strategies = ('by-uuid', 'topology', $has_labels ? 'labels' : ());
    my $why;
    for my $disk (@plan) {
        my $said =
            $j->node('node1')->resolve($j->array->namespace(flexvol($disk->{volname})));
        $j->expect($said->{$_}, $disk->{device}, "$_ for $disk->{volname}") for @strategies;
        $j->expect($said->{size}, 'nothing', 'about the size') if exists($said->{size});
        next if $has_labels;
        $said->{labels} =~ /\A- (.+)/ or die "labels found $said->{labels} without labels\n";
        $why = $1;
    }
    return join(', ', @strategies) . ' agree on all 5' . ($why ? "; labels: $why" : '');
}

my sub blank ($j) {
    my $node = $j->node('node1');
    for my $disk (@plan) {
        my $volname = $disk->{volname};
        my $link    = $node->path($volname);
        $node->guest->must("set -o pipefail; dd if=$link bs=1M iflag=direct status=none "
                . "| cmp -n $disk->{kib}K - /dev/zero");
    }
    return 'every byte of the EFI, TPM and cloud-init volumes and of both disks is zero';
}

my sub write_pattern ($j, $pattern) {
    my $node = $j->node('node1');
    $node->put($_, $j->pattern_file($pattern)) for disks();
    return $j->expect_pattern($node, $pattern, [disks()]);
}

# A process that has the device open, as QEMU does, and says how large it is when asked.
sub hold ($j, $node, $volname) {
    my $link = $node->path($volname);
    my $program =
          q[open(my $disk, '+<', $ARGV[0]) or die "$ARGV[0]: $!\n"; $| = 1; print "open\n"; ]
        . q[while (<STDIN>) { my $bytes = pack('Q', 0); ioctl($disk, 0x80081272, $bytes) or die; ]
        . q[print unpack('Q', $bytes), "\n" }];
    my $holder = $node->guest->spawn(['perl', '-e', $program, $link]);
    $j->on_failure(sub { $holder->close_input; $holder->wait(HOLD_S) });
    $j->expect($holder->read_line(HOLD_S), 'open', "the process that opens $volname");
    return $holder;
}

my sub size_held ($holder) {
    $holder->write("\n");
    return $holder->read_line(HOLD_S);
}

sub let_go ($j, $holder) {
    $holder->close_input;
    $j->expect($holder->wait(HOLD_S)->{code}, 0, 'the exit code of the process that has it open');
    return;
}

my sub grow ($j) {
    my $node    = $j->node('node1');
    my $volname = $by_role{data}{volname};
    my $holder  = hold($j, $node, $volname);
    my $before  = size_held($holder);
    $node->task(
        sub {
            $node->activate($volname);
            $node->volume('volume_size_info', $volname, 5);
            $j->counted(resize => sub { $node->volume('volume_resize', $volname, GROWN, 1) });

            # At once: QEMU is told to look right after the hook returns.
            $j->expect(size_held($holder), GROWN, 'the size that the open device has');
        }
    );
    $j->expect_pattern($node, 'first', [disks()]);
    my $end_mib = GROWN / MIB - 4;
    $node->put($volname, $j->pattern_file('third'), at => $end_mib);
    $j->expect_pattern($node, 'third', [$volname], at => $end_mib);
    let_go($j, $holder);
    $by_role{data}{kib} = GROWN / KIB;
    my $ns = $j->array->namespace(flexvol($volname));
    $j->expect($ns->{space}{size}, GROWN, 'the size of the namespace');
    return "$before -> ${\ GROWN} bytes, old bytes intact, new end written and read";
}

my sub free ($j) {
    my $node = $j->node('node1');
    my ($id) = $j->storage;

  # The VM stops, then its disks go; cloud-init stays active, since PVE frees some volumes that way.
    $node->task(sub { $node->deactivate(drives()) });
    $node->task(
        sub {
            for my $volname (all()) {
                $node->check;
                $node->storage('list_images', undef, undef, {});
                $j->counted(free => sub { $node->storage('free_image', $volname, undef, 'raw') });
            }
        }
    );
    my $images = $node->storage('list_images', VMID, undef, {});
    $j->expect(scalar($images->@*),            0,  'volumes of VM 100');
    $j->expect(join('; ', $j->array->orphans), '', 'orphans on the array');
    my @queued = map { $_->{volume} // '?' } ($j->array->state->{recovery_queue} // [])->@*;
    return 'no orphan on the array; ' . scalar(@queued) . ' volumes in its recovery queue';
}

my sub gone ($j) {
    for my $node (map { $j->node($_) } qw(node1 node2)) {
        $node->wait_until_no('/sys/block/nvme*');
        $j->expect(join(' ', $node->links), '', 'links on ' . $node->name);
    }
    return 'no device and no link on either node';
}

sub begin ($j) {
    $j->chapter('volumes are made and written');
    for my $disk (@plan) {
        $j->step("allocate the $disk->{role} volume for VM ${\ VMID}",
            sub { allocate($j, $disk->{role}) });
    }
    $j->step('list',                                               sub { list($j) });
    $j->step('activate all on node1',                              sub { activate($j) });
    $j->step('activate them again',                                sub { activate_again($j) });
    if ($j->{build}) {
        $j->step('every strategy of resolution names the same device', sub { resolve($j) });
    } else {
        $j->skip('strategies of resolution', 'a package has not the program that asks each');
    }
    $j->step('new volumes read as zeros',                          sub { blank($j) });
    $j->step('write a pattern through both disks', sub { write_pattern($j, 'first') });
    return;
}

sub overwrite ($j) {
    $j->step('overwrite both disks', sub { write_pattern($j, 'second') });
    return;
}

sub enlarge ($j) {
    $j->chapter('a disk grows');
    $j->step('grow a disk while it is open', sub { grow($j) });
    return;
}

sub finish ($j) {
    $j->chapter('volumes are freed');
    $j->step('free everything',   sub { free($j) });
    $j->step('no device is left', sub { gone($j) });
    return;
}

1;
