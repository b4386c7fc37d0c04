# SPDX-License-Identifier: AGPL-3.0-or-later
package Journey::Storage;

# A storage is added, polled, used by a second node, and removed.

use v5.36;

use Digest::SHA qw(sha256_hex);

use Journey::Array;
use Journey::Node;

use constant {ID => 'lab', ACCOUNT => 'pveadmin', SUBSYSTEM => 'pve_subsystem',};

# Looked for all over /etc/pve, so it must occur nowhere by chance.
my $password = 'Lab-' . substr(sha256_hex("$$ " . time()), 0, 20);

# What an administrator gives to `pvesm add ontapnvme lab`.
sub parameters ($j) {
    return {
        mgmt_ip   => $j->array->address,
        username  => ACCOUNT,
        password  => $password,
        vserver   => 'svm1',
        subsystem => SUBSYSTEM,
        aggregate => 'aggr1',
        content   => {images => 1, rootdir => 1},
    };
}

# As PVE does it: secrets apart, the rest checked against the schema.
my sub prepare ($j, $node, $id, %settings) {
    %settings = (parameters($j)->%*, %settings);
    my %sensitive = map { exists($settings{$_}) ? ($_ => delete($settings{$_})) : () }
        keys($node->hook('plugindata')->{'sensitive-properties'}->%*);
    my $scfg = $node->hook('check_config', $id, \%settings, 1, 1);
    return ($scfg, \%sensitive);
}

# As it stands in storage.cfg.
sub section ($id, $scfg) {
    my %text = ($scfg->%*, content => join(',', sort(keys($scfg->{content}->%*))));
    delete($text{type});
    return "ontapnvme: $id\n" . join('', map { "\t$_ $text{$_}\n" } sort(keys(%text))) . "\n";
}

my sub files_with_password ($node) {
    return $node->guest->must("grep -rlF -- '$password' /etc/pve || :");
}

my sub boot ($j) {
    $j->{lab}->start;
    chomp(my $release = $j->{lab}->guest('node1')->must('uname -r'));
    return "Linux $release";
}

my sub start_array ($j) {
    $j->{array} = Journey::Array->start(
        $j->{lab},
        program    => $j->{simulator},
        account    => ACCOUNT,
        password   => $password,
        data_plane => $j->{data_plane},
    );
    return
          'https://'
        . $j->array->address
        . ', portals '
        . join(' and ', $j->{lab}->portals)
        . ", served by $j->{data_plane}";
}

my sub install ($j, $name) {
    my $node = Journey::Node->new($j, $name, $j->{stage});
    $j->{node}{$name} = $node;
    $node->hook('register');
    $node->ask({class => 'PVE::Storage::Plugin', method => 'init', args => []});
    return sprintf(
        'type %s, API %s, loaded in %d ms',
        scalar($node->hook('type')),
        scalar($node->hook('api')),
        $node->agent->load_ms
    );
}

