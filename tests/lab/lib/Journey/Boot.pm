# SPDX-License-Identifier: AGPL-3.0-or-later
package Journey::Boot;

# A node with systemd as process 1, as an installation has it: what the package's unit does between
# the network and the guests, at boot after a power cut and at an ordered end.

use v5.36;

use Journey::Node;
use Journey::Storage;

use constant {ID => 'boot', SUBSYSTEM => 'pve_boot', VMID => 960, KIB => 65536, UNIT => 'ontapnvme-connect'};

# systemd starts some forty services, and an emulated one takes its time.
use constant {BOOT_S => 240, END_S => 180};

my $volname;

my sub add ($j) {
    my $node = $j->node('node1');
    Journey::Storage::add_another($j, ID, storage_prefix => 'boot_', subsystem => SUBSYSTEM);
    $j->node($_)->check_until_live($j->lab->portals) for qw(node1 node2);
    $node->guest->write_file('/etc/pve/storage.cfg', Journey::Storage::section($j->storage));
    $node->task(sub { $volname = $node->storage('alloc_image', VMID, 'raw', undef, KIB) });
    return;
}

my sub noted ($j, $what) {
    my $file = $j->lab->cluster_dir . "/guests.$what";
    open(my $handle, '<', $file) or return 'nothing';
    return join('', readline($handle)) =~ s/\n/ /gr;
}

# The unit that stands in for the guests has no order of its own: that is in the plugin's.
my sub boot ($j) {
    $j->lab->reboot_guest('node2', "lab.stage=$j->{stage}");
    my $guest = $j->lab->guest('node2');
    my $is_up = eval {
        $guest->wait_for('systemctl is-active pve-guests || systemctl is-failed pve-guests', timeout => BOOT_S);
        1;
    };
    die $@, $guest->must('systemctl list-jobs; systemctl --failed; journalctl -o short-monotonic | tail -n 40')
        if !$is_up;
    my $told = $guest->must("systemctl is-active ${\ UNIT} || journalctl -o cat -u ${\ UNIT} -u pve-guests");
    $j->expect($told, "active\n", 'the unit');
    $j->expect(noted($j, 'started'), 'live live read ', 'what the guests found');
    return 'both paths live and the disk read before the guests start';
}

my sub module ($j) {
    $j->expect($j->lab->guest('node2')->read_file('/run/lab/transport'),
        "/sys/module/nvme_tcp\n", 'what is there before the network');
    return 'nvme_tcp, before the network and the unit';
}

my sub power_off ($j) {
    my $ms = $j->lab->power_off('node2', END_S);
    $j->expect(noted($j, 'stopped'), 'live live read ', 'what the guests found when they stopped');
    return "ended after $ms ms; both paths were live and the disk read while the guests stopped";
}

my sub back ($j) {
    my ($id, $scfg) = $j->storage;
    my $node = $j->node('node1');
    $node->task(sub { $node->storage('free_image', $volname, 0) });
    $node->hook('on_delete_hook', $id, $scfg);
    $node->guest->must('rm /etc/pve/storage.cfg /etc/pve/guests.*');
    $node->wait_until_no('/sys/class/nvme/nvme*');
    $j->lab->reboot_guest('node2');
    $j->{node}{node2} = Journey::Node->new($j, 'node2', $j->{stage});
    return;
}

sub begin ($j) {
    $j->chapter('a node with systemd');
    if ($j->lab->guest('node1')->run('[[ -x /lib/systemd/systemd ]]')->{code} != 0) {
        return $j->skip('boot and shutdown', 'this root has no systemd: take --root 13');
    }
    $j->step('a storage with a disk is there',               sub { add($j) });
    $j->step('after a power cut its paths precede guests',   sub { boot($j) });
    $j->step('the transport was loaded at boot',             sub { module($j) });
    $j->step('an ordered shutdown ends, guests first',       sub { power_off($j) });
    $j->step('the storage is removed, the node as it was',   sub { back($j) });
    return;
}

1;
