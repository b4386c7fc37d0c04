# SPDX-License-Identifier: AGPL-3.0-or-later
# A node's files, as a healthy node with one connected storage has them, below a folder of their own.
# A test breaks them one by one.
package NodeTree;

use v5.36;

use Exporter qw(import);
use File::Path qw(make_path);
use File::Temp qw(tempdir);

use PVE::Storage::OntapNvmeTcp::Checks::Network;
use PVE::Storage::OntapNvmeTcp::NodeFiles;

our @EXPORT_OK = qw(healthy_node write_node remove_node link_node NQN TARGET);

use constant NQN => 'nqn.2014-08.org.nvmexpress:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427';
use constant TARGET => 'nqn.1992-08.com.netapp:sn.d3f1:subsystem.pve';

my $root;

sub write_node ($path, $text) {
    my ($folder) = "$root$path" =~ m{\A(.*)/};
    make_path($folder);
    open(my $file, '>', "$root$path") or die "cannot write '$path': $!\n";
    print {$file} "$text\n";
    close($file) or die "cannot write '$path': $!\n";
    return;
}

sub remove_node ($path) {
    unlink("$root$path") or rmdir("$root$path") or die "cannot remove '$path': $!\n";
    return;
}

sub link_node ($path, $target) {
    my ($folder) = "$root$path" =~ m{\A(.*)/};
    make_path($folder);
    symlink($target, "$root$path") or die "cannot link '$path': $!\n";
    return;
}

# A new one each time.
sub healthy_node {
    ($root) = tempdir(CLEANUP => 1) =~ /\A(.*)\z/;
    $PVE::Storage::OntapNvmeTcp::NodeFiles::root = $root;
    my $unit = '/usr/lib/systemd/system';
    my %files = (
        '/proc/sys/kernel/osrelease' => '6.8.12-4-pve',
        '/sys/module/nvme_tcp/initstate' => 'live',
        '/sys/module/nvme_core/parameters/multipath' => 'Y',
        '/etc/nvme/hostnqn' => NQN,
        '/etc/nvme/hostid' => '1b4e28ba-2fa1-11d2-883f-0016d3cca427',
        '/usr/lib/modules-load.d/ontapnvme.conf' => 'nvme-tcp',
        '/usr/lib/udev/rules.d/63-ontapnvme.rules' => '',
        '/usr/lib/udev/rules.d/72-ontapnvme-iopolicy.rules' => '',
        "$unit/ontapnvme-connect.service" => '',
        "$unit/multi-user.target.wants/ontapnvme-connect.service" => '',
        '/sys/class/net/eth1/mtu' => 1500,
        '/sys/class/nvme-subsystem/nvme-subsys0/subsysnqn' => TARGET,
        '/sys/class/nvme-subsystem/nvme-subsys0/iopolicy' => 'round-robin',
    );
    for my $number (1, 2) {
        my $folder = "/sys/class/nvme/nvme$number";
        %files = (
            %files,
            "$folder/subsysnqn" => TARGET,
            "$folder/state" => 'live',
            "$folder/address" => "traddr=10.0.0.$number,trsvcid=4420,src_addr=10.0.0.9",
            "$folder/hostnqn" => NQN,
            "$folder/ctrl_loss_tmo" => 'off',
            "$folder/queue_count" => 9,
        );
    }
    write_node($_, $files{$_}) for sort(keys(%files));
    $PVE::Storage::OntapNvmeTcp::Checks::Network::interface_of = sub ($address) { return 'eth1' };
    return;
}

1;
