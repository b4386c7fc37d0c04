# SPDX-License-Identifier: AGPL-3.0-or-later
package Journey::Multipath;

# A node whose kernel was told not to join the paths of a namespace: each path would be a disk of its
# own there, and a guest on one of them would stop with it.

use v5.36;

use Journey::Node;
use Journey::Storage;

use constant {ID => 'single', WORD => 'nvme_core.multipath=N'};

my sub boot ($j, @words) {
    my $name = 'node2';
    $j->lab->reboot_guest($name, @words);
    $j->{node}{$name} = Journey::Node->new($j, $name, $j->{stage});
    return;
}

my sub refuse ($j) {
    my $node  = $j->node('node2');
    my $error = $j->refused(sub { $node->check }, qr/multipath/);
    $node->wait_until_no('/sys/class/nvme/nvme*');
    $error =~ /nvme_core\.multipath/ or die "it does not name the parameter: $error\n";
    return $error;
}

sub begin ($j) {
    $j->chapter('a kernel without native multipath');
    $j->step('a storage is there',                  sub { Journey::Storage::add_another($j, ID) });
    $j->step("node2 boots with ${\ WORD}",          sub { boot($j, WORD) });
    $j->step('it refuses to connect, and says why', sub { refuse($j) });
    $j->step('the storage is removed',
        sub { $j->node('node1')->hook('on_delete_hook', $j->storage) });
    return;
}

1;
