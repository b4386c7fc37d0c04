# SPDX-License-Identifier: AGPL-3.0-or-later
package Journey::Guard;

# Nothing is taken away from somebody who uses it: whatever holds a disk on this node, freeing it and
# rolling it back are refused before anything is done, and both name the holder.

use v5.36;

use Journey::Disks;

use constant {VMID => 310, KIB => 64 * 1024, DIR => '/run/lab/mounted', GROUP => 'guard_vg'};

my sub make ($j) {
    my $node = $j->node('node1');
    my $disk;
    $node->task(
        sub {
            $node->check;
            $disk = $node->storage('alloc_image', VMID, 'raw', undef, KIB);
            $node->activate($disk);
            $node->volume('volume_snapshot', $disk, 'then');
        }
    );
    return $disk;
}

# Both refusals, and that the disk is as before them.
my sub refuse ($j, $disk, $holder) {
    my $node   = $j->node('node1');
    my $before = $j->array->namespace(Journey::Disks::flexvol($disk));
    my $said   = $node->task(
        sub {
            $node->check;
            return [
                map { $j->refused($_, qr/in use.*$holder/) } (
                    sub { $node->volume('volume_snapshot_rollback', $disk, 'then') },
                    sub { $node->storage('free_image', $disk, undef, 'raw') }
                )
            ];
        }
    );
    my $after = $j->array->namespace(Journey::Disks::flexvol($disk));
    $j->expect($after->{status}{mapped},     $before->{status}{mapped}, 'mapped or not');
    $j->expect($node->device($disk)->{uuid}, $before->{uuid},           'the device');
    return $said->[-1] =~ s/\A.*?(?=in use)//r;
}

my sub opened ($j, $disk) {
    my $holder = Journey::Disks::hold($j, $j->node('node1'), $disk);
    my $said   = refuse($j, $disk, qr/perl|process/);
    Journey::Disks::let_go($j, $holder);
    return $said;
}

# `%how`: what takes the disk, and what gives it back, in a shell of node1 with $disk in it.
my sub held ($j, $disk, %how) {
    my $node  = $j->node('node1');
    my $shell = 'disk=$(readlink -f ' . $node->path($disk) . '); ';
    $j->on_failure(sub { $node->guest->run($shell . $how{give}) });
    $node->guest->must("$shell set -e; $how{take}");
    my $said = refuse($j, $disk, $how{told});
    $node->guest->must("$shell set -e; $how{give}");
    return $said;
}

my sub free ($j, $disk) {
    my $node = $j->node('node1');
    $node->task(
        sub {
            $node->check;
            $node->volume('volume_snapshot_rollback', $disk, 'then');
            $node->deactivate($disk);
            $node->storage('free_image', $disk, undef, 'raw');
        }
    );
    $j->expect(join('; ', $j->array->orphans), '', 'orphans on the array');
    return 'rolled back, freed';
}

sub begin ($j) {
    $j->chapter('a disk in use');
    my $disk;
    $j->step('a disk with a snapshot',       sub { $disk = make($j) });
    $j->step('open in a process: not taken', sub { opened($j, $disk) });
    $j->step(
        'behind a loop device: not taken',
        sub {
            held(
                $j, $disk,
                take => 'losetup /dev/loop0 $disk',
                give => 'losetup -d /dev/loop0',
                told => qr/loop0/
            );
        }
    );
    $j->step(
        'mounted: not taken',
        sub {
            held(
                $j, $disk,
                take => "mkfs.ext4 -q \$disk; mkdir -p ${\ DIR}; mount \$disk ${\ DIR}",
                give => "umount ${\ DIR}",
                told => qr/\Q${\ DIR}\E/
            );
        }
    );
    my $take = 'mkdir -p /run/lvm /run/lock/lvm; wipefs -qa $disk; pvcreate -qq -ff -y $disk; '
        . "vgcreate -qq ${\ GROUP} \$disk; lvcreate -qq -ay -Zn -Wn -L 8M -n root ${\ GROUP}";
    if ($j->node('node1')->guest->run('command -v vgs')->{code} == 0) {
        $j->step(
            'below the device mapper: not taken',
            sub {
                held(
                    $j, $disk,
                    take => $take,
                    give => "vgchange -qq -an ${\ GROUP}",
                    told => qr/dm-\d/
                );
            }
        );
    } else {
        $j->skip('below the device mapper', 'this machine has no LVM');
    }
    $j->step('let go of, it can be', sub { free($j, $disk) });
    return;
}

1;
