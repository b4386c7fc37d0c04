# SPDX-License-Identifier: AGPL-3.0-or-later
# What is measured: Proxmox VE's calls of one kind, what comes before that is not measured, and what
# puts the storage back. `limit` is what the shape of ONTAP's REST API allows for a disk (or a VM of N
# disks), `between` what lies between that and the count.
package Bench::Operations;

use v5.36;

use Exporter qw(import);

our @EXPORT_OK = qw(operations operation);

use constant {
    STORAGE => 'store',
    SIZE_KIB => 4096,
    LARGER_BYTES => 1024 * 1024 * 1024, # more than its volume has room for
};

# What a subprocess of Proxmox VE's daemons has behind it: the poll of the last seconds.
my sub poll ($pve) {
    $pve->activate_storage(STORAGE);
    my @status = $pve->call('status', STORAGE, $pve->{storages}{+STORAGE}, {});
    die "the storage is not active\n" if !$status[3];
    return;
}

my sub allocate ($pve, $vmid) { return $pve->vdisk_alloc(STORAGE, $vmid, 'raw', undef, SIZE_KIB) }

my sub disks ($pve, $vmid, $count) {
    poll($pve);
    return [map { allocate($pve, $vmid) } 1 .. $count];
}

my sub snapshots ($pve, $volids, @names) {
    for my $name (@names) {
        $pve->volume_snapshot($_, $name) for $volids->@*;
    }
    return;
}

my sub free ($pve, $volids) {
    $pve->vdisk_free($_) for $volids->@*;
    return;
}

# As `qm rollback`: every disk is asked about twice before the VM is stopped, then each is reverted.
my sub roll_back ($pve, $volids) {
    $pve->activate_storage(STORAGE);
    $pve->volume_rollback_is_possible($_, 'one', []) for $volids->@*;
    $pve->volume_rollback_is_possible($_, 'one') for $volids->@*;
    $pve->volume_snapshot_rollback($_, 'one') for $volids->@*;
    return;
}

my sub delete_snapshot ($pve, $volids) {
    $pve->activate_storage(STORAGE);
    $pve->volume_snapshot_delete($_, 'one', 0) for $volids->@*;
    return;
}

# `$what`: vmid, a second one, vm_disks. What prepare returns goes to run and to clean, with what run
# returns in {made}; between processes all of it is plain data.
my sub of_vm ($code, @snapshots) {
    return (
        of_vm => 1,
        prepare => sub ($pve, $what) {
            my $volids = disks($pve, $what->{vmid}, $what->{vm_disks});
            snapshots($pve, $volids, @snapshots);
            return { volids => $volids };
        },
        run => sub ($pve, $what, $state) { $code->($pve, $state->{volids}); return },
        clean => sub ($pve, $what, $state) {
            eval { $pve->deactivate_volumes($state->{volids}) };
            for my $name (@snapshots) {
                eval { $pve->volume_snapshot_delete($_, $name, 0) } for $state->{volids}->@*;
            }
            free($pve, $state->{volids});
        },
    );
}

