# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::Checks::Node;

use v5.36;

use Exporter qw(import);

use PVE::Storage::OntapNvmeTcp::ClusterId qw(cluster_id);
use PVE::Storage::OntapNvmeTcp::NodeFiles qw(line_of is_there is_turned_off output_of);
use PVE::Storage::OntapNvmeTcp::Version;

our @EXPORT_OK = qw(node_checks);

=head1 NAME

PVE::Storage::OntapNvmeTcp::Checks::Node - what every storage needs of this node

=head1 DESCRIPTION

=over

=item node_checks

A list of C<< { check, outcome, text, remedy } >>, always of the same checks in the same order. Only
looks. C<outcome> is C<ok>, C<warn>, C<fail> or C<skipped>; C<remedy> is a command that can be pasted.

=back

=cut

use constant REINSTALL => 'apt install --reinstall pve-storage-ontapnvme';

# For tests: what LVM goes by, as lines of lvmconfig; undef where there is no LVM.
our $lvm_settings = sub {
    return undef if !is_there('/sbin/lvmconfig');
    # lvmconfig knows lvmlocal.conf and profiles too. A setting that is not set is an error to it, and
    # must not hide the others.
    return join('', map { output_of('/sbin/lvmconfig', $_) }
        qw(devices/global_filter devices/filter devices/use_devicesfile));
};

