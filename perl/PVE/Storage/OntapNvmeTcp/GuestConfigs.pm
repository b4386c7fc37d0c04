# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::GuestConfigs;

use v5.36;

use Exporter qw(import);

use PVE::Storage::OntapNvmeTcp::Error qw(refuse);

our @EXPORT_OK = qw(read_configs referenced_volumes lines_with enter_unused place_of_unused);

=head1 NAME

PVE::Storage::OntapNvmeTcp::GuestConfigs - which volumes VMs and containers of the cluster have

=head1 DESCRIPTION

=over

=item read_configs

The text of each configuration of the cluster by the guest's number. Dies when one cannot be read, and
when there is no node: what is not seen is not missing.

=item referenced_volumes($storeid, $configs)

The volumes of the storage that stand anywhere in a configuration, also in that of a snapshot, as unused
disk or in a comment: what is named is not abandoned. Name without base part => the guest's number.

=item lines_with($storeid, $name, $configs)

Where a volume stands: C<[vmid, section, line]> each. C<$name> has no base part; the section is that of a
snapshot, and empty for the guest as it is.

=item enter_unused($volid, $name, $vmid)

Enters a disk in its guest's configuration as an unused one, in Proxmox VE's own way, where the guest is on this
node and no configuration has the disk. RAM and cloud-init images are none. Says to standard output what it did.

=item place_of_unused($storeid, $name, $vmid)

C<slot> and the one that the guest has it as; else C<remedy> and the command that enters it.

=back

=cut

# Another place in tests.
our $nodes = '/etc/pve/nodes';

use constant FOLDERS => qw(qemu-server lxc);

sub read_configs {
    my %text;
    my $seen = 0;
    opendir(my $handle, $nodes) or refuse('internal', "cannot read '$nodes': $!");
    for my $node (map { /\A([\w-]+)\z/ ? $1 : () } readdir($handle)) {
        for my $folder (map { "$nodes/$node/$_" } FOLDERS) {
            opendir(my $configs, $folder) or refuse('internal', "cannot read '$folder': $!");
            $seen++;
            for my $vmid (map { /\A([0-9]+)\.conf\z/ ? $1 : () } readdir($configs)) {
                # A guest that moves to another node at this moment is in the folder of that one, which
                # may have been read already.
                open(my $file, '<:raw', "$folder/$vmid.conf")
                    or refuse('internal', "cannot read '$folder/$vmid.conf': $!");
                local $/;
                $text{$vmid} = readline($file) // refuse('internal', "cannot read '$folder/$vmid.conf': $!");
            }
        }
    }
    refuse('internal', "cannot tell which disks guests have: '$nodes' has no node") if !$seen;
    return \%text;
}

my sub volume_in ($storeid) { return qr{(?<![\w.-])\Q$storeid\E:(?:[\w.-]+/)*([\w.-]+)} }

sub referenced_volumes ($storeid, $configs) {
    my $volume = volume_in($storeid);
    my %vmid_of;
    for my $vmid (sort { $a <=> $b } keys($configs->%*)) {
        $vmid_of{$1} //= $vmid while $configs->{$vmid} =~ /$volume/g;
    }
    return \%vmid_of;
}

sub lines_with ($storeid, $name, $configs) {
    my $volume = volume_in($storeid);
    my @found;
    for my $vmid (sort { $a <=> $b } keys($configs->%*)) {
        my $section = '';
        for my $line (split(/\n/, $configs->{$vmid})) {
            $section = $1 if $line =~ /\A\[(.+)\]\s*\z/;
            push(@found, [$vmid, $section, $line]) if grep { $_ eq $name } $line =~ /$volume/g;
        }
    }
    return \@found;
}

sub enter_unused ($volid, $name, $vmid) {
    return if $name =~ /\A(?:vm|base)-[0-9]+-(?:cloudinit\z|state-)/;
    my ($storeid) = $volid =~ /\A([^:]+):/;
    return if lines_with($storeid, $name, read_configs())->@*;
    require PVE::Cluster;
    require PVE::INotify;
    my $guest = PVE::Cluster::get_vmlist()->{ids}{$vmid};
    return if !$guest || $guest->{node} ne PVE::INotify::nodename();
    my $class = $guest->{type} eq 'lxc' ? 'PVE::LXC::Config' : 'PVE::QemuConfig';
    require($class =~ s{::}{/}gr . '.pm');
    $class->lock_config($vmid, sub {
        my $conf = $class->load_config($vmid);
        $class->check_lock($conf); # a task that has the guest would write over it
        # A rescan may have been here since the look before.
        return if grep { !ref($_) && "$_," =~ /\A\Q$volid\E,/ } values($conf->%*);
        my $slot = $class->add_unused_volume($conf, $volid) // return;
        $class->write_config($vmid, $conf);
        print "guest $vmid has it as $slot\n";
    });
    return;
}

sub place_of_unused ($storeid, $name, $vmid) {
    my ($line) = map { $_->[2] }
        grep { $_->[0] == $vmid && $_->[1] eq '' } lines_with($storeid, $name, read_configs())->@*;
    return (slot => $1) if ($line // '') =~ /\A(\w+):/;
    require PVE::Cluster;
    my $guest = PVE::Cluster::get_vmlist()->{ids}{$vmid};
    my $rescan = ($guest && $guest->{type} eq 'lxc' ? 'pct rescan' : 'qm disk rescan') . " --vmid $vmid";
    return (remedy => "there is no guest $vmid: restore or create it, then: $rescan") if !$guest;
    return (remedy => "on node $guest->{node}: $rescan");
}

1;
