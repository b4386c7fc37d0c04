# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Command::Snapshots;

use v5.36;

use parent qw(PVE::RESTHandler);

use POSIX qw(strftime);

use PVE::JSONSchema;

use PVE::Storage::OntapNvmeTcp::Border qw(native);
use PVE::Storage::OntapNvmeTcp::Command qw(
    EXIT_OK EXIT_FAILED chosen_sections our_sections complete_storages print_result say_line say_error
    confirm run_task under_storage_lock
);
use PVE::Storage::OntapNvmeTcp::VolumeName qw(clean_vmid clean_volume_name clean_snapshot_name);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Command::Snapshots - the snapshots that the array has of a VM

=head1 DESCRIPTION

Adopting one of the array's own is two things: the array gives it a name of Proxmox VE's, and the VM's
configuration gets a section for it. The array comes first: what is left when that is all that happens is a
snapshot more than the configuration knows, and repeating goes on from there. The lock of the
configuration is held all the time; it ends with the process, so that nobody has to unlock the VM.

=cut

__PACKAGE__->register_method({
    name => 'snapshots',
    path => 'snapshots',
    method => 'POST',
    description => "The snapshots that the array has of a VM's disks: Proxmox VE's own, and those of"
        . ' schedules, of anti-ransomware protection and of others. With --adopt makes one of these a'
        . ' snapshot of the VM; else changes nothing.',
    parameters => {
        additionalProperties => 0,
        properties => {
            'extra-args' => PVE::JSONSchema::get_standard_option('extra-args', {
                description => 'A storage of the type ontapnvme, or none for all that are enabled here;'
                    . ' then the number of the VM.',
                completion => \&complete_storages,
            }),
            adopt => {
                type => 'string',
                description => "What the array calls the snapshot that becomes the VM's. All of its disks"
                    . ' must have it.',
                requires => 'name',
                optional => 1,
            },
            name => PVE::JSONSchema::get_standard_option('pve-snapshot-name', {
                description => 'What Proxmox VE calls it.',
                requires => 'adopt',
                optional => 1,
            }),
            yes => { type => 'boolean', description => 'Do not ask before adopting.', optional => 1 },
        },
    },
    returns => {
        type => 'array',
        items => {
            type => 'object',
            properties => {
                storage => { type => 'string' },
                error => { type => 'string', optional => 1 },
                array_name => { type => 'string', optional => 1 },
                name => { type => 'string', optional => 1 },
                kind => {
                    type => 'string',
                    enum => [qw(proxmox template schedule anti-ransomware other)],
                    optional => 1,
                },
                create_time_s => { type => 'integer', optional => 1 },
                locked_until_s => { type => 'integer', optional => 1 },
                size_bytes => { type => 'integer', optional => 1 },
                is_on_all_disks => { type => 'boolean', optional => 1 },
                disks => { type => 'array', items => { type => 'string' }, optional => 1 },
            },
        },
    },
    code => sub ($param) {
        my @arguments = ($param->{'extra-args'} // [])->@*;
        my $vmid = pop(@arguments);
        die "name the VM by its number: ontapnvme snapshots [STORAGE] VMID\n"
            if ($vmid // '') !~ /\A[1-9][0-9]{2,8}\z/ || @arguments > 1;
        my $owner = clean_vmid($vmid);
        return [_adopt($arguments[0], $owner, $param)] if defined($param->{adopt});
        return [map { _snapshots_of($_->@*, $owner) } chosen_sections(@arguments)];
    },
});

my sub sum (@numbers) {
    my $sum = 0;
    $sum += $_ for @numbers;
    return $sum;
}

sub _snapshots_of ($id, $scfg, $vmid) {
    my $found = eval { native($id, $scfg, sub ($client, $) { $client->list_vm_snapshots($vmid) }) };
    return { storage => $id, error => $@ =~ s/\n\z//r } if !$found;
    return map {
        my $one = $_;
        +{
            storage => $id,
            $one->%{qw(array_name kind create_time_s)},
            (map { defined($one->{$_}) ? ($_ => $one->{$_}) : () } qw(name locked_until_s)),
            size_bytes => sum(map { $_->{size_bytes} } $one->{disks}->@*),
            is_on_all_disks => $one->{is_on_all_disks} ? 1 : 0,
            disks => [map { $_->{volume_name} } $one->{disks}->@*],
        }
    } $found->@*;
}

my sub utc ($time_s) { return strftime('%Y-%m-%d %H:%M:%SZ', gmtime($time_s)) }

# ---- adopting

# The disks that a snapshot of the VM is of, as [slot, storage, volume]: as Proxmox VE chooses them.
my sub disks_of ($vmid, $conf) {
    my @disks;
    PVE::QemuConfig->foreach_volume($conf, sub ($slot, $drive) {
        return if PVE::QemuServer::drive_is_cdrom($drive);
        my ($storage, $volume) = PVE::Storage::parse_volume_id($drive->{file}, 1);
        push(@disks, [$slot, $storage // '', $volume // $drive->{file}]);
    });
    die "cannot adopt a snapshot for VM $vmid: it has no disks\n" if !@disks;
    return @disks;
}

# The names of the VM's disks, all of which are on that storage; without one, on the first disk's.
my sub adoptable ($vmid, $conf, $storage, $name) {
    die "cannot adopt a snapshot for VM $vmid: it is a template\n" if PVE::QemuConfig->is_template($conf);
    PVE::QemuConfig->check_lock($conf);
    die "VM $vmid has a snapshot '$name' already: 'qm listsnapshot $vmid' shows it\n"
        if $conf->{snapshots}{$name};
    my @disks = disks_of($vmid, $conf);
    $storage //= $disks[0][1];
    die "cannot adopt a snapshot for VM $vmid: its disk '$disks[0][0]' is on no storage of the type"
        . " ontapnvme that is enabled here\n" if !our_sections()->{$storage};
    for my $disk (@disks) {
        die "cannot adopt a snapshot for VM $vmid: its disk '$disk->[0]' is not on storage '$storage', and"
            . " would not go back with the others; move it there first ('qm disk move')\n"
            if $disk->[1] ne $storage;
    }
    return ($storage, [map { clean_volume_name($_->[2]) } @disks]);
}

# In the line of the snapshots that led to the state of now, by time.
my sub put_in_line ($conf, $name, $section) {
    my $snapshots = $conf->{snapshots};
    my ($later, %is_seen) = ($conf);
    while (defined(my $parent = $later->{parent})) {
        my $before = $snapshots->{$parent};
        last if !$before || $is_seen{$parent}++ || ($before->{snaptime} // 0) <= $section->{snaptime};
        $later = $before;
    }
    delete($section->{parent});
    $section->{parent} = $later->{parent} if defined($later->{parent});
    $later->{parent} = $name;
    $snapshots->{$name} = $section;
    return;
}

my sub adopt_and_write ($vmid, $wanted, $array_name, $name) {
    my $conf = PVE::QemuConfig->load_config($vmid);
    my ($storage, $disks) = adoptable($vmid, $conf, $wanted, $name);
    my $adopted = under_storage_lock($storage, our_sections()->{$storage}, sub ($client, $) {
        return $client->adopt_snapshot($disks, $array_name, $name);
    });
    print "the array calls snapshot $array_name of ", join(', ', $disks->@*), " pve_snap_$name now\n";
    print "its disks are not of exactly one moment: the array took it of each of them by itself\n"
        if !$adopted->{is_of_one_moment};
    print 'the array keeps it from being deleted until ', utc($adopted->{locked_until_s}),
        ", and may remove it by itself then\n" if defined($adopted->{locked_until_s});
    my $section = {};
    PVE::QemuConfig->__snapshot_copy_config($conf, $section);
    $section->{snaptime} = $adopted->{create_time_s};
    $section->{description} = "snapshot $array_name of the array";
    put_in_line($conf, $name, $section);
    my $is_written = eval { PVE::QemuConfig->write_config($vmid, $conf); 1 };
    die "the array has the snapshot as '$name', but VM $vmid has not: ", $@ =~ s/\n\z//r,
        "; repeat the command, which goes on from there\n" if !$is_written;
    print "VM $vmid has snapshot $name\n";
    return;
}

sub _adopt ($storage, $vmid, $param) {
    # Only here: it is much of Proxmox VE's code, and looking needs none of it.
    require PVE::QemuConfig;
    require PVE::QemuServer;
    die "'$param->{name}' cannot be the name of a snapshot\n" if $param->{name} =~ /\A(?:current|pending)\z/;
    my $name = clean_snapshot_name($param->{name});
    $storage = (chosen_sections($storage))[0][0] if defined($storage);
    my ($id) = adoptable($vmid, PVE::QemuConfig->load_config($vmid), $storage, $name);
    confirm("Snapshot $param->{adopt} of the array becomes snapshot '$name' of VM $vmid, and its schedule"
        . " does not remove it any more.", $param->{yes});
    my $environment = PVE::RPCEnvironment::get();
    run_task("adopting snapshot $param->{adopt} for VM $vmid", sub {
        return $environment->fork_worker('qmsnapshot', $vmid, $environment->get_user(), sub {
            PVE::QemuConfig->lock_config($vmid, sub {
                adopt_and_write($vmid, $storage, $param->{adopt}, $name);
            });
        });
    });
    my ($section) = chosen_sections($id);
    return grep { defined($_->{error}) || ($_->{name} // '') eq $name } _snapshots_of($section->@*, $vmid);
}

# ---- showing

my sub described ($one) {
    my $what = defined($one->{name}) ? "$one->{name} ($one->{array_name})" : $one->{array_name};
    my $covers = $one->{is_on_all_disks} ? 'all disks' : join(' ', $one->{disks}->@*);
    my $line = sprintf('%s  %-15s %8.1f MiB  %s: %s', utc($one->{create_time_s}), $one->{kind},
        $one->{size_bytes} / 2**20, $what, $covers);
    $line .= ', locked until ' . utc($one->{locked_until_s}) if defined($one->{locked_until_s});
    return $line;
}

my sub text ($snapshots) {
    my @seen = grep { !defined($_->{error}) } $snapshots->@*;
    say_line("$_->{storage}: " . described($_)) for @seen;
    say_line('no snapshots') if !$snapshots->@*;
    return;
}

sub show ($result, $schema, $options) {
    print_result($result, $schema, $options, \&text);
    my @failed = grep { defined($_->{error}) } $result->@*;
    say_error($_->{error}) for @failed;
    exit(@failed ? EXIT_FAILED : EXIT_OK);
}

1;
