# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Command::Clone;

use v5.36;

use parent qw(PVE::RESTHandler);

use PVE::JSONSchema;
use PVE::Storage;

use PVE::Storage::OntapNvmeTcp::Border qw(native);
use PVE::Storage::OntapNvmeTcp::Command qw(
    EXIT_OK our_sections print_result say_line say_error run_task under_storage_lock
);
use PVE::Storage::OntapNvmeTcp::VolumeName qw(clean_volume_name clean_snapshot_name clean_vmid);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Command::Clone - a full clone of a VM that copies nothing through a node

=head1 DESCRIPTION

The task is Proxmox VE's own: its checks, its locks, the new configuration with its MAC addresses and
UUIDs, what becomes of a failure. In the place of its sub that copies a disk stands one that has the
array clone all of them at once, when it is called for the first of them.

=cut

__PACKAGE__->register_method({
    name => 'clone',
    path => 'clone',
    method => 'POST',
    description => 'Clones a VM of this node in full, in seconds: the array clones all of its disks as they'
        . ' are at one moment, and copies what they share in the background.',
    parameters => {
        additionalProperties => 0,
        properties => {
            vmid => PVE::JSONSchema::get_standard_option('pve-vmid'),
            newid => PVE::JSONSchema::get_standard_option('pve-vmid', {
                description => 'The VMID of the clone.',
            }),
            name => {
                type => 'string',
                format => 'dns-name',
                description => 'The name of the clone.',
                optional => 1,
            },
            snapname => PVE::JSONSchema::get_standard_option('pve-snapshot-name', { optional => 1 }),
        },
    },
    returns => {
        type => 'object',
        properties => {
            vmid => { type => 'integer' },
            disks => {
                type => 'array',
                items => {
                    type => 'object',
                    properties => {
                        storage => { type => 'string' },
                        volume => { type => 'string' },
                        percent => { type => 'integer' },
                    },
                },
            },
        },
    },
    code => sub ($param) { return _clone($param) },
});

# The disks in a configuration as [storage, volume, volume id]. A cloud-init drive is none: Proxmox VE
# makes a new one.
my sub disks_of ($vmid, $conf, $snapname) {
    my $state = defined($snapname) ? $conf->{snapshots}{$snapname} : $conf;
    die "VM $vmid has no snapshot '$snapname'\n" if !$state;
    my @disks;
    for my $slot (grep { PVE::QemuServer::is_valid_drivename($_) } sort(keys($state->%*))) {
        my $drive = PVE::QemuServer::parse_drive($slot, $state->{$slot})
            or die "cannot read '$slot' of VM $vmid\n";
        next if PVE::QemuServer::drive_is_cdrom($drive);
        push(@disks, [PVE::Storage::parse_volume_id($drive->{file}), $drive->{file}]);
    }
    return @disks;
}

my sub require_cloneable ($vmid, $conf, $snapname) {
    my $sections = our_sections();
    my %storages;
    for my $disk (disks_of($vmid, $conf, $snapname)) {
        my ($storage, undef, $volid) = $disk->@*;
        die "cannot clone VM $vmid at once: '$volid' is on no storage of the type ontapnvme that is enabled"
            . " here; 'qm clone' copies it\n" if !$sections->{$storage};
        $storages{$storage} = 1;
    }
    die "cannot clone VM $vmid at once: it has no disks\n" if !%storages;
    my $is_apart = keys(%storages) > 1 && !defined($snapname);
    die "cannot clone VM $vmid at once while it runs: its disks are on several storages, and would not be of"
        . " one moment; stop it, or clone one of its snapshots (--snapname)\n"
        if $is_apart && PVE::QemuServer::check_running($vmid);
    return map { [$_, $sections->{$_}] } sort(keys(%storages));
}

