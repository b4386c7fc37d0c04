# SPDX-License-Identifier: AGPL-3.0-or-later
package Journey::Authentication;

# A storage of its own with DH-HMAC-CHAP secrets, on the kernel's target: what connects, what is
# refused and with which words, and how a changed secret reaches array and nodes.

use v5.36;

use Journey::Secrets;
use Journey::Storage;

use constant {ID => 'chap', SUBSYSTEM => 'pve_chap', HOSTS => '/sys/kernel/config/nvmet/hosts'};

my sub new_secret () { return Journey::Secrets::make('DHHC-1:00') }

my sub host_nqn ($node) {
    chomp(my $nqn = $node->guest->read_file('/etc/nvme/hostnqn'));
    return $nqn;
}

my sub mode_on_array ($j, $node) {
    my ($subsystem) = $j->array->records('/api/protocols/nvme/subsystems?name=' . SUBSYSTEM);
    my ($host)      = grep { $_->{nqn} eq host_nqn($node) }
        $j->array->records("/api/protocols/nvme/subsystems/$subsystem->{uuid}/hosts?fields=**");
    return $host->{dh_hmac_chap}{mode} // 'none';
}

# Every controller of the node holds that key: what is connected has authenticated with it.
my sub expect_keys ($j, $node, $file, $secret) {
    my @keys    = split(/\n/, $node->guest->must("cat /sys/class/nvme/nvme*/$file"));
    my @portals = $j->lab->portals;
    $j->expect(scalar(@keys), scalar(@portals), 'controllers of ' . $node->name);
    $_ eq $secret or die "a controller of ${\ $node->name} has another $file\n" for @keys;
    return;
}

# Behind the simulator's back, so that the array has another key than the storage.
my sub falsify ($j, $node, $file) {
    my $path = HOSTS . '/' . host_nqn($node) . "/$file";
    $j->lab->guest('array')->must("echo -n '${\ new_secret()}' >'$path'");
    return;
}

my sub add ($j, $secret) {
    Journey::Storage::add_another(
        $j, ID,
        storage_prefix     => 'chap_',
        subsystem          => SUBSYSTEM,
        nvme_dhchap_secret => $secret
    );
    return;
}

my sub connect_both ($j, $secret) {
    add($j, $secret);
    for my $node (map { $j->node($_) } qw(node1 node2)) {
        $node->check_until_live($j->lab->portals);
        expect_keys($j, $node, 'dhchap_secret', $secret);
        $j->expect(mode_on_array($j, $node), 'unidirectional', 'the mode of ' . $node->name);
    }
    return 'both nodes, both portals, each with the key';
}

my sub wrong_secret ($j, $secret) {
    my $node = $j->node('node2');
    Journey::Secrets::restart($node, ID);
    falsify($j, $node, 'dhchap_key');
    my $error = Journey::Secrets::refuse_change($j, $node, qr/secret.*\[unauthenticated\b/);
    return $error =~ s/\A.*?: (\[unauth)/$1/r =~ s/ \(.*//r;
}

my sub heal ($j, $secret) {
    my $node = $j->node('node2');
    Journey::Secrets::register_anew($j, $node, ID);
    expect_keys($j, $node, 'dhchap_secret', $secret);
    return 'registered anew, connected';
}

my sub rotate ($j, $secret, $controller_secret) {
    my $node = $j->node('node1');
    my ($id, $scfg) = $j->storage;
    $node->hook('on_update_hook_full', $id, $scfg, {}, [],
        {nvme_dhchap_secret => $secret, nvme_dhchap_ctrl_secret => $controller_secret});
    $node->check;
    $j->expect(mode_on_array($j, $node), 'unidirectional', 'the mode while node1 has paths');

    Journey::Secrets::restart($node, ID);
    $node->check_until_live($j->lab->portals);
    expect_keys($j, $node, 'dhchap_secret',      $secret);
    expect_keys($j, $node, 'dhchap_ctrl_secret', $controller_secret);
    $j->expect(mode_on_array($j, $node), 'bidirectional', 'the mode after that');
    return 'paths stay as they are; connected anew, both directions';
}

my sub wrong_array ($j) {
    my $node = $j->node('node1');
    Journey::Secrets::restart($node, ID);
    falsify($j, $node, 'dhchap_ctrl_key');
    $j->array->ctl('fault-add', method => 'DELETE', path => '/hosts/', status => 403);
    $j->on_failure(sub { $j->array->ctl('fault-clear') });
    $node->check_until_refused(qr/changed secrets of this node/);
    $j->array->ctl('fault-clear');
    my $error = $node->check_until_refused(qr/no live data path.*\[unauthenticated\b/);
    return $error =~ s/ \(.*//r;
}

my sub remove ($j) {
    my ($id, $scfg) = $j->storage;
    $j->node('node2')->storage('deactivate_storage', {});
    $j->node('node1')->hook('on_delete_hook', $id, $scfg);
    $j->node($_)->wait_until_no('/sys/class/nvme/nvme*') for qw(node1 node2);
    $j->node('node1')->guest->must("! compgen -G '/etc/pve/priv/storage/$id.dh*'");
    return;
}

my sub kernel_without ($j, $secret) {
    add($j, $secret);
    my $error = $j->refused(sub { $j->node('node1')->check }, qr/without DH-HMAC-CHAP/);
    $j->node('node1')->wait_until_no('/sys/class/nvme/nvme*');
    $j->node('node1')->hook('on_delete_hook', $j->storage);
    return $error =~ s/ \(.*//r;
}

sub begin ($j) {
    $j->chapter('in-band authentication');
    if ($j->{data_plane} ne 'nvmet') {
        return $j->skip('DH-HMAC-CHAP', "only the kernel's target authenticates");
    }
    my ($secret, $changed, $controller) = map { new_secret() } 1 .. 3;
    if ($j->{kernel} eq '12') {
        $j->step('a kernel without DH-HMAC-CHAP says so', sub { kernel_without($j, $secret) });
        return $j->skip('DH-HMAC-CHAP', 'Linux 6.1 of Debian has it in neither host nor target');
    }
    $j->step('a storage with a host secret connects',   sub { connect_both($j, $secret) });
    $j->step('the wrong secret is refused by name',     sub { wrong_secret($j, $secret) });
    $j->step('the node gives the array its secret',     sub { heal($j, $secret) });
    $j->step('changed secrets, both directions',        sub { rotate($j, $changed, $controller) });
    $j->step('an array with a wrong secret is refused', sub { wrong_array($j) });
    $j->step('the storage is removed',                  sub { remove($j) });
    return;
}

1;
