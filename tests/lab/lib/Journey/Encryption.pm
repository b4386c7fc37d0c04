# SPDX-License-Identifier: AGPL-3.0-or-later
package Journey::Encryption;

# A storage of its own whose data paths are encrypted by TLS 1.3 with a pre-shared key, on the
# kernel's target: what a node lacks, what is connected, and how a changed key reaches array and
# nodes.

use v5.36;

use Journey::Secrets;
use Journey::Storage;

use constant {ID => 'tls', SUBSYSTEM => 'pve_tls', VMID => 950, KIB => 65536};

my sub new_key () { return Journey::Secrets::make('NVMeTLSkey-1:01') }

my sub add ($j, $key) {
    Journey::Storage::add_another(
        $j, ID,
        storage_prefix => 'tls_',
        subsystem      => SUBSYSTEM,
        nvme_tls       => 1,
        nvme_tls_psk   => $key
    );
    return;
}

my sub remove ($j) {
    my ($id, $scfg) = $j->storage;
    $j->node('node2')->storage('deactivate_storage', {});
    $j->node('node1')->hook('on_delete_hook', $id, $scfg);
    $j->node($_)->wait_until_no('/sys/class/nvme/nvme*') for qw(node1 node2);
    $j->node('node1')->guest->must("[[ ! -e /etc/pve/priv/storage/$id.tlspsk ]]");
    return;
}

# A node that cannot says what it lacks, and does not connect without.
my sub incapable ($j, $pattern) {
    add($j, new_key());
    my $error = $j->refused(sub { $j->node('node1')->check }, $pattern);
    $j->node('node1')->wait_until_no('/sys/class/nvme/nvme*');
    remove($j);
    $error =~ /\n./ and die "more than one line: $error\n";
    return $error =~ s/\A.*?storage '[^']*': //sr =~ s/ \[unsupported\b.*//sr;
}

# ---- a handshake daemon on each machine, with the configuration of Debian's package

my @daemons;

my sub start_daemons ($j) {
    @daemons = map { $j->lab->guest($_)->spawn(['tlshd', '-s']) } qw(array node1 node2);
    return;
}

my sub stop_daemons () {
    $_->signal('TERM') for @daemons;
    $_->wait(30)       for @daemons;
    @daemons = ();
    return;
}

# ---- with all there is

# The keys of the node's connections, by their numbers in the kernel's keyring: sysfs has them for
# encrypted ones only.
my sub keys_in_use ($j, $node) {
    $node->guest->wait_for_path($_, 'live') for $j->lab->portals;
    my @keys = split(/\n/, $node->guest->must('cat /sys/class/nvme/nvme*/tls_key'));
    $j->expect(scalar(@keys), scalar($j->lab->portals), 'encrypted controllers of ' . $node->name);
    my ($first, @others) = @keys;
    $j->expect($_, $first, 'the key of a path of ' . $node->name) for @others;
    return $first;
}

my %first_key;

my sub connect_both ($j, $key) {
    add($j, $key);
    for my $node (map { $j->node($_) } qw(node1 node2)) {
        $node->check_until_live($j->lab->portals);
        $first_key{$node->name} = keys_in_use($j, $node);
    }

    # An admin queue and one for I/O on each path, of each node.
    my ($sockets) = $j->lab->guest('array')->must('cat /proc/net/tls_stat') =~ /^TlsCurrTxSw\s+(\d+)/m;
    $j->expect($sockets, 8, 'encrypted connections of the array');
    return 'both nodes, both portals, every queue';
}

my sub data ($j) {
    my ($first, $second) = map { $j->node($_) } qw(node1 node2);
    my $volname;
    $first->task(
        sub {
            $first->check;
            $volname = $first->storage('alloc_image', VMID, 'raw', undef, KIB);
            $first->activate($volname);
        }
    );
    $first->put($volname, $j->pattern_file('first'));
    $second->activate($volname);
    my $proof = $j->expect_pattern($second, 'first', [$volname]);
    $second->deactivate($volname);
    $first->task(sub { $first->deactivate($volname); $first->storage('free_image', $volname, 0); });
    return "written by node1, read by node2: $proof";
}

my sub wrong_key ($j, $changed) {
    my $node = $j->node('node2');
    my ($id, $scfg) = $j->storage;
    $j->node('node1')->hook('on_update_hook_full', $id, $scfg, {}, [], {nvme_tls_psk => $changed});
    Journey::Secrets::restart($node, ID);
    my $error = Journey::Secrets::refuse_change($j, $node, qr/key.*\[unauthenticated\b/);
    return $error =~ s/\A.*?: (\[unauth)/$1/r =~ s/ \(.*//r;
}

my sub heal ($j) {
    my $node = $j->node('node2');
    Journey::Secrets::register_anew($j, $node, ID);
    my $key = keys_in_use($j, $node);
    $key ne $first_key{node2} or die "it is connected with the old key\n";
    return 'registered anew, connected with the new key';
}

my sub travel ($j) {
    my ($key, $changed) = (new_key(), new_key());
    $j->step('a node without tlshd says so', sub { incapable($j, qr/tlshd/) });
    start_daemons($j);
    $j->step('a storage with a key connects', sub { connect_both($j, $key) });
    $j->step('data goes through',             sub { data($j) });
    $j->step('a key that the array does not have is refused by name',
        sub { wrong_key($j, $changed) });
    $j->step('the node gives the array its key', sub { heal($j) });
    $j->step('the storage is removed',           sub { remove($j) });
    return;
}

sub begin ($j) {
    $j->chapter('encryption');
    if ($j->{data_plane} ne 'nvmet') {
        return $j->skip('TLS', "only the kernel's target encrypts");
    }
    if ($j->{kernel} eq '12') {
        $j->step("a kernel without TLS says so", sub { incapable($j, qr/no option 'tls'/) });
        return $j->skip('TLS', 'Linux 6.1 has it in neither host nor target');
    }
    if ($j->lab->guest('node1')->run('command -v tlshd')->{code} != 0) {
        $j->step('a libnvme without keys says so', sub { incapable($j, qr/this libnvme cannot/) });
        return $j->skip('TLS', 'Debian 12 has neither ktls-utils nor a libnvme with keys');
    }
    my $arrived = eval { travel($j); 1 };
    my $error   = $@;
    stop_daemons();
    die $error if !$arrived;
    return;
}

1;