my sub plugin {
    my $version = $PVE::Storage::OntapNvmeTcp::Version::VERSION;
    my $library = eval { require PVE::Storage::OntapNvmeTcp::Native; PVE::Storage::OntapNvmeTcp::Native->VERSION };
    return ('ok', $version) if ($library // '') eq $version;
    return (
        'fail',
        defined($library) ? "its library has version $library, the plugin $version" : 'its library cannot be loaded',
        REINSTALL,
    );
}

my sub kernel {
    my $release = line_of('/proc/sys/kernel/osrelease') // '';
    my ($major, $minor) = $release =~ /\A([0-9]+)\.([0-9]+)/
        or return ('warn', "its release is not known: '$release'", 'uname -r');
    # Before, sysfs has not what paths are told by.
    return ('ok', $release) if $major > 6 || ($major == 6 && $minor >= 1);
    return ('warn', "release $release is older than what this is tested with", 'apt full-upgrade');
}

my sub nvme_tcp {
    return ('ok', 'loaded') if is_there('/sys/module/nvme_tcp');
    return ('fail', 'the kernel has not loaded NVMe/TCP', 'modprobe nvme-tcp');
}

my sub multipath {
    my $value = line_of('/sys/module/nvme_core/parameters/multipath') // '';
    return ('ok', 'native multipath is on') if $value eq 'Y';
    return ('skipped', "not looked at: 'nvme-tcp' comes first") if !is_there('/sys/module/nvme_core');
    return (
        'fail',
        'native NVMe multipath is off: each path would be a disk of its own',
        'grep -r nvme_core.multipath /etc/modprobe.d /etc/default/grub /etc/kernel/cmdline',
    );
}

my sub host_nqn {
    my $nqn = line_of('/etc/nvme/hostnqn') // '';
    return ('ok', $nqn) if $nqn =~ /\Anqn\.[0-9]{4}-[0-9]{2}\..+\z/;
    return (
        'fail', "'/etc/nvme/hostnqn' has no host NQN",
        'nvme gen-hostnqn > /etc/nvme/hostnqn  # a new node; an old one: what its subsystem lists',
    );
}

my sub host_id {
    my $id = line_of('/etc/nvme/hostid') // '';
    return ('ok', $id) if $id =~ /\A[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\z/i;
    return ('fail', "'/etc/nvme/hostid' has no host ID", 'uuidgen > /etc/nvme/hostid');
}

# What the package brings, where an administrator's own file of that name comes before it.
my sub from_package ($brought, $own, $loss) {
    return ('fail', "'$brought' is missing: $loss", REINSTALL) if !is_there($brought);
    return ('warn', "'$own' turns it off: $loss", "rm $own") if is_turned_off($own);
    return ('warn', "'$own' takes its place", "diff $own $brought") if is_there($own);
    return ('ok', 'as the package brings it');
}

my sub module_at_boot {
    return from_package(
        '/usr/lib/modules-load.d/ontapnvme.conf', '/etc/modules-load.d/ontapnvme.conf',
        'NVMe/TCP is not loaded at boot',
    );
}

my sub hiding_rule {
    return from_package(
        '/usr/lib/udev/rules.d/63-ontapnvme.rules', '/etc/udev/rules.d/63-ontapnvme.rules',
        'LVM, mdadm and btrfs reach into the disks of guests',
    );
}

my sub policy_rule {
    return from_package(
        '/usr/lib/udev/rules.d/72-ontapnvme-iopolicy.rules',
        '/etc/udev/rules.d/72-ontapnvme-iopolicy.rules',
        'the kernel uses one path at a time',
    );
}

my sub connecting_unit {
    my $unit = 'ontapnvme-connect.service';
    my @found = from_package(
        "/usr/lib/systemd/system/$unit", "/etc/systemd/system/$unit",
        'storages are connected only after guests have started',
    );
    $found[2] = "systemctl unmask $unit" if $found[0] eq 'warn' && is_turned_off("/etc/systemd/system/$unit");
    return @found if $found[0] ne 'ok';
    return @found if is_there("/usr/lib/systemd/system/multi-user.target.wants/$unit")
        || is_there("/etc/systemd/system/multi-user.target.wants/$unit");
    return ('warn', "'$unit' is not started at boot", REINSTALL);
}

my sub lvm {
    my $settings = $lvm_settings->() // return ('ok', 'there is no LVM here');
    return ('ok', 'it uses what its devices file lists') if $settings =~ /^use_devicesfile=1$/m;
    # As src/node/lvm_filter.cc judges lvm.conf.
    my @rejected = $settings =~ /"r(\S)(.*?)\g{-2}"/g;
    return ('ok', "its filter rejects guests' disks")
        if grep { $_ eq '.*' || m{by-ontapnvme|/nvme} } @rejected;
    # What is rejected so far stays so: Proxmox VE sets it for the disks of other storages.
    my ($others) = $settings =~ /^global_filter=\[(.*)\]$/m;
    my $filter = join(',', '"r|/dev/disk/by-ontapnvme/.*|"', length($others // '') ? $others : ());
    return (
        'warn', 'the LVM of this node scans the disks of guests',
        "lvmconfig devices/global_filter  # in /etc/lvm/lvm.conf: global_filter=[$filter]",
    );
}

my sub mark {
    my $id = eval { cluster_id() };
    return ('fail', $@ =~ s/\n.*\z//sr, 'ls -l /etc/pve/priv/ontapnvme-cluster-id') if $@;
    return ('ok', length($id // '') ? $id : 'it is made with the first disk');
}

# All checks: id, and what looks.
my @table = (
    [plugin => \&plugin],
    [kernel => \&kernel],
    ['nvme-tcp' => \&nvme_tcp],
    [multipath => \&multipath],
    ['host-nqn' => \&host_nqn],
    ['host-id' => \&host_id],
    ['module-at-boot' => \&module_at_boot],
    ['udev-hiding' => \&hiding_rule],
    ['udev-io-policy' => \&policy_rule],
    ['connect-unit' => \&connecting_unit],
    [lvm => \&lvm],
    ['cluster-id' => \&mark],
);

sub node_checks {
    return map {
        my ($check, $look) = $_->@*;
        my ($outcome, $text, $remedy) = $look->();
        +{ check => $check, outcome => $outcome, text => $text, defined($remedy) ? (remedy => $remedy) : () };
    } @table;
}

1;
