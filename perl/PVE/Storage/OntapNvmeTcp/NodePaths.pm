# SPDX-License-Identifier: AGPL-3.0-or-later
package PVE::Storage::OntapNvmeTcp::NodePaths;

use v5.36;

use Exporter qw(import);

use PVE::Storage::OntapNvmeTcp::NodeFiles qw(line_of names_in);

our @EXPORT_OK = qw(paths_of publish_paths published_paths);

=head1 NAME

PVE::Storage::OntapNvmeTcp::NodePaths - a node's data paths, here and as the other nodes tell of theirs

=head1 DESCRIPTION

=over

=item paths_of($scfg)

This node's controllers of the storage's subsystem, as the kernel shows them: a list of C<< { name,
address, state, subsystem, host_nqn, ctrl_loss_tmo, queues } >>.

=item publish_paths($storeid, $scfg)

Called at each poll. Tells the cluster of addresses and states, by Proxmox VE's key-value store of nodes: when they
have changed, at most every ten seconds, and every five minutes, since the store forgets when its daemon is restarted.
A process tells from its second poll on: one that polls once is no daemon, and has nothing new. Never fails.

=item published_paths($storeid)

What nodes have told, by their names: C<< { time, paths } >>, with seconds since the epoch and C<< { name, address,
state } >> each. A node that is missing has told nothing that can be read.

=back

=cut

use constant { CHANGED_S => 10, UNCHANGED_S => 300 };

# For tests.
our $clock = sub { return time() };

# Only where it is needed: loading it takes as long as loading all of the plugin.
my sub json () {
    require JSON::PP;
    return JSON::PP->new->utf8->canonical;
}

sub paths_of ($scfg) {
    my $subsystem = $scfg->{subsystem} // '';
    my @paths;
    for my $name (grep { /\Anvme[0-9]+\z/ } names_in('/sys/class/nvme')) {
        my $folder = "/sys/class/nvme/$name";
        my $nqn = line_of("$folder/subsysnqn") // '';
        # ONTAP's form of a target's NQN, which ends with the subsystem's name.
        next if $nqn !~ /\Anqn\.1992-08\.com\.netapp:sn\.[0-9a-f]+:subsystem\.\Q$subsystem\E\z/;
        my ($address) = (line_of("$folder/address") // '') =~ /(?:\A|,)traddr=([^,]+)/;
        push(@paths, {
            name => $name,
            address => $address // 'unknown',
            state => line_of("$folder/state") // 'gone',
            subsystem => $nqn,
            host_nqn => line_of("$folder/hostnqn"),
            ctrl_loss_tmo => line_of("$folder/ctrl_loss_tmo"),
            queues => line_of("$folder/queue_count"),
        });
    }
    return @paths;
}

my sub key_of ($storeid) { return "ontapnvme-paths-$storeid" }

# Storage id => what this process has told last, and when.
my %told;

sub publish_paths ($storeid, $scfg) {
    my $tell = PVE::Cluster->can('broadcast_node_kv') or return;
    my $now = $clock->();
    my $last = $told{$storeid};
    if (!$last) {
        $told{$storeid} = { at => $now - CHANGED_S, paths => '' };
        return;
    }
    # A clock that was set back must not silence it.
    my $since_s = $now - $last->{at};
    return if $since_s >= 0 && $since_s < CHANGED_S;
    my $paths = [map { +{ $_->%{qw(name address state)} } } paths_of($scfg)];
    my $text = json->encode($paths);
    return if $text eq $last->{paths} && $since_s >= 0 && $since_s < UNCHANGED_S;
    $told{$storeid} = { at => $now, paths => $text };
    # It warns where it cannot. No eval here: it would keep what a signal's handler throws.
    $tell->(key_of($storeid), json->encode({ time => $now, paths => $paths }));
    return;
}

sub published_paths ($storeid) {
    my $read = PVE::Cluster->can('get_node_kv') or return {};
    my $texts = $read->(key_of($storeid));
    my %published;
    for my $node (keys($texts->%*)) {
        my $told = eval { json->decode($texts->{$node}) };
        $published{$node} = $told if ref($told) eq 'HASH' && ref($told->{paths}) eq 'ARRAY';
    }
    return \%published;
}

1;