my @operations = (
    {
        name => 'poll', title => 'poll: check, activate, status', limit => '1', between => '',
        when_silent => 1,
        prepare => sub ($pve, $what) { return {} },
        run => sub ($pve, $what, $state) { poll($pve); return },
    },
    {
        name => 'activate-storage', title => 'activate the storage before an operation', limit => '0',
        between => 'whether the array is there, which the poll of the last seconds could tell', when_silent => 1,
        prepare => sub ($pve, $what) { poll($pve); return {} },
        run => sub ($pve, $what, $state) { $pve->activate_storage(STORAGE); return },
    },
    {
        name => 'allocate-first', title => 'allocate the first disk of a VM', limit => '4',
        between => 'whether the array is there; which names of the VM are taken',
        has_jobs => 1,
        prepare => sub ($pve, $what) { poll($pve); return {} },
        run => sub ($pve, $what, $state) { return [allocate($pve, $what->{vmid})] },
        clean => sub ($pve, $what, $state) { free($pve, $state->{made}) },
    },
    {
        name => 'allocate-next', title => 'allocate the next disk of a VM', limit => '4',
        between => 'whether the array is there; which names of the VM are taken', has_jobs => 1,
        prepare => sub ($pve, $what) { return { volids => disks($pve, $what->{vmid}, 1) } },
        run => sub ($pve, $what, $state) { return [allocate($pve, $what->{vmid})] },
        clean => sub ($pve, $what, $state) { free($pve, [$state->{volids}->@*, $state->{made}->@*]) },
    },
    {
        name => 'activate', title => 'activate the disks of a VM', limit => '0',
        between => 'whether the array is there; the identity of each disk', when_silent => 1,
        of_vm(sub ($pve, $volids) { $pve->activate_volumes($volids) }),
    },
    {
        name => 'snapshot', title => 'snapshot of a VM', limit => '1',
        between => 'whether the array is there; which disks the group holds', has_jobs => 1,
        of_vm(sub ($pve, $volids) {
            $pve->activate_storage(STORAGE);
            snapshots($pve, $volids, 'one');
        }),
        clean => sub ($pve, $what, $state) {
            eval { delete_snapshot($pve, $state->{volids}) };
            free($pve, $state->{volids});
        },
    },
    {
        name => 'rollback', title => 'roll a VM back', limit => '2',
        between => 'whether the array is there; which disks the group holds', has_jobs => 1,
        of_vm(\&roll_back, 'one'),
    },
    {
        name => 'rollback-past-newer', title => 'roll a VM back past a newer snapshot', limit => '3 N',
        between => 'whether the array is there; group and snapshots; the namespace of each disk',
        has_jobs => 1,
        of_vm(\&roll_back, 'one', 'two'),
    },
    {
        name => 'delete-snapshot', title => 'delete a snapshot of a VM', limit => '1',
        between => 'whether the array is there; which snapshot of the group it is; that no disk has it any more',
        has_jobs => 1,
        of_vm(\&delete_snapshot, 'one'),
    },
    {
        name => 'linked-clone', title => 'linked clone of a template\'s disk', limit => '4',
        between => 'whether the array is there; free names of the VM; which settings the clone took over',
        has_jobs => 1,
        prepare => sub ($pve, $what) {
            my ($volid) = disks($pve, $what->{vmid}, 1)->@*;
            return { volids => [$pve->vdisk_create_base($volid)] };
        },
        run => sub ($pve, $what, $state) {
            return [$pve->vdisk_clone($state->{volids}[0], $what->{other_vmid})];
        },
        clean => sub ($pve, $what, $state) { free($pve, [$state->{made}->@*, $state->{volids}->@*]) },
    },
    {
        name => 'rename', title => 'give a disk to another VM', limit => '4',
        between => 'whether the array is there; names of both VMs', has_jobs => 1,
        prepare => sub ($pve, $what) { return { volids => disks($pve, $what->{vmid}, 2) } },
        run => sub ($pve, $what, $state) {
            return [$pve->rename_volume($state->{volids}[0], $what->{other_vmid})];
        },
        clean => sub ($pve, $what, $state) { free($pve, [$state->{made}->@*, $state->{volids}[1]]) },
    },
    {
        name => 'free', title => 'free a disk', limit => '3',
        between => 'whether the array is there; namespace and volume: whose they are',
        has_jobs => 1,
        prepare => sub ($pve, $what) { return { volids => disks($pve, $what->{vmid}, 2) } },
        run => sub ($pve, $what, $state) { free($pve, [$state->{volids}[1]]); return },
        clean => sub ($pve, $what, $state) { free($pve, [$state->{volids}[0]]) },
    },
    {
        name => 'resize', title => 'grow a disk', limit => '2', between => 'what namespace and volume are now',
        has_jobs => 1,
        prepare => sub ($pve, $what) { return { volids => disks($pve, $what->{vmid}, 1) } },
        run => sub ($pve, $what, $state) {
            $pve->volume_resize($state->{volids}[0], LARGER_BYTES, 0);
            return;
        },
        clean => sub ($pve, $what, $state) { free($pve, $state->{volids}) },
    },
    {
        name => 'list', title => 'list all disks', limit => '1',
        between => 'whether the array is there; volumes and namespaces are two listings, side by side',
        when_silent => 1,
        prepare => sub ($pve, $what) { poll($pve); return {} },
        run => sub ($pve, $what, $state) { $pve->vdisk_list(STORAGE); return },
    },
);
my %by_name = map { $_->{name} => $_ } @operations;

sub operations () { return @operations }

sub operation ($name) { return $by_name{$name} // die "bench: there is no operation '$name'\n" }

1;