my sub add_unverified ($j) {
    my $node = $j->node('node1');
    my ($scfg, $sensitive) = prepare($j, $node, ID);
    my $error =
        $j->refused(sub { $node->hook('on_add_hook', ID, $scfg, $sensitive->%*) },
        qr/certificate/i);
    $j->expect(files_with_password($node), '', 'files with the password');
    return $error =~ s/ \(.*//r;
}

my sub add ($j) {
    my $node = $j->node('node1');
    $node->guest->must('mkdir -p /etc/pve/priv/storage');
    $node->guest->write_file("/etc/pve/priv/storage/${\ ID}.ca.pem", $j->array->ca_pem);
    my ($scfg, $sensitive) = prepare($j, $node, ID);
    $node->hook('on_add_hook', ID, $scfg, $sensitive->%*);
    $j->{storage_id} = ID;
    $j->{scfg}       = $scfg;
    $node->check_until_live($j->{lab}->portals);
    $node->guest->write_file('/etc/pve/storage.cfg', section(ID, $scfg));
    $j->expect($scfg->{shared}, 1, 'shared');
    my $file = "/etc/pve/priv/storage/${\ ID}.pw";
    $j->expect(files_with_password($node),             "$file\n", 'files with the password');
    $j->expect($node->guest->must("stat -c %a $file"), "600\n",   'the mode of the private file');
    return "the password is only in $file (0600)";
}

my sub paths ($j, $name) {
    my $guest = $j->node($name)->guest;
    $guest->wait_for_path($_, 'live') for $j->{lab}->portals;
    chomp(
        my $states = $guest->must(
                  'for c in /sys/class/nvme/nvme*; do echo $(<$c/address) $(<$c/state) '
                . 'ctrl_loss_tmo $(<$c/ctrl_loss_tmo); done'
        )
    );
    my @states = split(/\n/, $states);
    $j->expect(scalar(@states), 2, "paths of $name");
    return join('; ', map { s/,trsvcid=\d+(?:,src_addr=\S+)?//r } @states);
}

my sub status ($j) {
    my $node = $j->node('node1');
    my ($total, $available, $used, $active);
    $j->counted(
        poll => sub {
            $node->check;
            ($total, $available, $used, $active) = $node->storage('status', {});
        }
    );
    my ($aggregate) = $j->array->records('/api/storage/aggregates?name=aggr1&fields=space');
    $j->expect($total,     $aggregate->{space}{block_storage}{size},      'total');
    $j->expect($available, $aggregate->{space}{block_storage}{available}, 'available');
    $j->expect($active,    1,                                             'active');
    return sprintf(
        '%.1f GiB of %.1f GiB free, as the aggregate says',
        $available / 2**30,
        $total / 2**30
    );
}

# What pvestatd of another node does at its next poll: it learns of the storage there.
my sub join_in ($j) {
    $j->node('node2')->check_until_live($j->{lab}->portals);
    return paths($j, 'node2');
}

my sub remove ($j) {
    my $node = $j->node('node1');
    my ($id, $scfg) = $j->storage;
    $node->hook('on_delete_hook', $id, $scfg);
    $node->guest->must('rm /etc/pve/storage.cfg');
    my $secrets = "/etc/pve/priv/storage/$id";
    $node->guest->must("! compgen -G '$secrets.pw' && ! compgen -G '$secrets.dh*' "
            . "&& ! compgen -G '$secrets.tlspsk'");
    $j->expect(files_with_password($node), '', 'files with the password');
    $node->wait_until_no('/sys/class/nvme/nvme*');
    my $left =
        $node->guest->must("find /run/ontapnvme /dev/ontapnvme -name '*$id*' 2>/dev/null || :");
    $j->expect($left, '', 'what is left of it on node1');
    return 'no secret, no connection and no link is left';
}

my sub leave ($j) {
    my $node = $j->node('node2');
    $node->storage('deactivate_storage', {});
    $node->wait_until_no('/sys/class/nvme/nvme*');
    return 'no connection is left';
}

my sub stop ($j) {
    for my $name (qw(node1 node2)) {
        $j->expect($j->node($name)->agent->stop->{code}, 0, "the exit code of the plugin on $name");
    }
    $j->expect($j->array->stop->{code}, 0, 'the exit code of the simulator');
    my $left =
        $j->{lab}->guest('array')->must('cd /sys/kernel/config/nvmet && ls subsystems ports hosts');
    $j->expect($left =~ s/^\w+:$//mgr =~ s/\n//gr, '', 'what is left in configfs');
    return 'nothing is left in configfs';
}

# Another storage of this cluster, with these settings beside the usual ones; from here on it is the
# storage of the hooks.
sub add_another ($j, $id, %settings) {
    my $node = $j->node('node1');
    $node->guest->write_file("/etc/pve/priv/storage/$id.ca.pem", $j->array->ca_pem);
    my ($scfg, $sensitive) = prepare($j, $node, $id, %settings);
    $node->hook('on_add_hook', $id, $scfg, $sensitive->%*);
    $j->@{qw(storage_id scfg)} = ($id, $scfg);
    return;
}

sub begin ($j) {
    $j->chapter('the lab');
    $j->step('three machines boot', sub { boot($j) });
    $j->step('the array serves',    sub { start_array($j) });
    $j->step("$_ has the plugin",   sub { install($j, $_) }) for qw(node1 node2);
    $j->step('patterns are ready',  sub { $j->spread_patterns; return });
    $j->chapter('a storage is added');
    $j->step('add storage with a certificate that nobody vouches for: refused',
        sub { add_unverified($j) });
    $j->step('add storage',                          sub { add($j) });
    $j->step('node1 is connected over both portals', sub { paths($j, 'node1') });
    $j->step('status',                               sub { status($j) });
    $j->step('node2 learns of it and connects',      sub { join_in($j) });
    return;
}

sub finish ($j) {
    $j->chapter('the storage is removed');
    $j->step('node2 lets go of the storage', sub { leave($j) });
    $j->step('remove storage',               sub { remove($j) });
    return;
}

sub close_down ($j) {
    $j->step('everything ends', sub { stop($j) });
    return;
}

1;