# Volume id => that of its clone. What has been made is in the list also when the rest fails: Proxmox VE
# frees what is in it.
my sub clone_disks ($storecfg, $vmid, $newid, $snapname, $made) {
    my %disks_on;
    push($disks_on{ $_->[0] }->@*, $_)
        for disks_of($vmid, PVE::QemuConfig->load_config($vmid), $snapname);
    my $snapshot = defined($snapname) ? clean_snapshot_name($snapname) : undef;
    my $owner = clean_vmid($newid);
    my %clone_of;
    for my $storage (sort(keys(%disks_on))) {
        my @sources = $disks_on{$storage}->@*;
        my $scfg = PVE::Storage::storage_config($storecfg, $storage);
        my @names = map { clean_volume_name($_->[1]) } @sources;
        my $clones = under_storage_lock($storage, $scfg, sub ($client, $) {
            return $client->clone_vm(\@names, $snapshot, $owner);
        });
        my @volids = map { "$storage:$_" } $clones->@*;
        push($made->@*, @volids);
        @clone_of{ map { $_->[2] } @sources } = @volids;
    }
    return \%clone_of;
}

# As Proxmox VE returns it: the source's options with another volume.
my sub drive_like ($drive, $volid, $storecfg) {
    my %clone = $drive->%*;
    delete($clone{format});
    $clone{file} = $volid;
    my $size = eval { PVE::Storage::volume_size_info($storecfg, $volid, 10) };
    $clone{size} = $size if defined($size);
    return \%clone;
}

my sub clone_as_task ($param, $vmid, $newid, $snapname) {
    my $copy = \&PVE::QemuServer::clone_disk;
    my $activate = \&PVE::Storage::activate_volumes;
    my $clone_of;
    no warnings qw(redefine);
    local *PVE::QemuServer::clone_disk = sub {
        my ($storecfg, $source, $dest, $full, $made, @more) = @_;

        return $copy->(@_) if PVE::QemuServer::drive_is_cloudinit($source->{drive});
        $clone_of //= clone_disks($storecfg, $vmid, $newid, $snapname, $made);
        my $volid = $clone_of->{ $source->{drive}{file} }
            // die "'$source->{drive}{file}' was not cloned\n";
        print "the array cloned drive $source->{drivename} ($source->{drive}{file}) to $volid\n";
        return drive_like($source->{drive}, $volid, $storecfg);
    };
    # Nobody reads the sources here: no device is needed, and of a snapshot none is to be made.
    local *PVE::Storage::activate_volumes = sub {
        my ($storecfg, $volumes, @more) = @_;

        my $conf = PVE::QemuConfig->load_config($vmid);
        my %is_source = map { $_->[2] => 1 } disks_of($vmid, $conf, $snapname);
        return $activate->($storecfg, [grep { !$is_source{$_} } $volumes->@*], @more);
    };
    run_task("cloning VM $vmid", sub {
        return PVE::API2::Qemu->clone_vm({
            node => PVE::INotify::nodename(),
            vmid => $vmid,
            newid => $newid,
            full => 1,
            map { defined($param->{$_}) ? ($_ => $param->{$_}) : () } qw(name snapname),
        });
    });
    return;
}

sub _clone ($param) {
    # Only here: it is most of Proxmox VE's code, and other verbs need none of it.
    require PVE::API2::Qemu;
    my ($vmid, $newid) = map { clean_vmid($param->{$_}) } qw(vmid newid);
    my $snapname = $param->{snapname};
    my @storages = require_cloneable($vmid, PVE::QemuConfig->load_config($vmid), $snapname);
    clone_as_task($param, $vmid, $newid, $snapname);
    my @disks;
    for my $storage (@storages) {
        my ($id, $scfg) = $storage->@*;
        my $progress = eval { native($id, $scfg, sub ($client, $) { $client->copy_progress($newid) }) };
        say_error($@ =~ s/\n\z//r) if !$progress;
        push(@disks, map {
            { storage => $id, volume => $_->{volume_name}, percent => $_->{percent} }
        } ($progress // [])->@*);
    }
    return { vmid => $newid + 0, disks => \@disks };
}

my sub text ($clone) {
    say_line("VM $clone->{vmid} is there, and can be started at once");
    my %storages = map { $_->{storage} => 1 } grep { $_->{percent} < 100 } $clone->{disks}->@*;
    say_line('the array copies in the background what it shares with its source, which may be deleted'
        . ' meanwhile:') if %storages;
    say_line("    > ontapnvme pending $_") for sort(keys(%storages));
    return;
}

sub show ($result, $schema, $options) {
    print_result($result, $schema, $options, \&text);
    exit(EXIT_OK);
}

1;
